//! The keychain of the operating system, from which a secret comes in time or not at all.
//!
//! Every call runs in a thread of its own and has a time limit; what locks, prompts or is slow is told apart from a
//! secret that is not there, because only that may ever be taken for "not signed in". It must not know the order of
//! sources, and asks for nothing that the list of accounts does not have.

#[cfg(target_os = "macos")]
mod apple;
mod fault;
#[cfg(target_os = "linux")]
mod kernel;
mod limit;
#[cfg(target_os = "linux")]
mod session_bus;
mod store;

use std::time::Duration;

pub use self::fault::Fault;
use self::limit::within;
use self::store::Store;
use super::account::{Account, StoreKind};
#[cfg(target_os = "linux")]
use super::index::Index;
#[cfg(target_os = "linux")]
use super::lock::Lock;
use crate::environment::Environment;
use crate::secret::Secret;

/// How long the keychain may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// For what it does by itself.
    pub alone: Duration,
    /// For what a person may have to do on the desktop; `None` where nobody can.
    pub desktop: Option<Duration>,
}

impl Limits {
    fn patient(&self) -> Duration {
        self.desktop.unwrap_or(self.alone)
    }
}

/// The stores of this system, with the limits for every call.
#[derive(Debug, Clone)]
pub struct Keychain {
    limits: Limits,
    #[cfg_attr(
        not(target_os = "linux"),
        expect(dead_code, reason = "other systems find their keychain without it")
    )]
    environment: Environment,
}

impl Keychain {
    /// Returns the keychain; nothing is opened yet.
    pub fn new(limits: Limits, environment: &Environment) -> Self {
        Self {
            limits,
            environment: environment.clone(),
        }
    }

    /// Reads the secret of `account`; the desktop may ask for the keychain's password if somebody is there.
    pub fn read(&self, account: &Account) -> Result<Secret, Fault> {
        #[cfg(target_os = "linux")]
        self.make_ready(account, false)?;
        let account = account.clone();
        within(self.limits.patient(), move || {
            Store::open(account.place)?.read(&account)
        })
    }

    /// Writes the secret of `account`, in place of any other.
    pub fn write(&self, account: &Account, secret: &Secret) -> Result<(), Fault> {
        #[cfg(target_os = "linux")]
        self.make_ready(account, true)?;
        let (account, secret) = (account.clone(), secret.clone());
        within(self.limits.patient(), move || {
            Store::open(account.place)?.write(&account, &secret)
        })
    }

    /// Deletes the secret of `account`; [`Fault::NoEntry`] if there was none.
    pub fn delete(&self, account: &Account) -> Result<(), Fault> {
        #[cfg(target_os = "linux")]
        self.make_ready(account, false)?;
        let account = account.clone();
        within(self.limits.patient(), move || {
            Store::open(account.place)?.delete(&account)
        })
    }

    /// Fails as [`Keychain::read`] would, without reading the secret or asking anybody for anything.
    pub fn check(&self, account: &Account) -> Result<(), Fault> {
        match account.place {
            #[cfg(target_os = "linux")]
            StoreKind::System => match self.look(&account.entry())? {
                session_bus::View {
                    entry: session_bus::State::Open,
                    ..
                } => Ok(()),
                session_bus::View {
                    entry: session_bus::State::Locked,
                    ..
                }
                | session_bus::View {
                    collection: session_bus::State::Locked,
                    ..
                } => Err(Fault::Locked),
                _ => Err(Fault::NoEntry),
            },
            _ => {
                let account = account.clone();
                let read = move || Store::open(account.place)?.read(&account).map(drop);
                #[cfg(target_os = "macos")]
                let read = || apple::without_windows(read);
                within(self.limits.alone, read)
            }
        }
    }

    /// Says whether the store at `place` can be used now; asks nobody for anything.
    pub fn state(&self, place: StoreKind) -> Result<(), Fault> {
        match place {
            #[cfg(target_os = "linux")]
            StoreKind::System => match self.look("")?.collection {
                session_bus::State::Open => Ok(()),
                session_bus::State::Locked => Err(Fault::Locked),
                session_bus::State::Missing => Err(session_bus::no_collection()),
            },
            _ => within(self.limits.alone, move || Store::open(place).map(drop)),
        }
    }

    /// Unlocks what is locked if somebody is there to do it, and fails early where nothing can be had.
    #[cfg(target_os = "linux")]
    fn make_ready(&self, account: &Account, to_write: bool) -> Result<(), Fault> {
        use session_bus::{State, View};
        if account.place != StoreKind::System {
            return Ok(());
        }
        match self.look(&account.entry())? {
            View {
                collection: State::Locked,
                entry,
            } if to_write || entry != State::Open => self.unlock(),
            View { entry: State::Open, .. } if !to_write => Ok(()),
            // In another collection than the default one, which only its own entry can unlock.
            View {
                entry: State::Locked, ..
            } if self.limits.desktop.is_some() => Ok(()),
            View {
                entry: State::Locked, ..
            } => Err(Fault::Locked),
            View {
                collection: State::Open,
                ..
            } if to_write => Ok(()),
            View { .. } if to_write => Err(session_bus::no_collection()),
            View { .. } => Err(Fault::NoEntry),
        }
    }

    #[cfg(target_os = "linux")]
    fn look(&self, entry: &str) -> Result<session_bus::View, Fault> {
        session_bus::check_socket(&self.environment)?;
        let entry = entry.to_owned();
        within(self.limits.alone, move || session_bus::look(&entry))
    }

    #[cfg(target_os = "linux")]
    fn unlock(&self) -> Result<(), Fault> {
        let Some(limit) = self.limits.desktop else {
            return Err(Fault::Locked);
        };
        let turn = Index::of(&self.environment).map(|index| index.unlock_lock());
        // Nobody has typed the password: what keeps the user waiting is the lock, not the keychain.
        within(limit, move || unlock_in_turn(turn.as_deref())).map_err(|fault| match fault {
            Fault::Slow(_) => Fault::Locked,
            fault => fault,
        })
    }
}

/// Unlocks the keychain, one process at a time: parallel fetches show one window, and closing it closes it for all.
#[cfg(target_os = "linux")]
fn unlock_in_turn(turn: Option<&std::path::Path>) -> Result<(), Fault> {
    const PASSWORD: &str = "the keychain's password";
    // Where the file cannot be locked, two windows are better than none.
    let mut turn = turn.and_then(|path| Lock::acquire(path, || {}).ok());
    if session_bus::look("")?.collection != session_bus::State::Locked {
        return Ok(());
    }
    if turn.as_ref().is_some_and(|turn| turn.is_dismissed(PASSWORD)) {
        return Err(Fault::Locked);
    }
    let unlocked = session_bus::unlock();
    if let (Err(Fault::Locked), Some(turn)) = (&unlocked, &mut turn) {
        turn.dismiss(PASSWORD);
    }
    unlocked
}
