//! Which control sequences of a server's messages may reach the terminal: none, unless the user allows some.
//!
//! The rules are git's (`sideband.allowControlCharacters` in git-config(1), `handle_ansi_sequence` in `sideband.c`).
//! Does not depend on where the setting comes from.

/// The sequences that the user allows, a bit for each sort.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Allowed(u8);

const COLOR: u8 = 1;
const CURSOR: u8 = 1 << 1;
const ERASE: u8 = 1 << 2;

impl Allowed {
    /// Everything.
    pub const ALL: Self = Self(u8::MAX);

    /// Returns what a list of `words` with commas between them allows; `None` if one of them has no meaning.
    pub fn parse(words: &str) -> Option<Self> {
        let mut allowed = Self::default();
        for word in words.split(',').filter(|word| !word.is_empty()) {
            match word {
                "color" => allowed.0 |= COLOR,
                "cursor" => allowed.0 |= CURSOR,
                "erase" => allowed.0 |= ERASE,
                "true" => allowed = Self::ALL,
                "false" => allowed = Self::default(),
                _ => return None,
            }
        }
        Some(allowed)
    }

    /// Returns the length of the allowed sequence that `text` begins with: `ESC [`, numbers with `;` between them, and a
    /// letter. 0 if there is none.
    pub(super) fn sequence(self, text: &str) -> usize {
        let Some(rest) = text.strip_prefix("\u{1b}[") else {
            return 0;
        };
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != ';');
        let last = end.and_then(|end| rest.get(end..)?.chars().next());
        let sort = match last {
            Some('m') => COLOR,
            Some('A'..='H' | 'f') => CURSOR,
            Some('J' | 'K' | 'M' | 'P' | 'X') => ERASE,
            _ => 0,
        };
        end.filter(|_| self.0 & sort != 0).map_or(0, |end| end + 3)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_as_git_reads_them() {
        let allowed = |words| Allowed::parse(words).expect("words that git knows");
        assert_eq!(allowed(""), Allowed::default());
        assert_eq!(allowed("color,true,false"), Allowed::default());
        assert_eq!(allowed("false,true"), Allowed::ALL);
        let both = allowed("color,erase");
        assert_eq!(both, Allowed(COLOR | ERASE));
        assert_eq!(Allowed::parse("colour"), None);
    }

    #[test]
    fn a_sequence_is_allowed_as_a_whole() {
        let length = |words: &str, text: &str| Allowed::parse(words).expect("words").sequence(text);
        for (words, text, expected) in [
            ("color", "\u{1b}[31mred", 5),
            ("color", "\u{1b}[1;38;5;9mred", 11),
            ("color", "\u{1b}[mplain", 3),
            ("color", "\u{1b}[2J", 0),
            ("erase", "\u{1b}[2J", 4),
            ("erase", "\u{1b}[31m", 0),
            ("cursor", "\u{1b}[3;4H", 6),
            ("color,cursor,erase", "\u{1b}]0;title\u{7}", 0),
            ("color", "\u{1b}[31", 0),
            ("color", "\u{1b}[3\u{e9}m", 0),
            ("color", "\u{1b}", 0),
            ("color", "m", 0),
        ] {
            assert_eq!(length(words, text), expected, "{words} {text:?}");
        }
    }
}
