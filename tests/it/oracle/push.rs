//! Pushes: what is sent, what is refused, and what is told to programs.

use super::{Side, same_in_all, same_now};

/// A clone with one commit that the server lacks.
fn ahead(side: &Side) {
    side.cloned();
    side.scene.commit("clone", "mine", b"mine\n");
}

/// A clone with one commit, of a server that has got another one.
fn behind(side: &Side) {
    ahead(side);
    side.server_commits("theirs");
}

macro_rules! pushes {
    ($($name:ident: $prepare:ident, $status:ident, $($argument:literal)*;)*) => {
        $(
            #[test]
            fn $name() {
                same_now(|side| {
                    $prepare(side);
                    pushes!(@$status, side.data("clone", &["push", "--porcelain", $($argument,)*]));
                });
            }
        )*
    };
    (@ok, $output:expr) => {{
        let output = $output;
        assert!(output.success(), "{}", output.stderr);
    }};
    (@fails, $output:expr) => {{
        let output = $output;
        assert!(!output.success(), "{}", output.stdout);
    }};
}

pushes! {
    an_update: ahead, ok, "origin" "main";
    a_new_branch: ahead, ok, "-u" "origin" "HEAD:refs/heads/new";
    what_the_server_does_not_have_is_refused: behind, fails, "origin" "main";
    force: behind, ok, "--force" "origin" "main";
    a_plus_forces: behind, ok, "origin" "+main:main";
    a_deletion_alone: ahead, ok, "origin" "--delete" "topic";
    several_deletions: ahead, ok, "origin" ":topic" ":refs/tags/v1" ":deep";
    a_deletion_of_nothing: ahead, ok, "origin" ":refs/heads/nowhere";
    create_update_and_delete_at_once: ahead, ok, "origin" "main" "main:new" ":topic" "v1:refs/tags/again";
    one_of_several_is_refused: behind, fails, "origin" "main" "HEAD:new";
    atomic: ahead, ok, "--atomic" "origin" "main" "HEAD:new";
    all_branches: ahead, ok, "--all" "origin";
    options: ahead, ok, "-o" "topic=x" "--push-option=y z" "origin" "main";
    a_dry_run: ahead, ok, "--dry-run" "origin" "main" "HEAD:new" ":topic";
    a_dry_run_that_would_fail: behind, fails, "--dry-run" "origin" "main";
    nothing_to_push: cloned, ok, "origin" "main";
    nothing_new_in_a_new_branch: cloned, ok, "origin" "main~2:refs/heads/older";
    verbosely: ahead, ok, "-v" "--progress" "origin" "main";
    without_thin_packs: ahead, ok, "--no-thin" "origin" "main";
    a_source_that_is_not_there: ahead, fails, "origin" "nowhere";
    lease_kept: behind, fails, "--force-with-lease" "origin" "main";
    lease_of_a_branch_that_must_not_be_there: ahead, ok, "--force-with-lease=new:" "origin" "HEAD:new";
    lease_broken: ahead, fails, "--force-with-lease=main:topic" "origin" "main";
}

fn cloned(side: &Side) {
    side.cloned();
}

#[test]
fn mirror() {
    same_now(|side| {
        side.ok("", &["clone", "--quiet", "--mirror", &side.url(), "clone"]);
        side.ok("clone", &["update-ref", "refs/heads/new", "main~1"]);
        side.ok("clone", &["update-ref", "-d", "refs/heads/topic"]);
        side.ok("clone", &["update-ref", "refs/notes/x", "main~2"]);
        side.data("clone", &["push", "--porcelain", "--mirror"]);
    });
}

#[test]
fn tags_all_of_them_or_those_that_belong_to_commits() {
    same_now(|side| {
        ahead(side);
        side.ok("clone", &["tag", "-a", "-m", "x", "here", "HEAD"]);
        side.ok("clone", &["tag", "light", "HEAD~2", "-f"]);
        side.ok("clone", &["tag", "-a", "-m", "x", "there", "origin/topic"]);
        side.data("clone", &["push", "--porcelain", "--follow-tags", "origin", "main"]);
        side.data("clone", &["push", "--porcelain", "--tags"]);
        side.data("clone", &["push", "--porcelain", "--tags", "--force"]);
    });
}

#[test]
fn a_lease_holds_after_a_rewrite_and_is_stale_after_a_push_of_others() {
    same_now(|side| {
        side.cloned();
        side.ok("clone", &["commit", "--quiet", "--amend", "-m", "again"]);
        side.data(
            "clone",
            &["push", "--porcelain", "--force-with-lease", "origin", "main"],
        );
        side.server_commits("theirs");
        side.ok("clone", &["commit", "--quiet", "--amend", "-m", "once more"]);
        side.data(
            "clone",
            &["push", "--porcelain", "--force-with-lease", "origin", "main"],
        );
        side.ok("clone", &["fetch", "--quiet"]);
        let included = [
            "push",
            "--porcelain",
            "--force-with-lease",
            "--force-if-includes",
            "origin",
            "main",
        ];
        side.data("clone", &included);
        side.ok("clone", &["rebase", "--quiet", "origin/main"]);
        side.ok("clone", &["commit", "--quiet", "--amend", "-m", "at last"]);
        side.data("clone", &included);
    });
}

#[test]
fn from_a_shallow_clone() {
    same_in_all(|side| {
        side.ok("", &["clone", "--quiet", "--depth=1", &side.url(), "clone"]);
        side.scene.commit("clone", "mine", b"mine\n");
        side.data("clone", &["push", "--porcelain", "origin", "main", "HEAD:new"]);
        side.data("clone", &["push", "--porcelain", "--dry-run", "origin", "HEAD:other"]);
        side.data("clone", &["push", "--porcelain", "origin", ":new"]);
    });
}

#[test]
fn from_a_partial_clone() {
    same_now(|side| {
        side.ok("", &["clone", "--quiet", "--filter=blob:none", &side.url(), "clone"]);
        side.scene.commit("clone", "mine", b"mine\n");
        side.data("clone", &["push", "--porcelain", "origin", "main"]);
    });
}

/// `git-remote-https` is silent here, where git over ssh, and so over our helper, names what was not pushed.
#[test]
fn atomic_with_one_refused() {
    same_now(|side| {
        behind(side);
        side.fails(
            "clone",
            &["push", "--porcelain", "--atomic", "origin", "main", "HEAD:new"],
        );
    });
}

#[test]
fn the_usual_pushes_in_every_version() {
    same_in_all(|side| {
        ahead(side);
        side.data("clone", &["push", "--porcelain", "origin", "main", "HEAD:new"]);
        side.data("clone", &["push", "--porcelain", "origin", ":new"]);
        side.data(
            "clone",
            &[
                "push",
                "--porcelain",
                "-o",
                "x",
                "--atomic",
                "origin",
                "main~1:two",
                ":topic",
            ],
        );
        side.data("clone", &["push", "--porcelain", "--dry-run", "origin", "main:three"]);
        side.data(
            "clone",
            &["push", "--porcelain", "origin", "+main~2:main", "main~1:deep"],
        );
    });
}
