//! The logins for one repository, one after the other, until the server accepts one or nobody has another.
//!
//! It must not know HTTP, nor how a keychain, a helper or a prompt works.

use zeroize::Zeroizing;

use super::account::{Account, Scope, closest};
use super::helper::{Answer, Found, Helpers};
use super::index::Index;
use super::keychain::{Fault, Keychain};
use super::kind::Kind;
use super::lock::Lock;
use super::login::{Login, Source};
use super::policy::Policy;
use super::prompt::Prompt;
use super::secret::Secret;
use super::{environment, keeping, username};
use crate::address::{Address, BaseUrl};
use crate::bridge::Credentials;
use crate::bridge::refusal::Refusal;
use crate::environment::Environment;
use crate::environment::variable::BBCLOUD_USERNAME;
use crate::report::{self, Failure, Report};

/// How often the user is asked for a secret before a command fails.
const ATTEMPTS: usize = 3;

/// Where an API token for Bitbucket is made.
const NEW_TOKEN: &str = "https://id.atlassian.com/manage-profile/security/api-tokens";

/// The logins for one repository.
#[derive(Debug)]
pub struct Logins {
    address: Address,
    base: BaseUrl,
    policy: Policy,
    keychain: Keychain,
    index: Option<Index>,
    report: Report,
    step: Step,
    login: Option<Login>,
    /// The account of the keychain whose secret was found, or should have been.
    account: Option<Account>,
    /// What a helper has yet to be told of.
    found: Option<Found>,
    /// Why the keychain gave nothing.
    trouble: Option<Failure>,
    attempts: usize,
    /// Held while the user is asked, so that parallel fetches ask once.
    turn: Option<Lock>,
}

/// Who is asked next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Keychain,
    Helpers,
    User,
    Nobody,
}

impl Logins {
    /// Returns the logins for `address`. Only what the address and the environment hold is looked at yet.
    ///
    /// # Errors
    /// If a secret is given that cannot be used: a file that cannot be read, or no user name where one is needed.
    pub fn find(
        address: &Address,
        base: &BaseUrl,
        policy: Policy,
        environment: &Environment,
        report: Report,
    ) -> Result<Self, Failure> {
        let given = match address.secret() {
            Some(secret) => Some((secret.clone(), Source::Address)),
            None => environment::given(environment)?,
        };
        let login = given
            .map(|(secret, source)| {
                let named = address
                    .username()
                    .or(environment.text(&BBCLOUD_USERNAME))
                    .or(base.username());
                let name = name_for(named.filter(|name| !name.is_empty()), &secret, source, address)?;
                Ok(Login::new(name, secret, source))
            })
            .transpose()?;
        Ok(Self {
            address: address.clone(),
            base: base.clone(),
            keychain: Keychain::new(policy.limits, environment),
            policy,
            index: Index::of(environment),
            report,
            step: if login.is_some() { Step::Nobody } else { Step::Keychain },
            login,
            account: None,
            found: None,
            trouble: None,
            attempts: 0,
            turn: None,
        })
    }

    /// Sends `login` and no other, and keeps nothing.
    pub fn use_only(&mut self, login: Login) {
        self.login = Some(login);
        self.step = Step::Nobody;
    }

    /// Asks no person for anything from now on, and the keychain only if `keychain` says that it can be had.
    pub fn ask_nobody(&mut self, keychain: bool) {
        self.policy.interactive = false;
        if !keychain && self.step == Step::Keychain {
            self.step = Step::Helpers;
        }
    }

    /// Returns the login that requests are sent with, to be named in an explanation.
    pub fn current(&self) -> Option<&Login> {
        self.login.as_ref()
    }

    /// Returns the login to begin with, from the keychain if there is none yet.
    pub fn first(&mut self) -> Result<Option<&Login>, Failure> {
        if self.step == Step::Keychain {
            self.step = Step::Helpers;
            self.ask_keychain();
            if self.login.is_none() && self.policy.proactive {
                self.ask_helpers(&[])?;
            }
        }
        Ok(self.login.as_ref())
    }

    /// Returns why the keychain gave nothing, if it should have.
    pub fn trouble(&self) -> Option<&Failure> {
        self.trouble.as_ref()
    }

