//! A person who can be asked: through an askpass program, else at the terminal.
//!
//! Standard input and output are never used: while git runs the helper, both are git's. It must not know what the
//! answer is good for.

mod askpass;
mod keys;
#[cfg(unix)]
mod terminal;
#[cfg(windows)]
#[path = "console.rs"]
mod terminal;

use std::ffi::OsString;
use std::io;

use zeroize::Zeroizing;

use super::policy::Policy;
use crate::report::{Failure, Kind};
use crate::secret::Secret;

/// Whom to ask.
#[derive(Debug, Clone)]
pub struct Prompt {
    askpass: Option<OsString>,
    terminal: bool,
}

/// Whether what is typed may be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Echo {
    On,
    Off,
}

impl Prompt {
    /// Returns whom `policy` allows to ask; `None` for nobody.
    pub fn allowed(policy: &Policy) -> Option<Self> {
        let terminal = policy.interactive && policy.terminal && terminal::is_there();
        let askpass = policy.askpass.clone().filter(|_| policy.interactive);
        (terminal || askpass.is_some()).then_some(Self { askpass, terminal })
    }

    /// Returns the terminal of a command that a person has started, without any askpass program.
    pub fn at_terminal() -> Option<Self> {
        terminal::is_there().then_some(Self {
            askpass: None,
            terminal: true,
        })
    }

    /// Asks for the secret of `username`, if that is known, at `url`. `None` if none is given.
    pub fn secret(&self, url: &str, username: Option<&str>) -> Result<Option<Secret>, Failure> {
        // Askpass programs know git's own words.
        let to_program = format!("Password for '{}': ", with_user(url, username));
        let to_person = format!(
            "API token, access token or app password for '{}': ",
            with_user(url, username)
        );
        let answer = self.ask(&to_program, &to_person, Echo::Off)?;
        Ok(answer
            .map(|text| Secret::new(text.as_str()))
            .filter(|secret| !secret.is_empty()))
    }

    /// Asks for the Bitbucket user name at `url`. `None` if none is given.
    pub fn username(&self, url: &str) -> Result<Option<String>, Failure> {
        let to_program = format!("Username for '{url}': ");
        let to_person = format!("Bitbucket username for '{url}': ");
        let answer = self.ask(&to_program, &to_person, Echo::On)?;
        Ok(answer
            .map(|text| text.trim().to_owned())
            .filter(|name| !name.is_empty()))
    }

    fn ask(&self, to_program: &str, to_person: &str, echo: Echo) -> Result<Option<Zeroizing<String>>, Failure> {
        if let Some(program) = &self.askpass {
            match askpass::ask(program, to_program) {
                Ok(answer) => return Ok(Some(answer)),
                Err(_) if self.terminal => {}
                // A dialogue that was closed is an answer.
                Err(_) => return Ok(None),
            }
        }
        match terminal::ask(to_person, echo == Echo::On) {
            Ok(answer) => Ok(Some(answer)),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                Err(Failure::new(Kind::Local, "interrupted while asking for a secret"))
            }
            Err(error) => Err(Failure::new(Kind::Local, "cannot ask at the terminal").caused_by(&error)),
        }
    }
}

/// `https://user@host`, as git writes it.
fn with_user(url: &str, username: Option<&str>) -> String {
    match (username, url.split_once("://")) {
        (Some(name), Some((scheme, rest))) => format!("{scheme}://{name}@{rest}"),
        _ => url.to_owned(),
    }
}
