//! Who asks for a repository: the user's logins, each kept for a while, so that no request waits for the keychain.
//!
//! No person is asked for anything. Does not depend on HTTP.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use crate::bridge::Credentials as _;
use crate::bridge::refusal::Refusal;
use crate::credential::Logins;
use crate::credential::account::Account;
use crate::credential::caller::Caller;
use crate::credential::index::Index;
use crate::credential::keychain::{Fault, Keychain};
use crate::credential::login::{Login, Source};
use crate::report::Failure;

/// For how long after its last use a secret is kept in memory.
const KEPT: Duration = Duration::from_secs(300);

/// A login that the server has accepted.
struct Known {
    login: Login,
    used: Instant,
}

/// What a login was found for: the repository with the user name that was asked for, and the account that comes first.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct LoginKey {
    address: String,
    expected: String,
}

/// The logins that are known.
#[derive(Default)]
pub(super) struct KnownLogins {
    known: Mutex<HashMap<LoginKey, Known>>,
}

/// Somebody who asks for one repository.
pub(super) struct Asking {
    place: LoginKey,
    logins: Logins,
    /// What is asked anew where the login that was known is refused.
    fresh: Option<Logins>,
}

impl Asking {
    /// Returns the header line with the secret; nothing to ask anonymously.
    pub(super) fn authorization(&mut self) -> Result<Option<Zeroizing<String>>, Failure> {
        self.logins.authorization()
    }

    /// Returns who it is, if it is not anybody.
    pub(super) fn who(&self) -> Option<Caller> {
        self.logins.current().map(Caller::from)
    }

    /// Returns what tells this login from others of the same repository. There is no secret in it.
    pub(super) fn key(&self) -> String {
        let used = self.logins.current();
        let used = used.map_or_else(String::new, |login| {
            format!("{} {}", login.username, login.source.word())
        });
        format!("{} {used}", self.place.expected)
    }

    /// The server refused the login of a request that changes nothing. Returns whether to send the request again, with
    /// another login or once more with this one.
    pub(super) fn refused(&mut self, refusal: &Refusal, all: &KnownLogins) -> Result<bool, Failure> {
        let Some(mut fresh) = self.fresh.take() else {
            return self.logins.refused(refusal, true);
        };
        self.forget(all);
        fresh.authorization()?;
        let is_other = !is_same(fresh.current(), self.logins.current());
        self.logins = fresh;
        // The same login once more, after a pause, if it has worked before.
        Ok(is_other || self.logins.refused(refusal, true)?)
    }

    /// Has the next request ask for the login again.
    pub(super) fn forget(&self, all: &KnownLogins) {
        all.known().remove(&self.place);
    }
}

fn is_same(one: Option<&Login>, other: Option<&Login>) -> bool {
    let sent = |login: &Login| (login.username.clone(), login.secret.clone());
    one.map(sent) == other.map(sent)
}

impl KnownLogins {
    fn known(&self) -> MutexGuard<'_, HashMap<LoginKey, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns who asks for the repository `address` (with a user name or without): the login that is known, else the
    /// first of `logins`.
    pub(super) fn asking(
        &self,
        address: String,
        mut logins: impl FnMut() -> Result<Logins, Failure>,
    ) -> Result<Asking, Failure> {
        let mut first = logins()?;
        first.serve_others();
        let place = LoginKey {
            address,
            expected: first.expected(),
        };
        let mut known = self.known();
        let Some(login) = known.get_mut(&place).map(|known| {
            known.used = Instant::now();
            known.login.clone()
        }) else {
            return Ok(Asking {
                place,
                logins: first,
                fresh: None,
            });
        };
        drop(known);
        let mut again = logins()?;
        again.serve_others();
        first.use_only(login);
        Ok(Asking {
            place,
            logins: first,
            fresh: Some(again),
        })
    }

    /// The server accepted the login.
    pub(super) fn accepted(&self, asking: &mut Asking) {
        if asking.fresh.is_none() {
            asking.logins.accepted(false);
        }
        if let Some(login) = asking.logins.current() {
            let known = Known {
                login: login.clone(),
                used: Instant::now(),
            };
            self.known().insert(asking.place.clone(), known);
        }
    }

    /// Forgets what has not been used for long.
    pub(super) fn reap(&self) {
        self.known().retain(|_, known| known.used.elapsed() < KEPT);
    }

    /// Forgets what comes from a keychain that is locked now. Returns whether anything was.
    pub(super) fn forget_locked(&self, index: &Index, keychain: &Keychain) -> bool {
        let is_kept = |known: &Known| known.login.source == Source::Keychain;
        if !self.known().values().any(is_kept) {
            return false;
        }
        let accounts = index.read().unwrap_or_default();
        let is_locked = |account: &&Account| matches!(keychain.check(account), Err(Fault::Locked));
        let locked: Vec<_> = accounts
            .iter()
            .filter(is_locked)
            .map(|account| account.username.clone())
            .collect();
        let mut known = self.known();
        let before = known.len();
        known.retain(|_, known| !(is_kept(known) && locked.contains(&known.login.username)));
        known.len() < before
    }
}
