//! This machine: git's version, and whether git finds this program and no other copy of it.

use std::path::{Path, PathBuf};

use super::checks::Checks;
use crate::environment::Environment;
use crate::environment::variable::PATH;
use crate::git;
use crate::shell;

/// The oldest git whose helper protocol has all that is used here.
const OLDEST: (u32, u32) = (2, 30);

const PROGRAM: &str = "git-remote-bbcloud";

pub(super) fn check(checks: &mut Checks, environment: &Environment) {
    if check_git(checks) {
        check_helper(checks, environment);
    }
}

/// Returns whether there is a git.
fn check_git(checks: &mut Checks) -> bool {
    let Some(text) = answer(&["version"]) else {
        checks.fail(
            "git",
            "git cannot be started",
            "install git 2.30 or newer, and see that 'git version' works",
        );
        return false;
    };
    match version(&text) {
        Some(found) if found < OLDEST => checks.fail(
            "git",
            format!("{text} is too old"),
            "install git 2.30 or newer: https://git-scm.com/downloads",
        ),
        Some(_) => checks.ok("git", text),
        None => checks.warn(
            "git",
            format!("its version is not understood: {text}"),
            "see that 'git version' says 2.30 or newer",
        ),
    }
    true
}

/// Asks git for this program as git would for a remote: through its own directory and the `PATH`.
fn check_helper(checks: &mut Checks, environment: &Environment) {
    let here = std::env::current_exe().ok();
    let directory = here.as_deref().and_then(Path::parent).map(Path::display);
    let Some(text) = answer(&["remote-bbcloud", "--version"]) else {
        let remedy = match directory {
            Some(directory) => {
                let separator = if cfg!(windows) { ';' } else { ':' };
                format!("add it to the PATH: {}", shell::prepend("PATH", directory, separator))
            }
            None => format!("put the directory of {PROGRAM} on the PATH"),
        };
        checks.fail("helper", format!("git does not find {PROGRAM}"), &remedy);
        return;
    };
    let found = find(PROGRAM, environment);
    let shown = found
        .as_deref()
        .map_or_else(String::new, |path| format!(" at {}", path.display()));
    let ours = concat!("git-remote-bbcloud ", env!("CARGO_PKG_VERSION"));
    let remedy = "remove one of them, or put the directory of the right one first on the PATH";
    if text != ours {
        checks.warn(
            "helper",
            format!("git finds '{text}'{shown}, and this is {ours}"),
            remedy,
        );
    } else if let (Some(found), Some(here)) = (&found, &here)
        && !is_same(found, here)
    {
        let detail = format!("git finds another copy{shown}, and this is {}", here.display());
        checks.warn("helper", detail, remedy);
    } else {
        checks.ok("helper", format!("git finds {text}{shown}"));
    }
}

/// Returns what git writes, if it succeeds.
fn answer(arguments: &[&str]) -> Option<String> {
    let output = git::command().args(arguments).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    (output.status.success() && !text.is_empty()).then_some(text)
}

/// Returns the major and minor number in `git version 2.47.3 (Apple Git-154)`.
fn version(text: &str) -> Option<(u32, u32)> {
    let number = text.strip_prefix("git version ")?.split([' ', '-']).next()?;
    let mut parts = number.split('.').map(|part| part.parse().ok());
    Some((parts.next()??, parts.next()??))
}

/// Returns the file that git starts for the program `name`: from its own directory, else from the `PATH`.
pub(super) fn find(name: &str, environment: &Environment) -> Option<PathBuf> {
    let own = answer(&["--exec-path"]).map(PathBuf::from);
    let directories = own.into_iter().chain(environment.paths(&PATH));
    let name = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    directories
        .map(|directory| directory.join(&name))
        .find(|file| is_executable(file))
}

#[cfg(unix)]
fn is_executable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    file.metadata()
        .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(file: &Path) -> bool {
    file.is_file()
}

fn is_same(one: &Path, other: &Path) -> bool {
    match (one.canonicalize(), other.canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        _ => one == other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_every_vendor_are_read() {
        for (text, expected) in [
            ("git version 2.47.3", Some((2, 47))),
            ("git version 2.50.1 (Apple Git-155)", Some((2, 50))),
            ("git version 2.47.0.windows.2", Some((2, 47))),
            ("git version 2.9-rc1", Some((2, 9))),
            ("git version 3.0.rc1", Some((3, 0))),
            ("hg 6", None),
        ] {
            assert_eq!(version(text), expected, "{text}");
        }
        assert!((2, 9) < OLDEST && (3, 0) > OLDEST);
    }
}
