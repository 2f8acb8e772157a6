//! A server's text on its way to the terminal: what could steer it becomes `?`, and no text changes its length.
//!
//! Does not depend on the packets that texts come in.

use super::controls::Allowed;
use crate::report::steers;

/// A text that comes in pieces.
#[derive(Debug, Default)]
pub(super) struct Text {
    /// The beginning of a character whose end is in the next piece.
    cut: Vec<u8>,
    /// Whether a carriage return is the end of a line.
    returns: bool,
    /// What the user allows.
    allowed: Allowed,
}

impl Text {
    /// Returns a text that git shows line by line, with `remote: ` before each: of progress, carriage returns end lines
    /// as well. Elsewhere one would write over what git itself has said.
    pub(super) fn of_lines(allowed: Allowed) -> Self {
        Self {
            returns: true,
            allowed,
            ..Self::default()
        }
    }

    /// Returns a text that is not shown line by line.
    pub(super) fn of_one(allowed: Allowed) -> Self {
        Self {
            allowed,
            ..Self::default()
        }
    }

    /// Returns the next piece with `?` for each byte of what could steer a terminal.
    ///
    /// Tabs and line ends stay, and bytes that are not UTF-8, but for those that a terminal with another character set
    /// takes for control characters.
    pub(super) fn harmless(&mut self, piece: &[u8]) -> Vec<u8> {
        if self.allowed == Allowed::ALL {
            return piece.to_vec();
        }
        let told = self.cut.len();
        let joined = [std::mem::take(&mut self.cut).as_slice(), piece].concat();
        let mut shown = Vec::with_capacity(joined.len());
        for chunk in joined.utf8_chunks() {
            let mut sequence_end = 0;
            for (at, character) in chunk.valid().char_indices() {
                if character == '\u{1b}' {
                    sequence_end = at + self.allowed.sequence(chunk.valid().get(at..).unwrap_or_default());
                }
                let stays = at < sequence_end || matches!(character, '\n' | '\t') || character == '\r' && self.returns;
                if steers(character) && !stays {
                    shown.resize(shown.len() + character.len_utf8(), b'?');
                } else {
                    shown.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                }
            }
            let invalid = chunk.invalid();
            let is_cut = shown.len() + invalid.len() == joined.len()
                && str::from_utf8(invalid).is_err_and(|error| error.error_len().is_none());
            if is_cut {
                self.cut = invalid.to_vec();
                shown.extend_from_slice(invalid);
            } else {
                let quiet = |byte: &u8| if matches!(byte, 0x80..=0x9f) { b'?' } else { *byte };
                shown.extend(invalid.iter().map(quiet));
            }
        }
        shown.split_off(told)
    }
}

/// Returns `bytes`, which are no text, without the control characters of ASCII: there is none in the name of a
/// reference (`git-check-ref-format(1)`), but what else there may be in one must stay.
pub(super) fn without_controls(bytes: &[u8]) -> Vec<u8> {
    let quiet = |byte: &u8| {
        if byte.is_ascii_control() && !matches!(byte, b'\n' | b'\r' | b'\t') {
            b'?'
        } else {
            *byte
        }
    };
    bytes.iter().map(quiet).collect()
}
