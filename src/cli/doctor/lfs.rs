//! Git LFS: whether the server has it for this repository, and whether git-lfs is told where.
//!
//! git-lfs does not ask remote helpers: of a `bbcloud::` remote it has to be told the URL.

use std::path::Path;

use super::checks::Checks;
use super::server::Asking;
use crate::address::Address;
use crate::cli::scene::Scene;
use crate::git::lfs;
use crate::git::place::Place;
use crate::repository;

const NAME: &str = "lfs";
const TYPE: &str = "application/vnd.git-lfs+json";
/// A question for no object at all: only whether there is an answer matters.
const QUESTION: &str = r#"{"operation":"download","transfers":["basic"],"objects":[]}"#;

pub(super) fn check(asking: &mut Asking, address: &Address, scene: &Scene<'_>, checks: &mut Checks) {
    let place = address.lfs_url(&scene.base);
    let mut lines = vec![format!("Accept: {TYPE}").into(), format!("Content-Type: {TYPE}").into()];
    match asking.authorization() {
        Ok(line) => lines.extend(line),
        Err(failure) => {
            checks.failure(NAME, &failure);
            return;
        }
    }
    let url = format!("{place}/objects/batch");
    let reply = match asking.send("POST", &url, lines, Some(QUESTION.into())) {
        Ok(reply) => reply,
        Err(error) => {
            checks.warn(NAME, format!("no answer: {error}"), "try again in a minute");
            return;
        }
    };
    match reply.status() {
        status @ (200..=299 | 422) => answered(status, address, scene, checks),
        404 | 405 | 501 => checks.skip(
            NAME,
            format!("the server has none for this repository (HTTP {})", reply.status()),
        ),
        status @ (401 | 403) => checks.warn(
            NAME,
            format!("the server does not allow it (HTTP {status})"),
            &format!("see that the secret may read, and run 'git config lfs.{place}.access basic'"),
        ),
        status => checks.warn(NAME, format!("an unexpected answer (HTTP {status})"), "git lfs env"),
    }
}

/// The server has LFS. 422 is what servers say to a question for nothing.
fn answered(status: u16, address: &Address, scene: &Scene<'_>, checks: &mut Checks) {
    let place = repository::lfs_url(address, &scene.base);
    let is_used = || Place::find(Path::new(".")).is_ok_and(|place| lfs::is_used(&place));
    let lacks = |name: &String| !lfs::missing(name, &place, &scene.config).is_empty();
    match remote(address, scene).filter(lacks) {
        Some(name) if is_used() => checks.warn(
            NAME,
            format!("this repository uses Git LFS, and git-lfs lacks what it needs for the remote '{name}'"),
            &format!("git-remote-bbcloud migrate --remote {name}"),
        ),
        _ => checks.ok(NAME, format!("at {place} (HTTP {status})")),
    }
}

/// Returns the remote of the repository one stands in that is `address`.
fn remote(address: &Address, scene: &Scene<'_>) -> Option<String> {
    let is_ours = |url: &String| {
        url.starts_with("bbcloud:")
            && Address::parse(url, &scene.base).is_ok_and(|found| found.to_string() == address.to_string())
    };
    let mut remotes = scene.config.remotes().into_iter();
    let remote = remotes.find(|remote| remote.urls.iter().any(is_ours))?;
    Some(remote.name)
}
