//! The wildcards of rules: `*` stops at a slash, `**` does not, every other byte stands for itself.
//!
//! Does not depend on what the text names. The time is the length of the text times that of the pattern, whatever the
//! two are: the text comes from the sandbox.

/// One piece of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece {
    Byte(u8),
    /// `*`
    Part,
    /// `**`
    Path,
}

/// A pattern that is matched against a whole text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Glob {
    pieces: Vec<Piece>,
    ignores_case: bool,
}

impl Glob {
    /// Returns the pattern that `text` writes; the case of ASCII letters counts.
    pub(super) fn exact(text: &str) -> Self {
        Self::new(text, false)
    }

    /// Returns the pattern that `text` writes; the case of ASCII letters does not count.
    pub(super) fn name(text: &str) -> Self {
        Self::new(text, true)
    }

    fn new(text: &str, ignores_case: bool) -> Self {
        let mut pieces = Vec::new();
        let mut rest = text.as_bytes();
        while let Some((first, after)) = rest.split_first() {
            rest = after;
            let piece = match (first, after.strip_prefix(b"*")) {
                (b'*', Some(after)) => {
                    rest = after;
                    Piece::Path
                }
                (b'*', None) => Piece::Part,
                (byte, _) => Piece::Byte(*byte),
            };
            pieces.push(piece);
        }
        Self { pieces, ignores_case }
    }

    /// Whether the pattern has no wildcard.
    pub(super) fn is_literal(&self) -> bool {
        self.pieces.iter().all(|piece| matches!(piece, Piece::Byte(_)))
    }

    /// Whether all of `text` matches.
    pub(super) fn matches(&self, text: &[u8]) -> bool {
        // `reached[n]`: the text so far is matched by the first `n` pieces.
        let mut reached = vec![false; self.pieces.len() + 1];
        if let Some(start) = reached.first_mut() {
            *start = true;
        }
        self.skip_wildcards(&mut reached);
        for byte in text {
            let mut next = vec![false; reached.len()];
            for (at, piece) in self.pieces.iter().enumerate() {
                if !reached.get(at).copied().unwrap_or_default() {
                    continue;
                }
                let (stays, goes) = match piece {
                    Piece::Byte(wanted) => (false, self.is_same(*wanted, *byte)),
                    Piece::Part => (*byte != b'/', false),
                    Piece::Path => (true, false),
                };
                for place in [(at, stays), (at + 1, goes)] {
                    if let (Some(reached), true) = (next.get_mut(place.0), place.1) {
                        *reached = true;
                    }
                }
            }
            self.skip_wildcards(&mut next);
            reached = next;
        }
        reached.last().copied().unwrap_or_default()
    }

    /// A wildcard matches nothing, too.
    fn skip_wildcards(&self, reached: &mut [bool]) {
        for (at, piece) in self.pieces.iter().enumerate() {
            if reached.get(at) == Some(&true)
                && !matches!(piece, Piece::Byte(_))
                && let Some(next) = reached.get_mut(at + 1)
            {
                *next = true;
            }
        }
    }

    fn is_same(&self, one: u8, other: u8) -> bool {
        one == other || self.ignores_case && one.eq_ignore_ascii_case(&other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_star_stops_at_a_slash_and_two_do_not() {
        for (pattern, text, matches) in [
            ("refs/heads/*", "refs/heads/a", true),
            ("refs/heads/*", "refs/heads/", true),
            ("refs/heads/*", "refs/heads/a/b", false),
            ("refs/heads/**", "refs/heads/a/b", true),
            ("refs/**/b", "refs/heads/a/b", true),
            ("refs/*/b", "refs/heads/a/b", false),
            ("refs/heads/ai/*", "refs/heads/ai/x", true),
            ("refs/heads/ai/*", "refs/heads/aix", false),
            ("refs/heads/a*c", "refs/heads/abbbc", true),
            ("refs/heads/a*c", "refs/heads/abbbcd", false),
            ("refs/heads/main", "refs/heads/main", true),
            ("refs/heads/main", "refs/heads/Main", false),
            ("refs/heads/main", "refs/heads/mai", false),
            ("", "", true),
            ("*", "", true),
            ("", "a", false),
        ] {
            assert_eq!(
                Glob::exact(pattern).matches(text.as_bytes()),
                matches,
                "{pattern} {text}"
            );
        }
    }

    #[test]
    fn names_match_in_any_case() {
        assert!(Glob::name("Acme").matches(b"aCME"));
        assert!(Glob::name("wid*").matches(b"WIDGETS"));
        assert!(!Glob::name("acme").matches(b"acme2"));
    }

    #[test]
    fn many_stars_take_no_longer_than_a_few() {
        let pattern = format!("refs/{}b", "*a".repeat(200));
        let text = format!("refs/{}", "a".repeat(4000));
        assert!(!Glob::exact(&pattern).matches(text.as_bytes()));
    }
}
