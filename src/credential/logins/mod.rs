//! Who is asking: the one place that knows the order of sources, and what becomes of a secret that the server accepts
//! or refuses.
//!
//! Git's helper goes through it request by request ([`Credentials`]), a command looks a login up once
//! ([`Logins::look_up`]). All that it asks is behind the traits of [`Parts`]. Does not depend on HTTP, nor on how a
//! keychain, a helper or a prompt works.

#[cfg(test)]
pub(super) mod fake;
mod kept;
mod outcome;
#[cfg(test)]
mod tests;
mod user;
mod verdict;
mod wanted;

use zeroize::Zeroizing;

pub use self::wanted::Wanted;
use self::wanted::Wants;
use super::account::{Account, closest};
use super::helper::{Answer, Found, Question};
use super::login::{Login, Source};
use super::parts::Parts;
use super::policy::Policy;
use super::{environment, username};
use crate::bridge::Credentials;
use crate::bridge::refusal::Refusal;
use crate::environment::Environment;
use crate::environment::variable::{BBCLOUD_EMAIL, BBCLOUD_USERNAME};
use crate::report::{self, Failure};
use crate::secret::Secret;
use crate::secret::kind::Kind;

/// The logins for one repository or place, one after the other, until the server accepts one or nobody has another.
pub struct Logins {
    wanted: Wanted,
    policy: Policy,
    parts: Parts,
    step: Step,
    login: Option<Login>,
    /// The account of the keychain whose secret was found, or should have been.
    account: Option<Account>,
    /// The helper's answer that `login` is.
    found: Option<Found>,
    /// What has become of `login` so far.
    trial: Trial,
    /// How often a helper has continued a sign-in of several rounds.
    rounds: usize,
    /// What was refused: it is not sent again.
    refused: Vec<(String, Secret)>,
    /// Whether a helper's secret was refused, so that a new one takes its place there.
    replaces_helpers: bool,
    /// What is told and kept once the server has answered.
    telling: Telling,
    /// Why the keychain gave nothing.
    trouble: Option<Failure>,
    /// How often the user was asked.
    attempts: usize,
}

/// What has become of the login in use.
#[derive(Debug, Clone, Copy, Default)]
struct Trial {
    /// The server has accepted it.
    accepted: bool,
    /// It was sent once more after a refusal.
    repeated: bool,
    /// It was typed at the terminal.
    at_terminal: bool,
}

