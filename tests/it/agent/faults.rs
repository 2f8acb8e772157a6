//! The agent killed or stopped, its client killed, its server silent or gone: git ends in time, knows what it can know,
//! and nothing is sent twice.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::process::Stdio;
use std::time::{Duration, Instant};

use super::{Agent, refused, wait_until};
use crate::bitbucket::{Action, Fault, Refusal};
use crate::support::fixture::{MAIN, noise};
use crate::support::scene::{SLOW_PUSH, Scene};

fn pushes(scene: &Scene) -> usize {
    let requests = scene.bitbucket.all_requests();
    requests
        .iter()
        .filter(|request| request.method == "POST" && request.path.ends_with("git-receive-pack"))
        .count()
}

#[test]
fn an_agent_that_is_gone_is_told_with_the_command_that_starts_one() {
    let scene = Scene::new();
    let agent = Agent::start(&scene, &["acme/widgets"]);
    agent.signal("KILL");
    wait_until("it is gone", || UnixStream::connect(&agent.socket).is_err());
    let said = refused(&scene, "", &["ls-remote", &scene.url(MAIN)]);
    assert!(said.contains("cannot connect to the agent at"), "{said}");
    assert!(
        said.contains("start it with 'git-remote-bbcloud agent --socket"),
        "{said}"
    );
}

#[test]
fn a_setting_without_an_agent_goes_the_cold_way() {
    let scene = Scene::new();
    let missing = scene.path("none.sock").display().to_string();
    scene.git_ok("", &["config", "--global", "bbcloud.agent", &missing]);
    scene.git_ok("", &["ls-remote", &scene.url(MAIN)]);
    let agent = Agent::start_with(&scene, &["acme/widgets"], |_| {});
    scene.unset("BBCLOUD_TOKEN");
    scene.git_ok(
        "",
        &[
            "config",
            "--global",
            "bbcloud.agent",
            agent.socket.to_str().expect("UTF-8"),
        ],
    );
    scene.git_ok("", &["ls-remote", &scene.url(MAIN)]);
    assert!(agent.said().contains("acme/widgets"), "{}", agent.said());
}

#[test]
fn a_repository_names_no_agent() {
    let scene = Scene::new();
    scene.cloned();
    let agent = Agent::start_with(&scene, &["acme/widgets"], |_| {});
    scene.git_ok(
        "clone",
        &["config", "bbcloud.agent", agent.socket.to_str().expect("UTF-8")],
    );
    scene.git_ok("clone", &["fetch"]);
    assert_eq!(agent.said(), "");
}

#[test]
fn a_stopped_agent_is_not_waited_for_for_ever() {
    let scene = Scene::new();
    let agent = Agent::start(&scene, &["acme/widgets"]);
    agent.signal("STOP");
    let start = Instant::now();
    let said = refused(&scene, "", &["ls-remote", &scene.url(MAIN)]);
    agent.signal("CONT");
    assert!(said.contains("the agent has not answered for 30 seconds"), "{said}");
    assert!((29..50).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
}

#[test]
fn a_slow_server_is_not_taken_for_a_stopped_agent() {
    let scene = Scene::new();
    let _agent = Agent::start(&scene, &["acme/widgets"]);
    scene
        .bitbucket
        .fault(Fault::on("info/refs", Action::Delay(Duration::from_secs(33))));
    scene.git_ok("", &["ls-remote", &scene.url(MAIN)]);
}

#[test]
fn what_became_of_a_push_is_told_as_without_an_agent() {
    for (action, said) in [
        (Action::Close, "it may or may not have"),
        (Action::CutHead { after: 0 }, "it may or may not have"),
        (Action::CutBody { after: 10 }, "it may or may not have"),
        (Action::Refuse(Refusal::IpNotAllowed), "(HTTP 403)"),
    ] {
        let scene = Scene::new();
        scene.cloned();
        scene.commit("clone", "x", b"x");
        let _agent = Agent::start(&scene, &["acme/widgets:push"]);
        let fault = Fault::on("git-receive-pack", action.clone()).method("POST");
        scene.bitbucket.fault(fault);
        let told = refused(&scene, "clone", &["push", "origin", "main"]);
        assert!(told.contains(said), "{action:?}: {told}");
        assert_eq!(pushes(&scene), 1, "{action:?}");
    }
}

#[test]
fn a_server_that_is_down_was_sent_nothing() {
    let scene = Scene::new();
    scene.cloned();
    scene.commit("clone", "x", b"x");
    let port = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.local_addr().expect("it is bound").port()
    };
    scene.set("BBCLOUD_BASE_URL", format!("https://localhost:{port}"));
    let _agent = Agent::start(&scene, &["acme/widgets:push"]);
    for arguments in [&["ls-remote", "origin"][..], &["push", "origin", "main"]] {
        let start = Instant::now();
        let told = refused(&scene, "clone", arguments);
        assert!(told.contains("failed to connect to localhost:"), "{told}");
        assert!(
            !told.contains("may or may not") && start.elapsed() < Duration::from_secs(10),
            "{told}"
        );
    }
}

