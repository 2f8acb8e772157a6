//! Git on this machine: its configuration, and the only place that starts it.
//!
//! Does not depend on HTTP or the helper protocol.

pub mod config;
pub mod credential;
pub mod document;
mod entry;
pub mod layout;
pub mod lfs;
mod load;
mod parameters;
pub mod replace;
pub mod rewriting;
mod sources;
pub mod url_match;
pub mod value;

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

use crate::environment::variable::BBCLOUD_TOKEN;

/// The longest file of a repository, or of git's configuration, that is read, in bytes.
pub const LONGEST: u64 = 16 * 1024 * 1024;

/// Returns a command that starts `git` with this process's environment, without the secret in it.
///
/// Whatever git starts in turn, hooks and helpers too, would otherwise be able to read `BBCLOUD_TOKEN`.
#[expect(clippy::disallowed_methods, reason = "this is the one place that starts git")]
pub fn command() -> Command {
    let mut command = Command::new("git");
    command.env_remove(BBCLOUD_TOKEN.name);
    command
}

/// Returns a command that starts another program than git, without the secret in its environment either.
pub fn program(name: &OsStr) -> Command {
    let mut command = if is_for_shell(Path::new(name)) {
        let mut shell = gix::path::env::shell_command();
        shell.args(["-c", "\"$0\" \"$@\""]).arg(name);
        shell
    } else {
        #[expect(clippy::disallowed_methods, reason = "this is the one place that starts programs")]
        Command::new(name)
    };
    command.env_remove(BBCLOUD_TOKEN.name);
    command
}

/// Whether git's own shell has to start the program at `path`: Windows knows programs by their extensions and does not
/// start scripts, and paths such as `/mingw64/bin/ask` mean something to that shell alone.
fn is_for_shell(path: &Path) -> bool {
    let extension = path.extension().map(OsStr::to_ascii_lowercase);
    let is_known =
        extension.is_some_and(|extension| ["exe", "com", "bat", "cmd"].iter().any(|known| extension == *known));
    cfg!(windows) && !is_known
}

#[cfg(test)]
mod tests;
