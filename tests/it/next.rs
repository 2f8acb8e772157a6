//! What newer gits know, with the system's git and with the newest that is here; and what git itself says, byte for byte
//! as over `https`.

use std::path::Path;

use crate::bitbucket::{Action, Fault, Settings};
use crate::gits::scene_of;
use crate::support::fixture::{MAIN, MODERN};
use crate::support::scene::{Scene, Transport};
use crate::support::skip::{has_git, skip};

/// A scene with the newest git that `tests/support/old-git.sh` has made ready.
fn newest() -> Option<Scene> {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/gits/sid/usr/bin/git");
    if program.exists() {
        return Some(scene_of(&program, 2));
    }
    skip("git of Debian sid has not been unpacked");
    None
}

/// The system's git, and the newest.
fn both() -> impl Iterator<Item = Scene> {
    std::iter::once(Scene::new()).chain(newest())
}

fn packet(text: &str) -> String {
    format!("{:04x}{text}", text.len() + 4)
}

/// What git writes to standard error, through the product and through `git-remote-https`, without the addresses.
fn said(prepare: impl Fn(&Scene), directory: &str, arguments: &[&str]) -> [(Option<i32>, String); 2] {
    [Transport::Bbcloud, Transport::Https].map(|transport| {
        let scene = Scene::with(transport, 2, Settings::default());
        scene.cloned();
        scene.commit("clone", "mine", b"mine\n");
        prepare(&scene);
        let output = scene.git_in(directory, arguments);
        (output.code, scene.normalised(&(output.stdout + &output.stderr)))
    })
}

#[test]
fn an_error_that_the_server_reports_is_told_by_git_as_over_https() {
    let body = || Action::ReplaceBody((packet("ERR the disk is full") + "0000").into_bytes());
    for (path, arguments) in [
        (
            "service=git-upload-pack",
            &["-c", "bbcloud.cache=false", "fetch", "origin"][..],
        ),
        ("/git-upload-pack", &["-c", "bbcloud.cache=false", "fetch", "origin"]),
        ("/git-upload-pack", &["fetch", "origin"]),
        ("service=git-receive-pack", &["push", "origin", "HEAD:refs/heads/new"]),
    ] {
        let always = |scene: &Scene| scene.bitbucket.fault(Fault::on(path, body()).always());
        let [ours, theirs] = said(always, "clone", arguments);
        assert_eq!(ours, theirs, "{path} {arguments:?}");
        assert_eq!(ours, (Some(128), "fatal: remote error: the disk is full\n".to_owned()));
    }
}

#[test]
fn an_error_that_the_server_reports_to_old_protocols_is_told_by_git() {
    for path in ["service=git-upload-pack", "/git-upload-pack"] {
        let scene = Scene::with(Transport::Bbcloud, 0, Settings::default());
        scene.cloned();
        scene.bitbucket.commit(MAIN, "main", "Later", &[("later", b"later\n")]);
        let body = Action::ReplaceBody((packet("ERR the disk is full") + "0000").into_bytes());
        scene.bitbucket.fault(Fault::on(path, body).always());
        let output = scene.git_in("clone", &["fetch"]);
        assert!(!output.success());
        assert!(
            output.stderr.contains("fatal: remote error: the disk is full\n"),
            "{}",
            output.stderr
        );
        assert!(!output.stderr.contains("reported an error"), "{}", output.stderr);
    }
}

#[test]
fn requests_are_told_with_verbose_as_git_tells_them() {
    for arguments in [
        &["push", "-v", "--porcelain", "origin", "HEAD:refs/heads/new"][..],
        &["push", "--porcelain", "origin", "HEAD:refs/heads/new"],
        &["push", "--porcelain", "origin", "HEAD~1:refs/heads/new", "HEAD~2:main"],
        &["fetch", "-v", "-v", "origin"],
        &["fetch", "-v", "--refetch", "origin"],
    ] {
        let [ours, theirs] = said(|_| {}, "clone", arguments);
        let lines = |(code, text): (Option<i32>, String)| {
            let posts: Vec<String> = text
                .lines()
                .filter(|line| line.starts_with("POST"))
                .map(str::to_owned)
                .collect();
            let done = text.lines().any(|line| line == "Done");
            (code, posts, done)
        };
        let (ours, theirs) = (lines(ours), lines(theirs));
        assert_eq!(ours, theirs, "{arguments:?}");
        assert_eq!(ours.1.is_empty(), !arguments.contains(&"-v"), "{arguments:?}");
    }
}

