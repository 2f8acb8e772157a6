//! The secret of a build server: `BBCLOUD_TOKEN`, or a file that `BBCLOUD_TOKEN_FILE` names.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;

use zeroize::Zeroizing;

use super::login::Source;
use super::secret::Secret;
use crate::environment::Environment;
use crate::environment::variable::BBCLOUD_TOKEN_FILE;
use crate::report::{Failure, Kind};

/// No secret of Bitbucket's is longer; what is longer is another file.
const MAX: u64 = 64 * 1024;

/// Returns the secret that the environment gives, if it does.
pub fn given(environment: &Environment) -> Result<Option<(Secret, Source)>, Failure> {
    if let Some(token) = environment.token() {
        return Ok(Some((token, Source::Environment)));
    }
    match environment.path(&BBCLOUD_TOKEN_FILE) {
        Some(path) => Ok(Some((read_file(&path)?, Source::File))),
        None => Ok(None),
    }
}

/// Reads the first line of the file at `path`.
pub fn read_file(path: &Path) -> Result<Secret, Failure> {
    let failed = |error: &std::io::Error| {
        Failure::new(Kind::Local, format!("cannot read the secret from '{}'", path.display()))
            .caused_by(error)
            .hint(look(path))
    };
    let mut line = Zeroizing::new(String::with_capacity(4096));
    let file = File::open(path).map_err(|error| failed(&error))?;
    BufReader::new(file.take(MAX))
        .read_line(&mut line)
        .map_err(|error| failed(&error))?;
    let secret = Secret::new(line.as_str());
    if secret.is_empty() {
        let message = format!(
            "the first line of '{}' is empty, where a secret was expected",
            path.display()
        );
        return Err(Failure::new(Kind::Usage, message).hint(look(path)));
    }
    Ok(secret)
}

fn look(path: &Path) -> String {
    format!("look at the file: 'ls -l \"{}\"'", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::variable::BBCLOUD_TOKEN;

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
        assert!(
            read_file(Path::new("/nonexistent"))
                .unwrap_err()
                .message()
                .contains("/nonexistent")
        );
    }
}
