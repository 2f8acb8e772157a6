//! One run of `git fetch-pack`, for servers that speak version 0 or 1: git's own negotiation, our requests.

use std::io;
use std::process::Stdio;

use super::options::Options;
use crate::bridge::discovery::Advertisement;
use crate::bridge::{Error, fallback};
use crate::git;
use crate::repository::Repository;

/// Fetches `wanted` (lines of `<id> <name>`). Returns the lines that `fetch-pack` has for git, such as `lock …`.
pub(super) fn run(
    repository: &mut Repository,
    options: &Options,
    advertisement: &Advertisement,
    wanted: &[Vec<u8>],
) -> Result<Vec<u8>, Error> {
    let mut command = git::command();
    command.args(options.fetch_pack(&repository.url()));
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(Error::FetchPack)?;
    let pipes = child.stdin.take().zip(child.stdout.take());
    let (to_child, from_child) = pipes.ok_or_else(|| Error::FetchPack(io::ErrorKind::BrokenPipe.into()))?;
    let mut from_child = io::BufReader::new(from_child);
    let served = fallback::serve(&mut repository.remote, advertisement, wanted, to_child, &mut from_child);
    let said = served.and_then(|()| fallback::remainder(&mut from_child).map_err(Error::FetchPack));
    // With its pipes closed, fetch-pack ends whatever it was waiting for.
    drop(from_child);
    let status = child.wait().map_err(Error::FetchPack)?;
    match said {
        Ok(said) if status.success() => Ok(said),
        // Who has ended no longer reads; that it has is the reason, however it was noticed.
        Err(Error::FetchPack(error)) if status.success() || error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Error::FetchPack(error))
        }
        Ok(_) | Err(Error::FetchPack(_)) => Err(Error::FetchPack(io::Error::other(status.to_string()))),
        // If the server refused, that is the reason, and what fetch-pack makes of it only the consequence.
        Err(error) => Err(error),
    }
}
