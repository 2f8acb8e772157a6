//! Where git's configuration lies on this machine, in the order in which git reads it.
//!
//! Git is not asked, for a process costs more than all the rest: it tells by `PATH`, where it puts the directory of
//! its own programs first. It must not know what is in the files.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::OnceLock;

use gix::bstr::ByteSlice as _;
use gix::config::Source;

use super::LONGEST;
use crate::environment::Environment;
use crate::environment::variable::{
    GIT_COMMON_DIR, GIT_CONFIG_COUNT, GIT_CONFIG_GLOBAL, GIT_CONFIG_NOSYSTEM, GIT_CONFIG_PARAMETERS, GIT_CONFIG_SYSTEM,
    GIT_DIR, GIT_EXEC_PATH, PATH, XDG_CONFIG_HOME,
};
use crate::file;
use crate::report::Failure;

/// The files for all users and those of this user; not each one exists.
pub(super) fn outside_repositories(environment: &Environment) -> Result<Vec<(Source, PathBuf)>, Failure> {
    let mut files = Vec::new();
    if !environment.flag(&GIT_CONFIG_NOSYSTEM)?.unwrap_or(false) {
        match environment.os(&GIT_CONFIG_SYSTEM) {
            Some(file) => files.push((Source::System, file.into())),
            None => files.extend(system(environment)),
        }
    }
    if let Some(file) = environment.os(&GIT_CONFIG_GLOBAL) {
        files.push((Source::User, file.into()));
        return Ok(files);
    }
    let home = environment.home();
    let xdg = environment
        .path(&XDG_CONFIG_HOME)
        .or_else(|| Some(home.as_ref()?.join(".config")));
    files.extend(xdg.map(|directory| (Source::Git, directory.join("git/config"))));
    files.extend(home.map(|directory| (Source::User, directory.join(".gitconfig"))));
    Ok(files)
}

/// The file that `git config --global` writes to (git-config(1), "FILES"): the one in the home directory, unless only
/// the other exists.
pub(super) fn global_file(environment: &Environment) -> Option<PathBuf> {
    let files = outside_repositories(environment).ok()?;
    let named = |wanted| {
        let found = files.iter().find(|(source, _)| *source == wanted);
        found.map(|(_, file)| file.clone())
    };
    let (home, other) = (named(Source::User), named(Source::Git));
    let only_other = other.filter(|other| other.exists() && !home.as_ref().is_some_and(|home| home.exists()));
    only_other.or(home)
}

/// The repository that `GIT_DIR` names, as an absolute path, whether it exists or not.
pub(super) fn repository(environment: &Environment) -> Option<PathBuf> {
    std::path::absolute(environment.path(&GIT_DIR)?).ok()
}

/// The directory that the work trees of `git_dir`'s repository share (gitrepository-layout(5), "commondir").
pub(super) fn common(git_dir: &Path, environment: &Environment) -> io::Result<PathBuf> {
    if let Some(common) = environment.path(&GIT_COMMON_DIR) {
        return std::path::absolute(common);
    }
    match file::read(&git_dir.join("commondir"), LONGEST) {
        Ok(text) => {
            let path = gix::path::from_byte_slice(text.trim_end_with(|c| matches!(c, '\n' | '\r')));
            Ok(git_dir.join(path.map_err(io::Error::other)?))
        }
        Err(error) if is_absent(&error) => Ok(git_dir.to_owned()),
        Err(error) => Err(error),
    }
}

/// Whether a file is merely not there, which is no failure for configuration.
pub(super) fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Where git is installed, `%(prefix)` in its paths; `None` where its own variables do not tell.
pub(super) fn prefix(environment: &Environment) -> Option<PathBuf> {
    let programs = environment
        .path(&GIT_EXEC_PATH)
        .or_else(|| environment.paths(&PATH).next());
    prefix_of(&programs?)
}

/// As [`prefix`], from git itself, which is asked once.
pub(super) fn asked_prefix() -> Option<PathBuf> {
    static ASKED: OnceLock<Option<PathBuf>> = OnceLock::new();
    let ask = || {
        let output = super::command().arg("--exec-path").output().ok()?;
        let line = output.stdout.trim_end_with(|c| matches!(c, '\n' | '\r'));
        prefix_of(gix::path::from_byte_slice(line).ok()?)
    };
    ASKED.get_or_init(ask).clone()
}

fn prefix_of(programs: &Path) -> Option<PathBuf> {
    let prefix = programs.parent()?.parent()?;
    let known = programs.ends_with("libexec/git-core") || programs.ends_with("lib/git-core");
    (known && prefix.is_absolute()).then(|| prefix.to_owned())
}

fn system(environment: &Environment) -> Vec<(Source, PathBuf)> {
    static ASKED: OnceLock<Vec<(Source, PathBuf)>> = OnceLock::new();
    if let Some(file) = prefix(environment).as_deref().and_then(system_of) {
        return vec![(Source::System, file)];
    }
    // Without a PATH there is no git to ask.
    if environment.os(&PATH).is_none() {
        return Vec::new();
    }
    ASKED.get_or_init(asked_system).clone()
}

/// Asks git which files it reads before the user's. Apple's has one that is of no scope with a name.
///
/// gitoxide would ask the same, and hand `BBCLOUD_TOKEN` to the git that it starts.
fn asked_system() -> Vec<(Source, PathBuf)> {
    let nothing = if cfg!(windows) { "nul" } else { "/dev/null" };
    let mut git = super::command();
    git.args([
        "config",
        "--list",
        "-z",
        "--show-origin",
        "--show-scope",
        "--name-only",
        "--no-includes",
    ]);
    git.envs([
        ("GIT_CONFIG_GLOBAL", nothing),
        ("GIT_DIR", nothing),
        ("GIT_WORK_TREE", nothing),
    ]);
    for variable in [
        GIT_COMMON_DIR,
        GIT_CONFIG_COUNT,
        GIT_CONFIG_PARAMETERS,
        GIT_CONFIG_SYSTEM,
        GIT_CONFIG_NOSYSTEM,
    ] {
        git.env_remove(variable.name);
    }
    if !cfg!(windows) {
        git.current_dir("/");
    }
    let Ok(output) = git.stdin(Stdio::null()).output() else {
        return Vec::new();
    };
    files_of(&output.stdout)
}

