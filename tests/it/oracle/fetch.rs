//! Fetches into a repository that has something already.

use std::fmt::Write as _;

use super::{Side, same, same_in_all};
use crate::support::fixture;

#[test]
fn new_commits_branches_and_tags() {
    same_in_all(|side| {
        side.cloned();
        side.server_commits("later");
        side.server(&["branch", "new", "main~1"]);
        side.server(&["tag", "new-light", "main"]);
        side.server(&["tag", "-a", "-m", "x", "new-heavy", "main"]);
        side.ok("clone", &["fetch", "--quiet"]);
        side.server(&["tag", "-f", "far", "topic"]);
        side.ok("clone", &["fetch", "--quiet", "--tags"]);
    });
}

#[test]
fn nothing_new() {
    same_in_all(|side| {
        side.cloned();
        side.ok("clone", &["fetch"]);
        side.ok("clone", &["fetch", "--quiet", "origin", "main"]);
    });
}

#[test]
fn prune() {
    same(|side| {
        side.cloned();
        side.server(&["branch", "-D", "topic"]);
        side.server(&["tag", "-d", "v1"]);
        side.server_commits("later");
        side.ok("clone", &["fetch", "--quiet", "--prune", "--prune-tags"]);
    });
}

#[test]
fn a_branch_that_was_rewritten() {
    same(|side| {
        side.cloned();
        side.server(&["update-ref", "refs/heads/main", "refs/heads/topic"]);
        side.ok("clone", &["fetch", "--quiet"]);
        side.fails(
            "clone",
            &[
                "fetch",
                "--quiet",
                "origin",
                "main:refs/heads/deep",
                "main:refs/heads/main",
            ],
        );
    });
}

fn shallow(side: &Side) {
    side.ok(
        "",
        &[
            "clone",
            "--quiet",
            "--depth=1",
            "--no-single-branch",
            &side.url(),
            "clone",
        ],
    );
}

macro_rules! deepens {
    ($($name:ident: $($option:literal)*;)*) => {
        $(
            #[test]
            fn $name() {
                same(|side| {
                    shallow(side);
                    side.server_commits("later");
                    side.ok("clone", &["fetch", "--quiet", $($option,)*]);
                });
            }
        )*
    };
}

deepens! {
    a_shallow_clone_stays_shallow: ;
    a_depth: "--depth=3";
    deepen: "--deepen=2";
    deepen_since: "--shallow-since=2025-06-10";
    deepen_without_a_tag: "--shallow-exclude=v2";
    unshallow: "--unshallow";
    update_shallow: "--update-shallow";
}

/// The server gives up and says nothing: in version 0, both ends could now wait for the other.
#[test]
fn a_date_after_everything() {
    same(|side| {
        shallow(side);
        side.server_commits("later");
        side.fails("clone", &["fetch", "--quiet", "--shallow-since=2025-06-19"]);
    });
}

#[test]
fn a_whole_clone_becomes_shallow() {
    same(|side| {
        side.cloned();
        side.ok("clone", &["fetch", "--quiet", "--depth=2"]);
    });
}

/// A shallow server: its boundary is taken over with `--update-shallow` and refused without.
#[test]
fn from_a_shallow_repository() {
    same(|side| {
        side.ok("", &["init", "--quiet", "clone"]);
        let boundary = side.server(&["rev-parse", "main~3"]);
        let place = side.scene.bitbucket.repository_path(fixture::MAIN);
        std::fs::write(place.join("shallow"), boundary).expect("a file can be written");
        side.git(
            "clone",
            &["fetch", "--quiet", &side.url(), "main:refs/remotes/origin/main"],
        );
        side.ok(
            "clone",
            &[
                "fetch",
                "--quiet",
                "--update-shallow",
                &side.url(),
                "main:refs/remotes/origin/main",
            ],
        );
    });
}

#[test]
fn everything_once_more() {
    same(|side| {
        side.ok("", &["clone", "--quiet", "--filter=blob:none", &side.url(), "clone"]);
        side.ok("clone", &["fetch", "--quiet", "--refetch", "--filter=blob:limit=10k"]);
    });
}

