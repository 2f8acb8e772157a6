//! Who asks: the user, with logins of their own, or an agent, which has others.

#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use zeroize::Zeroizing;

use super::door::Door;
use crate::address::Address;
use crate::bridge::Credentials;
use crate::bridge::refusal::Refusal;
use crate::credential::Logins;
use crate::credential::login::Login;
use crate::environment::Environment;
use crate::git::config::Config;
use crate::http::agent::USER;
use crate::report::Failure;

/// Who asks for a repository.
pub enum Asking {
    /// The user's own logins.
    Own(Box<Logins>),
    /// The agent's, of which the address may name one.
    Agent(Option<String>),
}

impl Asking {
    /// Returns by which name the repository will be asked for first, as [`Logins::expected`].
    pub(super) fn expected(&self) -> String {
        match self {
            Self::Own(logins) => logins.expected(),
            Self::Agent(user) => format!("{} agent", user.as_deref().unwrap_or_default()),
        }
    }

    /// Returns the login that requests are sent with, if it is known here.
    pub fn current(&self) -> Option<&Login> {
        match self {
            Self::Own(logins) => logins.current(),
            Self::Agent(_) => None,
        }
    }

    /// See [`Logins::use_only`]. What is asked for by hand with one login goes to no agent.
    pub fn use_only(&mut self, login: Login) {
        if let Self::Own(logins) = self {
            logins.use_only(login);
        }
    }

    /// See [`Logins::remind_nobody`].
    pub fn remind_nobody(&mut self) {
        if let Self::Own(logins) = self {
            logins.remind_nobody();
        }
    }

    /// See [`Logins::only_look`].
    pub fn only_look(&mut self, keychain: bool) {
        if let Self::Own(logins) = self {
            logins.only_look(keychain);
        }
    }
}

impl Credentials for Asking {
    /// For an agent, the line that names the account.
    fn authorization(&mut self) -> Result<Option<Zeroizing<String>>, Failure> {
        match self {
            Self::Own(logins) => logins.authorization(),
            Self::Agent(user) => Ok(user.as_ref().map(|user| {
                let user = utf8_percent_encode(user, NON_ALPHANUMERIC);
                format!("{USER}: {user}").into()
            })),
        }
    }

    fn accepted(&mut self, elsewhere: bool) {
        if let Self::Own(logins) = self {
            logins.accepted(elsewhere);
        }
    }

    fn refused(&mut self, refusal: &Refusal, may_repeat: bool) -> Result<bool, Failure> {
        match self {
            Self::Own(logins) => logins.refused(refusal, may_repeat),
            Self::Agent(_) => Ok(false),
        }
    }
}

/// An agent that was reached.
pub(super) struct Agent {
    pub(super) path: PathBuf,
    #[cfg(unix)]
    pub(super) stream: UnixStream,
}

impl Agent {
    /// Connects to the agent for `address`, if one is to be used.
    #[cfg(unix)]
    pub(super) fn reach(
        address: &Address,
        config: &Config,
        environment: &Environment,
    ) -> Result<Option<Self>, Failure> {
        let Some(door) = Door::find(address, config, environment)? else {
            return Ok(None);
        };
        let stream = door.open()?;
        Ok(stream.map(|stream| Self {
            path: door.path().to_owned(),
            stream,
        }))
    }

    /// There is none on this system, and a variable that names one is an error.
    #[cfg(not(unix))]
    pub(super) fn reach(
        address: &Address,
        config: &Config,
        environment: &Environment,
    ) -> Result<Option<Self>, Failure> {
        Door::find(address, config, environment).map(|_| None)
    }
}
