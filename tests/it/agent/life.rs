//! How an agent begins and ends, and whom its socket lets in.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::UnixListener;
use std::time::{Duration, Instant};

use super::{Agent, refused, wait_until};
use crate::bitbucket::{Action, Fault};
use crate::support::fixture::MAIN;
use crate::support::run::run;
use crate::support::scene::Scene;
use crate::support::skip::skip;

#[test]
fn the_socket_is_for_its_owner_and_goes_with_the_agent() {
    let scene = Scene::new();
    let mut agent = Agent::start_with(&scene, &["acme/widgets"], |_| {});
    assert_eq!(
        fs::symlink_metadata(&agent.socket).expect("it is there").mode() & 0o7777,
        0o600
    );
    let path = agent.socket.to_str().expect("UTF-8").to_owned();
    let second = scene.bbcloud("", &["agent", "--socket", &path, "--allow", "acme/widgets"]);
    assert!(
        !second.success() && second.stderr.contains("another agent already serves there"),
        "{}",
        second.stderr
    );
    let status = scene.bbcloud_ok("", &["agent", "--status", "--json", "--socket", &path]);
    assert!(status.stdout.contains("\"serves\": true"), "{}", status.stdout);
    agent.signal("TERM");
    assert!(agent.child.wait().expect("it ends").success());
    assert!(
        !agent.socket.exists()
            && fs::read_dir(agent.socket.parent().expect("a directory"))
                .expect("it")
                .count()
                == 1
    );
    assert!(!scene.bbcloud("", &["agent", "--status", "--socket", &path]).success());
}

#[test]
fn what_a_killed_agent_has_left_is_replaced_and_nothing_else_is() {
    let scene = Scene::new();
    let first = Agent::start_with(&scene, &["acme/widgets"], |_| {});
    first.signal("KILL");
    let path = first.socket.clone();
    wait_until("it is gone", || std::os::unix::net::UnixStream::connect(&path).is_err());
    assert!(path.exists());
    let mut again = scene.command("git-remote-bbcloud", &scene.work());
    again.args(["agent", "--allow", "acme/widgets", "--socket"]).arg(&path);
    let mut again = again.spawn().expect("it starts");
    wait_until("it serves", || std::os::unix::net::UnixStream::connect(&path).is_ok());
    again.kill().and_then(|()| again.wait()).expect("it ends");
    let file = scene.path("file");
    fs::write(&file, "mine").expect("a file");
    let output = scene.bbcloud(
        "",
        &[
            "agent",
            "--allow",
            "acme/widgets",
            "--socket",
            file.to_str().expect("UTF-8"),
        ],
    );
    assert!(
        output.stderr.contains("the file there is not a socket"),
        "{}",
        output.stderr
    );
    assert_eq!(scene.text("file"), "mine");
}

#[test]
fn a_directory_that_others_can_write_is_no_place_for_a_socket() {
    let scene = Scene::new();
    let open = scene.path("open");
    fs::create_dir(&open).expect("a directory");
    fs::set_permissions(&open, fs::Permissions::from_mode(0o1777)).expect("it is ours");
    let path = open.join("a.sock");
    let output = scene.bbcloud(
        "",
        &[
            "agent",
            "--allow",
            "acme/widgets",
            "--socket",
            path.to_str().expect("UTF-8"),
        ],
    );
    assert!(
        output.stderr.contains("other users can write the directory"),
        "{}",
        output.stderr
    );
    let long = scene.path(&"x".repeat(120));
    let output = scene.bbcloud(
        "",
        &[
            "agent",
            "--allow",
            "acme/widgets",
            "--socket",
            long.to_str().expect("UTF-8"),
        ],
    );
    assert!(output.stderr.contains("the system allows"), "{}", output.stderr);
}

#[test]
fn an_agent_whose_socket_is_gone_ends() {
    let scene = Scene::new();
    let mut agent = Agent::start_with(&scene, &["acme/widgets"], |_| {});
    fs::remove_file(&agent.socket).expect("it is ours");
    let _other = UnixListener::bind(&agent.socket).expect("somebody else's");
    let start = Instant::now();
    agent.child.wait().expect("it ends");
    assert!(start.elapsed() < Duration::from_secs(10));
    assert!(agent.socket.exists(), "it is somebody else's");
}

