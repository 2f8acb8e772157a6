//! Standard output of `api`: the bytes as they come; at a terminal without what would steer it.
//!
//! Does not depend on what is written. JSON stays the same JSON: what is escaped can only be inside of its strings.

use std::io::{self, IsTerminal as _, Write};

use crate::report::steers;

/// Returns standard output.
pub(super) fn open() -> Box<dyn Write> {
    let out = io::stdout().lock();
    if out.is_terminal() {
        Box::new(Screen::new(out))
    } else {
        Box::new(out)
    }
}

/// A writer that shows control characters and direction overrides as `\u009b`.
struct Screen<W: Write> {
    out: W,
    /// The beginning of a character whose end has not been written yet.
    open: Vec<u8>,
}

impl<W: Write> Screen<W> {
    fn new(out: W) -> Self {
        Self { out, open: Vec::new() }
    }
}

impl<W: Write> Write for Screen<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut text = std::mem::take(&mut self.open);
        text.extend_from_slice(bytes);
        let mut shown = String::new();
        let mut chunks = text.utf8_chunks().peekable();
        while let Some(chunk) = chunks.next() {
            chunk.valid().chars().for_each(|c| show(c, &mut shown));
            let broken = chunk.invalid();
            if chunks.peek().is_none() && may_go_on(broken) {
                self.open = broken.to_vec();
            } else if !broken.is_empty() {
                shown.push(char::REPLACEMENT_CHARACTER);
            }
        }
        self.out.write_all(shown.as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Whether `bytes` are the beginning of a character, and not a broken one.
fn may_go_on(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_err_and(|error| error.error_len().is_none())
}

fn show(c: char, shown: &mut String) {
    if !steers(c) || matches!(c, '\n' | '\t') {
        shown.push(c);
    } else {
        // All of them have four digits.
        shown.extend(format!("\\u{:04x}", u32::from(c)).chars());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(pieces: &[&[u8]]) -> String {
        let mut screen = Screen::new(Vec::new());
        for piece in pieces {
            screen.write_all(piece).expect("a vector takes everything");
        }
        String::from_utf8(screen.out).expect("text")
    }

    #[test]
    fn what_steers_a_terminal_is_escaped_and_nothing_else() {
        let json = "{\"a\": \"\u{e9}\u{1f600}\",\n\t\"b\": [1]}\n";
        assert_eq!(shown(&[json.as_bytes()]), json);
        assert_eq!(
            shown(&["\x1b]0;x\x07\u{9b}2J\u{202e}\x7f\r".as_bytes()]),
            "\\u001b]0;x\\u0007\\u009b2J\\u202e\\u007f\\u000d"
        );
        assert_eq!(shown(&[b"a\x9bb\xff"]), "a\u{fffd}b\u{fffd}");
    }

    #[test]
    fn a_character_may_come_in_pieces() {
        let text = "a\u{9b}\u{1f600}b".as_bytes();
        for size in 1..=text.len() {
            let pieces: Vec<_> = text.chunks(size).collect();
            assert_eq!(shown(&pieces), "a\\u009b\u{1f600}b", "{size}");
        }
        assert_eq!(shown(&[b"\xc2", b"x"]), "\u{fffd}x");
    }
}
