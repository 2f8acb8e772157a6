//! Work trees, several remotes at once, background maintenance, bundles, and programs that ask all the time.

use crate::support::fixture::{MAIN, PART, WIKI};
use crate::support::run::run;
use crate::support::scene::Scene;

#[test]
fn work_trees_share_their_remote() {
    let scene = Scene::new();
    scene.cloned();
    scene.git_ok(
        "clone",
        &["worktree", "add", "--quiet", "../topic", "-b", "topic", "origin/topic"],
    );
    scene.commit("topic", "mine", b"mine\n");
    scene.git_ok("topic", &["push", "--quiet", "origin", "topic"]);
    scene.bitbucket.commit(MAIN, "main", "More", &[("more", b"more\n")]);
    scene.git_ok("topic", &["fetch", "--quiet"]);
    let (here, there) = ("origin/main", "refs/heads/main");
    let fetched = scene.git_ok("clone", &["rev-parse", here]);
    assert_eq!(fetched, scene.server_git(MAIN, &["rev-parse", there]));
    // A work tree with its own settings, as `git sparse-checkout` makes them.
    scene.git_ok("topic", &["sparse-checkout", "set", "src"]);
    scene.git_ok("topic", &["pull", "--quiet", "--rebase", "origin", "main"]);
}

#[test]
fn several_remotes_at_once() {
    let scene = Scene::new();
    scene.cloned();
    for (name, repository) in [("parts", PART), ("wiki", WIKI), ("again", MAIN)] {
        scene.git_ok("clone", &["remote", "add", name, &scene.url(repository)]);
    }
    scene.git_ok(
        "clone",
        &[
            "fetch",
            "--quiet",
            "--multiple",
            "--jobs=4",
            "origin",
            "parts",
            "wiki",
            "again",
        ],
    );
    scene.git_ok("clone", &["fetch", "--quiet", "--all", "--jobs=4", "--prune"]);
    for branch in ["parts/main", "wiki/main", "again/topic"] {
        scene.git_ok("clone", &["rev-parse", "--verify", "--quiet", branch]);
    }
    scene.git_ok("clone", &["remote", "update", "--prune"]);
}

/// Each helper tells git-lfs about its remote, in the one file that they share.
#[test]
fn several_remotes_at_once_with_git_lfs() {
    let scene = Scene::new();
    scene.cloned();
    scene.git_ok("", &["lfs", "install", "--skip-repo"]);
    let names = ["one", "two", "three", "four", "five"];
    for name in names {
        scene.git_ok("clone", &["remote", "add", name, &scene.url(PART)]);
    }
    let fetched = scene.git_in("clone", &["fetch", "--quiet", "--all", "--jobs=6"]);
    assert!(fetched.success(), "{}", fetched.stderr);
    assert_eq!(fetched.stderr, "");
    for name in names {
        scene.git_ok("clone", &["config", &format!("remote.{name}.lfsurl")]);
    }
}

#[test]
fn maintenance_fetches_in_the_background() {
    let scene = Scene::new();
    scene.cloned();
    scene.bitbucket.commit(MAIN, "main", "More", &[("more", b"more\n")]);
    scene.git_ok("clone", &["maintenance", "run", "--task=prefetch", "--quiet"]);
    let fetched = scene.git_ok("clone", &["rev-parse", "refs/prefetch/remotes/origin/main"]);
    assert_eq!(fetched, scene.server_git(MAIN, &["rev-parse", "main"]));
    assert_ne!(fetched, scene.git_ok("clone", &["rev-parse", "origin/main"]));
}

/// The bundle has the most, and the helper is asked for the rest.
#[test]
fn a_bundle_first_and_then_the_repository() {
    let scene = Scene::new();
    let bundle = scene.path("main.bundle");
    let bundle = bundle.to_str().expect("UTF-8");
    scene.server_git(MAIN, &["bundle", "create", "--quiet", bundle, "main"]);
    scene.bitbucket.commit(MAIN, "main", "More", &[("more", b"more\n")]);
    let option = format!("--bundle-uri={bundle}");
    scene.git_ok("", &["clone", "--quiet", &option, &scene.url(MAIN), "second"]);
    assert_eq!(
        scene.git_ok("second", &["rev-parse", "HEAD"]),
        scene.server_git(MAIN, &["rev-parse", "main"])
    );
    let bundled = scene.git_ok("second", &["for-each-ref", "refs/bundles"]);
    assert!(bundled.contains("refs/bundles/"), "{bundled}");
    scene.git_ok("second", &["fsck", "--strict", "--no-progress"]);
}

/// What an editor does all day: look for news while the user fetches, and never ask anybody anything.
#[test]
fn programs_that_poll() {
    let scene = Scene::new();
    scene.cloned();
    scene.set("GIT_TERMINAL_PROMPT", "0");
    scene.set("GIT_OPTIONAL_LOCKS", "0");
    let clone = scene.path("clone");
    let main = scene.server_git(MAIN, &["rev-parse", "main"]);
    let commands: Vec<_> = (0..12)
        .map(|number| {
            let mut git = scene.command("git", &clone);
            git.args(match number % 3 {
                0 => &["ls-remote", "--heads", "origin", "main"][..],
                1 => &["fetch", "--quiet", "--dry-run", "--no-write-fetch-head"],
                _ => &[
                    "-c",
                    "fetch.prune=true",
                    "fetch",
                    "--quiet",
                    "--no-auto-gc",
                    "--no-write-fetch-head",
                ],
            });
            git
        })
        .collect();
    let running: Vec<_> = commands
        .into_iter()
        .map(|command| std::thread::spawn(move || run(command)))
        .collect();
    for (number, running) in running.into_iter().enumerate() {
        let output = running.join().expect("no panic");
        assert!(output.success(), "{number}: {}", output.stderr);
        assert_eq!(output.stderr, "", "{number}");
        if number % 3 == 0 {
            assert_eq!(output.stdout.split('\t').next(), Some(main.trim_end()), "{number}");
        }
    }
    // Who may not look is told so at once, and not asked.
    scene.unset("BBCLOUD_TOKEN");
    let refused = scene.git_in("clone", &["ls-remote", "origin"]);
    assert!(!refused.success());
    assert!(refused.stderr.contains("error: "), "{}", refused.stderr);
}
