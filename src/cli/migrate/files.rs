//! A repository's configuration files: read, and written one after the other.
//!
//! Another user may have made the repository, and these files with it. A file that is a link is never written, because
//! it may lead anywhere.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::file;
use crate::git::LONGEST;
use crate::git::document::Document;
use crate::git::layout::{Layout, is_below, without_links};
use crate::git::replace::{Locked, Next, Patience, is_link};
use crate::report::{Failure, Kind};

/// A configuration file with its text as it was read.
pub(super) struct Text {
    /// Where it is, seen from the directory that all work trees share.
    pub(super) name: String,
    pub(super) path: PathBuf,
    pub(super) before: Zeroizing<Vec<u8>>,
    pub(super) document: Document,
}

impl Text {
    /// Reads the files of `place`: the one of all its work trees, and its own.
    pub(super) fn of(place: &Layout) -> Result<Vec<Self>, Failure> {
        let shared = Self::read(place, &place.common_dir.join("config"), true)?;
        let own = Self::read(place, &place.git_dir.join("config.worktree"), false)?;
        Ok(shared.into_iter().chain(own).collect())
    }

    /// Reads the file that a journal calls `name`. `None` where there is none.
    pub(super) fn named(place: &Layout, name: &str) -> Result<Option<Self>, Failure> {
        let name = Path::new(name);
        let path = place.common_dir.join(name);
        if !is_below(name) {
            return Ok(None);
        }
        if without_links(&place.common_dir, name).is_none() {
            return Err(is_link(&path));
        }
        Self::read(place, &path, false)
    }

    /// Reads the file at `path`, which is one of `place`. `None` if it is not there and need not be.
    fn read(place: &Layout, path: &Path, needed: bool) -> Result<Option<Self>, Failure> {
        let text = match file::read(path, LONGEST) {
            Ok(text) => text,
            Err(error) if !needed && error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                let message = format!("cannot read '{}'", path.display());
                return Err(Failure::new(Kind::Local, message).caused_by(&error));
            }
        };
        // The journal is shared by all work trees, and each has a file of its own.
        let name = path.strip_prefix(&place.common_dir).unwrap_or(path);
        Ok(Some(Self {
            name: name.display().to_string(),
            document: Document::parse(&text, &path.display().to_string())?,
            path: path.to_owned(),
            before: text,
        }))
    }

    /// Locks the file to be replaced, unless it has another text by now than was read. `None` if it stays as it is.
    fn prepare(&self, patience: Patience) -> Result<Option<Locked>, Failure> {
        let after = self.document.to_bytes();
        if after == self.before {
            return Ok(None);
        }
        let mut file = Locked::open_unlinked(&self.path, patience)?;
        if file.text() != Some(self.before.as_slice()) {
            return Err(changed_meanwhile(&self.path));
        }
        file.prepare(Next::Text(after))?;
        Ok(Some(file))
    }
}

/// Locks those of `texts` that are to be changed, and does all but the last step.
pub(super) fn prepare(texts: &[Text], patience: Patience) -> Result<Vec<Locked>, Failure> {
    let prepared = texts.iter().map(|text| text.prepare(patience));
    prepared.filter_map(Result::transpose).collect()
}

fn changed_meanwhile(path: &Path) -> Failure {
    Failure::new(Kind::Local, format!("'{}' was changed meanwhile", path.display())).hint("run the same command again")
}
