//! `login`: takes a secret, tries it at the server, and keeps it in the keychain.

mod browser;
mod given;
mod lifetime;
mod page;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use self::given::{Given, given};
use super::scene::Scene;
use crate::address::Address;
use crate::credential::account::{Account, Scope};
use crate::credential::expiry::{self, Expiry};
use crate::credential::login::{Login, Source};
use crate::credential::{keeping, username};
use crate::environment::variable::BBCLOUD_EMAIL;
use crate::report::{Failure, Kind};
use crate::secret::Secret;
use crate::secret::kind::Kind as SecretKind;

const EXAMPLES: &str = "\
Examples:
  git-remote-bbcloud login
  git-remote-bbcloud login --for acme/widgets
  pass show bitbucket | git-remote-bbcloud login --for acme --token-stdin
  git-remote-bbcloud login --replace --expires 2027-11-28

The secret is tried with the repository of '--for', or with a remote of the repository you stand in; the REST API is
never asked, so the permissions of git are enough.

API tokens are made at https://id.atlassian.com/manage-profile/security/api-tokens ('with scopes', app Bitbucket):
  to read   read:repository:bitbucket
  to push   read:repository:bitbucket and write:repository:bitbucket
  the wiki  read:wiki:bitbucket and write:wiki:bitbucket beside them";

/// Sign in: keep a secret in the keychain
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// What the secret is for: a workspace, or 'workspace/repository' [default: everything]
    #[arg(long = "for", value_name = "WORKSPACE[/REPOSITORY]")]
    target: Option<String>,
    /// Bitbucket user name (not needed for tokens)
    #[arg(long, value_name = "NAME")]
    username: Option<String>,
    /// The Atlassian account's address, which only the REST API wants beside an API token
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
    /// Type of secret, if it cannot be detected
    #[arg(long, value_name = "KIND", value_parser = ["app-password", "api-token", "access-token"])]
    kind: Option<String>,
    /// Read the secret from standard input
    #[arg(long, conflicts_with = "token_file")]
    token_stdin: bool,
    /// Read the secret from the first line of a file
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Replace any other account for the same target
    #[arg(long)]
    replace: bool,
    /// Keep the secret without asking the server
    #[arg(long)]
    no_verify: bool,
    /// When the secret expires: a date, a number of days, 'never' or 'unknown' [default: a year for API tokens]
    #[arg(long, value_name = "WHEN")]
    expires: Option<String>,
    #[command(flatten)]
    browser: page::Browser,
}

pub(super) fn run(arguments: &Arguments, scene: &Scene<'_>) -> Result<ExitCode, Failure> {
    let place = scene.place()?;
    let scope = match &arguments.target {
        Some(text) => Scope::parse(text, &scene.base)?,
        None => Scope::host(),
    };
    if let Some(name) = scene.variable() {
        let warning = format!("{name} is set: while it is, it is used and the keychain is not");
        scene.report.warning(&warning);
    }
    let now = keeping::now();
    let today = expiry::day_of(now);
    let expires = arguments.expires.as_deref();
    let expires = expires.map(|text| lifetime::of_argument(text, today)).transpose()?;
    let Given {
        username,
        secret,
        person,
    } = given(arguments, scene)?;
    let login = login(arguments, username.as_deref(), secret, scene)?;
    let mut account = Account {
        host: scene.base.host_and_port(),
        scope,
        username: login.username.clone(),
        email: login.email.clone(),
        kind: login.kind,
        place,
        created: now,
        expires: Expiry::Unknown,
        reminded: None,
        repository: None,
    };
    let accounts = scene.index.read()?;
    let proof = if arguments.no_verify {
        Proof::Unasked
    } else {
        prove(&account, &login, &accounts, arguments.replace, scene)?
    };
    if let Proof::Accepted(address) = &proof {
        account.repository = Some(address.scope());
    }
    account.expires = match (expires, person) {
        (Some(expires), _) => expires,
        (None, Some(person)) if login.kind != SecretKind::AppPassword => lifetime::ask(&person, login.kind, today)?,
        _ => Expiry::assumed(login.kind, today),
    };
    keep(&account, &login.secret, &proof, &accounts, arguments.replace, scene)?;
    Ok(ExitCode::SUCCESS)
}

