//! The user's part: asked where the settings allow it, by one process at a time, and told why.

use super::Logins;
use crate::bridge::refusal::Refusal;
use crate::credential::account::closest;
use crate::credential::login::{Login, Source};
use crate::credential::prompt::Note;
use crate::credential::prompt::question::{Target, Typed};
use crate::credential::username;
use crate::report::Failure;
use crate::secret::kind::Kind;

/// How often somebody at a terminal is asked before a command fails. A program is asked once, as git asks it.
const ATTEMPTS: usize = 3;

/// Where an API token for Bitbucket is made.
const NEW_TOKEN: &str = "https://id.atlassian.com/manage-profile/security/api-tokens";

impl Logins {
    /// Asks the user. Returns whether there is a new login.
    pub(super) fn ask_user(&mut self, refusal: &Refusal) -> Result<bool, Failure> {
        if !self.policy.interactive || !self.parts.person.may_be_asked() {
            return Ok(false);
        }
        let may_ask = self.parts.person.begin_turn(&self.wanted.host);
        if self.attempts == 0 && self.another_was_faster() {
            return Ok(true);
        }
        let mut before = self.reasons(refusal);
        while may_ask && self.attempts < ATTEMPTS {
            self.attempts += 1;
            let place = self.place();
            let Some(typed) = place.ask(self.parts.person.as_ref(), self.known_name(), &before)? else {
                self.parts.person.end_turn(&self.wanted.host, true);
                return Ok(false);
            };
            if !typed.at_terminal {
                self.attempts = ATTEMPTS;
            }
            if self.take_typed(typed) {
                return Ok(true);
            }
            before = vec![Note::Warning(
                "this was refused before, and is not sent again".to_owned(),
            )];
        }
        Ok(false)
    }

    /// Makes what was typed the login to send, unless it was refused before.
    fn take_typed(&mut self, typed: Typed) -> bool {
        let names = username::choose(Kind::of(&typed.secret), Some(&typed.username));
        let name = names.username.unwrap_or_default();
        let is_refused = |(other, secret): &(String, _)| *other == name && *secret == typed.secret;
        if self.refused.iter().any(is_refused) {
            return false;
        }
        let mut login = Login::new(name, typed.secret, Source::User);
        login.email = names.email;
        self.take(login);
        self.trial.at_terminal = typed.at_terminal;
        true
    }

    /// The URL as git shows it: with its path where that makes a difference.
    fn place(&self) -> Target {
        let accounts = self.accounts().unwrap_or_default();
        let here = accounts.iter().filter(|account| account.host == self.wanted.host);
        let helpers = &self.policy.helpers;
        let with_path = helpers.use_http_path || here.count() > 1;
        Target::of(&self.wanted.url, with_path, helpers.sanitize_prompt)
    }

    /// Whether another process has meanwhile kept a login that is new here.
    fn another_was_faster(&mut self) -> bool {
        let accounts = self.accounts().unwrap_or_default();
        let wanted = &self.wanted;
        let known = closest(&accounts, &wanted.host, &wanted.scope, wanted.own_name());
        if known.is_none() || known == self.account.as_ref() {
            return false;
        }
        let before = (self.login.take(), self.trial);
        self.ask_keychain();
        if self.login.is_some() {
            self.parts.person.end_turn(&self.wanted.host, false);
            return true;
        }
        (self.login, self.trial) = before;
        false
    }

    /// What somebody at a terminal is told above the question: what happened, and what to type.
    fn reasons(&self, refusal: &Refusal) -> Vec<Note> {
        let mut notes = Vec::new();
        let (host, status, shown) = (&refusal.host, refusal.status, &self.wanted.shown);
        if let Some(login) = &self.login {
            let (kind, place) = (login.kind(), login.source.place());
            notes.push(Note::Warning(match status {
                410 => format!("{host} no longer accepts app passwords; the {kind} came from {place} (HTTP 410)"),
                403 => format!("the {kind} from {place} lacks a permission that '{shown}' needs (HTTP 403)"),
                _ => format!("{host} rejected the {kind} from {place} for '{shown}' (HTTP {status})"),
            }));
        }
        if let Some(trouble) = &self.trouble {
            notes.push(Note::Warning(trouble.message().to_owned()));
            notes.extend(trouble.hints().iter().cloned().map(Note::Hint));
        }
        if self.attempts == 0 {
            let name = match self.known_name() {
                Some(_) => "",
                None => "leave the user name empty for a token, or use your Bitbucket user name; ",
            };
            notes.push(Note::Hint(format!(
                "{name}as password, use an API token with read:repository:bitbucket (and write:repository:bitbucket \
                 to push) from {NEW_TOKEN}"
            )));
        }
        notes
    }
}
