//! The secret of a build server: `BBCLOUD_TOKEN`, or a file that `BBCLOUD_TOKEN_FILE` names; and what `login` is given.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read};
use std::path::Path;

use zeroize::Zeroizing;

use super::login::Source;
use crate::environment::Environment;
use crate::environment::variable::{BBCLOUD_TOKEN, BBCLOUD_TOKEN_FILE};
use crate::report::{Failure, Kind};
use crate::secret::Secret;
use crate::secret::pasted::Pasted;
use crate::shell;

/// No secret of Bitbucket's is longer; what is longer is another file.
const MAX: u64 = 64 * 1024;

/// Returns the secret that the environment gives, if it does.
pub fn given(environment: &Environment) -> Result<Option<(Secret, Source)>, Failure> {
    if let Some(token) = environment.token()? {
        let token = plain(token.checked(&Source::Environment)?, BBCLOUD_TOKEN.name)?;
        return Ok(Some((token, Source::Environment)));
    }
    match environment.path(&BBCLOUD_TOKEN_FILE) {
        Some(path) => {
            let secret = plain(read_file(&path)?, &format!("'{}'", path.display()))?;
            Ok(Some((secret, Source::File)))
        }
        None => Ok(None),
    }
}

/// Returns the secret of a build server if it is one as it should be: a warning in each of its logs would help nobody.
fn plain(secret: Secret, place: &str) -> Result<Secret, Failure> {
    match Pasted::recognize(secret) {
        Pasted::Plain(secret) => Ok(secret),
        Pasted::Wrapped(_, wrapping) => Err(Failure::new(Kind::Usage, format!("{place} has {wrapping}"))
            .hint(format!("put the secret alone into {place}"))),
        Pasted::Unexpanded(name) => Err(unexpanded(&name)),
    }
}

/// A variable's name was given in place of its value.
pub fn unexpanded(name: &str) -> Failure {
    Failure::new(
        Kind::Usage,
        format!("the secret is the name of a variable, '{name}', and not its value"),
    )
    .hint(format!(
        "check that '{name}' is set, and use double quotes, so that the shell expands it"
    ))
}

/// Reads the first line of the file at `path`.
pub fn read_file(path: &Path) -> Result<Secret, Failure> {
    let place = format!("'{}'", path.display());
    let read = File::open(path).map_err(|error| unreadable(&place, &error));
    let read = read.and_then(|file| read_line(file, &place));
    read.map_err(|failure| failure.hint(format!("check the file: '{}'", shell::show_permissions(path))))
}

/// Reads the first line of `input`, which the user knows as `place`.
pub fn read_line(input: impl Read, place: &str) -> Result<Secret, Failure> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(4096));
    BufReader::new(input.take(MAX + 1))
        .read_until(b'\n', &mut bytes)
        .map_err(|error| unreadable(place, &error))?;
    if bytes.len() as u64 > MAX {
        // A part of it would be sent, and of a file that nobody meant.
        return Err(Failure::new(
            Kind::Usage,
            format!("the first line of {place} is too long for a secret"),
        ));
    }
    let line = decoded(&bytes).map_err(|error| unreadable(place, &error))?;
    let secret = Secret::new(line.as_str());
    if secret.is_empty() {
        return Err(Failure::new(
            Kind::Usage,
            format!("the first line of {place} is empty, where a secret was expected"),
        ));
    }
    secret.checked(&format_args!("in {place}"))
}

/// Returns the text of a line as Windows' editors and PowerShell's `>` write it: UTF-8 or UTF-16, behind a byte order mark.
fn decoded(line: &[u8]) -> io::Result<Zeroizing<String>> {
    let unit: fn([u8; 2]) -> u16 = match line {
        [0xff, 0xfe, ..] => u16::from_le_bytes,
        [0xfe, 0xff, ..] => u16::from_be_bytes,
        _ => {
            let text = std::str::from_utf8(line).map_err(io::Error::other)?;
            return Ok(Zeroizing::new(text.trim_start_matches('\u{feff}').to_owned()));
        }
    };
    let (pairs, _) = line.as_chunks();
    let units = pairs.iter().skip(1).map(|pair| unit(*pair));
    // Sized at once: a string that grows leaves copies behind.
    let mut text = Zeroizing::new(String::with_capacity(line.len() * 2));
    for character in char::decode_utf16(units) {
        text.push(character.map_err(io::Error::other)?);
    }
    Ok(text)
}

fn unreadable(place: &str, error: &io::Error) -> Failure {
    Failure::new(Kind::Local, format!("cannot read the secret from {place}")).caused_by(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variable_wins_over_the_file() {
        let environment =
            Environment::from_pairs([(BBCLOUD_TOKEN.name, "ATBBx"), (BBCLOUD_TOKEN_FILE.name, "/nonexistent")]);
        let (secret, source) = given(&environment).unwrap().unwrap();
        assert_eq!((secret.expose(), source), ("ATBBx", Source::Environment));
    }

    #[test]
    fn the_first_line_of_the_file_is_the_secret() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "ATBBy\r\nnot this\n").unwrap();
        assert_eq!(read_file(file.path()).unwrap().expose(), "ATBBy");
        std::fs::write(file.path(), "\n").unwrap();
        assert!(read_file(file.path()).is_err());
        std::fs::write(file.path(), "\u{feff}ATBBy\n").unwrap();
        assert_eq!(read_file(file.path()).unwrap().expose(), "ATBBy");
        for (mark, bytes) in [
            ([0xff, 0xfe], u16::to_le_bytes as fn(u16) -> [u8; 2]),
            ([0xfe, 0xff], u16::to_be_bytes),
        ] {
            let text = "ATBBy\r\nnot this\r\n".encode_utf16().flat_map(bytes);
            std::fs::write(file.path(), mark.into_iter().chain(text).collect::<Vec<u8>>()).unwrap();
            assert_eq!(read_file(file.path()).unwrap().expose(), "ATBBy");
        }
        std::fs::write(file.path(), b"\xff\xfeA\0\0\xd8\n\0").unwrap();
        assert!(read_file(file.path()).is_err(), "half a character");
        std::fs::write(file.path(), b"ATBB\xff\n").unwrap();
        assert!(read_file(file.path()).is_err());
        std::fs::write(file.path(), "ATBB\0y\n").unwrap();
        assert!(read_file(file.path()).is_err());
        let long = "x".repeat(usize::try_from(MAX).unwrap());
        std::fs::write(file.path(), &long).unwrap();
        assert_eq!(read_file(file.path()).unwrap().expose(), long);
        std::fs::write(file.path(), long + "y").unwrap();
        let failure = read_file(file.path()).unwrap_err();
        assert!(failure.message().ends_with("is too long for a secret"), "{failure}");
        assert!(
            read_file(Path::new("/nonexistent"))
                .unwrap_err()
                .message()
                .contains("/nonexistent")
        );
    }
}
