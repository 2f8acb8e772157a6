//! The end state of a repository in words that can be compared: everything that an operation may have changed.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use super::run::run;
use super::scene::Scene;

/// What a repository is compared by, each with the git command that shows it.
const SHOWN: [(&str, &[&str]); 3] = [
    ("refs", &["for-each-ref", "--format=%(refname) %(objectname) %(symref)"]),
    ("objects", &["cat-file", "--batch-all-objects", "--batch-check"]),
    (
        "fsck",
        &[
            "-c",
            "core.commitGraph=false",
            "-c",
            "core.multiPackIndex=false",
            "fsck",
            "--strict",
            "--no-progress",
        ],
    ),
];

/// Files of the repository that say the rest.
const FILES: [&str; 4] = ["HEAD", "config", "shallow", "FETCH_HEAD"];

/// Describes every repository below the scene's work directory, and those of the server that were pushed to.
pub(crate) fn describe(scene: &Scene) -> String {
    describe_clients(scene) + &describe_pushed(scene)
}

/// Describes every repository below the scene's work directory.
pub(crate) fn describe_clients(scene: &Scene) -> String {
    let mut text = String::new();
    for (name, place) in repositories(&scene.work()) {
        describe_one(scene, &name, &place, &mut text);
        describe_files(&place, &place, &mut text);
    }
    scene.normalised(&text)
}

fn describe_pushed(scene: &Scene) -> String {
    let mut text = String::new();
    let requests = scene.bitbucket.requests();
    let pushes = requests
        .iter()
        .filter_map(|request| request.path.strip_suffix("/git-receive-pack"));
    for path in pushes.collect::<BTreeSet<_>>() {
        let parts: Vec<_> = path.split('/').collect();
        let start = parts.iter().position(|part| *part == "acme").unwrap_or_default();
        let name = parts.get(start..).unwrap_or_default().join("/").replacen(".git", "", 1);
        describe_one(
            scene,
            &format!("server {name}"),
            &scene.bitbucket.repository_path(&name),
            &mut text,
        );
    }
    scene.normalised(&text)
}

fn describe_one(scene: &Scene, name: &str, place: &Path, text: &mut String) {
    writeln!(text, "== {name}").expect(WRITES);
    for (what, arguments) in SHOWN {
        let mut git = scene.command("git", place);
        git.args(arguments).env("GIT_NO_LAZY_FETCH", "1");
        let output = run(git);
        writeln!(text, "{what}: {:?}\n{}", output.code, output.stdout).expect(WRITES);
    }
    let directory = Some(place.join(".git")).filter(|path| path.is_dir());
    let directory = directory.as_deref().unwrap_or(place);
    for file in FILES {
        let content = fs::read_to_string(directory.join(file)).unwrap_or_default();
        writeln!(text, "{file}: {content}").expect(WRITES);
    }
}

/// Every file of a working tree, with its content.
fn describe_files(root: &Path, directory: &Path, text: &mut String) {
    if root.join("objects").exists() {
        return;
    }
    for path in sorted(directory) {
        if path.file_name().is_some_and(|name| name == ".git") {
            continue;
        }
        if path.is_dir() {
            describe_files(root, &path, text);
        } else {
            let content = fs::read(&path).expect("a file can be read");
            let name = path.strip_prefix(root).unwrap_or(&path).display();
            writeln!(text, "{name}: {:?}", String::from_utf8_lossy(&content)).expect(WRITES);
        }
    }
}

/// The repositories in or below `root`, by their path from there.
fn repositories(root: &Path) -> Vec<(String, PathBuf)> {
    let mut found = Vec::new();
    let mut open = vec![root.to_owned()];
    while let Some(directory) = open.pop() {
        if directory.join(".git").exists() || directory.join("objects").exists() {
            let name = directory.strip_prefix(root).unwrap_or(&directory).display().to_string();
            found.push((name, directory.clone()));
        }
        if !directory.join("objects").exists() {
            let below = sorted(&directory).into_iter();
            open.extend(below.filter(|path| path.is_dir() && !path.ends_with(".git")));
        }
    }
    found.sort();
    found
}

fn sorted(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).expect("a directory can be read");
    let mut paths: Vec<_> = entries
        .map(|entry| entry.expect("a directory can be read").path())
        .collect();
    paths.sort();
    paths
}

const WRITES: &str = "a string can be written to";