/// Reads scope, origin and key of each value, ended by NUL; returns the files in order.
fn files_of(answer: &[u8]) -> Vec<(Source, PathBuf)> {
    let mut files: Vec<(Source, PathBuf)> = Vec::new();
    let mut fields = answer.split(|byte| *byte == 0);
    while let (Some(scope), Some(origin), Some(_key)) = (fields.next(), fields.next(), fields.next()) {
        let Some(path) = origin
            .strip_prefix(b"file:")
            .and_then(|path| gix::path::from_byte_slice(path).ok())
        else {
            continue;
        };
        let source = match scope {
            b"system" => Source::System,
            _ => Source::GitInstallation,
        };
        if !files.iter().any(|(_, known)| known == path) {
            files.push((source, path.to_owned()));
        }
    }
    files
}

/// The system's configuration of the git that is installed in `prefix`; `None` where builds of git differ.
fn system_of(prefix: &Path) -> Option<PathBuf> {
    if cfg!(windows) {
        return system_of_windows(prefix);
    }
    // Apple's and Homebrew's builds keep it elsewhere, and Apple's has a second file.
    if ["Library", "Applications", "Cellar", "homebrew"]
        .iter()
        .any(|part| has(prefix, part))
    {
        None
    } else if prefix == Path::new("/usr") || prefix.starts_with("/nix/store") || prefix.starts_with("/gnu/store") {
        Some(PathBuf::from("/etc/gitconfig"))
    } else {
        Some(prefix.join("etc/gitconfig"))
    }
}

/// Git for Windows is built below a directory for each kind of processor, and keeps its configuration beside that
/// (`ETC_GITCONFIG` in git's `config.mak.uname`).
fn system_of_windows(prefix: &Path) -> Option<PathBuf> {
    let kind = prefix.file_name()?.to_str()?;
    let is_known = ["mingw32", "mingw64", "ucrt64", "clang64", "clangarm64"].contains(&kind);
    is_known.then(|| prefix.parent().map(|root| root.join("etc/gitconfig")))?
}

fn has(path: &Path, part: &str) -> bool {
    path.components().any(|component| component.as_os_str() == part)
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    #[test]
    fn git_for_windows_keeps_its_configuration_beside_its_programs() {
        let programs = Path::new("/c/Program Files/Git/mingw64/libexec/git-core");
        let found = prefix_of(programs).as_deref().and_then(system_of_windows);
        assert_eq!(found.as_deref(), Some(Path::new("/c/Program Files/Git/etc/gitconfig")));
        assert_eq!(system_of_windows(Path::new("/usr")), None);
    }

    #[test]
    fn git_tells_by_path_where_its_configuration_is() {
        let cases = [
            ("/usr/lib/git-core", Some("/etc/gitconfig")),
            ("/usr/libexec/git-core", Some("/etc/gitconfig")),
            ("/usr/local/libexec/git-core", Some("/usr/local/etc/gitconfig")),
            ("/opt/git/libexec/git-core", Some("/opt/git/etc/gitconfig")),
            ("/nix/store/abc-git-2.50/libexec/git-core", Some("/etc/gitconfig")),
            ("/opt/homebrew/Cellar/git/2.50/libexec/git-core", None),
            ("/Library/Developer/CommandLineTools/usr/libexec/git-core", None),
            ("/usr/bin", None),
            ("libexec/git-core", None),
        ];
        for (programs, file) in cases {
            let found = prefix_of(Path::new(programs)).as_deref().and_then(system_of);
            assert_eq!(found.as_deref(), file.map(Path::new), "{programs}");
        }
    }

    #[test]
    fn git_says_which_files_it_reads() {
        let answer = b"unknown\0file:/Library/gitconfig\0a.b\0system\0file:/etc/gitconfig\0a.b\0system\0file:/etc/gitconfig\0c.d\0command\0command line:\0e.f\0";
        let files: Vec<_> = files_of(answer).into_iter().map(|(_, file)| file).collect();
        assert_eq!(files, [Path::new("/Library/gitconfig"), Path::new("/etc/gitconfig")]);
    }

    #[test]
    fn one_global_file_replaces_both() {
        let base = [("GIT_CONFIG_NOSYSTEM", "1"), ("HOME", "/home/me")];
        let files = |more: &[(&'static str, &'static str)]| {
            let environment = Environment::from_pairs(base.iter().chain(more).copied());
            let files = outside_repositories(&environment).expect("readable").into_iter();
            files.map(|(_, file)| file.display().to_string()).collect::<Vec<_>>()
        };
        assert_eq!(files(&[]), ["/home/me/.config/git/config", "/home/me/.gitconfig"]);
        assert_eq!(
            files(&[("XDG_CONFIG_HOME", "/x")]),
            ["/x/git/config", "/home/me/.gitconfig"]
        );
        assert_eq!(files(&[("GIT_CONFIG_GLOBAL", "/mine")]), ["/mine"]);
        assert_eq!(
            files(&[("GIT_CONFIG_NOSYSTEM", "0"), ("GIT_CONFIG_SYSTEM", "/s")])[0],
            "/s"
        );
        assert_eq!(files(&[("GIT_CONFIG_SYSTEM", "/s")]).len(), 2);
    }
}
