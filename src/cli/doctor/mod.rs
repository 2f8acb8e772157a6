//! `doctor`: what stands between git and a repository, one check after the other, each with its remedy.
//!
//! It asks as git does, with the same settings, logins and connections, but no person: nothing is prompted for, and
//! nothing is written. After a step that is dead, what depends on it is skipped. No detail holds a secret.

mod account;
mod checks;
mod configuration;
mod lfs;
mod local;
mod network;
mod others;
mod server;
mod ssh;

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use url::Url;

use self::checks::Checks;
use super::scene::{Scene, exit, print};
use crate::address::Address;
use crate::credential::account::Scope;
use crate::environment::Environment;
use crate::http::settings::Settings;
use crate::report::{Failure, Report};

/// How long a connection may take where nothing is set: whoever asks what is wrong should not have to wait for it.
const CONNECT: Duration = Duration::from_secs(10);

/// How long all answers of one part of the server may take.
const ANSWERS: Duration = Duration::from_secs(20);

const EXAMPLES: &str = "\
Examples:
  git-remote-bbcloud doctor
  git-remote-bbcloud doctor --for acme/widgets
  git-remote-bbcloud doctor --json | jq '.checks[] | select(.status == \"fail\")'

Without --for it is about the 'bbcloud::' remote of the repository you are in; without one, about this machine and the
way to the server. Nobody is asked for anything, nothing is changed, and no secret is shown: what it writes can be put
into a bug report.

The exit code is 1 when a check fails. A warning is no failure.";

/// Find out what is wrong
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The repository, or a workspace
    #[arg(long = "for", value_name = "WORKSPACE[/REPOSITORY]")]
    target: Option<String>,
    /// Write JSON
    #[arg(long)]
    json: bool,
}

/// What the checks are about.
struct Target {
    scope: Scope,
    address: Option<Address>,
}

impl Target {
    fn choose(text: Option<&str>, scene: &Scene<'_>) -> Result<Self, Failure> {
        let Some(text) = text else {
            let address = scene.here();
            let scope = address.as_ref().map_or_else(Scope::host, Scope::of);
            return Ok(Self { scope, address });
        };
        let scope = Scope::parse(text, &scene.base)?;
        let address = match Address::parse(text, &scene.base) {
            Ok(address) if scope.is_repository() => Some(address),
            _ => scene.repository_for(&scope),
        };
        Ok(Self { scope, address })
    }

    /// The URL that is asked.
    fn url(&self, scene: &Scene<'_>) -> Url {
        match &self.address {
            Some(address) => address.https_url(&scene.base),
            None => scene.base.url().clone(),
        }
    }
}

pub(super) fn run(arguments: &Arguments, environment: &Environment, report: Report) -> Result<ExitCode, Failure> {
    let mut checks = Checks::default();
    local::check(&mut checks, environment);
    match Scene::open(environment, report) {
        Ok(scene) => {
            let target = Target::choose(arguments.target.as_deref(), &scene)?;
            checks.about(&scene.base.host_and_port(), target.address.as_ref());
            check(&target, &scene, &mut checks);
        }
        Err(failure) => checks.failure("configuration", &failure),
    }
    checks.complete();
    print(&if arguments.json {
        checks.to_json()
    } else {
        checks.to_text()
    })?;
    Ok(exit(checks.are_good()))
}

fn check(target: &Target, scene: &Scene<'_>, checks: &mut Checks) {
    configuration::check(target, scene, checks);
    others::check_programs(scene, checks);
    ssh::check(scene, checks);
    others::check_helpers(scene, checks);
    let url = target.url(scene);
    let settings = match Settings::read(&url, url.as_str(), &scene.config, scene.environment) {
        Ok(settings) => settings,
        Err(failure) => {
            checks.failure("http-settings", &failure);
            return;
        }
    };
    configuration::check_http(&settings, checks);
    let settings = without_patience(settings);
    let account = account::check(target, scene, checks);
    if network::check(scene, &settings, checks)
        && account.secret
        && let Some(address) = &target.address
    {
        server::check(address, account, &settings, scene, checks);
    }
}

/// What git would wait for is told, and not waited for.
fn without_patience(mut settings: Settings) -> Settings {
    settings.retries.max = Some(0);
    settings.connect_timeout.get_or_insert(CONNECT);
    settings
}
