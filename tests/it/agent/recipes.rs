//! The README's recipes, run as they stand there: each block of commands that begins with `# agent: <name>`.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Stdio};

use super::sandbox::has_namespaces;
use super::wait_until;
use crate::support::fixture::MAIN;
use crate::support::program::program;
use crate::support::run::run;
use crate::support::scene::{Scene, TOKEN};
use crate::support::skip::skip;

/// Returns the commands of the block called `name`.
fn recipe(name: &str) -> String {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = fs::read_to_string(readme).expect("it is there");
    let begin = format!("```sh\n# agent: {name}\n");
    let (_, rest) = readme.split_once(&begin).unwrap_or_else(|| panic!("no '{name}'"));
    rest.split_once("```").expect("it ends").0.to_owned()
}

/// A directory of programs that stand for others, before all others on the search path.
fn stand_in(scene: &Scene, name: &str, script: &str) {
    let directory = scene.home().join("stand-ins");
    fs::create_dir_all(&directory).expect("a directory can be made");
    program(directory.join(name), script);
    let path = scene
        .command("sh", &scene.home())
        .get_envs()
        .find(|(name, _)| *name == "PATH")
        .and_then(|(_, value)| value.map(std::ffi::OsStr::to_owned))
        .expect("there is a PATH");
    let paths: Vec<_> = std::iter::once(directory).chain(std::env::split_paths(&path)).collect();
    scene.set("PATH", std::env::join_paths(paths).expect("paths"));
}

/// Runs `script` in a shell that ends with the first failure, and whatever it has left running with it.
#[track_caller]
fn works(scene: &Scene, script: &str) -> String {
    let script = format!("trap 'kill $(jobs -p) 2>/dev/null || :; wait' EXIT\n{script}");
    let mut shell = scene.command("bash", &scene.work());
    shell.args(["-euc", &script]);
    let output = run(shell);
    assert!(output.success(), "{script}: {}{}", output.stdout, output.stderr);
    assert!(!output.stdout.contains(TOKEN), "{script}: {}", output.stdout);
    output.stdout
}

#[test]
fn a_coding_agent_reads_one_repository_and_creates_branches_of_its_own() {
    let scene = Scene::new();
    scene.set("XDG_RUNTIME_DIR", scene.path("run"));
    let clone = scene.url(MAIN);
    program(
        scene.path("coding-agent"),
        &format!(
            "set -eu
             env | grep -v '^PATH=' >seen
             git clone -q {clone} box; cd box; echo x >x; git add x; git commit -qm x
             git push -q origin HEAD:refs/heads/ai/x
             ! git push -q origin HEAD:refs/heads/main 2>>../refused
             ! git push -q --force origin HEAD~1:refs/heads/ai/x 2>>../refused
             ! git push -q origin :refs/heads/ai/x 2>>../refused
             ! git ls-remote {} 2>>../refused",
            scene.url("acme/parts"),
        ),
    );
    works(&scene, &recipe("sandbox"));
    assert!(!scene.text("seen").contains(TOKEN));
    let refused = scene.text("refused");
    for reason in [
        "no rule allows updating 'refs/heads/main'",
        "no rule allows updating 'refs/heads/ai/x'",
        "no rule allows deleting 'refs/heads/ai/x'",
        "the agent's rules do not allow reading 'acme/parts'",
    ] {
        assert!(refused.contains(reason), "{refused}");
    }
    let refs = scene.server_git(MAIN, &["for-each-ref", "--format=%(refname)"]);
    assert!(refs.contains("refs/heads/ai/x\n"), "{refs}");
}

