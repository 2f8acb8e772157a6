//! The one place of the local Bitbucket that starts processes: git, in an environment of its own.

use std::ffi::OsString;
use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// What a child keeps of our environment: how to find git, and what Windows cannot start anything without.
const KEPT: [&str; 4] = ["PATH", "SYSTEMROOT", "TMP", "TEMP"];

#[expect(
    clippy::disallowed_methods,
    reason = "the one reader of the environment in the local Bitbucket"
)]
fn kept() -> impl Iterator<Item = (&'static str, OsString)> {
    KEPT.into_iter()
        .filter_map(|name| Some((name, std::env::var_os(name)?)))
}

/// `program` with nothing of the user's configuration in reach.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place of the local Bitbucket that starts processes"
)]
pub(crate) fn command(program: &str, home: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .envs(kept())
        .env("HOME", home)
        .env("LC_ALL", "C")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        // git's words for "no repository" depend on where the temporary folder is mounted.
        .env("GIT_DISCOVERY_ACROSS_FILESYSTEM", "1")
        .env("GIT_TERMINAL_PROMPT", "0");
    command
}

/// Runs git in `directory` and returns what it wrote; a failure is a panic that shows git's own words.
pub(crate) fn git(home: &Path, directory: &Path, arguments: &[&str]) -> Vec<u8> {
    git_with_input(home, directory, arguments, Vec::new())
}

/// Like [`git`], with something to read.
pub(crate) fn git_with_input(home: &Path, directory: &Path, arguments: &[&str], input: Vec<u8>) -> Vec<u8> {
    let mut child = command("git", home)
        .arg("-C")
        .arg(directory)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("git is on PATH");
    let mut stdin = child.stdin.take().expect("stdin was piped");
    // A thread of its own, because git may write before it has read everything.
    let feeder = std::thread::spawn(move || std::io::Write::write_all(&mut stdin, &input));
    let output = child.wait_with_output().expect("git can be waited for");
    // A git that has failed stops reading; its own words, below, say more than the broken pipe.
    let _fed = feeder.join();
    assert!(
        output.status.success(),
        "git {arguments:?} in {}: {}",
        directory.display(),
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

/// Runs `command` to its end, or kills it and panics when it has not ended in time.
pub(crate) fn run_limited(mut command: Command, limit: Duration) -> Output {
    // Files, because a full pipe would make a well-behaved program look like one that hangs.
    let mut stdout = tempfile::tempfile().expect("a temporary file");
    let mut stderr = tempfile::tempfile().expect("a temporary file");
    let copy = |file: &File| file.try_clone().expect("a file can be shared");
    let started = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(copy(&stdout))
        .stderr(copy(&stderr))
        .spawn()
        .expect("the program can be started");
    let status = loop {
        if let Some(status) = child.try_wait().expect("the program can be waited for") {
            break status;
        }
        if started.elapsed() > limit {
            child.kill().expect("a running program can be killed");
            child.wait().expect("a killed program can be waited for");
            let said = String::from_utf8_lossy(&contents(&mut stderr)).into_owned();
            panic!("{command:?} has not ended after {limit:?}: {said}");
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    Output {
        status,
        stdout: contents(&mut stdout),
        stderr: contents(&mut stderr),
    }
}

fn contents(file: &mut File) -> Vec<u8> {
    let mut bytes = Vec::new();
    file.rewind().expect("a file has a beginning");
    file.read_to_end(&mut bytes).expect("a file can be read");
    bytes
}
