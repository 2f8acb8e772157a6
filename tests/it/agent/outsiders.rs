//! Those who must not get in, or in the way: other users, links, several agents at one place, and clients that only wait.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::Stdio;
use std::time::{Duration, Instant};

use super::{Agent, wait_until};
use crate::support::fixture::MAIN;
use crate::support::run::run;
use crate::support::scene::Scene;
use crate::support::skip::{has_program, skip};

/// An agent in a directory that everybody can enter: only the mode of its socket keeps others out.
#[test]
fn another_user_cannot_connect() {
    let scene = Scene::new();
    if !has_program(&scene, "setpriv") {
        return;
    }
    let directory = tempfile::tempdir().expect("a temporary directory");
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).expect("it is ours");
    let socket = directory.path().join("a.sock");
    let mut command = scene.command("git-remote-bbcloud", &scene.home());
    command.args(["agent", "--allow", MAIN, "--socket"]).arg(&socket);
    let mut agent = command.stderr(Stdio::null()).spawn().expect("it starts");
    wait_until("it serves", || UnixStream::connect(&socket).is_ok());
    let status = || {
        let mut other = scene.command("setpriv", directory.path());
        other.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
        other.args(["perl", "-MIO::Socket::UNIX", "-e"]);
        other.arg("my $s = IO::Socket::UNIX->new(Peer => $ARGV[0]); print $s ? 'connected' : \"$!\"");
        other.arg(&socket);
        run(other).stdout
    };
    let refused = status();
    fs::set_permissions(&socket, fs::Permissions::from_mode(0o666)).expect("it is ours");
    let connected = status();
    agent.kill().and_then(|()| agent.wait()).expect("it ends");
    if connected != "connected" {
        skip("this user cannot become another one");
        return;
    }
    assert_eq!(refused, "Permission denied");
}

#[test]
fn a_link_is_not_followed_and_what_it_leads_to_stays() {
    let scene = Scene::new();
    let directory = scene.home().join("d");
    fs::create_dir(&directory).expect("a directory");
    let (file, socket) = (directory.join("file"), directory.join("other.sock"));
    fs::write(&file, "mine").expect("a file");
    let _other = UnixListener::bind(&socket).expect("a socket");
    for (name, target) in [
        ("to-file", &file),
        ("to-socket", &socket),
        ("to-nothing", &directory.join("no")),
    ] {
        let link = directory.join(name);
        symlink(target, &link).expect("a link");
        let output = scene.bbcloud(
            "",
            &["agent", "--allow", MAIN, "--socket", link.to_str().expect("UTF-8")],
        );
        assert!(
            output.stderr.contains("the file there is not a socket"),
            "{name}: {}",
            output.stderr
        );
        assert!(fs::symlink_metadata(&link).expect("it is there").is_symlink());
    }
    assert_eq!(fs::read_to_string(&file).expect("it is there"), "mine");
    assert!(UnixStream::connect(&socket).is_ok());
    assert!(!directory.join("no").exists());
}

#[test]
fn a_path_with_spaces_and_quotes_serves() {
    let scene = Scene::new();
    let directory = scene.work().join("it's a $(box)");
    fs::create_dir(&directory).expect("a directory");
    let socket = directory.join("a b.sock");
    let mut command = scene.command("git-remote-bbcloud", &scene.home());
    command.args(["agent", "--allow", MAIN, "--socket"]).arg(&socket);
    let mut agent = command.stderr(Stdio::null()).spawn().expect("it starts");
    wait_until("it serves", || UnixStream::connect(&socket).is_ok());
    scene.unset("BBCLOUD_TOKEN");
    scene.set("BBCLOUD_AGENT_SOCK", &socket);
    scene.git_ok("", &["ls-remote", &scene.url(MAIN)]);
    agent.kill().and_then(|()| agent.wait()).expect("it ends");
}

/// Eight start at once where one was killed: one of them serves, and the others say so and leave it alone.
#[test]
fn of_several_agents_at_one_place_one_serves() {
    let scene = Scene::new();
    let socket = scene.home().join("one/a.sock");
    fs::create_dir(scene.home().join("one")).expect("a directory");
    drop(UnixListener::bind(&socket).expect("a socket that nobody serves any more"));
    let mut agents: Vec<_> = (0..8)
        .map(|_| {
            let mut command = scene.command("git-remote-bbcloud", &scene.home());
            command.args(["agent", "--allow", MAIN, "--socket"]).arg(&socket);
            command.stderr(Stdio::null()).spawn().expect("it starts")
        })
        .collect();
    wait_until("seven have ended", || {
        let ended = agents.iter_mut().filter_map(|agent| agent.try_wait().expect("ours"));
        ended.filter(|status| !status.success()).count() == 7
    });
    scene.unset("BBCLOUD_TOKEN");
    scene.set("BBCLOUD_AGENT_SOCK", &socket);
    scene.git_ok("", &["ls-remote", &scene.url(MAIN)]);
    for agent in &mut agents {
        if agent.try_wait().expect("ours").is_none() {
            let mut kill = crate::bitbucket::command("kill", &scene.work());
            kill.args(["-TERM", &agent.id().to_string()]);
            assert!(run(kill).success());
            assert!(agent.wait().expect("it ends").success());
        }
    }
    assert!(!socket.exists());
}

#[test]
fn a_thousand_clients_that_only_wait_are_in_nobodys_way() {
    let scene = Scene::new();
    if !has_program(&scene, "perl") {
        return;
    }
    let agent = Agent::start(&scene, &[MAIN]);
    let script = "my @s; for (1 .. 1000) { push @s, IO::Socket::UNIX->new(Peer => $ARGV[0]) or last }
                  $| = 1; print scalar(@s), \"\\n\"; <STDIN>";
    let mut perl = scene.command("perl", &scene.work());
    perl.args(["-MIO::Socket::UNIX", "-e", script]).arg(&agent.socket);
    let mut many = perl
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut line = String::new();
    BufReader::new(many.stdout.take().expect("piped"))
        .read_line(&mut line)
        .expect("it says how many");
    assert_eq!(line.trim(), "1000");
    let start = Instant::now();
    scene.git_ok("", &["ls-remote", &scene.url(MAIN)]);
    let took = start.elapsed();
    drop(many.stdin.take());
    many.wait().expect("it ends");
    assert!(took < Duration::from_secs(20), "{took:?}");
    assert!(agent.memory_kib() < 32 * 1024, "{} KiB", agent.memory_kib());
}

#[test]
fn a_head_that_does_not_end_is_given_up() {
    let scene = Scene::new();
    let agent = Agent::start(&scene, &[MAIN]);
    let _half: Vec<_> = (0..64)
        .map(|_| {
            let mut stream = UnixStream::connect(&agent.socket).expect("it serves");
            stream.write_all(b"GET https://").expect("it reads");
            stream
        })
        .collect();
    let start = Instant::now();
    scene.git_ok("", &["ls-remote", &scene.url(MAIN)]);
    assert!(start.elapsed() < Duration::from_secs(25), "{:?}", start.elapsed());
}
