//! Where git's configuration lies on this machine, in the order in which git reads it.
//!
//! Git is not asked, for a process costs more than all the rest: it tells by `PATH`, where it puts the directory of
//! its own programs first. It must not know what is in the files.

use std::io;
use std::path::{Path, PathBuf};

use gix::config::Source;

use crate::environment::Environment;
use crate::environment::variable::{
    GIT_COMMON_DIR, GIT_CONFIG_GLOBAL, GIT_CONFIG_NOSYSTEM, GIT_CONFIG_SYSTEM, GIT_DIR, GIT_EXEC_PATH, PATH,
    XDG_CONFIG_HOME,
};
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
    match std::fs::read_to_string(git_dir.join("commondir")) {
        Ok(text) => Ok(git_dir.join(text.trim_end_matches(['\n', '\r']))),
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

fn prefix_of(programs: &Path) -> Option<PathBuf> {
    let prefix = programs.parent()?.parent()?;
    let known = programs.ends_with("libexec/git-core") || programs.ends_with("lib/git-core");
    (known && prefix.is_absolute()).then(|| prefix.to_owned())
}

fn system(environment: &Environment) -> Vec<(Source, PathBuf)> {
    if let Some(file) = prefix(environment).as_deref().and_then(system_of) {
        return vec![(Source::System, file)];
    }
    // Without a PATH there is no git to ask.
    if environment.os(&PATH).is_none() {
        return Vec::new();
    }
    let installation = gix::path::env::installation_config();
    let system = gix::path::env::system_config().filter(|file| Some(*file) != installation);
    let named = |source| move |file: &Path| (source, file.to_owned());
    let files = installation.map(named(Source::GitInstallation)).into_iter();
    files.chain(system.map(named(Source::System))).collect()
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
