//! Programs with a git library of their own: they read `url.*.insteadOf` of git's configuration, and have no remote
//! helpers. An address that git rewrites to `bbcloud::…` is a host name to them.
//!
//! Does not depend on `setup`, which warns of them, or `doctor`, which looks for them.

use std::path::{Path, PathBuf};

use crate::address::{Address, BaseUrl};
use crate::environment::Environment;
use crate::environment::variable::{
    CARGO_HOME, CARGO_NET_GIT_FETCH_WITH_CLI, POETRY_SYSTEM_GIT_CLIENT, Variable, XDG_CONFIG_HOME,
};
use crate::file;
use crate::git::LONGEST;
use crate::git::config::Config;

/// What most of them say, because they take `bbcloud` for the name of a host.
pub(super) const ERROR: &str = "failed to resolve address for bbcloud";

/// All that are known to fail, by the words for a list.
pub(super) const NAMES: &str = "cargo, poetry, DVC, pygit2, and others with libgit2, gitoxide, dulwich or JGit";

/// A program whose files can be recognised.
pub(super) struct Program {
    pub(super) name: &'static str,
    /// Its files in a project.
    project: &'static [&'static str],
    /// Where a project's file has other uses too: what is in it.
    mark: &'static str,
    /// The user's own file, below [`Program::home`].
    user: &'static str,
    home: fn(&Environment) -> Option<PathBuf>,
    switch: Option<Switch>,
}

/// What makes a program start git instead.
struct Switch {
    variable: &'static Variable,
    /// The name in the program's own configuration, which is TOML.
    setting: &'static str,
    /// Words for a hint.
    command: &'static str,
}

/// In the order in which hints name them.
pub(super) const ALL: [Program; 3] = [
    Program {
        name: "cargo",
        project: &["Cargo.toml", ".cargo/config.toml", ".cargo/config"],
        mark: "",
        user: "config.toml",
        home: |environment| {
            let own = environment.path(&CARGO_HOME);
            own.or_else(|| Some(environment.home()?.join(".cargo")))
        },
        switch: Some(Switch {
            variable: &CARGO_NET_GIT_FETCH_WITH_CLI,
            setting: "git-fetch-with-cli",
            command: "set CARGO_NET_GIT_FETCH_WITH_CLI=true, or 'net.git-fetch-with-cli = true' in ~/.cargo/config.toml",
        }),
    },
    Program {
        name: "poetry",
        project: &["poetry.lock", "poetry.toml", "pyproject.toml"],
        mark: "poetry",
        user: "pypoetry/config.toml",
        home: configuration,
        switch: Some(Switch {
            variable: &POETRY_SYSTEM_GIT_CLIENT,
            setting: "system-git-client",
            command: "set POETRY_SYSTEM_GIT_CLIENT=true, or run 'poetry config system-git-client true'",
        }),
    },
    Program {
        name: "DVC",
        project: &[".dvc/config", "dvc.yaml"],
        mark: "",
        user: "dvc/config",
        home: configuration,
        switch: None,
    },
];

impl Program {
    /// Returns the file that shows that the program is used in one of the `projects`, or by this user.
    ///
    /// `None` where there is none, and where the program starts git.
    pub(super) fn seen(&self, projects: &[PathBuf], environment: &Environment) -> Option<PathBuf> {
        let user = (self.home)(environment).map(|home| home.join(self.user));
        let in_projects = projects
            .iter()
            .flat_map(|project| self.project.iter().map(|file| project.join(file)));
        let files: Vec<PathBuf> = in_projects.chain(user).collect();
        if self.starts_git(&files, environment) {
            return None;
        }
        files.into_iter().find(|file| self.is_of(file))
    }

    /// Returns what helps.
    pub(super) fn remedy(&self) -> String {
        match &self.switch {
            Some(switch) => format!("{}: {}", self.name, switch.command),
            None => format!("{} has no such switch", self.name),
        }
    }

    fn is_of(&self, file: &Path) -> bool {
        let is_shared = file.ends_with("pyproject.toml");
        text(file).is_some_and(|text| !is_shared || text.contains(self.mark))
    }

    fn starts_git(&self, files: &[PathBuf], environment: &Environment) -> bool {
        let Some(switch) = &self.switch else { return false };
        if let Ok(Some(on)) = environment.flag(switch.variable) {
            return on;
        }
        let mut texts = files.iter().filter_map(|file| text(file));
        texts.any(|text| text.lines().any(|line| switches_on(line, switch.setting)))
    }
}

