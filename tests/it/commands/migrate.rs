//! `migrate`: secrets reach the keychain before they leave a URL, and nothing is lost where that cannot be.

use std::fs;

use crate::bitbucket::Account;
use crate::keychain::{self, Desktop};
use crate::support::fixture::{MAIN, PART};
use crate::support::run::{Output, run};
use crate::support::scene::{Scene, TOKEN};

const CONFIG: &str = "clone/.git/config";

/// A clone with the secret in its URL, as people have it.
fn with_secret() -> Scene {
    let scene = Scene::new();
    clone_with_secret(&scene, MAIN, "clone");
    scene
}

/// The secret is written into the file and not handed to git, whose trace would show it.
fn clone_with_secret(scene: &Scene, name: &str, directory: &str) {
    let url = scene.url(name);
    scene.git_ok("", &["clone", "--quiet", &url, directory]);
    let config = format!("{directory}/.git/config");
    let text = scene.text(&config).replace(&url, &scene.https_url(name));
    assert!(text.contains(TOKEN));
    fs::write(scene.path(&config), text).expect("a file can be written");
}

/// The same with a keychain and no other source of a secret.
fn with_keychain() -> (Scene, Desktop) {
    let scene = with_secret();
    let service = keychain::desktop(&scene);
    (scene, service)
}

fn assert_no_secret(output: &Output) {
    assert!(!output.stdout.contains(TOKEN), "{}", output.stdout);
    assert!(!output.stderr.contains(TOKEN), "{}", output.stderr);
}

fn url(scene: &Scene, remote: &str) -> String {
    let key = format!("remote.{remote}.url");
    scene.git_ok("clone", &["config", "--get-all", &key]).trim().to_owned()
}

#[test]
fn from_a_secret_in_the_url_to_a_working_repository_with_two_commands() {
    let (scene, _service) = with_keychain();
    let migrated = scene.bbcloud_ok("clone", &["migrate"]);
    scene.git_ok("clone", &["fetch", "--quiet"]);
    assert_no_secret(&migrated);
    assert_eq!(url(&scene, "origin"), "bbcloud::acme/widgets");
    assert!(!scene.text(CONFIG).contains(TOKEN));
    assert!(migrated.stdout.contains(":<secret>@"), "{}", migrated.stdout);
    assert!(
        migrated.stdout.ends_with(" -> bbcloud::acme/widgets\n"),
        "{}",
        migrated.stdout
    );
    assert!(migrated.stderr.contains("migrate --undo"), "{}", migrated.stderr);
    scene.commit("clone", "mine", b"mine\n");
    scene.git_ok("clone", &["push", "--quiet", "origin", "main"]);
    let mut grep = scene.command("grep", &scene.path("clone"));
    grep.args(["--recursive", "--files-with-matches", "--fixed-strings", TOKEN, ".git"]);
    assert_eq!(run(grep).stdout, "", "no file has it");
    let before = scene.text(CONFIG);
    let again = scene.bbcloud_ok("clone", &["migrate"]);
    assert!(again.stderr.contains("nothing to migrate"), "{}", again.stderr);
    assert_eq!((scene.text(CONFIG), again.stdout), (before, String::new()));
}

#[test]
fn an_undone_url_has_its_name_and_not_its_secret() {
    let (scene, _service) = with_keychain();
    scene.bitbucket.add_account(Account::app_password("ada", "ATBB-old"));
    let base = scene.bitbucket.base_url();
    let rest = base.strip_prefix("https://").expect("TLS");
    let with_name = format!("https://ada:ATBB-old@{rest}/{MAIN}.git");
    scene.untraced(|| scene.git_ok("clone", &["remote", "set-url", "origin", &with_name]));
    let before = scene.text(CONFIG);
    scene.bbcloud_ok("clone", &["migrate"]);
    assert_eq!(url(&scene, "origin"), "bbcloud::ada@acme/widgets");
    scene.git_ok("clone", &["fetch", "--quiet"]);
    let record = scene.text("clone/.git/bbcloud-migrated.json");
    assert!(!record.contains("ATBB-old"), "{record}");
    let undone = scene.bbcloud_ok("clone", &["migrate", "--undo"]);
    assert!(
        undone.stderr.contains("restored without the secret"),
        "{}",
        undone.stderr
    );
    assert_eq!(scene.text(CONFIG), before.replace(":ATBB-old@", "@"));
    assert!(!scene.path("clone/.git/bbcloud-migrated.json").exists());
    let again = scene.bbcloud_ok("clone", &["migrate", "--undo"]);
    assert!(again.stderr.contains("nothing to put back"), "{}", again.stderr);
}

