//! All texts as a set: one style, and hints that can be pasted.

use super::shell;
use super::table::{self, Entry};
use crate::support::scene::Scene;

/// Longer lines are not read.
const LONGEST: usize = 160;

/// Failures for which nobody here knows what to do, by a part of the error.
const WITHOUT_HINT: &[(&str, &str)] = &[
    ("git asks ", "git never does"),
    ("git's command ends after", "git never does"),
    ("git's question has a line", "git never does"),
    ("cannot read git's", "what the system says is all there is"),
    ("cannot read from git", "git has gone, and says why"),
    ("cannot write to git", "git has gone, and says why"),
    ("git fetch-pack failed", "git has said why"),
    ("no longer offers", "the server has said why"),
    ("repository 'acme/widgets/wiki' not found", "it is nowhere"),
    ("cannot write the output", "what the system says is all there is"),
    ("cannot write '/dev/null/x'", "what the system says is all there is"),
    ("cannot read the input", "what the system says is all there is"),
    (
        "cannot write the list of accounts",
        "what the system says is all there is",
    ),
    ("the input is longer", "nobody needs it longer"),
    ("no secret was given", "the question was shown"),
];

fn lines<'a>(entries: &'a [Entry], prefix: &'static str) -> impl Iterator<Item = (&'a Entry, &'a str)> {
    let all = entries
        .iter()
        .flat_map(|entry| entry.lines.iter().map(move |line| (entry, line)));
    all.filter_map(move |(entry, line)| Some((entry, line.strip_prefix(prefix)?)))
}

/// Whether a sentence may begin with `word` in upper case: a variable, or a name.
fn is_name(word: &str) -> bool {
    word.starts_with(['\'', '<']) || word.chars().skip(1).any(char::is_uppercase) || word == "Bitbucket"
}

#[test]
fn errors_are_short_plain_and_have_no_full_stop() {
    let Some(entries) = table::all() else { return };
    for prefix in ["error: ", "warning: "] {
        for (entry, text) in lines(&entries, prefix) {
            let place = format!("{}: {}: {text}", entry.table, entry.title);
            assert!(!text.ends_with(['.', '!', ':']), "{place}");
            let first = text.split(' ').next().unwrap_or_default();
            assert!(is_name(first) || !first.starts_with(char::is_uppercase), "{place}");
            // Quoted addresses and files are as long as they are.
            let quoted: usize = text.split('\'').skip(1).step_by(2).map(str::len).sum();
            assert!(text.len() - quoted <= LONGEST, "{place}");
        }
    }
}

/// The lines of one failure: from one `error:` to the next, whatever stands between.
fn failures(entry: &Entry) -> Vec<(&str, bool)> {
    let mut failures: Vec<(&str, bool)> = Vec::new();
    for line in &entry.lines {
        if let Some(error) = line.strip_prefix("error: ") {
            failures.push((error, false));
        } else if line.starts_with("hint: ")
            && let Some(last) = failures.last_mut()
        {
            last.1 = true;
        }
    }
    failures
}

#[test]
fn whoever_can_do_something_is_told_what() {
    let Some(entries) = table::all() else { return };
    let mut missing = Vec::new();
    let mut used = vec![false; WITHOUT_HINT.len()];
    for entry in &entries {
        for (error, _) in failures(entry).iter().filter(|(_, has_hint)| !has_hint) {
            match WITHOUT_HINT.iter().position(|(part, _)| error.contains(part)) {
                Some(at) => used[at] = true,
                None => missing.push(format!("{}: {}: {error}", entry.table, entry.title)),
            }
        }
    }
    assert!(missing.is_empty(), "these have no hint:\n{}", missing.join("\n"));
    let unused = WITHOUT_HINT.iter().zip(used).filter(|(_, used)| !used);
    let unused: Vec<_> = unused.map(|((part, _), _)| part).collect();
    assert!(unused.is_empty(), "all of these have hints by now: {unused:?}");
}

/// What stands between quotes in `text` and begins with `start`; a quote within a word ends nothing.
fn commands<'a>(text: &'a str, start: &str) -> Vec<&'a str> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices(&format!("'{start}")) {
        let rest = &text[at + 1..];
        let ends = rest.char_indices().filter(|(_, c)| *c == '\'').map(|(end, _)| end);
        let mut ends = ends.filter(|end| !rest[end + 1..].starts_with(char::is_alphanumeric));
        found.extend(ends.next().map(|end| &rest[..end]));
    }
    found
}

