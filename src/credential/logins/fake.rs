//! Everything that [`Logins`](super::Logins) asks, in memory: a test sets what there is, and reads what happened.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::credential::account::{Account, Scope, StoreKind};
use crate::credential::expiry::Expiry;
use crate::credential::helper::{self, Found, Question};
use crate::credential::history::{self, History, Key, Record};
use crate::credential::keychain::Fault;
use crate::credential::netrc;
use crate::credential::parts::{Accounts, Clock, Helpers, Netrc, Parts, Secrets};
use crate::credential::prompt::{Answer, Echo, Note, Person};
use crate::report::Failure;
use crate::secret::Secret;
use crate::secret::kind::Kind;

/// An account at bitbucket.org.
pub(in crate::credential) fn account(scope: &str, username: &str) -> Account {
    Account {
        host: "bitbucket.org".to_owned(),
        scope: Scope::of_text(scope),
        username: username.to_owned(),
        email: None,
        kind: Kind::Unknown,
        place: StoreKind::System,
        created: 1,
        expires: Expiry::Unknown,
        reminded: None,
        repository: None,
    }
}

#[derive(Default)]
pub(in crate::credential) struct Fake {
    pub(in crate::credential) accounts: RefCell<Vec<Account>>,
    /// The secrets of the keychain, by the names of their entries.
    pub(in crate::credential) kept: RefCell<Vec<(String, Secret)>>,
    /// User names for which the keychain fails.
    pub(in crate::credential) faults: RefCell<Vec<(String, Fault)>>,
    pub(super) netrc: RefCell<Option<netrc::Entry>>,
    /// The answers of the helpers, one after the other; then they know nothing.
    pub(super) helpers: RefCell<VecDeque<helper::Answer>>,
    /// The answers of a person, one after the other; then the question is dismissed.
    pub(super) typed: RefCell<VecDeque<&'static str>>,
    pub(super) is_there: Cell<bool>,
    pub(super) at_terminal: Cell<bool>,
    pub(super) history: RefCell<Vec<(Key, Record)>>,
    pub(super) now: Cell<u64>,
    /// What was asked and told, in order.
    pub(super) log: RefCell<Vec<String>>,
}

impl Fake {
    /// Lists an account, and gives the keychain its secret.
    pub(in crate::credential) fn sign_in(&self, scope: &str, username: &str, secret: Option<&str>) {
        let account = account(scope, username);
        let secret = secret.map(|secret| (account.entry(), Secret::new(secret)));
        self.kept.borrow_mut().extend(secret);
        self.accounts.borrow_mut().push(account);
    }

    pub(super) fn log(&self, line: impl Into<String>) {
        self.log.borrow_mut().push(line.into());
    }

    pub(super) fn take_log(&self) -> Vec<String> {
        std::mem::take(&mut self.log.borrow_mut())
    }

    pub(super) fn parts(self: &Rc<Self>) -> Parts {
        Parts {
            accounts: Some(Box::new(self.clone())),
            secrets: Box::new(self.clone()),
            netrc: Box::new(self.clone()),
            helpers: Box::new(self.clone()),
            person: Box::new(self.clone()),
            history: Box::new(self.clone()),
            clock: Box::new(self.clone()),
        }
    }
}

impl Accounts for Rc<Fake> {
    fn read(&self) -> Result<Vec<Account>, Failure> {
        Ok(self.accounts.borrow().clone())
    }

    fn update(&self, change: &mut dyn FnMut(&mut Vec<Account>)) -> Result<(), Failure> {
        change(&mut self.accounts.borrow_mut());
        Ok(())
    }
}

impl Secrets for Fake {
    fn read(&self, account: &Account) -> Result<Secret, Fault> {
        let faults = self.faults.borrow();
        if let Some((_, fault)) = faults.iter().find(|(name, _)| *name == account.username) {
            return Err(fault.clone());
        }
        let kept = self.kept.borrow();
        let found = kept.iter().find(|(entry, _)| *entry == account.entry());
        found.map(|(_, secret)| secret.clone()).ok_or(Fault::NoEntry)
    }

