//! A person who can be asked: through an askpass program, else at the terminal.
//!
//! Standard input and output are never used: while git runs the helper, both are git's. Does not depend on what the
//! answer is for.

mod askpass;
mod keys;
pub mod question;
#[cfg(unix)]
mod terminal;
#[cfg(windows)]
#[path = "console.rs"]
mod terminal;

use std::cell::RefCell;
use std::ffi::OsString;
use std::io;
use std::path::PathBuf;

use zeroize::Zeroizing;

use super::index::Index;
use super::lock::Lock;
use super::policy::Policy;
use crate::report::{Failure, Kind, Report};

/// Whether what is typed may be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Echo {
    /// A user name.
    On,
    /// A secret.
    Off,
}

/// A line for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// Something went wrong.
    Warning(String),
    /// Something helps.
    Hint(String),
    /// Something was done.
    Say(String),
}

/// What a person, or a program for them, has answered.
#[derive(Debug)]
pub struct Answer {
    /// The text, without the line's end.
    pub text: Zeroizing<String>,
    /// Whether it was typed at the terminal.
    pub at_terminal: bool,
}

/// A person to ask, at a terminal or through an askpass program.
pub trait Person {
    /// Whether anybody may be asked at all.
    fn may_be_asked(&self) -> bool;

    /// Asks. `before` is shown above the question at a terminal, and to no program. `None` where it was dismissed.
    fn ask(&self, question: &str, echo: Echo, before: &[Note]) -> Result<Option<Answer>, Failure>;

    /// Shows `note`.
    fn tell(&self, note: &Note);

    /// Takes the turn to ask about `host`, for which processes of one command wait. Returns whether the user has not
    /// yet sent another one away.
    fn begin_turn(&self, host: &str) -> bool;

    /// Ends the turn; `dismissed` if the user did not want to answer.
    fn end_turn(&self, host: &str, dismissed: bool);
}

/// Askpass program and terminal.
#[derive(Debug)]
pub struct Prompt {
    askpass: Option<OsString>,
    terminal: bool,
    report: Report,
    /// The file that is locked while somebody is asked, so that parallel fetches ask once.
    turns: Option<PathBuf>,
    turn: RefCell<Option<Lock>>,
}

impl Prompt {
    /// Returns whom `policy` allows to ask.
    pub fn new(policy: &Policy, index: Option<&Index>, report: Report) -> Self {
        Self {
            askpass: policy.askpass.clone().filter(|_| policy.interactive),
            terminal: policy.interactive && policy.terminal && terminal::is_there(),
            report,
            turns: index.map(Index::prompt_lock),
            turn: RefCell::default(),
        }
    }

    /// Returns the terminal of a command that a person has started, without any askpass program.
    pub fn at_terminal(report: Report) -> Self {
        Self {
            askpass: None,
            terminal: terminal::is_there(),
            report,
            turns: None,
            turn: RefCell::default(),
        }
    }
}

impl Person for Prompt {
    fn may_be_asked(&self) -> bool {
        self.terminal || self.askpass.is_some()
    }

    fn ask(&self, question: &str, echo: Echo, before: &[Note]) -> Result<Option<Answer>, Failure> {
        if let Some(program) = &self.askpass
            && let Ok(text) = askpass::ask(program, question)
        {
            return Ok(Some(Answer {
                text,
                at_terminal: false,
            }));
        }
        // A dialogue that was closed is an answer where there is no terminal.
        if !self.terminal {
            return Ok(None);
        }
        for note in before {
            self.tell(note);
        }
        match terminal::ask(question, echo == Echo::On) {
            Ok(text) => Ok(Some(Answer {
                text,
                at_terminal: true,
            })),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                Err(Failure::new(Kind::Local, "interrupted while asking for a secret"))
            }
            Err(error) => Err(Failure::new(Kind::Local, "cannot ask at the terminal").caused_by(&error)),
        }
    }

    fn tell(&self, note: &Note) {
        match note {
            Note::Warning(text) => self.report.warning(text),
            Note::Hint(text) => self.report.hint(text),
            Note::Say(text) => self.report.say(text),
        }
    }

    fn begin_turn(&self, host: &str) -> bool {
        let mut turn = self.turn.borrow_mut();
        if let (None, Some(path)) = (turn.as_ref(), &self.turns) {
            let waiting = || {
                if self.terminal && self.askpass.is_none() {
                    let text = "waiting for another git-remote-bbcloud, which is asking you to sign in";
                    self.report.say(text);
                }
            };
            // Where the file cannot be locked, asking twice is better than not at all.
            *turn = Lock::acquire(path, waiting).ok();
        }
        !turn.as_ref().is_some_and(|turn| turn.is_dismissed(host))
    }

    fn end_turn(&self, host: &str, dismissed: bool) {
        let mut turn = self.turn.borrow_mut();
        if let Some(turn) = turn.as_mut().filter(|_| dismissed) {
            turn.dismiss(host);
        }
        *turn = None;
    }
}
