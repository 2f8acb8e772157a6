//! What only an ordinary user is kept from: a home that cannot be written, the memory of another's process, a core dump.
//!
//! Root may do all of that, so the product runs as nobody where the tests run as root. A copy of it runs: the clone that
//! it was built in may be below a directory that is root's alone.

#![cfg(target_os = "linux")]

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::support::canary;
use crate::support::fixture::MAIN;
use crate::support::program::copy;
use crate::support::run::run;
use crate::support::scene::Scene;
use crate::support::skip::skip;
use crate::support::wait;

pub(crate) const NOBODY: u32 = 65534;

const BINARY: &str = env!("CARGO_BIN_EXE_git-remote-bbcloud");

/// A scene in which nobody can run the product. None where even its directory cannot be reached.
pub(crate) fn open_scene() -> Option<Scene> {
    let scene = Scene::new();
    let sandbox = scene.home().parent().map(Path::to_owned).expect("the sandbox");
    let programs = sandbox.join("programs");
    fs::create_dir(&programs).expect("it is our own directory");
    let program = programs.join("git-remote-bbcloud");
    copy(Path::new(BINARY), &program);
    scene.excuse_file(program);
    for directory in [sandbox, programs.clone()] {
        fs::set_permissions(directory, fs::Permissions::from_mode(0o755)).expect("it is our own directory");
    }
    let own = Path::new(BINARY).parent();
    let inherited = scene.command("git", &scene.work());
    let inherited = inherited
        .get_envs()
        .find(|(name, _)| *name == "PATH")
        .and_then(|(_, value)| value);
    let others = std::env::split_paths(inherited.expect("the sandbox has a search path"));
    let others = others.filter(|path| Some(path.as_path()) != own);
    let path = std::env::join_paths(std::iter::once(programs).chain(others)).expect("they were split");
    scene.set("PATH", path);
    let mut version = as_nobody(&scene, "git-remote-bbcloud");
    version.arg("--version");
    if !run(version).success() {
        skip("another user cannot start a program below the temporary folder");
        return None;
    }
    Some(scene)
}

/// `program` as nobody, if there is anything to give up.
pub(crate) fn as_nobody(scene: &Scene, program: &str) -> Command {
    let mut command = if rustix::process::geteuid().is_root() {
        chown(scene.work(), Some(NOBODY), Some(NOBODY)).expect("root may");
        let mut command = scene.command("setpriv", &scene.work());
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups", program]);
        command
    } else {
        scene.command(program, &scene.work())
    };
    // They are written where nobody may write.
    canary::not_traced(&mut command);
    command
}

/// A secret that is waited with: a helper in the middle of a session.
fn waiting(scene: &Scene, mut command: Command) -> Child {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let child = command.spawn().expect("the helper can be started");
    let mut to = child.stdin.as_ref().expect("it was piped");
    to.write_all(b"connect git-upload-pack\n").expect("the helper reads");
    wait::until("the helper asks the server", || {
        scene.bitbucket.requests().iter().any(|request| request.status != 0)
    });
    child
}

#[test]
fn a_home_that_cannot_be_written_is_enough() {
    let Some(scene) = open_scene() else { return };
    for at in [scene.home(), scene.home().join(".cache")] {
        fs::create_dir_all(&at).expect("a directory can be made");
        fs::set_permissions(&at, fs::Permissions::from_mode(0o555)).expect("it is our own directory");
        let mut git = as_nobody(&scene, "git");
        git.args(["ls-remote", "--exit-code", &scene.url(MAIN), "main"]);
        let output = run(git);
        assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{}", at.display());
        fs::set_permissions(&at, fs::Permissions::from_mode(0o755)).expect("it is our own directory");
    }
    assert_eq!(crate::load::files(&scene.home().join(".cache")).len(), 0);
    // It is the permission that keeps it from writing, and not something else.
    let mut touch = as_nobody(&scene, "touch");
    fs::set_permissions(scene.home(), fs::Permissions::from_mode(0o555)).expect("it is our own directory");
    touch.arg(scene.home().join("touched"));
    assert!(!run(touch).success());
}

#[test]
fn nobody_reads_the_memory_of_a_helper() {
    let Some(scene) = open_scene() else { return };
    let mut command = as_nobody(&scene, "git-remote-bbcloud");
    command.args(["origin", MAIN]).env("BBCLOUD_CACHE", "false");
    let mut helper = waiting(&scene, command);
    let mut sleep = as_nobody(&scene, "sleep");
    let mut sleeper = sleep.arg("50").spawn().expect("sleep can be started");
    let reads = |id: u32, name: &str| {
        let mut read = as_nobody(&scene, "sh");
        read.args(["-c", &format!("exec <'/proc/{id}/{name}'")]);
        run(read).success()
    };
    for name in ["mem", "environ", "maps"] {
        wait::until("another program of the same user can be read, once it runs", || {
            reads(sleeper.id(), name)
        });
        assert!(!reads(helper.id(), name), "{name}");
    }
    for child in [&mut helper, &mut sleeper] {
        child.kill().expect("it is ours");
        child.wait().expect("it is ours");
    }
}

/// Where the system writes core files at all, into the directory of the process.
#[test]
fn a_helper_that_crashes_leaves_no_core() {
    let Some(scene) = open_scene() else { return };
    let pattern = fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap_or_default();
    let script = |program: &str| {
        let mut shell = as_nobody(&scene, "sh");
        shell.args(["-c", &format!("ulimit -c unlimited; exec {program}")]);
        shell.env("BBCLOUD_CACHE", "false");
        shell
    };
    let cores = || {
        crate::load::files(&scene.work())
            .into_iter()
            .filter(|file| file.contains("core"))
            .count()
    };
    let abort = |child: &mut Child| {
        let mut kill = scene.command("sh", &scene.work());
        kill.args(["-c", &format!("kill -ABRT {}", child.id())]);
        assert!(run(kill).success());
        child.wait().expect("it is ours")
    };
    let mut helper = waiting(&scene, script(&format!("git-remote-bbcloud origin {MAIN}")));
    let status = abort(&mut helper);
    assert_eq!(status.signal(), Some(6));
    assert!(!status.core_dumped());
    assert_eq!(cores(), 0);
    // Another program's has everything in it, so it gets no secret.
    let mut sleep = script("sleep 50");
    let mut sleeper = sleep.env_remove("BBCLOUD_TOKEN").spawn().expect("sleep can be started");
    std::thread::sleep(std::time::Duration::from_millis(300));
    let status = abort(&mut sleeper);
    // Else the system writes none of anybody, or elsewhere, and nothing has been shown.
    assert!(pattern.trim() != "core" || status.core_dumped() && cores() == 1);
}
