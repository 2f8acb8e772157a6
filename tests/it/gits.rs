//! Every git that can be had: those on this machine and those of other Debian releases that `tests/support/old-git.sh`
//! unpacks. The main operations in both generations of the protocol, and every command for people.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use crate::bitbucket::{Settings, command};
use crate::support::fixture::MAIN;
use crate::support::run::run_telling;
use crate::support::scene::{Scene, Transport};
use crate::support::skip::skip;

/// The installed programs, one for each version of git.
fn installed() -> BTreeMap<String, PathBuf> {
    let home = tempfile::tempdir().expect("a temporary directory");
    let inherited = search_path(&command("git", home.path()));
    let places = std::env::split_paths(&inherited).chain(["/usr/bin", "/usr/local/bin"].map(PathBuf::from));
    places
        .filter_map(|place| {
            let program = place.join("git");
            let mut git = command(program.to_str()?, home.path());
            let output = git.arg("--version").output().ok()?;
            let version = String::from_utf8(output.stdout).ok()?;
            Some((version.trim().strip_prefix("git version ")?.to_owned(), program))
        })
        .collect()
}

fn search_path(command: &std::process::Command) -> OsString {
    let path = command.get_envs().find(|(name, _)| *name == "PATH");
    let path = path.and_then(|(_, value)| value);
    path.expect("the sandbox has a search path").to_owned()
}

/// A scene whose `git` is `program`, also for what git itself starts.
#[cfg(unix)]
pub(crate) fn scene_of(program: &Path, version: u8) -> Scene {
    let scene = Scene::with(Transport::Bbcloud, version, Settings::default());
    let first = scene.home().join("bin");
    fs::create_dir(&first).expect("the home is ours");
    std::os::unix::fs::symlink(program, first.join("git")).expect("the home is ours");
    let inherited = search_path(&scene.command("git", &scene.work()));
    let path = std::iter::once(first).chain(std::env::split_paths(&inherited));
    let path = std::env::join_paths(path).expect("directories that were split can be joined");
    scene.set("PATH", path);
    let prefix = program.parent().and_then(Path::parent).expect("<prefix>/bin/git");
    // Git looks for its parts where it was built to be installed, and not beside itself.
    if prefix.starts_with(env!("CARGO_MANIFEST_DIR")) {
        scene.set("GIT_EXEC_PATH", prefix.join("lib/git-core"));
        scene.set("GIT_TEMPLATE_DIR", prefix.join("share/git-core/templates"));
    }
    scene
}

#[cfg(unix)]
#[test]
fn every_installed_git() {
    let gits = installed();
    assert!(!gits.is_empty());
    for (name, program) in gits {
        println!("git {name}");
        everything(&program);
    }
}

#[cfg(unix)]
#[test]
fn the_git_of_debian_11() {
    unpacked("bullseye");
}

#[cfg(unix)]
#[test]
fn the_git_of_debian_sid() {
    unpacked("sid");
}

#[cfg(unix)]
fn unpacked(release: &str) {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/gits").join(release);
    let program = place.join("usr/bin/git");
    if program.exists() {
        everything(&program);
    } else if place.join("unusable").exists() {
        skip(&format!(
            "git of Debian {release} needs a newer C library, and could not be built"
        ));
    } else {
        skip(&format!("git of Debian {release} has not been unpacked"));
    }
}

#[cfg(unix)]
fn everything(program: &Path) {
    for version in [0, 2] {
        every_operation(&scene_of(program, version));
    }
    every_command(&scene_of(program, 2));
}

#[cfg(unix)]
fn every_operation(scene: &Scene) {
    scene.cloned();
    scene.git_ok("", &["clone", "--quiet", "--depth", "1", &scene.url(MAIN), "shallow"]);
    scene.git_ok("shallow", &["fetch", "--quiet", "--unshallow"]);
    scene.git_ok(
        "",
        &["clone", "--quiet", "--filter", "blob:none", &scene.url(MAIN), "partial"],
    );
    scene.git_ok("partial", &["log", "--stat", "--oneline"]);

    scene.commit("clone", "mine", b"mine\n");
    scene.git_ok(
        "clone",
        &[
            "push",
            "--quiet",
            "origin",
            "HEAD:main",
            "HEAD:refs/heads/gone",
            "HEAD:refs/tags/v9",
        ],
    );
    scene.git_ok("clone", &["push", "--quiet", "--atomic", "origin", ":gone"]);
    scene.git_ok("shallow", &["pull", "--quiet", "--ff-only"]);
    let pushed = scene.git_ok("clone", &["rev-parse", "HEAD"]);
    assert_eq!(scene.git_ok("shallow", &["rev-parse", "HEAD"]), pushed);

    let refs = scene.git_ok("clone", &["ls-remote", "origin"]);
    assert!(
        refs.contains("refs/tags/v9") && !refs.contains("refs/heads/gone"),
        "{refs}"
    );
    let refused = scene.git_in("clone", &["push", "origin", "HEAD~1:main"]);
    assert!(
        !refused.success() && refused.stderr.contains("[rejected]"),
        "{}",
        refused.stderr
    );
    for place in ["clone", "shallow", "partial"] {
        scene.git_ok(place, &["fsck"]);
    }
}

/// What the commands for people ask git for has to be there in each git.
#[cfg(unix)]
fn every_command(scene: &Scene) {
    let url = format!("{}/{MAIN}.git", scene.bitbucket.base_url());
    scene.git_ok("", &["clone", "--quiet", &scene.url(MAIN), "moved"]);
    scene.git_ok("moved", &["worktree", "add", "--quiet", "../beside"]);
    for place in ["moved", "moved/src", "beside"] {
        scene.git_ok(place, &["remote", "set-url", "origin", &url]);
        scene.bbcloud_ok(place, &["migrate"]);
        let migrated = scene.git_ok(place, &["remote", "get-url", "origin"]);
        assert_eq!(migrated.trim(), scene.url(MAIN), "{place}");
        scene.bbcloud_ok(place, &["migrate", "--undo"]);
        assert_eq!(scene.git_ok(place, &["remote", "get-url", "origin"]).trim(), url);
        scene.git_ok(place, &["remote", "set-url", "origin", &scene.url(MAIN)]);
        scene.git_ok(place, &["fetch", "--quiet"]);
    }
    scene.bbcloud_ok("", &["setup", "--all"]);
    scene.bbcloud_ok("", &["setup", "--all", "--check"]);
    scene.git_ok("", &["ls-remote", "--quiet", &url]);
    scene.bbcloud_ok("", &["setup", "--undo"]);
    // There is no keychain here, and the checks of it say so.
    let doctor = scene.bbcloud("moved", &["doctor", "--json"]);
    let report: serde_json::Value = serde_json::from_str(&doctor.stdout).expect("JSON");
    assert!(
        report["checks"].as_array().is_some_and(|checks| checks.len() > 5),
        "{report}"
    );
    scene.set("BBCLOUD_API_URL", scene.bitbucket.api_url());
    scene.set("BBCLOUD_EMAIL", "ada@example.com");
    scene.bbcloud_ok("moved", &["api", "/repositories/{workspace}/{repo}/commits"]);
    let mut asked = scene.command("git", &scene.work());
    asked.args(["remote-bbcloud", "credential", "get"]);
    let question = format!("url={}\n\n", scene.bitbucket.base_url());
    assert!(run_telling(asked, question.as_bytes()).success());
    scene.bbcloud("moved", &["status"]);
}
