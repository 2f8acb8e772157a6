//! A repository that somebody else prepared: its files are links, devices and circles, its remotes have telling names.

#![cfg(unix)]

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use crate::support::fixture::MAIN;
use crate::support::program::program;
use crate::support::scene::Scene;

const SECRET: &str = "hunter2canary";

fn repository() -> Scene {
    let scene = Scene::new();
    scene.git_ok("", &["init", "--quiet", "clone"]);
    scene.git_ok(
        "clone",
        &[
            "remote",
            "add",
            "origin",
            &format!("{}/{MAIN}.git", scene.bitbucket.base_url()),
        ],
    );
    scene
}

#[test]
fn a_secret_in_any_form_of_address_is_neither_shown_nor_recorded() {
    let scene = repository();
    let base = scene.bitbucket.base_url();
    let rest = base.strip_prefix("https://").expect("TLS");
    for url in [
        format!("ssh://ada:{SECRET}@bitbucket.org/acme/widgets.git"),
        format!("git+ssh://ada:{SECRET}@bitbucket.org/acme/widgets.git"),
        format!("ada:{SECRET}@bitbucket.org:acme/widgets.git"),
        format!("{base}/acme/widgets.git?access_token={SECRET}"),
        format!("{base}/acme/widgets.git#{SECRET}"),
        format!("https://ada:{SECRET}@{rest}/acme/widgets.git"),
    ] {
        let config = format!("[core]\n\trepositoryformatversion = 0\n[remote \"origin\"]\n\turl = \"{url}\"\n");
        fs::write(scene.path("clone/.git/config"), &config).expect("written");
        let plain = scene.bbcloud("clone", &["migrate", "--no-verify"]);
        let dry = scene.bbcloud("clone", &["migrate", "--dry-run"]);
        let discarded = scene.bbcloud("clone", &["migrate", "--discard-secrets"]);
        for output in [&plain, &dry, &discarded] {
            assert!(!output.stdout.contains(SECRET), "{url}: {}", output.stdout);
            assert!(!output.stderr.contains(SECRET), "{url}: {}", output.stderr);
        }
        // Without a keychain nothing is dropped unless that is said.
        assert_eq!(plain.code, Some(1), "{url}: {}", plain.stderr);
        assert!(discarded.success(), "{url}: {}", discarded.stderr);
        assert!(scene.text("clone/.git/config").contains("url = bbcloud::"), "{url}");
        let record = scene.path("clone/.git/bbcloud-migrated.json");
        assert!(
            !scene.text("clone/.git/bbcloud-migrated.json").contains(SECRET),
            "{url}"
        );
        let mode = fs::metadata(&record).expect("a record").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let undone = scene.bbcloud_ok("clone", &["migrate", "--undo"]);
        assert!(!undone.stdout.contains(SECRET), "{url}: {}", undone.stdout);
    }
}

#[test]
fn nothing_is_written_through_a_link() {
    let scene = repository();
    let outside = scene.path("outside");
    fs::copy(scene.path("clone/.git/config"), &outside).expect("copied");
    let before = fs::read(&outside).expect("a file");
    fs::remove_file(scene.path("clone/.git/config")).expect("there");
    symlink(&outside, scene.path("clone/.git/config")).expect("a link");
    let refused = scene.bbcloud("clone", &["migrate"]);
    assert_eq!(refused.code, Some(1), "{}", refused.stderr);
    assert!(
        refused.stderr.contains("is a link, and is not changed"),
        "{}",
        refused.stderr
    );
    assert_eq!(fs::read(&outside).expect("a file"), before);
    fs::remove_file(scene.path("clone/.git/config")).expect("there");
    fs::write(scene.path("clone/.git/config"), &before).expect("written");
    symlink(&outside, scene.path("clone/.git/bbcloud-migrated.json")).expect("a link");
    assert_eq!(scene.bbcloud("clone", &["migrate"]).code, Some(1));
    assert_eq!(fs::read(&outside).expect("a file"), before);
}

#[test]
fn a_prepared_record_plants_nothing() {
    let scene = repository();
    let global = scene.home().join(".gitconfig");
    let before = fs::read(&global).unwrap_or_default();
    symlink(scene.home(), scene.path("clone/.git/worktrees")).expect("a link");
    symlink(".gitconfig", scene.home().join("config.worktree")).expect("a link");
    for (file, key, value) in [
        (
            "worktrees/../../../home/.gitconfig",
            "remote.origin.url",
            "https://bitbucket.org/a/b",
        ),
        ("config", "core.sshCommand", "touch /tmp/planted"),
        ("config", "remote.origin.url", "ext::sh -c touch% planted"),
        ("worktrees/x/config.worktree", "alias.x", "!touch planted"),
    ] {
        let change = format!(
            r#"{{"version":1,"changes":[{{"file":"{file}","key":"{key}","before":"{value}","after":"{}/{MAIN}.git","secret":false}}]}}"#,
            scene.bitbucket.base_url()
        );
        fs::write(scene.path("clone/.git/bbcloud-migrated.json"), change).expect("written");
        let config = scene.text("clone/.git/config");
        let undone = scene.bbcloud("clone", &["migrate", "--undo"]);
        assert_eq!(undone.code, Some(1), "{file} {key}: {}", undone.stderr);
        assert_eq!(scene.text("clone/.git/config"), config, "{key}");
        assert_eq!(fs::read(&global).unwrap_or_default(), before, "{file}");
    }
}

