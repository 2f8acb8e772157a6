//! The console of this process on Windows.

use std::fs::File;
use std::io::{self, BufRead as _, Write as _};

use zeroize::Zeroizing;

/// Whether this process has a console.
pub(super) fn is_there() -> bool {
    File::options().read(true).write(true).open("CONIN$").is_ok()
}

/// Asks `question` and returns what is typed, without the line's end.
pub(super) fn ask(question: &str, echo: bool) -> io::Result<Zeroizing<String>> {
    if !echo {
        return rpassword::prompt_password(question).map(Zeroizing::new);
    }
    File::options()
        .write(true)
        .open("CONOUT$")?
        .write_all(question.as_bytes())?;
    let mut line = Zeroizing::new(String::new());
    let input = File::options().read(true).write(true).open("CONIN$")?;
    if io::BufReader::new(input).read_line(&mut line)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(Zeroizing::new(line.trim_end().to_owned()))
}
