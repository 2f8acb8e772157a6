//! Submodules with absolute, relative and nested addresses.

use crate::support::fixture::{MAIN, PART};
use crate::support::scene::Scene;

/// A scene that allows submodules, as `setup` leaves it.
fn allowed() -> Scene {
    let scene = Scene::new();
    scene.bbcloud_ok("", &["setup"]);
    scene
}

/// Adds a submodule of [`PART`] by `url` to [`MAIN`], and publishes it.
fn publish(scene: &Scene, url: &str) {
    scene.cloned();
    scene.git_ok("clone", &["submodule", "--quiet", "add", url, "part"]);
    scene.git_ok("clone", &["commit", "--quiet", "-m", "part"]);
    scene.git_ok("clone", &["push", "--quiet", "origin", "main"]);
}

#[test]
fn an_absolute_address() {
    let scene = allowed();
    publish(&scene, &scene.url(PART));
    scene.git_ok(
        "",
        &["clone", "--quiet", "--recurse-submodules", &scene.url(MAIN), "second"],
    );
    assert_eq!(scene.text("second/part/part.txt"), "part\n");
    scene.bitbucket.commit(PART, "main", "More", &[("part.txt", b"more\n")]);
    scene.git_ok("second", &["submodule", "--quiet", "update", "--remote"]);
    assert_eq!(scene.text("second/part/part.txt"), "more\n");
}

#[test]
fn an_address_relative_to_its_repository() {
    let scene = allowed();
    for (url, name) in [("../parts", "second"), ("../../acme/parts.git", "third")] {
        scene.git_ok("", &["clone", "--quiet", &scene.url(MAIN), name]);
        scene.git_ok(name, &["submodule", "--quiet", "add", url, name]);
        assert_eq!(scene.text(&format!("{name}/{name}/part.txt")), "part\n");
        let shown = scene.git_ok(name, &["config", &format!("submodule.{name}.url")]);
        assert!(shown.starts_with("bbcloud::acme/parts"), "{shown}");
    }
}

#[test]
fn a_submodule_of_a_submodule() {
    let scene = allowed();
    scene.git_ok("", &["clone", "--quiet", &scene.url("acme/empty"), "middle"]);
    scene.git_ok("middle", &["submodule", "--quiet", "add", "../parts", "inner"]);
    scene.git_ok("middle", &["commit", "--quiet", "-m", "inner"]);
    scene.git_ok("middle", &["push", "--quiet", "origin", "HEAD:main"]);
    scene.cloned();
    scene.git_ok("clone", &["submodule", "--quiet", "add", "../empty", "middle"]);
    scene.git_ok("clone", &["commit", "--quiet", "-m", "middle"]);
    scene.git_ok("clone", &["push", "--quiet", "origin", "main"]);
    let clone = [
        "clone",
        "--quiet",
        "--recurse-submodules",
        "--jobs",
        "4",
        &scene.url(MAIN),
        "second",
    ];
    scene.git_ok("", &clone);
    assert_eq!(scene.text("second/middle/inner/part.txt"), "part\n");
    scene.git_ok("second", &["fetch", "--quiet", "--recurse-submodules=yes", "--jobs=4"]);
    let migrated = scene.bbcloud_ok("second", &["migrate", "--dry-run"]);
    assert!(
        migrated.stderr.contains("nothing to migrate"),
        "{}{}",
        migrated.stdout,
        migrated.stderr
    );
}

#[test]
fn submodules_by_https_are_fetched_through_the_helper() {
    let scene = Scene::new();
    scene.bbcloud_ok("", &["setup", "--workspace", "acme"]);
    publish(&scene, &format!("{}/{PART}.git", scene.bitbucket.base_url()));
    scene.git_ok(
        "",
        &["clone", "--quiet", "--recurse-submodules", &scene.url(MAIN), "second"],
    );
    assert_eq!(scene.text("second/part/part.txt"), "part\n");
}

#[test]
fn without_setup_git_refuses_and_names_the_protocol() {
    let scene = Scene::new();
    scene.cloned();
    let refused = scene.git_in("clone", &["submodule", "add", &scene.url(PART), "part"]);
    assert!(!refused.success());
    assert!(
        refused.stderr.contains("transport 'bbcloud' not allowed"),
        "{}",
        refused.stderr
    );
}
