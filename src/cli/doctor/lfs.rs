//! Git LFS: whether the server has it for this repository, and whether git-lfs is told where.
//!
//! git-lfs does not ask remote helpers: of a `bbcloud::` remote it has to be told the URL.

use std::path::Path;

use super::checks::Checks;
use super::server::Asking;
use crate::address::Address;
use crate::cli::scene::Scene;
use crate::git::config::Remote;
use crate::git::layout::Layout;
use crate::git::lfs::{self, follow};
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
    let url = repository::lfs_url(address, &scene.base);
    let locate = |address: &str| repository::lfs_url_of(address, &scene.base);
    let place = Layout::find(Path::new(".")).ok().filter(lfs::is_used);
    let repository = place.map(follow::Repository::in_place);
    let is_stale = |remote: &Remote| {
        let repository = repository.as_ref();
        repository.is_some_and(|repository| !repository.edits_for(remote, &scene.config, &locate).is_empty())
    };
    match scene.config.remotes().into_iter().find(is_stale) {
        Some(remote) => {
            let fetched = scene.config.route(&remote).fetch;
            let remedy = match fetched.and_then(|address| locate(&address)) {
                Some(_) => format!("git-remote-bbcloud migrate --remote {}", remote.name),
                None => format!("git config --unset-all remote.{}.lfsurl", remote.name),
            };
            let detail = format!(
                "what git-lfs reads about the remote '{}' is missing or out of date",
                remote.name
            );
            checks.warn(NAME, detail, &remedy);
        }
        None => checks.ok(NAME, format!("at {url} (HTTP {status})")),
    }
}
