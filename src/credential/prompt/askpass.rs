//! The program that asks in a window (`GIT_ASKPASS`, `core.askPass`, `SSH_ASKPASS`).

use std::ffi::OsStr;
use std::io;
use std::process::Stdio;

use zeroize::Zeroizing;

use crate::git;

/// Runs `program` with the question as its argument; its first line is the answer.
pub(super) fn ask(program: &OsStr, question: &str) -> io::Result<Zeroizing<String>> {
    let mut command = git::program(program);
    command.arg(question).stdin(Stdio::null()).stdout(Stdio::piped());
    let output = command.spawn()?.wait_with_output()?;
    let bytes = Zeroizing::new(output.stdout);
    if !output.status.success() {
        return Err(io::Error::other(output.status.to_string()));
    }
    let line = bytes
        .split(|byte| matches!(byte, b'\n' | b'\r'))
        .next()
        .unwrap_or_default();
    match std::str::from_utf8(line) {
        Ok(text) => Ok(Zeroizing::new(text.to_owned())),
        Err(_) => Err(io::ErrorKind::InvalidData.into()),
    }
}
