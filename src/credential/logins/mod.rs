//! The logins for one repository, one after the other, until the server accepts one or nobody has another.
//!
//! It must not know HTTP, nor how a keychain, a helper or a prompt works.

mod kept;
mod user;

use zeroize::Zeroizing;

use super::account::{Account, Scope, closest};
use super::helper::{Answer, Found, Helpers};
use super::index::Index;
use super::keychain::Keychain;
use super::lock::Lock;
use super::login::{Login, Source};
use super::policy::Policy;
use super::{environment, netrc, username};
use crate::address::{Address, BaseUrl};
use crate::bridge::Credentials;
use crate::bridge::outcome::Answerer;
use crate::bridge::refusal::Refusal;
use crate::environment::Environment;
use crate::environment::variable::BBCLOUD_USERNAME;
use crate::report::{self, Failure, Report};
use crate::secret::Secret;
use crate::secret::kind::Kind;

/// The logins for one repository.
#[derive(Debug)]
pub struct Logins {
    address: Address,
    base: BaseUrl,
    policy: Policy,
    keychain: Keychain,
    index: Option<Index>,
    environment: Environment,
    report: Report,
    step: Step,
    login: Option<Login>,
    /// The account of the keychain whose secret was found, or should have been.
    account: Option<Account>,
    /// What a helper has yet to be told of.
    found: Option<Found>,
    /// Whether no helper is told anything.
    only_looks: bool,
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
    Netrc,
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
                    .or(environment.line(&BBCLOUD_USERNAME)?)
                    .or(base.username());
                let name = name_for(named.filter(|name| !name.is_empty()), &secret, source, address)?;
                Ok::<_, Failure>(Login::new(name, secret, source))
            })
            .transpose()?;
        Ok(Self {
            address: address.clone(),
            base: base.clone(),
            keychain: Keychain::new(policy.limits, environment),
            policy,
            index: Index::of(environment),
            environment: environment.clone(),
            report,
            step: if login.is_some() { Step::Nobody } else { Step::Keychain },
            login,
            account: None,
            found: None,
            only_looks: false,
            trouble: None,
            attempts: 0,
            turn: None,
        })
    }

    /// Returns by which name the repository will be asked for first, as far as that is known without a keychain, with
    /// whatever tells two accounts of one name apart. There is no secret in it.
    pub fn expected(&self) -> String {
        if let Some(login) = &self.login {
            return format!("{} {}", login.username, login.source.word());
        }
        let accounts = self.index.as_ref().and_then(|index| index.read().ok());
        let scope = Scope::of(&self.address);
        let named = self.named();
        closest(
            accounts.as_deref().unwrap_or_default(),
            &self.base.host_and_port(),
            &scope,
            named.as_deref(),
        )
        .map_or_else(
            || named.clone().unwrap_or_default(),
            |account| format!("{} {}", account.entry(), account.created),
        )
    }

    /// Sends `login` and no other, and keeps nothing.
    pub fn use_only(&mut self, login: Login) {
        self.login = Some(login);
        self.step = Step::Nobody;
    }

    /// Asks no person for anything from now on, and the keychain only if `keychain` says that it can be had. Git's helpers
    /// are asked, and not told what became of it: whoever only looks has nobody keep or forget anything.
    pub fn only_look(&mut self, keychain: bool) {
        self.only_looks = true;
        self.policy.interactive = false;
        if !keychain && self.step == Step::Keychain {
            self.step = Step::Netrc;
        }
    }

    /// Returns the login that requests are sent with, to be named in an explanation.
    pub fn current(&self) -> Option<&Login> {
        self.login.as_ref()
    }

    /// Returns the login to begin with, from the keychain if there is none yet.
    pub fn first(&mut self) -> Result<Option<&Login>, Failure> {
        if self.step == Step::Keychain {
            self.step = Step::Netrc;
            self.ask_keychain();
            if self.login.is_none() && self.policy.proactive {
                self.ask_next(&[])?;
            }
        }
        Ok(self.login.as_ref())
    }

    /// Returns why the keychain gave nothing, if it should have.
    pub fn trouble(&self) -> Option<&Failure> {
        self.trouble.as_ref()
    }

    /// The user name that the address or the base URL names.
    fn named(&self) -> Option<String> {
        let name = self.address.username().or(self.base.username());
        name.filter(|name| !username::is_email(name)).map(str::to_owned)
    }

    /// Asks whoever's turn it is of those that need nobody: `~/.netrc`, then git's helpers. Returns whether one knows a
    /// login.
    fn ask_next(&mut self, challenges: &[String]) -> Result<bool, Failure> {
        if self.step == Step::Netrc {
            self.step = Step::Helpers;
            if self.ask_netrc() {
                return Ok(true);
            }
        }
        Ok(self.step == Step::Helpers && self.ask_helpers(challenges)?)
    }

    /// Looks into `~/.netrc`, which git's own transport reads through curl. Returns whether it knows a login.
    fn ask_netrc(&mut self) -> bool {
        let named = self.named();
        let found = netrc::look(&self.environment, self.base.host(), named.as_deref());
        let login = found.and_then(|entry| {
            let fixed = Kind::of(&entry.password).fixed_username().map(str::to_owned);
            Some(Login::new(entry.username.or(fixed)?, entry.password, Source::Netrc))
        });
        let known = login.is_some();
        self.login = login.or(self.login.take());
        known
    }

    /// Asks git's credential helpers. Returns whether they know a login.
    fn ask_helpers(&mut self, challenges: &[String]) -> Result<bool, Failure> {
        self.step = Step::User;
        let name = self.named().or_else(|| self.policy.helpers.username.clone());
        let url = self.address.https_url(&self.base);
        match Helpers::new(&self.policy.helpers).ask(&url, name.as_deref(), challenges)? {
            Answer::Login(found) => {
                self.login = Some(Login::new(found.username.clone(), found.secret.clone(), Source::Helper));
                self.found = Some(found).filter(|_| !self.only_looks);
                Ok(true)
            }
            Answer::Nothing => Ok(false),
            Answer::Quit => {
                self.step = Step::Nobody;
                Ok(false)
            }
        }
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
        // Whoever has not seen the secret has not refused it, and will not see another one.
        if refusal.by == Answerer::Elsewhere {
            return Ok(false);
        }
        let scopes = refusal.status == 403 && refusal.text.contains("privilege scopes");
        if self.step == Step::Nobody || !(matches!(refusal.status, 401 | 410) || scopes) {
            return Ok(false);
        }
        if let Some(found) = self.found.take()
            && refusal.status == 401
        {
            Helpers::new(&self.policy.helpers).reject(found)?;
        }
        if refusal.status == 401 && self.ask_next(&refusal.challenges)? {
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
