//! `setup`: what git's global configuration needs so that submodules, git-lfs and plain https URLs work by themselves.

mod lines;
mod record;

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use zeroize::Zeroizing;

use self::lines::{Line, Reach, block, wanted};
use self::record::{Record, Written};
use super::programs;
use super::scene::{Scene, exit, print};
use crate::credential::account::Scope;
use crate::git::config::Config;
use crate::git::document::Document;
use crate::git::replace::{Locked, Next, Patience, replace};
use crate::report::{Failure, Kind};

const EXAMPLES: &str = "\
Examples:
  git-remote-bbcloud setup
  git-remote-bbcloud setup --workspace acme
  git-remote-bbcloud setup --check
  git-remote-bbcloud setup --undo

Plain 'setup' is recommended: it allows submodules with 'bbcloud::' URLs, and lets git-lfs, editors and https remotes of
Bitbucket use the keychain; other credential helpers are then not asked about Bitbucket any more. It works with every
program. With '--workspace' or '--all' git goes through this helper for https and ssh URLs too, without any remote being
changed. Programs with a git library of their own (cargo, poetry, DVC, pygit2) then fail for these URLs unless they are
told to start git. The exit code of '--check' is 1 where a line is missing.";

/// Prepare git's global configuration
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Take https and ssh URLs of this workspace through this helper
    #[arg(long, value_name = "WORKSPACE")]
    workspace: Option<String>,
    /// Take all https and ssh URLs of Bitbucket through this helper
    #[arg(long, conflicts_with = "workspace")]
    all: bool,
    /// Show the lines that are missing, and write nothing
    #[arg(long)]
    check: bool,
    /// Take every line away that was written
    #[arg(long, conflicts_with_all = ["check", "workspace", "all"])]
    undo: bool,
}

pub(super) fn run(arguments: &Arguments, scene: &Scene<'_>) -> Result<ExitCode, Failure> {
    if arguments.undo {
        return undo(scene);
    }
    let mut reaches = if arguments.check {
        Record::open(scene.environment)?.reaches()
    } else {
        Vec::new()
    };
    reaches.extend(reach(arguments, scene)?);
    let accounts = scene.index.read()?;
    let wanted = wanted(&reaches, &accounts, &scene.base);
    let mut missing = missing(&wanted, &scene.config, scene);
    if arguments.check {
        return check(&missing, scene);
    }
    let path = Config::global_file(scene.environment).ok_or_else(|| {
        Failure::new(Kind::Local, "there is no home directory to keep git's configuration in")
            .hint("set HOME or GIT_CONFIG_GLOBAL")
    })?;
    let shown = path.display();
    if !missing.is_empty() {
        if missing.iter().any(Line::is_rewriting) {
            warn_of_others(scene);
        }
        missing = add(&path, &wanted, &reaches, scene)?;
    }
    if missing.is_empty() {
        scene.report.say(&format!("'{shown}' has everything already"));
        return Ok(exit(true));
    }
    let lines: String = missing.iter().map(Line::to_string).collect();
    print(&lines)?;
    scene
        .report
        .say(&format!("{} lines were written to '{shown}'", missing.len()));
    scene.report.hint("to undo it, run 'git-remote-bbcloud setup --undo'");
    if accounts.is_empty() && scene.variable().is_none() {
        scene.report.hint("nobody is signed in: run 'git-remote-bbcloud login'");
    }
    Ok(exit(true))
}

/// Says, before anything is written, which programs the lines for https and ssh URLs break, and what helps.
fn warn_of_others(scene: &Scene<'_>) {
    let report = scene.report;
    report.warning(&format!(
        "these lines break programs with a git library of their own: {}",
        programs::NAMES
    ));
    report.warning(&format!(
        "for URLs of Bitbucket they fail with '{}'; plain 'git-remote-bbcloud setup' breaks none",
        programs::ERROR
    ));
    for program in &programs::ALL {
        report.hint(&program.remedy());
    }
}

