//! The repositories that every scene begins with, made once and copied: the same objects for both transports.

use std::fmt::Write as _;
use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use tempfile::TempDir;

use super::run::{run, run_with_input};
use super::skip::git_version;
use crate::bitbucket::{Bitbucket, Settings, Tls, command};

/// Branches `main` (eight commits), `topic` and `deep` from its middle, tags of both sorts, files in directories.
pub(crate) const MAIN: &str = "acme/widgets";
/// One commit, to be a submodule.
pub(crate) const PART: &str = "acme/parts";
/// Nothing at all.
pub(crate) const EMPTY: &str = "acme/empty";
/// One commit, SHA-256.
pub(crate) const MODERN: &str = "acme/modern";
/// Nothing at all, SHA-256.
pub(crate) const MODERN_EMPTY: &str = "acme/modern-empty";
/// The wiki of [`MAIN`].
pub(crate) const WIKI: &str = "acme/widgets/wiki";

/// The time of the first commit; each later one is a day younger.
const START: u64 = 1_750_000_000;

/// Puts the repositories under `root`.
pub(crate) fn place(root: &Path) {
    static MADE: OnceLock<PathBuf> = OnceLock::new();
    copy(MADE.get_or_init(made), root);
}

/// Returns where they have been made. They stay there for the next run, unless this file or git has changed.
fn made() -> PathBuf {
    let mut hasher = DefaultHasher::new();
    (include_str!("fixture.rs"), git_version()).hash(&mut hasher);
    let place = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let made = place.join(format!("repositories-{:016x}", hasher.finish()));
    if !made.exists() {
        let new = TempDir::new_in(place).expect("a temporary directory");
        let repositories = new.path().join("repositories");
        make(&repositories);
        // Another process may have been faster; its own are the same.
        let moved = fs::rename(repositories, &made);
        assert!(moved.is_ok() || made.exists(), "{moved:?}");
    }
    made
}

fn make(root: &Path) {
    let bitbucket = Bitbucket::start(Settings {
        root: Some(root.to_owned()),
        tls: Tls::Off,
        ..Settings::default()
    });
    let main = bitbucket.create_repository(MAIN);
    import(&main, &history());
    bitbucket.create_repository(PART);
    bitbucket.commit(PART, "main", "Begin", &[("part.txt", b"part\n")]);
    bitbucket.create_repository(EMPTY);
    bitbucket.create_sha256_repository(MODERN);
    bitbucket.commit(MODERN, "main", "Begin", &[("modern.txt", b"modern\n")]);
    bitbucket.create_sha256_repository(MODERN_EMPTY);
    bitbucket.create_wiki(MAIN);
    bitbucket.commit(WIKI, "main", "First page", &[("Home.md", b"# Home\n")]);
    for name in [MAIN, PART, MODERN, WIKI] {
        // A pack is one file to copy where loose objects are a hundred.
        let mut repack = command("git", root);
        repack
            .arg("-C")
            .arg(bitbucket.repository_path(name))
            .args(["repack", "-adq"]);
        assert!(run(repack).success());
    }
}

/// Feeds `stream` to `git fast-import` in the repository at `place`.
pub(crate) fn import(place: &Path, stream: &[u8]) {
    let mut git = command("git", place);
    git.arg("-C").arg(place).args(["fast-import", "--quiet", "--force"]);
    let output = run_with_input(git, stream);
    assert!(output.success(), "{}", output.stderr);
}

fn history() -> Vec<u8> {
    let mut stream = String::new();
    let (mut time, mut mark) = (START, 1);
    let mut commit = |branch: &str, from: &str, files: &[(&str, String)]| {
        write!(
            stream,
            "commit refs/heads/{branch}\nmark :{mark}\ncommitter Ada <ada@example.com> {time} +0000\n"
        )
        .expect(WRITES);
        write!(stream, "data 5\nstep\n\n{from}").expect(WRITES);
        for (path, content) in files {
            write!(stream, "M 100644 inline {path}\ndata {}\n{content}\n", content.len()).expect(WRITES);
        }
        time += 86_400;
        mark += 1;
    };
    for number in 1..=8 {
        // Long enough to be worth a delta, and different each time.
        let mut text = String::new();
        for line in 0..200 {
            writeln!(text, "{} {line}", line % number).expect(WRITES);
        }
        commit(
            "main",
            "",
            &[
                ("README.md", format!("# Widgets {number}\n")),
                (&format!("src/{number}.txt"), text),
            ],
        );
    }
    commit("topic", "from :4\n", &[("topic.txt", "topic\n".to_owned())]);
    commit("deep", "from :6\n", &[("a/b/c/deep.txt", "deep\n".to_owned())]);
    for (tag, from) in [("v1", 2), ("v2", 5), ("on-topic", 9)] {
        write!(
            stream,
            "tag {tag}\nfrom :{from}\ntagger Ada <ada@example.com> {time} +0000\ndata 4\ntag\n\n"
        )
        .expect(WRITES);
    }
    stream += "reset refs/tags/light\nfrom :7\n\n";
    stream.into_bytes()
}

/// So many bytes that cannot be compressed, the same each time.
pub(crate) fn noise(length: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        bytes.extend_from_slice(
            &(state ^ (state >> 29))
                .wrapping_mul(0x9e37_79b9_7f4a_7c15)
                .to_be_bytes(),
        );
    }
    bytes.truncate(length);
    bytes
}

const WRITES: &str = "a string can be written to";

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a directory can be made");
    for entry in fs::read_dir(from).expect("a directory can be read") {
        let entry = entry.expect("a directory can be read");
        // Git's sample hooks do nothing but take time.
        if entry.path().extension().is_some_and(|extension| extension == "sample") {
            continue;
        }
        let target = to.join(entry.file_name());
        if entry.file_type().expect("a file has a type").is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("a file can be copied");
        }
    }
}
