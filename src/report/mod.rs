//! What the user reads: failures with their cause, the server's words and the command that helps.
//!
//! With `trace.rs` this is the only part that writes to standard error. Does not depend on where a failure comes from:
//! whoever fails builds the [`Failure`] in words, and this file lays it out and keeps the terminal safe.

use std::fmt::{self, Write as _};
use std::io::{self, IsTerminal as _, Write as _};

/// What went wrong, as far as a caller or a script has to branch on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The command line, an address or a setting cannot be used.
    Usage,
    /// The server does not know who is asking, or not with this secret (401, 410 for app passwords).
    Unauthenticated,
    /// The server knows who is asking and says no (403, 404).
    Refused,
    /// Trying again later may succeed (429, 5xx).
    Unavailable,
    /// The network, a proxy or TLS failed before there was an answer.
    Network,
    /// The other side broke the protocol, or its answer was cut.
    Protocol,
    /// The keychain is locked, absent, slow or broken.
    Keychain,
    /// Anything on this machine: files, processes, pipes.
    Local,
    /// Git has gone, or ends now. It says why itself, or was told to go: there is nothing to report.
    Hangup,
}

/// A failure as the user reads it: an `error:` line, `caused by:`, the server's words as `remote:`, and `hint:` lines;
/// and, for the programs around git, a last line in git's own words.
///
/// Messages are lower-case and without a full stop, as git's are. Everything that came from the network is made
/// [`plain`] when it is printed, so that no text can move the cursor or hide a line.
#[derive(Debug, Clone)]
pub struct Failure {
    kind: Kind,
    message: String,
    causes: Vec<String>,
    remote: Option<String>,
    hints: Vec<String>,
    fatal: Option<Box<str>>,
}

/// What went wrong at an edge, where nobody asks which error it was: something of this machine.
impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        let failure = Self::new(Kind::Local, error.to_string());
        error
            .chain()
            .skip(1)
            .fold(failure, |failure, cause| failure.because(cause.to_string()))
    }
}

impl Failure {
    /// Returns a failure of `kind` that says `message`.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            causes: Vec::new(),
            remote: None,
            hints: Vec::new(),
            fatal: None,
        }
    }

    /// Returns the failure to write to git: a [`Kind::Hangup`] if git has closed its end.
    pub fn git_has_gone(error: &io::Error) -> Self {
        let kind = match error.kind() {
            io::ErrorKind::BrokenPipe => Kind::Hangup,
            _ => Kind::Local,
        };
        Self::new(kind, "cannot write to git").caused_by(error)
    }

    /// Adds `error` and everything beneath it as `caused by:` lines.
    #[must_use]
    pub fn caused_by(mut self, error: &(dyn std::error::Error + 'static)) -> Self {
        let mut next = Some(error);
        while let Some(error) = next {
            let text = error.to_string();
            // Many libraries repeat their source in their own message; the user reads it once.
            if !self.causes.last().is_some_and(|last| last.contains(&text)) {
                self.causes.push(text);
            }
            next = error.source();
        }
        self
    }

    /// Adds one `caused by:` line in our own words.
    #[must_use]
    pub fn because(mut self, cause: impl Into<String>) -> Self {
        self.causes.push(cause.into());
        self
    }

    /// Adds what the server said, shown as `remote:` lines.
    #[must_use]
    pub fn remote(mut self, words: impl Into<String>) -> Self {
        let words = words.into();
        if !words.trim().is_empty() {
            self.remote = Some(words);
        }
        self
    }

    /// Adds a `hint:` line; it should hold a command that can be pasted.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Adds the last line: `fatal:` and what git itself would say.
    #[must_use]
    pub fn as_git_says(mut self, words: impl Into<String>) -> Self {
        self.fatal = Some(words.into().into_boxed_str());
        self
    }

    /// Returns what the failure is about, for those who branch on it.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Returns the text of the `error:` line.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Returns the texts of the `caused by:` lines.
    pub fn causes(&self) -> &[String] {
        &self.causes
    }

    /// Returns what the server said, if it is to be shown.
    pub fn words(&self) -> Option<&str> {
        self.remote.as_deref()
    }

    /// Returns the texts of the `hint:` lines.
    pub fn hints(&self) -> &[String] {
        &self.hints
    }
}

/// The failure's `error:` line without its prefix.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// The longest text that is shown, in bytes: any text may have a server's words in it, and an error page is not worth
/// more.
const LONGEST: usize = 4096;