#[test]
fn without_the_smart_protocol_nothing_is_sent() {
    let scene = Scene::new();
    scene.cloned();
    let before = scene.bitbucket.requests().len();
    scene.set("GIT_SMART_HTTP", "0");
    let output = scene.git_in("clone", &["fetch"]);
    assert_eq!(output.code, Some(128));
    assert!(
        output
            .stderr
            .contains("error: git's smart protocol is turned off (GIT_SMART_HTTP)"),
        "{}",
        output.stderr
    );
    assert!(
        output.stderr.contains("hint: unset GIT_SMART_HTTP"),
        "{}",
        output.stderr
    );
    assert_eq!(scene.bitbucket.requests().len(), before);
    scene.set("GIT_SMART_HTTP", "yes");
    scene.git_ok("clone", &["fetch"]);
}

#[test]
fn objects_of_another_format_are_explained_with_the_command() {
    for scene in both() {
        for (here, there, target) in [("sha256", "sha1", MAIN), ("sha1", "sha256", MODERN)] {
            let format = format!("--object-format={here}");
            scene.git_ok("", &["init", "--quiet", &format, here]);
            scene.git_ok(here, &["remote", "add", "origin", &scene.url(target)]);
            scene.commit(here, "a", b"a");
            for arguments in [&["fetch"][..], &["fetch"], &["push", "origin", "HEAD:refs/heads/x"]] {
                let output = scene.git_in(here, arguments);
                assert!(!output.success());
                for words in [
                    format!(
                        "error: the objects of '{target}' are of the format {there}, and those of this repository of {here}\n"
                    ),
                    format!("hint: make a repository for it: 'git init --object-format={there} <directory>'\n"),
                ] {
                    assert!(output.stderr.contains(&words), "{arguments:?}: {}", output.stderr);
                }
            }
            // A clone takes the format of the server, whatever is the default.
            scene.set("GIT_DEFAULT_HASH", here);
            let clone = format!("clone-{there}");
            scene.git_ok("", &["clone", "--quiet", &scene.url(target), &clone]);
            let format = scene.git_ok(&clone, &["rev-parse", "--show-object-format"]);
            assert_eq!(format.trim(), there);
            scene.unset("GIT_DEFAULT_HASH");
        }
    }
}

#[test]
fn references_in_tables_are_like_any_others() {
    let old = Some(Scene::new()).filter(|_| has_git(2, 45, "keeps references in tables"));
    for scene in old.into_iter().chain(newest()) {
        let clone = ["clone", "--quiet", "--ref-format=reftable", &scene.url(MAIN), "tables"];
        scene.git_ok("", &clone);
        assert_eq!(
            scene.git_ok("tables", &["rev-parse", "--show-ref-format"]).trim(),
            "reftable"
        );
        scene.commit("tables", "mine", b"mine\n");
        scene.git_ok("tables", &["push", "--quiet", "origin", "HEAD:main"]);
        scene.bitbucket.commit(MAIN, "main", "Later", &[("later", b"later\n")]);
        scene.git_ok("tables", &["pull", "--quiet", "--ff-only"]);
        scene.bbcloud_ok("tables", &["doctor", "--json"]);
        scene.git_ok("tables", &["fsck"]);
    }
}

/// A fetch in whose answer the server says `text`.
fn heard(scene: &Scene, text: &str, settings: &[&str]) -> String {
    scene.bitbucket.commit(MAIN, "main", text, &[(text, b"later\n")]);
    let opening = packet("acknowledgments\n") + &packet("ready\n") + "0001" + &packet("packfile\n");
    let body = opening + &packet(&format!("\u{2}{text}\n")) + &packet(&format!("\u{3}{text}")) + "0000";
    let replace = Fault::on("/git-upload-pack", Action::ReplaceBody(body.into_bytes()));
    scene.bitbucket.fault(replace.skip(1));
    let output = scene.git_in("clone", &[settings, &["fetch", "--progress"]].concat());
    scene.bitbucket.clear_faults();
    output.stderr
}

