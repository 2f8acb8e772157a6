//! Git LFS with the real git-lfs: upload, clone, migrated remotes, rewritten URLs, and storage of its own.

use crate::keychain;
use crate::support::fixture::{MAIN, noise};
use crate::support::scene::{Scene, TOKEN};

/// git-lfs is installed for the user, and nobody can be asked for a secret.
fn with_lfs() -> Scene {
    let scene = Scene::new();
    scene.set("GIT_TERMINAL_PROMPT", "0");
    scene.git_ok("", &["lfs", "install", "--skip-repo"]);
    scene
}

/// The same, with the secret in `BBCLOUD_TOKEN`, which git-lfs hands on to git.
fn with_variable() -> Scene {
    with_lfs()
}

/// Pushes a large file by `url`, and returns its content.
fn publish(scene: &Scene, url: &str) -> Vec<u8> {
    let content = noise(300_000);
    scene.git_ok("", &["clone", "--quiet", url, "first"]);
    scene.git_ok("first", &["lfs", "track", "*.bin"]);
    scene.git_ok("first", &["add", ".gitattributes"]);
    scene.commit("first", "large.bin", &content);
    scene.git_ok("first", &["push", "--quiet", "origin", "main"]);
    let pointer = scene.server_git(MAIN, &["show", "main:large.bin"]);
    assert!(pointer.starts_with("version https://git-lfs"), "{pointer}");
    content
}

fn assert_content(scene: &Scene, file: &str, content: &[u8]) {
    let found = std::fs::read(scene.path(file)).expect("a file");
    assert!(found == content, "{file} has {} bytes", found.len());
}

#[test]
fn a_fresh_clone_needs_no_other_command() {
    for elsewhere in [false, true] {
        let scene = with_variable();
        scene.bitbucket.lfs_elsewhere(elsewhere);
        let content = publish(&scene, &scene.url(MAIN));
        scene.git_ok("", &["clone", "--quiet", &scene.url(MAIN), "second"]);
        assert_content(&scene, "second/large.bin", &content);
        let config = scene.text("second/.git/config");
        let lfs = format!("{}/{MAIN}.git/info/lfs", scene.bitbucket.base_url());
        assert!(config.contains(&format!("lfsurl = {lfs}\n")), "{config}");
        assert!(config.contains("helper = !git-remote-bbcloud credential\n"), "{config}");
        assert!(!config.contains(TOKEN), "{config}");
        scene.git_ok("second", &["fetch", "--quiet"]);
        assert_eq!(scene.text("second/.git/config"), config, "told once");
    }
}

#[test]
fn the_keychain_and_setup_are_enough() {
    let scene = with_lfs();
    let _service = keychain::desktop(&scene);
    let mut login = scene.command("git-remote-bbcloud", &scene.work());
    login.args(["login", "--token-stdin"]);
    let login = crate::support::run::run_with_input(login, TOKEN.as_bytes());
    assert!(login.success(), "{}", login.stderr);
    scene.bbcloud_ok("", &["setup"]);
    let content = publish(&scene, &scene.url(MAIN));
    scene.git_ok("", &["clone", "--quiet", &scene.url(MAIN), "second"]);
    assert_content(&scene, "second/large.bin", &content);
    let config = scene.text("second/.git/config");
    assert!(
        config.contains("lfsurl = ") && !config.contains("[credential"),
        "{config}"
    );
}

#[test]
fn a_migrated_remote_knows_where_large_files_are() {
    let scene = with_variable();
    let content = publish(&scene, &scene.url(MAIN));
    scene.untraced(|| scene.git_ok("", &["clone", "--quiet", &scene.https_url(MAIN), "second"]));
    let migrated = scene.bbcloud_ok("second", &["migrate", "--discard-secrets"]);
    assert!(
        migrated.stdout.contains("remote.origin.lfsurl = https://"),
        "{}",
        migrated.stdout
    );
    assert!(
        !scene.text("second/.git/config").contains(TOKEN),
        "{}",
        scene.text("second/.git/config")
    );
    std::fs::remove_dir_all(scene.path("second/.git/lfs")).expect("its objects were there");
    std::fs::remove_file(scene.path("second/large.bin")).expect("it was there");
    scene.git_ok("second", &["checkout", "large.bin"]);
    assert_content(&scene, "second/large.bin", &content);
    let mine = noise(1000);
    scene.commit("second", "mine.bin", &mine);
    scene.git_ok("second", &["push", "--quiet", "origin", "main"]);
    scene.git_ok("first", &["pull", "--quiet"]);
    assert_content(&scene, "first/mine.bin", &mine);
    let undone = scene.bbcloud_ok("second", &["migrate", "--undo"]);
    assert!(undone.stdout.contains("lfsurl"), "{}", undone.stdout);
    assert!(!scene.text("second/.git/config").contains("lfsurl"));
}

#[test]
fn rewritten_urls_do_not_lead_git_lfs_astray() {
    for options in [&["setup", "--all"][..], &["setup", "--workspace", "acme"]] {
        let scene = with_variable();
        scene.bbcloud_ok("", options);
        let url = format!("{}/{MAIN}.git", scene.bitbucket.base_url());
        let content = publish(&scene, &url);
        scene.git_ok("", &["clone", "--quiet", &url, "second"]);
        assert_content(&scene, "second/large.bin", &content);
        let config = scene.text("second/.git/config");
        assert!(config.contains(&format!("[url \"{url}/info/lfs\"]")), "{config}");
    }
}

#[test]
fn it_can_be_turned_off_and_is_off_without_git_lfs() {
    let scene = Scene::new();
    scene.cloned();
    assert!(!scene.text("clone/.git/config").contains("lfs"));
    scene.git_ok("", &["lfs", "install", "--skip-repo"]);
    scene.git_ok("", &["config", "--global", "bbcloud.lfs", "false"]);
    scene.git_ok("clone", &["fetch", "--quiet"]);
    assert!(!scene.text("clone/.git/config").contains("lfs"));
    scene.git_ok("", &["config", "--global", "--unset", "bbcloud.lfs"]);
    // A file that another holds is no reason for a fetch to fail.
    std::fs::write(scene.path("clone/.git/config.lock"), "").expect("written");
    let fetched = scene.git_in("clone", &["fetch"]);
    assert!(fetched.success(), "{}", fetched.stderr);
    assert!(
        fetched.stderr.contains("git config remote.origin.lfsurl https://"),
        "{}",
        fetched.stderr
    );
    std::fs::remove_file(scene.path("clone/.git/config.lock")).expect("it was there");
    scene.git_ok("clone", &["fetch", "--quiet"]);
    assert!(scene.text("clone/.git/config").contains("lfsurl"));
}

/// git-lfs asks for a secret until one is good; the same one again would have it ask for ever.
#[test]
fn a_secret_that_is_refused_ends_the_push() {
    let scene = with_variable();
    publish(&scene, &scene.url(MAIN));
    scene.commit("first", "more.bin", &noise(5000));
    scene.bitbucket.clear_requests();
    scene.bitbucket.revoke(TOKEN);
    let failed = scene.git_in("first", &["lfs", "push", "origin", "main"]);
    assert!(!failed.success());
    assert!(
        failed.stderr.contains("has just refused the API token"),
        "{}",
        failed.stderr
    );
    assert!(!failed.stderr.contains(TOKEN));
    let asked = scene.bitbucket.requests();
    let asked = asked
        .iter()
        .filter(|request| request.path.contains("/info/lfs/"))
        .count();
    assert!(asked < 10, "{asked} requests");
}
