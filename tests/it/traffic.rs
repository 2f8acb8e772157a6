//! What goes over the wire, as the server's log has it: how often, in which form, and what does not go at all.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::bitbucket::{API_TOKEN_USER, Framing, Request, Settings};
use crate::support::canary;
use crate::support::fixture::{self, EMPTY, noise};
use crate::support::run::LIMIT;
use crate::support::scene::{Scene, TOKEN, Transport};
use crate::support::wait;

fn posts(requests: &[Request]) -> Vec<&Request> {
    requests.iter().filter(|request| request.method == "POST").collect()
}

#[test]
fn credentials_go_with_the_first_request_and_one_connection_is_enough() {
    for version in [0, 2] {
        let scene = Scene::with(Transport::Bbcloud, version, Settings::default());
        scene.cloned();
        let requests = scene.bitbucket.requests();
        assert!(requests.len() <= 3, "{requests:?}");
        for request in &requests {
            assert_eq!((request.status, request.user.as_deref()), (200, Some(API_TOKEN_USER)));
        }
        assert_eq!(scene.bitbucket.connections(), 1);
    }
}

#[test]
fn a_fetch_of_nothing_is_two_requests_on_one_connection() {
    let scene = Scene::new();
    scene.cloned();
    let before = scene.bitbucket.connections();
    scene.bitbucket.clear_requests();
    scene.git_ok("clone", &["fetch"]);
    assert!(
        scene.bitbucket.requests().len() <= 2,
        "{:?}",
        scene.bitbucket.requests()
    );
    assert_eq!(scene.bitbucket.connections() - before, 1);
}

/// In version 0, the server's list of refs says all that there is to know.
#[test]
fn a_fetch_of_nothing_is_one_request_in_version_0() {
    let scene = Scene::with(Transport::Bbcloud, 0, Settings::default());
    scene.cloned();
    scene.bitbucket.clear_requests();
    scene.git_ok("clone", &["fetch"]);
    assert_eq!(scene.bitbucket.requests().len(), 1);
}

#[test]
fn long_requests_of_a_fetch_are_compressed_and_short_ones_are_not() {
    for version in [0, 2] {
        let scene = Scene::with(Transport::Bbcloud, version, Settings::default());
        scene.cloned();
        let mut stream = String::new();
        for number in 0..200 {
            let from = if number == 0 {
                "from refs/remotes/origin/main^0\n"
            } else {
                ""
            };
            let time = 1_765_000_000 + number;
            write!(
                stream,
                "commit refs/heads/mine\ncommitter Ada <ada@example.com> {time} +0000\ndata 2\nx\n{from}"
            )
            .expect("a string can be written to");
        }
        fixture::import(&scene.path("clone"), stream.as_bytes());
        scene
            .bitbucket
            .commit(fixture::MAIN, "main", "Later", &[("later", b"later\n")]);
        scene.bitbucket.clear_requests();
        scene.git_ok("clone", &["fetch"]);
        let requests = scene.bitbucket.requests();
        assert!(
            requests
                .iter()
                .any(|request| request.content_encoding.as_deref() == Some("gzip"))
        );
        for request in posts(&requests) {
            assert!(
                request.content_encoding.is_some() || request.body_bytes <= 1024,
                "{request:?}"
            );
            assert_eq!(request.framing, Framing::Length);
        }
    }
}

#[test]
fn a_small_push_tells_its_length_and_one_beyond_the_post_buffer_comes_in_chunks() {
    let scene = Scene::new();
    scene.cloned();
    scene.commit("clone", "small", b"small\n");
    scene.bitbucket.clear_requests();
    scene.git_ok("clone", &["push", "--quiet"]);
    let requests = scene.bitbucket.requests();
    let [push] = posts(&requests)[..] else {
        panic!("{requests:?}")
    };
    assert_eq!(
        (push.framing, push.content_encoding.as_deref()),
        (Framing::Length, None)
    );
    scene.commit("clone", "large", &noise(3_000_000));
    scene.bitbucket.clear_requests();
    scene.git_ok("clone", &["push", "--quiet"]);
    let requests = scene.bitbucket.requests();
    let [push] = posts(&requests)[..] else {
        panic!("{requests:?}")
    };
    assert_eq!((push.framing, push.body_bytes > 3_000_000), (Framing::Chunked, true));
    assert_eq!(requests.len(), 2);
    scene.server_git(fixture::MAIN, &["fsck", "--strict"]);
}

#[test]
fn nothing_is_posted_where_there_is_nothing_to_do() {
    let scene = Scene::new();
    scene.cloned();
    for arguments in [
        &["push", "--dry-run", "origin", "HEAD:new", ":topic"][..],
        &["push", "origin", "main"],
        &["push", "--quiet", "origin", "topic~9:x"],
        &["push", "origin", "main~3:main"],
    ] {
        scene.bitbucket.clear_requests();
        // Whether git calls it a failure is not the point here.
        let _output = scene.git_in("clone", arguments);
        let requests = scene.bitbucket.requests();
        assert!(posts(&requests).is_empty(), "{arguments:?}: {requests:?}");
    }
}

