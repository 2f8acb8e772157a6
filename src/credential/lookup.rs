//! The login for something that need not be one repository, for commands that people start.
//!
//! The same order as for git ([`Logins`](super::Logins)), but nobody is asked, and nothing is told to helpers: a
//! command says what it lacks.

use super::account::{Account, Scope, closest};
use super::environment::given;
use super::helper::{Answer, Helpers};
use super::index::Index;
use super::keychain::{Fault, Keychain};
use super::login::{Login, Source};
use super::policy::Policy;
use super::{netrc, username};
use crate::address::{Address, BaseUrl};
use crate::environment::Environment;
use crate::environment::variable::{BBCLOUD_EMAIL, BBCLOUD_USERNAME};
use crate::report::{self, Failure};
use crate::secret::kind::Kind;

/// What a login is wanted for.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The host.
    pub base: &'a BaseUrl,
    /// What there.
    pub scope: &'a Scope,
    /// The repository's address, where one is known, for the secret that it may hold.
    pub address: Option<&'a Address>,
}

/// Returns the login for `wanted`; `None` if nobody is signed in for it.
///
/// # Errors
/// If there is a secret that cannot be used: a file that cannot be read, a keychain that is locked, no user name.
pub fn look_up(
    wanted: &Wanted<'_>,
    policy: &Policy,
    environment: &Environment,
    index: &Index,
    keychain: &Keychain,
) -> Result<Option<Login>, Failure> {
    let named = environment.line(&BBCLOUD_USERNAME)?;
    let given = match wanted.address.and_then(Address::secret) {
        Some(secret) => Some((secret.clone(), Source::Address)),
        None => given(environment)?,
    };
    let mut login = match given {
        Some((secret, source)) => {
            let kind = Kind::of(&secret);
            let in_address = wanted.address.and_then(Address::username);
            let named = in_address.or(named).or(wanted.base.username());
            let name = named.or(kind.fixed_username()).ok_or_else(|| nameless(kind, source))?;
            Some(Login::new(name, secret, source))
        }
        None => match kept(wanted, index, keychain)? {
            Some(login) => Some(login),
            None => match from_netrc(wanted, environment) {
                Some(login) => Some(login),
                None => from_helpers(wanted, policy)?,
            },
        },
    };
    if let Some(login) = &mut login {
        let email = environment.text(&BBCLOUD_EMAIL).filter(|email| !email.is_empty());
        let email = email.or(named.filter(|name| username::is_email(name)));
        login.email = login.email.take().or(email.map(str::to_owned));
    }
    login.map(Login::checked).transpose()
}

fn nameless(kind: Kind, source: Source) -> Failure {
    Failure::new(
        report::Kind::Usage,
        format!("the {kind} {source} needs your Bitbucket user name beside it"),
    )
    .hint(format!(
        "set BBCLOUD_USERNAME to the name that {} shows",
        username::SHOWN_AT
    ))
}

fn kept(wanted: &Wanted<'_>, index: &Index, keychain: &Keychain) -> Result<Option<Login>, Failure> {
    let mut accounts = index.read()?;
    let host = wanted.base.host_and_port();
    let name = wanted.address.and_then(Address::username);
    while let Some(account) = closest(&accounts, &host, wanted.scope, name).cloned() {
        match keychain.read(&account) {
            Ok(secret) => return Ok(Some(Login::kept(&account, secret))),
            // Only what is known to be gone makes room for what is less specific.
            Err(Fault::NoEntry) => accounts.retain(|other: &Account| !other.is_same(&account)),
            Err(fault) => return Err(fault.explain(account.target())),
        }
    }
    Ok(None)
}

fn from_netrc(wanted: &Wanted<'_>, environment: &Environment) -> Option<Login> {
    let name = wanted.address.and_then(Address::username);
    let entry = netrc::look(environment, wanted.base.host(), name)?;
    let fixed = Kind::of(&entry.password).fixed_username().map(str::to_owned);
    Some(Login::new(entry.username.or(fixed)?, entry.password, Source::Netrc))
}

fn from_helpers(wanted: &Wanted<'_>, policy: &Policy) -> Result<Option<Login>, Failure> {
    let url = match wanted.address {
        Some(address) => address.https_url(wanted.base),
        None => wanted.base.url().clone(),
    };
    let answer = Helpers::new(&policy.helpers).ask(&url, policy.helpers.username.as_deref(), &[])?;
    Ok(match answer {
        Answer::Login(found) => Some(Login::new(found.username.clone(), found.secret.clone(), Source::Helper)),
        Answer::Nothing | Answer::Quit => None,
    })
}
