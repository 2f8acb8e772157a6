//! The forms in which a secret could be found: as it is, and as URLs and the headers of requests have it.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use gix::bstr::ByteSlice as _;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::bitbucket::{ACCESS_TOKEN_USER, API_TOKEN_USER};

/// Shorter ones are words of any text: no test takes such a one for a secret that works.
const SHORTEST: usize = 6;

pub(super) struct Forms(BTreeSet<Vec<u8>>);

impl Forms {
    /// Of pairs of a user name and a secret.
    pub(super) fn of(secrets: &[(String, String)]) -> Self {
        let mut forms = BTreeSet::new();
        for (user, secret) in secrets.iter().filter(|(_, secret)| secret.len() >= SHORTEST) {
            forms.insert(secret.clone());
            forms.insert(utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string());
            forms.extend(coded(secret));
            for user in [user.as_str(), API_TOKEN_USER, ACCESS_TOKEN_USER] {
                forms.extend(coded(&format!("{user}:{secret}")));
            }
        }
        Self(forms.into_iter().map(String::into_bytes).collect())
    }

    pub(super) fn are_in(&self, text: &[u8]) -> bool {
        self.0.iter().any(|form| text.contains_str(form))
    }

    /// How many bytes of one piece of a text have to be looked at again with the next.
    pub(super) fn overlap(&self) -> usize {
        self.0.iter().map(Vec::len).max().unwrap_or_default()
    }
}

/// Without what stands at the end, which another end would change.
fn coded(text: &str) -> [String; 2] {
    [STANDARD.encode(text), URL_SAFE.encode(text)].map(|coded| coded.trim_end_matches('=').to_owned())
}

#[test]
fn every_form_of_a_secret_is_known() {
    let forms = Forms::of(&[
        ("ada".to_owned(), "s3cret?>~/".to_owned()),
        ("x".to_owned(), "short".to_owned()),
    ]);
    let standard = STANDARD.encode("ada:s3cret?>~/");
    let url_safe = URL_SAFE.encode("ada:s3cret?>~/");
    assert_ne!(standard, url_safe);
    let fixed = STANDARD.encode(format!("{API_TOKEN_USER}:s3cret?>~/"));
    for text in [
        "https://ada:s3cret%3F%3E%7E%2F@host/",
        "a s3cret?>~/",
        &standard,
        &url_safe,
        &fixed,
    ] {
        assert!(forms.are_in(text.as_bytes()), "{text}");
        assert!(forms.are_in(&[b"\xff\xfe", text.as_bytes()].concat()), "{text}");
    }
    assert!(!forms.are_in(b"s3cret short"));
}
