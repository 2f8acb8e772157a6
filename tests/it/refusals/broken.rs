//! Answers that end too soon or are not what they say: never a success, never a change, and no push sent twice.

use std::io;
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use super::{FETCH, PUSH, ours, refused, refused_with, scene, scene_with};
use crate::bitbucket::{Action, Fault, Refusal};
use crate::support::fixture::MAIN;
use crate::support::scene::{SLOW_PUSH, Scene};

const REFS: &str = "/info/refs";
const POST: &str = "/git-upload-pack";

fn breaks() -> Vec<(&'static str, Action)> {
    let mut breaks = Vec::new();
    for path in [REFS, POST] {
        for action in [
            Action::CutHead { after: 0 },
            Action::CutHead { after: 20 },
            Action::CutBody { after: 0 },
            Action::CutBody { after: 30 },
            Action::CutBody { after: 1 << 20 },
            Action::ResetBody { after: 30 },
            Action::Truncate { bytes: 2 },
            Action::Truncate { bytes: 4 },
            Action::Truncate { bytes: 10 },
            Action::ReplaceBody(Vec::new()),
            Action::ReplaceBody(b"<html>".to_vec()),
            Action::ReplaceBody(b"0".to_vec()),
            Action::Raw(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec()),
            Action::Gzip { broken: true },
            Action::WrongLength { delta: 5 },
            Action::WrongLength { delta: -5 },
        ] {
            breaks.push((path, action));
        }
    }
    breaks.push((REFS, Action::ContentType("text/html".to_owned())));
    breaks
}

fn every_break(scene: &Scene) {
    for (path, action) in breaks() {
        let name = format!("{path} {action:?}");
        let said = refused_with(scene, path, action, FETCH);
        assert!(said.contains("error: "), "{name}: {said}");
    }
    // An error of the server's is git's to tell.
    for path in [REFS, POST] {
        let packet = Action::ReplaceBody(b"001cERR the disk is full\n".to_vec());
        refused_with(scene, path, packet, FETCH);
    }
    // The same repository, and all is well.
    scene.git_ok("clone", FETCH);
}

#[test]
fn no_broken_answer_is_a_success_in_version_2() {
    every_break(&scene());
}

#[test]
fn no_broken_answer_is_a_success_in_version_0() {
    every_break(&scene_with(0));
}

/// Packs are cut, too: the first answer with a pack is the second of version 2.
#[test]
fn a_pack_that_is_cut_is_no_clone() {
    for version in [0, 2] {
        let scene = scene_with(version);
        let skip = usize::from(version == 2);
        for action in [
            Action::CutBody { after: 1000 },
            Action::ResetBody { after: 1000 },
            Action::Truncate { bytes: 4 },
            Action::Truncate { bytes: 100 },
            Action::WrongLength { delta: 10 },
        ] {
            let name = format!("{action:?}");
            scene.bitbucket.fault(Fault::on(POST, action).skip(skip).always());
            let output = scene.git(&["clone", "--quiet", &scene.url(MAIN), "again"]);
            assert!(!output.success(), "{version} {name}");
            assert!(output.stderr.contains("error: "), "{version} {name}: {}", output.stderr);
            assert!(!scene.path("again").exists());
            scene.bitbucket.clear_faults();
        }
    }
}

#[test]
fn harmless_oddities_are_harmless() {
    for version in [0, 2] {
        let scene = scene_with(version);
        // A farewell that crosses a push on its way is another story.
        scene.slow_down_pushes("clone", "0.3");
        let pause = Duration::from_millis(20);
        for (number, action) in [
            Action::Delay(pause),
            Action::Informational,
            Action::Stall { after: 10, pause },
            Action::Drip {
                bytes: 500,
                every: Duration::from_millis(1),
            },
            Action::CloseAfter,
            Action::Http10,
            Action::Gzip { broken: false },
        ]
        .into_iter()
        .enumerate()
        {
            let name = format!("v{version} {action:?}");
            scene.bitbucket.fault(Fault::on("acme/widgets", action).always());
            let fetched = scene.git(&["clone", "--quiet", &scene.url(MAIN), &format!("clone{number}")]);
            assert!(fetched.success(), "{name}: {}", fetched.stderr);
            let branch = format!("HEAD:refs/heads/new{number}");
            let pushed = scene.git_in("clone", &["-c", SLOW_PUSH, "push", "--quiet", "origin", &branch]);
            assert!(pushed.success(), "{name}: {}", pushed.stderr);
            scene.bitbucket.clear_faults();
        }
    }
}

/// A connection that the server has closed meanwhile: a read is asked again, on a new one.
#[test]
fn a_kept_connection_that_has_gone_is_replaced() {
    let scene = scene();
    scene.bitbucket.fault(Fault::on(REFS, Action::CloseAfter));
    scene.git_ok("clone", FETCH);
}

/// A push is not risked on a connection that the server may be about to close.
#[test]
fn a_push_after_a_while_has_a_connection_of_its_own() {
    for (seconds, connections) in [("0", 1), ("3.1", 2)] {
        let scene = scene();
        scene.slow_down_pushes("clone", seconds);
        let before = scene.bitbucket.connections();
        scene.git_ok(
            "clone",
            &["-c", SLOW_PUSH, "push", "--quiet", "origin", "HEAD:refs/heads/new"],
        );
        assert_eq!(
            scene.bitbucket.connections() - before,
            connections,
            "after {seconds} seconds"
        );
    }
}

fn pushes(scene: &Scene) -> usize {
    let requests = scene.bitbucket.requests();
    let pushes = requests.iter().filter(|request| request.method == "POST");
    pushes
        .filter(|request| request.path.ends_with("/git-receive-pack"))
        .count()
}

