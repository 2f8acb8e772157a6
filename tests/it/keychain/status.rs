//! `status`: who is signed in, in words and in JSON, and what the server says.

use serde_json::json;

use super::desktop::Desktop;
use super::stub::Deaf;
use super::{PROGRAM, configure, json as parsed, keep, ours, person, says, scene};
use crate::support::scene::{Scene, TOKEN};

fn status(scene: &Scene, more: &[&str]) -> (Option<i32>, serde_json::Value) {
    let output = ours(scene, &[&["status", "--json"], more].concat());
    assert!(!output.stdout.contains(TOKEN));
    (output.code, parsed(&output.stdout))
}

#[test]
fn every_account_is_shown_without_its_secret() {
    let scene = scene();
    let _desktop = Desktop::start(&scene);
    let (code, shown) = status(&scene, &[]);
    assert_eq!(
        (code, &shown["accounts"], &shown["signed_in"]),
        (Some(1), &json!([]), &json!(false))
    );
    assert_eq!(shown["keychain"]["state"], "available");
    says(
        &ours(&scene, &["status"]).stderr,
        &["hint: nobody is signed in: run 'git-remote-bbcloud login'"],
    );

    let expiring = ["--email", "ada@example.com", "--expires", "2999-12-31"];
    keep(&scene, TOKEN, &expiring);
    keep(&scene, "ATBB-ann", &["--username", "ann", "--for", "acme/widgets"]);
    let (code, shown) = status(&scene, &[]);
    assert_eq!((code, &shown["signed_in"]), (Some(0), &json!(true)));
    let host = format!("localhost:{}", scene.bitbucket.port());
    let account = |at: usize, name: &str| shown["accounts"][at][name].clone();
    for (name, value) in [
        ("host", json!(host)),
        ("for", json!(host)),
        ("username", json!("x-bitbucket-api-token-auth")),
        ("email", json!("ada@example.com")),
        ("kind", json!("api-token")),
        ("store", json!("secret-service")),
        ("secret", json!("kept")),
        ("volatile", json!(false)),
        ("check", json!(null)),
        ("expires", json!("2999-12-31")),
        ("expires_assumed", json!(false)),
    ] {
        assert_eq!(account(0, name), value, "{name}");
    }
    assert_eq!(account(1, "for"), "acme/widgets");
    assert_eq!(account(1, "kind"), "app-password");
    assert_eq!(account(1, "expires"), "unknown");
    let text = ours(&scene, &["status"]);
    let (days, _) = text.stdout.split_once(" days").expect("the days that are left");
    let (_, days) = days.rsplit_once(' ').expect("a number");
    assert_eq!((text.code, text.stderr.as_str()), (Some(0), ""));
    let expected = format!(
        "keychain: available (secret-service)\n\
         {host}: API token of x-bitbucket-api-token-auth, e-mail ada@example.com, kept in secret-service, expires in {days} days\n\
         acme/widgets: app password of ann, kept in secret-service\n"
    );
    assert_eq!(text.stdout, expected);
}

#[test]
fn the_first_that_is_shown_for_a_repository_is_the_one_that_git_gets() {
    let scene = scene();
    let _desktop = Desktop::start(&scene);
    keep(&scene, TOKEN, &[]);
    keep(&scene, "ATBB-ann", &["--username", "ann", "--for", "acme"]);
    keep(&scene, "ATBB-ben", &["--username", "ben", "--for", "other"]);
    let (code, shown) = status(&scene, &["--for", "acme/widgets"]);
    assert_eq!(code, Some(0));
    let names: Vec<_> = shown["accounts"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| one["username"].clone())
        .collect();
    assert_eq!(names, ["ann", "x-bitbucket-api-token-auth"]);
    assert!(ours(&scene, &["logout"]).success());
    assert_eq!(status(&scene, &["--for", "third/thing"]).0, Some(1));
}