/// Returns the beginning of `text`, up to a character's end.
fn bounded(text: &str) -> &str {
    let end = (0..=LONGEST.min(text.len()))
        .rev()
        .find(|end| text.is_char_boundary(*end));
    text.get(..end.unwrap_or_default()).unwrap_or_default()
}

/// Returns `text` without what could steer a terminal: control characters and direction overrides become `?`.
///
/// Tabs become spaces and line ends stay, so the caller can put its own prefix before each line.
pub fn plain(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\n' => '\n',
            '\t' => ' ',
            c if steers(c) => '?',
            c => c,
        })
        .collect()
}

/// Returns `text`, which may be a server's words, as a part of a line of output: bounded, and without what could steer
/// the terminal or look like another line.
pub fn one_line(text: &str) -> String {
    plain(bounded(text)).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns `value` as JSON on several lines, for a terminal too: JSON leaves U+009B and direction overrides as they are.
pub fn json(value: &serde_json::Value) -> String {
    let mut shown = String::new();
    for c in format!("{value:#}\n").chars() {
        if c != '\n' && steers(c) {
            write!(shown, "\\u{:04x}", u32::from(c)).ok();
        } else {
            shown.push(c);
        }
    }
    shown
}

/// Whether a terminal does something else with `c` than to show it. Bidirectional controls can make a line read as
/// something that it is not (Unicode TR 36, 3.2).
pub fn steers(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether standard error is a terminal, and so somebody may be there who sees a window or a prompt as well.
pub fn is_watched() -> bool {
    io::stderr().is_terminal()
}

/// Whether the terminal of standard error knows colours: consoles of Windows have to be told to, and old ones do not.
fn shows_colours() -> bool {
    #[cfg(windows)]
    {
        let console = winapi_util::console::Console::stderr();
        console.is_ok_and(|mut console| console.set_virtual_terminal_processing(true).is_ok())
    }
    #[cfg(not(windows))]
    true
}

/// The standard error stream with the one decision it needs: whether colour helps.
#[derive(Debug, Clone, Copy)]
pub struct Report {
    colour: bool,
}

impl Report {
    /// Returns the report for this process; colour only on a terminal and where `no_color` (`NO_COLOR`) is unset.
    pub fn new(no_color: bool) -> Self {
        Self {
            colour: !no_color && is_watched() && shows_colours(),
        }
    }

    /// Prints `failure` in full.
    pub fn failure(self, failure: &Failure) {
        print(&self.layout(failure));
    }

    /// Prints a `warning:` line.
    pub fn warning(self, text: &str) {
        print(&self.lines("warning", "33", text));
    }

    /// Prints a `hint:` line.
    pub fn hint(self, text: &str) {
        print(&self.lines("hint", "36", text));
    }

    /// Prints words that are neither data nor a failure, without a prefix.
    pub fn say(self, text: &str) {
        print(&format!("{}\n", plain(bounded(text))));
    }

    fn layout(self, failure: &Failure) -> String {
        let mut text = String::new();
        if let Some(remote) = &failure.remote {
            text += &self.lines("remote", "", bounded(remote).trim());
        }
        text += &self.lines("error", "31", &failure.message);
        for cause in &failure.causes {
            text += &self.lines("caused by", "", cause);
        }
        for hint in &failure.hints {
            text += &self.lines("hint", "36", hint);
        }
        // Without colour, because programs look for it.
        if let Some(fatal) = &failure.fatal {
            text += &self.lines("fatal", "", fatal);
        }
        text
    }

    fn lines(self, prefix: &str, colour: &str, text: &str) -> String {
        let mut lines = String::new();
        let prefix = if self.colour && !colour.is_empty() {
            format!("\x1b[1;{colour}m{prefix}:\x1b[0m ")
        } else {
            format!("{prefix}: ")
        };
        for line in plain(bounded(text))
            .lines()
            .map(str::trim_end)
            .filter(|line| !line.is_empty())
        {
            lines.extend([&prefix, line, "\n"]);
        }
        lines
    }
}

/// One write a report: git and its other children share this stream. A closed stream is nobody's to tell.
fn print(text: &str) {
    let mut stderr = io::stderr().lock();
    stderr.write_all(text.as_bytes()).ok();
    stderr.flush().ok();
}

#[cfg(test)]
mod tests;