/// The push was done, and nobody here can know: it is said so, and not tried again.
#[test]
fn a_push_whose_answer_is_lost_is_not_repeated() {
    for action in [
        Action::CutHead { after: 0 },
        Action::CutHead { after: 20 },
        Action::CutBody { after: 10 },
        Action::Truncate { bytes: 4 },
        Action::ReplaceBody(b"<html>".to_vec()),
    ] {
        let scene = scene();
        let name = format!("{action:?}");
        scene
            .bitbucket
            .fault(Fault::on("/git-receive-pack", action).method("POST").always());
        let output = scene.git_in("clone", PUSH);
        let said = ours(&scene, &output.stderr);
        assert!(!output.success(), "{name}");
        assert!(
            said.contains("error: the push was sent but the response was lost; it may or may not have succeeded\n"),
            "{name}: {}",
            output.stderr
        );
        assert!(
            said.contains("hint: check with 'git ls-remote <>acme/widgets'"),
            "{name}: {said}"
        );
        assert_eq!(pushes(&scene), 1, "{name}");
        let there = scene.server_git(MAIN, &["rev-parse", "main"]);
        assert_eq!(there, scene.git_ok("clone", &["rev-parse", "HEAD"]), "{name}");
        scene.bitbucket.clear_faults();
        scene.git_ok("clone", PUSH);
    }
}

/// The server went away with the request: whether it saw it, nobody can know either.
#[test]
fn a_push_that_nobody_answers_is_not_repeated() {
    for action in [
        Action::Close,
        Action::Reset,
        Action::Raw(b"hello\r\n".to_vec()),
        Action::Refuse(Refusal::Maintenance),
    ] {
        let scene = scene();
        let name = format!("{action:?}");
        let said = refused_with(&scene, "/git-receive-pack", action, PUSH);
        assert!(said.contains("error: "), "{name}: {said}");
        assert_eq!(pushes(&scene), 1, "{name}");
    }
}

/// Stands before the server for one connection, and is nowhere when that has ended.
fn once(port: u16) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let own = listener.local_addr().expect("it is bound").port();
    std::thread::spawn(move || {
        let (client, _) = listener.accept().expect("the helper comes");
        drop(listener);
        let server = TcpStream::connect(("127.0.0.1", port)).expect("the server is there");
        let (mut from, mut to) = (
            client.try_clone().expect("a socket"),
            server.try_clone().expect("a socket"),
        );
        // Either side may end first; then there is nothing more to pass on.
        std::thread::spawn(move || io::copy(&mut from, &mut to));
        let (mut from, mut to) = (server, client);
        let _passed = io::copy(&mut from, &mut to);
        let _ended = to.shutdown(std::net::Shutdown::Both);
    });
    own
}

/// Nobody was there to send it to, so there is nothing to wonder about.
#[test]
fn a_push_that_was_never_sent_is_not_called_lost() {
    let scene = scene();
    scene
        .bitbucket
        .fault(Fault::on("service=git-receive-pack", Action::CloseAfter).always());
    let port = once(scene.bitbucket.port());
    scene.set("BBCLOUD_BASE_URL", format!("https://localhost:{port}"));
    let said = refused(&scene, PUSH);
    assert!(
        said.starts_with(&format!("error: failed to connect to localhost:{port}\n")),
        "{said}"
    );
    assert!(!said.contains("may or may not"), "{said}");
    assert_eq!(pushes(&scene), 0);
}

/// Git has all that it waits for and has closed its end; only HTTP has not come to an end yet. That is no failure.
#[test]
fn an_answer_whose_end_comes_late_is_good() {
    for version in [0, 2] {
        let scene = scene_with(version);
        let late = Action::Stall {
            after: u64::MAX,
            pause: Duration::from_millis(1100),
        };
        for post in [POST, "/git-receive-pack"] {
            scene
                .bitbucket
                .fault(Fault::on(post, late.clone()).method("POST").always());
        }
        scene.git_ok("clone", FETCH);
        scene.git_ok("clone", PUSH);
    }
}

/// Whether a push that has no report took effect, nobody knows.
#[test]
fn a_push_without_a_report_is_unknown() {
    for body in [&b""[..], b"0000", b"000d\x02nothing\n0000"] {
        let scene = scene();
        let action = Action::ReplaceBody(body.to_vec());
        scene
            .bitbucket
            .fault(Fault::on("/git-receive-pack", action).method("POST"));
        let output = scene.git_in("clone", PUSH);
        let said = ours(&scene, &output.stderr);
        assert!(!output.success());
        assert!(
            said.contains("it may or may not have succeeded\ncaused by: the server sent no report of the push"),
            "{said}"
        );
        assert!(
            said.contains("hint: check with 'git ls-remote <>acme/widgets'"),
            "{said}"
        );
    }
}

/// What a gateway says when it has given up waiting is not what the server has done.
#[test]
fn a_push_that_a_gateway_gives_up_is_unknown() {
    for status in [500, 502, 504] {
        let scene = scene();
        let refusal = Refusal::Custom {
            status,
            headers: Vec::new(),
            content_type: "text/plain".to_owned(),
            body: b"upstream timed out".to_vec(),
        };
        let said = refused_with(&scene, "/git-receive-pack", Action::Refuse(refusal), PUSH);
        let told = format!(
            "remote: upstream timed out\nerror: the push was sent but the response was lost; it may or may not have \
             succeeded\ncaused by: 'localhost' is unavailable (HTTP {status})\n"
        );
        assert!(said.starts_with(&told), "{said}");
        assert_eq!(pushes(&scene), 1);
    }
}
