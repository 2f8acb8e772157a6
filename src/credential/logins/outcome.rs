//! What becomes of a login once the server has answered: remembered, approved and kept, or sent once more, rejected and
//! replaced.

use std::time::Duration;

use super::verdict::Verdict;
use super::wanted::Wants;
use super::{Logins, Step, Telling};
use crate::bridge::refusal::Refusal;
use crate::credential::expiry;
use crate::credential::history::{FRESH, Key, Record};
use crate::credential::login::{Login, Source};
use crate::credential::prompt::Note;
use crate::report::Failure;

/// How long a passing fault of the server is given to pass.
const PAUSE: Duration = Duration::from_secs(1);
/// A helper's secret that has worked is taken for dead once it has been refused for so long, in seconds: the longest
/// incident in which Bitbucket refused good secrets took about an hour.
const DEAD: u64 = 2 * 60 * 60;
/// How often a helper may continue one sign-in, as git's `http_request_recoverable` does.
const ROUNDS: usize = 2;

impl Logins {
    /// The server has accepted the login.
    pub(super) fn settle(&mut self) {
        self.rounds = 0;
        let Some(login) = self.login.clone().filter(|_| !self.trial.accepted) else {
            return;
        };
        self.trial.accepted = true;
        if self.telling == Telling::Nothing {
            return;
        }
        let tells_all = self.telling == Telling::Everything;
        if let Some(found) = self
            .found
            .as_ref()
            .filter(|_| tells_all && login.source == Source::Helper)
        {
            self.parts.helpers.approve(found);
        }
        if login.source == Source::User && self.step == Step::User {
            self.step = Step::Nobody;
            self.keep(&login);
        }
        self.note_worked(&login);
        self.parts.person.end_turn(&self.wanted.host, false);
        if login.source == Source::Keychain {
            self.remind(&login);
        }
    }

    /// Reminds the user, once a day, of a secret that expires soon.
    fn remind(&self, login: &Login) {
        let (Some(account), Some(accounts)) = (&self.account, &self.parts.accounts) else {
            return;
        };
        let today = expiry::day_of(self.parts.clock.now());
        let days = self.policy.remind_before;
        if account.expires.reminder(today, account.reminded, days).is_none() {
            return;
        }
        // Noted first: commands that run at the same time remind once, and a list that cannot be written makes no
        // command remind.
        let mut is_first = false;
        let noted = accounts.update(&mut |accounts| {
            for other in accounts.iter_mut().filter(|other| other.is_same(account)) {
                is_first = other.reminded != Some(today);
                other.reminded = Some(today);
            }
        });
        let sentence = account.expires.sentence(today).filter(|_| noted.is_ok() && is_first);
        if let Some(sentence) = sentence {
            let (kind, target) = (login.kind(), account.target());
            let person = &self.parts.person;
            person.tell(&Note::Warning(format!("the {kind} for '{target}' {sentence}")));
            person.tell(&Note::Hint(format!(
                "run 'git-remote-bbcloud login --replace --for {target}'"
            )));
        }
    }

    /// The server has refused the request. Returns whether there is something else to try.
    pub(super) fn judge(&mut self, refusal: &Refusal, may_repeat: bool) -> Result<bool, Failure> {
        let verdict = Verdict::of(refusal);
        if verdict == Verdict::Nothing {
            return Ok(false);
        }
        if verdict == Verdict::Wrong {
            if self.continues(&refusal.challenges) {
                return Ok(true);
            }
            if may_repeat && self.may_be_false() {
                self.trial.repeated = true;
                self.parts.clock.sleep(PAUSE);
                return Ok(true);
            }
            self.note_refused(&refusal.challenges);
        }
        if self.step == Step::Nobody {
            return Ok(false);
        }
        if let Some(login) = &self.login {
            self.refused.push((login.username.clone(), login.secret.clone()));
        }
        if verdict == Verdict::Wrong && self.ask_next(Wants::This(&refusal.challenges)) {
            return Ok(true);
        }
        if self.step != Step::Nobody {
            self.step = Step::User;
            if self.ask_user(refusal)? {
                return Ok(true);
            }
        }
        self.parts.person.end_turn(&self.wanted.host, false);
        match self.trouble.take() {
            Some(trouble) if self.login.is_none() => Err(trouble.because(format!(
                "authentication required for '{}' at '{}' (HTTP {})",
                self.wanted.shown, refusal.host, refusal.status
            ))),
            _ => Ok(false),
        }
    }

