//! The tables in `fixtures/messages`: what the program says, by how it comes about, for a person to read as a set.
//!
//! It must not know how a text is produced. With `BBCLOUD_WRITE_MESSAGES` set, a run writes the tables anew.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::run::Output;
use crate::support::scene::Scene;

/// How the tables are written anew, from what the program says now; the difference is then for git to show.
pub(super) const ANEW: &str = "BBCLOUD_WRITE_MESSAGES=1 cargo test --locked --test it -- messages::";

/// How lines begin that git writes beside ours.
const GITS: [&str; 10] = [
    "fatal: ",
    "error: failed to push some refs",
    "error: could not fetch",
    "fetch-pack: ",
    "Cloning into ",
    "To ",
    " ! [",
    "Everything up-to-date",
    // Whether it comes to that is a matter of time.
    "send-pack: ",
    "error: error in sideband",
];

/// How lines begin that are ours in git's words.
const OURS: [&str; 3] = [
    "fatal: Authentication failed ",
    "fatal: unable to access ",
    "fatal: repository '",
];

fn is_ours(line: &str) -> bool {
    let begins = |starts: &[&str]| starts.iter().any(|start| line.starts_with(start));
    begins(&OURS) || line.contains("/info/refs not valid: ") || !begins(&GITS)
}

/// One file of scenes, in the order in which they are added.
pub(crate) struct Table {
    name: &'static str,
    text: String,
    titles: BTreeSet<String>,
}

/// One scene of a table as it is in its file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) table: String,
    pub(super) title: String,
    pub(super) lines: Vec<String>,
}

impl Table {
    pub(crate) fn new(name: &'static str) -> Self {
        Self {
            name,
            text: String::new(),
            titles: BTreeSet::new(),
        }
    }

    /// Adds what our program said, alone or as git's helper.
    pub(super) fn add(&mut self, title: &str, scene: &Scene, output: &Output) {
        let ours = output
            .stderr
            .lines()
            .filter(|line| is_ours(line))
            // Git pads what a server says beside its answer, and shows it when it comes to that.
            .filter(|line| !(line.starts_with("remote: ") && line.ends_with("  ")));
        self.add_text(title, &normalised(scene, &ours.collect::<Vec<_>>().join("\n")));
    }

    /// The same of a run that must fail.
    #[track_caller]
    pub(super) fn fails(&mut self, title: &str, scene: &Scene, output: &Output) {
        assert!(!output.success(), "{title}: {}{}", output.stdout, output.stderr);
        self.add(title, scene, output);
    }

    /// The same of a run that must not.
    #[track_caller]
    pub(super) fn works(&mut self, title: &str, scene: &Scene, output: &Output) {
        assert!(output.success(), "{title}: {}{}", output.stdout, output.stderr);
        self.add(title, scene, output);
    }

    /// Adds a text that is as it shall be.
    pub(crate) fn add_text(&mut self, title: &str, text: &str) {
        assert!(self.titles.insert(title.to_owned()), "two scenes are called '{title}'");
        assert!(!text.trim().is_empty(), "'{title}' says nothing");
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        writeln!(self.text, "## {title}").expect("a string can be written to");
        for line in text.lines().map(str::trim_end) {
            writeln!(self.text, "{line}").expect("a string can be written to");
        }
    }

    /// Compares it with its file, or writes that.
    #[track_caller]
    pub(crate) fn end(self) {
        let place = directory().join(format!("{}.txt", self.name));
        if writes() {
            // Others read the tables at the same time.
            let new = place.with_extension("new");
            fs::write(&new, &self.text).expect("a file can be written");
            fs::rename(&new, &place).expect("a file can be renamed");
            return;
        }
        let file = fs::read_to_string(&place).unwrap_or_default();
        let (kept, said) = (entries(self.name, &file), entries(self.name, &self.text));
        let differs = |ours: &[Entry], theirs: &[Entry]| {
            let other = ours.iter().filter(|entry| !theirs.contains(entry)).map(show);
            other.collect::<String>()
        };
        assert!(
            kept == said,
            "fixtures/messages/{}.txt is not what the program says.\n--- the table\n{}--- the program\n{}\
             If the program is right: {ANEW}",
            self.name,
            differs(&kept, &said),
            differs(&said, &kept)
        );
    }
}

