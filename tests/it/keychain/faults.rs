//! Keychains that are locked, absent, silent, ambiguous or empty: each is told apart, in time, with its own way out.

use std::time::{Duration, Instant};

use super::desktop::{Bus, Desktop};
use super::stub::{Deaf, DeafService, Windows};
use super::{PROGRAM, askpass, configure, helper, keep, last_user, ls_remote, ours, ours_with, person, says, scene};
use crate::support::run::Output;
use crate::support::scene::{Scene, TOKEN};

/// The limit of three seconds, and what a busy machine adds.
const SECONDS: Duration = Duration::from_secs(9);

/// The way out that is always there.
const OTHERWISE: &str = "hint: or set BBCLOUD_TOKEN (or BBCLOUD_TOKEN_FILE), and the keychain is not needed";

/// Writes the list of accounts as `login` does, with a real desktop that then goes away.
fn signed_in_before(scene: &Scene) {
    let _desktop = Desktop::start(scene);
    keep(scene, TOKEN, &[]);
}

#[track_caller]
fn fails_in_time(scene: &Scene, words: &[&str]) -> Output {
    let begun = Instant::now();
    let output = ls_remote(scene, "acme/widgets");
    let took = begun.elapsed();
    assert_eq!(output.code, Some(128), "{}", output.stderr);
    assert!(took < SECONDS, "{took:?}: {}", output.stderr);
    says(&output.stderr, words);
    says(
        &output.stderr,
        &["authentication required for 'acme/widgets' at 'localhost' (HTTP 401)"],
    );
    output
}

#[test]
fn a_locked_keychain_is_explained_within_seconds() {
    let scene = scene();
    let desktop = Desktop::start(&scene);
    keep(&scene, TOKEN, &[]);
    desktop.lock();
    fails_in_time(&scene, &["error: the keychain is locked", "hint: unlock it", OTHERWISE]);
    let status = ours(&scene, &["status"]);
    assert_eq!(status.code, Some(1));
    says(
        &status.stdout,
        &["keychain: locked (secret-service)", "locked in secret-service"],
    );
    says(&status.stderr, &["error: the keychain is locked"]);
    for arguments in [&["logout"][..], &["login", "--token-stdin", "--no-verify"]] {
        let output = ours_with(&scene, arguments, TOKEN);
        assert_eq!(output.code, Some(1), "{arguments:?}");
        says(&output.stderr, &["error: the keychain is locked"]);
    }
    // Nobody who could not be signed out is forgotten.
    says(
        &ours(&scene, &["status"]).stdout,
        &["API token of x-bitbucket-api-token-auth"],
    );
}

#[test]
fn a_window_that_nobody_answers_is_waited_for_on_a_desktop_and_no_longer_than_is_set() {
    let scene = scene();
    let desktop = Desktop::start(&scene);
    keep(&scene, TOKEN, &[]);
    desktop.lock();
    let windows = Windows::start(&desktop.bus, false);
    fails_in_time(&scene, &["error: the keychain is locked"]);
    assert_eq!(windows.shown(), 0, "nobody is there to see one");
    scene.set("DISPLAY", ":7");
    configure(&scene, "bbcloud.keychainTimeout", "3");
    let begun = Instant::now();
    fails_in_time(&scene, &["error: the keychain is locked"]);
    assert!(begun.elapsed() >= Duration::from_secs(3), "it was not waited for");
    assert_eq!(windows.shown(), 1);
    scene.set("CI", "true");
    fails_in_time(&scene, &["error: the keychain is locked"]);
    assert_eq!(windows.shown(), 1, "nobody is there to see one");
}

#[test]
fn a_locked_keychain_is_no_obstacle_for_helpers_and_public_repositories() {
    let scene = scene();
    let desktop = Desktop::start(&scene);
    keep(&scene, TOKEN, &[]);
    desktop.lock();
    person(&scene, "ann");
    helper(&scene, "ann", "ATBB-ann");
    let output = ls_remote(&scene, "acme/widgets");
    assert!(output.success(), "{}", output.stderr);
    assert_eq!(last_user(&scene).as_deref(), Some("ann"));
    configure(&scene, "credential.helper", "");
    scene.bitbucket.set_public("acme/widgets", true);
    let output = ls_remote(&scene, "acme/widgets");
    assert!(output.success(), "{}", output.stderr);
    assert_eq!(output.stderr, "");
}

#[test]
fn no_bus_is_explained_at_once() {
    let scene = scene();
    signed_in_before(&scene);
    let begun = Instant::now();
    fails_in_time(
        &scene,
        &[
            "error: there is no keychain",
            "message bus",
            "bbcloud.store keyutils",
            OTHERWISE,
        ],
    );
    assert!(begun.elapsed() < Duration::from_secs(3), "there is nothing to wait for");
    scene.unset("DBUS_SESSION_BUS_ADDRESS");
    fails_in_time(&scene, &["error: there is no keychain"]);
    says(&ours(&scene, &["status"]).stdout, &["keychain: absent"]);
}

#[test]
fn a_bus_without_a_keychain_is_explained() {
    let scene = scene();
    signed_in_before(&scene);
    let _bus = Bus::start(&scene);
    fails_in_time(
        &scene,
        &[
            "error: there is no keychain",
            "nothing on the session's message bus offers the Secret Service",
        ],
    );
    let output = ours_with(&scene, &["login", "--token-stdin", "--no-verify"], TOKEN);
    assert_eq!(output.code, Some(1));
    says(
        &output.stderr,
        &["error: there is no keychain", "hint: start one, such as gnome-keyring"],
    );
}

