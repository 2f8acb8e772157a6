//! The life of a secret: when it expires, who is reminded of that, and how it is replaced.

use std::fs;

use serde_json::{Value, json};

use super::desktop::Desktop;
use super::terminal::Terminal;
use super::{PROGRAM, accounts_file, keep, ls_remote, ours, ours_with, says, scene};
use crate::bitbucket::Account;
use crate::support::scene::{Scene, TOKEN};

const DAY: u64 = 86_400;

/// The day that is `days` days from now, in UTC.
fn day(days: i64) -> String {
    let now = std::time::SystemTime::now();
    let time = if days < 0 {
        now - std::time::Duration::from_secs(days.unsigned_abs() * DAY)
    } else {
        now + std::time::Duration::from_secs(days.unsigned_abs() * DAY)
    };
    jiff::Timestamp::try_from(time).expect("a time").to_string()[..10].to_owned()
}

/// Changes the list of accounts as time or another version would.
fn rewrite(scene: &Scene, change: impl Fn(&mut Value)) {
    let path = accounts_file(scene);
    let mut list: Value = serde_json::from_slice(&fs::read(&path).expect("there is a list")).expect("JSON");
    for account in list["accounts"].as_array_mut().expect("a list") {
        change(account);
    }
    fs::write(path, list.to_string()).expect("it can be written");
}

/// What `command` of git's shows at a terminal.
fn shown(scene: &Scene, arguments: &[&str]) -> String {
    let mut command = scene.command("git", &scene.work());
    command.args(arguments);
    let (code, shown) = Terminal::start(command).end();
    assert_eq!(code, Some(0), "{shown}");
    shown
}

const LIST: [&str; 3] = ["ls-remote", "bbcloud::acme/widgets", "main"];

#[test]
fn a_secret_that_expires_soon_is_told_at_a_terminal_once_a_day() {
    let scene = scene();
    let _desktop = Desktop::start(&scene);
    for (days, words) in [
        (15, None),
        (14, Some("expires in 14 days")),
        (1, Some("expires in 1 day")),
        (0, Some("expires today")),
    ] {
        keep(&scene, TOKEN, &["--for", "acme", "--expires", &day(days)]);
        let found = shown(&scene, &LIST);
        let again = shown(&scene, &LIST);
        match words {
            Some(words) => {
                let warning = format!("warning: the API token for 'acme' {words}");
                assert!(found.contains(&warning), "{days}: {found}");
                assert!(
                    found.contains("hint: run 'git-remote-bbcloud login --replace --for acme'"),
                    "{found}"
                );
            }
            None => assert!(!found.contains("expires"), "{days}: {found}"),
        }
        assert!(!again.contains("expires"), "{days}, again: {again}");
    }
    // Yesterday's reminder, and one of a clock that was wrong.
    for reminded in [day(-1), day(400)] {
        rewrite(&scene, |account| account["reminded"] = json!(reminded));
        assert!(shown(&scene, &LIST).contains("expires today"), "{reminded}");
    }
}

#[test]
fn nobody_is_reminded_without_a_terminal_in_a_build_or_with_quiet() {
    let scene = scene();
    let _desktop = Desktop::start(&scene);
    keep(&scene, TOKEN, &["--expires", "3"]);
    scene.git_ok("", &["init", "--quiet", "here"]);
    let fetch = ["-C", "here", "fetch", "--quiet", "bbcloud::acme/widgets", "main"];
    assert!(!shown(&scene, &fetch).contains("expires"));
    let piped = ls_remote(&scene, "acme/widgets");
    assert!(piped.success() && piped.stderr.is_empty(), "{}", piped.stderr);
    scene.set("CI", "true");
    assert!(!shown(&scene, &LIST).contains("expires"));
    scene.unset("CI");
    let off = [&["-c", "bbcloud.expiryWarning=false"][..], &LIST].concat();
    assert!(!shown(&scene, &off).contains("expires"));
    let shorter = [&["-c", "bbcloud.expiryWarning=2"][..], &LIST].concat();
    assert!(!shown(&scene, &shorter).contains("expires"));
    // All of that has used up no reminder, and the reminder costs no request.
    let before = scene.bitbucket.requests().len();
    assert!(shown(&scene, &LIST).contains("expires in 3 days"));
    let reminded = scene.bitbucket.requests().len();
    assert!(!shown(&scene, &LIST).contains("expires"));
    assert_eq!(scene.bitbucket.requests().len() - reminded, reminded - before);
}

