//! Large files go where the commits go, whatever becomes of a remote, with the real git-lfs and `https://` beside it.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::support::fixture::{MAIN, PART, noise};
use crate::support::run::Output;
use crate::support::scene::Scene;

const BOTH: [&str; 2] = [MAIN, PART];

/// A clone of [`MAIN`] with git-lfs, from which a large file was pushed.
fn cloned() -> Scene {
    let scene = Scene::new();
    scene.set("GIT_TERMINAL_PROMPT", "0");
    scene.git_ok("", &["lfs", "install", "--skip-repo"]);
    scene.git_ok("", &["config", "--global", "lfs.locksverify", "false"]);
    scene.cloned();
    scene.git_ok("clone", &["lfs", "track", "*.bin"]);
    commit(&scene);
    scene.git_ok("clone", &["push", "--quiet", "origin", "HEAD:refs/heads/first"]);
    assert_eq!(uploads(&scene), [MAIN]);
    scene
}

/// Commits a large file, and forgets what the server was asked.
fn commit(scene: &Scene) {
    static SIZE: AtomicUsize = AtomicUsize::new(2000);
    let size = SIZE.fetch_add(1, Ordering::Relaxed);
    scene.commit("clone", "large.bin", &noise(size));
    scene.bitbucket.clear_requests();
}

/// Pushes a new large file to `to`.
fn push(scene: &Scene, to: &str) -> Output {
    commit(scene);
    let id = scene.git_ok("clone", &["rev-parse", "HEAD"]);
    let branch = format!("HEAD:refs/heads/b{}", id.trim());
    scene.git_in("clone", &["push", "--quiet", to, &branch])
}

/// The repositories that the server was asked to take large files for.
fn uploads(scene: &Scene) -> Vec<&'static str> {
    asked(scene, ".git/info/lfs/objects/batch")
}

/// The repositories that commits were pushed to.
fn pushes(scene: &Scene) -> Vec<&'static str> {
    asked(scene, ".git/git-receive-pack")
}

fn asked(scene: &Scene, end: &str) -> Vec<&'static str> {
    let requests = scene.bitbucket.requests();
    let was_asked = |name: &str| {
        let path = format!("/{name}{end}");
        requests.iter().any(|request| request.path.ends_with(&path))
    };
    BOTH.into_iter().filter(|name| was_asked(name)).collect()
}

fn assert_all_went_to(scene: &Scene, pushed: &Output, names: &[&str]) {
    assert!(pushed.success(), "{}", pushed.stderr);
    assert_eq!(pushes(scene), names, "commits");
    assert_eq!(uploads(scene), names, "large files");
}

fn config(scene: &Scene) -> String {
    scene.text("clone/.git/config")
}

#[test]
fn a_new_url_is_followed() {
    let scene = cloned();
    scene.git_ok("clone", &["remote", "set-url", "origin", &scene.url(PART)]);
    assert_all_went_to(&scene, &push(&scene, "origin"), &[PART]);
    assert!(
        !config(&scene).contains(&format!("{MAIN}.git/info/lfs\n\tbb")),
        "{}",
        config(&scene)
    );
    scene.git_ok("clone", &["remote", "rename", "origin", "up"]);
    assert_all_went_to(&scene, &push(&scene, "up"), &[PART]);
    scene.git_ok("clone", &["remote", "add", "origin", &scene.url(MAIN)]);
    assert_all_went_to(&scene, &push(&scene, "origin"), &[MAIN]);
    scene.git_ok("clone", &["remote", "remove", "origin"]);
    scene.git_ok("clone", &["remote", "add", "origin", &scene.url(PART)]);
    assert_all_went_to(&scene, &push(&scene, "origin"), &[PART]);
}

#[test]
fn a_push_url_is_followed() {
    let scene = cloned();
    scene.git_ok("clone", &["remote", "set-url", "--push", "origin", &scene.url(PART)]);
    assert_all_went_to(&scene, &push(&scene, "origin"), &[PART]);
    scene.git_ok("clone", &["fetch", "--quiet"]);
    commit(&scene);
    scene.git_ok("clone", &["lfs", "push", "origin", "HEAD"]);
    assert_eq!(uploads(&scene), [PART], "without the helper, too");
    let url = scene.https_url(PART);
    scene.git_ok("clone", &["config", "remote.origin.url", &scene.url(MAIN)]);
    scene.untraced(|| scene.git_ok("clone", &["remote", "set-url", "--push", "origin", &url]));
    scene.excuse_file(scene.path("clone/.git/config"));
    scene.excuse_traces();
    assert_all_went_to(&scene, &push(&scene, "origin"), &[PART]);
    let config = config(&scene).replace(&url, "");
    assert!(!config.contains(crate::support::scene::TOKEN), "{config}");
}

#[test]
fn each_of_two_push_urls_gets_the_files_or_nothing_is_sent() {
    let scene = cloned();
    let add = |name| {
        scene.git_ok(
            "clone",
            &["remote", "set-url", "--add", "--push", "origin", &scene.url(name)],
        )
    };
    add(MAIN);
    add(PART);
    let refused = push(&scene, "origin");
    assert!(!refused.success());
    assert!(
        pushes(&scene).is_empty() && uploads(&scene).is_empty(),
        "{}",
        refused.stderr
    );
    let commands = refused
        .stderr
        .lines()
        .filter_map(|line| line.strip_prefix("hint: git "));
    let commands: Vec<&str> = commands.collect();
    assert_eq!(commands.len(), 3, "{}", refused.stderr);
    for command in commands {
        scene.git_ok("clone", &command.split(' ').collect::<Vec<_>>());
    }
    assert_all_went_to(&scene, &push(&scene, "origin"), &BOTH);
}

