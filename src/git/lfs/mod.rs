//! Git LFS: large files go where the commits go, although git-lfs does not ask remote helpers.
//!
//! git-lfs reads `remote.<name>.lfsurl` and `lfspushurl`, and a value that was written once stays when the remote
//! changes. So each value that this program writes has a mark beside it (`remote.<name>.bbcloudLfs`), and wherever this
//! program is run for a repository, all marked values are brought up to date: before each fetch and, because git starts
//! the helper before the `pre-push` hook, before each push. A value without a mark is the user's own and is never
//! changed. Does not depend on how an address is written: that is a [`Locate`].
//!
//! - [`endpoint`]: where the large files of one remote are, decided without files.
//! - [`edits`]: the lines to add and to remove for that.
//! - [`follow`]: writes them.
//! - `own`: `.lfsconfig`, the user's own values in the work tree.

pub mod edits;
pub mod endpoint;
pub mod follow;
mod own;

use std::path::Path;

use gix::bstr::ByteSlice as _;

use super::config::Config;
use super::layout::Layout;
use crate::file::{self, Links};

/// The credential helper that answers from the keychain or `BBCLOUD_TOKEN`.
pub const CREDENTIAL_HELPER: &str = "!git-remote-bbcloud credential";

/// The credential helper that answers nothing, and brings up to date what git-lfs reads.
pub const WATCHER: &str = "!git-remote-bbcloud credential --follow";

/// Returns the URL of the large files at an address of git's; `None` for an address that git does not call us for.
pub type Locate<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Whether the user has git-lfs installed, which is when git has its filter.
///
/// git-lfs itself runs git with an empty one. It has read the configuration by then, and what is out of date must stay
/// for `credential` to see and to refuse.
pub fn is_installed(config: &Config) -> bool {
    let values = config.trusted();
    let has = |key| values.text(key).is_some_and(|program| !program.is_empty());
    has("filter.lfs.process") || has("filter.lfs.smudge")
}

/// Whether a push from the repository uploads large files: it has some, or its hook starts git-lfs.
pub fn pushes_large_files(common_dir: &Path, config: &Config) -> bool {
    let hooks = config.path("core.hooksPath").ok().flatten();
    let hook = hooks.unwrap_or_else(|| common_dir.join("hooks")).join("pre-push");
    common_dir.join("lfs/objects").is_dir() || mentions(&hook, "lfs", Links::Follow)
}

/// Whether the repository uses git-lfs, as far as that can be seen: its objects, its attributes, its hooks.
pub fn is_used(place: &Layout) -> bool {
    let common = &place.common_dir;
    common.join("lfs/objects").is_dir()
        || mentions(&common.join("info/attributes"), "filter=lfs", Links::Follow)
        || mentions(&common.join("hooks/pre-push"), "git lfs", Links::Follow)
        // It comes with a commit, and git reads no link in its place either.
        || (place.work_tree.as_ref()).is_some_and(|tree| mentions(&tree.join(".gitattributes"), "filter=lfs", Links::Refuse))
        || committed(&place.git_dir)
}

fn mentions(path: &Path, word: &str, links: Links) -> bool {
    file::read_with(path, links, own::MAX).is_ok_and(|text| text.contains_str(word))
}

fn committed(git_dir: &Path) -> bool {
    let mut git = super::command();
    git.arg("--git-dir").arg(git_dir).env("GIT_NO_LAZY_FETCH", "1");
    git.args([
        "grep",
        "--quiet",
        "-e",
        "filter=lfs",
        "HEAD",
        "--",
        ":(glob)**/.gitattributes",
    ]);
    git.output().is_ok_and(|output| output.status.success())
}