#[test]
fn what_cannot_be_noted_is_no_reason_to_remind_each_time_nor_to_fail() {
    let scene = scene();
    let _desktop = Desktop::start(&scene);
    keep(&scene, TOKEN, &["--expires", "3"]);
    let text = fs::read_to_string(accounts_file(&scene)).expect("a list");
    // A lock that cannot be taken stands for a directory that cannot be written.
    let lock = accounts_file(&scene).with_file_name("accounts.lock");
    fs::remove_file(&lock).expect("it is there");
    fs::create_dir(&lock).expect("a directory");
    assert!(!shown(&scene, &LIST).contains("expires"));
    assert_eq!(fs::read_to_string(accounts_file(&scene)).expect("a list"), text);
}

#[test]
fn a_refusal_after_the_expiry_says_so() {
    let scene = scene();
    let _desktop = Desktop::start(&scene);
    keep(&scene, "ATATT-old", &["--for", "acme", "--expires", "1"]);
    rewrite(&scene, |account| account["expires"] = json!(day(-3)));
    let output = ls_remote(&scene, "acme/widgets");
    says(
        &output.stderr,
        &[
            "rejected the API token",
            &format!("caused by: the token expired on {}\n", day(-3)),
            "hint: run 'git-remote-bbcloud login --replace --for acme'",
        ],
    );
    // An earlier version noted no day: a year is the longest.
    rewrite(&scene, |account| {
        let account = account.as_object_mut().expect("an account");
        account.remove("expires");
        account.remove("expires_assumed");
        account.insert("created".to_owned(), json!(1_700_000_000));
    });
    let output = ls_remote(&scene, "acme/widgets");
    says(
        &output.stderr,
        &["caused by: the token expired on 2024-11-14 at the latest"],
    );
}

#[test]
fn the_user_is_asked_once_when_a_secret_expires() {
    let scene = scene();
    let _desktop = Desktop::start(&scene);
    let mut command = scene.command(PROGRAM, &scene.work());
    command.args(["login", "--for", "acme/widgets"]);
    let mut terminal = Terminal::start(command);
    terminal.expect("Username for");
    terminal.enter("");
    terminal.expect("Password for");
    terminal.enter(TOKEN);
    for (answer, words) in [
        (
            "next week",
            "'next week' is not a date, a number of days, 'never' or 'unknown'",
        ),
        ("2020-02-02", "a secret that expired on 2020-02-02 cannot be used"),
    ] {
        terminal.expect("Expires on");
        terminal.enter(answer);
        terminal.expect(&format!("warning: {words}"));
    }
    terminal.expect("Expires on");
    terminal.enter("30 days");
    terminal.expect("it expires in 30 days");
    assert_eq!(terminal.end().0, Some(0));
    let status = ours(&scene, &["status"]).stdout;
    assert!(
        status.contains(
            "acme/widgets: API token of x-bitbucket-api-token-auth, kept in secret-service, expires in 30 days\n"
        ),
        "{status}"
    );
}

/// Three accounts with one token, one with another, and one more for the same as one of the three.
fn many(scene: &Scene) {
    for target in ["acme", "acme/widgets", "beta"] {
        keep(scene, "ATATT-old", &["--for", target]);
    }
    keep(scene, "ATATT-other", &["--for", "gamma"]);
    keep(scene, "ATBB-ann", &["--for", "beta", "--username", "ann"]);
}

#[test]
fn a_proved_secret_replaces_the_old_one_wherever_it_was() {
    let scene = scene();
    let desktop = Desktop::start(&scene);
    many(&scene);
    let replace = [
        "login",
        "--token-stdin",
        "--replace",
        "--for",
        "acme/widgets",
        "--expires",
        "90",
    ];
    let refused = ours_with(&scene, &replace, "ATATT-wrong");
    assert_eq!(refused.code, Some(1));
    let secrets = |desktop: &Desktop| {
        let mut secrets: Vec<String> = desktop.secrets().into_iter().map(|(_, secret)| secret).collect();
        secrets.sort();
        secrets
    };
    assert_eq!(
        secrets(&desktop),
        ["ATATT-old", "ATATT-old", "ATATT-old", "ATATT-other", "ATBB-ann"]
    );
    scene.bitbucket.add_account(Account::api_token("ada", "ATATT-new"));
    let output = ours_with(&scene, &replace, "ATATT-new");
    assert!(output.success(), "{}", output.stderr);
    says(
        &output.stderr,
        &[
            "'acme' had the same secret; it has the new one too",
            "'beta' had the same secret",
        ],
    );
    assert_eq!(
        secrets(&desktop),
        ["ATATT-new", "ATATT-new", "ATATT-new", "ATATT-other", "ATBB-ann"]
    );
    let status = ours(&scene, &["status"]).stdout;
    assert_eq!(status.matches("expires in 90 days").count(), 3, "{status}");
}

