//! Configuration of git's command line, as git hands it to the programs that it starts.
//!
//! `git -c a.b=c` arrives in `GIT_CONFIG_PARAMETERS`, quoted for a shell, in one of two forms: `'a.b=c'` (git before
//! 2.31) or `'a.b'='c'`. Of neither does gitoxide know. It must not know what a key means.

use gix::bstr::{BStr, BString, ByteSlice as _};

/// A key with its value; no value at all means true (`git -c a.b`).
pub(super) type Parameter = (BString, Option<BString>);

/// Returns the keys and values of `text` in order; `None` where it is not as git writes it.
pub(super) fn parse(text: &[u8]) -> Option<Vec<Parameter>> {
    let mut parameters = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (first, after) = unquote(rest)?;
        let (parameter, after) = match after.first() {
            None => (joined(first.as_bstr()), after),
            Some(space) if space.is_ascii_whitespace() => (joined(first.as_bstr()), after),
            Some(b'=') => paired(first, after.get(1..)?)?,
            Some(_) => return None,
        };
        parameters.push(parameter);
        rest = after.trim_ascii_start();
    }
    Some(parameters)
}

/// The older form: key and value in one word, where blanks around the key do not count.
fn joined(word: &BStr) -> Parameter {
    match word.split_once_str("=") {
        Some((key, value)) => (key.trim().into(), Some(value.into())),
        None => (word.trim().into(), None),
    }
}

/// The newer form, from after the equals sign on.
fn paired(key: BString, rest: &[u8]) -> Option<(Parameter, &[u8])> {
    if rest.first().is_none_or(u8::is_ascii_whitespace) {
        return Some(((key, None), rest));
    }
    let (value, rest) = unquote(rest)?;
    let ends = rest.first().is_none_or(u8::is_ascii_whitespace);
    ends.then_some(((key, Some(value)), rest))
}

/// Takes one word in single quotes off `text`; `'\''` and `'\!'` within it stand for one character.
fn unquote(text: &[u8]) -> Option<(BString, &[u8])> {
    let mut word = BString::default();
    let mut rest = text.strip_prefix(b"'")?;
    loop {
        let end = rest.find_byte(b'\'')?;
        let (part, after) = rest.split_at_checked(end)?;
        word.extend_from_slice(part);
        match after {
            [b'\'', b'\\', escaped @ (b'\'' | b'!'), b'\'', more @ ..] => {
                word.push(*escaped);
                rest = more;
            }
            [b'\'', more @ ..] => return Some((word, more)),
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(text: &str) -> Option<Vec<(String, Option<String>)>> {
        let text_of = |bytes: BString| bytes.to_string();
        let parameters = parse(text.as_bytes())?.into_iter();
        Some(
            parameters
                .map(|(key, value)| (text_of(key), value.map(text_of)))
                .collect(),
        )
    }

    #[test]
    fn both_forms_are_read() {
        let cases = [
            ("'a.b=c'", "a.b", Some("c")),
            ("' a.b =c '", "a.b", Some("c ")),
            ("'a.b'", "a.b", None),
            ("'a.b'='c d'", "a.b", Some("c d")),
            ("'a.x=y.b'='c'", "a.x=y.b", Some("c")),
            ("'a.b'='' ", "a.b", Some("")),
            ("'a.b'=", "a.b", None),
            (r"'a.b'='it'\''s '\!''", "a.b", Some("it's !")),
        ];
        for (text, key, value) in cases {
            assert_eq!(
                shown(text),
                Some(vec![(key.to_owned(), value.map(str::to_owned))]),
                "{text}"
            );
        }
        assert_eq!(shown(""), Some(vec![]));
        assert_eq!(shown("'a.b'= 'c.d=1'").map(|all| all.len()), Some(2));
    }

    #[test]
    fn what_git_calls_bogus_is_refused() {
        for text in [
            " 'a.b=1'",
            "a.b=1",
            "'a.b=1''c.d=2'",
            "'a.b'='x'y",
            "'a.b",
            "'a.b'=x",
            r"'a.b'='x'\x",
        ] {
            assert_eq!(shown(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_quoted_comes_back(pairs in prop::collection::vec(("[a-z]{1,3}\\.[a-z]{1,3}", "\\PC{0,12}"), 0..4)) {
            let quoted = |text: &str| gix::quote::single(text.into()).to_string();
            let words: Vec<_> = pairs.iter().map(|(key, value)| format!("{}={}", quoted(key), quoted(value))).collect();
            let expected = pairs.into_iter().map(|(key, value)| (key, Some(value))).collect();
            prop_assert_eq!(shown(&words.join(" ")), Some(expected));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "['\\\\!= a-c.]{0,20}") {
            let _parameters = shown(&text);
        }
    }
}
