//! What the decision about who is asking needs from outside: the list of accounts, the keychain, git's helpers, a
//! person, a memory and a clock.
//!
//! Each is a trait, so that a unit test can stand in for it. Does not depend on the order in which they are asked.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::account::Account;
use super::helper::{Answer, Found, GitCredential, Question};
use super::history::{History, Remembered};
use super::index::Index;
use super::keychain::{Fault, Keychain};
use super::netrc;
use super::policy::Policy;
use super::prompt::{Person, Prompt};
use crate::environment::Environment;
use crate::report::{Failure, Report};
use crate::secret::Secret;

/// The list of accounts.
pub trait Accounts {
    /// Returns the accounts, none where there is no list.
    fn read(&self) -> Result<Vec<Account>, Failure>;

    /// Changes the list, while no other process does.
    fn update(&self, change: &mut dyn FnMut(&mut Vec<Account>)) -> Result<(), Failure>;
}

/// The keychain.
pub trait Secrets {
    /// Reads the secret of `account`.
    fn read(&self, account: &Account) -> Result<Secret, Fault>;

    /// Writes the secret of `account`, in place of any other.
    fn write(&self, account: &Account, secret: &Secret) -> Result<(), Fault>;

    /// Deletes the secret of `account`.
    fn delete(&self, account: &Account) -> Result<(), Fault>;
}

/// Git's credential helpers.
pub trait Helpers {
    /// Asks them; nobody is prompted by git.
    fn fill(&self, question: &Question<'_>) -> Answer;

    /// Tells them that the server accepted `found`.
    fn approve(&self, found: &Found);

    /// Tells them that the server rejected `found`, and said `challenges`.
    fn reject(&self, found: &Found, challenges: &[String]);
}

/// The time.
pub trait Clock {
    /// Returns the seconds since 1970.
    fn now(&self) -> u64;

    /// Waits.
    fn sleep(&self, time: Duration);
}

/// The `~/.netrc` file.
pub trait Netrc {
    /// Returns the first entry for `host`, and for `username` if one is given.
    fn look(&self, host: &str, username: Option<&str>) -> Option<netrc::Entry>;
}

/// All of them.
pub struct Parts {
    /// The list of accounts; `None` for a user without a home.
    pub accounts: Option<Box<dyn Accounts>>,
    /// The keychain.
    pub secrets: Box<dyn Secrets>,
    /// `~/.netrc`.
    pub netrc: Box<dyn Netrc>,
    /// Git's credential helpers.
    pub helpers: Box<dyn Helpers>,
    /// The person to ask, at a terminal or through an askpass program.
    pub person: Box<dyn Person>,
    /// When secrets worked.
    pub history: Box<dyn History>,
    /// The time.
    pub clock: Box<dyn Clock>,
}

impl Parts {
    /// Returns those of this machine and user, as `policy` allows.
    pub fn of(policy: &Policy, environment: &Environment, report: Report) -> Self {
        let index = Index::of(environment);
        Self {
            secrets: Box::new(Keychain::new(policy.limits, environment)),
            netrc: Box::new(environment.clone()),
            helpers: Box::new(GitCredential::new(&policy.helpers)),
            person: Box::new(Prompt::new(policy, index.as_ref(), report)),
            history: Box::new(Remembered::of(index.as_ref())),
            clock: Box::new(SystemClock),
            accounts: index.map(|index| Box::new(index) as Box<dyn Accounts>),
        }
    }
}

/// The clock of this machine.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        since.map(|time| time.as_secs()).unwrap_or_default()
    }

    fn sleep(&self, time: Duration) {
        std::thread::sleep(time);
    }
}

impl Accounts for Index {
    fn read(&self) -> Result<Vec<Account>, Failure> {
        Self::read(self)
    }

    fn update(&self, change: &mut dyn FnMut(&mut Vec<Account>)) -> Result<(), Failure> {
        Self::update(self, change)
    }
}

impl Secrets for Keychain {
    fn read(&self, account: &Account) -> Result<Secret, Fault> {
        Self::read(self, account)
    }

    fn write(&self, account: &Account, secret: &Secret) -> Result<(), Fault> {
        Self::write(self, account, secret)
    }

    fn delete(&self, account: &Account) -> Result<(), Fault> {
        Self::delete(self, account)
    }
}

impl Netrc for Environment {
    fn look(&self, host: &str, username: Option<&str>) -> Option<netrc::Entry> {
        netrc::look(self, host, username)
    }
}