/// There is no version 2 of a push, and servers have stumbled over the question.
#[test]
fn a_push_never_asks_for_version_2() {
    for (version, header) in [(0, None), (1, Some("version=1")), (2, None)] {
        let scene = Scene::with(Transport::Bbcloud, version, Settings::default());
        scene.cloned();
        scene.commit("clone", "mine", b"mine\n");
        scene.bitbucket.clear_requests();
        scene.git_ok("clone", &["push", "--quiet"]);
        for request in scene.bitbucket.requests() {
            assert_eq!(request.header("git-protocol"), header, "{request:?}");
        }
    }
}

#[test]
fn a_fetch_asks_for_the_version_that_is_set() {
    for (version, header) in [(0, None), (1, Some("version=1")), (2, Some("version=2"))] {
        let scene = Scene::with(Transport::Bbcloud, version, Settings::default());
        scene.cloned();
        for request in scene.bitbucket.requests() {
            assert_eq!(request.header("git-protocol"), header, "{request:?}");
        }
    }
}

#[test]
fn compressed_answers_are_asked_for_and_understood() {
    let settings = Settings {
        compress: true,
        ..Settings::default()
    };
    let scene = Scene::with(Transport::Bbcloud, 2, settings);
    scene.cloned();
    scene.git_ok("", &["clone", "--quiet", &scene.url(EMPTY), "empty"]);
    for request in scene.bitbucket.requests() {
        assert!(
            request
                .header("accept-encoding")
                .is_some_and(|value| value.contains("gzip"))
        );
    }
}

/// No argument of any process has the secret in it, and no request line.
#[test]
fn the_secret_is_in_no_address() {
    let scene = Scene::new();
    let trace = scene.path("trace");
    scene.set("GIT_TRACE2_EVENT", &trace);
    scene.unset(canary::SHOWN);
    scene.cloned();
    scene.git_ok("clone", &["push", "--quiet", "origin", "main~1:refs/heads/new"]);
    let trace = std::fs::read_to_string(trace).unwrap();
    assert!(trace.contains("remote-bbcloud") && !trace.contains(TOKEN));
    let config = std::fs::read_to_string(scene.path("clone/.git/config")).unwrap();
    assert!(config.contains("url = bbcloud::acme/widgets\n"), "{config}");
}

/// Waits for the first connection, while nobody has asked for anything.
fn is_connected_unasked(scene: &Scene) -> bool {
    let started = Instant::now();
    while scene.bitbucket.connections() == 0 && started.elapsed() < LIMIT {
        std::thread::sleep(Duration::from_millis(5));
    }
    scene.bitbucket.connections() == 1 && scene.bitbucket.requests().is_empty()
}

#[test]
fn the_connection_is_opened_before_git_asks_for_anything() {
    let scene = Scene::new();
    let mut helper = scene.command("git-remote-bbcloud", &scene.work());
    helper.args(["origin", &scene.url(fixture::MAIN)]);
    helper.stdin(Stdio::piped()).stdout(Stdio::null());
    let mut child = helper.spawn().expect("the helper can be started");
    let mut from_git = child.stdin.take().expect("it was piped");
    from_git.write_all(b"capabilities\n").expect("the helper reads");
    assert!(is_connected_unasked(&scene));
    from_git.write_all(b"\n").expect("the helper reads");
    assert!(wait::ended(&mut child).success());
}

#[cfg(unix)]
#[test]
fn the_connection_is_opened_while_a_secret_is_looked_for() {
    let scene = Scene::new();
    scene.unset("BBCLOUD_TOKEN");
    scene.set("SECRET", TOKEN);
    let go = scene.path("go");
    let helper = format!(
        "!f() {{ while [ ! -e '{}' ]; do sleep 0.02; done; echo username={API_TOKEN_USER}; echo password=$SECRET; }}; f",
        go.display()
    );
    for (key, value) in [("credential.helper", helper.as_str()), ("http.proactiveAuth", "basic")] {
        scene.git_ok("", &["config", "--global", key, value]);
    }
    let mut git = scene.command("git", &scene.work());
    git.args(["ls-remote", "--quiet", &scene.url(fixture::MAIN)])
        .stdout(Stdio::null());
    let mut child = git.spawn().expect("git can be started");
    let connected = is_connected_unasked(&scene);
    std::fs::write(go, "").expect("a file can be written");
    assert!(wait::ended(&mut child).success());
    assert!(connected);
    assert_eq!(scene.bitbucket.connections(), 1);
}
