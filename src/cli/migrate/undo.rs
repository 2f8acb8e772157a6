//! `migrate --undo`: what the journal says is put back, as far as nobody changed it since.

use super::files::{Text, prepare};
use super::record::{self, Line};
use super::site::{Outcome, Site};
use crate::cli::scene::{Scene, print};
use crate::git::document::Key;
use crate::git::lfs;
use crate::report::{Failure, Kind};
use crate::shell::quoted;

/// Puts back what the journal of `site` says.
pub(super) fn undo(mut site: Site, dry_run: bool, scene: &Scene<'_>) -> Result<Outcome, Failure> {
    let mut journal = record::read(&site.place)?;
    let writes = !dry_run && !journal.entries.is_empty();
    if writes {
        journal = record::lock(&site.place, site.patience)?;
    }
    let (mut lines, mut changed, mut good) = (String::new(), 0, true);
    let mut kept = Vec::new();
    let mut lost = Vec::new();
    while let Some(entry) = journal.entries.pop() {
        let line = &entry.change;
        match put_back(line, &mut site) {
            Ok(Put::Back) => {
                lines += &line.shown();
                changed += 1;
                if line.secret {
                    lost.push(line.shown_key());
                }
            }
            Ok(Put::Removed(removed)) => {
                for (key, value) in removed {
                    lines += &Line::added(&line.file, &key, value).shown();
                    changed += 1;
                }
            }
            Ok(Put::Changed) => {
                let key = line.shown_key();
                scene
                    .report
                    .warning(&format!("'{key}' was changed since, and stays as it is"));
            }
            // What cannot be put back stays in the journal.
            Err(failure) => {
                scene.report.failure(&failure);
                good = false;
                kept.push(entry);
            }
        }
    }
    print(&lines)?;
    if writes {
        for file in &mut prepare(&site.texts, site.patience)? {
            file.finish()?;
        }
        journal.entries.extend(kept.into_iter().rev());
        journal.write()?;
        for key in lost {
            let message = format!("'{key}' was restored without the secret, which remains in the keychain");
            scene.report.warning(&message);
        }
    }
    Ok(Outcome { good, changed })
}

/// What became of a line.
enum Put {
    /// It is as it was before.
    Back,
    /// It belongs to git-lfs, and the helper brought it up to date since: these lines went.
    Removed(Vec<(Key, String)>),
    /// Somebody changed it since, and it stays.
    Changed,
}

/// Puts one line back, if it is still as it was written.
fn put_back(line: &Line, site: &mut Site) -> Result<Put, Failure> {
    let Some((key, before)) = line.checked() else {
        let message = format!(
            "the record of '{}' has a line that 'migrate' does not write",
            site.shown
        );
        let hint = format!("see how it is set: 'git -C {} config --list'", quoted(&site.shown));
        return Err(Failure::new(Kind::Local, message).because(line.shown()).hint(hint));
    };
    let Some(text) = named(site, &line.file)? else {
        return Ok(Put::Changed);
    };
    if before.is_none() && lfs::edits::is_followed(&key) {
        return Ok(Put::Removed(lfs::edits::forget(&mut text.document, &key)?));
    }
    let is_back = match before {
        None => text.document.remove(&key, &line.after)?,
        Some(before) => {
            let values = text.document.all(&key);
            match values.iter().rposition(|value| **value == line.after) {
                Some(index) => {
                    text.document.set(&key, index, &before)?;
                    true
                }
                None => false,
            }
        }
    };
    Ok(if is_back { Put::Back } else { Put::Changed })
}

/// Returns the file that a journal calls `name`; it may be another work tree's. `None` where there is none.
fn named<'a>(site: &'a mut Site, name: &str) -> Result<Option<&'a mut Text>, Failure> {
    if !site.texts.iter().any(|text| text.name == name) {
        site.texts.extend(Text::named(&site.place, name)?);
    }
    Ok(site.texts.iter_mut().find(|text| text.name == name))
}
