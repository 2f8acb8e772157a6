//! Programs beside git: those that `url.*.insteadOf` breaks, and a credential helper that Bitbucket is about to refuse.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::checks::Checks;
use super::local::find;
use crate::cli::programs;
use crate::cli::scene::Scene;
use crate::git;
use crate::git::layout::Layout;
use crate::redact;
use crate::report::{Failure, Kind};
use crate::shell;

/// How long a helper may take to say its version.
const LIMIT: Duration = Duration::from_secs(5);

/// How often it is looked at meanwhile.
const INTERVAL: Duration = Duration::from_millis(10);

/// The version of Git Credential Manager whose OAuth tokens Bitbucket goes on accepting.
const GOOD: u32 = 3;

/// Whether addresses are rewritten for programs that have no remote helpers, and such a program is used here.
pub(super) fn check_programs(scene: &Scene<'_>, checks: &mut Checks) {
    const NAME: &str = "other-programs";
    let rules = programs::rules(&scene.config, &scene.base);
    let Some((ours, start)) = rules.first() else {
        checks.ok(
            NAME,
            "no url.*.insteadOf leads programs with a git library of their own here",
        );
        return;
    };
    let rule = format!("url.{}.insteadOf = {}", redact::address(ours), redact::address(start));
    let projects = projects();
    let seen = programs::ALL.iter().filter_map(|program| {
        let file = program.seen(&projects, scene.environment)?;
        Some((program, file))
    });
    let seen: Vec<_> = seen.collect();
    if seen.is_empty() {
        let detail = format!(
            "'{rule}' breaks programs with a git library of their own ({}); none was found here",
            programs::NAMES
        );
        checks.ok(NAME, detail);
        return;
    }
    let names: Vec<String> = seen
        .iter()
        .map(|(program, file)| format!("{} ({})", program.name, file.display()))
        .collect();
    let message = format!(
        "'{rule}' breaks {}: a program with a git library of its own fails with '{}'",
        names.join(", "),
        programs::ERROR
    );
    let failure = Failure::new(Kind::Local, message);
    let failure = seen
        .iter()
        .fold(failure, |failure, (program, _)| failure.hint(program.remedy()));
    checks.warning(
        NAME,
        &failure.hint("or use https URLs without the rewriting: 'git-remote-bbcloud setup --undo', then 'git-remote-bbcloud setup'"),
    );
}

/// Where files of a project are looked for: here, and at the top of the work tree.
fn projects() -> Vec<PathBuf> {
    let top = Layout::find(Path::new(".")).ok().and_then(|place| place.work_tree);
    std::iter::once(PathBuf::new()).chain(top).collect()
}

/// Whether git asks a Git Credential Manager whose OAuth tokens are refused from 2026-11-30.
pub(super) fn check_helpers(scene: &Scene<'_>, checks: &mut Checks) {
    const NAME: &str = "helpers";
    let helpers = &scene.policy.helpers.programs;
    let Some(manager) = helpers.iter().find_map(|helper| manager(helper)) else {
        let detail = if helpers.is_empty() {
            "git asks no other credential helper about this host".to_owned()
        } else {
            "git asks other credential helpers as well, and none is Git Credential Manager".to_owned()
        };
        checks.ok(NAME, detail);
        return;
    };
    let program = find(&manager, scene.environment).unwrap_or_else(|| PathBuf::from(&manager));
    let mut command = git::program(program.as_os_str());
    command.arg("--version");
    let Some(version) = answer_within(command, LIMIT) else {
        checks.warn(
            NAME,
            format!("'{manager}' is set as credential helper, and did not tell its version"),
            &format!(
                "see what it says: '{} --version'",
                shell::word(&program.display().to_string())
            ),
        );
        return;
    };
    match major(&version) {
        Some(found) if found < GOOD => {
            let message = format!(
                "Git Credential Manager {} is too old: Bitbucket refuses OAuth tokens of versions before 3.0 from 2026-11-30",
                version.split('+').next().unwrap_or_default()
            );
            let failure = Failure::new(Kind::Local, message)
                .hint("use the keychain through this program instead: 'git-remote-bbcloud setup', then 'git-remote-bbcloud login'")
                .hint(if cfg!(windows) {
                    "or update it: 'git update-git-for-windows'"
                } else {
                    "or update it: https://github.com/git-ecosystem/git-credential-manager/releases"
                });
            checks.warning(NAME, &failure);
        }
        Some(_) => checks.ok(NAME, format!("Git Credential Manager {version}")),
        None => checks.warn(
            NAME,
            format!("the version of '{manager}' is not understood: {version}"),
            "see that it is 3.0 or newer",
        ),
    }
}

