//! What comes into the program from others: counted, under licences that allow it, from the registry, each once.
//!
//! `cargo deny` looks at more where it is installed (`make deny`); this needs nothing but cargo.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::support::run::run;

/// Licences that ask for no more than to be named.
const LICENCES: [&str; 6] = ["MIT", "Apache-2.0", "ISC", "BSD-3-Clause", "Unicode-3.0", "Zlib"];

/// What is there in two versions, and why. `.deny.toml` has the same list.
const TWICE: [(&str, &str); 4] = [
    ("base64", "gix-transport is a version behind"),
    ("getrandom", "ring is a version behind the others"),
    ("hashbrown", "gix and indexmap differ"),
    ("syn", "macros of the build only, nothing of it is in the program"),
];

/// Runs cargo as the tests' own was run, without a network.
#[expect(
    clippy::disallowed_methods,
    reason = "cargo finds what it has downloaded where the tests' own cargo did"
)]
fn cargo(arguments: &[&str]) -> String {
    let mut cargo = crate::bitbucket::command(env!("CARGO"), Path::new("/"));
    for name in ["CARGO_HOME", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN", "HOME"] {
        cargo.envs(std::env::var_os(name).map(|value| (name, value)));
    }
    cargo.current_dir(env!("CARGO_MANIFEST_DIR")).args(arguments);
    let output = run(cargo);
    assert!(output.success(), "{}", output.stderr);
    output.stdout
}

/// A crate that is in the program.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Dependency {
    name: String,
    version: String,
    licence: String,
}

/// The program's dependencies on this system, but for those that only tests or builds need.
fn resolved() -> BTreeSet<Dependency> {
    let tree = "tree --locked --offline --edges=normal --prefix=none --format={p}|{l}";
    let said = cargo(&tree.split(' ').collect::<Vec<_>>());
    let lines = said.lines().filter(|line| !line.starts_with(env!("CARGO_PKG_NAME")));
    let dependencies = lines.filter_map(|line| {
        let (package, licence) = line.split_once('|')?;
        let mut words = package.split(' ');
        let (name, version) = (words.next()?, words.next()?);
        // What comes from a path or from git says so; `(*)` is what has been listed before.
        let place = words.find(|word| *word != "(proc-macro)" && *word != "(*)");
        assert_eq!(place, None, "{line}");
        Some(Dependency {
            name: name.to_owned(),
            version: version.to_owned(),
            licence: licence.trim_end_matches(" (*)").to_owned(),
        })
    });
    dependencies.collect()
}

/// Whether an expression of SPDX's can be satisfied with [`LICENCES`].
fn is_allowed(expression: &str) -> bool {
    let plain = expression.replace(['(', ')'], " ").replace('/', " OR ");
    plain.split(" OR ").any(|choice| {
        choice.split(" AND ").all(|licence| {
            let name = licence.split_whitespace().next().unwrap_or_default();
            LICENCES.contains(&name)
        })
    })
}

#[test]
fn every_dependency_is_counted_and_may_be_used() {
    let dependencies = resolved();
    let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for Dependency { name, version, licence } in &dependencies {
        assert!(is_allowed(licence), "{name} is under '{licence}'");
        versions.entry(name).or_default().insert(version);
    }
    let twice: Vec<_> = versions.iter().filter(|(_, versions)| versions.len() > 1).collect();
    let known: BTreeSet<_> = TWICE.iter().map(|(name, _)| *name).collect();
    let found: BTreeSet<_> = twice.iter().map(|(name, _)| **name).collect();
    assert_eq!(found, known, "{twice:?}");
    if cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("SECURITY.md");
        let security = std::fs::read_to_string(place).expect("it is there");
        let counted = format!("{} crates", dependencies.len());
        assert!(security.contains(&counted), "SECURITY.md does not say '{counted}'");
    }
}

#[test]
fn licences_are_read_as_they_are_written() {
    for good in [
        "MIT",
        "MIT OR Apache-2.0",
        "Apache-2.0/MIT",
        "GPL-3.0 OR ISC",
        "(MIT OR X) AND Zlib",
    ] {
        assert!(is_allowed(good), "{good}");
    }
    for bad in ["", "GPL-3.0", "MIT AND GPL-3.0", "MPL-2.0"] {
        assert!(!is_allowed(bad), "{bad}");
    }
}
