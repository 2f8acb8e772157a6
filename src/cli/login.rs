//! `login`: takes a secret, tries it at the server, and keeps it in the keychain.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use super::scene::Scene;
use crate::credential::account::{Account, Scope};
use crate::credential::login::{Login, Source};
use crate::credential::prompt::question::Place;
use crate::credential::prompt::{Note, Person as _, Prompt};
use crate::credential::{keeping, read_file, read_line, username};
use crate::environment::variable::{BBCLOUD_EMAIL, BBCLOUD_USERNAME};
use crate::report::{Failure, Kind};
use crate::secret::Secret;
use crate::secret::kind::Kind as SecretKind;
use clap::Args;

/// Where secrets are made, and with which permissions.
const WHERE: &str = "\
Create an API token 'with scopes' for the app Bitbucket at
  https://id.atlassian.com/manage-profile/security/api-tokens
to read: read:repository:bitbucket
to push: read:repository:bitbucket and write:repository:bitbucket
wiki:    read:wiki:bitbucket and write:wiki:bitbucket beside them
A repository's, project's or workspace's access token (its settings, 'Access tokens') works as well.
Leave the user name empty for a token; only an app password needs your Bitbucket user name.";

const EXAMPLES: &str = "\
Examples:
  git-remote-bbcloud login
  git-remote-bbcloud login --for acme/widgets
  pass show bitbucket | git-remote-bbcloud login --for acme --token-stdin

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
    let given = given(arguments, scene)?;
    let login = login(arguments, given, scene)?;
    let account = Account {
        host: scene.base.host_and_port(),
        scope,
        username: login.username.clone(),
        email: login.email.clone(),
        kind: login.kind,
        place,
        created: keeping::now(),
    };
    let tried = if arguments.no_verify {
        None
    } else {
        verify(&account, &login, scene)?
    };
    keeping::keep(
        &scene.index,
        &scene.keychain,
        &account,
        &login.secret,
        arguments.replace,
    )?;
    let verified = match tried {
        Some(repository) => format!("'{}' accepts it for '{repository}'", account.host),
        None if arguments.no_verify => "the server was not asked".to_owned(),
        None => format!(
            "not tried, because no repository is known: 'git ls-remote bbcloud::{}'",
            example(&account)
        ),
    };
    scene.report.say(&format!(
        "signed in for '{}' as '{}' with {} ({verified}); it is in the {place}",
        account.target(),
        account.username,
        account.kind.with_article()
    ));
    Ok(ExitCode::SUCCESS)
}

fn example(account: &Account) -> String {
    let workspace = account.scope.workspace().unwrap_or("<workspace>");
    format!("{workspace}/<repository>")
}

/// What was given, or typed at the terminal.
struct Given {
    username: Option<String>,
    secret: Secret,
}

/// Returns the secret of a file or of standard input, with the user name that was given or that a setting has; else
/// both are asked for.
fn given(arguments: &Arguments, scene: &Scene<'_>) -> Result<Given, Failure> {
    let environment = scene.environment.line(&BBCLOUD_USERNAME)?;
    let configured = scene.policy.helpers.username.as_deref();
    let username = (arguments.username.as_deref().or(environment)).or(scene.base.username());
    let secret = if let Some(path) = &arguments.token_file {
        Some(read_file(path)?)
    } else if arguments.token_stdin {
        let read = read_line(io::stdin().lock(), "standard input");
        Some(read.map_err(|failure| {
            failure.hint("give it as in 'pass show bitbucket | git-remote-bbcloud login --token-stdin'")
        })?)
    } else {
        None
    };
    let username = username
        .or(configured)
        .filter(|name| !name.is_empty())
        .map(str::to_owned);
    match secret {
        Some(secret) => Ok(Given { username, secret }),
        None => ask(username.as_deref(), scene),
    }
}

/// Asks at the terminal, in git's words.
fn ask(username: Option<&str>, scene: &Scene<'_>) -> Result<Given, Failure> {
    let person = Prompt::at_terminal(scene.report);
    if !scene.policy.interactive || !person.may_be_asked() {
        return Err(
            Failure::new(Kind::Usage, "there is no terminal at which a secret could be asked for")
                .hint("use '--token-stdin' or '--token-file <file>'"),
        );
    }
    let place = Place::of(scene.base.url(), false, scene.policy.helpers.sanitize_prompt);
    let before = [Note::Say(WHERE.to_owned())];
    let typed = place.ask(&person, username, &before)?;
    let typed = typed.ok_or_else(|| Failure::new(Kind::Usage, "no secret was given"))?;
    Ok(Given {
        username: Some(typed.username),
        secret: typed.secret,
    })
}

/// Puts the user name to the secret: the one that was given or is fixed.
fn login(arguments: &Arguments, given: Given, scene: &Scene<'_>) -> Result<Login, Failure> {
    let mut login = Login::new(String::new(), given.secret, Source::User);
    if let Some(kind) = arguments.kind.as_deref().and_then(SecretKind::parse) {
        login.kind = kind;
    }
    let names = username::choose(login.kind, given.username.as_deref());
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

/// Tries `login` at the server. Returns the repository that it was tried with, `None` if there is none.
fn verify(account: &Account, login: &Login, scene: &Scene<'_>) -> Result<Option<String>, Failure> {
    let Some(address) = scene.repository_for(&account.scope) else {
        return Ok(None);
    };
    let mut repository = scene.open_repository(&address, login.clone())?;
    match repository.check_login() {
        Ok(()) => Ok(Some(address.to_string())),
        Err(failure) if keeping::is_denied(&failure) => Err(failure.hint("nothing was kept")),
        Err(failure) => Err(failure.hint("nothing was kept; to keep it without asking the server, add '--no-verify'")),
    }
}
