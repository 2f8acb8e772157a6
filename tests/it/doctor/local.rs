//! This machine: git, the program that it finds, and its configuration.

use std::ffi::OsString;
use std::fs;
use std::path::Path;

use super::{Examined, examine, examine_in, examined};
use crate::support::fixture::MAIN;
use crate::support::program::program;
use crate::support::run::run;
use crate::support::scene::Scene;

const FOR_MAIN: &[&str] = &["--for", MAIN];

/// Runs the program itself with this `PATH`.
fn examine_with_path(scene: &Scene, path: OsString) -> Examined {
    let mut program = scene.command(env!("CARGO_BIN_EXE_git-remote-bbcloud"), &scene.work());
    program.env("PATH", path).args(["doctor", "--json", "--for", MAIN]);
    examined(run(program))
}

/// A directory with a program of the name that git looks for, before everything else on the `PATH`.
fn path_with_another(scene: &Scene, says: &str) -> OsString {
    let directory = scene.path("bin");
    fs::create_dir_all(&directory).expect("a directory can be made");
    let file = directory.join("git-remote-bbcloud");
    program(file, &format!("echo '{says}'"));
    let mut path = directory.into_os_string();
    path.push(":");
    path.push(system_path(scene));
    path
}

/// The `PATH` without the directory of the program.
fn system_path(scene: &Scene) -> OsString {
    let whole = scene.command("git", &scene.work());
    let whole = whole.get_envs().find(|(name, _)| *name == "PATH");
    let whole = whole.and_then(|(_, value)| value).expect("there is a PATH").to_owned();
    let own = Path::new(env!("CARGO_BIN_EXE_git-remote-bbcloud")).parent();
    let others = std::env::split_paths(&whole).filter(|path| Some(path.as_path()) != own);
    std::env::join_paths(others).expect("they were joined before")
}

#[test]
fn git_that_does_not_find_the_program_is_told_where_it_is() {
    let scene = Scene::new();
    let found = examine_with_path(&scene, system_path(&scene));
    assert_eq!(found.names("fail"), ["helper"], "{}", found.written());
    let directory = Path::new(env!("CARGO_BIN_EXE_git-remote-bbcloud"))
        .parent()
        .expect("a directory");
    let remedy = format!("export PATH=\"{}:$PATH\"", directory.display());
    assert!(found.remedy("helper").contains(&remedy), "{}", found.remedy("helper"));
}

#[test]
fn another_copy_on_the_path_is_noticed() {
    let scene = Scene::new();
    let same = concat!("git-remote-bbcloud ", env!("CARGO_PKG_VERSION"));
    for (says, detail) in [
        ("git-remote-bbcloud 0.0.1", "git finds 'git-remote-bbcloud 0.0.1' at"),
        (same, "git finds another copy at"),
    ] {
        let path = path_with_another(&scene, says);
        let found = examine_with_path(&scene, path);
        assert_eq!(found.status("helper"), "warn", "{}", found.written());
        assert!(found.detail("helper").starts_with(detail), "{}", found.detail("helper"));
    }
}

#[test]
fn without_git_there_is_one_failure() {
    let scene = Scene::new();
    let found = examine_with_path(&scene, scene.work().into_os_string());
    assert_eq!(found.names("fail"), ["git"], "{}", found.written());
    assert_eq!(found.status("helper"), "skip");
    assert_eq!(found.status("read"), "ok");
}

#[test]
fn a_protocol_that_is_not_allowed_is_noticed() {
    let scene = Scene::new();
    scene.cloned();
    assert!(
        examine_in(&scene, "clone", &[])
            .detail("protocol-allow")
            .contains("submodules would need")
    );
    scene.git_ok("clone", &["config", "submodule.x.url", "bbcloud::acme/parts"]);
    let found = examine_in(&scene, "clone", &[]);
    assert_eq!(found.status("protocol-allow"), "warn");
    let remedy = found.remedy("protocol-allow").to_owned();
    let words: Vec<&str> = remedy.split(' ').collect();
    scene.git_ok("clone", &words[1..]);
    assert_eq!(
        examine_in(&scene, "clone", &[]).detail("protocol-allow"),
        "allowed, for submodules too"
    );
    scene.git_ok("clone", &["config", "--global", "protocol.bbcloud.allow", "never"]);
    let found = examine(&scene, FOR_MAIN);
    assert_eq!(found.names("fail"), ["protocol-allow"]);
    assert_eq!(found.remedy("protocol-allow"), remedy);
}

#[test]
fn a_list_of_protocols_without_ours_is_noticed() {
    let scene = Scene::new();
    scene.set("GIT_ALLOW_PROTOCOL", "https:ssh");
    let found = examine(&scene, FOR_MAIN);
    assert_eq!(found.names("fail"), ["protocol-allow"], "{}", found.written());
    scene.set("GIT_ALLOW_PROTOCOL", "https:bbcloud");
    assert_eq!(examine(&scene, FOR_MAIN).status("protocol-allow"), "ok");
}

#[test]
fn addresses_that_git_rewrites_are_noticed() {
    let scene = Scene::new();
    scene.git_ok(
        "",
        &[
            "config",
            "--global",
            "url.https://bitbucket.org/.insteadOf",
            "bbcloud::",
        ],
    );
    let found = examine(&scene, FOR_MAIN);
    assert_eq!(found.status("url-rewrite"), "warn");
    assert!(
        found.detail("url-rewrite").contains("does not start this program"),
        "{}",
        found.detail("url-rewrite")
    );
    let remedy = found.remedy("url-rewrite").replace('\'', "");
    let words: Vec<&str> = remedy.split(' ').collect();
    scene.git_ok("", &words[1..]);
    assert_eq!(examine(&scene, FOR_MAIN).status("url-rewrite"), "ok");
}

#[test]
fn configuration_that_cannot_be_read_is_one_failure() {
    let scene = Scene::new();
    scene.set("BBCLOUD_BASE_URL", "http://bitbucket.org");
    let found = examine(&scene, FOR_MAIN);
    assert_eq!(found.names("fail"), ["configuration"], "{}", found.written());
    assert!(
        found.detail("configuration").contains("only https"),
        "{}",
        found.detail("configuration")
    );
    assert_eq!(found.status("dns"), "skip");
}

#[test]
fn a_secret_that_cannot_be_read_is_one_failure() {
    let scene = Scene::new();
    scene.unset("BBCLOUD_TOKEN");
    scene.set("BBCLOUD_TOKEN_FILE", "/no/such/file");
    let found = examine(&scene, FOR_MAIN);
    assert_eq!(found.names("fail"), ["secret"], "{}", found.written());
    assert!(
        found.detail("secret").contains("'/no/such/file'"),
        "{}",
        found.detail("secret")
    );
    assert_eq!((found.status("http"), found.status("read")), ("ok", "skip"));
}

#[test]
fn settings_that_have_no_effect_are_told() {
    let scene = Scene::new();
    scene.set("GIT_SSL_VERSION", "tlsv9");
    let found = examine(&scene, FOR_MAIN);
    assert_eq!(found.status("http-settings"), "warn", "{}", found.written());
    assert!(found.detail("http-settings").contains("unsupported ssl version tlsv9"));
}

#[test]
fn a_target_that_is_none_is_a_wrong_usage() {
    let scene = Scene::new();
    let output = scene.git(&["remote-bbcloud", "doctor", "--json", "--for", "ac me/widgets"]);
    assert_eq!((output.code, output.stdout.as_str()), (Some(2), ""));
    assert!(output.stderr.starts_with("error: "), "{}", output.stderr);
}
