//! Whether an advertisement has anything in it that a terminal would obey: git shows what it does not know of one, such
//! as an object format. Names of references may have any character in them, and stay.

use super::service::Version;
use super::{Error, sideband};
use crate::report::steers;

/// Checks the `lines` of an advertisement of `version`.
///
/// # Errors
/// [`Error::Protocol`] for a control character or a direction override outside of a reference's name.
pub(super) fn check<'a>(version: Version, lines: impl Iterator<Item = &'a [u8]>) -> Result<(), Error> {
    for line in lines {
        let (before, capabilities) = match line.iter().position(|byte| *byte == 0) {
            Some(at) => (line.get(..at).unwrap_or_default(), line.get(at + 1..)),
            None => (line, None),
        };
        let good = match version {
            Version::V2 => capabilities.is_none() && is_harmless(before),
            Version::V0 | Version::V1 => sideband::is_sound(before) && capabilities.is_none_or(is_harmless),
        };
        if !good {
            let shown = line.get(..40).unwrap_or(line).escape_ascii();
            let message = format!("the server advertises '{shown}', with a control character in it");
            return Err(Error::Protocol(message));
        }
    }
    Ok(())
}

/// Whether a terminal would obey nothing in `text`, which is ASCII as a rule.
fn is_harmless(text: &[u8]) -> bool {
    if text.is_ascii() {
        return !text.iter().any(u8::is_ascii_control);
    }
    text.utf8_chunks().all(|chunk| {
        let invalid = chunk.invalid().iter();
        !chunk.valid().contains(steers) && !invalid.into_iter().any(|byte| matches!(byte, 0x80..=0x9f))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "1234567890123456789012345678901234567890";

    fn is_good(version: Version, lines: &[&str]) -> bool {
        check(version, lines.iter().map(|line| line.as_bytes())).is_ok()
    }

    #[test]
    fn nothing_that_git_would_show_steers_a_terminal() {
        for bad in ["object-format=\u{9b}31m", "agent=\u{202e}", "fetch=\x1b[2J", "\u{85}"] {
            assert!(!is_good(Version::V2, &["version 2", bad]), "{bad:?}");
            assert!(!is_good(Version::V0, &[&format!("{ID} HEAD\0{bad}")]), "{bad:?}");
            assert!(!is_good(Version::V0, &[&format!("{ID} HEAD\0a"), bad]), "{bad:?}");
        }
        assert!(is_good(
            Version::V2,
            &["version 2", "agent=git/2-\u{e9}", "fetch=shallow", ""]
        ));
        let name = format!("{ID} refs/heads/\u{202e}\u{9b}\u{e9}\0agent=git/2");
        assert!(
            is_good(Version::V0, &[&name, &format!("{ID} refs/tags/\u{e9}^{{}}"), ""]),
            "a name stays"
        );
    }
}
