//! The user's part: asked where the settings allow it, once, by one process at a time, and told why.

use super::Logins;
use crate::bridge::refusal::Refusal;
use crate::credential::account::{Scope, closest};
use crate::credential::lock::Lock;
use crate::credential::login::{Login, Source};
use crate::credential::prompt::Prompt;
use crate::credential::username;
use crate::report::Failure;
use crate::secret::kind::Kind;

/// How often the user is asked for a secret before a command fails.
const ATTEMPTS: usize = 3;

/// Where an API token for Bitbucket is made.
const NEW_TOKEN: &str = "https://id.atlassian.com/manage-profile/security/api-tokens";

impl Logins {
    /// Asks the user. Returns whether there is a new login.
    pub(super) fn ask_user(&mut self, refusal: &Refusal) -> Result<bool, Failure> {
        let Some(prompt) = Prompt::allowed(&self.policy) else {
            return Ok(false);
        };
        if self.attempts >= ATTEMPTS {
            return Ok(false);
        }
        if self.another_was_faster() {
            return Ok(true);
        }
        let turn = self.turn.as_ref();
        if turn.is_some_and(|turn| turn.is_dismissed(&self.base.host_and_port())) {
            self.turn = None;
            return Ok(false);
        }
        self.say_why(refusal);
        self.attempts += 1;
        let url = self.base.url().as_str().trim_end_matches('/').to_owned();
        let Some(secret) = prompt.secret(&url, None)? else {
            self.dismissed();
            return Ok(false);
        };
        let kind = Kind::of(&secret);
        let given = self.named().or_else(|| self.policy.helpers.username.clone());
        let name = match kind.fixed_username().map(str::to_owned).or(given) {
            Some(name) => Some(name),
            None => self.ask_name(&prompt, &url)?,
        };
        let Some(name) = name else {
            self.dismissed();
            return Ok(false);
        };
        self.login = Some(Login::new(name, secret, Source::User));
        Ok(true)
    }

    fn ask_name(&self, prompt: &Prompt, url: &str) -> Result<Option<String>, Failure> {
        for _ in 0..ATTEMPTS {
            match prompt.username(url)? {
                Some(name) if username::is_email(&name) => self.report.warning(&format!(
                    "git wants the Bitbucket user name and not an e-mail address; {} shows it",
                    username::SHOWN_AT
                )),
                other => return Ok(other),
            }
        }
        Ok(None)
    }

    /// Takes the turn to ask. Returns whether another process has meanwhile kept a login that is new here.
    fn another_was_faster(&mut self) -> bool {
        let (Some(index), true) = (&self.index, self.turn.is_none()) else {
            return false;
        };
        let report = self.report;
        let waiting = || report.say("waiting for another git-remote-bbcloud, which is asking you to sign in");
        // Where the file cannot be locked, asking twice is better than not at all.
        self.turn = Lock::acquire(&index.prompt_lock(), waiting).ok();
        let (host, scope) = (self.base.host_and_port(), Scope::of(&self.address));
        let accounts = index.read().unwrap_or_default();
        let known = closest(&accounts, &host, &scope, self.named().as_deref());
        if known.is_none() || known == self.account.as_ref() {
            return false;
        }
        let before = self.login.take();
        self.ask_keychain();
        if self.login.is_some() {
            self.turn = None;
            return true;
        }
        self.login = before;
        false
    }

    fn dismissed(&mut self) {
        if let Some(turn) = &mut self.turn {
            turn.dismiss(&self.base.host_and_port());
        }
        self.turn = None;
    }

    /// Before the user is asked: what has happened, in a line or two.
    fn say_why(&self, refusal: &Refusal) {
        let (host, status) = (&refusal.host, refusal.status);
        match (&self.login, status) {
            (Some(login), 410) => self.report.warning(&format!(
                "'{host}' does not accept the {} {} any more (HTTP 410)",
                login.kind(),
                login.source
            )),
            (Some(login), 403) => self.report.warning(&format!(
                "the {} {} lacks a permission that '{}' needs (HTTP 403)",
                login.kind(),
                login.source,
                self.address
            )),
            (Some(login), _) => self.report.warning(&format!(
                "'{host}' rejected the {} of '{}' {} for '{}' (HTTP {status})",
                login.kind(),
                login.username,
                login.source,
                self.address
            )),
            (None, _) => {}
        }
        if let Some(trouble) = &self.trouble {
            self.report.warning(trouble.message());
            for hint in trouble.hints() {
                self.report.hint(hint);
            }
        }
        if self.attempts == 0 {
            let hint = format!("create an API token with read:repository:bitbucket (and write:…) at {NEW_TOKEN}");
            self.report.hint(&hint);
        }
    }
}
