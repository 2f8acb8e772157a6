//! Where a repository's own files are, and those of its submodules.
//!
//! It must not know what is in the configuration but where submodules are.

use std::fs;
use std::path::{Path, PathBuf};

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
            git.arg("-C").arg(path).args(["rev-parse", "--path-format=absolute"]);
            git.args(arguments).output()
        };
        let output = ask(&["--git-dir", "--git-common-dir"]).map_err(|error| {
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
            common_dir: common_dir.clone(),
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
        let inside = path
            .components()
            .all(|part| matches!(part, std::path::Component::Normal(_)));
        if !is_path || !inside {
            continue;
        }
        let work_tree = work_tree.join(path);
        let git_dir = work_tree.join(".git");
        let is_link = fs::symlink_metadata(&work_tree).is_ok_and(|metadata| metadata.is_symlink());
        if !is_link && is_repository(&git_dir) {
            found.push(Place::of_directory(git_dir.clone()));
            absorbed(&git_dir.join("modules"), found);
            embedded(&work_tree, found);
        }
    }
}

fn is_repository(path: &Path) -> bool {
    path.join("HEAD").is_file() && path.join("objects").is_dir() && path.join("config").is_file()
}

fn to_path(line: &[u8]) -> Option<PathBuf> {
    Some(gix::path::from_byte_slice(line).ok()?.to_owned())
}
