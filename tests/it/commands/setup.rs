//! `setup`: the global configuration gets what it lacks, and can be had back byte for byte.

use std::fs;

use crate::support::fixture::{MAIN, PART};
use crate::support::run::run_telling;
use crate::support::scene::{Scene, TOKEN};

fn global(scene: &Scene) -> String {
    fs::read_to_string(scene.home().join(".gitconfig")).expect("a file")
}

#[test]
fn written_once_and_undone_byte_for_byte() {
    let scene = Scene::new();
    // Without a line end, as an editor may leave it.
    let before = global(&scene).trim_end().to_owned();
    fs::write(scene.home().join(".gitconfig"), &before).expect("written");
    let missing = scene.bbcloud("", &["setup", "--check"]);
    assert_eq!(missing.code, Some(1), "{}", missing.stderr);
    assert!(
        missing.stdout.contains("missing: protocol.bbcloud.allow = always\n"),
        "{}",
        missing.stdout
    );
    let done = scene.bbcloud_ok("", &["setup"]);
    let place = scene.bitbucket.base_url();
    assert_eq!(
        done.stdout,
        format!(
            "protocol.bbcloud.allow = always\ncredential.{place}.helper = \n\
             credential.{place}.helper = !git-remote-bbcloud credential\ncredential.{place}.usehttppath = true\n"
        )
    );
    assert_eq!(
        scene.git_ok("", &["config", "--global", "protocol.bbcloud.allow"]),
        "always\n"
    );
    assert_eq!(scene.bbcloud_ok("", &["setup", "--check"]).stdout, "");
    let written = global(&scene);
    assert_eq!(scene.bbcloud_ok("", &["setup"]).stdout, "");
    assert_eq!(global(&scene), written);
    scene.bbcloud_ok("", &["setup", "--workspace", "acme"]);
    assert!(global(&scene).contains("[url \"bbcloud::acme/\"]\n"));
    scene.bbcloud_ok("", &["setup", "--undo"]);
    assert_eq!(global(&scene), before);
    assert!(!scene.home().join(".config/git-remote-bbcloud/setup.json").exists());
    assert!(
        scene
            .bbcloud_ok("", &["setup", "--undo"])
            .stderr
            .contains("nothing to undo")
    );
}

#[test]
fn what_was_written_is_checked_for_later() {
    let scene = Scene::new();
    scene.bbcloud_ok("", &["setup", "--workspace", "acme"]);
    scene.git_ok("", &["config", "--global", "--remove-section", "url.bbcloud::acme/"]);
    let missing = scene.bbcloud("", &["setup", "--check"]);
    assert_eq!(missing.code, Some(1));
    let first = format!(
        "missing: url.bbcloud::acme/.insteadof = {}/acme/\n",
        scene.bitbucket.base_url()
    );
    assert!(missing.stdout.starts_with(&first), "{}", missing.stdout);
    // Another line in one of the sections stays; everything else goes.
    scene.git_ok("", &["config", "--global", "--add", "protocol.bbcloud.other", "mine"]);
    let undone = scene.bbcloud("", &["setup", "--undo"]);
    assert_eq!(undone.code, Some(1), "{}", undone.stderr);
    assert!(undone.stderr.contains("have been changed since"), "{}", undone.stderr);
    let rest = global(&scene);
    assert!(
        !rest.contains("allow = always") && !rest.contains("credential"),
        "{rest}"
    );
    assert_eq!(
        scene.git_ok("", &["config", "--global", "protocol.bbcloud.other"]),
        "mine\n"
    );
}

#[test]
fn the_file_is_the_one_that_git_writes() {
    let scene = Scene::new();
    let own = scene.home().join("own");
    scene.set("GIT_CONFIG_GLOBAL", &own);
    scene.bbcloud_ok("", &["setup"]);
    assert_eq!(
        scene.git_ok("", &["config", "--global", "protocol.bbcloud.allow"]),
        "always\n"
    );
    scene.bbcloud_ok("", &["setup", "--undo"]);
    assert!(!own.exists(), "there was none before");
    scene.unset("GIT_CONFIG_GLOBAL");
    fs::remove_file(scene.home().join(".gitconfig")).expect("it was there");
    let other = scene.home().join(".config/git/config");
    fs::create_dir_all(other.parent().expect("a directory")).expect("made");
    fs::write(&other, "[user]\n\tname = Ada\n").expect("written");
    scene.bbcloud_ok("", &["setup"]);
    assert!(
        fs::read_to_string(&other)
            .expect("a file")
            .contains("[protocol \"bbcloud\"]")
    );
    assert!(!scene.home().join(".gitconfig").exists());
    scene.bbcloud_ok("", &["setup", "--undo"]);
    assert_eq!(fs::read_to_string(&other).expect("a file"), "[user]\n\tname = Ada\n");
    fs::write(other.with_extension("lock"), "").expect("written");
    let failed = scene.bbcloud("", &["setup"]);
    assert_eq!(failed.code, Some(1));
    assert!(failed.stderr.contains("cannot lock '"), "{}", failed.stderr);
}

#[test]
fn https_and_ssh_urls_go_through_the_helper() {
    for options in [&["setup", "--all"][..], &["setup", "--workspace", "acme"]] {
        let scene = Scene::new();
        scene.bbcloud_ok("", options);
        let base = scene.bitbucket.base_url();
        scene.git_ok("", &["clone", "--quiet", &format!("{base}/{MAIN}.git"), "clone"]);
        scene.git_ok("", &["clone", "--quiet", &format!("git@localhost:{PART}.git"), "part"]);
        scene.git_ok(
            "",
            &["clone", "--quiet", &format!("ssh://git@localhost/{PART}.git"), "part-2"],
        );
        scene.commit("clone", "mine", b"mine\n");
        scene.git_ok("clone", &["push", "--quiet", "origin", "main"]);
        assert!(
            scene
                .text("clone/.git/config")
                .contains(&format!("url = {base}/{MAIN}.git\n"))
        );
    }
    let scene = Scene::new();
    for name in ["acme/widgets", "ac me"] {
        assert_eq!(
            scene.bbcloud("", &["setup", "--workspace", name]).code,
            Some(2),
            "{name}"
        );
    }
}

#[test]
fn an_https_remote_uses_the_same_secret() {
    let scene = Scene::new();
    scene.bbcloud_ok("", &["setup"]);
    let url = format!("{}/{MAIN}.git", scene.bitbucket.base_url());
    scene.set("GIT_TERMINAL_PROMPT", "0");
    scene.git_ok("", &["clone", "--quiet", &url, "clone"]);
    let mut fill = scene.command("git", &scene.work());
    fill.args(["credential", "fill"]);
    let filled = run_telling(fill, format!("url={url}\n\n").as_bytes());
    assert!(
        filled.stdout.contains(&format!("password={TOKEN}\n")),
        "{}",
        filled.stderr
    );
}