    fn write(&self, account: &Account, secret: &Secret) -> Result<(), Fault> {
        if let Some((_, fault)) = self.faults.borrow().iter().find(|(name, _)| name == "*") {
            return Err(fault.clone());
        }
        self.delete(account)?;
        self.kept.borrow_mut().push((account.entry(), secret.clone()));
        Ok(())
    }

    fn delete(&self, account: &Account) -> Result<(), Fault> {
        self.kept.borrow_mut().retain(|(entry, _)| *entry != account.entry());
        Ok(())
    }
}

impl Secrets for Rc<Fake> {
    fn read(&self, account: &Account) -> Result<Secret, Fault> {
        Fake::read(self, account)
    }

    fn write(&self, account: &Account, secret: &Secret) -> Result<(), Fault> {
        self.log(format!("write {}", account.entry()));
        Fake::write(self, account, secret)
    }

    fn delete(&self, account: &Account) -> Result<(), Fault> {
        Fake::delete(self, account)
    }
}

impl Netrc for Rc<Fake> {
    fn look(&self, host: &str, _: Option<&str>) -> Option<netrc::Entry> {
        self.log(format!("netrc {host}"));
        self.netrc.borrow().clone()
    }
}

impl Helpers for Rc<Fake> {
    fn fill(&self, question: &Question<'_>) -> helper::Answer {
        let name = question.username.unwrap_or("-");
        let again = if question.before.is_some() { " again" } else { "" };
        self.log(format!("fill {name} {}{again}", question.challenges.len()));
        let answer = self.helpers.borrow_mut().pop_front();
        answer.unwrap_or(helper::Answer::Nothing(None))
    }

    fn approve(&self, found: &Found) {
        self.log(format!("approve {}:{}", found.username, found.secret.expose()));
    }

    fn reject(&self, found: &Found, challenges: &[String]) {
        let (name, secret, count) = (&found.username, found.secret.expose(), challenges.len());
        self.log(format!("reject {name}:{secret} {count}"));
    }
}

impl Person for Rc<Fake> {
    fn may_be_asked(&self) -> bool {
        self.is_there.get()
    }

    fn ask(&self, question: &str, _: Echo, before: &[Note]) -> Result<Option<Answer>, Failure> {
        if self.at_terminal.get() {
            for note in before {
                self.tell(note);
            }
        }
        self.log(question);
        Ok(self.typed.borrow_mut().pop_front().map(|text| Answer {
            text: Zeroizing::new(text.to_owned()),
            at_terminal: self.at_terminal.get(),
        }))
    }

    fn tell(&self, note: &Note) {
        self.log(match note {
            Note::Warning(text) => format!("warning: {text}"),
            Note::Hint(text) => format!("hint: {text}"),
            Note::Say(text) => text.clone(),
        });
    }

    fn begin_turn(&self, _: &str) -> bool {
        true
    }

    fn end_turn(&self, _: &str, dismissed: bool) {
        if dismissed {
            self.log("dismissed");
        }
    }
}

impl History for Rc<Fake> {
    fn recall(&self, key: &Key) -> Option<Record> {
        let history = self.history.borrow();
        history
            .iter()
            .find(|(other, _)| other == key)
            .map(|(_, record)| *record)
    }

    fn note(&self, key: &Key, record: Record) {
        let mut history = self.history.borrow_mut();
        history.retain(|(other, _)| other != key);
        history.push((key.clone(), record));
    }

    fn last_source(&self, host: &str, place: &str) -> Option<crate::credential::login::Source> {
        history::last_source(self.history.borrow().clone(), host, place)
    }
}

impl Clock for Rc<Fake> {
    fn now(&self) -> u64 {
        self.now.get()
    }

    fn sleep(&self, time: Duration) {
        self.now.set(self.now.get() + time.as_secs());
        self.log(format!("sleep {}", time.as_secs()));
    }
}
