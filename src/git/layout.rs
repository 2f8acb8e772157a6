//! Where a repository's own files are, and those of its submodules.
//!
//! Does not depend on what is in the configuration, except where submodules are. The files of a repository come from
//! others: no link among them is followed, and what is read is bounded.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs;
use std::path::{Component, Path, PathBuf};

use gix::bstr::ByteSlice as _;

use super::LONGEST;
use super::document::Document;
use crate::file::{self, Links};
use crate::report::{Failure, Kind};

/// A repository on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// Its directory, a linked work tree's own one if it is seen from there.
    pub git_dir: PathBuf,
    /// The directory that all its work trees share.
    pub common_dir: PathBuf,
    /// Its files, unless it is bare.
    pub work_tree: Option<PathBuf>,
}

/// What helps where git does not start.
const MISSING: &str = "install git 2.30 or newer, and see that 'git version' works";

impl Layout {
    /// Returns the repository that `path` is in, as git sees it: git itself decides whom to trust.
    ///
    /// With `safe.bareRepository=explicit` git does not look for a bare repository by itself. One that is named here,
    /// and not only stood in, is named as explicitly as with `--git-dir`.
    pub fn find(path: &Path) -> Result<Self, Failure> {
        let at = ["-C".as_ref(), path.as_os_str()];
        let is_named = path != Path::new(".") && is_repository(path);
        match (ask(&at, &DIRECTORIES)?, is_named) {
            (Ok(lines), _) => Self::of_answer(&at, &lines, path),
            (Err(_), true) => {
                let at = ["--git-dir".as_ref(), path.as_os_str()];
                let answer = ask(&at, &DIRECTORIES)?;
                answer.map_or_else(
                    |words| Err(refused(path, &words)),
                    |lines| Self::of_answer(&at, &lines, Path::new(".")),
                )
            }
            (Err(words), false) => Err(refused(path, &words)),
        }
    }

    fn of_answer(at: &[&OsStr], lines: &[u8], path: &Path) -> Result<Self, Failure> {
        let lines: Vec<PathBuf> = lines.lines().filter_map(to_path).collect();
        let [git_dir, common_dir] = lines.as_slice() else {
            return Err(not_found(path).because("git's answer does not have two lines"));
        };
        let top = ask(at, &["--show-toplevel"]).ok().and_then(Result::ok);
        Ok(Self {
            git_dir: git_dir.clone(),
            common_dir: absolute(path, common_dir, git_dir),
            work_tree: top.and_then(|line| to_path(line.trim_end_with(|c| matches!(c, '\n' | '\r')))),
        })
    }

    /// Returns the repositories of all submodules, nested ones too, whether they are checked out or not.
    pub fn submodules(&self) -> Vec<Self> {
        let mut search = Search::default();
        search.absorbed(&self.common_dir.join("modules"), DEEPEST);
        if let Some(work_tree) = &self.work_tree {
            search.embedded(work_tree, DEEPEST);
        }
        search.found
    }

    fn of_directory(git_dir: PathBuf) -> Self {
        Self {
            common_dir: git_dir.clone(),
            git_dir,
            work_tree: None,
        }
    }
}

/// Returns `common_dir`, which git tells relative to `path` where it is `git_dir` itself.
fn absolute(path: &Path, common_dir: &Path, git_dir: &Path) -> PathBuf {
    if common_dir.is_absolute() {
        return common_dir.to_owned();
    }
    match (path.join(common_dir).canonicalize(), git_dir.canonicalize()) {
        (Ok(common), Ok(own)) if common != own => common,
        _ => git_dir.to_owned(),
    }
}

/// What git is asked for a repository. `--path-format=absolute` would say it all, but git 2.30 does not have it.
const DIRECTORIES: [&str; 2] = ["--absolute-git-dir", "--git-common-dir"];

/// Asks git about the repository `at` a place. Fails if git does not start; what git says instead of an answer is the
/// inner error.
fn ask(at: &[&OsStr], arguments: &[&str]) -> Result<Result<Vec<u8>, String>, Failure> {
    let mut git = super::command();
    git.args(at).arg("rev-parse").args(arguments);
    let output = git.output().map_err(|error| {
        let failure = Failure::new(Kind::Local, "cannot run git").caused_by(&error);
        failure.hint(MISSING)
    })?;
    if output.status.success() {
        return Ok(Ok(output.stdout));
    }
    let words = output.stderr.to_str_lossy();
    let words = words.trim();
    Ok(Err(words.strip_prefix("fatal: ").unwrap_or(words).to_owned()))
}

fn not_found(path: &Path) -> Failure {
    Failure::new(Kind::Usage, format!("'{}' is not in a git repository", path.display()))
}

fn refused(path: &Path, words: &str) -> Failure {
    let failure = not_found(path).because(words);
    // Words of git's that no locale changes: the name of the setting.
    if words.contains("safe.bareRepository") {
        return failure.hint("name the bare repository: 'git-remote-bbcloud migrate \"$PWD\"'");
    }
    failure.hint("name a repository: 'git-remote-bbcloud migrate <path>'")
}

/// How deep submodules lie in each other at most; and directories of their names.
const DEEPEST: usize = 32;

/// The most directories that are looked at.
const MOST: usize = 20_000;

/// The submodules that have been found, and the directories that need not be looked at again.
#[derive(Default)]
struct Search {
    found: Vec<Layout>,
    seen: HashSet<PathBuf>,
}

