//! The shape of the source itself: which part may know which, and how long a file may be.

use std::fs;
use std::path::{Path, PathBuf};

/// The longest file, in lines.
const LONGEST: usize = 350;
/// A file's path below the project, and its text.
struct Source {
    path: String,
    text: String,
}

fn sources(directory: &str) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    let mut open = vec![root.join(directory)];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(directory).expect("a directory of the project") {
            let path: PathBuf = entry.expect("a directory can be read").path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("sources are UTF-8");
                let path = path.strip_prefix(root).expect("below the root");
                let path = path.to_string_lossy().replace('\\', "/");
                found.push(Source { path, text });
            }
        }
    }
    found.sort_by(|one, other| one.path.cmp(&other.path));
    found
}

/// Lines of code that contain `word`, as `path: line`, outside of the files that may.
fn named(word: &str, allowed: &[&str]) -> Vec<String> {
    let files = sources("src");
    let others = files
        .iter()
        .filter(|file| !allowed.iter().any(|start| file.path.starts_with(start)));
    others
        .flat_map(|file| file.text.lines().map(|line| (file.path.as_str(), line.trim())))
        .filter(|(_, line)| !line.starts_with("//") && line.contains(word))
        .map(|(path, line)| format!("{path}: {line}"))
        .collect()
}

#[test]
fn each_word_is_known_where_it_belongs() {
    for (word, allowed) in [
        ("stderr()", &["src/report/", "src/trace.rs"][..]),
        ("eprint", &[]),
        ("rustls", &["src/http/", "src/explain/network"]),
        ("keyring", &["src/credential/keychain"]),
        ("Command::new", &["src/git/mod.rs", "src/credential/askpass"]),
        ("set_var", &[]),
    ] {
        assert_eq!(
            named(word, allowed),
            Vec::<String>::new(),
            "'{word}' is for {allowed:?} only"
        );
    }
}

/// The bridge sees HTTP through gitoxide's trait and secrets through its own; the lowest parts see nothing above them.
#[test]
fn dependencies_point_one_way() {
    let upper = ["http", "credential", "helper", "repository", "cli"];
    for (part, unknown) in [
        ("src/bridge/", &upper[..]),
        (
            "src/report/",
            &["bridge", "http", "credential", "helper", "repository", "cli"],
        ),
        ("src/http/", &["address", "explain", "helper", "repository", "cli"]),
        ("src/explain/", &["helper", "repository", "cli"]),
        ("src/credential/", &["http", "explain", "helper", "repository", "cli"]),
        ("src/git/", &["bridge", "http", "helper", "repository", "cli"]),
        (
            "src/address/",
            &["bridge", "http", "credential", "helper", "repository", "cli"],
        ),
        ("src/agent/", &["helper", "cli"]),
        ("src/helper/", &["cli"]),
        (
            "src/secret/",
            &["address", "bridge", "http", "credential", "helper", "repository", "cli"],
        ),
        ("src/environment/", &["credential"]),
    ] {
        for name in unknown {
            let word = format!("crate::{name}::");
            let found: Vec<_> = named(&word, &[])
                .into_iter()
                .filter(|line| line.starts_with(part))
                .collect();
            assert_eq!(found, Vec::<String>::new(), "{part} must not know {name}");
        }
    }
}

#[test]
fn every_file_says_what_it_is_for_and_none_is_too_long() {
    for file in sources("src").iter().chain(&sources("tests")) {
        assert!(
            file.text.starts_with("//! "),
            "{} does not begin with its purpose",
            file.path
        );
        let lines = file.text.lines().count();
        assert!(lines <= LONGEST, "{} has {lines} lines", file.path);
    }
}

/// A test file that no module names would never run, and nobody would notice.
#[test]
fn every_test_file_is_reached_from_main() {
    for file in sources("tests/it") {
        let path = file.path.strip_prefix("tests/it/").expect("below tests/it");
        let Some(name) = path
            .strip_suffix("/mod.rs")
            .or(path.strip_suffix(".rs"))
            .filter(|name| *name != "main")
        else {
            continue;
        };
        let (directory, module) = name.rsplit_once('/').unwrap_or(("", name));
        let parent = [
            format!("{directory}/mod.rs"),
            format!("{directory}.rs"),
            "main.rs".to_owned(),
        ]
        .into_iter()
        .map(|path| {
            Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("tests/it")
                .join(path.trim_start_matches('/'))
        })
        .find(|path| path.exists())
        .expect("a parent");
        let text = fs::read_to_string(parent).expect("sources are UTF-8");
        let declared = text
            .lines()
            .any(|line| line.trim_end().ends_with(&format!("mod {module};")));
        assert!(declared, "{} is not run", file.path);
    }
}

/// What is not in the README is not known to anybody.
#[test]
fn every_variable_and_setting_stands_in_the_readme() {
    let readme =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).expect("there is a README");
    for variable in git_remote_bbcloud::environment::variable::ALL {
        assert!(readme.contains(&format!("`{}`", variable.name)), "{}", variable.name);
    }
    for file in sources("src") {
        let settings = file.text.split('"').filter(|text| {
            text.strip_prefix("bbcloud.")
                .is_some_and(|key| !key.is_empty() && key.chars().all(|c| c.is_ascii_alphabetic()))
        });
        for setting in settings {
            assert!(readme.contains(&format!("`{setting}`")), "{}: {setting}", file.path);
        }
    }
}

/// A dependency is a decision: each says in a line above it what it is for.
#[test]
fn every_dependency_says_what_it_is_for() {
    let manifest = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).expect("a manifest");
    let (mut in_list, mut explained, mut count) = (false, false, 0);
    for line in manifest.lines() {
        if line.starts_with('[') {
            in_list = line.ends_with("dependencies]");
        } else if line.starts_with('#') {
            explained = true;
        } else if line.trim().is_empty() {
            explained = false;
        } else if in_list {
            count += 1;
            // What `keyring` leaves out is said above it.
            assert!(explained || line.starts_with("keyring-core"), "{line}");
            explained = false;
        }
    }
    assert!(count > 20, "the lists were not found");
}
