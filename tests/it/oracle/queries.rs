//! What only asks: `ls-remote`, and `archive`.

use std::fmt::Write as _;

use super::{same, same_in_all, same_with};
use crate::bitbucket::Settings;
use crate::support::fixture::{EMPTY, MAIN, MODERN_EMPTY};
use crate::support::scene::{Scene, Transport};
use crate::support::skip::{ARCHIVE, has_git};

#[test]
fn ls_remote_outside_of_a_repository() {
    same_in_all(|side| {
        let url = side.url();
        for arguments in [
            &["ls-remote", &url][..],
            &["ls-remote", "--heads", &url],
            &["ls-remote", "--tags", "--refs", &url],
            &["ls-remote", "--symref", &url],
            &["ls-remote", "--symref", &url, "HEAD"],
            &["ls-remote", "--sort=-version:refname", &url, "main", "v*"],
            &["ls-remote", "--exit-code", &url, "nowhere"],
            &["ls-remote", "--get-url", &url],
            &["ls-remote", "-q", "-o", "x=y", &url, "refs/heads/topic"],
            &["ls-remote", "--upload-pack=elsewhere", &url],
        ] {
            side.data("", arguments);
        }
    });
}

#[test]
fn ls_remote_of_a_remote_by_its_name() {
    same(|side| {
        side.cloned();
        side.server_commits("later");
        side.data("clone", &["ls-remote"]);
        side.data("clone", &["ls-remote", "--heads", "origin", "t*"]);
    });
}

#[test]
fn ls_remote_of_an_empty_repository() {
    same(|side| {
        for name in [EMPTY, MODERN_EMPTY] {
            let output = side.data("", &["ls-remote", "--symref", &side.scene.url(name)]);
            assert!(output.success(), "{}", output.stderr);
        }
    });
}

#[test]
fn a_detached_head_on_the_server() {
    same(|side| {
        side.server(&["update-ref", "--no-deref", "HEAD", "main~2"]);
        side.data("", &["ls-remote", "--symref", &side.url(), "HEAD"]);
        side.ok("", &["clone", "--quiet", &side.url(), "clone"]);
    });
}

#[test]
fn five_thousand_refs() {
    same_with(&[0, 2], &Settings::default(), |side| {
        let id = side.server(&["rev-parse", "main"]);
        let mut packed = String::from("# pack-refs with: peeled fully-peeled sorted \n");
        for number in 0..5000 {
            writeln!(packed, "{} refs/tags/many/{number:04}", id.trim()).expect("a string can be written to");
        }
        let place = side.scene.bitbucket.repository_path(MAIN);
        std::fs::write(place.join("packed-refs"), packed).expect("a file can be written");
        let listed = side.data("", &["ls-remote", &side.url()]);
        assert!(listed.stdout.lines().count() > 5000);
        side.ok("", &["clone", "--quiet", "--bare", &side.url(), "clone"]);
        side.ok("clone", &["fetch", "--quiet", "--tags"]);
        side.ok("clone", &["update-ref", "refs/heads/new", "main"]);
        side.data("clone", &["push", "--porcelain", &side.url(), "new"]);
    });
}

/// `git-remote-https` asks for archives in version 2 only.
#[test]
fn archives() {
    if !has_git(2, 44, ARCHIVE) {
        return;
    }
    same_with(&[2], &Settings::default(), |side| {
        let remote = format!("--remote={}", side.url());
        let output = side.data("", &["archive", "--format=tar", "--prefix=x/", &remote, "main", "src"]);
        assert!(
            output.success() && output.stdout.contains("x/src/1.txt"),
            "{}",
            output.stderr
        );
        side.ok("", &["archive", "-o", "out.tar", &remote, "v1"]);
        side.git(
            "",
            &["archive", "--format=zip", "-o", "out.zip", "-9", &remote, "topic"],
        );
        side.data("", &["archive", "--list", &remote]);
        side.fails("", &["archive", &remote, "nowhere"]);
        side.fails("", &["archive", &remote, "main", "no/such/path"]);
    });
}

#[test]
fn archives_in_any_version() {
    if !has_git(2, 44, ARCHIVE) {
        return;
    }
    for version in [0, 1] {
        let scene = Scene::with(Transport::Bbcloud, version, Settings::default());
        let remote = format!("--remote={}", scene.url(MAIN));
        let archive = scene.git_ok("", &["archive", "--format=tar", &remote, "main"]);
        assert!(archive.contains("src/1.txt"), "{archive}");
    }
}
