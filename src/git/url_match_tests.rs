//! Every rule of `http.<url>.*` against git itself, and what holds for any address.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use proptest::prelude::*;
use url::Url;

use super::Parts;
use crate::environment::Environment;
use crate::git::config::Config;

/// One value of each pattern in this order; `x` is set by all of them.
const PATTERNS: &[&str] = &[
    "https://example.com",
    "https://example.com/",
    "HTTPS://EXAMPLE.com",
    "http://example.com",
    "https://*.example.com",
    "https://*.com",
    "https://*",
    "https://*.*.com/path",
    "https://sub.*.com",
    "https://ex*mple.com",
    "https://sub.example.com",
    "https://example.com/path",
    "https://example.com/path/",
    "https://example.com/path/file",
    "https://example.com/pat",
    "https://example.com/a/../path",
    "https://example.com/path/.",
    "https://example.com/./path//",
    "https://example.com/../path",
    "https://example.com/p%61th",
    "https://example.com/p%2fth",
    "https://example.com/p%zzth",
    "https://example.com/%7Euser",
    "https://example.com/~user",
    "https://example.com/with space",
    "https://example.com/with%20space/",
    "https://example.com?q=1",
    "https://example.com:443",
    "https://example.com:0443",
    "https://example.com:",
    "https://example.com:8443",
    "https://example.com:0",
    "https://example.com:99999",
    "https://example.com:x",
    "https://user@example.com",
    "https://user:pass@example.com",
    "https://us%65r@example.com/path",
    "https://other@example.com",
    "https://@example.com",
    "https://user@example.com/path",
    "https://*@example.com",
    "https://[::1]",
    "https://[::1]:8443/x",
    "https://_x.example.com",
    "https:///path",
    "example.com",
    "https:example.com",
    "not a url",
    "",
    "https://sub.example.com/path",
    "https://*.example.com/path/longer/than",
];

const ADDRESSES: &[&str] = &[
    "https://example.com/",
    "https://example.com/path",
    "https://example.com/path/file.git",
    "https://example.com/path/file",
    "https://example.com/paths",
    "https://example.com/p%2fth/x",
    "https://example.com/~user/r",
    "https://example.com/with%20space/r",
    "https://example.com/?q=1",
    "https://example.com:8443/path",
    "https://user@example.com/path/file",
    "https://user:pass@example.com/",
    "https://other@example.com/path",
    "https://:pass@example.com/path",
    "https://sub.example.com/path/longer/than/this",
    "https://a.sub.example.com/path",
    "https://_x.example.com/",
    "https://localhost/",
    "http://example.com/path",
    "https://[::1]/x",
    "https://[::1]:8443/x/y",
];

/// A value for each pattern under a name of its own, and one that all have, in `order`.
fn config_text(order: impl Iterator<Item = usize>) -> String {
    let mut text = "[http]\nplain = yes\nx = plain\n".to_owned();
    for n in order {
        writeln!(text, "[http \"{}\"]\np{n} = yes\nx = p{n}", PATTERNS[n]).expect("written");
    }
    text
}

#[test]
fn git_agrees_on_every_pattern_and_address() {
    for (reversed, last) in [(false, "plain"), (true, "p0")] {
        let forward = 0..PATTERNS.len();
        let text = if reversed {
            config_text(forward.rev())
        } else {
            config_text(forward)
        };
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), &text).expect("written");
        let global = file.path().to_str().expect("UTF-8");
        let environment = Environment::from_pairs([("GIT_CONFIG_GLOBAL", global), ("GIT_CONFIG_NOSYSTEM", "1")]);
        let config = Config::load(&environment).expect("loaded");
        for address in ADDRESSES {
            let output = crate::git::command()
                .args(["config", "--file", global, "--get-urlmatch", "http", address])
                .output()
                .expect("git");
            let git: BTreeSet<String> = String::from_utf8_lossy(&output.stdout)
                .lines()
                .map(str::to_owned)
                .collect();
            assert!(git.len() > 1, "git found nothing for {address}");
            let http = config.http(&Url::parse(address).expect("a URL"));
            let names = (0..PATTERNS.len())
                .map(|n| format!("p{n}"))
                .chain(["plain".to_owned(), "x".to_owned()]);
            let ours = names
                .filter_map(|name| Some(format!("http.{name} {}", http.text(&name)?)))
                .collect();
            assert_eq!(git, ours, "{address} (last is {last})");
        }
    }
}

#[test]
fn values_add_up_as_long_as_they_come_no_farther_away() {
    let text = "[http]\nextraHeader = A: 1\n[http \"https://x.y/z\"]\nextraHeader = B: 2\n\
                [http \"https://x.y\"]\nextraHeader = C: 3\n[http \"https://x.y/z\"]\nextraHeader = D: 4\n";
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), text).expect("written");
    let global = [("GIT_CONFIG_GLOBAL", file.path())];
    let config = Config::load(&Environment::from_pairs(global)).expect("loaded");
    let headers = |url: &str| config.http(&Url::parse(url).expect("a URL")).list("extraheader");
    assert_eq!(headers("https://x.y/z/r"), ["A: 1", "B: 2", "D: 4"]);
    assert_eq!(headers("https://x.y/"), ["A: 1", "C: 3"]);
    assert_eq!(headers("https://other/"), ["A: 1"]);
}

proptest! {
    #[test]
    fn any_text_is_taken_apart_or_refused(text in "\\PC{0,40}", pattern: bool) {
        let _parts = Parts::of(&text, pattern);
        let _parts = Parts::of(&format!("https://{text}"), pattern);
    }

    #[test]
    fn an_address_matches_itself_and_what_is_below_it(
        host in "[a-z0-9]{1,5}(\\.[a-z]{1,3}){0,2}",
        path in "(/[a-z0-9%~ ._-]{1,4}){0,3}",
    ) {
        let pattern = Parts::of(&format!("https://{host}{path}"), true);
        let below = Parts::of(&format!("https://{host}{path}/repo.git"), false);
        if let (Some(pattern), Some(below)) = (pattern, below) {
            prop_assert!(pattern.rank_for(&pattern).is_some());
            prop_assert!(pattern.rank_for(&below).is_some());
            prop_assert!(below.path == pattern.path || below.rank_for(&pattern).is_none());
        }
    }
}

#[test]
fn bytes_that_are_not_utf_8_stay_as_they_are() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), b"[http]\nextraHeader = X-Name: M\xfcller\n").expect("written");
    let global = [("GIT_CONFIG_GLOBAL", file.path())];
    let config = Config::load(&Environment::from_pairs(global)).expect("loaded");
    let http = config.http(&Url::parse("https://x.y/").expect("a URL"));
    assert_eq!(http.byte_list("extraheader"), [b"X-Name: M\xfcller"]);
}
