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

    /// What was in `before` and is not the same here, and what is new and not git's usual trace of an attempt.
    pub(super) fn changes_since(&self, before: &Self) -> Vec<String> {
        let changed = before
            .0
            .iter()
            .filter(|(name, content)| self.0.get(*name) != Some(*content))
            .map(|(name, _)| format!("'{name}' is not what it was"));
        let new = self
            .0
            .iter()
            .filter(|(name, _)| !before.0.contains_key(*name))
            // Git empties it before it asks anybody.
            .filter(|(name, content)| !(name.ends_with(".git/FETCH_HEAD") && content.is_empty()))
            .map(|(name, _)| format!("'{name}' is new"));
        changed.chain(new).collect()
    }

    /// Whether objects have come that were not in `before`.
    pub(super) fn has_new_objects(&self, before: &Self) -> bool {
        let mut names = self.0.keys();
        names.any(|name| name.contains(".git/objects/") && !before.0.contains_key(name))
    }

    /// Files that only exist while somebody works: none may be left.
    pub(super) fn leftovers(&self) -> Vec<String> {
        let names = self.0.keys();
        let left = names.filter(|name| [".lock", ".keep", ".draft"].iter().any(|end| name.ends_with(end)));
        left.map(|name| format!("'{name}' was left behind")).collect()
    }
}