impl Search {
    /// Those below `modules`, where a name with slashes is a directory in a directory.
    fn absorbed(&mut self, directory: &Path, depth: usize) {
        if depth == 0 || !is_directory(directory) || !self.is_new(directory) {
            return;
        }
        let Ok(entries) = fs::read_dir(directory) else { return };
        let mut paths: Vec<PathBuf> = entries.take(MOST).flatten().map(|entry| entry.path()).collect();
        paths.sort();
        for path in paths.into_iter().filter(|path| is_directory(path)) {
            if is_repository(&path) {
                self.found.push(Layout::of_directory(path.clone()));
                self.absorbed(&path.join("modules"), depth - 1);
            } else {
                self.absorbed(&path, depth - 1);
            }
        }
    }

    /// Those whose repository is still a directory in the work tree.
    fn embedded(&mut self, work_tree: &Path, depth: usize) {
        if depth == 0 || !self.is_new(work_tree) {
            return;
        }
        let Ok(text) = file::read_with(&work_tree.join(".gitmodules"), Links::Refuse, LONGEST) else {
            return;
        };
        let Ok(document) = Document::parse(&text, ".gitmodules") else {
            return;
        };
        for value in document.values() {
            let is_path = value.key.section == "submodule" && value.key.name == "path";
            let path = Path::new(value.text.as_str());
            // The file is from whoever made the repository: nothing outside of it is touched.
            if !is_path || !is_below(path) {
                continue;
            }
            let Some(git_dir) = without_links(work_tree, &path.join(".git")) else {
                continue;
            };
            if is_repository(&git_dir) && !self.seen.contains(&git_dir) {
                self.seen.insert(git_dir.clone());
                self.found.push(Layout::of_directory(git_dir.clone()));
                self.absorbed(&git_dir.join("modules"), depth - 1);
                self.embedded(&work_tree.join(path), depth - 1);
            }
        }
    }

    fn is_new(&mut self, directory: &Path) -> bool {
        self.seen.len() < MOST && self.seen.insert(directory.to_owned())
    }
}

/// Whether `path` leads to what is below a directory that it is joined to, as far as its text tells.
pub fn is_below(path: &Path) -> bool {
    !path.as_os_str().is_empty() && path.components().all(|part| matches!(part, Component::Normal(_)))
}

/// Returns `path` below `root`, unless one of its parts is a link, which may lead anywhere.
pub fn without_links(root: &Path, path: &Path) -> Option<PathBuf> {
    path.components().try_fold(root.to_owned(), |above, part| {
        let below = above.join(part);
        let is_link = fs::symlink_metadata(&below).is_ok_and(|metadata| metadata.is_symlink());
        (!is_link).then_some(below)
    })
}

fn is_repository(path: &Path) -> bool {
    let is_file = |name: &str| fs::symlink_metadata(path.join(name)).is_ok_and(|metadata| metadata.is_file());
    is_file("HEAD") && is_file("config") && is_directory(&path.join("objects"))
}

/// Whether there is a directory at `path`, and not only a link to one.
fn is_directory(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir())
}

fn to_path(line: &[u8]) -> Option<PathBuf> {
    Some(gix::path::from_byte_slice(line).ok()?.to_owned())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn no_part_of_a_submodules_path_leads_out_of_the_repository() {
        let directory = tempfile::tempdir().expect("a directory");
        let root = directory.path().join("root");
        let make = |git_dir: &Path| {
            fs::create_dir_all(git_dir.join("objects")).expect("made");
            fs::write(git_dir.join("HEAD"), "").expect("written");
            fs::write(git_dir.join("config"), "").expect("written");
        };
        make(&directory.path().join("outside/part/.git"));
        make(&root.join("inside/part/.git"));
        fs::create_dir(root.join("other")).expect("made");
        let link = |target: &str, name: &str| std::os::unix::fs::symlink(target, root.join(name)).expect("a link");
        link("../outside", "libs");
        link("../outside/part", "last");
        link("../../outside/part/.git", "other/.git");
        let modules: String = ["libs/part", "last", "other", "inside/part"]
            .map(|path| format!("[submodule \"{path}\"]\n\tpath = {path}\n"))
            .concat();
        fs::write(root.join(".gitmodules"), modules).expect("written");
        let mut search = Search::default();
        search.embedded(&root, DEEPEST);
        assert_eq!(search.found, [Layout::of_directory(root.join("inside/part/.git"))]);
    }

    #[test]
    fn neither_an_empty_path_nor_a_circle_nor_a_device_keeps_the_search_going() {
        let directory = tempfile::tempdir().expect("a directory");
        let root = directory.path();
        let make = |git_dir: &Path| {
            fs::create_dir_all(git_dir.join("objects")).expect("made");
            fs::write(git_dir.join("HEAD"), "").expect("written");
            fs::write(git_dir.join("config"), "").expect("written");
        };
        make(&root.join(".git"));
        make(&root.join(".git/modules/part"));
        let link = |target: &Path, name: &str| std::os::unix::fs::symlink(target, root.join(name)).expect("a link");
        link(Path::new(".."), ".git/modules/part/modules");
        link(Path::new("."), ".git/modules/circle");
        make(&root.join("deep/.git"));
        let modules = |paths: &[&str]| -> String {
            let section = |path: &&str| format!("[submodule \"x\"]\n\tpath = \"{path}\"\n");
            paths.iter().map(section).collect()
        };
        fs::write(root.join(".gitmodules"), modules(&["", ".", "deep", "deep", "./deep"])).expect("written");
        link(Path::new("/dev/zero"), "deep/.gitmodules");
        let place = Layout {
            git_dir: root.join(".git"),
            common_dir: root.join(".git"),
            work_tree: Some(root.to_owned()),
        };
        let found = [".git/modules/part", "deep/.git"].map(|path| Layout::of_directory(root.join(path)));
        assert_eq!(place.submodules(), found);
    }
}