#[test]
fn a_push_to_an_address_takes_its_files_along() {
    let scene = cloned();
    let lines = || {
        scene.git_ok(
            "clone",
            &["config", "--local", "--get-regexp", "^(remote|url|credential)"],
        )
    };
    let before = lines();
    assert_all_went_to(&scene, &push(&scene, &scene.url(PART)), &[PART]);
    assert_eq!(lines(), before);
    assert_eq!(scene.git_ok("clone", &["remote"]), "origin\n");
    assert_all_went_to(&scene, &push(&scene, &scene.url(MAIN)), &[MAIN]);
    let secret = format!("bbcloud::ada:secret@{PART}");
    let refused = scene.untraced(|| push(&scene, &secret));
    assert!(!refused.success());
    assert!(
        pushes(&scene).is_empty() && uploads(&scene).is_empty(),
        "{}",
        refused.stderr
    );
    assert!(!config(&scene).contains("secret"), "{}", config(&scene));
    assert!(
        refused.stderr.contains("with a secret in the address"),
        "{}",
        refused.stderr
    );
}

#[test]
fn a_remote_that_becomes_an_https_one_is_followed() {
    let scene = cloned();
    let url = scene.https_url(PART);
    scene.untraced(|| scene.git_ok("clone", &["remote", "set-url", "origin", &url]));
    scene.excuse_file(scene.path("clone/.git/config"));
    scene.excuse_traces();
    assert_all_went_to(&scene, &push(&scene, "origin"), &[PART]);
    assert!(!config(&scene).contains("lfsurl ="), "{}", config(&scene));
}

/// git-lfs has read the configuration before anybody can correct it.
#[test]
fn git_lfs_alone_is_refused_once_and_then_goes_where_it_should() {
    let scene = cloned();
    for (changed, arguments) in [
        (PART, &["remote", "set-url", "origin"][..]),
        (MAIN, &["remote", "set-url", "--push", "origin"]),
    ] {
        let url = scene.url(changed);
        scene.git_ok("clone", &[arguments, &[url.as_str()]].concat());
        commit(&scene);
        let refused = scene.git_in("clone", &["lfs", "push", "origin", "HEAD"]);
        assert!(!refused.success());
        assert!(refused.stderr.contains("run the command again"), "{}", refused.stderr);
        let sent = scene.bitbucket.requests();
        assert!(
            sent.iter()
                .all(|request| request.user.is_none() || !request.path.contains("lfs")),
            "{sent:?}"
        );
        scene.bitbucket.clear_requests();
        scene.git_ok("clone", &["lfs", "push", "origin", "HEAD"]);
        assert_eq!(uploads(&scene), [changed]);
    }
}

#[test]
fn values_of_the_users_own_are_never_changed() {
    let scene = cloned();
    let other = format!("{}/{PART}.git/info/lfs", scene.bitbucket.base_url());
    for (key, file) in [
        ("remote.origin.lfsurl", None),
        ("remote.origin.lfspushurl", None),
        ("lfs.url", None),
        ("lfs.pushurl", None),
        ("remote.origin.lfsurl", Some(".lfsconfig")),
        ("lfs.url", Some(".lfsconfig")),
    ] {
        let mut arguments = vec!["config"];
        arguments.extend(file.iter().flat_map(|file| ["--file", *file]));
        scene.git_ok("clone", &[&arguments[..], &[key, &other]].concat());
        let pushed = push(&scene, "origin");
        assert!(pushed.success(), "{key}: {}", pushed.stderr);
        assert_eq!(
            (pushes(&scene), uploads(&scene)),
            (vec![MAIN], vec![PART]),
            "{key} {file:?}"
        );
        let kept = scene.git_ok("clone", &[&arguments[..], &["--get-all", key]].concat());
        assert_eq!(kept.trim(), other, "{key}");
        scene.git_ok("clone", &[&arguments[..], &["--unset-all", key]].concat());
        assert_all_went_to(&scene, &push(&scene, "origin"), &[MAIN]);
    }
}

#[test]
fn a_clone_with_settings_and_a_mirror_go_where_they_should() {
    let scene = cloned();
    let other = format!("remote.up.lfsurl={}/{PART}.git/info/lfs", scene.bitbucket.base_url());
    std::fs::remove_dir_all(scene.path("clone")).expect("it was there");
    scene.git_ok(
        "",
        &["clone", "--quiet", "-o", "up", "-c", &other, &scene.url(MAIN), "clone"],
    );
    scene.git_ok("clone", &["lfs", "track", "*.bin"]);
    let pushed = push(&scene, "up");
    assert!(pushed.success(), "{}", pushed.stderr);
    assert_eq!((pushes(&scene), uploads(&scene)), (vec![MAIN], vec![PART]));
    scene.git_ok("", &["clone", "--quiet", "--mirror", &scene.url(MAIN), "mirror"]);
    scene.git_ok("mirror", &["lfs", "fetch", "--all", "origin", "first"]);
    scene.git_ok("mirror", &["remote", "set-url", "origin", &scene.url(PART)]);
    scene.git_ok("mirror", &["fetch", "--quiet", "origin"]);
    scene.bitbucket.clear_requests();
    scene.git_ok("mirror", &["lfs", "push", "--all", "origin"]);
    assert_eq!(uploads(&scene), [PART]);
}
