//! Large files of remotes that are no longer `bbcloud::` ones: git does not start the helper for these, but git and
//! git-lfs ask the credential helper, and each time this looks for endpoints that are out of date.
//!
//! Git asks before the `pre-push` hook, so git-lfs then reads what is right. If git-lfs itself asks for an endpoint that
//! is out of date, it has read it already, and is refused before any file is sent.

use std::path::Path;

use url::Url;

use super::scene::{Scene, print};
use crate::git::config::Config;
use crate::git::document::Key;
use crate::git::layout::Layout;
use crate::git::lfs::edits::{DOWNLOAD, Edit, MARK, UPLOAD, is_followed};
use crate::git::lfs::follow;
use crate::report::{Failure, Kind};
use crate::repository::lfs_url_of;

/// Who asks, as far as that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asker<'a> {
    /// Git itself, or git-lfs about an endpoint that is not this program's.
    Git,
    /// Anybody, about the path; an empty one says nothing.
    Path(&'a str),
}

/// Brings the endpoints up to date in the repository one stands in.
///
/// # Errors
/// If git-lfs asks about an endpoint that was out of date.
pub(super) fn follow(asker: Asker<'_>, scene: &Scene<'_>) -> Result<(), Failure> {
    if scene.config.by_subsection("remote", MARK).is_empty() {
        return Ok(());
    }
    let Ok(place) = Layout::find(Path::new(".")) else {
        return Ok(());
    };
    let locate = |address: &str| lfs_url_of(address, &scene.base);
    let repository = follow::Repository::in_place(place);
    let edits = repository.edits(&scene.config, None, &locate);
    if edits.is_empty() {
        return Ok(());
    }
    let mended = repository.follow(&scene.config, None, &locate, scene.environment);
    let Some(stale) = edits.iter().find_map(|edit| stale(edit, asker, &scene.config)) else {
        return mended.map(drop);
    };
    // Git must not ask anybody else.
    print("quit=1\n")?;
    let failure = Failure::new(
        Kind::Usage,
        format!(
            "large files of the remote '{}' would go to '{}', where it was before",
            stale.remote, stale.endpoint
        ),
    );
    Err(match mended {
        Ok(_) => failure.hint("that is corrected now, and nothing was sent: run the command again"),
        Err(cause) => failure
            .caused_by(&cause)
            .hint(format!("run 'git config --unset remote.{}.lfsurl'", stale.remote)),
    })
}

/// An endpoint that git-lfs has read, and should not have.
struct Stale {
    remote: String,
    endpoint: String,
}

/// Returns what git-lfs may be asking about, if that is what `edit` corrects.
fn stale(edit: &Edit, asker: Asker<'_>, config: &Config) -> Option<Stale> {
    let Asker::Path(path) = asker else { return None };
    let (key, endpoint) = match edit {
        Edit::Remove(key, value) if is_followed(key) => (key, value.clone()),
        // Without an endpoint of its own, an upload goes where downloads come from.
        Edit::Add(key, _) if key.name == UPLOAD => {
            let download = Key {
                name: DOWNLOAD.to_owned(),
                ..key.clone()
            };
            (key, config.text(&download.to_string())?)
        }
        _ => return None,
    };
    let url = Url::parse(&endpoint).ok()?;
    let is_meant = path.is_empty() || path.trim_matches('/').starts_with(url.path().trim_matches('/'));
    let remote = key.subsection.clone()?;
    is_meant.then_some(Stale { remote, endpoint })
}
