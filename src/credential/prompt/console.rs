//! The console of this process on Windows, even where its standard streams are git's pipes.
//!
//! Keys are read one by one, as on a terminal of Unix. Ctrl-C stays an event for every process of the console; whatever
//! ends the process, the console is put back before.

use std::fs::File;
use std::io::{self, Write as _};

use winapi_util::console;
use zeroize::Zeroizing;

use super::keys;
use crate::process::{self, Pending};

/// A console's mode in which it edits and shows nothing, and Ctrl-C is no key (`ENABLE_PROCESSED_INPUT`).
const KEYS: u32 = 0x0001;

/// Whether this process has a console.
pub(super) fn is_there() -> bool {
    open("CONIN$").is_ok()
}

/// Opens one of the two names that every console has; both ways, because its mode is read and written through it.
fn open(name: &str) -> io::Result<File> {
    File::options().read(true).write(true).open(name)
}

/// Asks `question` and returns what is typed, without the line's end.
pub(super) fn ask(question: &str, echo: bool) -> io::Result<Zeroizing<String>> {
    let (input, mut output) = (open("CONIN$")?, open("CONOUT$")?);
    let silence = silence(&input)?;
    output.write_all(question.as_bytes())?;
    let answer = keys::read(Keys(&input), &output, echo);
    output.write_all(b"\r\n")?;
    drop(silence);
    if answer
        .as_ref()
        .is_err_and(|error| error.kind() == io::ErrorKind::Interrupted)
    {
        process::interrupt();
    }
    answer
}

/// Makes the console show nothing that is typed, until the value is dropped or the process ends.
fn silence(input: &File) -> io::Result<Pending> {
    let before = console::mode(input)?;
    let put_back = input.try_clone()?;
    let ((), pending) = Pending::begin(
        || console::set_mode(input, KEYS),
        move || {
            console::set_mode(&put_back, before).ok();
        },
    )?;
    Ok(pending)
}

/// What is typed. Without a line editor a console's input has no end: a read of nothing is one that Ctrl-C broke off.
struct Keys<'a>(&'a File);

impl io::Read for Keys<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer)? {
            0 => Err(io::ErrorKind::Interrupted.into()),
            count => Ok(count),
        }
    }
}