    fn ask_keychain(&mut self) {
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

    /// The user name that the address or the base URL names.
    fn named(&self) -> Option<String> {
        let name = self.address.username().or(self.base.username());
        name.filter(|name| !username::is_email(name)).map(str::to_owned)
    }

    /// Asks git's credential helpers. Returns whether they know a login.
    fn ask_helpers(&mut self, challenges: &[String]) -> Result<bool, Failure> {
        self.step = Step::User;
        let name = self.named().or_else(|| self.policy.helpers.username.clone());
        let url = self.address.https_url(&self.base);
        match Helpers::new(&self.policy.helpers).ask(&url, name.as_deref(), challenges)? {
            Answer::Login(found) => {
                self.login = Some(Login::new(found.username.clone(), found.secret.clone(), Source::Helper));
                self.found = Some(found);
                Ok(true)
            }
            Answer::Nothing => Ok(false),
            Answer::Quit => {
                self.step = Step::Nobody;
                Ok(false)
            }
        }
    }

    /// Asks the user. Returns whether there is a new login.
    fn ask_user(&mut self, refusal: &Refusal) -> Result<bool, Failure> {
        let Some(prompt) = Prompt::allowed(&self.policy) else {
            return Ok(false);
        };
        if self.attempts >= ATTEMPTS || self.another_was_faster() {
            return Ok(self.attempts < ATTEMPTS);
        }
        self.say_why(refusal);
        self.attempts += 1;
        let url = self.base.url().as_str().trim_end_matches('/').to_owned();
        let Some(secret) = prompt.secret(&url, None)? else {
            self.turn = None;
            return Ok(false);
        };
        let kind = Kind::of(&secret);
        let given = self.named().or_else(|| self.policy.helpers.username.clone());
        let name = match kind.fixed_username().map(str::to_owned).or(given) {
            Some(name) => Some(name),
            None => self.ask_name(&prompt, &url)?,
        };
        let Some(name) = name else {
            self.turn = None;
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

    /// Keeps what the user has given and the server has accepted.
    fn keep(&mut self, login: &Login) {
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

impl Credentials for Logins {
    fn authorization(&mut self) -> Result<Option<Zeroizing<String>>, Failure> {
        Ok(self.first()?.map(Login::authorization))
    }

    fn accepted(&mut self) {
        if let Some(found) = self.found.take() {
            // A helper that cannot keep it is no reason to fail now.
            Helpers::new(&self.policy.helpers).approve(found).ok();
        }
        if let Some(login) = self
            .login
            .take_if(|login| login.source == Source::User && self.step == Step::User)
        {
            self.step = Step::Nobody;
            self.keep(&login);
            self.login = Some(login);
        }
        self.turn = None;
    }

    fn refused(&mut self, refusal: &Refusal) -> Result<bool, Failure> {
        let scopes = refusal.status == 403 && refusal.text.contains("privilege scopes");
        if self.step == Step::Nobody || !(matches!(refusal.status, 401 | 410) || scopes) {
            return Ok(false);
        }
        if let Some(found) = self.found.take()
            && refusal.status == 401
        {
            Helpers::new(&self.policy.helpers).reject(found)?;
        }
        if self.step == Step::Helpers && refusal.status == 401 && self.ask_helpers(&refusal.challenges)? {
            return Ok(true);
        }
        if self.step != Step::Nobody {
            self.step = Step::User;
            if self.ask_user(refusal)? {
                return Ok(true);
            }
        }
        self.turn = None;
        match self.trouble.take() {
            Some(trouble) if self.login.is_none() => Err(trouble.because(format!(
                "'{}' wants to know who asks for '{}' (HTTP {})",
                refusal.host, self.address, refusal.status
            ))),
            _ => Ok(false),
        }
    }
}

/// Returns the user name to send: the one that was given, else the one that this kind of secret always has.
fn name_for(given: Option<&str>, secret: &Secret, source: Source, address: &Address) -> Result<String, Failure> {
    let kind = Kind::of(secret);
    if let Some(name) = given.or(kind.fixed_username()) {
        return Ok(name.to_owned());
    }
    Err(Failure::new(
        report::Kind::Usage,
        format!("the {kind} {source} needs your Bitbucket user name beside it"),
    )
    .hint(format!(
        "set BBCLOUD_USERNAME to the name that {} shows",
        username::SHOWN_AT
    ))
    .hint(format!("or put it into the URL: bbcloud::<username>@{address}")))
}
