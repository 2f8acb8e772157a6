//! What `doctor` says of programs beside git, of remotes that use the old ssh host, and of an old credential helper.

use std::fs;

use super::{examine, examine_in};
use crate::support::fixture::PART;
use crate::support::program::program;
use crate::support::scene::Scene;

#[test]
fn programs_that_the_rewriting_breaks_are_named_with_their_switch() {
    let scene = Scene::new();
    scene.cloned();
    let write = |file: &str, text: &str| {
        let path = scene.path("clone").join(file);
        fs::create_dir_all(path.parent().expect("a directory")).expect("made");
        fs::write(path, text).expect("written");
    };
    write("Cargo.toml", "[package]\nname = \"x\"\n");
    write("pyproject.toml", "[tool.poetry]\n");
    write(".dvc/config", "");
    assert_eq!(examine_in(&scene, "clone", &[]).status("other-programs"), "ok");
    scene.bbcloud_ok("", &["setup"]);
    assert_eq!(examine_in(&scene, "clone", &[]).status("other-programs"), "ok");
    scene.bbcloud_ok("", &["setup", "--all"]);
    write("deep/below", "");
    let found = examine_in(&scene, "clone/deep", &[]);
    assert_eq!(found.status("other-programs"), "warn", "{}", found.written());
    for name in ["cargo (", "poetry (", "DVC ("] {
        assert!(found.detail("other-programs").contains(name), "{}", found.written());
    }
    for switch in ["CARGO_NET_GIT_FETCH_WITH_CLI=true", "POETRY_SYSTEM_GIT_CLIENT=true"] {
        assert!(found.remedy("other-programs").contains(switch), "{}", found.written());
    }
    // Switched on, and without the files of the third, nothing is left to warn of.
    scene.set("CARGO_NET_GIT_FETCH_WITH_CLI", "true");
    write("poetry.toml", "system-git-client = true\n");
    fs::remove_dir_all(scene.path("clone/.dvc")).expect("removed");
    assert_eq!(examine_in(&scene, "clone", &[]).status("other-programs"), "ok");
    scene.unset("CARGO_NET_GIT_FETCH_WITH_CLI");
    scene.bbcloud_ok("", &["setup", "--undo"]);
    assert_eq!(examine_in(&scene, "clone", &[]).status("other-programs"), "ok");
}

