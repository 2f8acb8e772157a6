//! Retries: which requests are sent again, after which wait, and that a push never is. And answers that come early.

use std::time::{Duration, Instant};

use super::{Scene, said};
use crate::bitbucket::{Action, Fault, Refusal};

fn quick() -> Scene {
    Scene::new().set("http.retryAfter", "0")
}

fn count(scene: &Scene, path: &str) -> usize {
    scene
        .bitbucket
        .requests()
        .iter()
        .filter(|request| request.path.ends_with(path))
        .count()
}

#[test]
fn a_server_that_asks_to_wait_is_asked_again_and_that_is_told() {
    let scene = Scene::new();
    let wait = Refusal::RateLimited { retry_after: 1 };
    scene.bitbucket.fault(Fault::on("info/refs", Action::Refuse(wait)));
    let started = Instant::now();
    let told = scene.works();
    assert!(started.elapsed() >= Duration::from_secs(1));
    assert_eq!(told, "rate limited (HTTP 429); retrying in 1 second\n");
    assert_eq!(scene.bitbucket.connections(), 1, "the connection is used again");
}

#[test]
fn waits_and_their_number_are_for_the_settings_to_say() {
    let busy = || Action::Refuse(Refusal::Maintenance);
    for (key, value, tries) in [
        ("http.maxRetries", "0", 1),
        ("http.maxRetries", "2", 3),
        ("http.maxRetryTime", "5", 4),
    ] {
        let scene = quick().set(key, value);
        scene.bitbucket.fault(Fault::on("info/refs", busy()).always());
        scene.fails();
        assert_eq!(count(&scene, "info/refs"), tries, "{key}={value}");
    }
    for (name, value, tries) in [
        ("GIT_HTTP_MAX_RETRIES", "1", 2),
        ("GIT_HTTP_RETRY_AFTER", "100", 1),
        ("GIT_HTTP_MAX_RETRY_TIME", "9", 4),
    ] {
        let scene = quick().variable(name, value);
        scene.bitbucket.fault(Fault::on("info/refs", busy()).always());
        scene.fails();
        assert_eq!(count(&scene, "info/refs"), tries, "{name}={value}");
    }
    let scene = Scene::new().set("http.maxRetryTime", "9");
    let long = Refusal::RateLimited { retry_after: 10 };
    scene
        .bitbucket
        .fault(Fault::on("info/refs", Action::Refuse(long)).always());
    assert!(scene.fails().contains("try again in 10 seconds"));
    assert_eq!(count(&scene, "info/refs"), 1);
}

#[test]
fn a_fetch_survives_whatever_happens_before_its_first_byte() {
    for (path, action) in [
        ("info/refs", Action::Refuse(Refusal::Maintenance)),
        ("info/refs", Action::Reset),
        ("info/refs", Action::CutHead { after: 20 }),
        ("info/refs", Action::CutBody { after: 30 }),
        ("/git-upload-pack", Action::Refuse(Refusal::Maintenance)),
        ("/git-upload-pack", Action::Close),
        ("/git-upload-pack", Action::CutHead { after: 20 }),
        ("/git-upload-pack", Action::CutBody { after: 0 }),
        ("/git-upload-pack", Action::ResetBody { after: 0 }),
    ] {
        let scene = quick();
        let name = format!("{path} {action:?}");
        scene.bitbucket.fault(Fault::on(path, action));
        let output = scene.git(&["clone", "--quiet", "bbcloud::acme/widgets", "clone"]);
        assert!(output.status.success(), "{name}: {}", said(&output));
    }
}

#[test]
fn a_pack_that_is_cut_in_its_middle_is_not_asked_for_again() {
    let scene = quick();
    let cut = Action::CutBody { after: 100 };
    scene
        .bitbucket
        .fault(Fault::on("/git-upload-pack", cut).skip(1).always());
    let output = scene.git(&["clone", "--quiet", "bbcloud::acme/widgets", "clone"]);
    assert!(!output.status.success());
    assert!(
        said(&output).contains("response truncated after 100 bytes"),
        "{}",
        said(&output)
    );
    assert_eq!(count(&scene, "/git-upload-pack"), 2);
}

fn pushing(scene: &Scene) {
    scene.git_ok(&["init", "--quiet", "work"]);
    scene.git_ok(&["-C", "work", "commit", "--quiet", "--allow-empty", "-m", "One"]);
}

const PUSH: [&str; 5] = ["-C", "work", "push", "bbcloud::acme/widgets", "HEAD:refs/heads/one"];

#[test]
fn a_push_is_never_sent_twice() {
    for action in [
        Action::Refuse(Refusal::Maintenance),
        Action::Refuse(Refusal::RateLimited { retry_after: 0 }),
        Action::Close,
        Action::Reset,
        Action::CutHead { after: 0 },
        Action::CutHead { after: 20 },
        Action::CutBody { after: 0 },
    ] {
        let scene = quick();
        pushing(&scene);
        let name = format!("{action:?}");
        scene
            .bitbucket
            .fault(Fault::on("/git-receive-pack", action).method("POST").always());
        assert!(!scene.git(&PUSH).status.success(), "{name}");
        assert_eq!(count(&scene, "/git-receive-pack"), 1, "{name}");
    }
    // Its question for refs is another matter.
    let scene = quick();
    pushing(&scene);
    scene
        .bitbucket
        .fault(Fault::on("info/refs", Action::Refuse(Refusal::Maintenance)));
    scene.git_ok(&PUSH);
}

#[test]
fn an_answer_that_comes_before_a_large_push_has_ended_is_shown() {
    let scene = Scene::new().set("core.compression", "0");
    pushing(&scene);
    let mut state = 1_u64;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        state.to_be_bytes()[0]
    })
    .take(20_000_000)
    .collect();
    std::fs::write(scene.file("work/noise"), noise).unwrap();
    scene.git_ok(&["-C", "work", "add", "noise"]);
    scene.git_ok(&["-C", "work", "commit", "--quiet", "-m", "Noise"]);
    for linger in [0, 20, 3000] {
        let too_large = Refusal::Custom {
            status: 413,
            headers: Vec::new(),
            content_type: "text/plain".to_owned(),
            body: b"too large".to_vec(),
        };
        for (refusal, status) in [(too_large, "HTTP 413"), (Refusal::Forbidden, "HTTP 403")] {
            let early = Action::RefuseEarly {
                refusal,
                linger: Duration::from_millis(linger),
            };
            scene
                .bitbucket
                .fault(Fault::on("/git-receive-pack", early).method("POST"));
            let started = Instant::now();
            let output = scene.git(&PUSH);
            assert!(!output.status.success());
            let words = said(&output);
            assert!(words.contains(status), "{linger} {words}");
            assert!(started.elapsed() < Duration::from_secs(20));
        }
    }
    // What is said before the real answer does not end an upload.
    scene
        .bitbucket
        .fault(Fault::on("/git-receive-pack", Action::Informational).method("POST"));
    scene.git_ok(&PUSH);
}
