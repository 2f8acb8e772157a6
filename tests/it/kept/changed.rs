//! Every way in which the server can change behind a kept advertisement.

use std::fs;

use super::{ONE, STALE, age, copies, fetch_slowly, primed, requests};
use crate::bitbucket::{Account, Action, Fault};
use crate::support::fixture::{MAIN, MODERN};
use crate::support::scene::TOKEN;

#[test]
fn a_capability_that_was_added_does_no_harm_and_is_known_a_day_later() {
    let scene = primed();
    scene.server_git(MAIN, &["config", "uploadpack.allowRefInWant", "true"]);
    scene.git_ok("clone", &["fetch"]);
    assert_eq!(requests(&scene), ONE);
    let known = || fs::read_to_string(&copies(&scene)[0]).expect("our own file");
    assert!(!known().contains("ref-in-want"), "{}", known());
    age(&scene, 1);
    fetch_slowly(&scene);
    assert!(known().contains("ref-in-want"), "{}", known());
}

#[test]
fn a_capability_that_is_gone_and_that_git_does_not_use_is_not_missed() {
    let scene = primed();
    scene.server_git(MAIN, &["config", "uploadpack.allowFilter", "false"]);
    scene.bitbucket.commit(MAIN, "main", "More", &[("more.txt", b"more\n")]);
    scene.git_ok("clone", &["fetch"]);
    assert_eq!(requests(&scene), [ONE, ONE].concat());
}

#[test]
fn a_capability_that_git_uses_and_that_is_gone_is_explained_once() {
    let scene = primed();
    scene.server_git(MAIN, &["config", "uploadpack.allowFilter", "false"]);
    scene.bitbucket.commit(MAIN, "main", "More", &[("more.txt", b"more\n")]);
    let output = scene.git_in("clone", &["fetch", "--filter=blob:none"]);
    assert!(!output.success());
    assert!(output.stderr.contains("capabilities changed"), "{}", output.stderr);
    assert!(
        output.stderr.contains("hint: run the command again"),
        "{}",
        output.stderr
    );
    scene.git_ok("clone", &["fetch", "--filter=blob:none"]);
}

#[test]
fn a_server_that_went_back_to_version_0_is_explained_once() {
    let scene = primed();
    scene.bitbucket.ignore_git_protocol();
    let output = scene.git_in("clone", &["fetch"]);
    assert!(!output.success());
    assert!(output.stderr.contains("capabilities changed"), "{}", output.stderr);
    scene.git_ok("clone", &["fetch"]);
    scene.git_ok("clone", &["fsck"]);
}

#[test]
fn a_repository_that_was_made_anew_in_another_format_is_refused_by_git() {
    let scene = primed();
    let place = scene.bitbucket.repository_path(MAIN);
    fs::remove_dir_all(&place).expect("our own directory");
    fs::rename(scene.bitbucket.repository_path(MODERN), &place).expect("our own directory");
    let before = scene.git_ok("clone", &["for-each-ref"]);
    for _ in 0..2 {
        assert!(!scene.git_in("clone", &["fetch"]).success());
        assert_eq!(scene.git_ok("clone", &["for-each-ref"]), before);
    }
}

/// The same name, the same format, and not a commit in common.
#[test]
fn a_repository_that_was_made_anew_is_fetched_as_it_is_now() {
    let scene = primed();
    fs::remove_dir_all(scene.bitbucket.repository_path(MAIN)).expect("our own directory");
    scene.bitbucket.create_repository(MAIN);
    scene.bitbucket.commit(MAIN, "main", "Anew", &[("new.txt", b"new\n")]);
    scene.git_ok("clone", &["fetch", "--prune"]);
    assert!(requests(&scene).iter().all(|request| *request == ONE[0]));
    assert_eq!(
        scene.git_ok("clone", &["rev-parse", "origin/main"]),
        scene.server_git(MAIN, &["rev-parse", "main"])
    );
    scene.git_ok("clone", &["fsck"]);
}

#[test]
fn a_repository_that_is_gone_is_told_so() {
    let scene = primed();
    fs::remove_dir_all(scene.bitbucket.repository_path(MAIN)).expect("our own directory");
    let output = scene.git_in("clone", &["fetch"]);
    assert!(!output.success());
    assert!(output.stderr.contains("error: "), "{}", output.stderr);
    assert!(!output.stderr.contains("capabilities changed"), "{}", output.stderr);
}

#[test]
fn a_repository_that_has_moved_is_followed() {
    let scene = primed();
    scene.bitbucket.moved(MAIN, "acme/gadgets");
    let place = scene.bitbucket.repository_path(MAIN);
    fs::rename(&place, place.with_file_name("gadgets.git")).expect("our own directory");
    scene.git_ok("clone", &["fetch"]);
    let asked = scene.bitbucket.requests();
    let last = asked.last().expect("there were requests");
    assert!(last.path.starts_with("/acme/gadgets.git/"), "{asked:?}");
    scene.bitbucket.clear_requests();
    scene.git_ok("clone", &["fetch"]);
    // One request is led on, and says where to: no more than a redirected advertisement would cost.
    assert_eq!(requests(&scene), ["POST git-upload-pack"; 2]);
}

#[test]
fn a_lost_access_is_told_as_it_is() {
    let scene = primed();
    scene.bitbucket.revoke(TOKEN);
    let output = scene.git_in("clone", &["fetch"]);
    assert!(!output.success());
    assert!(output.stderr.contains("rejected the API token"), "{}", output.stderr);
    // The refusal may be a passing fault, so it is asked once more.
    assert_eq!(requests(&scene), ["POST git-upload-pack"; 2]);
}

/// `fetch` is refused: the account reads others by now, and the copy says nothing of who may.
#[test]
fn a_read_that_is_no_longer_allowed_is_told_as_it_is() {
    let scene = primed();
    scene.bitbucket.revoke(TOKEN);
    scene
        .bitbucket
        .add_account(Account::api_token("ada", TOKEN).only(MODERN));
    let output = scene.git_in("clone", &["fetch"]);
    assert!(!output.success());
    assert!(output.stderr.contains("error: "), "{}", output.stderr);
    assert!(!output.stderr.contains("capabilities changed"), "{}", output.stderr);
}

#[test]
fn an_answer_that_makes_no_sense_is_asked_for_again() {
    let scene = primed();
    scene
        .bitbucket
        .fault(Fault::on("git-upload-pack", Action::ReplaceBody(b"<html>".to_vec())).method("POST"));
    scene.git_ok("clone", &["fetch"]);
    assert_eq!(requests(&scene), STALE);
}