/// Returns the lines of `wanted` that `config` lacks.
fn missing(wanted: &[Line], config: &Config, scene: &Scene<'_>) -> Vec<Line> {
    let lacks = |line: &&Line| !line.is_set(config, &scene.base);
    wanted.iter().filter(lacks).cloned().collect()
}

fn reach(arguments: &Arguments, scene: &Scene<'_>) -> Result<Option<Reach>, Failure> {
    if arguments.all {
        return Ok(Some(Reach::All));
    }
    let Some(text) = &arguments.workspace else {
        return Ok(None);
    };
    let scope = Scope::parse(text, &scene.base)?;
    match scope.workspace() {
        Some(name) if !scope.is_repository() => Ok(Some(Reach::Workspace(name.to_owned()))),
        _ => Err(Failure::new(Kind::Usage, format!("'{text}' is not a workspace"))
            .hint("use 'git-remote-bbcloud setup --workspace <workspace>', or '--all'")),
    }
}

fn check(missing: &[Line], scene: &Scene<'_>) -> Result<ExitCode, Failure> {
    let mut lines = String::new();
    for line in missing {
        write!(lines, "missing: {line}").ok();
    }
    print(&lines)?;
    if missing.is_empty() {
        scene.report.say("nothing is missing");
    } else {
        scene
            .report
            .hint("run 'git-remote-bbcloud setup' with the same options to write them");
    }
    Ok(exit(missing.is_empty()))
}

/// Adds what is missing of `wanted` at the end of the file, where it wins over what is before. Returns these lines.
///
/// The record comes first: it must not be missing where the lines are there. Nor may it be there without them, because
/// `--undo` would then take away what the user has written.
fn add(path: &Path, wanted: &[Line], reaches: &[Reach], scene: &Scene<'_>) -> Result<Vec<Line>, Failure> {
    let mut record = Record::lock(scene.environment, Patience::of(&scene.config)?)?;
    let mut file = Locked::open(path, Patience::of(&scene.config)?)?;
    // Another may have written them since this command began; while the file is locked, nobody does.
    let missing = missing(wanted, &Config::discover(scene.environment)?, scene);
    if missing.is_empty() {
        return Ok(missing);
    }
    let text = file.text().unwrap_or_default();
    // A file that git cannot read is not for us to add to.
    Document::parse(text, &path.display().to_string())?;
    let block = block(&missing, text);
    let mut after = Zeroizing::new(Vec::with_capacity(text.len() + block.len()));
    after.extend_from_slice(text);
    after.extend_from_slice(block.as_bytes());
    let created = file.text().is_none();
    file.prepare(Next::Text(after))?;
    record.add(Written::new(path, created, block, reaches))?;
    if let Err(failure) = file.finish() {
        record.drop_last()?;
        return Err(failure);
    }
    Ok(missing)
}

fn undo(scene: &Scene<'_>) -> Result<ExitCode, Failure> {
    let mut good = true;
    let mut record = Record::open(scene.environment)?;
    if record.is_empty() {
        scene.report.say("nothing to undo");
    } else {
        record = Record::lock(scene.environment, Patience::of(&scene.config)?)?;
    }
    while let Some(written) = record.last().cloned() {
        let shown = written.file.display().to_string();
        let mut taken = None;
        replace(&written.file, Patience::of(&scene.config)?, |text| {
            let (next, whole) = record::without(&written, text)?;
            taken = Some(whole);
            Ok(next)
        })?;
        record.drop_last()?;
        if taken == Some(true) {
            print(written.block.trim_start())?;
            scene.report.say(&format!("these lines are out of '{shown}' again"));
        } else {
            good = false;
            scene.report.warning(&format!(
                "the lines in '{shown}' have been changed since: those that are as they were written are taken away"
            ));
        }
    }
    Ok(exit(good))
}
