//! Commands for a person to paste into the shell of this system: PowerShell on Windows, a POSIX shell elsewhere.
//!
//! Whoever chose the names and paths in them must not choose what is run. Does not depend on why they help.

use std::fmt::Display;
use std::path::Path;

/// Shows who may read and write what is at `path`.
pub fn show_permissions(path: &Path) -> String {
    command(path, "ls -ld", "icacls")
}

/// Removes the file at `path`.
pub fn remove(path: &Path) -> String {
    command(path, "rm", "Remove-Item")
}

fn command(path: &Path, unix: &str, windows: &str) -> String {
    let program = if cfg!(windows) { windows } else { unix };
    format!("{program} {}", quoted(&path.display().to_string()))
}

/// Returns `text` in double quotes: a name that others chose must not run anything.
pub fn quoted(text: &str) -> String {
    let (special, escape) = if cfg!(windows) {
        (r#""$`"#, '`')
    } else {
        (r#""$`\"#, '\\')
    };
    let mut shown = String::from("\"");
    for c in text.chars() {
        if special.contains(c) {
            shown.push(escape);
        }
        shown.push(c);
    }
    shown.push('"');
    shown
}

/// Returns `text` as one word, [`quoted`] only where that is needed.
pub fn word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-/:@+".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        text.to_owned()
    } else {
        quoted(text)
    }
}

/// Moves the file at `path` out of the way: its name then ends with `.bad`.
pub fn put_aside(path: &Path) -> String {
    let program = if cfg!(windows) { "Move-Item" } else { "mv" };
    let path = path.display().to_string();
    format!("{program} {} {}", quoted(&path), quoted(&format!("{path}.bad")))
}

/// Gives what is in the directory at `path` to the user.
pub fn take_ownership(path: &Path) -> String {
    let path = path.display();
    if cfg!(windows) {
        format!("takeown /R /F \"{path}\"; icacls \"{path}\" /T /reset")
    } else {
        format!("sudo chown -R \"$(id -u)\" \"{path}\" && chmod -R u+rwX \"{path}\"")
    }
}

/// Unsets the environment variable `name`.
pub fn unset(name: &str) -> String {
    if cfg!(windows) {
        format!("Remove-Item Env:{name}")
    } else {
        format!("unset {name}")
    }
}

/// Puts `text` in front of the value of the variable `name`, with `separator` between.
pub fn prepend(name: &str, text: impl Display, separator: char) -> String {
    if cfg!(windows) {
        format!("$Env:{name} = \"{text}{separator}$Env:{name}\"")
    } else {
        format!("export {name}=\"{text}{separator}${name}\"")
    }
}

/// Shows the environment variables whose names contain `word`, in any case.
pub fn show_variables(word: &str) -> String {
    if cfg!(windows) {
        format!("Get-ChildItem Env:*{word}*")
    } else {
        format!("env | grep -i {word}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_those_of_the_systems_shell() {
        let path = Path::new("a b");
        if cfg!(windows) {
            assert_eq!(remove(path), "Remove-Item \"a b\"");
            assert_eq!(unset("CI"), "Remove-Item Env:CI");
            assert_eq!(prepend("PATH", "C:\\x", ';'), "$Env:PATH = \"C:\\x;$Env:PATH\"");
        } else {
            assert_eq!(remove(path), "rm \"a b\"");
            assert_eq!(unset("CI"), "unset CI");
            assert_eq!(prepend("PATH", "/x", ':'), "export PATH=\"/x:$PATH\"");
        }
    }

    #[cfg(not(windows))]
    #[test]
    fn what_is_pasted_runs_nothing_that_others_wrote() {
        assert_eq!(quoted("a $(b) `c` \"d\\"), r#""a \$(b) \`c\` \"d\\""#);
        assert_eq!(
            (word("origin/x"), word("a;b")),
            ("origin/x".to_owned(), "\"a;b\"".to_owned())
        );
    }
}
