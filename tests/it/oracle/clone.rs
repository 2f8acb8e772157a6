//! Clones, whole and in part.

use super::{same, same_in_all};

macro_rules! clones {
    ($($name:ident: $($option:literal)*;)*) => {
        $(
            #[test]
            fn $name() {
                same(|side| {
                    side.ok("", &["clone", "--quiet", $($option,)* &side.url(), "clone"]);
                });
            }
        )*
    };
}

clones! {
    bare: "--bare";
    mirror: "--mirror";
    one_branch_checked_out: "--branch" "topic";
    a_tag_checked_out: "--branch" "v1";
    single_branch: "--single-branch" "--branch=topic";
    without_tags: "--no-tags";
    another_name_for_the_remote: "--origin" "upstream";
    without_checkout: "--no-checkout";
    depth_of_every_branch: "--depth=2" "--no-single-branch";
    since_a_date: "--shallow-since=2025-06-19";
    without_the_history_of_a_tag: "--shallow-exclude=v2";
    without_blobs: "--filter=blob:none";
    without_large_blobs: "--filter=blob:limit=500";
    without_trees: "--filter=tree:0";
    shallow_and_without_blobs: "--depth=1" "--filter=blob:none";
    sparse: "--filter=blob:none" "--sparse";
    with_progress: "--progress";
    quietly_or_not: "-v" "-v";
}

#[test]
fn plain_shallow_and_in_one_branch_in_every_version() {
    same_in_all(|side| {
        side.cloned();
        side.ok("", &["clone", "--quiet", "--depth=1", &side.url(), "shallow"]);
        side.ok(
            "",
            &["clone", "--quiet", "--single-branch", "--bare", &side.url(), "single"],
        );
    });
}

#[test]
fn a_branch_that_is_not_there_is_a_failure() {
    same(|side| {
        side.fails("", &["clone", "--quiet", "--branch=nowhere", &side.url(), "clone"]);
    });
}

#[test]
fn a_repository_that_is_not_there_is_a_failure_and_leaves_nothing() {
    same(|side| {
        side.fails("", &["clone", "--quiet", &side.scene.url("acme/nowhere"), "clone"]);
        assert!(!side.scene.path("clone").exists());
    });
}

/// What a partial clone lacks is fetched when it is needed, one object or many.
#[test]
fn what_a_partial_clone_lacks_is_fetched_when_it_is_needed() {
    same_in_all(|side| {
        side.ok(
            "",
            &[
                "clone",
                "--quiet",
                "--filter=blob:none",
                "--no-checkout",
                &side.url(),
                "clone",
            ],
        );
        side.ok("clone", &["checkout", "--quiet", "main"]);
        side.data("clone", &["log", "-p", "--format=%H", "v2"]);
        side.ok("clone", &["checkout", "--quiet", "topic"]);
    });
}

#[test]
fn trees_that_a_partial_clone_lacks_are_fetched_when_they_are_needed() {
    same(|side| {
        side.ok("", &["clone", "--quiet", "--filter=tree:0", &side.url(), "clone"]);
        side.data("clone", &["ls-tree", "-r", "main~2"]);
        side.server_commits("later");
        side.ok("clone", &["pull", "--quiet"]);
    });
}

#[test]
fn a_reference_repository_saves_the_transfer() {
    same(|side| {
        side.ok("", &["clone", "--quiet", "--bare", &side.url(), "near"]);
        side.ok(
            "",
            &[
                "clone",
                "--quiet",
                "--reference=near",
                "--dissociate",
                &side.url(),
                "clone",
            ],
        );
    });
}
