//! The README explains messages that the program really has.

use std::fs;
use std::path::Path;

use super::table;

/// The messages in the first column of the table, as far as they are quoted there.
fn explained() -> Vec<String> {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = fs::read_to_string(readme).expect("there is one");
    let (_, section) = readme.split_once("\n## What to do when").expect("the section is there");
    let section = section.split("\n## ").next().unwrap_or_default();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.flat_map(|row| {
        let cell = row.split(" |").next().unwrap_or_default();
        let quoted = cell.split('`').step_by(2).map(str::to_owned);
        quoted.filter(|text| !text.is_empty()).collect::<Vec<_>>()
    })
    .collect()
}

#[test]
fn every_message_that_the_readme_explains_is_in_the_tables() {
    let Some(entries) = table::all() else { return };
    let lines: Vec<&String> = entries.iter().flat_map(|entry| &entry.lines).collect();
    let explained = explained();
    assert!(explained.len() > 20, "{explained:?}");
    for message in explained {
        // The tests have a server of their own.
        let here = message.replace("bitbucket.org", "localhost");
        let has = |line: &&&String| {
            let mut rest = Some(line.as_str());
            for part in here.split('…') {
                rest = rest
                    .and_then(|rest| rest.split_once(part.trim()))
                    .map(|(_, after)| after);
            }
            rest.is_some()
        };
        assert!(lines.iter().any(|line| has(&line)), "no scene says '{message}'");
    }
}