#[test]
fn nothing_is_replaced_by_what_cannot_be_proved() {
    let scene = scene();
    let desktop = Desktop::start(&scene);
    keep(&scene, TOKEN, &["--for", "acme"]);
    let login = ["login", "--token-stdin", "--for", "acme"];
    for replace in [&login[..], &[&login[..], &["--replace"]].concat()] {
        let output = ours_with(&scene, replace, "ATATT-new");
        assert_eq!(output.code, Some(2));
        says(&output.stderr, &["no repository is known", "add '--no-verify'"]);
        assert_eq!(desktop.secrets()[0].1, TOKEN);
    }
    // The same one needs no proof.
    assert!(ours_with(&scene, &login, TOKEN).success());
    let unasked = ours_with(&scene, &[&login[..], &["--no-verify"]].concat(), "ATATT-new");
    assert!(unasked.success(), "{}", unasked.stderr);
    assert_eq!(desktop.secrets()[0].1, "ATATT-new");
    // Nor does one that takes the place of an expired one.
    rewrite(&scene, |account| account["expires"] = json!(day(-3)));
    assert!(ours_with(&scene, &login, "ATATT-newer").success());
    assert_eq!(desktop.secrets()[0].1, "ATATT-newer");
}

#[test]
fn a_secret_is_proved_where_the_one_before_was() {
    let scene = scene();
    let desktop = Desktop::start(&scene);
    scene.git_ok("", &["init", "--quiet", "here"]);
    scene.git_ok("here", &["remote", "add", "origin", "bbcloud::acme/widgets"]);
    let mut command = scene.command(PROGRAM, &scene.path("here"));
    command.args(["login", "--token-stdin", "--for", "acme"]);
    let first = crate::support::run::run_with_input(command, TOKEN.as_bytes());
    says(&first.stderr, &["accepts it for 'acme/widgets'"]);
    // Outside of the clone.
    let login = ["login", "--token-stdin", "--for", "acme"];
    let output = ours_with(&scene, &login, "ATATT-wrong");
    assert_eq!(output.code, Some(1));
    says(&output.stderr, &["rejected the API token", "nothing was kept"]);
    assert_eq!(desktop.secrets()[0].1, TOKEN);
    scene.bitbucket.add_account(Account::api_token("ada", "ATATT-new"));
    let output = ours_with(&scene, &login, "ATATT-new");
    says(&output.stderr, &["accepts it for 'acme/widgets'"]);
    assert_eq!(desktop.secrets()[0].1, "ATATT-new");
}

#[test]
fn what_is_pasted_around_a_secret_is_taken_off_and_told() {
    let scene = scene();
    let desktop = Desktop::start(&scene);
    for (pasted, words) in [
        (format!("\"{TOKEN}\""), "ignored quotes around the secret"),
        (format!("Bearer {TOKEN}"), "ignored 'Bearer' before the secret"),
        (
            format!("Authorization: Bearer {TOKEN}"),
            "ignored 'Bearer' before the secret",
        ),
        (
            format!("ada@example.com:{TOKEN}"),
            "ignored a user name and a colon before the secret",
        ),
    ] {
        let output = ours_with(&scene, &["login", "--token-stdin", "--for", "acme/widgets"], &pasted);
        assert!(output.success(), "{}", output.stderr);
        says(&output.stderr, &[&format!("warning: {words}"), "signed in for"]);
        assert_eq!(desktop.secrets()[0].1, TOKEN);
    }
    let output = ours_with(&scene, &["login", "--token-stdin"], "$BITBUCKET_TOKEN");
    assert_eq!(output.code, Some(2));
    says(
        &output.stderr,
        &["the secret is the name of a variable, 'BITBUCKET_TOKEN', and not its value"],
    );
    scene.set("BBCLOUD_TOKEN", "${BITBUCKET_TOKEN}");
    says(
        &ls_remote(&scene, "acme/widgets").stderr,
        &["error: the secret is the name of a variable"],
    );
}
