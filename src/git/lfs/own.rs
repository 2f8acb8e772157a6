//! `.lfsconfig`: what the commit that is checked out says about large files (git-lfs-config(5)).
//!
//! It comes from whoever made the repository. It is read to leave its values alone, and decides nothing else.

use std::path::Path;

use crate::file::{self, Links};
use crate::git::document::Document;

/// The longest file that is read, in bytes.
pub(super) const MAX: u64 = 1024 * 1024;

/// Returns the keys and values of the `.lfsconfig` in the work tree `directory`.
pub(super) fn values(directory: &Path) -> Vec<(String, String)> {
    // It comes with a commit, and may be a link to anything.
    let Ok(text) = file::read_with(&directory.join(".lfsconfig"), Links::Refuse, MAX) else {
        return Vec::new();
    };
    let Ok(document) = Document::parse(&text, ".lfsconfig") else {
        return Vec::new();
    };
    let values = document.values().into_iter();
    values
        .map(|value| (value.key.to_string(), value.text.to_string()))
        .collect()
}