/// Whether a line of TOML sets `name` to true, with or without its table in front.
fn switches_on(line: &str, name: &str) -> bool {
    let line = line.split('#').next().unwrap_or_default();
    let Some((key, value)) = line.split_once('=') else {
        return false;
    };
    let key = key.trim().rsplit('.').next().unwrap_or_default().trim();
    key.trim_matches('"') == name && value.trim().trim_matches('"') == "true"
}

fn configuration(environment: &Environment) -> Option<PathBuf> {
    let own = environment.path(&XDG_CONFIG_HOME);
    own.or_else(|| Some(environment.home()?.join(".config")))
}

fn text(file: &Path) -> Option<String> {
    let bytes = file::read(file, LONGEST).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// Returns the `url.<ours>.insteadOf` rules that these programs stumble over, each as its base and what it replaces.
pub(super) fn rules(config: &Config, base: &BaseUrl) -> Vec<(String, String)> {
    let mut rules = config.by_subsection("url", "insteadOf");
    rules.retain(|(ours, start)| ours.starts_with("bbcloud:") && is_of_others(start, base));
    rules
}

/// Whether addresses that begin with `start` are what every program knows: https and ssh.
fn is_of_others(start: &str, base: &BaseUrl) -> bool {
    let is_address = |rest: &str| Address::parse(&format!("{start}{rest}"), base).is_ok();
    let is_url = start.contains("://") || start.contains('@') || start.contains(':');
    is_url && !start.starts_with("bbcloud:") && (is_address("a/b") || is_address("b"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_rules_for_addresses_of_others_count() {
        let base = BaseUrl::default();
        for start in [
            "https://bitbucket.org/",
            "https://bitbucket.org/acme/",
            "git@bitbucket.org:",
            "ssh.bitbucket.org:acme/",
            "ssh://git@ssh.bitbucket.org:22/",
        ] {
            assert!(is_of_others(start, &base), "{start}");
        }
        for start in ["bb:", "bbcloud://", "https://github.com/", "work/", ""] {
            assert!(!is_of_others(start, &base), "{start}");
        }
    }

    #[test]
    fn the_switch_is_read_from_toml() {
        for line in [
            "git-fetch-with-cli = true",
            "net.git-fetch-with-cli=true # why",
            " \"git-fetch-with-cli\" = true",
        ] {
            assert!(switches_on(line, "git-fetch-with-cli"), "{line}");
        }
        for line in [
            "# git-fetch-with-cli = true",
            "git-fetch-with-cli = false",
            "x-git-fetch-with-cli = true",
            "git-fetch-with-cli",
        ] {
            assert!(!switches_on(line, "git-fetch-with-cli"), "{line}");
        }
    }

    #[test]
    fn a_program_is_seen_by_its_files_unless_it_starts_git() {
        let directory = tempfile::tempdir().expect("a directory");
        let (home, project) = (directory.path().join("home"), directory.path().join("project"));
        for place in [&home, &project] {
            std::fs::create_dir_all(place.join(".cargo")).expect("made");
        }
        let write = |path: PathBuf, text: &str| std::fs::write(path, text).expect("written");
        let environment = |more: &[(&'static str, &str)]| {
            let mut pairs = vec![("HOME", home.display().to_string())];
            pairs.extend(more.iter().map(|(name, value)| (*name, (*value).to_owned())));
            Environment::from_pairs(pairs)
        };
        let [cargo, poetry, _] = &ALL;
        let projects = [project.clone()];
        assert_eq!(cargo.seen(&projects, &environment(&[])), None);
        write(project.join("Cargo.toml"), "[package]\n");
        assert!(cargo.seen(&projects, &environment(&[])).is_some());
        let variable = [("CARGO_NET_GIT_FETCH_WITH_CLI", "true")];
        assert_eq!(cargo.seen(&projects, &environment(&variable)), None);
        write(home.join(".cargo/config.toml"), "[net]\ngit-fetch-with-cli = true\n");
        assert_eq!(cargo.seen(&projects, &environment(&[])), None);
        write(project.join("pyproject.toml"), "[tool.black]\n");
        assert_eq!(poetry.seen(&projects, &environment(&[])), None);
        write(project.join("pyproject.toml"), "[tool.poetry]\n");
        assert!(poetry.seen(&projects, &environment(&[])).is_some());
    }
}
