//! The repositories that are measured with, made when a case first needs them.

use std::fmt::Write as _;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::Stdio;

use crate::bitbucket::{Bitbucket, command};

const START: u64 = 1_750_000_000;
/// One blob of a large repository: it is streamed, and its pack is not one object.
const BLOB: usize = 20_000_000;
pub(crate) const SUBMODULES: usize = 20;
/// Commits on each side of a divergent history.
const LONG: u64 = 20_000;

/// `git fast-import` in the repository at `place`, fed by `write`.
pub(crate) fn import(place: &Path, write: impl FnOnce(&mut dyn Write) -> std::io::Result<()>) {
    let mut git = command("git", place);
    git.arg("-C").arg(place);
    // Written to the pack as it is, without compression and without the search for deltas.
    git.args(["-c", "core.compression=0", "-c", "core.bigFileThreshold=1m"]);
    git.args(["fast-import", "--quiet", "--force"]).stdin(Stdio::piped());
    let mut child = git.spawn().expect("git is on PATH");
    let mut stream = BufWriter::new(child.stdin.take().expect("it was piped"));
    write(&mut stream).expect("git reads it");
    stream.flush().expect("git reads it");
    drop(stream);
    assert!(
        child.wait().expect("git can be waited for").success(),
        "git fast-import"
    );
}

fn commit(stream: &mut dyn Write, branch: &str, time: u64, from: Option<&str>) -> std::io::Result<()> {
    write!(
        stream,
        "commit refs/heads/{branch}\ncommitter Ada <ada@example.com> {time} +0000\ndata 5\nstep\n\n"
    )?;
    from.map_or(Ok(()), |from| writeln!(stream, "from {from}"))
}

/// A handful of files and commits.
pub(crate) fn small(place: &Path) {
    import(place, |stream| {
        for number in 0..10 {
            commit(stream, "main", START + number, None)?;
            let text = "a line of text that is not very long\n".repeat(20 + usize::try_from(number).unwrap_or(0));
            for file in 0..10 {
                writeln!(
                    stream,
                    "M 100644 inline src/{file}.txt\ndata {}\n{number}{text}",
                    text.len() + 1
                )?;
            }
        }
        Ok(())
    });
}

/// So many files, no two alike.
pub(crate) fn files(place: &Path, files: usize) {
    import(place, |stream| {
        commit(stream, "main", START, None)?;
        for file in 0..files {
            let text = format!("line of file {file}\n").repeat(50);
            writeln!(stream, "M 100644 inline src/{file}.txt\ndata {}\n{text}", text.len())?;
        }
        Ok(())
    });
}

/// `refs` branches beside `main`, all of them its commit.
pub(crate) fn refs(place: &Path, refs: usize) {
    small(place);
    let head = text_of(place, &["rev-parse", "main"]);
    let mut packed = "# pack-refs with: peeled fully-peeled sorted \n".to_owned();
    for number in 1..refs {
        writeln!(packed, "{} refs/heads/team/branch-{number:06}", head.trim()).expect("a string can be written to");
    }
    std::fs::write(place.join("packed-refs"), packed).expect("it is our own directory");
}

/// So many megabytes that cannot be compressed.
pub(crate) fn large(place: &Path, megabytes: usize) {
    for (key, value) in [("core.bigFileThreshold", "1m"), ("core.compression", "0")] {
        text_of(place, &["config", key, value]);
    }
    import(place, |stream| {
        commit(stream, "main", START, None)?;
        let mut state = 1_u64;
        for number in 0..megabytes * 1_000_000 / BLOB {
            write!(stream, "M 100644 inline {number}\ndata {BLOB}\n")?;
            for _ in 0..BLOB / 8 {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                let word = (state ^ (state >> 29)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                stream.write_all(&word.to_be_bytes())?;
            }
            writeln!(stream)?;
        }
        Ok(())
    });
}

/// A repository with submodules, each beside it on the server.
pub(crate) fn submodules(bitbucket: &Bitbucket, name: &str) {
    let mut modules = String::new();
    let mut links = String::new();
    for number in 1..=SUBMODULES {
        let part = format!("part-{number:02}");
        let place = bitbucket.create_repository(&format!("acme/{part}"));
        small(&place);
        let head = text_of(&place, &["rev-parse", "main"]);
        writeln!(
            modules,
            "[submodule \"{part}\"]\n\tpath = {part}\n\turl = ../{part}.git"
        )
        .expect("a string can be written to");
        writeln!(links, "M 160000 {} {part}", head.trim()).expect("a string can be written to");
    }
    import(&bitbucket.create_repository(name), |stream| {
        commit(stream, "main", START, None)?;
        write!(
            stream,
            "M 100644 inline .gitmodules\ndata {}\n{modules}\n{links}\n",
            modules.len()
        )
    });
}

/// The common beginning of two long histories.
pub(crate) fn common(place: &Path) {
    grow(place, "main", 0, 200, None);
}

/// What one side adds to it: other commits for another `side`, at the same times.
pub(crate) fn diverge(place: &Path, branch: &str, side: u64, from: &str) {
    grow(place, branch, side, LONG, Some(from));
}

fn grow(place: &Path, branch: &str, side: u64, commits: u64, mut from: Option<&str>) {
    import(place, |stream| {
        for number in 0..commits {
            commit(stream, branch, START + side * 7 + number * 60, from.take())?;
            let text = format!("{side} {number}");
            writeln!(stream, "M 100644 inline file\ndata {}\n{text}", text.len())?;
        }
        Ok(())
    });
}

/// What git says in the repository at `place`.
pub(crate) fn text_of(place: &Path, arguments: &[&str]) -> String {
    let output = command("git", place).arg("-C").arg(place).args(arguments).output();
    let output = output.expect("git is on PATH");
    assert!(
        output.status.success(),
        "git {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}
