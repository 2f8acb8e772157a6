//! Every text of the sources has a scene, or a reason why it has none.

use std::fmt::Write as _;

use super::sources::{self, Text};
use super::table::{self, ANEW};

/// What no test can produce here, and why.
const UNPRODUCIBLE: &[(&str, &str)] = &[];

/// What looks like a text for people and is none.
const NO_TEXT: &[&str] = &[];

fn is_listed(text: &Text) -> bool {
    UNPRODUCIBLE.iter().any(|(known, _)| *known == text.text) || NO_TEXT.contains(&text.text.as_str())
}

#[test]
fn every_text_has_a_scene() {
    let entries = table::all();
    let lines: Vec<&String> = entries.iter().flat_map(|entry| &entry.lines).collect();
    let mut missing = String::new();
    for text in sources::texts() {
        if !is_listed(&text) && !lines.iter().any(|line| text.is_in(line)) {
            writeln!(missing, "{}: {}", text.place, text.text).expect("a string can be written to");
        }
    }
    assert!(
        missing.is_empty(),
        "no scene of tests/it/messages says\n{missing}After one has been added: {ANEW}"
    );
}

#[test]
fn what_has_no_scene_is_still_a_text_and_has_none() {
    let entries = table::all();
    let lines: Vec<&String> = entries.iter().flat_map(|entry| &entry.lines).collect();
    let texts = sources::texts();
    let listed = UNPRODUCIBLE.iter().map(|(text, _)| text);
    for listed in listed.chain(NO_TEXT) {
        let text = texts.iter().find(|text| text.text == *listed);
        let text = text.unwrap_or_else(|| panic!("no source says '{listed}' any more"));
        assert!(
            !lines.iter().any(|line| text.is_in(line)),
            "a scene has '{listed}' all the same"
        );
    }
}