/// Words as a shell has them, as far as hints need it.
fn words(command: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    // A placeholder may have spaces in it.
    let mut depth = 0_usize;
    for c in command.chars() {
        match c {
            '"' => quoted = !quoted,
            '<' => depth += 1,
            '>' => depth -= 1,
            ' ' if !quoted && depth == 0 => words.push(String::new()),
            c => words.last_mut().expect("there is one").push(c),
        }
    }
    words
}

/// The lines that name commands: hints, what is said without a prefix, and the remedies of `doctor`, which are commands.
fn advice(entries: &[Entry]) -> Vec<String> {
    let hints = lines(entries, "hint: ").map(|(_, text)| text.to_owned());
    let said = entries
        .iter()
        .flat_map(|entry| &entry.lines)
        .filter(|line| line.starts_with("signed in"));
    let remedies = entries
        .iter()
        .flat_map(|entry| &entry.lines)
        .filter_map(|line| line.trim_start().strip_prefix("-> "));
    let remedies = remedies.map(|remedy| {
        if remedy.starts_with("git") {
            format!("'{remedy}'")
        } else {
            remedy.to_owned()
        }
    });
    hints.chain(said.cloned()).chain(remedies).collect()
}

#[test]
fn our_own_commands_in_hints_can_be_run() {
    let Some(entries) = table::all() else { return };
    let scene = Scene::new();
    let mut seen: Vec<String> = Vec::new();
    for text in advice(&entries) {
        for start in ["git-remote-bbcloud ", "git remote-bbcloud "] {
            for command in commands(&text, start) {
                seen.push(command.to_owned());
            }
        }
    }
    seen.sort();
    seen.dedup();
    assert!(seen.len() > 10, "{seen:?}");
    for command in seen {
        let arguments = words(&command.replacen("git remote-bbcloud", "git-remote-bbcloud", 1));
        let mut program = scene.command("git-remote-bbcloud", &scene.work());
        program.args(&arguments[1..]).arg("--help");
        let output = crate::support::run::run(program);
        assert!(output.success(), "'{command}': {}", output.stderr);
    }
    // A command that there is not would be noticed.
    assert!(!shell(&scene, "git-remote-bbcloud login --nothing --help").success());
}

/// Whether git would read `key` as one.
fn is_key(key: &str) -> bool {
    let name = key.rsplit('.').next().unwrap_or_default();
    let section = key.split('.').next().unwrap_or_default();
    let plain = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    key.contains('.') && plain(name) && plain(section)
}

/// What is wrong with `git config …`.
fn wrong_config(arguments: &[String]) -> Option<&'static str> {
    let mut rest: Vec<&str> = arguments.iter().map(String::as_str).collect();
    rest.retain(|word| !matches!(*word, "--global" | "--show-origin"));
    match rest.as_slice() {
        ["--file", _, "--list" | "--edit"] | ["--list" | "--edit"] | ["--get-regexp", _] => None,
        ["--unset" | "--unset-all", key] if is_key(key.trim_matches('\'')) => None,
        [key, _value] if is_key(key) => None,
        _ => Some("neither a value that is set nor a question"),
    }
}

#[test]
fn commands_of_git_in_hints_are_well_formed() {
    let Some(entries) = table::all() else { return };
    let mut count = 0;
    for text in advice(&entries) {
        for command in commands(&text, "git ") {
            let words = words(command);
            let wrong = match words[1].as_str() {
                "config" => wrong_config(&words[2..]),
                "ls-remote" => (words.len() > 2 && !words[2].starts_with("bbcloud::")).then_some("no address of ours"),
                "push" => (words.len() != 4 || !words[3].contains(":refs/heads/"))
                    .then_some("not from something to something"),
                "remote" => (!matches!(words[2].as_str(), "add" | "set-url" | "-v")).then_some("no such thing"),
                "fetch" => (words.len() != 4).then_some("not a branch of a remote"),
                "-c" | "-C" | "version" | "remote-bbcloud" | "lfs" => None,
                _ => Some("a command that no other hint has"),
            };
            assert!(
                wrong.is_none(),
                "'{command}' in '{text}': {}",
                wrong.unwrap_or_default()
            );
            count += 1;
        }
    }
    assert!(count > 20, "{count}");
}
