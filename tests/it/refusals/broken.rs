//! Answers that end too soon or are not what they say: never a success, never a change, and no push sent twice.

use std::time::Duration;

use super::{FETCH, PUSH, ours, refused_with, scene, scene_with};
use crate::bitbucket::{Action, Fault, Refusal};
use crate::support::fixture::MAIN;
use crate::support::scene::Scene;

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
            Action::ReplaceBody(b"001cERR the disk is full\n".to_vec()),
            Action::ContentType("text/html".to_owned()),
            Action::Raw(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec()),
            Action::Gzip { broken: true },
            Action::WrongLength { delta: 5 },
            Action::WrongLength { delta: -5 },
        ] {
            breaks.push((path, action));
        }
    }
    breaks
}

fn every_break(scene: &Scene) {
    for (path, action) in breaks() {
        let name = format!("{path} {action:?}");
        let said = refused_with(scene, path, action, FETCH);
        assert!(said.contains("error: "), "{name}: {said}");
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
            let pushed = scene.git_in("clone", &["push", "--quiet", "origin", &branch]);
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
        Action::ContentType("text/html".to_owned()),
    ] {
        let scene = scene();
        let name = format!("{action:?}");
        // A head that is no good is there before the push is done, and who goes then may stop it.
        let cut_short = matches!(action, Action::ContentType(_));
        scene
            .bitbucket
            .fault(Fault::on("/git-receive-pack", action).method("POST").always());
        let output = scene.git_in("clone", PUSH);
        let said = ours(&scene, &output.stderr);
        assert!(!output.success(), "{name}");
        assert!(
            said.contains("error: the push was sent, but its answer was lost: it may or may not have taken effect\n"),
            "{name}: {}",
            output.stderr
        );
        assert!(
            said.contains("hint: see what is there with 'git ls-remote <>acme/widgets'"),
            "{name}: {said}"
        );
        assert_eq!(pushes(&scene), 1, "{name}");
        if !cut_short {
            let there = scene.server_git(MAIN, &["rev-parse", "main"]);
            assert_eq!(there, scene.git_ok("clone", &["rev-parse", "HEAD"]), "{name}");
        }
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
