//! A program of the tests' own: a script that git, or the helper, starts.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Writes `script` to `path`, below a line that names the shell, and makes it executable.
///
/// A process of its own writes it. While this one held the file open for writing, another thread could start a process,
/// which would have the file open too until it starts its own program; to start the script in that moment fails with
/// `ETXTBSY`, "Text file busy".
pub(crate) fn program(path: impl AsRef<Path>, script: &str) -> PathBuf {
    let path = path.as_ref();
    let text = path.with_extension("script-text");
    fs::write(&text, format!("#!/bin/sh\n{script}\n")).expect("a file can be written");
    copy(&text, path);
    fs::remove_file(&text).expect("it is our own file");
    path.to_owned()
}

/// Copies a program to `path`, as [`program`] writes one.
#[expect(clippy::disallowed_methods, reason = "no process of the product")]
pub(crate) fn copy(program: &Path, path: &Path) {
    let made = Command::new("sh")
        .args(["-c", "cat \"$1\" >\"$2\" && chmod 755 \"$2\"", "sh"])
        .args([program, path])
        .stdin(Stdio::null())
        .status()
        .expect("sh can be started");
    assert!(made.success(), "{} cannot be written", path.display());
}
