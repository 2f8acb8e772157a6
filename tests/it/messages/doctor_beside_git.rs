//! What `doctor` says of programs beside git: those with a git of their own, ssh, and credential helpers.

use std::fs;

use super::doctor::{FOR_MAIN, shows};
use super::{Table, shell};
use crate::keychain::program;
use crate::support::scene::Scene;

/// Programs beside git, and the old host of ssh.
pub(super) fn beside_git(table: &mut Table, scene: &Scene) {
    let with = |settings: &str, before: &str| {
        let directory = scene.path("project");
        fs::create_dir_all(&directory).expect("a directory can be made");
        shell(
            scene,
            &format!("cd project && {before} export GIT_CONFIG_PARAMETERS=\"{settings}\" && {FOR_MAIN}"),
        )
    };
    let rule = "'url.bbcloud::.insteadOf=https://bitbucket.org/'";
    let check = &["other-programs"];
    shows(table, "addresses are rewritten", scene, &with(rule, ""), check);
    let files = "touch Cargo.toml poetry.lock dvc.yaml;";
    shows(
        table,
        "addresses are rewritten where others need them",
        scene,
        &with(rule, files),
        check,
    );
    fs::remove_dir_all(scene.path("project")).expect("it was there");
    let urls = "'remote.origin.url=git@bitbucket.org:acme/widgets.git' 'submodule.x.url=ssh://git@bitbucket.org/acme/parts' \
                'url.git@bitbucket.org:.insteadOf=https://bitbucket.org/'";
    shows(
        table,
        "the old host of ssh is used",
        scene,
        &with(urls, ""),
        &["ssh-host"],
    );
    for (title, script) in [
        ("Git Credential Manager is old", "echo 2.9.1+abc"),
        ("Git Credential Manager is new", "echo 3.0.1+abc"),
        ("Git Credential Manager does not say its version", "exit 1"),
        ("the version of Git Credential Manager is none", "echo much"),
    ] {
        let manager = program(scene, "git-credential-manager", script);
        let setting = format!("'credential.helper={}'", manager.display());
        shows(table, title, scene, &with(&setting, ""), &["helpers"]);
    }
    fs::remove_file(scene.home().join("git-credential-manager")).expect("it was there");
    shows(
        table,
        "another credential helper is set",
        scene,
        &with("'credential.helper=store'", ""),
        &["helpers"],
    );
}
