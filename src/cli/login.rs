//! `login`: takes a secret, tries it at the server, and keeps it in the keychain.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use super::scene::Scene;
use crate::credential::account::{Account, Scope};
use crate::credential::login::{Login, Source};
use crate::credential::prompt::Prompt;
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
A repository's, project's or workspace's access token (its settings, 'Access tokens') works as well.";

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
    /// The Bitbucket user name; tokens do without
    #[arg(long, value_name = "NAME")]
    username: Option<String>,
    /// The Atlassian account's address, which only the REST API wants beside an API token
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
    /// The kind of the secret, if its first letters do not tell
    #[arg(long, value_name = "KIND", value_parser = ["app-password", "api-token", "access-token"])]
    kind: Option<String>,
    /// Read the secret from standard input
    #[arg(long, conflicts_with = "token_file")]
    token_stdin: bool,
    /// Read the secret from the first line of a file
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Take the place of other user names that are signed in for the same
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
    let secret = secret(arguments, scene)?;
    let login = login(arguments, secret, scene)?;
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

fn secret(arguments: &Arguments, scene: &Scene<'_>) -> Result<Secret, Failure> {
    if let Some(path) = &arguments.token_file {
        return read_file(path);
    }
    if arguments.token_stdin {
        let read = read_line(io::stdin().lock(), "standard input");
        return read.map_err(|failure| {
            failure.hint("give it as in 'pass show bitbucket | git-remote-bbcloud login --token-stdin'")
        });
    }
    let prompt = if scene.policy.interactive {
        Prompt::at_terminal()
    } else {
        None
    };
    let Some(prompt) = prompt else {
        return Err(
            Failure::new(Kind::Usage, "there is no terminal at which a secret could be asked for")
                .hint("use '--token-stdin' or '--token-file <file>'"),
        );
    };
    scene.report.say(WHERE);
    let url = scene.base.url().as_str().trim_end_matches('/').to_owned();
    let given = prompt.secret(&url, None)?;
    given.ok_or_else(|| Failure::new(Kind::Usage, "no secret was given"))
}

/// Puts the user name to the secret: the one that was given or is fixed, else asked for.
fn login(arguments: &Arguments, secret: Secret, scene: &Scene<'_>) -> Result<Login, Failure> {
    let mut login = Login::new(String::new(), secret, Source::User);
    if let Some(kind) = arguments.kind.as_deref().and_then(SecretKind::parse) {
        login.kind = kind;
    }
    let environment = scene.environment.line(&BBCLOUD_USERNAME)?;
    let given = arguments.username.as_deref().or(environment).or(scene.base.username());
    let (name, email) = username::choose(login.kind, given)?;
    if let Some(email) = &email {
        let fixed = login.kind.fixed_username().unwrap_or_default();
        scene.report.warning(&format!(
            "'{email}' is an e-mail address, which is for the REST API; git gets the user name '{fixed}'"
        ));
    }
    let environment = scene.environment.text(&BBCLOUD_EMAIL).map(str::to_owned);
    login.email = arguments.email.clone().or(email).or(environment);
    login.username = match name {
        Some(name) => name,
        None => ask_name(login.kind, arguments, scene)?,
    };
    Ok(login)
}

fn ask_name(kind: SecretKind, arguments: &Arguments, scene: &Scene<'_>) -> Result<String, Failure> {
    let missing = || {
        Failure::new(
            Kind::Usage,
            format!("{} needs your Bitbucket user name beside it", kind.with_article()),
        )
        .hint(format!("add '--username <name>'; {} shows it", username::SHOWN_AT))
    };
    let asked_already = arguments.token_stdin || arguments.token_file.is_some() || !scene.policy.interactive;
    let Some(prompt) = Prompt::at_terminal().filter(|_| !asked_already) else {
        return Err(missing());
    };
    let url = scene.base.url().as_str().trim_end_matches('/').to_owned();
    let name = prompt.username(&url)?.ok_or_else(missing)?;
    let (name, _) = username::choose(kind, Some(&name))?;
    name.ok_or_else(missing)
}

/// Tries `login` at the server. Returns the repository that it was tried with, `None` if there is none.
fn verify(account: &Account, login: &Login, scene: &Scene<'_>) -> Result<Option<String>, Failure> {
    let Some(address) = scene.repository_for(&account.scope) else {
        return Ok(None);
    };
    let mut repository = scene.open_repository(&address, login.clone())?;
    match repository.check_login() {
        Ok(()) => Ok(Some(address.to_string())),
        Err(failure) => Err(match failure.kind() {
            Kind::Unauthenticated | Kind::Refused => failure.hint("nothing was kept"),
            _ => failure.hint("nothing was kept; to keep it all the same, add '--no-verify'"),
        }),
    }
}
