//! Git's credential protocol: real git asks, and plain https remotes, git-lfs and editors share the keychain.

use std::fs;

use super::desktop::Desktop;
use super::{configure, keep, noted, ours, ours_with, person, program, says, scene, users, without_terminal};
use crate::support::run::{Output, run_telling};
use crate::support::scene::{Scene, TOKEN};

const ANSWER: &str = "username=x-bitbucket-api-token-auth\npassword=ATATT-full\n";

/// Everything that git up to 2.52 may say, and something that it may say one day.
const EVERYTHING: &str = "capability[]=authtype\ncapability[]=state\nwwwauth[]=Basic realm=\"Bitbucket.org HTTP\"\n\
    wwwauth[]=Bearer\nstate[]=other.hello\nephemeral=0\ncontinue=1\nauthtype=Basic\ncredential=eA==\n\
    password_expiry_utc=1\noauth_refresh_token=x\nnew[]=\nnew=x\n";

fn host(scene: &Scene) -> String {
    format!("localhost:{}", scene.bitbucket.port())
}

fn get(scene: &Scene, question: &str) -> Output {
    // Git is to have it.
    run_telling(without_terminal(scene, &["credential", "get"]), question.as_bytes())
}

/// Git itself, with this program as its helper for the local Bitbucket.
fn git_credential(scene: &Scene, action: &str, more: &str) -> Output {
    let question = format!("protocol=https\nhost={}\n{more}\n", host(scene));
    let mut git = scene.command("git", &scene.work());
    git.args(["credential", action]);
    run_telling(git, question.as_bytes())
}

fn use_as_helper(scene: &Scene) {
    let key = format!("credential.{}.helper", scene.bitbucket.base_url());
    configure(scene, &key, "!git-remote-bbcloud credential");
}

#[test]
fn git_fills_approves_and_rejects() {
    let scene = scene();
    let desktop = Desktop::start(&scene);
    use_as_helper(&scene);
    keep(&scene, TOKEN, &[]);
    let filled = git_credential(&scene, "fill", "");
    assert!(filled.success(), "{}", filled.stderr);
    says(&filled.stdout, &[ANSWER]);

    // A login ends with `logout`, and is replaced by `login`.
    let other = "username=x-bitbucket-api-token-auth\npassword=ATATT-other\n";
    assert_eq!(git_credential(&scene, "approve", other).stderr, "");
    assert_eq!(desktop.secrets()[0].1, TOKEN);
    let rejected = git_credential(&scene, "reject", ANSWER);
    assert!(rejected.success());
    assert_eq!(desktop.secrets()[0].1, TOKEN);
    says(
        &rejected.stderr,
        &[
            "hint: ",
            "rejected",
            &format!("'git-remote-bbcloud login --replace --for {}'", host(&scene)),
        ],
    );
    // What another helper knew is not ours to talk about.
    assert_eq!(
        git_credential(&scene, "reject", "username=ann\npassword=x\n").stderr,
        ""
    );
}

#[test]
fn plain_https_remotes_are_served() {
    let scene = scene();
    let _desktop = Desktop::start(&scene);
    use_as_helper(&scene);
    keep(&scene, TOKEN, &["--for", "acme/widgets"]);
    keep(&scene, "ATATT-narrow", &[]);
    configure(
        &scene,
        &format!("credential.{}.useHttpPath", scene.bitbucket.base_url()),
        "true",
    );
    let base = scene.bitbucket.base_url();
    scene.git_ok("", &["clone", "--quiet", &format!("{base}/acme/widgets.git"), "plain"]);
    scene.git_ok(
        "",
        &["clone", "--quiet", &format!("{base}/acme/widgets.git/wiki"), "pages"],
    );
    scene.commit("plain", "new.txt", b"new\n");
    scene.git_ok("plain", &["push", "--quiet", "origin", "main"]);
    assert!(users(&scene).contains(&"x-bitbucket-api-token-auth".to_owned()));
}

#[test]
fn every_attribute_of_git_is_read_or_left_alone() {
    let scene = scene();
    let _desktop = Desktop::start(&scene);
    keep(&scene, TOKEN, &[]);
    let question = format!("{EVERYTHING}protocol=https\nhost={}\n\n", host(&scene));
    let output = get(&scene, &question);
    assert_eq!((output.stdout.as_str(), output.stderr.as_str()), (ANSWER, ""));
    let url = format!(
        "url=https://x-bitbucket-api-token-auth@{}/acme/widgets.git\n\n",
        host(&scene)
    );
    assert_eq!(get(&scene, &url).stdout, ANSWER);
    for operation in ["store", "erase", "capability", "approve-next-year"] {
        let output = ours_with(&scene, &["credential", operation], &format!("{question}password=x\n"));
        assert_eq!((output.code, output.stdout.as_str()), (Some(0), ""), "{operation}");
    }
    let output = get(&scene, "protocol\n\n");
    assert_eq!(output.code, Some(1));
    says(&output.stderr, &["error: git's question has a line without '='"]);
}