#[test]
fn devices_and_circles_end_the_search() {
    let scene = repository();
    for link in [
        "clone/.gitattributes",
        "clone/.gitmodules",
        "clone/.git/info/attributes",
    ] {
        symlink("/dev/zero", scene.path(link)).expect("a link");
    }
    fs::create_dir_all(scene.path("clone/.git/modules/part")).expect("made");
    symlink("..", scene.path("clone/.git/modules/part/circle")).expect("a link");
    scene.bbcloud_ok("clone", &["migrate", "--dry-run"]);
    fs::remove_file(scene.path("clone/.gitmodules")).expect("there");
    let modules = "[submodule \"x\"]\n\tpath = \"\"\n\turl = ../x\n";
    fs::write(scene.path("clone/.gitmodules"), modules).expect("written");
    scene.bbcloud_ok("clone", &["migrate"]);
    scene.bbcloud_ok("clone", &["migrate", "--undo"]);
}

#[test]
fn a_remote_named_like_a_subcommand_does_not_run_it() {
    let scene = repository();
    for (name, option) in [
        ("logout", "--all"),
        ("setup", "--all"),
        ("man", "--help"),
        ("status", "--json"),
    ] {
        let config = format!("[core]\n\trepositoryformatversion = 0\n[remote \"{name}\"]\n\turl = bbcloud::{option}\n");
        fs::write(scene.path("clone/.git/config"), config).expect("written");
        let fetched = scene.git_in("clone", &["fetch", name]);
        assert!(!fetched.success());
        assert!(
            fetched.stderr.contains("cannot use the address"),
            "{name}: {}",
            fetched.stderr
        );
    }
    assert!(!scene.home().join(".config/git-remote-bbcloud/setup.json").exists());
}

#[test]
fn a_name_cannot_steer_the_terminal() {
    let scene = repository();
    let config = format!(
        "[remote \"a\u{9b}2J\u{202e}b\"]\n\turl = {}/{MAIN}.git\n",
        scene.bitbucket.base_url()
    );
    fs::write(scene.path("clone/.git/config"), config).expect("written");
    let migrated = scene.bbcloud_ok("clone", &["migrate"]);
    for text in [&migrated.stdout, &migrated.stderr] {
        assert!(!text.contains(['\u{9b}', '\u{202e}']), "{text:?}");
    }
    assert!(migrated.stdout.contains("remote.a?2J?b.url"), "{}", migrated.stdout);
}

/// A git before the real one on the path writes down what it is given.
#[test]
fn no_process_that_a_command_starts_gets_the_secret() {
    let scene = repository();
    let (bin, log) = (scene.path("bin"), scene.path("environments"));
    fs::create_dir(&bin).expect("made");
    let script = format!("PATH=${{PATH#*:}}\nenv >> '{}'\nexec git \"$@\"", log.display());
    program(bin.join("git"), &script);
    scene.unset("GIT_CONFIG_NOSYSTEM");
    for arguments in [
        &["status"][..],
        &["doctor"],
        &["setup", "--check"],
        &["migrate", "--dry-run"],
        &["api", "/user"],
    ] {
        let mut product = scene.command(env!("CARGO_BIN_EXE_git-remote-bbcloud"), &scene.path("clone"));
        let path = product
            .get_envs()
            .find_map(|(name, value)| (name == "PATH").then_some(value?.to_owned()))
            .expect("a path");
        let path = format!("{}:{}", bin.display(), path.display());
        product.args(arguments).env("PATH", path).env("BBCLOUD_TOKEN", SECRET);
        let output = crate::support::run::run(product);
        assert!(!output.stderr.contains(SECRET), "{}", output.stderr);
    }
    let seen = fs::read_to_string(&log).expect("git was started");
    assert!(seen.contains("PATH="), "{seen}");
    assert!(!seen.contains(SECRET), "a git had it");
}

/// Git for Windows ships such a line; there may be one in any configuration.
#[test]
fn a_path_below_gits_prefix_is_read_without_git_as_parent() {
    let scene = repository();
    scene.git_ok(
        "",
        &["config", "--global", "http.sslCAInfo", "%(prefix)/no/such/ca.pem"],
    );
    let status = scene.bbcloud("clone", &["doctor", "--json"]);
    assert!(!status.stdout.contains("bad path"), "{}", status.stdout);
}