#[test]
fn one_object_by_its_id() {
    same_in_all(|side| {
        side.ok("", &["init", "--quiet", "clone"]);
        let id = side.server(&["rev-parse", "main~4"]);
        side.ok("clone", &["fetch", "--quiet", &side.url(), id.trim()]);
        side.ok(
            "clone",
            &[
                "fetch",
                "--quiet",
                "--depth=1",
                &side.url(),
                &format!("{}:refs/heads/x", id.trim()),
            ],
        );
        side.fails("clone", &["fetch", "--quiet", &side.url(), &"1".repeat(40)]);
    });
}

#[test]
fn refspecs_negative_and_otherwise() {
    same(|side| {
        side.ok("", &["init", "--quiet", "clone"]);
        side.ok("clone", &["remote", "add", "-t", "main", "origin", &side.url()]);
        side.ok(
            "clone",
            &["config", "--add", "remote.origin.fetch", "+refs/heads/*:refs/x/*"],
        );
        side.ok("clone", &["config", "--add", "remote.origin.fetch", "^refs/heads/deep"]);
        side.ok("clone", &["fetch", "--quiet", "--no-tags"]);
        side.fails("clone", &["fetch", "--quiet", "origin", "nowhere"]);
        side.ok(
            "clone",
            &["fetch", "--quiet", "--atomic", "--dry-run", "origin", "deep"],
        );
    });
}

#[test]
fn several_remotes_one_after_another_and_at_once() {
    same(|side| {
        side.ok("", &["init", "--quiet", "clone"]);
        side.ok("clone", &["remote", "add", "one", &side.url()]);
        side.ok("clone", &["remote", "add", "two", &side.scene.url(fixture::PART)]);
        side.ok("clone", &["fetch", "--quiet", "--all"]);
        side.server_commits("later");
        side.ok(
            "clone",
            &[
                "fetch",
                "--quiet",
                "--multiple",
                "--jobs=2",
                "--no-write-fetch-head",
                "one",
                "two",
            ],
        );
        // Older versions of git write it for several remotes all the same, and at once in any order.
        std::fs::remove_file(side.scene.path("clone/.git/FETCH_HEAD")).expect("the first fetch has written it");
    });
}

#[test]
fn pull_merges_and_rebases() {
    same_in_all(|side| {
        side.cloned();
        side.server_commits("later");
        side.ok("clone", &["pull", "--quiet"]);
        side.scene.commit("clone", "mine", b"mine\n");
        side.server_commits("theirs");
        side.ok("clone", &["pull", "--quiet", "--rebase"]);
        side.scene.commit("clone", "mine2", b"mine\n");
        side.server_commits("theirs2");
        // The message of a merge names the remote's URL.
        side.ok("clone", &["pull", "--quiet", "--no-rebase", "--no-commit"]);
        side.ok("clone", &["commit", "--quiet", "-m", "merge"]);
    });
}

/// So many common commits that the negotiation takes several rounds, and requests of more than a kilobyte.
#[test]
fn a_long_negotiation() {
    same(|side| {
        side.cloned();
        let mut stream = String::new();
        for number in 0..600 {
            write!(
                stream,
                "commit refs/heads/mine\ncommitter Ada <ada@example.com> {} +0000\ndata 2\nx\n{}",
                1_765_000_000 + number,
                if number == 0 {
                    "from refs/remotes/origin/main^0\n"
                } else {
                    ""
                }
            )
            .expect("a string can be written to");
        }
        fixture::import(&side.scene.path("clone"), stream.as_bytes());
        side.server_commits("later");
        side.ok("clone", &["fetch", "--quiet"]);
    });
}

#[test]
fn a_worktree_fetches_for_all() {
    same(|side| {
        side.cloned();
        side.ok("clone", &["worktree", "add", "--quiet", "../tree", "topic"]);
        side.server_commits("later");
        side.ok("tree", &["fetch", "--quiet"]);
        side.scene.commit("tree", "mine", b"mine\n");
        side.ok("tree", &["push", "--quiet", "origin", "HEAD"]);
    });
}
