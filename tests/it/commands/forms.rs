//! `migrate` on every form of remote, on all of them at once, and from every place of a repository.

use std::fs;

use crate::support::fixture::MAIN;
use crate::support::scene::Scene;

const CONFIG: &str = "clone/.git/config";

fn values(scene: &Scene, key: &str) -> Vec<String> {
    let text = scene.git_ok("clone", &["config", "--get-all", key]);
    text.lines().map(str::to_owned).collect()
}

#[test]
fn every_form_and_nothing_else() {
    let scene = Scene::new();
    scene.cloned();
    let base = scene.bitbucket.base_url();
    let rest = base.strip_prefix("https://").expect("TLS");
    let remotes = [
        (
            "plain",
            format!("https://{rest}/acme/widgets.git"),
            "bbcloud::acme/widgets",
        ),
        (
            "named",
            format!("https://ada@{rest}/acme/widgets"),
            "bbcloud::ada@acme/widgets",
        ),
        (
            "scp",
            "git@bitbucket.org:acme/parts.git".to_owned(),
            "bbcloud::acme/parts",
        ),
        (
            "ssh",
            "ssh://git@bitbucket.org/acme/parts.git".to_owned(),
            "bbcloud::acme/parts",
        ),
        (
            "wiki",
            format!("https://{rest}/acme/widgets.git/wiki"),
            "bbcloud::acme/widgets/wiki",
        ),
        ("hub", "https://me:mine@github.com/acme/widgets.git".to_owned(), ""),
        ("file", "../widgets".to_owned(), ""),
    ];
    for (name, url, _) in &remotes {
        scene.git_ok("clone", &["remote", "add", name, url]);
    }
    for url in [
        "git@bitbucket.org:acme/widgets",
        "git@github.com:acme/widgets",
        &remotes[0].1,
    ] {
        scene.git_ok("clone", &["config", "--add", "remote.plain.pushurl", url]);
    }
    scene.git_ok("clone", &["config", "--add", "submodule.part.url", &remotes[0].1]);
    let before = scene.text(CONFIG);
    scene.bbcloud_ok("clone", &["migrate", "--all-remotes"]);
    for (name, url, expected) in &remotes {
        let expected = if expected.is_empty() { url } else { *expected };
        assert_eq!(values(&scene, &format!("remote.{name}.url")), [expected], "{name}");
    }
    assert_eq!(
        values(&scene, "remote.plain.pushurl"),
        [
            "bbcloud::acme/widgets",
            "git@github.com:acme/widgets",
            "bbcloud::acme/widgets"
        ]
    );
    assert_eq!(values(&scene, "submodule.part.url"), ["bbcloud::acme/widgets"]);
    scene.git_ok("clone", &["fetch", "--quiet", "named"]);
    scene.bbcloud_ok("clone", &["migrate", "--undo"]);
    assert_eq!(scene.text(CONFIG), before);
}

#[test]
fn one_remote_of_several() {
    let scene = Scene::new();
    scene.cloned();
    for name in ["one", "two"] {
        scene.git_ok("clone", &["remote", "add", name, "git@bitbucket.org:acme/widgets.git"]);
    }
    let unknown = scene.bbcloud("clone", &["migrate", "--remote", "three"]);
    assert_eq!(unknown.code, Some(1));
    assert!(unknown.stderr.contains("no remote 'three'"), "{}", unknown.stderr);
    scene.bbcloud_ok("clone", &["migrate", "--remote", "two"]);
    assert_eq!(values(&scene, "remote.one.url"), ["git@bitbucket.org:acme/widgets.git"]);
    assert_eq!(values(&scene, "remote.two.url"), ["bbcloud::acme/widgets"]);
    scene.git_ok(
        "clone",
        &["remote", "set-url", "origin", "git@bitbucket.org:acme/widgets.git"],
    );
    let usual = scene.bbcloud_ok("clone", &["migrate"]);
    assert_eq!(values(&scene, "remote.origin.url"), ["bbcloud::acme/widgets"]);
    assert!(usual.stderr.contains("remote 'one'"), "{}", usual.stderr);
    assert_eq!(values(&scene, "remote.one.url"), ["git@bitbucket.org:acme/widgets.git"]);
}

#[test]
fn from_a_linked_work_tree_and_in_a_bare_repository() {
    let scene = Scene::new();
    scene.cloned();
    let ssh = "git@bitbucket.org:acme/widgets.git";
    scene.git_ok("clone", &["remote", "set-url", "origin", ssh]);
    scene.git_ok("clone", &["worktree", "add", "--quiet", "../linked", "-b", "linked"]);
    fs::create_dir(scene.path("linked/sub")).expect("a directory");
    scene.bbcloud_ok("linked/sub", &["migrate"]);
    assert_eq!(values(&scene, "remote.origin.url"), ["bbcloud::acme/widgets"]);
    assert!(scene.path("clone/.git/bbcloud-migrated.json").exists());
    scene.bbcloud_ok("", &["migrate", "--undo", "clone"]);
    assert_eq!(values(&scene, "remote.origin.url"), [ssh]);
    scene.git_ok("", &["clone", "--quiet", "--bare", &scene.url(MAIN), "bare.git"]);
    scene.git_ok("bare.git", &["config", "remote.origin.url", ssh]);
    scene.bbcloud_ok("", &["migrate", "./bare.git"]);
    assert_eq!(
        scene.git_ok("bare.git", &["remote", "get-url", "origin"]),
        "bbcloud::acme/widgets\n"
    );
    // Two arguments with a slash in the second are git's own way to call a helper, unless it is a directory.
    scene.bbcloud_ok("", &["migrate", "linked/sub"]);
    assert_eq!(values(&scene, "remote.origin.url"), ["bbcloud::acme/widgets"]);
}

#[test]
fn what_others_have_changed_since_stays() {
    let scene = Scene::new();
    scene.cloned();
    scene.git_ok(
        "clone",
        &["remote", "set-url", "origin", "git@bitbucket.org:acme/widgets.git"],
    );
    scene.git_ok("clone", &["remote", "add", "other", "git@bitbucket.org:acme/parts.git"]);
    scene.bbcloud_ok("clone", &["migrate", "--all-remotes"]);
    scene.git_ok("clone", &["remote", "set-url", "other", "bbcloud::acme/modern"]);
    let undone = scene.bbcloud_ok("clone", &["migrate", "--undo"]);
    assert!(
        undone.stderr.contains("'remote.other.url' was changed since"),
        "{}",
        undone.stderr
    );
    assert_eq!(
        values(&scene, "remote.origin.url"),
        ["git@bitbucket.org:acme/widgets.git"]
    );
    assert_eq!(values(&scene, "remote.other.url"), ["bbcloud::acme/modern"]);
}
