//! No detail holds a secret, wherever it is; and what is known of it is told.

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use super::{Examined, examine, examine_in};
use crate::bitbucket::Account;
use crate::support::fixture::MAIN;
use crate::support::scene::{Scene, TOKEN};

const FOR_MAIN: &[&str] = &["--for", MAIN];
const CANARY: &str = "hunter2canary";

fn assert_silent(found: &Examined) {
    let written = found.written();
    assert!(!written.contains(CANARY) && !written.contains(TOKEN), "{written}");
}

#[test]
fn a_secret_in_the_remote_is_used_and_not_shown() {
    let scene = Scene::new();
    scene.cloned();
    scene.unset("BBCLOUD_TOKEN");
    let secret = format!("ATBB{CANARY}");
    scene.bitbucket.add_account(Account::app_password("mia", &secret));
    let url = format!("bbcloud::mia:{secret}@{MAIN}");
    scene.excuse_file(scene.path("clone/.git/config"));
    scene.untraced(|| scene.git_ok("clone", &["remote", "set-url", "origin", &url]));
    let found = examine_in(&scene, "clone", &[]);
    assert_silent(&found);
    assert_eq!(
        (found.status("secret"), found.status("read")),
        ("warn", "ok"),
        "{}",
        found.written()
    );
    assert!(found.remedy("secret").contains("migrate"), "{}", found.remedy("secret"));
    assert_eq!(
        found.detail("read"),
        "the app password of 'mia' in the remote's URL may read 'acme/widgets'"
    );
}

#[test]
fn secrets_of_proxies_headers_and_rewritten_addresses_are_not_shown() {
    let scene = Scene::new();
    scene.set("https_proxy", format!("http://me:{CANARY}@localhost:1"));
    scene.git_ok(
        "",
        &[
            "config",
            "--global",
            "http.extraHeader",
            &format!("Authorization: Bearer {CANARY}"),
        ],
    );
    let base = scene
        .bitbucket
        .base_url()
        .replace("https://", &format!("https://me:{CANARY}@"));
    scene.git_ok(
        "",
        &[
            "config",
            "--global",
            &format!("url.{base}/.insteadOf"),
            "https://bitbucket.org/",
        ],
    );
    let found = examine(&scene, FOR_MAIN);
    assert_silent(&found);
    assert_eq!(
        found.detail("proxy"),
        "HTTP proxy localhost:1, with a user name and a password"
    );
    assert_eq!(
        (found.status("url-rewrite"), found.status("http-settings")),
        ("warn", "warn")
    );
    assert_eq!(found.names("fail"), ["tcp"], "{}", found.written());
}

#[test]
fn the_proxy_of_pipelines_is_known() {
    let scene = Scene::new();
    scene.set("https_proxy", "http://localhost:29418");
    let found = examine(&scene, FOR_MAIN);
    assert_eq!(found.status("proxy"), "warn");
    assert!(
        found.detail("proxy").contains("Bitbucket Pipelines"),
        "{}",
        found.detail("proxy")
    );
}

#[test]
fn nobody_signed_in_is_told_with_the_way_in() {
    let scene = Scene::new();
    scene.unset("BBCLOUD_TOKEN");
    let found = examine(&scene, FOR_MAIN);
    assert_eq!(found.status("secret"), "warn");
    assert_eq!(found.remedy("secret"), format!("git-remote-bbcloud login --for {MAIN}"));
    assert_eq!(found.names("fail"), ["read"], "{}", found.written());
    assert!(
        found.detail("read").contains("authentication required"),
        "{}",
        found.detail("read")
    );
}

#[test]
fn a_helper_of_git_is_asked_as_git_would() {
    let scene = Scene::new();
    scene.unset("BBCLOUD_TOKEN");
    let secret = "ATATT-of-a-helper";
    scene.bitbucket.add_account(Account::api_token("bob", secret));
    // In a file, because git traces what it runs.
    let answer = scene.path("answer");
    scene.excuse_file(&answer);
    fs::write(
        &answer,
        format!("username=x-bitbucket-api-token-auth\npassword={secret}\n"),
    )
    .unwrap();
    let helper = format!("!f() {{ test \"$1\" != get || cat '{}'; }}; f", answer.display());
    scene.git_ok("", &["config", "--global", "credential.helper", &helper]);
    let found = examine(&scene, FOR_MAIN);
    assert!(!found.written().contains(secret), "{}", found.written());
    assert_eq!(
        (found.status("read"), found.status("push")),
        ("ok", "ok"),
        "{}",
        found.written()
    );
    assert!(
        found.detail("read").contains("from git's credential helper"),
        "{}",
        found.detail("read")
    );
}

/// There is no keychain here: what the list of accounts says is told all the same.
#[test]
fn an_account_whose_keychain_is_gone_is_told_with_its_age() {
    let scene = Scene::new();
    scene.unset("BBCLOUD_TOKEN");
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("after 1970")
        .as_secs();
    let host = format!("localhost:{}", scene.bitbucket.port());
    let account = serde_json::json!({
        "host": host, "for": "acme", "username": "x-bitbucket-api-token-auth", "email": null,
        "kind": "api-token", "store": "secret-service", "created": now - 350 * 86_400,
    });
    let directory = scene.home().join(".config/git-remote-bbcloud");
    fs::create_dir_all(&directory).expect("a directory can be made");
    let list = serde_json::json!({ "version": 1, "accounts": [account] });
    fs::write(directory.join("accounts.json"), list.to_string()).expect("a file can be written");
    scene.set("DBUS_SESSION_BUS_ADDRESS", "unix:path=/no/such/socket");
    let found = examine(&scene, FOR_MAIN);
    if cfg!(target_os = "linux") {
        assert_eq!(found.status("keychain"), "fail", "{}", found.written());
        assert!(
            found.detail("keychain").contains("accounts: acme (API token of"),
            "{}",
            found.detail("keychain")
        );
    }
    assert_eq!(found.status("secret"), "warn");
    assert!(
        found
            .detail("secret")
            .ends_with("; it expires in 15 days at the latest"),
        "{}",
        found.detail("secret")
    );
    assert_eq!(found.remedy("secret"), "git-remote-bbcloud login --replace --for acme");
}

/// Whoever only looks has no helper of git's forget what it knows, nor keep anything.
#[test]
fn no_helper_is_told_what_was_found() {
    let scene = Scene::new();
    scene.unset("BBCLOUD_TOKEN");
    let (log, known) = (scene.path("told"), scene.path("known"));
    fs::write(&known, format!("username=ada\npassword={CANARY}\n")).expect("a file can be written");
    let helper = format!(
        "!f() {{ echo \"$1\" >>'{}'; test \"$1\" != get || cat '{}'; }}; f",
        log.display(),
        known.display()
    );
    scene.excuse_file(known);
    scene.untraced(|| scene.git_ok("", &["config", "--global", "credential.helper", &helper]));
    let found = examine(&scene, FOR_MAIN);
    assert_silent(&found);
    assert_eq!(found.status("read"), "fail", "{}", found.written());
    let told = fs::read_to_string(&log).expect("the helper is asked");
    assert!(told.lines().all(|line| line == "get"), "{told}");
}
