//! `Accept-Language` from the user's languages, as git writes it.
//!
//! It must not know what the server says.

use crate::environment::Environment;
use crate::environment::variable::{LANG, LANGUAGE, LC_ALL, LC_MESSAGES};

/// The most languages and the longest header that git writes.
const MOST_LANGUAGES: usize = 999;
const MOST_BYTES: usize = 4000;

/// The header's value; `None` where the user has no language but `C`.
pub(super) fn accept(environment: &Environment) -> Option<String> {
    let set = |variable| environment.text(variable).filter(|text| !text.is_empty());
    let languages = set(&LANGUAGE).or_else(|| {
        let locale = set(&LC_ALL).or_else(|| set(&LC_MESSAGES)).or_else(|| set(&LANG))?;
        // `C.UTF-8` is no language either.
        let name = locale.split(['.', '@']).next().unwrap_or_default();
        (!matches!(name, "C" | "POSIX")).then_some(locale)
    })?;
    let tags = languages
        .split(':')
        .map(tag)
        .filter(|tag| !tag.is_empty())
        .take(MOST_LANGUAGES);
    let tags: Vec<String> = tags.chain(["*".to_owned()]).collect();
    (tags.len() > 1).then(|| header(&tags))
}

/// `de_AT.UTF-8@euro` is `de-AT`.
fn tag(language: &str) -> String {
    let name = language.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_');
    name.map(|c| if c == '_' { '-' } else { c }).collect()
}

/// The tags with falling weights, of as many decimals as there are tags to tell apart.
fn header(tags: &[String]) -> String {
    let decimals = (0..=4)
        .find(|decimals| 10_usize.pow(*decimals) >= tags.len())
        .unwrap_or(4);
    let most = 10_usize.pow(decimals);
    let mut header = String::new();
    for (n, tag) in tags.iter().enumerate() {
        let part = match n {
            0 => tag.clone(),
            _ => format!(
                ", {tag};q=0.{:0width$}",
                most.saturating_sub(n),
                width = decimals as usize
            ),
        };
        if header.len() + part.len() > MOST_BYTES {
            break;
        }
        header += &part;
    }
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_is_gits() {
        let cases = [
            ("", None),
            ("LANGUAGE=ko:en", Some("ko, en;q=0.9, *;q=0.8")),
            ("LANGUAGE=ko_KR.UTF-8:sr@latin", Some("ko-KR, sr;q=0.9, *;q=0.8")),
            ("LANGUAGE=ko LANG=en_US.UTF-8", Some("ko, *;q=0.9")),
            ("LANGUAGE= LANG=en_US.UTF-8", Some("en-US, *;q=0.9")),
            ("LC_ALL=C.UTF-8 LANG=en_US.UTF-8", None),
            ("LC_MESSAGES=de_AT@euro LANG=en_US.UTF-8", Some("de-AT, *;q=0.9")),
            ("LANGUAGE=:::", None),
        ];
        for (text, header) in cases {
            let pairs = text.split_whitespace().filter_map(|pair| pair.split_once('='));
            assert_eq!(accept(&Environment::from_pairs(pairs)).as_deref(), header, "{text}");
        }
    }

    #[test]
    fn many_languages_get_more_decimals_and_an_end() {
        let many = |count: usize| {
            let list = (0..count).map(|n| format!("a{n}")).collect::<Vec<_>>().join(":");
            accept(&Environment::from_pairs([("LANGUAGE", list)])).expect("a header")
        };
        assert!(many(9).ends_with("a8;q=0.2, *;q=0.1"));
        assert!(many(10).ends_with("a9;q=0.91, *;q=0.90"));
        assert!(many(2000).len() <= MOST_BYTES);
    }
}