#[test]
fn without_a_keychain_the_secret_stays_where_it_is() {
    let scene = with_secret();
    scene.unset("BBCLOUD_TOKEN");
    let before = scene.text(CONFIG);
    let failed = scene.bbcloud("clone", &["migrate"]);
    assert_eq!(failed.code, Some(1), "{}", failed.stderr);
    assert_no_secret(&failed);
    assert!(
        failed
            .stderr
            .contains("'remote.origin' was not changed and still contains a secret"),
        "{}",
        failed.stderr
    );
    assert!(failed.stderr.contains("--discard-secrets"), "{}", failed.stderr);
    assert_eq!(scene.text(CONFIG), before);
    assert!(!scene.path("clone/.git/bbcloud-migrated.json").exists());
    scene.bbcloud_ok("clone", &["migrate", "--discard-secrets"]);
    assert!(!scene.text(CONFIG).contains(TOKEN));
    assert_eq!(url(&scene, "origin"), "bbcloud::acme/widgets");
}

#[test]
fn a_locked_configuration_keeps_its_secret() {
    let (scene, _service) = with_keychain();
    let before = scene.text(CONFIG);
    fs::write(scene.path("clone/.git/config.lock"), "").expect("written");
    let failed = scene.bbcloud("clone", &["migrate"]);
    assert_eq!(failed.code, Some(1), "{}", failed.stderr);
    assert!(failed.stderr.contains("cannot lock '"), "{}", failed.stderr);
    assert_eq!(scene.text(CONFIG), before);
    assert!(
        !scene.path("clone/.git/bbcloud-migrated.json").exists(),
        "nothing was done"
    );
    fs::remove_file(scene.path("clone/.git/config.lock")).expect("it is another's, and still there");
    scene.bbcloud_ok("clone", &["migrate"]);
    assert!(!scene.text(CONFIG).contains(TOKEN));
}

#[test]
fn a_secret_that_the_server_refuses_is_not_kept() {
    let (scene, _service) = with_keychain();
    scene.bitbucket.revoke(TOKEN);
    let failed = scene.bbcloud("clone", &["migrate"]);
    assert_eq!(failed.code, Some(1), "{}", failed.stderr);
    assert!(failed.stderr.contains("the secret was not kept"), "{}", failed.stderr);
    assert!(scene.text(CONFIG).contains(TOKEN));
    assert!(
        scene
            .bbcloud("clone", &["status", "--json"])
            .stdout
            .contains(r#""accounts": []"#)
    );
    scene.bbcloud_ok("clone", &["migrate", "--no-verify"]);
    assert!(!scene.text(CONFIG).contains(TOKEN));
}

#[test]
fn a_dry_run_changes_nothing() {
    let (scene, _service) = with_keychain();
    scene.excuse_file(scene.path(CONFIG));
    let before = scene.text(CONFIG);
    let shown = scene.bbcloud_ok("clone", &["migrate", "--dry-run"]);
    assert_no_secret(&shown);
    assert!(shown.stdout.contains("-> bbcloud::acme/widgets"), "{}", shown.stdout);
    assert_eq!(scene.text(CONFIG), before);
    assert!(
        scene
            .bbcloud("clone", &["status", "--json"])
            .stdout
            .contains(r#""accounts": []"#)
    );
}

#[test]
fn one_secret_in_many_repositories_is_kept_once() {
    let scene = with_secret();
    clone_with_secret(&scene, PART, "second one");
    let _service = keychain::desktop(&scene);
    let migrated = scene.bbcloud("", &["migrate", "clone", "second one", "nowhere"]);
    assert_eq!(migrated.code, Some(1), "{}", migrated.stderr);
    assert!(
        migrated.stderr.contains("'nowhere' is not in a git repository"),
        "{}",
        migrated.stderr
    );
    assert!(!scene.text(CONFIG).contains(TOKEN));
    assert!(
        scene
            .text("second one/.git/config")
            .contains("url = bbcloud::acme/parts\n")
    );
    let status = scene.bbcloud_ok("", &["status", "--json"]);
    assert_eq!(status.stdout.matches(r#""username""#).count(), 1, "{}", status.stdout);
    scene.git_ok("second one", &["fetch", "--quiet"]);
}

#[test]
fn submodules_are_migrated_with_their_repository() {
    let (scene, _service) = with_keychain();
    scene.excuse_file(scene.path("clone/.gitmodules"));
    let part = scene.https_url(PART);
    scene.untraced(|| scene.git_ok("clone", &["submodule", "--quiet", "add", &part, "libs/part"]));
    assert!(scene.text("clone/.git/modules/libs/part/config").contains(TOKEN));
    let migrated = scene.bbcloud_ok("clone", &["migrate"]);
    assert_no_secret(&migrated);
    for file in [CONFIG, "clone/.git/modules/libs/part/config"] {
        let text = scene.text(file);
        assert!(!text.contains(TOKEN), "{file}: {text}");
        assert!(text.contains("url = bbcloud::acme/parts\n"), "{file}: {text}");
    }
    assert!(
        migrated.stderr.contains("git-remote-bbcloud setup"),
        "{}",
        migrated.stderr
    );
    scene.bbcloud_ok("clone", &["setup"]);
    scene.git_ok("clone", &["fetch", "--quiet", "--recurse-submodules=yes"]);
    // What is committed is not for this command to change.
    assert!(scene.text("clone/.gitmodules").contains(TOKEN));
}
