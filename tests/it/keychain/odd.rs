//! Files and variables of the user's that hold something else than was meant: told, and neither obeyed nor ignored.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

use super::{accounts_file, ls_remote, ours, ours_with, says, scene};
use crate::support::run::run;
use crate::support::scene::TOKEN;

/// A secret with a line end would be two lines of git's credential protocol, or a header of HTTP.
#[test]
fn a_secret_of_several_lines_is_refused() {
    let scene = scene();
    let question = format!("url={}/acme/widgets\n\n", scene.bitbucket.base_url());
    for secret in ["ATATTx\r\nX-Evil: 1", "ATATTx\nusername=evil", "ATATTx\u{1b}[2J"] {
        scene.set("BBCLOUD_TOKEN", secret);
        let fetched = ls_remote(&scene, "acme/widgets");
        assert!(!fetched.success(), "{}", fetched.stderr);
        says(
            &fetched.stderr,
            &["error: the secret in BBCLOUD_TOKEN holds a control character"],
        );
        let asked = ours_with(&scene, &["credential", "get"], &question);
        assert_eq!((asked.code, asked.stdout.as_str()), (Some(2), ""), "{}", asked.stderr);
    }
    scene.set("BBCLOUD_TOKEN", "ATATTx");
    scene.set("BBCLOUD_USERNAME", "ada\npassword=evil");
    says(
        &ls_remote(&scene, "acme/widgets").stderr,
        &[
            "error: BBCLOUD_USERNAME holds a control character",
            "hint: run 'unset BBCLOUD_USERNAME'",
        ],
    );
    let asked = ours_with(&scene, &["credential", "get"], &question);
    assert_eq!((asked.code, asked.stdout.as_str()), (Some(2), ""), "{}", asked.stderr);
    scene.unset("BBCLOUD_USERNAME");
    scene.unset("BBCLOUD_TOKEN");
    let login = ours_with(&scene, &["login", "--token-stdin", "--no-verify"], "ATATT\tx\n");
    assert_eq!(login.code, Some(2), "{}", login.stderr);
    says(
        &login.stderr,
        &["the secret in standard input holds a control character"],
    );
    let login = ours_with(&scene, &["login", "--token-stdin", "--no-verify"], &"x".repeat(100_000));
    says(
        &login.stderr,
        &["the first line of standard input is too long for a secret"],
    );
}

#[test]
fn a_variable_that_is_no_text_is_told() {
    let scene = scene();
    for name in ["BBCLOUD_TOKEN", "BBCLOUD_USERNAME"] {
        scene.set("BBCLOUD_TOKEN", "ATATTx");
        scene.set(name, OsStr::from_bytes(b"ATATT\xff"));
        let fetched = ls_remote(&scene, "acme/widgets");
        assert!(!fetched.success(), "{}", fetched.stderr);
        says(
            &fetched.stderr,
            &[&format!("error: {name} is not UTF-8"), "hint: run 'unset "],
        );
    }
}

/// Nobody writes to a pipe that stands in the place of the list.
#[test]
fn a_list_of_accounts_that_is_no_file_does_not_hang() {
    let scene = scene();
    let list = accounts_file(&scene);
    std::fs::create_dir_all(list.parent().expect("a directory")).expect("made");
    let mut fifo = scene.command("mkfifo", &scene.work());
    fifo.arg(&list);
    assert!(run(fifo).success());
    for arguments in [&["status"][..], &["logout"]] {
        let output = ours(&scene, arguments);
        assert_eq!(output.code, Some(1), "{}", output.stderr);
        says(
            &output.stderr,
            &["accounts.json' cannot be read", "it is not a regular file"],
        );
    }
}

#[test]
fn a_netrc_with_another_encoding_is_read() {
    let scene = scene();
    scene.excuse_file(scene.home().join(".netrc"));
    let mut text = b"# Andr\xe9\nmachine localhost login x-bitbucket-api-token-auth password ".to_vec();
    text.extend_from_slice(TOKEN.as_bytes());
    std::fs::write(scene.home().join(".netrc"), text).expect("written");
    let output = ls_remote(&scene, "acme/widgets");
    assert!(output.success(), "{}", output.stderr);
}

/// A secret that came from elsewhere is held against the same rule where it would be printed as a line.
#[test]
fn what_netrc_quotes_brings_no_header_along() {
    let scene = scene();
    scene.set("BBCLOUD_API_URL", scene.bitbucket.api_url());
    std::fs::write(
        scene.home().join(".netrc"),
        "machine localhost login x-token-auth password \"ATCTT\\r\\nX-Evil: 1\"\n",
    )
    .expect("written");
    let output = ours(&scene, &["api", "/user"]);
    assert!(!output.success());
    says(&output.stderr, &["the secret in ~/.netrc holds a control character"]);
    assert!(scene.bitbucket.requests().is_empty());
}
