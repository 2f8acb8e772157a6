//! `status`: who is signed in, for what, and whether that can be used now. Never the secret.

use std::fmt::Write as _;
use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};

use super::scene::{PATIENCE, Scene, exit, print};
use crate::address::Address;
use crate::credential::account::{Account, Scope, StoreKind, closest};
use crate::credential::keychain::Fault;
use crate::credential::{expiry, keeping};
use crate::report::{self, Failure, one_line};
use crate::repository::Repository;

const EXAMPLES: &str = "\
Examples:
  git-remote-bbcloud status
  git-remote-bbcloud status --check --for acme/widgets
  git-remote-bbcloud status --json

The exit code is 1 where git would get no secret: nobody is signed in, the keychain cannot be used, or, with --check,
the server refuses.";

/// Show who is signed in
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Only the accounts for a workspace or repository; the first of them is the one that git gets
    #[arg(long = "for", value_name = "WORKSPACE[/REPOSITORY]")]
    target: Option<String>,
    /// Ask the server whether it accepts them
    #[arg(long)]
    check: bool,
    /// Write JSON
    #[arg(long)]
    json: bool,
}

/// An account with what is known of it now.
struct Line {
    account: Account,
    /// Why its secret cannot be had.
    fault: Option<Fault>,
    /// What the server says, if it was asked.
    checked: Option<Result<String, Failure>>,
}

impl Line {
    fn is_good(&self) -> bool {
        self.fault.is_none() && !matches!(self.checked, Some(Err(_)))
    }

    fn secret(&self) -> &'static str {
        self.fault.as_ref().map_or("kept", Fault::word)
    }
}

/// Everything that is shown.
struct View<'a> {
    lines: Vec<Line>,
    place: StoreKind,
    keychain: Result<(), Fault>,
    variable: Option<&'a str>,
    checked: Option<Result<String, Failure>>,
    good: bool,
}

pub(super) fn run(arguments: &Arguments, scene: &Scene<'_>) -> Result<ExitCode, Failure> {
    let scope = match &arguments.target {
        Some(text) => Some(Scope::parse(text, &scene.base)?),
        None => None,
    };
    let view = look(scope.as_ref(), arguments.check, scene)?;
    let text = if arguments.json {
        report::json(&view.to_json(scene))
    } else {
        view.to_text(scene)
    };
    print(&text)?;
    if !arguments.json {
        view.explain(scope.as_ref(), scene);
    }
    Ok(exit(view.good))
}

fn look<'a>(scope: Option<&Scope>, check: bool, scene: &'a Scene<'_>) -> Result<View<'a>, Failure> {
    let host = scene.base.host_and_port();
    let mut accounts = scene.index.read()?;
    if let Some(scope) = scope {
        accounts.retain(|account| account.host == host && account.scope.covers(scope));
        let first = closest(&accounts, &host, scope, None).map(Account::entry);
        accounts.sort_by_key(|account| (Some(account.entry()) != first, std::cmp::Reverse(account.scope.rank())));
    }
    let place = scene.policy.keep.unwrap_or(StoreKind::System);
    let keychain = scene.keychain.state(place);
    let mut lines: Vec<Line> = Vec::new();
    for account in accounts {
        // One keychain that hangs is waited for once.
        let hopeless = keychain.as_ref().err().filter(|_| account.place == place);
        let fault = hopeless.cloned().or_else(|| scene.keychain.check(&account).err());
        let checked = (check && fault.is_none() && account.host == host)
            .then(|| check_account(&account, scope, scene))
            .flatten();
        lines.push(Line {
            account,
            fault,
            checked,
        });
    }
    let variable = scene.variable();
    let checked = variable.filter(|_| check).and_then(|_| check_variable(scope, scene));
    let variable_is_good = variable.map(|_| !matches!(checked, Some(Err(_))));
    let accounts: Vec<bool> = lines.iter().map(Line::is_good).collect();
    let good = is_signed_in(variable_is_good, &accounts, scope.is_some());
    Ok(View {
        lines,
        place,
        keychain,
        variable,
        checked,
        good,
    })
}

/// Whether git gets a secret that can be used. A variable is used alone. Of the accounts for one place git uses the
/// first; without a place, one bad account is reason enough to look.
fn is_signed_in(variable: Option<bool>, accounts: &[bool], for_one_place: bool) -> bool {
    match (variable, accounts) {
        (Some(good), _) => good,
        (None, []) => false,
        (None, [first, ..]) if for_one_place => *first,
        (None, all) => all.iter().all(|good| *good),
    }
}

/// Asks the server about `account`, with what it is for; `None` where no repository is known to ask about.
fn check_account(account: &Account, scope: Option<&Scope>, scene: &Scene<'_>) -> Option<Result<String, Failure>> {
    let wanted = scope.filter(|scope| scope.is_repository()).unwrap_or(&account.scope);
    let address = scene.repository_for(wanted)?;
    let opened = scene
        .login(account)
        .and_then(|login| scene.open_repository(&address, login));
    Some(opened.and_then(|repository| ask(repository, &address)))
}

fn check_variable(scope: Option<&Scope>, scene: &Scene<'_>) -> Option<Result<String, Failure>> {
    let address = scene.repository_for(scope.unwrap_or(&Scope::host()))?;
    let name = address.to_string();
    let opened = Repository::open(&name, &name, &scene.config, scene.environment, scene.report);
    Some(opened.and_then(|repository| {
        repository.give_up_after(PATIENCE);
        ask(repository, &address)
    }))
}

