//! The keychain's part: a login that is found in it, and one that is kept in it.

use super::{Logins, Step};
use crate::credential::account::{Account, Scope};
use crate::credential::expiry::{self, Expiry};
use crate::credential::helper::Found;
use crate::credential::history::Record;
use crate::credential::keeping::{self, Walk};
use crate::credential::login::{Login, Source};
use crate::credential::prompt::Note;
use crate::report::Failure;
use crate::secret::kind::Kind;

impl Logins {
    /// Looks for a secret, the most specific first. Why there is none is remembered, and told if nobody else has one.
    pub(super) fn ask_keychain(&mut self) {
        match self.walk() {
            Err(failure) => self.trouble = Some(failure),
            Ok(Walk::Found(login, account)) => {
                self.account = Some(account);
                self.trouble = None;
                self.take(*login);
            }
            Ok(Walk::Blocked(account, fault)) => {
                self.trouble = Some(fault.explain(account.target()));
                self.account = Some(account);
            }
            Ok(Walk::Nothing(missing)) => {
                let fault = crate::credential::keychain::Fault::NoEntry;
                self.trouble = missing.as_ref().map(|account| fault.explain(account.target()));
                self.account = missing;
            }
        }
    }

    /// The same for a command, which fails where the keychain does. Returns whether there is a login.
    pub(super) fn look_up_kept(&mut self) -> Result<bool, Failure> {
        self.step = Step::Netrc;
        match self.walk()? {
            Walk::Found(login, account) => {
                self.account = Some(account);
                self.take(*login);
                Ok(true)
            }
            Walk::Blocked(account, fault) => Err(fault.explain(account.target())),
            Walk::Nothing(_) => Ok(false),
        }
    }

    fn walk(&self) -> Result<Walk, Failure> {
        let accounts = self.accounts()?;
        let wanted = &self.wanted;
        let secrets = self.parts.secrets.as_ref();
        Ok(keeping::walk(
            accounts,
            secrets,
            &wanted.host,
            &wanted.scope,
            wanted.own_name(),
        ))
    }

    /// Keeps what the user has given and the server has accepted: in the keychain, else with git's helpers. What the
    /// helpers have had refused is replaced there.
    pub(super) fn keep(&mut self, login: &Login) {
        let is_kept = self.keep_in_keychain(login);
        if !is_kept || self.replaces_helpers {
            let found = Found::given(&self.wanted.url, &login.username, &login.secret);
            self.parts.helpers.approve(&found);
        }
    }

    fn keep_in_keychain(&mut self, login: &Login) -> bool {
        let (Some(place), Some(accounts)) = (self.policy.keep, &self.parts.accounts) else {
            return false;
        };
        // A replaced account keeps its scope; an access token is for one repository, as far as anybody here knows.
        let scope = match &self.account {
            Some(account) => account.scope.clone(),
            None if login.kind() == Kind::AccessToken => self.wanted.scope.clone(),
            None => Scope::host(),
        };
        let now = self.parts.clock.now();
        let account = Account {
            host: self.wanted.host.clone(),
            scope,
            username: login.username.clone(),
            email: login.email.clone(),
            kind: login.kind(),
            place,
            created: now,
            expires: Expiry::assumed(login.kind(), expiry::day_of(now)),
            reminded: None,
            repository: Some(self.wanted.scope.text().to_owned()),
        };
        let replace = self.account.is_some();
        let secrets = self.parts.secrets.as_ref();
        let kept = keeping::keep(accounts.as_ref(), secrets, &account, &login.secret, replace);
        match &kept {
            Ok(()) => {
                let text = format!("the {} is kept in the {place} for '{}'", login.kind(), account.target());
                self.tell(&Note::Say(text));
                let record = Record {
                    worked: account.created,
                    refused: None,
                };
                let kept = Login {
                    source: Source::Keychain,
                    target: Some(account.target().to_owned()),
                    ..login.clone()
                };
                self.account = Some(account);
                self.parts.history.note(&self.key_of(&kept), record);
            }
            Err(failure) => {
                let text = format!("the {} was not kept: {}", login.kind(), failure.message());
                self.tell(&Note::Warning(text));
                for hint in failure.hints() {
                    self.tell(&Note::Hint(hint.clone()));
                }
            }
        }
        kept.is_ok()
    }

    /// Tells somebody who sits at the terminal; a program that answered for them would take it for a failure.
    fn tell(&self, note: &Note) {
        if self.trial.at_terminal {
            self.parts.person.tell(note);
        }
    }
}