#[test]
fn only_our_own_hosts_are_answered_for_and_only_over_tls() {
    let scene = scene();
    let _desktop = Desktop::start(&scene);
    keep(&scene, TOKEN, &[]);
    let host = host(&scene);
    for question in [
        "protocol=https\nhost=elsewhere.example\n\n".to_owned(),
        "protocol=https\nhost=localhost\n\n".to_owned(),
        format!("protocol=https\nhost={host}.elsewhere.example\n\n"),
        format!("protocol=http\nhost={host}\n\n"),
        format!("protocol=ftp\nhost={host}\n\n"),
        format!("protocol=https\nhost={host}\nusername=somebody\n\n").replace("somebody", "else@example.com:x"),
        "protocol=https\n\n".to_owned(),
        "\n".to_owned(),
    ] {
        let output = get(&scene, &question);
        let named = question.contains("username=");
        let expected = if named { ANSWER } else { "" };
        assert_eq!((output.code, output.stdout.as_str()), (Some(0), expected), "{question}");
    }
    scene.set("BBCLOUD_TOKEN", "ATATT-environment");
    assert_eq!(get(&scene, "protocol=https\nhost=elsewhere.example\n\n").stdout, "");
    says(
        &get(&scene, &format!("protocol=https\nhost={host}\n\n")).stdout,
        &["password=ATATT-environment"],
    );
}

#[test]
fn the_path_chooses_the_account_and_the_name_too() {
    let scene = scene();
    let _desktop = Desktop::start(&scene);
    keep(&scene, &person(&scene, "host"), &["--username", "host"]);
    keep(
        &scene,
        &person(&scene, "part"),
        &["--username", "part", "--for", "acme"],
    );
    keep(
        &scene,
        &person(&scene, "whole"),
        &["--username", "whole", "--for", "acme/widgets"],
    );
    for (more, name) in [
        ("", "host"),
        ("path=acme/widgets.git\n", "whole"),
        ("path=acme/widgets.git/wiki\n", "whole"),
        ("path=acme/widgets.git/info/lfs\n", "whole"),
        ("path=acme/parts.git\n", "part"),
        ("path=other/thing.git\n", "host"),
        ("path=acme/widgets.git\nusername=host\n", "host"),
    ] {
        let output = get(&scene, &format!("protocol=https\nhost={}\n{more}\n", host(&scene)));
        assert_eq!(
            output.stdout,
            format!("username={name}\npassword=ATBB-{name}\n"),
            "{more}"
        );
    }
    let output = get(
        &scene,
        &format!("protocol=https\nhost={}\nusername=nobody\n\n", host(&scene)),
    );
    assert_eq!((output.code, output.stdout.as_str()), (Some(0), ""));
}

#[test]
fn a_keychain_that_cannot_be_used_is_explained_and_git_goes_on() {
    let scene = scene();
    let desktop = Desktop::start(&scene);
    use_as_helper(&scene);
    keep(&scene, TOKEN, &[]);
    desktop.lock();
    let path = program(
        &scene,
        "next",
        "[ \"$1\" != get ] || printf 'username=next\\npassword=p\\n'",
    );
    configure(&scene, "credential.helper", &format!("!{}", path.display()));
    // Helpers are asked in the order of the file; ours comes first because it was configured first.
    let config = fs::read_to_string(scene.home().join(".gitconfig")).expect("there is one");
    assert!(config.find("git-remote-bbcloud") < config.find("/next"), "{config}");
    let filled = git_credential(&scene, "fill", "");
    assert!(filled.success(), "{}", filled.stderr);
    says(&filled.stdout, &["username=next"]);
    says(&filled.stderr, &["error: the keychain is locked"]);
}

#[test]
fn nobody_is_signed_in_and_nothing_is_said() {
    let scene = scene();
    let output = get(&scene, &format!("protocol=https\nhost={}\n\n", host(&scene)));
    assert_eq!(
        (output.code, output.stdout.as_str(), output.stderr.as_str()),
        (Some(0), "", "")
    );
    assert_eq!(noted(&scene, "questions"), "");
    let usage = ours(&scene, &["credential"]);
    assert_eq!(usage.code, Some(2));
}
