//! A manual page as it is put together: sections, paragraphs and what is shown as it is written.

use std::io;

use roff::{Inline, Roff, bold, roman};

/// The date of the release, as CHANGELOG.md has it.
const DATE: &str = "2026-11-28";

/// A page in the making.
pub(super) struct Page {
    roff: Roff,
    done: Vec<u8>,
}

impl Page {
    /// Returns the page `name` of section 1.
    pub(super) fn new(name: &str) -> Self {
        let mut roff = Roff::new();
        let source = concat!("git-remote-bbcloud ", env!("CARGO_PKG_VERSION"));
        roff.control("TH", [name.to_uppercase().as_str(), "1", DATE, source, "Git Manual"]);
        // Addresses and commands are copied from here.
        roff.control("nh", []);
        Self { roff, done: Vec::new() }
    }

    pub(super) fn section(&mut self, name: &str) {
        self.roff.control("SH", [name]);
    }

    /// Adds one paragraph; what stands between backticks is bold.
    pub(super) fn text(&mut self, text: &str) {
        self.roff.text(inlines(text));
    }

    /// Adds a term and what it means.
    pub(super) fn term(&mut self, term: &str, meaning: &str) {
        self.roff.control("TP", []);
        self.roff.text([bold(term)]);
        self.roff.text(inlines(meaning));
    }

    /// Adds lines as they are.
    pub(super) fn verbatim(&mut self, text: &str) {
        self.roff.control("RS", ["4"]);
        self.roff.control("nf", []);
        for line in text.lines() {
            self.roff.text([roman(line)]);
        }
        self.roff.control("fi", []);
        self.roff.control("RE", []);
    }

    /// Adds paragraphs with empty lines between them; indented lines are as they are.
    pub(super) fn prose(&mut self, text: &str) {
        for paragraph in text.split("\n\n") {
            self.roff.control("PP", []);
            let mut lines = paragraph.lines().peekable();
            while let Some(first) = lines.next() {
                let indented = first.starts_with(' ');
                let mut block = vec![first.trim()];
                while let Some(line) = lines.next_if(|line| line.starts_with(' ') == indented) {
                    block.push(line.trim());
                }
                if indented {
                    self.verbatim(&block.join("\n"));
                } else {
                    self.text(&block.join(" "));
                }
            }
        }
    }

    /// Adds what `render` writes.
    pub(super) fn rendered(&mut self, render: impl FnOnce(&mut dyn io::Write) -> io::Result<()>) {
        self.flush();
        // Writing to memory does not fail.
        render(&mut self.done).ok();
    }

    pub(super) fn finish(mut self) -> String {
        self.flush();
        String::from_utf8_lossy(&self.done).into_owned()
    }

    fn flush(&mut self) {
        std::mem::take(&mut self.roff).to_writer(&mut self.done).ok();
    }
}

fn inlines(text: &str) -> Vec<Inline> {
    let parts = text.split('`').enumerate();
    let parts = parts.filter(|(_, part)| !part.is_empty());
    parts
        .map(|(at, part)| if at % 2 == 1 { bold(part) } else { roman(part) })
        .collect()
}

/// Splits what stands below a command's options: the lines under `Examples:`, and the rest.
pub(super) fn split_examples(after: &str) -> (String, String) {
    let Some(rest) = after.strip_prefix("Examples:\n") else {
        return (String::new(), after.to_owned());
    };
    let (examples, notes) = rest.split_once("\n\n").unwrap_or((rest, ""));
    let examples: Vec<_> = examples
        .lines()
        .map(|line| line.strip_prefix("  ").unwrap_or(line))
        .collect();
    (examples.join("\n"), notes.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_are_told_from_notes() {
        let (examples, notes) = split_examples("Examples:\n  a b\n    c\n\nMore.\n  x\n");
        assert_eq!((examples.as_str(), notes.as_str()), ("a b\n  c", "More.\n  x\n"));
        assert_eq!(split_examples("Words."), (String::new(), "Words.".to_owned()));
    }

    #[test]
    fn nothing_that_is_written_is_taken_for_a_command() {
        let mut page = Page::new("x");
        page.verbatim(".so /etc/passwd\n'x' \\fB");
        page.text("`bold` and -- plain");
        let text = page.finish();
        assert!(!text.contains("\n.so"), "{text}");
        assert!(!text.contains("\n'x"), "{text}");
        assert!(text.contains("\\fBbold\\fR"), "{text}");
    }
}
