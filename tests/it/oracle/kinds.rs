//! Other sorts of repositories: SHA-256, wikis, empty ones, those with submodules or bundles.

use super::{same, same_in_all, same_with};
use crate::bitbucket::Settings;
use crate::support::fixture::{EMPTY, MAIN, MODERN, MODERN_EMPTY, PART, WIKI};
use crate::support::scene::Scene;
use crate::support::skip::has_git;

#[test]
fn sha256() {
    same_in_all(|side| {
        side.ok("", &["clone", "--quiet", &side.scene.url(MODERN), "clone"]);
        side.scene.bitbucket.commit(MODERN, "main", "More", &[("two", b"2\n")]);
        side.ok("clone", &["pull", "--quiet"]);
        side.scene.commit("clone", "mine", b"mine\n");
        side.data("clone", &["push", "--porcelain", "origin", "main", "HEAD:new"]);
        side.data("clone", &["push", "--porcelain", "origin", ":new"]);
        side.data("", &["ls-remote", &side.scene.url(MODERN)]);
        side.ok(
            "",
            &["clone", "--quiet", "--depth=1", &side.scene.url(MODERN), "shallow"],
        );
    });
}

#[test]
fn an_empty_sha256_repository() {
    if !has_git(2, 41, "learns of an empty repository that it is one of SHA-256") {
        return;
    }
    same_in_all(|side| {
        side.ok("", &["clone", "--quiet", &side.scene.url(MODERN_EMPTY), "clone"]);
        side.data("clone", &["rev-parse", "--show-object-format"]);
        side.git("clone", &["fetch", "--quiet"]);
        side.scene.commit("clone", "mine", b"mine\n");
        side.data("clone", &["push", "--porcelain", "-u", "origin", "HEAD"]);
    });
}

#[test]
fn the_formats_do_not_mix() {
    same(|side| {
        side.ok("", &["clone", "--quiet", &side.scene.url(MODERN), "clone"]);
        side.fails("clone", &["fetch", "--quiet", &side.url()]);
        side.fails("clone", &["push", "--quiet", &side.url(), "HEAD:refs/heads/x"]);
    });
}

#[test]
fn an_empty_repository() {
    same_in_all(|side| {
        let url = side.scene.url(EMPTY);
        side.ok("", &["clone", "--quiet", &url, "plain"]);
        side.ok("", &["clone", "--quiet", "--bare", &url, "bare"]);
        side.ok("", &["clone", "--quiet", "--depth=1", &url, "shallow"]);
        side.ok("plain", &["fetch", "--quiet"]);
    });
}

#[test]
fn a_wiki() {
    same(|side| {
        side.ok("", &["clone", "--quiet", &side.scene.url(WIKI), "clone"]);
        side.scene.commit("clone", "Page.md", b"# Page\n");
        side.ok("clone", &["push", "--quiet"]);
        side.scene
            .bitbucket
            .commit(WIKI, "main", "Next", &[("Next.md", b"# Next\n")]);
        side.ok("clone", &["pull", "--quiet"]);
    });
}

#[test]
fn submodules_by_relative_path() {
    same(|side| {
        side.ok("", &["config", "--global", "protocol.bbcloud.allow", "always"]);
        side.cloned();
        side.ok("clone", &["submodule", "--quiet", "add", "../parts", "near"]);
        side.ok("clone", &["commit", "--quiet", "-m", "Parts"]);
        side.ok("clone", &["push", "--quiet", "--recurse-submodules=check"]);
        side.ok("", &["clone", "--quiet", "--recurse-submodules", &side.url(), "again"]);
        side.scene
            .bitbucket
            .commit(PART, "main", "More", &[("more", b"more\n")]);
        side.ok("again", &["submodule", "--quiet", "update", "--remote", "--recursive"]);
        side.ok("again", &["submodule", "--quiet", "sync"]);
        side.ok("clone", &["fetch", "--quiet", "--recurse-submodules"]);
    });
}

/// The address is part of what is committed, so there is nothing to compare.
#[test]
fn a_submodule_by_its_address_needs_the_protocol_to_be_allowed() {
    let scene = Scene::new();
    scene.cloned();
    let refused = scene.git_in("clone", &["submodule", "add", &scene.url(PART), "part"]);
    assert!(
        refused.stderr.contains("transport 'bbcloud' not allowed"),
        "{}",
        refused.stderr
    );
    scene.git_ok("", &["config", "--global", "protocol.bbcloud.allow", "always"]);
    scene.git_ok("clone", &["submodule", "add", &scene.url(PART), "part"]);
    scene.git_ok("clone", &["commit", "--quiet", "-m", "Part"]);
    scene.git_ok("clone", &["push", "--quiet"]);
    scene.git_ok(
        "",
        &["clone", "--quiet", "--recurse-submodules", &scene.url(MAIN), "again"],
    );
    assert_eq!(
        std::fs::read_to_string(scene.path("again/part/part.txt")).unwrap(),
        "part\n"
    );
}

/// A server that names bundles: the client takes what is in them from there, and only the rest from the server.
#[test]
fn bundles() {
    if !has_git(2, 40, "is told of bundles by the server") {
        return;
    }
    same_with(&[1, 2], &Settings::default(), |side| {
        let bundle = side.scene.path("main.bundle");
        side.server(&["bundle", "create", &bundle.display().to_string(), "main", "v1"]);
        side.server(&["config", "uploadpack.advertiseBundleURIs", "true"]);
        side.server(&["config", "bundle.version", "1"]);
        side.server(&["config", "bundle.mode", "all"]);
        side.server(&["config", "bundle.one.uri", &format!("file://{}", bundle.display())]);
        side.ok(
            "",
            &[
                "-c",
                "transfer.bundleURI=true",
                "clone",
                "--quiet",
                &side.url(),
                "clone",
            ],
        );
        let taken = side.data("clone", &["for-each-ref", "refs/bundles"]);
        assert_eq!(!taken.stdout.is_empty(), side.version == 2, "{}", taken.stdout);
        std::fs::remove_file(bundle).expect("a file can be removed");
    });
}

#[test]
fn a_bundle_named_on_the_command_line() {
    same_with(&[2], &Settings::default(), |side| {
        let bundle = side.scene.path("main.bundle");
        side.server(&["bundle", "create", &bundle.display().to_string(), "main"]);
        let option = format!("--bundle-uri={}", bundle.display());
        side.ok("", &["clone", "--quiet", &option, &side.url(), "clone"]);
        std::fs::remove_file(bundle).expect("a file can be removed");
    });
}

/// A server that knows nothing newer than version 0, whatever it is asked for.
#[test]
fn an_old_server() {
    let settings = Settings {
        ignore_git_protocol: true,
        ..Settings::default()
    };
    same_with(&[0, 1, 2], &settings, |side| {
        side.ok("", &["clone", "--quiet", "--depth=2", &side.url(), "clone"]);
        side.server_commits("later");
        side.ok("clone", &["fetch", "--quiet", "--deepen=1"]);
        side.ok("clone", &["pull", "--quiet"]);
        side.scene.commit("clone", "mine", b"mine\n");
        side.data("clone", &["push", "--porcelain", "origin", "main", ":topic"]);
        side.data("", &["ls-remote", "--symref", &side.scene.url(MAIN)]);
    });
}
