//! A secret that was found in a URL: tried at the server and put into the keychain, which reads it back, by the same
//! way as a secret that is given to `login`.

use super::plan::Change;
use crate::address::Address;
use crate::cli::scene::Scene;
use crate::credential::account::{Account, Scope, closest};
use crate::credential::expiry::{self, Expiry};
use crate::credential::keeping;
use crate::credential::login::{Login, Source};
use crate::credential::username;
use crate::redact;
use crate::report::{Failure, Kind};
use crate::secret::kind::Kind as SecretKind;

/// Keeps secrets, each of them once.
pub(super) struct Keeper<'a, 'b> {
    pub(super) scene: &'a Scene<'b>,
    discard: bool,
    verify: bool,
}

impl<'a, 'b> Keeper<'a, 'b> {
    pub(super) fn new(scene: &'a Scene<'b>, discard: bool, verify: bool) -> Self {
        Self { scene, discard, verify }
    }

    /// Keeps the secret of a URL, if it has one and it is not to be dropped.
    pub(super) fn keep(&self, change: &Change) -> Result<(), Failure> {
        let address = &change.address;
        if !change.has_secret() {
            return Ok(());
        }
        if self.discard {
            self.scene
                .report
                .say(&format!("dropped the secret in the URL of '{address}'"));
            return Ok(());
        }
        let Some(secret) = address.secret() else {
            let message = format!("the URL of '{address}' has a secret in a place where git uses none");
            return Err(
                Failure::new(Kind::Usage, message).because(format!("it is '{}'", redact::address(&change.from)))
            );
        };
        let kind = SecretKind::of(secret);
        let names = username::choose(kind, address.username());
        let Some(name) = names.username else {
            return Err(Failure::new(
                Kind::Usage,
                format!("the URL of '{address}' has {} and no user name", kind.with_article()),
            )
            .hint("put your Bitbucket user name before the colon of the secret"));
        };
        let mut login = Login::new(name, secret.clone(), Source::Address);
        login.email = names.email;
        let accounts = self.scene.index.read()?;
        if self.is_kept(&login, address, &accounts) {
            return Ok(());
        }
        let account = self.account(&login, address, &accounts)?;
        if self.verify {
            self.try_at_server(&login, address)?;
        }
        // The keychain reads back what it writes.
        keeping::keep(&self.scene.index, &self.scene.keychain, &account, secret, false)?;
        self.scene.report.say(&format!(
            "the {kind} of '{}' is in the {} for '{}'",
            account.username,
            account.place,
            account.target()
        ));
        Ok(())
    }

    /// Whether git would get this very secret from the keychain already.
    fn is_kept(&self, login: &Login, address: &Address, accounts: &[Account]) -> bool {
        let host = self.scene.base.host_and_port();
        let known = closest(accounts, &host, &Scope::of(address), Some(&login.username));
        known.is_some_and(|account| {
            account.username == login.username
                && self
                    .scene
                    .keychain
                    .read(account)
                    .is_ok_and(|secret| secret == login.secret)
        })
    }

    /// A person's secret is for everything at the host, unless somebody is signed in there; an access token, and what
    /// might be one, is for the repository.
    fn account(&self, login: &Login, address: &Address, accounts: &[Account]) -> Result<Account, Failure> {
        let host = self.scene.base.host_and_port();
        let personal = login.kind != SecretKind::AccessToken
            && SecretKind::AccessToken.fixed_username() != Some(login.username.as_str());
        let taken = accounts
            .iter()
            .any(|account| account.host == host && account.scope == Scope::host());
        let now = keeping::now();
        Ok(Account {
            host,
            scope: if personal && !taken {
                Scope::host()
            } else {
                Scope::of(address)
            },
            username: login.username.clone(),
            email: login.email.clone(),
            kind: login.kind,
            place: self.scene.place()?,
            created: now,
            expires: Expiry::assumed(login.kind, expiry::day_of(now)),
            reminded: None,
            repository: None,
        })
    }

    /// A secret that is refused is not worth keeping, and would be in the way of a better one; a server that cannot
    /// be reached says nothing about it.
    fn try_at_server(&self, login: &Login, address: &Address) -> Result<(), Failure> {
        let address = address.without_user();
        let mut repository = self.scene.open_repository(&address, login.clone())?;
        let Err(failure) = repository.check_login() else {
            return Ok(());
        };
        if keeping::is_denied(&failure) {
            return Err(failure.hint("the secret was not kept"));
        }
        self.scene.report.warning(&format!(
            "the secret in the URL of '{address}' is kept without having been tried: {}",
            failure.message()
        ));
        Ok(())
    }
}