#[test]
fn a_request_in_flight_ends_before_the_agent_does() {
    let scene = Scene::new();
    let mut agent = Agent::start(&scene, &["acme/widgets"]);
    scene
        .bitbucket
        .fault(Fault::on("info/refs", Action::Delay(Duration::from_secs(3))));
    let listed = std::thread::scope(|threads| {
        let (bitbucket, agent) = (&scene.bitbucket, &agent);
        threads.spawn(move || {
            wait_until("the request is there", || !bitbucket.requests().is_empty());
            agent.signal("TERM");
        });
        scene.git(&["-c", "protocol.version=0", "ls-remote", &scene.url(MAIN)])
    });
    assert!(listed.success(), "{}", listed.stderr);
    assert!(agent.child.wait().expect("it ends").success());
}

/// As `bbcloud.agent=true` finds it: a socket of somebody else, or a link, is not used.
#[test]
fn the_default_socket_has_to_be_ones_own() {
    let scene = Scene::new();
    let runtime = scene.path("run");
    let directory = runtime.join("git-remote-bbcloud");
    scene.set("XDG_RUNTIME_DIR", &runtime);
    scene.git_ok("", &["config", "--global", "bbcloud.agent", "true"]);
    let mut command = scene.command("git-remote-bbcloud", &scene.work());
    command.arg("agent");
    let mut agent = command.spawn().expect("it starts");
    let socket = directory.join("agent.sock");
    wait_until("it serves", || std::os::unix::net::UnixStream::connect(&socket).is_ok());
    assert_eq!(fs::metadata(&directory).expect("it made it").mode() & 0o777, 0o700);
    scene.unset("BBCLOUD_TOKEN");
    scene.git_ok("", &["ls-remote", &scene.url(MAIN)]);
    let moved = directory.join("b.sock");
    fs::rename(&socket, &moved).expect("it is ours");
    std::os::unix::fs::symlink(&moved, &socket).expect("a link");
    // The cold way has no secret.
    let said = refused(&scene, "", &["ls-remote", &scene.url(MAIN)]);
    assert!(said.contains("(HTTP 401)"), "{said}");
    fs::remove_file(&socket)
        .and_then(|()| fs::rename(&moved, &socket))
        .expect("it is ours");
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o755)).expect("it is ours");
    assert!(refused(&scene, "", &["ls-remote", &scene.url(MAIN)]).contains("(HTTP 401)"));
    agent.kill().and_then(|()| agent.wait()).expect("it ends");
}

/// What systemd does for a socket unit: descriptor 3, `LISTEN_FDS`, and `LISTEN_PID` for this very process.
#[test]
fn a_socket_of_systemd_is_taken_over() {
    let scene = Scene::new();
    let mut perl = scene.command("perl", &scene.work());
    perl.args(["-MSocket", "-MPOSIX", "-e", "1"]);
    if !run(perl).success() {
        skip("there is no perl to hand a socket over");
        return;
    }
    let directory = scene.home().join("unit");
    fs::create_dir(&directory).expect("a directory");
    let socket = directory.join("a.sock");
    let script = "BEGIN { $^F = 9 } use Socket; use POSIX; socket(S, PF_UNIX, SOCK_STREAM, 0) or die; bind(S, sockaddr_un($ARGV[0])) or die;
                  listen(S, 8) or die; POSIX::dup2(fileno(S), 3); $ENV{LISTEN_FDS} = 1;
                  $ENV{LISTEN_PID} = $$ + $ARGV[1]; exec 'git-remote-bbcloud', 'agent', '--allow', 'acme/widgets' or die";
    let start = |wrong: &str| {
        let mut command = scene.command("perl", &scene.work());
        command.args(["-e", script]).arg(&socket).arg(wrong);
        command.spawn().expect("it starts")
    };
    let mut agent = start("0");
    wait_until("it serves", || std::os::unix::net::UnixStream::connect(&socket).is_ok());
    scene.unset("BBCLOUD_TOKEN");
    scene.set("BBCLOUD_AGENT_SOCK", &socket);
    scene.git_ok("", &["ls-remote", &scene.url(MAIN)]);
    agent.kill().and_then(|()| agent.wait()).expect("it ends");
    // The socket is systemd's: it stays.
    assert!(socket.exists());
}