#[test]
fn the_user_says_which_controls_of_the_server_reach_the_terminal() {
    let scene = Scene::new();
    scene.cloned();
    let text = "a\u{1b}[31mb\u{1b}[2Kc\u{1b}[3Ad\u{7}e";
    let of_server = format!("sideband.{}.allowControlCharacters=erase", scene.bitbucket.base_url());
    for (settings, expected) in [
        (&[][..], "a?[31mb?[2Kc?[3Ad?e"),
        (&["-c", "sideband.allowControlCharacters=false"], "a?[31mb?[2Kc?[3Ad?e"),
        (
            &["-c", "sideband.allowControlCharacters=color"],
            "a\u{1b}[31mb?[2Kc?[3Ad?e",
        ),
        (
            &["-c", "sideband.allowControlCharacters=color,cursor"],
            "a\u{1b}[31mb?[2Kc\u{1b}[3Ad?e",
        ),
        (
            &["-c", &of_server, "-c", "sideband.allowControlCharacters=true"],
            "a?[31mb\u{1b}[2Kc?[3Ad?e",
        ),
        (
            &["-c", "sideband.https://elsewhere.example.allowControlCharacters=true"],
            "a?[31mb?[2Kc?[3Ad?e",
        ),
        (&["-c", "sideband.allowControlCharacters=true"], text),
    ] {
        let stderr = heard(&scene, text, settings);
        assert_eq!(
            stderr.matches(&format!("remote: {expected}")).count(),
            2,
            "{settings:?}: {stderr:?}"
        );
    }
    let stderr = heard(&scene, text, &["-c", "sideband.allowControlCharacters=colour"]);
    assert!(
        stderr.contains("warning: unrecognized value for 'sideband.allowControlCharacters': 'colour'"),
        "{stderr:?}"
    );
    assert!(stderr.contains("remote: a?[31mb"), "{stderr:?}");
}

/// The newest git has its own filter behind ours: what the user allows passes both.
#[test]
fn the_newest_git_shows_what_is_allowed() {
    let Some(scene) = newest() else { return };
    scene.cloned();
    let text = "a\u{1b}[31mb\u{1b}[2Kc";
    for (setting, expected) in [
        ("color", "remote: a\u{1b}[31mb?[2Kc"),
        ("erase", "remote: a?[31mb\u{1b}[2Kc"),
        ("true", "remote: a\u{1b}[31mb\u{1b}[2Kc"),
        ("false", "remote: a?[31mb?[2Kc"),
    ] {
        let setting = format!("sideband.allowControlCharacters={setting}");
        let stderr = heard(&scene, text, &["-c", &setting]);
        assert!(stderr.contains(expected), "{setting}: {stderr:?}");
    }
}

#[test]
fn what_the_newest_git_can_do_needs_nothing_of_ours() {
    let Some(scene) = newest() else { return };
    scene.cloned();
    // `fetch.followRemoteHEAD`.
    scene.git_ok("clone", &["symbolic-ref", "--delete", "refs/remotes/origin/HEAD"]);
    scene.git_ok(
        "clone",
        &["-c", "remote.origin.followRemoteHEAD=always", "fetch", "--quiet"],
    );
    let head = scene.git_ok("clone", &["symbolic-ref", "refs/remotes/origin/HEAD"]);
    assert_eq!(head.trim(), "refs/remotes/origin/main");
    // `--negotiation-include` and `--negotiation-restrict`.
    scene.bitbucket.commit(MAIN, "main", "Later", &[("later", b"later\n")]);
    let fetch = [
        "fetch",
        "--quiet",
        "--negotiation-restrict=main",
        "--negotiation-include=refs/heads/main",
        "origin",
    ];
    scene.git_ok("clone", &fetch);
    // `promisor.*`: a partial clone from a server that may name others.
    let clone = [
        "-c",
        "promisor.acceptFromServer=all",
        "clone",
        "--quiet",
        "--filter=blob:none",
        &scene.url(MAIN),
        "partial",
    ];
    scene.git_ok("", &clone);
    scene.git_ok("partial", &["-c", "promisor.quiet=true", "log", "--stat", "--oneline"]);
    // `safe.bareRepository`, whose default 3.0 changes.
    scene.set("GIT_TRACE_BARE", scene.home().join("bare"));
    let explicit = ["-c", "safe.bareRepository=explicit"];
    scene.git_ok(
        "",
        &[
            &explicit[..],
            &["clone", "--quiet", "--bare", &scene.url(MAIN), "bare.git"],
        ]
        .concat(),
    );
    scene.git_ok(
        "",
        &[&explicit[..], &["--git-dir=bare.git", "fetch", "--quiet"]].concat(),
    );
    scene.git_ok(
        "clone",
        &[
            "-c",
            "core.configLockTimeout=100",
            "push",
            "--quiet",
            "--set-upstream",
            "origin",
            "HEAD:new",
        ],
    );
}
