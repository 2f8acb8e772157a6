//! One contract for every store, held by the whole program; a store that fails holds its other half.

use std::time::{Duration, Instant};

use super::desktop::Desktop;
use super::stub::DeafService;
use super::{configure, json, last_user, ls_remote, ours, ours_with, says, scene};
use crate::bitbucket::Account;
use crate::hostile::unprivileged::{NOBODY, as_nobody, open_scene};
use crate::support::run::{Output, run_with_input};
use crate::support::scene::{Scene, TOKEN};
use crate::support::skip::skip;

fn login(scene: &Scene, secret: &str) -> Output {
    ours_with(
        scene,
        &["login", "--token-stdin", "--no-verify", "--for", "acme/widgets"],
        secret,
    )
}

/// What is kept is found, replaced, found again, shown without the secret, and gone when it is to be gone.
fn keeps_what_it_is_given(scene: &Scene, store: &str, volatile: bool) {
    let second = "ATATT-second";
    scene.bitbucket.add_account(Account::api_token("ada", second));
    for secret in [TOKEN, second] {
        let output = login(scene, secret);
        assert!(output.success(), "{}", output.stderr);
        let output = ls_remote(scene, "acme/widgets");
        assert!(output.success(), "{}", output.stderr);
        assert_eq!(last_user(scene).as_deref(), Some("x-bitbucket-api-token-auth"));
        scene.bitbucket.revoke(secret);
        // It was this secret and no other.
        assert!(!ls_remote(scene, "acme/widgets").success());
    }
    let status = ours(scene, &["status", "--json"]);
    assert_eq!(status.code, Some(0), "{}", status.stderr);
    let status = json(&status.stdout);
    assert_eq!(status["accounts"].as_array().expect("a list").len(), 1);
    let account = &status["accounts"][0];
    assert_eq!(
        (&account["store"], &account["volatile"]),
        (&store.into(), &volatile.into())
    );
    assert_eq!(account["secret"], "kept");
    assert!(!status.to_string().contains(second));
    assert!(ours(scene, &["logout", "--for", "acme/widgets"]).success());
    assert_eq!(ours(scene, &["status"]).code, Some(1));
    assert_eq!(
        ours(scene, &["logout", "--for", "acme/widgets"]).code,
        Some(1),
        "nobody is signed in"
    );
}

/// What is not kept is said not to be, in time, and nobody is signed in with it.
fn fails_honestly(scene: &Scene, words: &str) {
    let begun = Instant::now();
    let output = login(scene, TOKEN);
    assert_eq!(output.code, Some(1));
    says(&output.stderr, &[words, "hint: "]);
    assert!(!output.stderr.contains("signed in for"), "{}", output.stderr);
    assert!(!output.stderr.contains(TOKEN));
    let status = ours(scene, &["status", "--json"]);
    assert_eq!(status.code, Some(1));
    let status = json(&status.stdout);
    assert_eq!(status["accounts"], serde_json::json!([]));
    assert_ne!(status["keychain"]["state"], "available");
    assert!(begun.elapsed() < Duration::from_secs(15));
}

#[test]
fn the_secret_service_keeps_the_contract() {
    let scene = scene();
    let _desktop = Desktop::start(&scene);
    keeps_what_it_is_given(&scene, "secret-service", false);
}

#[test]
fn a_locked_one_an_absent_one_and_a_silent_one_fail_honestly() {
    let scene = scene();
    fails_honestly(&scene, "error: there is no keychain");
    {
        let desktop = Desktop::start(&scene);
        desktop.lock();
        fails_honestly(&scene, "error: the keychain is locked");
    }
    let scene = super::scene();
    let _deaf = DeafService::start(&scene);
    fails_honestly(&scene, "error: the keychain has not answered in 3 seconds");
}

/// The kernel's key ring needs no desktop at all, and says that it forgets. A container may not be allowed to use it.
#[test]
fn the_kernels_key_ring_keeps_the_contract_or_says_why_not() {
    let scene = scene();
    configure(&scene, "bbcloud.store", "keyutils");
    let probe = login(&scene, TOKEN);
    if probe.success() {
        says(&probe.stderr, &["it is in the kernel's key ring"]);
        says(
            &ours(&scene, &["status"]).stdout,
            &[
                "(keyutils, forgets when the computer is restarted)",
                "kept in keyutils until the next restart",
            ],
        );
        keeps_what_it_is_given(&scene, "keyutils", true);
    } else {
        says(&probe.stderr, &["error: the keychain", "hint: "]);
        assert_eq!(
            json(&ours(&scene, &["status", "--json"]).stdout)["accounts"],
            serde_json::json!([])
        );
    }
}

/// A secret that is elsewhere after `bbcloud.store` has changed is found where it is, and moves with the next `login`.
#[test]
fn an_account_remembers_its_store() {
    let scene = scene();
    let desktop = Desktop::start(&scene);
    assert!(login(&scene, TOKEN).success());
    configure(&scene, "bbcloud.store", "keyutils");
    assert!(ls_remote(&scene, "acme/widgets").success());
    if login(&scene, TOKEN).success() {
        assert_eq!(desktop.secrets(), []);
        assert!(ls_remote(&scene, "acme/widgets").success());
        assert!(ours(&scene, &["logout", "--for", "acme/widgets"]).success());
    } else {
        assert_eq!(desktop.secrets().len(), 1, "what was kept stays where it is");
    }
}

/// As after `su`, or in a service: the keyring of the session belongs to another user, or is not there.
#[test]
fn the_kernels_keyring_is_that_of_the_user_and_not_of_the_session() {
    let Some(scene) = open_scene() else { return };
    scene.unset("BBCLOUD_TOKEN");
    configure(&scene, "bbcloud.store", "keyutils");
    if rustix::process::geteuid().is_root() {
        std::os::unix::fs::chown(scene.home(), Some(NOBODY), Some(NOBODY)).expect("root may");
    }
    let run_as_nobody = |program: &str, arguments: &[&str], input: &str| {
        let mut command = as_nobody(&scene, program);
        command.args(arguments);
        run_with_input(command, input.as_bytes())
    };
    let url = scene.url("acme/widgets");
    let login = ["login", "--token-stdin", "--for", "acme/widgets"];
    let output = run_as_nobody("git-remote-bbcloud", &login, TOKEN);
    if output.stderr.contains("the kernel's keyring cannot be used") {
        return skip("this system does not allow the kernel's keyring");
    }
    assert!(output.success(), "{}", output.stderr);
    let output = run_as_nobody("git", &["ls-remote", "--exit-code", &url, "main"], "");
    assert!(output.success(), "{}", output.stderr);
    let output = run_as_nobody("git-remote-bbcloud", &["logout", "--for", "acme/widgets"], "");
    assert!(output.success(), "{}", output.stderr);
    assert!(!run_as_nobody("git", &["ls-remote", &url], "").success());
}