/// What is told and kept once the server has accepted or refused a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Telling {
    /// Git's helpers are told, a secret that was typed is kept, and it is remembered when a secret worked.
    Everything,
    /// It is remembered when a secret worked.
    History,
    /// Nothing.
    Nothing,
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
    /// Returns the logins for `wanted`. Only what the address and the environment hold is looked at yet: it is used
    /// alone, because it was given for this run, and asking elsewhere would hide that it is wrong.
    ///
    /// # Errors
    /// If a secret is given that cannot be used: a file that cannot be read, or no user name where one is needed.
    pub fn new(wanted: Wanted, policy: Policy, environment: &Environment, parts: Parts) -> Result<Self, Failure> {
        let given = match &wanted.secret {
            Some(secret) => Some((secret.clone(), Source::Address)),
            None if wanted.is_base => environment::given(environment)?,
            None => None,
        };
        let login = match given {
            Some((secret, source)) => Some(given_login(secret, source, &wanted, environment)?),
            None => None,
        };
        Ok(Self {
            wanted,
            policy,
            parts,
            step: if login.is_some() { Step::Nobody } else { Step::Keychain },
            login,
            account: None,
            found: None,
            trial: Trial::default(),
            rounds: 0,
            refused: Vec::new(),
            replaces_helpers: false,
            telling: Telling::Everything,
            trouble: None,
            attempts: 0,
        })
    }

    /// Returns by which name the repository will be asked for first, as far as that is known without a keychain, with
    /// whatever tells two accounts of one name apart. There is no secret in it.
    pub fn expected(&self) -> String {
        if let Some(login) = &self.login {
            return format!("{} {}", login.username, login.source.word());
        }
        let accounts = self.accounts().unwrap_or_default();
        let name = self.wanted.own_name();
        closest(&accounts, &self.wanted.host, &self.wanted.scope, name).map_or_else(
            || name.unwrap_or_default().to_owned(),
            |account| format!("{} {}", account.entry(), account.created),
        )
    }

    /// Sends `login` and no other, and keeps nothing.
    pub fn use_only(&mut self, login: Login) {
        self.login = Some(login);
        self.step = Step::Nobody;
    }

    /// Reminds nobody of a secret that expires soon: git is to be quiet.
    pub fn remind_nobody(&mut self) {
        self.policy.remind_before = 0;
    }

    /// Asks no person for anything from now on, and the keychain only if `keychain` says that it can be had. Git's helpers
    /// are asked, and not told what became of it: a command that only looks changes nothing.
    pub fn only_look(&mut self, keychain: bool) {
        self.telling = Telling::Nothing;
        self.policy.interactive = false;
        if !keychain && self.step == Step::Keychain {
            self.step = Step::Netrc;
        }
    }

    /// Asks no person for anything from now on, and tells git's helpers nothing: for a program that serves others. When a
    /// secret worked is remembered, so that a passing refusal of it is not believed.
    pub fn serve_others(&mut self) {
        self.telling = Telling::History;
        self.policy.interactive = false;
    }

    /// Returns the login for a command; `None` if nobody is signed in. No person is asked, no helper is told anything.
    ///
    /// # Errors
    /// If there is a secret that cannot be used: a keychain that is locked, a control character.
    pub fn look_up(mut self, environment: &Environment) -> Result<Option<Login>, Failure> {
        self.only_look(true);
        if self.login.is_none() && !self.look_up_kept()? {
            self.ask_next(Wants::Perhaps(&[]));
        }
        let email = environment.text(&BBCLOUD_EMAIL).filter(|email| !email.is_empty());
        let named = environment
            .line(&BBCLOUD_USERNAME)?
            .filter(|name| username::is_email(name));
        if let Some(login) = &mut self.login {
            login.email = login.email.take().or(email.or(named).map(str::to_owned));
        }
        self.login.map(Login::checked).transpose()
    }

    /// Returns the login that was given, or that the keychain has, and when it was kept there: what other programs of
    /// git's are answered with. Git's helpers are not asked, because it may be git that asks as one of them.
    pub fn look_up_own(mut self) -> Result<Option<(Login, u64)>, Failure> {
        if self.login.is_none() {
            self.look_up_kept()?;
        }
        let created = self.account.map_or(0, |account| account.created);
        let login = self.login.map(Login::checked).transpose()?;
        Ok(login.map(|login| (login, created)))
    }

    /// Returns the login that requests are sent with, to be named in an explanation.
    pub fn current(&self) -> Option<&Login> {
        self.login.as_ref()
    }

    /// Returns the login to begin with, from the keychain if there is none yet. Where a helper's secret served this
    /// repository last, the helper is asked now, and the first request is not refused.
    fn first(&mut self) -> Option<&Login> {
        if self.step == Step::Keychain {
            self.step = Step::Netrc;
            self.ask_keychain();
            if self.login.is_none() && (self.policy.proactive.is_some() || self.is_served_by_others()) {
                let expected = self.policy.proactive.clone().unwrap_or_default();
                self.ask_next(Wants::Perhaps(&expected));
            }
        }
        self.login.as_ref()
    }

    fn is_served_by_others(&self) -> bool {
        let (host, place) = (&self.wanted.host, self.wanted.scope.text());
        self.trouble.is_none() && self.parts.history.last_source(host, place).is_some()
    }

    fn accounts(&self) -> Result<Vec<Account>, Failure> {
        self.parts
            .accounts
            .as_ref()
            .map_or_else(|| Ok(Vec::new()), |accounts| accounts.read())
    }

    /// Makes `login` the one to send.
    fn take(&mut self, login: Login) {
        let worked = self.record_of(&login).map(|record| record.worked);
        self.login = Some(Login { worked, ..login });
        self.trial = Trial::default();
    }

    /// Asks those that need nobody: `~/.netrc`, then git's helpers. Returns whether one knows a login.
    fn ask_next(&mut self, server: Wants<'_>) -> bool {
        if self.step == Step::Netrc {
            self.step = Step::Helpers;
            if self.ask_netrc() {
                return true;
            }
        }
        self.step == Step::Helpers && self.ask_helpers(server, None)
    }

    /// Looks into `~/.netrc`, which git's own transport reads through curl. Returns whether it knows a login.
    fn ask_netrc(&mut self) -> bool {
        let host = self.wanted.url.host_str().unwrap_or_default();
        let found = self.parts.netrc.look(host, self.wanted.own_name());
        let login = found.and_then(|entry| Login::named(entry.username.as_deref(), entry.password, Source::Netrc));
        let is_known = login.is_some();
        if let Some(login) = login {
            self.take(login);
        }
        is_known
    }

    /// Asks git's credential helpers, in a further round after `before`. Returns whether they know a login.
    fn ask_helpers(&mut self, server: Wants<'_>, before: Option<&Found>) -> bool {
        let (Wants::Perhaps(challenges) | Wants::This(challenges)) = server;
        let question = Question {
            url: &self.wanted.url,
            username: self.known_name(),
            challenges,
            before,
        };
        let answer = self.parts.helpers.fill(&question);
        // Without a refusal a helper may not know what the server wants: it is asked again once there is one.
        let is_final = matches!(server, Wants::This(_)) || !matches!(answer, Answer::Nothing(_));
        if is_final {
            self.step = Step::User;
        }
        match answer {
            Answer::Login(found) => {
                let names = username::choose(Kind::of(&found.secret), Some(&found.username));
                let name = names.username.unwrap_or_default();
                let mut login = Login::new(name, found.secret.clone(), Source::Helper);
                login.email = names.email;
                login.authtype.clone_from(&found.authtype);
                self.found = Some(found);
                self.take(login);
                true
            }
            Answer::Nothing(name) => {
                if self.wanted.username.is_none() {
                    self.wanted.username = name;
                }
                false
            }
            Answer::Quit => {
                self.step = Step::Nobody;
                false
            }
        }
    }

    /// The user name that the address or the configuration gives, as it was given.
    fn known_name(&self) -> Option<&str> {
        let configured = self.policy.helpers.username.as_deref();
        self.wanted
            .username
            .as_deref()
            .filter(|name| !name.is_empty())
            .or(configured)
    }
}