#[test]
fn what_uses_the_old_ssh_host_is_named() {
    let scene = Scene::new();
    scene.cloned();
    let url = scene.url(PART);
    scene.git_ok(
        "clone",
        &[
            "-c",
            "protocol.bbcloud.allow=always",
            "submodule",
            "--quiet",
            "add",
            &url,
            "libs/part",
        ],
    );
    let status = |scene: &Scene| examine_in(scene, "clone", &[]).status("ssh-host").to_owned();
    assert_eq!(status(&scene), "ok");
    for new in [
        "git@ssh.bitbucket.org:acme/widgets.git",
        "ssh://git@altssh.bitbucket.org:443/acme/widgets.git",
        "https://bitbucket.org/acme/widgets.git",
        "git@bitbucket.org.example.com:acme/widgets.git",
        "./bitbucket.org:x",
    ] {
        scene.git_ok("clone", &["remote", "set-url", "origin", new]);
        assert_eq!(status(&scene), "ok", "{new}");
    }
    for old in [
        "git@bitbucket.org:acme/widgets.git",
        "bitbucket.org:acme/widgets.git",
        "ssh://git@bitbucket.org/acme/widgets.git",
        "ssh://git@BitBucket.org:22/acme/widgets.git",
        "git+ssh://bitbucket.org/acme/widgets.git",
    ] {
        scene.git_ok("clone", &["remote", "set-url", "origin", old]);
        let found = examine_in(&scene, "clone", &[]);
        assert_eq!(found.status("ssh-host"), "warn", "{old}: {}", found.written());
        assert_eq!(found.remedy("ssh-host"), "git-remote-bbcloud migrate --remote origin");
    }
    // The remedy is right.
    scene.bbcloud_ok("clone", &["migrate", "--remote", "origin"]);
    assert_eq!(status(&scene), "ok");
    for (arguments, detail, remedy) in [
        (
            &["config", "remote.origin.pushurl", "git@bitbucket.org:acme/widgets"][..],
            "remote 'origin'",
            "migrate --remote origin",
        ),
        (
            &["config", "url.git@bitbucket.org:.insteadOf", "https://bitbucket.org/"],
            "url.git@bitbucket.org:.insteadOf",
            "--unset-all \"url.git@bitbucket.org:.insteadOf\"",
        ),
        (
            &["config", "submodule.libs/part.url", "git@bitbucket.org:acme/parts"],
            "submodule 'libs/part'",
            "migrate --all-remotes",
        ),
        (
            &[
                "-C",
                "libs/part",
                "config",
                "remote.origin.url",
                "git@bitbucket.org:acme/parts",
            ],
            "'origin' of '",
            "migrate --all-remotes",
        ),
        (
            &[
                "config",
                "--file",
                ".gitmodules",
                "submodule.libs/part.url",
                "git@bitbucket.org:acme/parts",
            ],
            "'.gitmodules', submodule 'libs/part'",
            "git config --file .gitmodules submodule.libs/part.url bbcloud::acme/parts",
        ),
    ] {
        scene.git_ok("clone", arguments);
        let found = examine_in(&scene, "clone", &[]);
        assert_eq!(found.status("ssh-host"), "warn", "{arguments:?}: {}", found.written());
        assert!(found.detail("ssh-host").contains(detail), "{}", found.written());
        assert!(found.remedy("ssh-host").contains(remedy), "{}", found.written());
    }
    scene.git_ok(
        "",
        &["config", "--global", "url.bbcloud::.insteadOf", "git@bitbucket.org:"],
    );
    let found = examine_in(&scene, "clone", &[]);
    assert!(
        !found.detail("ssh-host").contains("remote 'origin'"),
        "git does not use the old host for it: {}",
        found.written()
    );
}

#[test]
fn an_old_git_credential_manager_is_named() {
    let scene = Scene::new();
    assert_eq!(examine(&scene, &[]).status("helpers"), "ok");
    let path = |scene: &Scene| {
        let command = scene.command("git", &scene.work());
        let path = command.get_envs().find(|(name, _)| *name == "PATH");
        let path = path.and_then(|(_, value)| value).expect("there is a PATH").to_owned();
        format!("{}:{}", scene.home().display(), path.display())
    };
    scene.set("PATH", path(&scene));
    scene.git_ok("", &["config", "--global", "credential.helper", "manager"]);
    for (says, status, detail) in [
        (
            "echo 2.6.1+786ab03440",
            "warn",
            "Git Credential Manager 2.6.1 is too old",
        ),
        ("echo 3.0.0", "ok", "Git Credential Manager 3.0.0"),
        ("echo what", "warn", "is not understood: what"),
        ("exit 1", "warn", "did not tell its version"),
        ("exec sleep 1000", "warn", "did not tell its version"),
    ] {
        program(scene.home().join("git-credential-manager"), says);
        let found = examine(&scene, &[]);
        assert_eq!(found.status("helpers"), status, "{says}: {}", found.written());
        assert!(found.detail("helpers").contains(detail), "{says}: {}", found.written());
    }
    program(scene.home().join("git-credential-manager"), "echo 2.6.1");
    let found = examine(&scene, &[]);
    assert!(
        found.remedy("helpers").contains("'git-remote-bbcloud setup'"),
        "{}",
        found.written()
    );
    // The remedy is right: git asks it no more about this host.
    scene.bbcloud_ok("", &["setup"]);
    assert_eq!(examine(&scene, &[]).status("helpers"), "ok");
}