/// `docker` stands for namespaces: another root of mounts, no network, and what is named on its command line.
#[test]
fn a_container_clones_without_a_network() {
    let scene = Scene::new();
    if !has_namespaces(&scene) {
        return;
    }
    let inside = "shift; from=${1%%:*} to=$PWD/root${1#*:}; shift; [ $1 = -e ] || exit 9; name=${2%%=*}; value=$PWD/root${2#*=}; shift 3
                  until [ -S \"$from/agent.sock\" ]; do sleep 0.05; done
                  mkdir -p \"$to\" home; export FROM=\"$from\" TO=\"$to\" HOME=\"$PWD/home\" \"$name=$value\"; unset BBCLOUD_TOKEN
                  exec unshare --mount --net sh -euc 'mount --bind \"$FROM\" \"$TO\"; exec \"$@\"' sh \"$@\"";
    stand_in(
        &scene,
        "docker",
        &format!("set -eu\n[ \"$1\" = run ] || exit 9; shift; [ \"$1\" = -v ] || exit 9\n{inside}"),
    );
    works(&scene, &recipe("container"));
    assert_eq!(scene.git_ok("widgets", &["rev-list", "--count", "HEAD"]).trim(), "8");
}

/// A server of ssh's of our own on loopback, for the user who runs the tests.
struct Sshd {
    child: Child,
}

impl Drop for Sshd {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Starts one that lets us in without asking, and has our git on its path. `None` where that cannot be.
fn sshd(scene: &Scene) -> Option<(Sshd, String)> {
    const PROGRAM: &str = "/usr/sbin/sshd";
    if !Path::new(PROGRAM).exists() {
        skip("'sshd' is not installed");
        return None;
    }
    let is_root = rustix::process::geteuid().is_root();
    if is_root && fs::create_dir_all("/run/sshd").is_err() {
        skip("sshd has no directory for the separation of privileges");
        return None;
    }
    let place = scene.home().join("ssh");
    fs::create_dir(&place).expect("a directory");
    for name in ["host", "user"] {
        let mut keygen = scene.command("ssh-keygen", &place);
        keygen.args(["-q", "-t", "ed25519", "-N", "", "-f", name]);
        assert!(run(keygen).success());
    }
    let port = {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.local_addr().expect("it is bound").port()
    };
    let at = |name: &str| place.join(name).display().to_string();
    let variable = |name: &str| {
        let shell = scene.command("sh", &scene.home());
        let value = shell
            .get_envs()
            .find(|(known, _)| *known == name)
            .and_then(|(_, value)| value);
        value
            .map(|value| format!("\"{name}={}\"", value.display()))
            .unwrap_or_default()
    };
    let names = ["PATH", "BBCLOUD_BASE_URL", "GIT_CONFIG_NOSYSTEM", "GIT_ALLOW_PROTOCOL"];
    let variables: Vec<_> = names.into_iter().map(variable).collect();
    fs::create_dir(place.join("home")).expect("a directory");
    let config = format!(
        "Port {port}\nListenAddress 127.0.0.1\nHostKey {}\nAuthorizedKeysFile {}\nPidFile none\nStrictModes no\n\
         UsePAM no\nPasswordAuthentication no\nPermitRootLogin yes\nLogLevel ERROR\nStreamLocalBindMask 0177\n\
         SetEnv \"GIT_CONFIG_GLOBAL={}\" {}\n",
        at("host"),
        at("user.pub"),
        at("home/.gitconfig"),
        variables.join(" "),
    );
    fs::write(place.join("sshd_config"), config).expect("a file");
    let client = format!(
        "Host host\nHostName 127.0.0.1\nPort {port}\nIdentityFile {}\nIdentitiesOnly yes\n\
         StrictHostKeyChecking no\nUserKnownHostsFile /dev/null\nLogLevel ERROR\n",
        at("user")
    );
    fs::write(place.join("config"), client).expect("a file");
    let mut server = scene.command(PROGRAM, &place);
    server.args(["-D", "-e", "-f", &at("sshd_config")]).stdin(Stdio::null());
    let log = fs::File::create(place.join("log")).expect("a file");
    let child = server.stderr(log).spawn().expect("it starts");
    let sshd = Sshd { child };
    wait_until("sshd listens", || {
        std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
    });
    let socket = "until [ -S ~/box/agent.sock ]; do sleep 0.05; done";
    Some((
        sshd,
        format!("{socket}\nexec /usr/bin/ssh -F '{}' \"$@\"", at("config")),
    ))
}

#[test]
fn a_remote_host_clones_through_a_forwarded_socket() {
    let scene = Scene::new();
    let Some((_sshd, ssh)) = sshd(&scene) else { return };
    stand_in(&scene, "ssh", &ssh);
    let far = scene.home().join("ssh/home").display().to_string();
    let script = recipe("remote host")
        .replace("/home/me", &far)
        .replace("git clone", &format!("git -C {far} clone"));
    works(&scene, &format!("mkdir -p -m 700 ~/box\n{script}"));
    assert_eq!(
        works(&scene, &format!("git -C '{far}/widgets' rev-list --count HEAD")).trim(),
        "8"
    );
}

#[test]
fn commands_on_ones_own_machine_share_a_connection() {
    let scene = Scene::new();
    scene.set("XDG_RUNTIME_DIR", scene.path("run"));
    let url = scene.url(MAIN);
    let script = format!(
        "{}until git-remote-bbcloud agent --status >/dev/null; do sleep 0.05; done
         for n in 1 2 3; do env -u BBCLOUD_TOKEN git ls-remote -q {url} | grep -c refs/heads/main; done",
        recipe("warm connections"),
    );
    assert_eq!(works(&scene, &script), "1\n1\n1\n");
    assert_eq!(scene.bitbucket.connections(), 1);
}