#[test]
fn a_refusal_in_the_middle_of_an_upload_reaches_git_at_once() {
    let scene = Scene::new();
    scene.cloned();
    scene.commit("clone", "large", &noise(80_000_000));
    let agent = Agent::start(&scene, &["acme/widgets:create=refs/heads/ai/*"]);
    scene.bitbucket.clear_requests();
    let start = Instant::now();
    let told = refused(&scene, "clone", &["push", "origin", "main"]);
    assert!(told.contains("no rule allows updating 'refs/heads/main'"), "{told}");
    assert!(
        pushes(&scene) == 0 && start.elapsed() < Duration::from_secs(40),
        "{:?}",
        start.elapsed()
    );

    let refusal = Refusal::Custom {
        status: 413,
        headers: Vec::new(),
        content_type: "text/plain".to_owned(),
        body: b"too large".to_vec(),
    };
    let linger = Duration::from_millis(200);
    scene
        .bitbucket
        .fault(Fault::on("git-receive-pack", Action::RefuseEarly { refusal, linger }).method("POST"));
    let told = refused(&scene, "clone", &["push", "origin", "main:refs/heads/ai/x"]);
    assert!(told.contains("HTTP 413") || told.contains("(HTTP 413)"), "{told}");
    assert!(agent.memory_kib() < 32 * 1024, "{} KiB", agent.memory_kib());
}

/// Wherever a client is killed in the middle of a push, the server never sees its end.
#[test]
fn a_client_that_is_killed_has_pushed_nothing() {
    let scene = Scene::new();
    scene.cloned();
    let before = scene.server_git(MAIN, &["for-each-ref"]);
    scene.commit("clone", "large", &noise(40_000_000));
    let agent = Agent::start(&scene, &["acme/widgets:push"]);
    let zero = "0".repeat(40);
    let id = scene.git_ok("clone", &["rev-parse", "main"]);
    let line = format!("{zero} {} refs/heads/new\0report-status", id.trim());
    let head = format!("{:04x}{line}0000", line.len() + 4);
    let mut pack = scene.command("git", &scene.path("clone"));
    pack.args(["pack-objects", "--revs", "--stdout", "-q"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut pack = pack.spawn().expect("git runs");
    pack.stdin
        .take()
        .expect("piped")
        .write_all(b"main\n")
        .expect("it reads");
    let mut bytes = head.into_bytes();
    pack.stdout
        .take()
        .expect("piped")
        .read_to_end(&mut bytes)
        .expect("it writes");
    pack.wait().expect("it ends");
    let (base, length) = (scene.bitbucket.base_url(), bytes.len());
    let host = base.trim_start_matches("https://");
    for end in [0, 100, 200, 5000, length / 3, length / 2, length - 25, length - 1] {
        let mut stream = UnixStream::connect(&agent.socket).expect("it serves");
        let request = format!(
            "POST {base}/acme/widgets.git/git-receive-pack HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).expect("it reads");
        for chunk in bytes[..end].chunks(100_000) {
            write!(stream, "{:x}\r\n", chunk.len()).expect("it reads");
            stream.write_all(chunk).expect("it reads");
            stream.write_all(b"\r\n").expect("it reads");
        }
        drop(stream);
    }
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(scene.server_git(MAIN, &["for-each-ref"]), before);
    scene.git_ok("clone", &["push", "--quiet", "origin", "main:refs/heads/new"]);
}

#[test]
fn a_client_that_goes_while_the_server_is_silent_frees_its_place() {
    let scene = Scene::new();
    let agent = Agent::start(&scene, &["acme/widgets"]);
    scene
        .bitbucket
        .fault(Fault::on("info/refs", Action::Delay(Duration::from_secs(40))).times(64));
    let base = scene.bitbucket.base_url();
    let host = base.trim_start_matches("https://");
    let request =
        format!("GET {base}/acme/widgets.git/info/refs?service=git-upload-pack HTTP/1.1\r\nHost: {host}\r\n\r\n");
    let waiting: Vec<_> = (0..64)
        .map(|_| {
            let mut stream = UnixStream::connect(&agent.socket).expect("it serves");
            stream.write_all(request.as_bytes()).expect("it reads");
            stream
        })
        .collect();
    std::thread::sleep(Duration::from_secs(2));
    drop(waiting);
    scene.bitbucket.clear_faults();
    let start = Instant::now();
    scene.git_ok("", &["ls-remote", &scene.url(MAIN)]);
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}

#[test]
fn an_agent_that_dies_in_the_middle_of_a_push_leaves_its_outcome_unknown() {
    let scene = Scene::new();
    scene.git_ok("", &["clone", "--quiet", "-c", SLOW_PUSH, &scene.url(MAIN), "clone"]);
    scene.commit("clone", "x", b"x");
    let agent = Agent::start(&scene, &["acme/widgets:push"]);
    scene
        .bitbucket
        .fault(Fault::on("git-receive-pack", Action::Delay(Duration::from_secs(5))).method("POST"));
    let told = std::thread::scope(|threads| {
        let bitbucket = &scene.bitbucket;
        threads.spawn(|| {
            wait_until("the push is there", || {
                let requests = bitbucket.all_requests();
                requests
                    .iter()
                    .any(|request| request.method == "POST" && request.path.ends_with("git-receive-pack"))
            });
            agent.signal("KILL");
        });
        refused(&scene, "clone", &["push", "origin", "main"])
    });
    assert!(told.contains("it may or may not have"), "{told}");
    assert_eq!(pushes(&scene), 1);
    assert!(fs::exists(&agent.socket).expect("it can be looked for"));
}
