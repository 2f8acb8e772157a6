//! The command line for people. Nothing of it is built on the helper's path.

mod agent;
mod api;
mod completions;
mod credential;
mod doctor;
mod journal;
mod large_files;
mod login;
mod logout;
mod man;
mod migrate;
mod programs;
mod scene;
mod secret_argument;
mod setup;
mod status;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

use self::scene::Scene;
use crate::environment::Environment;
use crate::git::config::Config;
use crate::report::{Failure, Kind, Report};

/// What `--help` says.
const ABOUT: &str = "\
Connect git to repositories of Bitbucket Cloud

Git starts this program itself when a remote's URL begins with 'bbcloud::'. Try:

  git-remote-bbcloud login
  git clone bbcloud::<workspace>/<repository>
  git clone bbcloud::<workspace>/<repository>/wiki
  git remote set-url origin bbcloud::<workspace>/<repository>";

/// The command line as clap reads it.
#[derive(Debug, Parser)]
#[command(
    name = "git-remote-bbcloud",
    version,
    about = "Connect git to repositories of Bitbucket Cloud",
    long_about = ABOUT,
    arg_required_else_help = true,
    disable_help_subcommand = true
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Login(login::Arguments),
    Logout(logout::Arguments),
    Status(status::Arguments),
    Credential(credential::Arguments),
    Setup(setup::Arguments),
    Migrate(migrate::Arguments),
    Doctor(doctor::Arguments),
    Api(api::Arguments),
    Agent(agent::Arguments),
    Completions(completions::Arguments),
    Man(man::Arguments),
}

/// Names of subcommands, which two arguments of git could be mistaken for.
const COMMANDS: &[&str] = &[
    "login",
    "logout",
    "status",
    "credential",
    "setup",
    "migrate",
    "doctor",
    "api",
    "agent",
    "completions",
    "man",
];

/// Returns the definition of the whole command line, from which manual pages and completions are made.
fn definition() -> clap::Command {
    Arguments::command()
}

/// Returns the remote's name and address if git is asking.
///
/// Git runs `git-remote-bbcloud <remote> <address>`: two arguments are git's, even for a remote named as a subcommand,
/// unless the second can be no address: it begins with `-`, `.`, `/` or a drive's letter, or has no `/` in it, or is a
/// directory to migrate.
/// And even then they are git's where git has a remote of that name: `bbcloud::--all` must not run `logout --all`.
pub fn helper_arguments<'a>(arguments: &'a [String], environment: &Environment) -> Option<(&'a str, &'a str)> {
    let [name, address] = arguments else { return None };
    let is_directory = name == "migrate" && std::path::Path::new(address).is_dir();
    let has_drive = address.as_bytes().get(1) == Some(&b':');
    let no_address = address.starts_with(['-', '.', '/']) || has_drive || !address.contains('/') || is_directory;
    let is_command = name.starts_with('-') || COMMANDS.contains(&name.as_str()) && no_address;
    let is_command = is_command && !Config::has_remote(name, environment);
    (!is_command).then_some((name, address))
}

/// Whether `question` is one that `credential` understands; for the fuzz target of git's credential protocol.
#[doc(hidden)]
pub fn reads_question(question: &[u8]) -> bool {
    credential::Question::read(question).is_ok()
}

/// Runs the command that `arguments` name. The exit code is 0 for done, 1 for failed and 2 for a wrong usage.
pub fn run(arguments: &[String], environment: &Environment, report: Report) -> Result<ExitCode, Failure> {
    if let Err(failure) = secret_argument::refuse(arguments) {
        return Ok(refused(&failure, report));
    }
    let name = "git-remote-bbcloud".to_owned();
    let parsed = match Arguments::try_parse_from(std::iter::once(&name).chain(arguments)) {
        Ok(parsed) => parsed,
        Err(error) => {
            if let Some(failure) = secret_argument::instead_of(&error, arguments) {
                return Ok(refused(&failure, report));
            }
            error.print().ok();
            return Ok(ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2)));
        }
    };
    let scene = || Scene::open(environment, report);
    let secret = || agent::leave_the_secret(environment).and_then(|()| scene());
    let done = match parsed.command {
        Command::Login(arguments) => scene().and_then(|scene| login::run(&arguments, &scene)),
        Command::Logout(arguments) => scene().and_then(|scene| logout::run(&arguments, &scene)),
        Command::Status(arguments) => scene().and_then(|scene| status::run(&arguments, &scene)),
        Command::Credential(arguments) if arguments.hands_a_secret_out() => {
            secret().and_then(|scene| credential::run(&arguments, &scene))
        }
        Command::Credential(arguments) => scene().and_then(|scene| credential::run(&arguments, &scene)),
        Command::Setup(arguments) => scene().and_then(|scene| setup::run(&arguments, &scene)),
        Command::Migrate(arguments) => scene().map(|scene| migrate::run(&arguments, &scene)),
        Command::Doctor(arguments) => doctor::run(&arguments, environment, report),
        Command::Api(arguments) => secret().and_then(|scene| api::run(&arguments, &scene)),
        Command::Agent(arguments) => agent::run(&arguments, environment, report),
        Command::Completions(arguments) => completions::run(&arguments),
        Command::Man(arguments) => man::run(&arguments, environment, report),
    };
    Ok(done.unwrap_or_else(|failure| refused(&failure, report)))
}

/// Reports `failure`, and returns the exit code for it.
fn refused(failure: &Failure, report: Report) -> ExitCode {
    report.failure(failure);
    ExitCode::from(if failure.kind() == Kind::Usage { 2 } else { 1 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound_and_every_command_is_known_to_git() {
        let command = Arguments::command();
        command.clone().debug_assert();
        let names: Vec<_> = command.get_subcommands().map(clap::Command::get_name).collect();
        assert_eq!(names, COMMANDS);
    }

    #[test]
    fn git_is_told_from_people() {
        let helper = |arguments: &[&str]| {
            let arguments: Vec<String> = arguments.iter().map(|text| (*text).to_owned()).collect();
            helper_arguments(&arguments, &Environment::from_pairs([("GIT_CONFIG_NOSYSTEM", "1")])).is_some()
        };
        assert!(helper(&["origin", "acme/widgets"]));
        assert!(helper(&["login", "acme/widgets"]));
        assert!(!helper(&["login", "--replace"]));
        assert!(!helper(&["credential", "get"]));
        assert!(!helper(&["status", "--json"]));
        assert!(!helper(&["migrate", "../widgets"]));
        assert!(!helper(&["migrate", "src/cli"]));
        assert!(!helper(&["migrate", "C:/src/widgets"]));
        assert!(helper(&["migrate", "acme/widgets"]));
        assert!(!helper(&["api", "/user"]));
        assert!(!helper(&["completions", "bash"]));
    }
}
