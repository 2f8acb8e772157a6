//! Keeping and forgetting: the keychain and the list of accounts change together.

use std::time::{SystemTime, UNIX_EPOCH};

use super::account::Account;
use super::index::Index;
use super::keychain::{Fault, Keychain};
use crate::report::Failure;
use crate::secret::Secret;

/// Keeps `secret` for `account`. With `replace`, other accounts for the same go.
pub fn keep(
    index: &Index,
    keychain: &Keychain,
    account: &Account,
    secret: &Secret,
    replace: bool,
) -> Result<(), Failure> {
    // A list that cannot be written is known before there is a secret that nobody would find again.
    index.update(|_| {})?;
    keychain
        .write(account, secret)
        .map_err(|fault| fault.explain(account.target()))?;
    let mut gone = Vec::new();
    index.update(|accounts| {
        let elsewhere = |other: &Account| other.is_same(account) && other.place != account.place;
        let replaced = |other: &Account| other.host == account.host && other.scope == account.scope && replace;
        accounts.retain(|other| {
            if (replaced(other) && !other.is_same(account)) || elsewhere(other) {
                gone.push(other.clone());
            }
            !other.is_same(account) && !replaced(other)
        });
        accounts.push(account.clone());
    })?;
    for other in gone {
        // What stays behind in a keychain that is locked by now is found by nobody.
        keychain.delete(&other).ok();
    }
    Ok(())
}

/// Forgets the secret of `account`. Where the keychain cannot be asked, the account stays known.
pub fn forget(index: &Index, keychain: &Keychain, account: &Account) -> Result<(), Failure> {
    match keychain.delete(account) {
        Ok(()) | Err(Fault::NoEntry) => {}
        Err(fault) => return Err(fault.explain(account.target())),
    }
    index.update(|accounts| accounts.retain(|other| !other.is_same(account)))
}

/// Returns the time, in seconds since 1970.
pub fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map(|time| time.as_secs()).unwrap_or_default()
}
