//! `migrate --undo`: what the journal says is put back, as far as nobody changed it since.

use super::files::{Text, prepare};
use super::record::{self, Line};
use super::site::{Outcome, Site};
use crate::cli::scene::{Scene, print};
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
            Ok(true) => {
                lines += &line.shown();
                changed += 1;
                if line.secret {
                    lost.push(line.shown_key());
                }
            }
            Ok(false) => {
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

/// Puts one line back. Returns whether it was still as it had been written.
fn put_back(line: &Line, site: &mut Site) -> Result<bool, Failure> {
    let Some((key, before)) = line.checked() else {
        let message = format!(
            "the record of '{}' has a line that 'migrate' does not write",
            site.shown
        );
        let hint = format!("see how it is set: 'git -C {} config --list'", quoted(&site.shown));
        return Err(Failure::new(Kind::Local, message).because(line.shown()).hint(hint));
    };
    let Some(text) = named(site, &line.file)? else {
        return Ok(false);
    };
    let Some(before) = before else {
        return text.document.remove(&key, &line.after);
    };
    let values = text.document.all(&key);
    let Some(index) = values.iter().rposition(|value| **value == line.after) else {
        return Ok(false);
    };
    text.document.set(&key, index, &before)?;
    Ok(true)
}

/// Returns the file that a journal calls `name`; it may be another work tree's. `None` where there is none.
fn named<'a>(site: &'a mut Site, name: &str) -> Result<Option<&'a mut Text>, Failure> {
    if !site.texts.iter().any(|text| text.name == name) {
        site.texts.extend(Text::named(&site.place, name)?);
    }
    Ok(site.texts.iter_mut().find(|text| text.name == name))
}
