//! The secret of a test is a canary: wherever it turns up but in the hands of the server, something leaks.
//!
//! After every scenario it is searched for in what all programs said, in every file of the sandbox, and in the
//! arguments and environments of git's processes, as git's own trace has them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine as _;

use crate::bitbucket::API_TOKEN_USER;

/// A larger file is a pack.
const LARGEST: u64 = 4 * 1024 * 1024;
/// The variable by which git's trace shows who has the secret in the environment; commands without it are not watched.
pub(crate) const WATCH: &str = "GIT_TRACE2_ENV_VARS";
/// Where git's trace of a scene is, below its sandbox.
pub(crate) const TRACES: &str = "canary";

/// The forms in which a secret could be found: as it is, and as the header of a request has it.
fn forms(secret: &str) -> [String; 2] {
    let pair = format!("{API_TOKEN_USER}:{secret}");
    let coded = base64::engine::general_purpose::STANDARD.encode(pair);
    // Where a line is wrapped or cut, its beginning is still there.
    [secret.to_owned(), coded.trim_end_matches('=').to_owned()]
}

fn is_in(text: &str, secret: &str) -> bool {
    forms(secret).iter().any(|form| text.contains(form))
}

/// Whether `command` is one of a scene of the product, and not of the oracle, whose URLs have the secret in them.
pub(crate) fn watches(command: &Command) -> bool {
    command.get_envs().any(|(name, value)| name == WATCH && value.is_some())
}

/// Panics if `secret` is in what a program said.
pub(crate) fn check_said(program: &str, said: [&str; 2], secret: &str) {
    for text in said {
        assert!(!is_in(text, secret), "{program} told the secret: {text}");
    }
}

/// The files below `root` that have `secret` in them, but those of the directory `excused`.
pub(crate) fn search(root: &Path, secret: &str, excused: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![root.to_owned()];
    while let Some(path) = open.pop() {
        let Ok(metadata) = fs::symlink_metadata(&path) else {
            continue;
        };
        if path == excused || metadata.is_symlink() {
            continue;
        }
        if is_in(&path.to_string_lossy(), secret) {
            found.push(path.clone());
        }
        if metadata.is_dir() {
            // What a test has made unreadable, it has made so for the product, too.
            open.extend(
                fs::read_dir(&path)
                    .into_iter()
                    .flatten()
                    .flatten()
                    .map(|entry| entry.path()),
            );
        } else if metadata.is_file() && metadata.len() <= LARGEST {
            let content = fs::read(&path).unwrap_or_default();
            if is_in(&String::from_utf8_lossy(&content), secret) {
                found.push(path);
            }
        }
    }
    found
}

/// What git's trace tells of processes that had the secret in their arguments, or in their environment although they
/// were started by the product: those have no use for it.
pub(crate) fn traced(traces: &Path, secret: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(traces).into_iter().flatten().flatten() {
        let text = fs::read_to_string(entry.path()).unwrap_or_default();
        let started = text
            .lines()
            .find(|line| line.contains("\"event\":\"start\""))
            .unwrap_or_default();
        let is_ours = [
            "\"--stateless-rpc\",\"--stdin\"",
            "\"credential\",\"fill\"",
            "\"credential\",\"approve\"",
        ]
        .iter()
        .any(|words| started.contains(words));
        for line in text.lines().filter(|line| is_in(line, secret)) {
            let is_environment = line.contains("\"event\":\"def_param\"") && line.contains("\"BBCLOUD_TOKEN\"");
            if !is_environment || is_ours {
                found.push(format!("{line}\n  of {started}"));
            }
        }
    }
    found
}

#[test]
fn a_secret_is_found_wherever_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let place = |name: &str| directory.path().join(name);
    let nowhere = Path::new("/nowhere");
    assert_eq!(search(directory.path(), "ATATT-x", nowhere), Vec::<PathBuf>::new());
    fs::create_dir(place("deep")).unwrap();
    fs::write(place("deep/plain"), b"\xff\xfe ATATT-x!").unwrap();
    let coded = base64::engine::general_purpose::STANDARD.encode(format!("{API_TOKEN_USER}:ATATT-x"));
    fs::write(place("header"), format!("Authorization: Basic {coded}\n")).unwrap();
    fs::write(place("name ATATT-x"), b"").unwrap();
    assert_eq!(search(directory.path(), "ATATT-x", nowhere).len(), 3);
    assert_eq!(search(directory.path(), "ATATT-x", &place("deep")).len(), 2);
    fs::create_dir(place("traces")).unwrap();
    let argv = "{\"event\":\"start\",\"argv\":[\"git\",\"credential\",\"fill\",\"ATATT-x\"]}\n";
    let param = "{\"event\":\"def_param\",\"param\":\"BBCLOUD_TOKEN\",\"value\":\"ATATT-x\"}\n";
    fs::write(place("traces/one"), format!("{argv}{param}")).unwrap();
    fs::write(
        place("traces/two"),
        format!("{{\"event\":\"start\",\"argv\":[\"git\",\"fetch\"]}}\n{param}"),
    )
    .unwrap();
    assert_eq!(traced(&place("traces"), "ATATT-x").len(), 2);
}