#[test]
fn a_bus_that_never_answers_is_given_up() {
    let scene = scene();
    signed_in_before(&scene);
    let deaf = Deaf::start(&scene);
    let words = [
        "error: the keychain has not answered in 3 seconds",
        OTHERWISE,
        "bbcloud.keychainTimeout 30",
    ];
    fails_in_time(&scene, &words);
    assert!(deaf.connections() > 0);
    configure(&scene, "bbcloud.keychainTimeout", "0.5");
    let begun = Instant::now();
    fails_in_time(&scene, &["error: the keychain has not answered in 0.5 seconds"]);
    assert!(begun.elapsed() < Duration::from_secs(3));
    scene.set("BBCLOUD_KEYCHAIN_TIMEOUT", "0.25");
    for arguments in [&["status"][..], &["logout"], &["login", "--token-stdin", "--no-verify"]] {
        let begun = Instant::now();
        let output = ours_with(&scene, arguments, TOKEN);
        assert_eq!(output.code, Some(1), "{arguments:?}");
        says(
            &output.stderr,
            &["error: the keychain has not answered in 0.25 seconds"],
        );
        assert!(begun.elapsed() < Duration::from_secs(3), "{arguments:?}");
    }
    scene.set("BBCLOUD_KEYCHAIN_TIMEOUT", "soon");
    let output = ls_remote(&scene, "acme/widgets");
    says(
        &output.stderr,
        &["error: 'BBCLOUD_KEYCHAIN_TIMEOUT' is no number of seconds"],
    );
}

#[test]
fn a_service_that_never_answers_is_given_up() {
    let scene = scene();
    signed_in_before(&scene);
    let _deaf = DeafService::start(&scene);
    fails_in_time(&scene, &["error: the keychain has not answered in 3 seconds"]);
}

/// A desktop where somebody might answer gets more time, but only to unlock: silence is not a locked keychain.
#[test]
fn a_bus_that_never_answers_is_given_up_on_a_desktop_too() {
    let scene = scene();
    signed_in_before(&scene);
    let _deaf = Deaf::start(&scene);
    scene.set("DISPLAY", ":7");
    fails_in_time(&scene, &["error: the keychain has not answered in 3 seconds"]);
}

#[test]
fn secrets_of_one_name_are_told_apart_or_named() {
    let scene = scene();
    let desktop = Desktop::start(&scene);
    keep(&scene, TOKEN, &[]);
    let entry = format!("x-bitbucket-api-token-auth@localhost:{}", scene.bitbucket.port());
    desktop.add(&entry, "ATATT-other");
    // Ours says when it was made.
    let output = ls_remote(&scene, "acme/widgets");
    assert!(output.success(), "{}", output.stderr);
    desktop.clear();
    desktop.add(&entry, "ATATT-other");
    desktop.add(&entry, TOKEN);
    fails_in_time(
        &scene,
        &[
            "error: the keychain has 2 secrets of the same name",
            "logout --for localhost",
        ],
    );
    assert_eq!(desktop.secrets().len(), 2, "none is deleted by itself");
    keep(&scene, TOKEN, &[]);
    assert_eq!(desktop.secrets().len(), 1, "signing in leaves one");
    assert!(ls_remote(&scene, "acme/widgets").success());
}

#[test]
fn a_secret_that_is_gone_is_missed_and_what_is_less_specific_is_used() {
    let scene = scene();
    let desktop = Desktop::start(&scene);
    keep(&scene, TOKEN, &["--for", "acme/widgets"]);
    desktop.clear();
    fails_in_time(
        &scene,
        &[
            "error: the keychain has no such secret",
            "hint: run 'git-remote-bbcloud login --for acme/widgets'",
        ],
    );
    keep(&scene, TOKEN, &[]);
    let output = ls_remote(&scene, "acme/widgets");
    assert!(output.success(), "{}", output.stderr);
    let status = ours(&scene, &["status"]);
    says(
        &status.stdout,
        &["acme/widgets: API token of x-bitbucket-api-token-auth, missing"],
    );
    assert!(ours(&scene, &["logout", "--for", "acme/widgets"]).success());
}

/// A program that answers is told nothing; the secret is used, and cannot be kept.
#[test]
fn a_program_is_asked_where_the_keychain_is_locked() {
    let scene = scene();
    let desktop = Desktop::start(&scene);
    keep(&scene, TOKEN, &[]);
    desktop.lock();
    askpass(&scene, "ada", TOKEN);
    let output = ls_remote(&scene, "acme/widgets");
    assert!(output.success(), "{}", output.stderr);
    assert_eq!(output.stderr, "");
}

#[test]
fn a_damaged_list_of_accounts_is_told() {
    let scene = scene();
    signed_in_before(&scene);
    std::fs::write(super::accounts_file(&scene), "{").expect("it is our own file");
    let output = ls_remote(&scene, "acme/widgets");
    says(
        &output.stderr,
        &[
            "error: the list of accounts",
            "cannot be read",
            "hint: put it aside with 'mv ",
        ],
    );
    let mut status = scene.command(PROGRAM, &scene.work());
    status.arg("status");
    assert_eq!(crate::support::run::run(status).code, Some(1));
}
