//! The terminal of this process, even where its standard streams are git's pipes.
//!
//! The terminal's own line editor is not used, because it cuts lines (at 1024 bytes on macOS). Ctrl-C stays a signal to
//! the whole job; whatever ends the process, the terminal is put back before.

use std::fs::File;
use std::io::{self, Write as _};

use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use super::keys;
use crate::process::{self, Pending};

const PATH: &str = "/dev/tty";

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
    let answer = keys::read(&terminal, &terminal, echo);
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
