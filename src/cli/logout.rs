//! `logout`: takes a secret out of the keychain, and looks whether it is gone.

use std::process::ExitCode;

use clap::Args;

use super::scene::{Scene, exit};
use crate::credential::account::{Account, Scope};
use crate::credential::keeping;
use crate::report::{Failure, Kind};

const EXAMPLES: &str = "\
Examples:
  git-remote-bbcloud logout
  git-remote-bbcloud logout --for acme/widgets
  git-remote-bbcloud logout --all";

/// Sign out: take secrets out of the keychain
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// What the secret is for, as 'status' shows it [default: everything at the host]
    #[arg(long = "for", value_name = "WORKSPACE[/REPOSITORY]")]
    target: Option<String>,
    /// Only the account of this user name
    #[arg(long, value_name = "NAME")]
    username: Option<String>,
    /// Every account at every host
    #[arg(long, conflicts_with = "target")]
    all: bool,
}

pub(super) fn run(arguments: &Arguments, scene: &Scene<'_>) -> Result<ExitCode, Failure> {
    let accounts = scene.index.read()?;
    let scope = match &arguments.target {
        Some(text) => Some(Scope::parse(text, &scene.base)?),
        None => None,
    };
    let host = scene.base.host_and_port();
    let chosen: Vec<&Account> = accounts
        .iter()
        .filter(|account| arguments.all || account.host == host)
        .filter(|account| arguments.all || account.scope == scope.clone().unwrap_or_else(Scope::host))
        .filter(|account| arguments.username.as_ref().is_none_or(|name| *name == account.username))
        .collect();
    if chosen.is_empty() {
        return nobody(arguments, &accounts, &host, scene);
    }
    let mut failed = false;
    for account in chosen {
        match keeping::forget(&scene.index, &scene.keychain, account) {
            Ok(()) => scene.report.say(&format!(
                "signed out of '{}' as '{}'; the secret is out of the {} (the server still knows it)",
                account.target(),
                account.username,
                account.place
            )),
            Err(failure) => {
                scene.report.failure(&failure);
                failed = true;
            }
        }
    }
    Ok(exit(!failed))
}

fn nobody(arguments: &Arguments, accounts: &[Account], host: &str, scene: &Scene<'_>) -> Result<ExitCode, Failure> {
    if arguments.all {
        scene.report.say("nobody is signed in");
        return Ok(ExitCode::SUCCESS);
    }
    let target = arguments.target.as_deref().unwrap_or(host);
    let who = arguments
        .username
        .as_ref()
        .map_or(String::new(), |name| format!(" as '{name}'"));
    let failure = Failure::new(Kind::Local, format!("nobody is signed in for '{target}'{who}"));
    let hint = accounts.iter().find(|account| account.host == host);
    Err(match hint {
        Some(account) => failure.hint(format!(
            "see who is with 'git-remote-bbcloud status', as in 'git-remote-bbcloud logout --for {}'",
            account.target()
        )),
        None => failure.hint("see who is with 'git-remote-bbcloud status'"),
    })
}