/// Keeps what is proved. With `replace`, other accounts that had the same secret as those that go get the new one too.
fn keep(
    account: &Account,
    secret: &Secret,
    proof: &Proof,
    accounts: &[Account],
    replace: bool,
    scene: &Scene<'_>,
) -> Result<(), Failure> {
    let (index, keychain) = (&scene.index, &scene.keychain);
    let sharing = if replace {
        keeping::sharing(accounts, keychain, account)
    } else {
        Vec::new()
    };
    keeping::keep(index, keychain, account, secret, replace)?;
    let proof = proof.words(account);
    scene.report.say(&format!(
        "signed in for '{}' as '{}' with {} ({proof}); it is in the {}",
        account.target(),
        account.username,
        account.kind.with_article(),
        account.place
    ));
    if let Some(sentence) = account.expires.sentence(expiry::day_of(account.created)) {
        let how = if account.expires.is_assumed() {
            "; if it expires earlier, add '--expires <date>'"
        } else {
            ""
        };
        scene.report.say(&format!("it {sentence}{how}"));
    }
    for other in sharing {
        let renewed = keeping::renew(index, keychain, &other, account, secret)?;
        let text = format!("'{}' had the same secret; it has the new one too", renewed.target());
        scene.report.say(&text);
    }
    Ok(())
}

/// Puts the user name to the secret: the one that was given or is fixed.
fn login(arguments: &Arguments, username: Option<&str>, secret: Secret, scene: &Scene<'_>) -> Result<Login, Failure> {
    let mut login = Login::new(String::new(), secret, Source::User);
    if let Some(kind) = arguments.kind.as_deref().and_then(SecretKind::parse) {
        login.kind = kind;
    }
    let names = username::choose(login.kind, username);
    let name = names.username.ok_or_else(|| {
        Failure::new(Kind::Usage, format!("{} needs a user name", login.kind.with_article()))
            .hint(format!("add '--username <name>' (see {})", username::SHOWN_AT))
    })?;
    if name.contains(':') {
        return Err(Failure::new(Kind::Usage, "a user name cannot contain a colon")
            .hint(format!("use your Bitbucket user name (see {})", username::SHOWN_AT)));
    }
    if let Some(email) = &names.email {
        scene.report.warning(&format!(
            "'{email}' is an e-mail address, which is for the REST API; git gets the user name '{name}'"
        ));
    }
    let environment = scene.environment.text(&BBCLOUD_EMAIL).map(str::to_owned);
    login.email = arguments.email.clone().or(names.email).or(environment);
    login.username = name;
    login.checked()
}

/// What is known of a new secret.
enum Proof {
    /// The server accepted it for this repository.
    Accepted(Address),
    /// No repository is known to try it with.
    Untried,
    /// The user did not want the server to be asked.
    Unasked,
}

impl Proof {
    fn words(&self, account: &Account) -> String {
        match self {
            Self::Accepted(address) => format!("'{}' accepts it for '{address}'", account.host),
            Self::Untried => {
                let example = format!("{}/<repository>", account.scope.workspace().unwrap_or("<workspace>"));
                format!("not tried, because no repository is known: 'git ls-remote bbcloud::{example}'")
            }
            Self::Unasked => "the server was not asked".to_owned(),
        }
    }
}

/// Tries `login` at the server. Where that cannot be done, nothing is proved, and a good secret is not replaced.
fn prove(
    account: &Account,
    login: &Login,
    accounts: &[Account],
    replace: bool,
    scene: &Scene<'_>,
) -> Result<Proof, Failure> {
    let goes = |other: &&Account| {
        other.host == account.host && other.scope == account.scope && (replace || other.is_same(account))
    };
    let replaced: Vec<&Account> = accounts.iter().filter(goes).collect();
    let known = |other: &&Account| Address::parse(other.repository.as_deref()?, &scene.base).ok();
    let known = || replaced.iter().find_map(known);
    let Some(address) = scene.repository_for(&account.scope).or_else(known) else {
        let today = expiry::day_of(account.created);
        let is_good = |other: &&Account| {
            let kept = scene.keychain.read(other);
            other.expires.passed(today).is_none() && kept.is_ok_and(|kept| kept != login.secret)
        };
        return if replaced.iter().any(is_good) {
            Err(unproved(account))
        } else {
            Ok(Proof::Untried)
        };
    };
    let mut repository = scene.open_repository(&address, login.clone())?;
    match repository.check_login() {
        Ok(()) => Ok(Proof::Accepted(address)),
        Err(failure) if keeping::is_denied(&failure) => Err(failure.hint("nothing was kept")),
        Err(failure) => Err(failure.hint("nothing was kept; to keep it without asking the server, add '--no-verify'")),
    }
}

fn unproved(account: &Account) -> Failure {
    let target = account.target();
    Failure::new(
        Kind::Usage,
        format!("no repository is known to try the secret for '{target}' with"),
    )
    .because("nothing was kept: the secret that is kept stays until another one is proved")
    .hint("run the command inside a clone, or replace the secret without asking the server: add '--no-verify'")
}
