//! Secrets that are kept: found by the walk from the most specific account to the least, kept and forgotten.
//!
//! The keychain and the list of accounts change together here and nowhere else. Does not depend on other sources.

use super::account::{Account, Scope, closest};
use super::keychain::Fault;
use super::login::Login;
use super::parts::{Accounts, Clock as _, Secrets, SystemClock};
use crate::report::{Failure, Kind};
use crate::secret::Secret;

/// What the walk through the keychain came to.
#[derive(Debug)]
pub enum Walk {
    /// The login of the most specific account that has a secret.
    Found(Box<Login>, Account),
    /// This account's secret could not be read: nobody knows whether it is there.
    Blocked(Account, Fault),
    /// No account has a secret; the first is one whose secret is missing, if any is.
    Nothing(Option<Account>),
}

/// Walks from the most specific account to the least. Only a secret that is known to be missing makes room for what is
/// less specific: anything else would use another account's secret in silence.
pub fn walk(
    mut accounts: Vec<Account>,
    secrets: &dyn Secrets,
    host: &str,
    scope: &Scope,
    username: Option<&str>,
) -> Walk {
    let mut missing = None;
    while let Some(account) = closest(&accounts, host, scope, username).cloned() {
        match secrets.read(&account) {
            Ok(secret) => return Walk::Found(Box::new(Login::kept(&account, secret)), account),
            Err(Fault::NoEntry) => {
                accounts.retain(|other| !other.is_same(&account));
                missing.get_or_insert(account);
            }
            Err(fault) => return Walk::Blocked(account, fault),
        }
    }
    Walk::Nothing(missing)
}