impl Credentials for Logins {
    fn authorization(&mut self) -> Result<Option<Zeroizing<String>>, Failure> {
        Ok(self.first().map(Login::authorization))
    }

    fn accepted(&mut self, elsewhere: bool) {
        // A host that was not shown the secret has not accepted it.
        if !elsewhere {
            self.settle();
        }
    }

    fn refused(&mut self, refusal: &Refusal, may_repeat: bool) -> Result<bool, Failure> {
        self.judge(refusal, may_repeat)
    }
}

/// Returns the login of a secret that the address or the environment holds.
fn given_login(secret: Secret, source: Source, wanted: &Wanted, environment: &Environment) -> Result<Login, Failure> {
    let variable = environment.line(&BBCLOUD_USERNAME)?;
    let name = wanted.username.as_deref().filter(|name| !name.is_empty()).or(variable);
    let kind = Kind::of(&secret);
    Login::named(name, secret, source).ok_or_else(|| {
        Failure::new(
            report::Kind::Usage,
            format!("{} needs a user name; set BBCLOUD_USERNAME", kind.with_article()),
        )
        .because(format!("the {kind} came from {}", source.place()))
        .hint(format!(
            "set BBCLOUD_USERNAME to your Bitbucket user name (see {})",
            username::SHOWN_AT
        ))
        .hint(format!("or put it into the URL: bbcloud::<username>@{}", wanted.shown))
    })
}