fn ask(mut repository: Repository, address: &Address) -> Result<String, Failure> {
    repository.check_login().map(|()| address.to_string())
}

impl View<'_> {
    fn to_json(&self, scene: &Scene<'_>) -> Value {
        let accounts: Vec<Value> = self
            .lines
            .iter()
            .map(|line| {
                let mut account = line.account.to_json();
                if let Some(object) = account.as_object_mut() {
                    object.insert("secret".to_owned(), json!(line.secret()));
                    object.insert("volatile".to_owned(), json!(line.account.place == StoreKind::Keyutils));
                    object.insert("check".to_owned(), checked_json(line.checked.as_ref()));
                }
                account
            })
            .collect();
        let reason = match &self.keychain {
            Err(Fault::Absent(reason) | Fault::NoKeyring(reason) | Fault::Broken(reason)) => Some(reason.as_str()),
            _ => None,
        };
        json!({
            "accounts": accounts,
            "keychain": {
                "store": self.place.word(),
                "state": self.keychain.as_ref().err().map_or("available", Fault::word),
                "reason": reason,
                "volatile": self.place == StoreKind::Keyutils,
                "keeps": scene.policy.keep.is_some(),
            },
            "environment": {
                "variable": self.variable,
                "check": checked_json(self.checked.as_ref()),
            },
            "host": scene.base.host_and_port(),
            "signed_in": self.good,
        })
    }

    fn to_text(&self, scene: &Scene<'_>) -> String {
        let mut text = String::new();
        let state = self.keychain.as_ref().err().map_or("available", Fault::word);
        let volatile = if self.place == StoreKind::Keyutils {
            ", forgets when the computer is restarted"
        } else {
            ""
        };
        writeln!(text, "keychain: {state} ({}{volatile})", self.place.word()).ok();
        if scene.policy.keep.is_none() {
            writeln!(text, "keychain: nothing new is kept there (bbcloud.store is false)").ok();
        }
        if let Some(variable) = self.variable {
            let checked = checked_text(self.checked.as_ref());
            writeln!(
                text,
                "environment: {variable} is set, and used instead of the keychain{checked}"
            )
            .ok();
        }
        let today = expiry::day_of(keeping::now());
        for line in &self.lines {
            let Account {
                host,
                username,
                email,
                kind,
                place,
                expires,
                ..
            } = &line.account;
            let elsewhere = if *host == scene.base.host_and_port() {
                String::new()
            } else {
                format!(" at {host}")
            };
            let email = email
                .as_ref()
                .map(|email| format!(", e-mail {email}"))
                .unwrap_or_default();
            let until = if *place == StoreKind::Keyutils {
                " until the next restart"
            } else {
                ""
            };
            let expires = expires
                .sentence(today)
                .map(|text| format!(", {text}"))
                .unwrap_or_default();
            let checked = checked_text(line.checked.as_ref());
            writeln!(
                text,
                "{}{elsewhere}: {kind} of {username}{email}, {} in {}{until}{expires}{checked}",
                line.account.target(),
                line.secret(),
                place.word(),
            )
            .ok();
        }
        text
    }

    /// Says on standard error what is wrong, and what helps.
    fn explain(&self, scope: Option<&Scope>, scene: &Scene<'_>) {
        let target = match scope.map(Scope::text) {
            Some(text) if !text.is_empty() => format!(" --for {text}"),
            _ => String::new(),
        };
        if self.lines.is_empty() && self.variable.is_none() {
            scene
                .report
                .hint(&format!("nobody is signed in: run 'git-remote-bbcloud login{target}'"));
        }
        if let Err(fault) = &self.keychain {
            scene.report.failure(&fault.explain(&scene.base.host_and_port()));
        }
        for line in &self.lines {
            match (&line.fault, &line.checked) {
                (Some(fault), _) if self.keychain.as_ref().err() != Some(fault) => {
                    scene.report.failure(&fault.explain(line.account.target()));
                }
                (_, Some(Err(failure))) => scene.report.failure(failure),
                _ => {}
            }
        }
        if let Some(Err(failure)) = &self.checked {
            scene.report.failure(failure);
        }
    }
}

fn checked_json(checked: Option<&Result<String, Failure>>) -> Value {
    match checked {
        None => Value::Null,
        Some(Ok(repository)) => json!({ "accepted": true, "repository": repository, "error": null }),
        Some(Err(failure)) => json!({ "accepted": false, "repository": null, "error": failure.message() }),
    }
}

fn checked_text(checked: Option<&Result<String, Failure>>) -> String {
    match checked {
        None => String::new(),
        Some(Ok(repository)) => format!("; accepted for {repository}"),
        Some(Err(failure)) => format!("; {}", one_line(failure.message())),
    }
}

#[cfg(test)]
mod tests {
    use super::is_signed_in;

    #[test]
    fn the_exit_status_tells_whether_git_gets_a_good_secret() {
        for (variable, accounts, for_one_place, good) in [
            (Some(true), &[false][..], false, true),
            (Some(false), &[true], true, false),
            (None, &[], false, false),
            (None, &[], true, false),
            (None, &[true, false], true, true),
            (None, &[false, true], true, false),
            (None, &[true, false], false, false),
            (None, &[false, true], false, false),
            (None, &[true, true], false, true),
        ] {
            let found = is_signed_in(variable, accounts, for_one_place);
            assert_eq!(found, good, "{variable:?} {accounts:?} {for_one_place}");
        }
    }
}
