//! `login` and `logout`, by a person and by a script.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::desktop::Desktop;
use super::terminal::Terminal;
use super::{
    PROGRAM, accounts_file, configure, json, keep, last_user, ls_remote, ours, ours_with, person, says, scene, users,
};
use crate::bitbucket::Account;
use crate::support::scene::{Scene, TOKEN};

const STDIN: [&str; 2] = ["login", "--token-stdin"];

fn login(scene: &Scene, secret: &str, more: &[&str]) -> crate::support::run::Output {
    ours_with(scene, &[&STDIN, more].concat(), secret)
}

#[test]
fn sign_in_once_then_clone_and_push_with_nothing_in_the_environment() {
    let scene = scene();
    let desktop = Desktop::start(&scene);
    let output = login(&scene, &format!("{TOKEN}\n"), &["--for", "acme/widgets"]);
    assert!(output.success(), "{}", output.stderr);
    assert_eq!(output.stdout, "");
    says(
        &output.stderr,
        &[
            "signed in for 'acme/widgets' as 'x-bitbucket-api-token-auth' with an API token ('localhost:",
            "accepts it for 'acme/widgets'",
        ],
    );
    assert_eq!(desktop.secrets().len(), 1);
    scene.cloned();
    scene.commit("clone", "new.txt", b"new\n");
    scene.git_ok("clone", &["push", "--quiet", "origin", "main"]);
    assert_eq!(users(&scene), ["x-bitbucket-api-token-auth"]);
    let asked = scene.bitbucket.requests();
    assert!(
        asked.iter().all(|request| !request.path.starts_with("/2.0")),
        "REST is never asked"
    );

    let text = fs::read_to_string(accounts_file(&scene)).expect("there is a list");
    assert!(!text.contains(TOKEN), "{text}");
    let mode = fs::metadata(accounts_file(&scene))
        .expect("a file")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn at_a_terminal_it_says_where_tokens_are_made_and_shows_none() {
    let scene = scene();
    let _desktop = Desktop::start(&scene);
    let mut command = scene.command(PROGRAM, &scene.work());
    command.args(["login", "--for", "acme/widgets"]);
    let mut terminal = Terminal::start(command);
    for words in [
        "https://id.atlassian.com/manage-profile/security/api-tokens",
        "to read: read:repository:bitbucket",
        "write:repository:bitbucket",
        "wiki:    read:wiki:bitbucket",
        "Leave the user name empty for a token",
        "Username for 'https://localhost",
    ] {
        terminal.expect(words);
    }
    terminal.enter("");
    terminal.expect("Password for 'https://localhost");
    terminal.enter(TOKEN);
    terminal.expect("Expires on (a date, a number of days, 'never' or 'unknown') [20");
    terminal.enter("");
    terminal.expect("signed in for 'acme/widgets'");
    let (code, shown) = terminal.end();
    assert_eq!(code, Some(0));
    assert!(!shown.contains(TOKEN), "{shown}");
}

#[test]
fn an_app_password_asks_for_its_name_at_a_terminal_only() {
    let scene = scene();
    let _desktop = Desktop::start(&scene);
    let secret = person(&scene, "ann");
    let output = login(&scene, &secret, &[]);
    assert_eq!(output.code, Some(2));
    says(
        &output.stderr,
        &[
            "error: an app password needs a user name",
            "hint: add '--username <name>'",
        ],
    );
    let mut command = scene.command(PROGRAM, &scene.work());
    command.args(["login", "--for", "acme/widgets"]);
    let mut terminal = Terminal::start(command);
    terminal.expect("Username for 'https://localhost");
    terminal.enter("ann");
    terminal.expect("Password for 'https://ann@localhost");
    terminal.enter(&secret);
    terminal.expect("signed in for 'acme/widgets' as 'ann' with an app password");
    assert_eq!(terminal.end().0, Some(0));
}

#[test]
fn what_the_server_refuses_is_not_kept() {
    let scene = scene();
    let desktop = Desktop::start(&scene);
    let output = login(&scene, "ATATT-wrong", &["--for", "acme/widgets"]);
    assert_eq!(output.code, Some(1));
    says(
        &output.stderr,
        &[
            "remote: Invalid credentials",
            "error: 'localhost' rejected the API token",
            "hint: nothing was kept",
        ],
    );
    assert_eq!(desktop.secrets(), []);
    assert_eq!(
        json(&ours(&scene, &["status", "--json"]).stdout)["accounts"],
        serde_json::json!([])
    );
    // Asked or not is for the user to say.
    let output = login(&scene, "ATATT-wrong", &["--for", "acme/widgets", "--no-verify"]);
    assert!(output.success());
    says(&output.stderr, &["the server was not asked"]);
    // A better one that is refused leaves what was kept.
    assert_eq!(login(&scene, "ATATT-worse", &["--for", "acme/widgets"]).code, Some(1));
    assert_eq!(desktop.secrets()[0].1, "ATATT-wrong");
}

#[test]
fn the_remote_of_the_repository_one_stands_in_is_asked() {
    let scene = scene();
    let _desktop = Desktop::start(&scene);
    let output = login(&scene, TOKEN, &[]);
    says(
        &output.stderr,
        &["not tried, because no repository is known: 'git ls-remote bbcloud::<workspace>/<repository>'"],
    );
    assert!(scene.bitbucket.requests().is_empty());
    scene.cloned();
    scene.bitbucket.clear_requests();
    let mut command = scene.command(PROGRAM, &scene.path("clone"));
    command.args(STDIN);
    let output = crate::support::run::run_with_input(command, TOKEN.as_bytes());
    says(&output.stderr, &["accepts it for 'acme/widgets'"]);
    assert_eq!(scene.bitbucket.requests().len(), 1);
}

#[test]
fn the_name_that_a_kind_has_is_sent_without_asking() {
    let scene = scene();
    let _desktop = Desktop::start(&scene);
    scene.bitbucket.add_account(Account::access_token("ATCTT-access"));
    scene.bitbucket.add_account(Account::access_token("unusual"));
    for (secret, more, name) in [
        (TOKEN, &[][..], "x-bitbucket-api-token-auth"),
        ("ATCTT-access", &[], "x-token-auth"),
        ("unusual", &["--kind", "access-token"], "x-token-auth"),
        (TOKEN, &["--username", "ada"], "ada"),
        (TOKEN, &["--email", "ada@example.com"], "x-bitbucket-api-token-auth"),
    ] {
        let output = login(&scene, secret, &[&["--for", "acme/widgets"], more].concat());
        assert!(output.success(), "{name}: {}", output.stderr);
        assert_eq!(last_user(&scene).as_deref(), Some(name));
        assert!(ours(&scene, &["logout", "--for", "acme/widgets"]).success());
    }
}

#[test]
fn an_email_address_is_sent_only_where_it_may_be_right() {
    let scene = scene();
    let _desktop = Desktop::start(&scene);
    let mail = "ada@example.com";
    let output = login(&scene, TOKEN, &["--for", "acme/widgets", "--username", mail]);
    assert!(output.success(), "{}", output.stderr);
    says(
        &output.stderr,
        &["is an e-mail address, which is for the REST API; git gets the user name 'x-bitbucket-api-token-auth'"],
    );
    let status = json(&ours(&scene, &["status", "--json"]).stdout);
    assert_eq!(status["accounts"][0]["email"], mail);
    assert_eq!(status["accounts"][0]["username"], "x-bitbucket-api-token-auth");
    let output = login(&scene, "ATBB-x", &["--for", "acme/widgets", "--username", mail]);
    assert_eq!(output.code, Some(1));
    says(
        &output.stderr,
        &["(HTTP 401)", "e-mail address", "hint: nothing was kept"],
    );
}

#[test]
fn secrets_come_from_files_and_pipes_and_never_from_arguments() {
    let scene = scene();
    let desktop = Desktop::start(&scene);
    let file = scene.home().join("secret");
    scene.excuse_file(&file);
    fs::write(&file, format!("{TOKEN}\r\nsecond line\n")).expect("a file can be written");
    let name = file.display().to_string();
    assert!(ours(&scene, &["login", "--token-file", &name, "--no-verify"]).success());
    assert_eq!(desktop.secrets()[0].1, TOKEN);
    for (arguments, words) in [
        (
            &["login"][..],
            "error: there is no terminal at which a secret could be asked for",
        ),
        (
            &["login", "--token-stdin"],
            "error: the first line of standard input is empty, where a secret was expected",
        ),
        (
            &["login", "--token-file", "/nonexistent"],
            "error: cannot read the secret from '/nonexistent'",
        ),
        (
            &["login", "--token", "ATATT-x"],
            "error: secrets are not accepted as arguments",
        ),
        (&["login", "--for", "a/b/c/d"], "error: "),
    ] {
        let output = ours(&scene, arguments);
        assert!(matches!(output.code, Some(1 | 2)), "{arguments:?}");
        says(&output.stderr, &[words]);
    }
    configure(&scene, "bbcloud.store", "false");
    let output = login(&scene, TOKEN, &[]);
    assert_eq!(output.code, Some(2));
    says(&output.stderr, &["nothing is kept, because 'bbcloud.store' is false"]);
}

#[test]
fn a_variable_that_wins_over_the_keychain_is_named() {
    let scene = scene();
    let _desktop = Desktop::start(&scene);
    scene.set("BBCLOUD_TOKEN", "ATATT-other");
    let output = login(&scene, TOKEN, &["--for", "acme/widgets"]);
    assert!(output.success(), "{}", output.stderr);
    says(
        &output.stderr,
        &["warning: BBCLOUD_TOKEN is set: while it is, it is used and the keychain is not"],
    );
}

#[test]
fn replacing_takes_the_place_of_other_names() {
    let scene = scene();
    let desktop = Desktop::start(&scene);
    keep(&scene, "ATBB-ann", &["--username", "ann"]);
    keep(&scene, "ATBB-ben", &["--username", "ben"]);
    keep(&scene, "ATBB-cat", &["--username", "cat", "--for", "acme"]);
    assert_eq!(desktop.secrets().len(), 3);
    keep(&scene, TOKEN, &["--replace"]);
    let secrets: Vec<_> = desktop.secrets().into_iter().map(|(_, secret)| secret).collect();
    assert_eq!(secrets, ["ATBB-cat", TOKEN]);
}

#[test]
fn signing_out_takes_away_what_was_meant_and_nothing_else() {
    let scene = scene();
    let desktop = Desktop::start(&scene);
    keep(&scene, "ATBB-ann", &["--username", "ann"]);
    keep(&scene, "ATBB-ben", &["--username", "ben"]);
    keep(&scene, TOKEN, &["--for", "acme"]);
    let output = ours(&scene, &["logout", "--username", "ann"]);
    assert!(output.success(), "{}", output.stderr);
    says(
        &output.stderr,
        &[
            "signed out of 'localhost:",
            "as 'ann'; the secret is out of the keychain",
        ],
    );
    assert_eq!(desktop.secrets().len(), 2);
    let output = ours(&scene, &["logout", "--for", "other"]);
    assert_eq!(output.code, Some(1));
    says(
        &output.stderr,
        &[
            "nobody is signed in for 'other'",
            "see who is with 'git-remote-bbcloud status'",
        ],
    );
    assert!(ours(&scene, &["logout", "--for", "acme"]).success());
    assert_eq!(desktop.secrets().len(), 1);
    keep(&scene, TOKEN, &["--for", "acme"]);
    assert!(ours(&scene, &["logout", "--all"]).success());
    assert_eq!(desktop.secrets(), []);
    assert!(!ls_remote(&scene, "acme/widgets").success());
    says(&ours(&scene, &["logout", "--all"]).stderr, &["nobody is signed in"]);
}

/// Somebody has deleted it with another program: that is no reason not to forget the account.
#[test]
fn signing_out_of_what_is_gone_succeeds() {
    let scene = scene();
    let desktop = Desktop::start(&scene);
    keep(&scene, TOKEN, &[]);
    desktop.clear();
    assert!(ours(&scene, &["logout"]).success());
    assert_eq!(ours(&scene, &["status"]).code, Some(1));
}
