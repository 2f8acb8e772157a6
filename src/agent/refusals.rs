//! Logins that the server refused a moment ago: they are not sent again for the same repository until some time has passed,
//! because a server locks an account out after a number of wrong secrets. Does not depend on HTTP.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::asking::Asking;
use crate::address::Address;

/// How long a refused login is not sent again for the same repository.
const REMEMBERED: Duration = Duration::from_secs(30);

/// Which logins were refused for which repository, and when.
#[derive(Default)]
pub(super) struct Refusals {
    since: Mutex<HashMap<String, Instant>>,
}

impl Refusals {
    fn since(&self) -> MutexGuard<'_, HashMap<String, Instant>> {
        self.since.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the login was refused for the repository at `address` a moment ago.
    pub(super) fn has(&self, asking: &Asking, address: &Address) -> bool {
        let mut since = self.since();
        since.retain(|_, since| since.elapsed() < REMEMBERED);
        since.contains_key(&key(asking, address))
    }

    /// The server refused the login for the repository at `address`.
    pub(super) fn note(&self, asking: &Asking, address: &Address) {
        self.since().insert(key(asking, address), Instant::now());
    }
}

fn key(asking: &Asking, address: &Address) -> String {
    format!("{} {address}", asking.key())
}