    /// Whether a helper goes on with a sign-in of several rounds.
    fn continues(&mut self, challenges: &[String]) -> bool {
        let is_helpers = self.login.as_ref().is_some_and(|login| login.source == Source::Helper);
        let found = self.found.clone().filter(|found| is_helpers && found.continues);
        match found {
            Some(found) if self.rounds < ROUNDS => {
                self.rounds += 1;
                self.ask_helpers(Wants::This(challenges), Some(&found))
            }
            _ => false,
        }
    }

    /// Whether the refusal may be a passing fault: the secret has worked before, or somebody has put it into the
    /// environment of a build, and it has not been sent again yet.
    fn may_be_false(&self) -> bool {
        let Some(login) = self.login.as_ref().filter(|_| !self.trial.repeated) else {
            return false;
        };
        self.trial.accepted || login.worked.is_some() || matches!(login.source, Source::Environment | Source::File)
    }

    fn note_worked(&self, login: &Login) {
        let now = self.parts.clock.now();
        let is_noted = |record: Record| record.refused.is_none() && now.abs_diff(record.worked) < FRESH;
        if is_remembered(login.source) && !self.record_of(login).is_some_and(is_noted) {
            let record = Record {
                worked: now,
                refused: None,
            };
            self.parts.history.note(&self.key_of(login), record);
        }
    }

    /// Remembers the refusal. A helper forgets a secret that has never worked, as with git; one that has worked only if
    /// it has been refused for a long time.
    fn note_refused(&mut self, challenges: &[String]) {
        let Some(login) = self.login.clone().filter(|_| self.telling != Telling::Nothing) else {
            return;
        };
        let now = self.parts.clock.now();
        let record = self.record_of(&login);
        let since = record.and_then(|record| record.refused);
        let tells_all = self.telling == Telling::Everything;
        if let Some(found) = self
            .found
            .take()
            .filter(|_| tells_all && login.source == Source::Helper)
        {
            self.replaces_helpers = true;
            if record.is_none() || since.is_some_and(|since| now.saturating_sub(since) >= DEAD) {
                self.parts.helpers.reject(&found, challenges);
            }
        }
        if let Some(record) = record.filter(|record| record.refused.is_none()) {
            let refused = Some(now);
            self.parts
                .history
                .note(&self.key_of(&login), Record { refused, ..record });
        }
    }

    /// Returns what is remembered about `login`, unless its account has had a new secret since.
    pub(super) fn record_of(&self, login: &Login) -> Option<Record> {
        if !is_remembered(login.source) {
            return None;
        }
        let kept = match (&self.account, login.source) {
            (Some(account), Source::Keychain) => account.created,
            _ => 0,
        };
        let record = self.parts.history.recall(&self.key_of(login))?;
        (record.worked >= kept).then_some(record)
    }

    pub(super) fn key_of(&self, login: &Login) -> Key {
        let place = match (&self.account, login.source) {
            (Some(account), Source::Keychain) => account.scope.text(),
            _ => self.wanted.scope.text(),
        };
        Key {
            source: login.source,
            host: self.wanted.host.clone(),
            place: place.to_owned(),
            username: login.username.clone(),
        }
    }
}

/// Whether it is remembered when secrets of this source worked: those that the same name stands for the next time.
fn is_remembered(source: Source) -> bool {
    matches!(source, Source::Keychain | Source::Netrc | Source::Helper)
}
