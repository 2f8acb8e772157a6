//! The terminal of this process, even where its standard streams are git's pipes.
//!
//! A secret is read key by key, because the terminal's own line editor cuts lines (at 1024 bytes on macOS). Ctrl-C
//! stays a signal to the whole job; whatever ends the process, the terminal is put back before.

use std::fs::File;
use std::io::{self, Read as _, Write as _};

use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use crate::process::{self, Pending};

const PATH: &str = "/dev/tty";

/// The longest answer, in bytes; so much is set aside, because a string that grows leaves copies behind.
const MAX: usize = 16 * 1024;

/// What stands for a key that no byte is (`_POSIX_VDISABLE`).
const DISABLED: u8 = if cfg!(target_os = "linux") { 0 } else { 0xff };

/// Whether this process has a terminal.
pub(super) fn is_there() -> bool {
    open().is_ok()
}

fn open() -> io::Result<File> {
    File::options().read(true).write(true).open(PATH)
}

/// Asks `question` and returns what is typed, without the line's end. [`io::ErrorKind::UnexpectedEof`] is Ctrl-D or a
/// terminal that is gone, [`io::ErrorKind::Interrupted`] is Ctrl-C.
pub(super) fn ask(question: &str, echo: bool) -> io::Result<Zeroizing<String>> {
    let terminal = open()?;
    let silence = silence(&terminal)?;
    (&terminal).write_all(question.as_bytes())?;
    let answer = read_keys(&terminal, echo);
    (&terminal).write_all(b"\r\n")?;
    drop(silence);
    if answer
        .as_ref()
        .is_err_and(|error| error.kind() == io::ErrorKind::Interrupted)
    {
        process::interrupt();
    }
    answer
}

fn read_keys(mut terminal: &File, echo: bool) -> io::Result<Zeroizing<String>> {
    let mut line = Zeroizing::new(Vec::with_capacity(MAX));
    loop {
        let mut key = [0];
        if terminal.read(&mut key)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let [byte] = key;
        match byte {
            b'\r' | b'\n' => break,
            // A byte, and no signal, where the terminal was told so before.
            3 => return Err(io::ErrorKind::Interrupted.into()),
            4 if line.is_empty() => return Err(io::ErrorKind::UnexpectedEof.into()),
            // Ctrl-U takes all of it back, backspace one character, which may be several bytes.
            21 => line.clear(),
            8 | 127 => {
                while line.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {}
                if echo {
                    terminal.write_all(b"\x08 \x08")?;
                }
            }
            byte if byte < 0x20 => {}
            byte if line.len() < MAX => {
                line.push(byte);
                if echo {
                    terminal.write_all(&key)?;
                }
            }
            _ => {}
        }
    }
    match std::str::from_utf8(&line) {
        Ok(text) => Ok(Zeroizing::new(text.to_owned())),
        Err(_) => Err(io::ErrorKind::InvalidData.into()),
    }
}

/// Makes `terminal` show nothing that is typed, until the value is dropped or the process ends.
fn silence(terminal: &File) -> io::Result<Pending> {
    let before = tcgetattr(terminal)?;
    let mut silent = before.clone();
    silent.local_modes -= LocalModes::ECHO | LocalModes::ECHONL | LocalModes::ICANON;
    silent.special_codes[SpecialCodeIndex::VMIN] = 1;
    silent.special_codes[SpecialCodeIndex::VTIME] = 0;
    // Whoever comes back from Ctrl-Z would find the terminal as the shell has left it, and type into the open.
    silent.special_codes[SpecialCodeIndex::VSUSP] = DISABLED;
    let put_back = terminal.try_clone()?;
    // Now, and not after what was written: a terminal that Ctrl-S has stopped would keep the process from ending. What
    // was typed before the question stays: it may be the answer, pasted early.
    let ((), pending) = Pending::begin(
        || Ok(tcsetattr(terminal, OptionalActions::Now, &silent)?),
        move || {
            tcsetattr(put_back, OptionalActions::Now, &before).ok();
        },
    )?;
    Ok(pending)
}
