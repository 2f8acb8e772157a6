//! Commands for a person to paste into the shell of this system: PowerShell on Windows, a POSIX shell elsewhere.
//!
//! Does not depend on why they help.

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
    format!("{program} \"{}\"", path.display())
}

/// Moves the file at `path` out of the way: its name then ends with `.bad`.
pub fn put_aside(path: &Path) -> String {
    let (program, path) = (if cfg!(windows) { "Move-Item" } else { "mv" }, path.display());
    format!("{program} \"{path}\" \"{path}.bad\"")
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
}