fn show(entry: &Entry) -> String {
    format!("## {}\n{}\n", entry.title, entry.lines.join("\n"))
}

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/messages")
}

#[expect(
    clippy::disallowed_methods,
    reason = "whether the tables are written is not for the product to know"
)]
pub(crate) fn writes() -> bool {
    std::env::var_os("BBCLOUD_WRITE_MESSAGES").is_some()
}

fn entries(table: &str, text: &str) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        if let Some(title) = line.strip_prefix("## ") {
            entries.push(Entry {
                table: table.to_owned(),
                title: title.to_owned(),
                lines: Vec::new(),
            });
        } else if let Some(entry) = entries.last_mut() {
            entry.lines.push(line.to_owned());
        }
    }
    entries
}

/// The scenes of all tables, as they are in the files; none while these are being written.
pub(super) fn all() -> Option<Vec<Entry>> {
    if writes() {
        return None;
    }
    let files = fs::read_dir(directory()).expect("the tables are there");
    let mut files: Vec<_> = files.map(|file| file.expect("an entry").path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "txt"));
    files.sort();
    let read = |file: &PathBuf| {
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        entries(&name, &fs::read_to_string(file).expect("a table can be read"))
    };
    Some(files.iter().flat_map(read).collect())
}

/// `text` without what differs from one run to the next.
pub(super) fn normalised(scene: &Scene, text: &str) -> String {
    let sandbox = scene.work().parent().expect("it is in the sandbox").to_owned();
    let program = Path::new(env!("CARGO_BIN_EXE_git-remote-bbcloud"));
    let program = program.parent().expect("a file is in a directory");
    let text = text
        .replace(&sandbox.display().to_string(), "<sandbox>")
        .replace(&program.display().to_string(), "<bin>");
    let text = replaced(
        &text,
        &format!("{}/.tmp", std::env::temp_dir().display()),
        |c| c.is_ascii_alphanumeric(),
        |_| Some("<tmp>"),
    );
    // The local Bitbucket numbers its requests.
    let text = replaced(&text, "5ca1ab1e", |c| c.is_ascii_hexdigit(), |_| Some("<id>"));
    // Seconds since 1970.
    let long = |digits: &str| (digits.len() > 8).then_some(" <seconds>");
    let text = replaced(&text, " ", |c| c.is_ascii_digit(), long);
    let text = replaced(
        &text,
        "(",
        |c| c.is_ascii_digit(),
        |digits| (digits.len() > 8).then_some("(<seconds>"),
    );
    // A year from now: days, and the day itself.
    let text = replaced(&text, "expires in ", |c| c.is_ascii_digit(), |_| Some("expires in <n>"));
    let text = replaced(&text, " [20", |c| c.is_ascii_digit() || c == '-', |_| Some(" [<day>"));
    // Ports that the system has chosen.
    let is_chosen = |port: &str| port.parse::<u16>().is_ok_and(|port| port >= 32768);
    replaced(
        &text,
        ":",
        |c| c.is_ascii_digit(),
        |port| is_chosen(port).then_some(":<port>"),
    )
}

/// Puts what `with` says in the place of `start` and all characters after it that are `part` of it.
pub(crate) fn replaced<'a>(
    text: &str,
    start: &str,
    part: impl Fn(char) -> bool,
    with: impl Fn(&str) -> Option<&'a str>,
) -> String {
    let mut shown = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(start) {
        let end = after.find(|c| !part(c)).unwrap_or(after.len());
        let (found, later) = after.split_at(end);
        shown += before;
        match with(found) {
            Some(with) => shown += with,
            None => shown.extend([start, found]),
        }
        rest = later;
    }
    shown + rest
}
