//! Many clients at once.

use std::io::Write as _;
use std::os::unix::net::UnixStream;

use super::Agent;
use crate::support::fixture::MAIN;
use crate::support::run::run;
use crate::support::scene::Scene;

#[test]
fn the_last_place_serves_while_all_others_are_stopped() {
    let scene = Scene::new();
    let agent = Agent::start(&scene, &["acme/widgets"]);
    let base = scene.bitbucket.base_url();
    let host = base.trim_start_matches("https://");
    // Half a request, half of them; the others take nothing of their answers.
    let half =
        format!("POST {base}/acme/widgets.git/git-upload-pack HTTP/1.1\r\nHost: {host}\r\nContent-Length: 9\r\n\r\n00");
    let stopped: Vec<_> = (0..63)
        .map(|number| {
            let mut stream = UnixStream::connect(&agent.socket).expect("it serves");
            if number % 2 == 0 {
                stream.write_all(half.as_bytes()).expect("it reads");
            }
            stream
        })
        .collect();
    scene.git_ok("", &["ls-remote", &scene.url(MAIN)]);
    assert!(agent.memory_kib() < 64 * 1024, "{} KiB", agent.memory_kib());
    drop(stopped);
}

#[test]
fn clones_at_once_share_the_agent() {
    let scene = Scene::new();
    let agent = Agent::start(&scene, &["acme/*"]);
    let script = format!(
        "for n in 1 2 3 4 5 6 7 8; do git clone -q {} c$n & done; wait; for n in 1 2 3 4 5 6 7 8; do git -C c$n fsck; done",
        scene.url(MAIN)
    );
    let mut shell = scene.command("sh", &scene.work());
    shell.args(["-euc", &script]);
    let output = run(shell);
    assert!(output.success(), "{}", output.stderr);
    assert!(scene.bitbucket.connections() <= 16, "{}", scene.bitbucket.connections());
    assert!(!agent.said().contains("cut"), "{}", agent.said());
}