#[test]
fn the_server_is_asked_only_where_that_is_wanted() {
    let scene = scene();
    let _desktop = Desktop::start(&scene);
    keep(&scene, TOKEN, &["--for", "acme/widgets"]);
    assert_eq!(status(&scene, &[]).0, Some(0));
    assert!(scene.bitbucket.requests().is_empty());
    let (code, shown) = status(&scene, &["--check"]);
    assert_eq!(code, Some(0));
    let accepted = json!({ "accepted": true, "repository": "acme/widgets", "error": null });
    assert_eq!(shown["accounts"][0]["check"], accepted);
    scene.bitbucket.revoke(TOKEN);
    let (code, shown) = status(&scene, &["--check"]);
    assert_eq!((code, &shown["signed_in"]), (Some(1), &json!(false)));
    assert_eq!(shown["accounts"][0]["check"]["accepted"], false);
    let text = ours(&scene, &["status", "--check"]);
    says(
        &text.stdout,
        &["acme/widgets: API token", "'localhost' rejected the API token"],
    );
    says(
        &text.stderr,
        &[
            "hint: the token may be wrong, expired or revoked; run 'git-remote-bbcloud login --replace --for acme/widgets'",
        ],
    );
    // Asking is not trying others: nothing else was sent, and nothing was deleted.
    assert_eq!(status(&scene, &[]).0, Some(0));
}

#[test]
fn a_variable_and_a_store_that_keeps_nothing_are_told() {
    let scene = scene();
    let _desktop = Desktop::start(&scene);
    configure(&scene, "bbcloud.store", "false");
    let (code, shown) = status(&scene, &[]);
    assert_eq!((code, &shown["keychain"]["keeps"]), (Some(1), &json!(false)));
    says(
        &ours(&scene, &["status"]).stdout,
        &["nothing new is kept there (bbcloud.store is false)"],
    );
    scene.set("BBCLOUD_TOKEN", TOKEN);
    let (code, shown) = status(&scene, &["--check", "--for", "acme/widgets"]);
    assert_eq!(
        (code, &shown["environment"]["variable"]),
        (Some(0), &json!("BBCLOUD_TOKEN"))
    );
    assert_eq!(shown["environment"]["check"]["accepted"], true);
    says(
        &ours(&scene, &["status"]).stdout,
        &["environment: BBCLOUD_TOKEN is set, and used instead of the keychain"],
    );
    scene.unset("BBCLOUD_TOKEN");
    configure(&scene, "bbcloud.store", "auto");
    assert_eq!(status(&scene, &[]).1["keychain"]["store"], "secret-service");
    configure(&scene, "bbcloud.store", "vault");
    let output = ours(&scene, &["status"]);
    assert_eq!(output.code, Some(2));
    says(
        &output.stderr,
        &["unknown value for config 'bbcloud.store': vault", "hint: use 'auto'"],
    );
}

#[test]
fn the_state_of_the_keychain_is_one_word() {
    let scene = scene();
    assert_eq!(status(&scene, &[]).1["keychain"]["state"], "absent");
    let desktop = Desktop::start(&scene);
    keep(&scene, TOKEN, &[]);
    desktop.lock();
    let (code, shown) = status(&scene, &[]);
    assert_eq!(code, Some(1));
    assert_eq!(
        (&shown["keychain"]["state"], &shown["accounts"][0]["secret"]),
        (&json!("locked"), &json!("locked"))
    );
    let _deaf = Deaf::start(&scene);
    scene.set("BBCLOUD_KEYCHAIN_TIMEOUT", "0.5");
    let (_, shown) = status(&scene, &[]);
    assert_eq!(
        (&shown["keychain"]["state"], &shown["accounts"][0]["secret"]),
        (&json!("slow"), &json!("slow"))
    );
}

/// `git remote-bbcloud status` is the same program, found by git.
#[test]
fn git_finds_the_commands_and_their_help() {
    let scene = scene();
    let _desktop = Desktop::start(&scene);
    keep(&scene, &person(&scene, "ann"), &["--username", "ann"]);
    assert!(scene.git(&["remote-bbcloud", "status"]).success());
    for command in ["login", "logout", "status", "credential"] {
        let mut help = scene.command(PROGRAM, &scene.work());
        help.args([command, "--help"]);
        let help = crate::support::run::run(help);
        assert!(help.success());
        says(&help.stdout, &["Examples:", command]);
        assert!(!help.stdout.contains('`'), "{}", help.stdout);
    }
}
