//! `.lfsconfig`: what the commit that is checked out says about large files (git-lfs-config(5)).
//!
//! It comes from whoever made the repository. It is read to leave its values alone, and decides nothing else.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use crate::git::document::Document;

/// The longest file that is read, in bytes.
const MAX: u64 = 1024 * 1024;

/// Returns the keys and values of the `.lfsconfig` in the work tree `directory`.
pub(super) fn values(directory: &Path) -> Vec<(String, String)> {
    let text = small_file(&directory.join(".lfsconfig")).unwrap_or_default();
    let Ok(document) = Document::parse(&text, ".lfsconfig") else {
        return Vec::new();
    };
    let values = document.values().into_iter();
    values
        .map(|value| (value.key.to_string(), value.text.to_string()))
        .collect()
}

/// Returns the content of a file, unless it is something else, such as a link to a device, or too long.
pub(super) fn small_file(path: &Path) -> Option<Vec<u8>> {
    let is_small = |file: &File| {
        file.metadata()
            .is_ok_and(|metadata| metadata.is_file() && metadata.len() <= MAX)
    };
    // Opening a pipe would wait for its other end.
    if !std::fs::metadata(path).is_ok_and(|metadata| metadata.is_file()) {
        return None;
    }
    let file = File::open(path).ok().filter(is_small)?;
    let mut text = Vec::new();
    file.take(MAX).read_to_end(&mut text).ok()?;
    Some(text)
}
