//! What breaks, as git's own transport sees it: a fault that git does not notice would prove nothing.

use std::time::Duration;

use super::{LIMIT, Scene, wait_for};
use crate::bitbucket::{Action, Fault, Refusal, Settings, command, run_limited};
use crate::support::program::program;

/// Asks for one fault during a clone, which has to fail.
fn clone_fails(scene: &Scene, path: &str, action: Action) -> String {
    let name = format!("{path} {action:?}");
    scene.bitbucket.fault(Fault::on(path, action).always());
    let output = scene.git(&["clone", "--quiet", &scene.url("acme/widgets.git"), "clone"]);
    scene.bitbucket.clear_faults();
    assert!(!output.status.success(), "{name} should have failed");
    super::said(&output)
}

#[test]
fn every_broken_answer_makes_git_fail() {
    let scene = Scene::new(Settings::default());
    let refs = "info/refs?service=git-upload-pack";
    for (path, action) in [
        (refs, Action::Close),
        (refs, Action::Reset),
        (refs, Action::CutHead { after: 20 }),
        (refs, Action::CutBody { after: 30 }),
        (refs, Action::CutBody { after: 1 << 20 }),
        (refs, Action::ContentType("text/html".to_owned())),
        (refs, Action::Raw(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec())),
        (refs, Action::ReplaceBody(b"001e# service=git-upload-pack\n".to_vec())),
        (refs, Action::Truncate { bytes: 10 }),
        (refs, Action::Gzip { broken: true }),
        (refs, Action::WrongLength { delta: 5 }),
        ("/git-upload-pack", Action::CutBody { after: 100 }),
        ("/git-upload-pack", Action::ResetBody { after: 100 }),
        ("/git-upload-pack", Action::Truncate { bytes: 30 }),
        ("/git-upload-pack", Action::CutHead { after: 0 }),
        (
            "/git-upload-pack",
            Action::RefuseEarly {
                refusal: Refusal::Maintenance,
                linger: Duration::ZERO,
            },
        ),
    ] {
        let name = format!("{path} {action:?}");
        let said = clone_fails(&scene, path, action);
        assert!(said.contains("fatal:"), "{name}: {said}");
    }
    scene.git_ok(&["clone", "--quiet", &scene.url("acme/widgets.git"), "clone"]);
}

#[test]
fn harmless_oddities_do_not_make_git_fail() {
    let scene = Scene::new(Settings::default());
    let pause = Duration::from_millis(50);
    for (number, action) in [
        Action::Delay(pause),
        Action::Informational,
        Action::Stall { after: 10, pause },
        Action::Drip {
            bytes: 100,
            every: Duration::from_millis(1),
        },
        Action::CloseAfter,
        Action::Http10,
        Action::Gzip { broken: false },
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("{action:?}");
        scene.bitbucket.fault(Fault::on("acme/widgets", action).always());
        let output = scene.git(&[
            "clone",
            "--quiet",
            &scene.url("acme/widgets.git"),
            &format!("clone{number}"),
        ]);
        assert!(output.status.success(), "{name}: {}", super::said(&output));
        scene.bitbucket.clear_faults();
    }
}

#[test]
fn faults_count_the_requests_that_they_are_for() {
    let scene = Scene::new(Settings::default());
    let url = scene.url("acme/widgets.git");
    // Not `Close`: libcurl silently repeats a request whose kept connection ends before any answer.
    let refused = Action::Refuse(Refusal::Maintenance);
    scene
        .bitbucket
        .fault(Fault::on("/git-upload-pack", refused).method("POST").skip(1).times(1));
    scene.git_ok(&["ls-remote", &url]);
    scene.git_fails(&["ls-remote", &url]);
    scene.git_ok(&["ls-remote", &url]);
}

#[test]
fn a_bomb_is_small_on_the_wire() {
    let scene = Scene::new(Settings::default());
    let bomb = Action::GzipBomb { inflated: 8 << 20 };
    scene.bitbucket.fault(Fault::on("info/refs", bomb).always());
    scene.git(&["ls-remote", &scene.url("acme/widgets.git")]);
    let sent = scene
        .bitbucket
        .requests()
        .iter()
        .map(|request| request.answer_bytes)
        .max()
        .unwrap();
    assert!((100..1 << 20).contains(&sent), "{sent}");
}

/// A push that was done and not confirmed: the case in which a client must not try again.
#[test]
fn a_push_can_succeed_unseen() {
    let scene = Scene::new(Settings::default());
    scene.git_ok(&["clone", "--quiet", &scene.url("acme/widgets.git"), "clone"]);
    scene
        .bitbucket
        .fault(Fault::on("/git-receive-pack", Action::CutHead { after: 20 }).method("POST"));
    scene.git_fails(&["-C", "clone", "push", "origin", "HEAD:refs/heads/unseen"]);
    assert!(
        scene
            .git_ok(&["ls-remote", &scene.url("acme/widgets.git")])
            .contains("refs/heads/unseen")
    );
}

#[test]
fn nothing_is_left_behind_by_a_server_that_stops() {
    let scene = Scene::new(Settings::default());
    scene.git_ok(&["clone", "--quiet", &scene.url("acme/widgets.git"), "clone"]);
    let hook = scene
        .bitbucket
        .repository_path("acme/widgets")
        .join("hooks/pre-receive");
    let started = scene.home.path().join("started");
    program(&hook, &format!("echo $$ >'{}'\nsleep 60", started.display()));
    let mut push = command("git", scene.home.path());
    push.env("GIT_SSL_CAINFO", scene.bitbucket.ca_file())
        .current_dir(scene.home.path());
    push.args(["-C", "clone", "push", "--quiet", "origin", "HEAD:y"]);
    let push = std::thread::spawn(move || run_limited(push, LIMIT));
    let id = wait_for(|| std::fs::read_to_string(&started).ok().filter(|id| id.ends_with('\n')));
    drop(scene.bitbucket);
    assert!(!push.join().unwrap().status.success());
    if cfg!(target_os = "linux") {
        wait_for(|| (!std::path::Path::new("/proc").join(id.trim()).exists()).then_some(()));
    }
}
