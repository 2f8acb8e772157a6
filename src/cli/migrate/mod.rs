//! `migrate`: remotes of Bitbucket in every form become `bbcloud::…`, and secrets in them move to the keychain.

mod files;
mod keep;
mod meaning;
mod plan;
mod record;
mod site;
mod undo;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use self::keep::Keeper;
use self::plan::Choice;
use self::site::Site;
use super::scene::{Scene, exit};
use crate::git::layout::Layout;
use crate::report::{Failure, Kind};
use crate::shell::quoted;

const EXAMPLES: &str = "\
Examples:
  git-remote-bbcloud migrate --dry-run
  git-remote-bbcloud migrate
  git-remote-bbcloud migrate --all-remotes ~/src/*
  git-remote-bbcloud migrate --undo

Without '--all-remotes' or '--remote' it is the remote that git would fetch from. The URLs of submodules and their own
repositories are changed with it. A secret in a URL is tried at the server, kept in the keychain and read back; only
then is it removed from the configuration. '.gitmodules' and other files of a commit are never changed.";

/// Convert a repository's remotes to addresses of this helper
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(super) struct Arguments {
    /// Show what would be changed, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// All Bitbucket remotes
    #[arg(long, conflicts_with = "remote")]
    all_remotes: bool,
    /// Only this remote
    #[arg(long, value_name = "NAME")]
    remote: Option<String>,
    /// Put everything back, secrets excepted
    #[arg(long, conflicts_with_all = ["all_remotes", "remote", "discard_secrets"])]
    undo: bool,
    /// Drop the secrets in URLs, where they cannot be kept or are of no use
    #[arg(long)]
    discard_secrets: bool,
    /// Keep the secrets without asking the server
    #[arg(long)]
    no_verify: bool,
    /// The repositories [default: the current repository]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
}

impl Arguments {
    fn choice(&self) -> Choice {
        match &self.remote {
            Some(name) => Choice::Named(name.clone()),
            None if self.all_remotes => Choice::All,
            None => Choice::Default,
        }
    }
}

pub(super) fn run(arguments: &Arguments, scene: &Scene<'_>) -> ExitCode {
    let here = [PathBuf::from(".")];
    let paths = if arguments.paths.is_empty() {
        &here[..]
    } else {
        &arguments.paths[..]
    };
    let mut keeper = Keeper::new(scene, arguments.discard_secrets, !arguments.no_verify);
    let mut good = true;
    for path in paths {
        let place = Layout::find(path);
        let done = place.and_then(|place| repository(&place, arguments, &mut keeper, scene));
        good &= done.unwrap_or_else(|failure| {
            scene.report.failure(&failure);
            false
        });
    }
    exit(good)
}

/// Migrates a repository with its submodules, or puts them back. Returns whether nothing went wrong.
fn repository(
    place: &Layout,
    arguments: &Arguments,
    keeper: &mut Keeper<'_, '_>,
    scene: &Scene<'_>,
) -> Result<bool, Failure> {
    let choice = arguments.choice();
    let mut places = vec![place.clone()];
    let submodules = place.submodules();
    let has_submodules = !submodules.is_empty();
    // A remote that was named is one of this repository.
    if arguments.remote.is_none() {
        places.extend(submodules);
    }
    let (mut good, mut changed) = (true, 0);
    for place in places {
        let site = Site::open(place, scene)?;
        let outcome = if arguments.undo {
            undo::undo(site, arguments.dry_run, scene)
        } else {
            site.migrate(&choice, arguments.dry_run, keeper)
        };
        match outcome {
            Ok(outcome) => {
                good &= outcome.good;
                changed += outcome.changed;
            }
            Err(failure) => {
                scene.report.failure(&failure);
                good = false;
            }
        }
    }
    conclude(place, arguments, (changed, good), has_submodules, scene);
    Ok(good)
}

/// Says how it can be undone, and what else is needed.
fn conclude(
    place: &Layout,
    arguments: &Arguments,
    (changed, good): (usize, bool),
    has_submodules: bool,
    scene: &Scene<'_>,
) {
    let shown = place.work_tree.as_ref().unwrap_or(&place.git_dir).display();
    let report = scene.report;
    let word = if arguments.undo { "put back" } else { "migrated" };
    if changed == 0 {
        // Where something was in the way, it has been told what.
        let what = match (arguments.undo, good) {
            (_, false) => "nothing was changed",
            (true, true) => "nothing to put back",
            (false, true) => "nothing to migrate",
        };
        report.say(&format!("'{shown}': {what}"));
        return;
    }
    let lines = if changed == 1 { "line" } else { "lines" };
    if arguments.dry_run {
        report.say(&format!(
            "'{shown}': {changed} {lines} would be {word}; nothing was changed"
        ));
        return;
    }
    report.say(&format!("'{shown}': {changed} {lines} of the configuration {word}"));
    if arguments.undo {
        return;
    }
    report.hint(&format!(
        "to undo it, run 'git-remote-bbcloud migrate --undo {}'",
        quoted(&shown.to_string())
    ));
    let signed_in = scene.index.read().is_ok_and(|accounts| !accounts.is_empty());
    if !signed_in && scene.variable().is_none() {
        report.hint("nobody is signed in: run 'git-remote-bbcloud login'");
    }
    let allowed = scene
        .config
        .text("protocol.bbcloud.allow")
        .or_else(|| scene.config.text("protocol.allow"));
    if has_submodules && allowed.as_deref() != Some("always") {
        report
            .hint("git fetches submodules through a helper only if it is told to: run 'git-remote-bbcloud setup' once");
    }
}

/// Nothing of the kind is in the repository.
fn no_remote(name: &str, shown: &str) -> Failure {
    Failure::new(Kind::Usage, format!("no remote '{name}' in '{shown}'")).hint(format!(
        "run 'git -C {} remote --verbose' to see which there are",
        quoted(shown)
    ))
}
