//! What a server reports of a push (`gitprotocol-pack(5)`, "Report Status"): lines in packets, which with sidebands are
//! within the packets of the first band and cut by them anywhere.
//!
//! Git shows the reasons in it to the user, and finds its references by the names in it: reasons are made harmless for
//! the terminal, and names stay what they are.

use super::framing::{Framing, Run};
use super::text::{Text, without_controls};

/// A report inside the first sideband, on its way.
#[derive(Debug, Default)]
pub struct ReportStatus {
    framing: Framing,
    line: Line,
}

impl ReportStatus {
    /// Returns the next bytes of it with `?` for each byte of what could steer a terminal.
    pub fn harmless(&mut self, mut bytes: &[u8]) -> Vec<u8> {
        let mut shown = Vec::with_capacity(bytes.len());
        while !bytes.is_empty() {
            let (count, is_line) = match self.framing.step(bytes) {
                Ok(Run::Header(count)) => (count, false),
                Ok(Run::Content(count)) => (count, true),
                // No report; git will say so.
                Err(_) => (bytes.len(), false),
            };
            let (now, later) = bytes.split_at(count);
            if is_line {
                shown.extend(self.line.harmless(now));
            } else {
                shown.extend(without_controls(now));
                self.line = Line::default();
            }
            bytes = later;
        }
        shown
    }
}

/// A line of a report: `unpack <reason>`, `ok <name>`, `ng <name> <reason>`, `option …`.
#[derive(Debug, Default)]
pub struct Line {
    first: Option<u8>,
    spaces: usize,
    reason: Text,
}

impl Line {
    /// Returns the next bytes of it with `?` for each byte of what could steer a terminal.
    pub fn harmless(&mut self, bytes: &[u8]) -> Vec<u8> {
        let begin = bytes.iter().position(|byte| self.is_of_reason(*byte));
        let (names, reason) = bytes.split_at(begin.unwrap_or(bytes.len()));
        let mut shown = without_controls(names);
        shown.extend(self.reason.harmless(reason));
        shown
    }

    fn is_of_reason(&mut self, byte: u8) -> bool {
        let words_before = match *self.first.get_or_insert(byte) {
            b'u' => 1,
            b'n' => 2,
            _ => usize::MAX,
        };
        let is_of_reason = self.spaces >= words_before;
        self.spaces += usize::from(byte == b' ');
        is_of_reason
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bridge::packet;

    const LINES: [(&str, &str); 5] = [
        ("unpack \u{9b}2J\u{1b}[2Jno\n", "unpack ??2J?[2Jno\n"),
        ("ok refs/heads/\u{202e}a\n", "ok refs/heads/\u{202e}a\n"),
        (
            "ng refs/heads/\u{202e}a \u{202e}b \u{1b}[8m\u{9b}8m\u{e9}\n",
            "ng refs/heads/\u{202e}a ???b ?[8m??8m\u{e9}\n",
        ),
        (
            "option refname refs/heads/\u{9b}\n",
            "option refname refs/heads/\u{9b}\n",
        ),
        ("", ""),
    ];

    #[test]
    fn reasons_are_made_harmless_and_names_stay() {
        for (line, shown) in LINES {
            assert_eq!(
                String::from_utf8_lossy(&Line::default().harmless(line.as_bytes())),
                shown
            );
        }
    }

    #[test]
    fn wherever_a_report_is_cut_it_is_made_harmless_alike() {
        let (mut report, mut wanted) = (Vec::new(), Vec::new());
        for (line, shown) in LINES {
            packet::write(line.as_bytes(), &mut report);
            packet::write(shown.as_bytes(), &mut wanted);
        }
        for size in 1..report.len() {
            let mut status = ReportStatus::default();
            let shown: Vec<u8> = report.chunks(size).flat_map(|part| status.harmless(part)).collect();
            // The first bytes of a character are gone before it is known what it is.
            let told = String::from_utf8_lossy(&shown);
            assert_eq!(shown.len(), wanted.len(), "{size}");
            assert!(!told.contains('\u{1b}') && !told.contains("\u{9b}8m"), "{size}: {told}");
        }
        assert_eq!(ReportStatus::default().harmless(&report), wanted);
    }

    #[test]
    fn what_is_no_report_keeps_its_length_and_loses_its_controls() {
        assert_eq!(ReportStatus::default().harmless(b"no\x1bpe!"), b"no?pe!");
    }
}