/// Returns the program that a value of `credential.helper` starts, if that is Git Credential Manager.
fn manager(helper: &str) -> Option<String> {
    if ["manager", "manager-core"].contains(&helper) {
        return Some(format!("git-credential-{helper}"));
    }
    let command = helper.trim_start_matches('!');
    let is_manager = |path: &str| {
        let name = path.rsplit(['/', '\\']).next().unwrap_or_default().to_ascii_lowercase();
        let name = name.strip_suffix(".exe").unwrap_or(&name);
        ["git-credential-manager", "git-credential-manager-core"].contains(&name)
    };
    // A path of Windows has backslashes, which a shell takes away.
    if is_manager(command) {
        return Some(command.replace("\\ ", " "));
    }
    let words = shell_words::split(command).ok()?;
    words.into_iter().find(|word| is_manager(word))
}

/// Returns the first number in `2.6.1+786ab03440`.
fn major(version: &str) -> Option<u32> {
    version.trim().split('.').next()?.parse().ok()
}

/// Returns the first line that a program writes, if it ends well within `limit`. One that does not is ended.
fn answer_within(mut command: Command, limit: Duration) -> Option<String> {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let started = Instant::now();
    let mut child = command.spawn().ok()?;
    // What it writes is short: a pipe holds it until the program has ended.
    while child.try_wait().ok()?.is_none() {
        if started.elapsed() > limit {
            child.kill().ok();
            child.wait().ok();
            return None;
        }
        std::thread::sleep(INTERVAL);
    }
    let output = child.wait_with_output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().next().unwrap_or_default().trim().to_owned();
    (output.status.success() && !line.is_empty()).then_some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn git_credential_manager_is_known_in_every_form_of_setting() {
        for (helper, program) in [
            ("manager", "git-credential-manager"),
            ("manager-core", "git-credential-manager-core"),
            (
                "/usr/local/bin/git-credential-manager",
                "/usr/local/bin/git-credential-manager",
            ),
            (
                "!'/opt/g c m/git-credential-manager' --no-ui",
                "/opt/g c m/git-credential-manager",
            ),
            (
                "C:/Program\\ Files/Git/mingw64/bin/git-credential-manager.exe",
                "C:/Program Files/Git/mingw64/bin/git-credential-manager.exe",
            ),
        ] {
            assert_eq!(manager(helper).as_deref(), Some(program), "{helper}");
        }
        for helper in ["store", "osxkeychain", "!gh auth git-credential", "/usr/bin/manager-x"] {
            assert_eq!(manager(helper), None, "{helper}");
        }
    }

    #[test]
    fn versions_are_compared_by_their_first_number() {
        assert_eq!(major("2.6.1+786ab03440ddc82e807a97c0e540f5247e44cec6"), Some(2));
        assert_eq!(major("3.0.0"), Some(3));
        assert_eq!(major("usage: …"), None);
    }

    #[cfg(unix)]
    #[test]
    fn a_program_that_does_not_answer_is_ended() {
        let shell = |script: &str| {
            let mut shell = git::program("sh".as_ref());
            shell.args(["-c", script]);
            shell
        };
        assert_eq!(answer_within(shell("exec sleep 1000"), Duration::from_millis(50)), None);
        assert_eq!(answer_within(shell("echo 3.1; echo x"), LIMIT).as_deref(), Some("3.1"));
        assert_eq!(answer_within(shell("echo 3.1; exit 1"), LIMIT), None);
        assert_eq!(answer_within(git::program("/no/such/program".as_ref()), LIMIT), None);
    }
}
