//! How a failure is laid out, and that no text steers the terminal.

use super::*;

const PLAIN: Report = Report { colour: false };

#[test]
fn a_failure_reads_remote_error_cause_hint() {
    let failure = Failure::new(Kind::Refused, "'localhost' refused the push (HTTP 403)")
        .because("no write scope")
        .remote("You shall\nnot pass\n")
        .hint("run 'git-remote-bbcloud login --replace'")
        .as_git_says("unable to access 'https://localhost/'");
    assert_eq!(
        PLAIN.layout(&failure),
        "remote: You shall\nremote: not pass\nerror: 'localhost' refused the push (HTTP 403)\n\
         caused by: no write scope\nhint: run 'git-remote-bbcloud login --replace'\n\
         fatal: unable to access 'https://localhost/'\n"
    );
}

#[test]
fn a_server_cannot_steer_the_terminal() {
    let failure = Failure::new(Kind::Refused, "no").remote("\x1b]0;owned\x07\x1b[2Jhi\u{202e}\u{9b}31m\r\0");
    let text = PLAIN.layout(&failure);
    assert!(
        !text.contains(['\x1b', '\x07', '\r', '\0', '\u{9b}', '\u{202e}']),
        "{text:?}"
    );
}

#[test]
fn json_cannot_steer_it_either_and_says_the_same() {
    let value = serde_json::json!({ "a\u{202e}": "\u{9b}31m\n\u{7f}\u{e9}" });
    let text = json(&value);
    assert!(!text.contains(|c| c != '\n' && steers(c)), "{text}");
    assert_eq!(serde_json::from_str::<serde_json::Value>(&text).expect("JSON"), value);
}

#[test]
fn a_long_error_page_is_cut_at_a_character() {
    let failure = Failure::new(Kind::Refused, "no").remote("ä".repeat(10_000));
    assert!(PLAIN.layout(&failure).len() < LONGEST + 100);
}

#[test]
fn a_cause_that_its_parent_already_told_is_not_repeated() {
    #[derive(Debug, thiserror::Error)]
    #[error("cannot open: {0}")]
    struct Outer(#[source] io::Error);
    let failure = Failure::new(Kind::Local, "no").caused_by(&Outer(io::Error::other("disk on fire")));
    assert_eq!(failure.causes(), ["cannot open: disk on fire"]);
}
