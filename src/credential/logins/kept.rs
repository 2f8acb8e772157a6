//! The keychain's part: a login that is found in it, and one that is kept in it.

use super::Logins;
use crate::credential::account::{Account, Scope, closest};
use crate::credential::keeping;
use crate::credential::keychain::Fault;
use crate::credential::login::Login;
use crate::secret::kind::Kind;

impl Logins {
    /// Looks for a secret, the most specific first.
    pub(super) fn ask_keychain(&mut self) {
        let Some(index) = &self.index else { return };
        let mut accounts = match index.read() {
            Ok(accounts) => accounts,
            Err(failure) => {
                self.trouble = Some(failure);
                return;
            }
        };
        let (host, scope) = (self.base.host_and_port(), Scope::of(&self.address));
        let named = self.named();
        while let Some(account) = closest(&accounts, &host, &scope, named.as_deref()).cloned() {
            match self.keychain.read(&account) {
                Ok(secret) => {
                    self.login = Some(Login::kept(&account, secret));
                    self.account = Some(account);
                    self.trouble = None;
                    return;
                }
                Err(fault) => {
                    self.trouble.get_or_insert_with(|| fault.explain(account.target()));
                    // Only what is known to be gone makes room for what is less specific.
                    if fault != Fault::NoEntry {
                        self.account = Some(account);
                        return;
                    }
                    accounts.retain(|other| !other.is_same(&account));
                    self.account.get_or_insert(account);
                }
            }
        }
    }

    /// Keeps what the user has given and the server has accepted.
    pub(super) fn keep(&mut self, login: &Login) {
        let (Some(place), Some(index)) = (self.policy.keep, &self.index) else {
            return;
        };
        // Who was signed in for something keeps it for the same; an access token is for a repository, or so it may be.
        let scope = match &self.account {
            Some(account) => account.scope.clone(),
            None if login.kind() == Kind::AccessToken => Scope::of(&self.address),
            None => Scope::host(),
        };
        let account = Account {
            host: self.base.host_and_port(),
            scope,
            username: login.username.clone(),
            email: None,
            kind: login.kind(),
            place,
            created: keeping::now(),
        };
        let replace = self.account.is_some();
        match keeping::keep(index, &self.keychain, &account, &login.secret, replace) {
            Ok(()) => self.report.say(&format!(
                "the {} is kept in the {place} for '{}'",
                login.kind(),
                account.target()
            )),
            Err(failure) => {
                self.report
                    .warning(&format!("the {} is not kept: {}", login.kind(), failure.message()));
                for hint in failure.hints() {
                    self.report.hint(hint);
                }
            }
        }
        self.account = Some(account);
    }
}
