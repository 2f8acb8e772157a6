//! Where a repository's own files are, and those of its submodules.
//!
//! It must not know what is in the configuration but where submodules are.

use std::fs;
use std::path::{Component, Path, PathBuf};

use gix::bstr::ByteSlice as _;

use super::document::Document;
use crate::report::{Failure, Kind};

/// A repository on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Its directory, a linked work tree's own one if it is seen from there.
    pub git_dir: PathBuf,
    /// The directory that all its work trees share.
    pub common_dir: PathBuf,
    /// Its files, unless it is bare.
    pub work_tree: Option<PathBuf>,
}

/// What helps where git does not start.
const MISSING: &str = "install git 2.30 or newer, and see that 'git version' works";

impl Place {
    /// Returns the repository that `path` is in, as git sees it: with git's own say on whom to trust.
    pub fn find(path: &Path) -> Result<Self, Failure> {
        let not_found = || Failure::new(Kind::Usage, format!("'{}' is not in a git repository", path.display()));
        let ask = |arguments: &[&str]| {
            let mut git = super::command();
            git.arg("-C").arg(path).arg("rev-parse").args(arguments).output()
        };
        // `--path-format=absolute` would say it all, but git 2.30 does not have it.
        let output = ask(&["--absolute-git-dir", "--git-common-dir"]).map_err(|error| {
            Failure::new(Kind::Local, "cannot run git")
                .caused_by(&error)
                .hint(MISSING)
        })?;
        if !output.status.success() {
            let words = output.stderr.to_str_lossy().trim().to_owned();
            let words = words.strip_prefix("fatal: ").unwrap_or(&words).to_owned();
            return Err(not_found()
                .because(words)
                .hint("name a repository: 'git-remote-bbcloud migrate <path>'"));
        }
        let lines: Vec<PathBuf> = output.stdout.lines().filter_map(to_path).collect();
        let [git_dir, common_dir] = lines.as_slice() else {
            return Err(not_found().because("git's answer has not two lines"));
        };
        let top = ask(&["--show-toplevel"]).ok().filter(|output| output.status.success());
        Ok(Self {
            git_dir: git_dir.clone(),
            common_dir: absolute(path, common_dir, git_dir),
            work_tree: top.and_then(|output| to_path(output.stdout.trim_end_with(|c| matches!(c, '\n' | '\r')))),
        })
    }

    /// Returns the repositories of all submodules, nested ones too, whether they are checked out or not.
    pub fn submodules(&self) -> Vec<Self> {
        let mut found = Vec::new();
        absorbed(&self.common_dir.join("modules"), &mut found);
        if let Some(work_tree) = &self.work_tree {
            embedded(work_tree, &mut found);
        }
        found
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

/// Those below `modules`, where a name with slashes is a directory in a directory.
fn absorbed(directory: &Path, found: &mut Vec<Place>) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths.into_iter().filter(|path| path.is_dir()) {
        if is_repository(&path) {
            found.push(Place::of_directory(path.clone()));
            absorbed(&path.join("modules"), found);
        } else {
            absorbed(&path, found);
        }
    }
}

/// Those whose repository is still a directory in the work tree.
fn embedded(work_tree: &Path, found: &mut Vec<Place>) {
    let Ok(text) = fs::read(work_tree.join(".gitmodules")) else {
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
        if is_repository(&git_dir) {
            found.push(Place::of_directory(git_dir.clone()));
            absorbed(&git_dir.join("modules"), found);
            embedded(&work_tree.join(path), found);
        }
    }
}

/// Whether `path` leads to what is below a directory that it is joined to, as far as its text tells.
pub fn is_below(path: &Path) -> bool {
    path.components().all(|part| matches!(part, Component::Normal(_)))
}

/// Returns `path` below `root`, unless one of its parts is a link, which may lead anywhere.
fn without_links(root: &Path, path: &Path) -> Option<PathBuf> {
    path.components().try_fold(root.to_owned(), |above, part| {
        let below = above.join(part);
        let is_link = fs::symlink_metadata(&below).is_ok_and(|metadata| metadata.is_symlink());
        (!is_link).then_some(below)
    })
}

fn is_repository(path: &Path) -> bool {
    path.join("HEAD").is_file() && path.join("objects").is_dir() && path.join("config").is_file()
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
        let mut found = Vec::new();
        embedded(&root, &mut found);
        assert_eq!(found, [Place::of_directory(root.join("inside/part/.git"))]);
    }
}