/// Keeps `secret` for `account`. With `replace`, other accounts for the same go.
pub fn keep(
    accounts: &dyn Accounts,
    secrets: &dyn Secrets,
    account: &Account,
    secret: &Secret,
    replace: bool,
) -> Result<(), Failure> {
    // A list that cannot be written is known before there is a secret that nobody would find again.
    accounts.update(&mut |_| {})?;
    secrets
        .write(account, secret)
        .map_err(|fault| fault.explain(account.target()))?;
    let mut gone = Vec::new();
    accounts.update(&mut |accounts| {
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
        // A secret that a locked keychain does not let go is in no list, so nothing finds it any more.
        secrets.delete(&other).ok();
    }
    Ok(())
}

/// Returns the accounts at the host of `account` that have the same secret as one that it replaces: they are to have its
/// new secret too. An account whose secret cannot be read shares it with nobody, as far as is known.
pub fn sharing(accounts: &[Account], secrets: &dyn Secrets, account: &Account) -> Vec<Account> {
    let (replaced, others): (Vec<_>, Vec<_>) = accounts
        .iter()
        .filter(|other| other.host == account.host)
        .partition(|other| other.scope == account.scope);
    let old: Vec<Secret> = replaced.iter().filter_map(|other| secrets.read(other).ok()).collect();
    let shares = |other: &&&Account| secrets.read(other).is_ok_and(|secret| old.contains(&secret));
    others.iter().filter(shares).map(|other| (*other).clone()).collect()
}

/// Puts the new secret of `account` in the place of the one that `other` has, for what `other` is for. Others that are
/// signed in for the same stay. Returns the account that has it now.
pub fn renew(
    accounts: &dyn Accounts,
    secrets: &dyn Secrets,
    other: &Account,
    account: &Account,
    secret: &Secret,
) -> Result<Account, Failure> {
    let renewed = Account {
        scope: other.scope.clone(),
        ..account.clone()
    };
    keep(accounts, secrets, &renewed, secret, false)?;
    if !renewed.is_same(other) {
        forget(accounts, secrets, other)?;
    }
    Ok(renewed)
}

/// Forgets the secret of `account`. Where the keychain cannot be asked, the account stays known.
pub fn forget(accounts: &dyn Accounts, secrets: &dyn Secrets, account: &Account) -> Result<(), Failure> {
    match secrets.delete(account) {
        Ok(()) | Err(Fault::NoEntry) => {}
        Err(fault) => return Err(fault.explain(account.target())),
    }
    accounts.update(&mut |accounts| accounts.retain(|other| !other.is_same(account)))
}

/// Whether the server itself said no to a secret that was tried. Such a secret is not kept; a server that could not be
/// asked says nothing about it.
pub fn is_denied(failure: &Failure) -> bool {
    matches!(failure.kind(), Kind::Unauthenticated | Kind::Refused)
}

/// Returns the time, in seconds since 1970.
pub fn now() -> u64 {
    SystemClock.now()
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;

    use super::super::logins::fake::{Fake, account};
    use super::*;

    #[test]
    fn the_most_specific_secret_is_used_and_a_missing_one_makes_room() {
        let fake = Fake::default();
        fake.sign_in("acme/widgets", "ada", None);
        fake.sign_in("acme", "bob", Some("ATBB-bob"));
        fake.sign_in("", "eve", Some("ATBB-eve"));
        let walk = |fake: &Fake| {
            let accounts = fake.accounts.borrow().clone();
            walk(accounts, fake, "bitbucket.org", &Scope::of_text("acme/widgets"), None)
        };
        let Walk::Found(login, account) = walk(&fake) else {
            panic!("bob has a secret");
        };
        assert_eq!((login.username.as_str(), account.target()), ("bob", "acme"));
    }

    #[test]
    fn a_locked_secret_never_gives_way_to_a_less_specific_account() {
        for fault in [Fault::Locked, Fault::Broken("on fire".to_owned()), Fault::Ambiguous(2)] {
            let fake = Fake::default();
            fake.sign_in("acme", "bob", Some("ATBB-bob"));
            fake.sign_in("", "eve", Some("ATBB-eve"));
            fake.faults.borrow_mut().push(("bob".to_owned(), fault.clone()));
            let accounts = fake.accounts.borrow().clone();
            let walk = walk(accounts, &fake, "bitbucket.org", &Scope::of_text("acme/widgets"), None);
            assert!(
                matches!(&walk, Walk::Blocked(account, found) if account.username == "bob" && *found == fault),
                "{walk:?}"
            );
        }
    }

    #[test]
    fn accounts_that_share_a_secret_are_found() {
        let fake = Fake::default();
        fake.sign_in("", "ada", Some("ATATT-old"));
        fake.sign_in("acme", "ada", Some("ATATT-old"));
        fake.sign_in("acme/widgets", "bob", Some("ATATT-other"));
        fake.sign_in("beta", "eve", None);
        let accounts = fake.accounts.borrow().clone();
        let targets = |scope: &str| {
            let sharing = sharing(&accounts, &fake, &account(scope, "ada"));
            sharing
                .iter()
                .map(|account| account.target().to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(targets(""), ["acme"]);
        assert_eq!(targets("acme"), ["bitbucket.org"]);
        assert!(targets("acme/widgets").is_empty());
        assert!(targets("beta").is_empty());
    }

    #[test]
    fn a_new_secret_goes_to_one_account_and_leaves_others_for_the_same() {
        let fake = Rc::new(Fake::default());
        fake.sign_in("acme", "ada", Some("ATATT-old"));
        fake.sign_in("acme", "bob", Some("ATBB-bob"));
        let ada = fake.accounts.borrow()[0].clone();
        let new = account("", "x-bitbucket-api-token-auth");
        let renewed = renew(&fake, &fake, &ada, &new, &Secret::new("ATATT-new")).expect("kept");
        assert_eq!(
            (renewed.target(), renewed.username.as_str()),
            ("acme", new.username.as_str())
        );
        let names: Vec<_> = fake
            .accounts
            .borrow()
            .iter()
            .map(|account| account.username.clone())
            .collect();
        assert_eq!(names, ["bob", new.username.as_str()]);
        assert_eq!(Secrets::read(&fake, &renewed).expect("kept"), Secret::new("ATATT-new"));
        assert_eq!(Secrets::read(&fake, &ada), Err(Fault::NoEntry));
    }

    /// A list that cannot be written.
    struct Unwritable(RefCell<usize>);

    impl Accounts for Unwritable {
        fn read(&self) -> Result<Vec<Account>, Failure> {
            Ok(Vec::new())
        }

        fn update(&self, _: &mut dyn FnMut(&mut Vec<Account>)) -> Result<(), Failure> {
            *self.0.borrow_mut() += 1;
            Err(Failure::new(Kind::Local, "read-only"))
        }
    }

    #[test]
    fn no_secret_is_written_that_no_list_would_name() {
        let (list, secrets) = (Unwritable(RefCell::default()), Fake::default());
        let failure = keep(&list, &secrets, &account("", "ada"), &Secret::new("ATBBx"), false);
        assert_eq!(failure.expect_err("the list is read-only").message(), "read-only");
        assert_eq!(*list.0.borrow(), 1);
        assert!(secrets.kept.borrow().is_empty());
    }

    #[test]
    fn a_secret_is_denied_by_the_server_alone() {
        for (kind, denied) in [
            (Kind::Unauthenticated, true),
            (Kind::Refused, true),
            (Kind::Network, false),
            (Kind::Unavailable, false),
            (Kind::Protocol, false),
        ] {
            assert_eq!(is_denied(&Failure::new(kind, "")), denied, "{kind:?}");
        }
    }
}
