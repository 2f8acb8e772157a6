//! A directory as bytes, and what may differ after a failure.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Every file of a directory, by its path below it; but git's sample hooks, which are not copied.
#[derive(Debug, Default)]
pub(super) struct Snapshot(BTreeMap<String, Vec<u8>>);

impl Snapshot {
    pub(super) fn of(root: &Path) -> Self {
        let mut snapshot = Self::default();
        let mut open = vec![root.to_owned()];
        while let Some(directory) = open.pop() {
            for entry in fs::read_dir(directory).expect("a directory can be read") {
                let path = entry.expect("a directory can be read").path();
                if path.is_dir() {
                    open.push(path);
                } else if path.extension().is_none_or(|extension| extension != "sample") {
                    let name = path.strip_prefix(root).expect("below the root").display().to_string();
                    snapshot.0.insert(name, fs::read(&path).expect("a file can be read"));
                }
            }
        }
        snapshot
    }

    /// What was in `before` and is not the same here, and what is new and not git's usual trace of an attempt: objects,
    /// and the tracking branch of a push whose report has arrived, which is then at `pushed`.
    pub(super) fn changes_since(&self, before: &Self, pushed: &str) -> Vec<String> {
        let changed = before
            .0
            .iter()
            .filter(|(name, content)| self.0.get(*name) != Some(*content))
            .map(|(name, _)| format!("'{name}' is not what it was"));
        let tracked = |name: &str, content: &[u8]| {
            !pushed.is_empty()
                && (name.contains(".git/logs/refs/remotes/")
                    || name.contains(".git/refs/remotes/") && content == pushed.as_bytes())
        };
        let new = self
            .0
            .iter()
            .filter(|(name, _)| !before.0.contains_key(*name))
            .filter(|(name, content)| {
                // Git empties it before it asks anybody.
                let emptied = name.ends_with(".git/FETCH_HEAD") && content.is_empty();
                let expected = emptied || name.contains(".git/objects/") || tracked(name, content);
                !expected
            })
            .map(|(name, _)| format!("'{name}' is new"));
        changed.chain(new).collect()
    }

    /// Makes the directory `root`, which is now as `after` says, what it was.
    pub(super) fn restore(&self, after: &Self, root: &Path) {
        for name in after.0.keys().filter(|name| !self.0.contains_key(*name)) {
            fs::remove_file(root.join(name)).expect("a new file can be removed");
        }
        for (name, content) in &self.0 {
            if after.0.get(name) != Some(content) {
                fs::write(root.join(name), content).expect("a file can be written");
            }
        }
    }

    /// The content of a file, or nothing.
    pub(super) fn text(&self, name: &str) -> String {
        let content = self.0.get(name).map(Vec::as_slice).unwrap_or_default();
        String::from_utf8_lossy(content).into_owned()
    }

    /// Whether objects have come that were not in `before`.
    pub(super) fn has_new_objects(&self, before: &Self) -> bool {
        let mut names = self.0.keys();
        names.any(|name| name.contains(".git/objects/") && !before.0.contains_key(name))
    }

    /// Files that only exist while somebody works: none may be left.
    pub(super) fn leftovers(&self) -> Vec<String> {
        let left = self.0.keys().filter(|name| is_leftover(name));
        left.map(|name| format!("'{name}' was left behind")).collect()
    }

    /// The names of the files, to be compared where content may differ.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

/// Locks, among them `shallow.lock` and those that are named after a process, and what is written before it has its
/// name: packs and objects of git, files of ours.
pub(crate) fn is_leftover(name: &str) -> bool {
    let file = name.rsplit('/').next().unwrap_or(name);
    let ends = [".lock", ".keep", ".draft"];
    ends.iter().any(|end| file.ends_with(end)) || file.starts_with("tmp_")
}

#[test]
fn what_is_left_behind_is_known_by_its_name() {
    for name in [
        ".git/shallow.lock",
        ".git/objects/pack/tmp_pack_a1B2c3",
        ".git/objects/12/tmp_obj_x",
        "objects/pack/tmp_idx_x",
        "objects/pack/pack-1.keep",
        ".cache/git-remote-bbcloud/1.draft",
        "locks/4711.lock",
    ] {
        assert!(is_leftover(name), "{name}");
    }
    assert!(!is_leftover(".git/objects/pack/pack-1.pack") && !is_leftover("tmp_pack_a/file"));
}
