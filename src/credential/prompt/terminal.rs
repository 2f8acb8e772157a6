//! The terminal of this process, even where its standard streams are git's pipes.
//!
//! A secret is read key by key: the terminal's own line editor cuts lines (at 1024 bytes on macOS), and Ctrl-C there
//! would end the process with the terminal left silent.

use std::fs::File;
use std::io::{self, Read as _, Write as _};

use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use crate::process;

const PATH: &str = "/dev/tty";

/// The longest answer, in bytes; so much is set aside, because a string that grows leaves copies behind.
const MAX: usize = 16 * 1024;

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
    let silence = Silence::begin(&terminal)?;
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

/// While this lives, the terminal shows nothing that is typed.
struct Silence<'a> {
    terminal: &'a File,
    before: Termios,
}

impl<'a> Silence<'a> {
    fn begin(terminal: &'a File) -> io::Result<Self> {
        let before = tcgetattr(terminal)?;
        let mut silent = before.clone();
        silent.local_modes -= LocalModes::ECHO | LocalModes::ECHONL | LocalModes::ICANON | LocalModes::ISIG;
        silent.special_codes[SpecialCodeIndex::VMIN] = 1;
        silent.special_codes[SpecialCodeIndex::VTIME] = 0;
        // What was typed before the question stays: it may be the answer, pasted early.
        tcsetattr(terminal, OptionalActions::Drain, &silent)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Silence<'_> {
    fn drop(&mut self) {
        tcsetattr(self.terminal, OptionalActions::Drain, &self.before).ok();
    }
}
