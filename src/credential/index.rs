//! The list of accounts, in a file of the user's configuration: who is signed in is known without any keychain.
//!
//! No secret is in it. Does not depend on stores: what the file says may be out of date, and the keychain decides.

use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::account::Account;
use super::lock::Lock;
use crate::environment::Environment;
use crate::environment::variable::XDG_CONFIG_HOME;
use crate::file;
use crate::report::{Failure, Kind};
use crate::shell;

/// The longest file that is read, in bytes; thousands of accounts fit.
const MAX: u64 = 4 * 1024 * 1024;
/// The key of the list itself.
const ACCOUNTS: &str = "accounts";

/// The file that lists the accounts.
#[derive(Debug, Clone)]
pub struct Index {
    directory: PathBuf,
}

impl Index {
    /// Returns the list of the user whose environment this is; `None` for a user without a home.
    pub fn of(environment: &Environment) -> Option<Self> {
        let configured = environment.path(&XDG_CONFIG_HOME).filter(|path| path.is_absolute());
        let directory = configured.or_else(|| Some(environment.home()?.join(".config")))?;
        Some(Self {
            directory: directory.join("git-remote-bbcloud"),
        })
    }

    /// Returns where the list is.
    pub fn path(&self) -> PathBuf {
        self.directory.join("accounts.json")
    }

    /// Returns the accounts, none where there is no file.
    pub fn read(&self) -> Result<Vec<Account>, Failure> {
        Ok(self.list()?.accounts())
    }

    fn list(&self) -> Result<List, Failure> {
        let path = self.path();
        let text = match file::read(&path, MAX) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(List::default()),
            Err(error) => return Err(unreadable(&path, Some(error.kind())).caused_by(&error)),
            Ok(text) => text,
        };
        let whole = serde_json::from_slice(&text).map_err(|error| unreadable(&path, None).caused_by(&error))?;
        List::of(whole).ok_or_else(|| unreadable(&path, None))
    }

    /// Changes the list, while no other process does.
    pub fn update(&self, change: impl FnOnce(&mut Vec<Account>)) -> Result<(), Failure> {
        let path = self.path();
        let failed = |error: &io::Error| {
            let message = format!("cannot write the list of accounts '{}'", path.display());
            Failure::new(Kind::Local, message).caused_by(error)
        };
        let _lock = Lock::acquire(&self.directory.join("accounts.lock"), || {}).map_err(|error| failed(&error))?;
        let list = self.list()?;
        let mut accounts = list.accounts();
        change(&mut accounts);
        let text = list.with(&accounts).map_err(|error| failed(&error.into()))?;
        file::write(&path, text.as_bytes(), file::PRIVATE).map_err(|error| failed(&error))
    }

    /// The file that is locked while somebody is asked for a secret.
    pub(super) fn prompt_lock(&self) -> PathBuf {
        self.directory.join("prompt.lock")
    }

    /// The file that is locked while the desktop asks for the keychain's password.
    #[cfg(target_os = "linux")]
    pub(super) fn unlock_lock(&self) -> PathBuf {
        self.directory.join("unlock.lock")
    }
}

/// What is in the file: the accounts, and whatever else a later version may have written, which stays.
struct List {
    whole: Map<String, Value>,
    entries: Vec<Value>,
}

impl Default for List {
    fn default() -> Self {
        Self {
            whole: Map::from_iter([("version".to_owned(), json!(1))]),
            entries: Vec::new(),
        }
    }
}

impl List {
    /// Takes the list that `whole` is, if it is one.
    fn of(mut whole: Map<String, Value>) -> Option<Self> {
        match whole.remove(ACCOUNTS)? {
            Value::Array(entries) => Some(Self { whole, entries }),
            _ => None,
        }
    }

    /// Those that can be understood: an account of a later version may be of a kind that is not known here.
    fn accounts(&self) -> Vec<Account> {
        self.entries.iter().filter_map(Account::from_json).collect()
    }

    /// Returns the text of the list with `accounts` in the place of those that it has.
    fn with(mut self, accounts: &[Account]) -> serde_json::Result<String> {
        let known = self
            .entries
            .iter()
            .filter_map(|entry| Account::from_json(entry).zip(Some(entry)));
        let known: Vec<(Account, &Value)> = known.collect();
        let entry = |account: &Account| {
            let mut entry = account.to_json();
            let before = known.iter().find(|(other, _)| other.is_same(account));
            if let Some((_, before)) = before.filter(|(other, _)| other == account) {
                // It may have values that are not understood here.
                return (*before).clone();
            }
            if let (Some((_, Value::Object(before))), Some(entry)) = (before, entry.as_object_mut()) {
                for (name, value) in before {
                    entry.entry(name).or_insert_with(|| value.clone());
                }
            }
            entry
        };
        let strange = self.entries.iter().filter(|entry| Account::from_json(entry).is_none());
        let entries = accounts.iter().map(entry).chain(strange.cloned()).collect();
        self.whole.insert(ACCOUNTS.to_owned(), Value::Array(entries));
        Ok(serde_json::to_string_pretty(&self.whole)? + "\n")
    }
}

/// Why the list cannot be read, as far as it is the file's fault and not its text's.
fn unreadable(path: &Path, fault: Option<io::ErrorKind>) -> Failure {
    let shown = path.display();
    let failure = Failure::new(Kind::Local, format!("the list of accounts '{shown}' cannot be read"));
    if fault == Some(io::ErrorKind::PermissionDenied) {
        let directory = path.parent().unwrap_or(path);
        return failure.hint(format!("make it yours with '{}'", shell::take_ownership(directory)));
    }
    failure.hint(format!(
        "put it aside with '{}', then sign in again with 'git-remote-bbcloud login'",
        shell::put_aside(path)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credential::account::{Scope, StoreKind};
    use crate::secret::kind;

    fn index(directory: &Path) -> Index {
        Index::of(&Environment::from_pairs([("XDG_CONFIG_HOME", directory)])).expect("a directory")
    }

    fn account(username: &str) -> Account {
        Account {
            host: "bitbucket.org".to_owned(),
            scope: Scope::host(),
            username: username.to_owned(),
            email: None,
            kind: kind::Kind::ApiToken,
            place: StoreKind::System,
            created: 1,
            expires: crate::credential::expiry::Expiry::Unknown,
            reminded: None,
            repository: None,
        }
    }

    #[test]
    fn what_is_written_is_read_back_and_private() {
        let home = tempfile::tempdir().expect("a directory");
        let index = index(home.path());
        assert!(index.read().expect("no file is no account").is_empty());
        index.update(|accounts| accounts.push(account("ada"))).expect("written");
        assert_eq!(index.read().expect("read"), [account("ada")]);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::metadata(index.path()).expect("a file").permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn a_damaged_file_is_told_and_not_overwritten() {
        let home = tempfile::tempdir().expect("a directory");
        let index = index(home.path());
        index.update(|_| {}).expect("written");
        std::fs::write(index.path(), "{").expect("written");
        assert!(index.read().is_err());
        assert!(index.update(|accounts| accounts.push(account("ada"))).is_err());
        assert_eq!(std::fs::read(index.path()).expect("a file"), b"{");
    }

    #[test]
    fn what_is_not_understood_stays() {
        let home = tempfile::tempdir().expect("a directory");
        let index = index(home.path());
        index.update(|accounts| accounts.push(account("ada"))).expect("written");
        let mut value: Value = serde_json::from_slice(&std::fs::read(index.path()).expect("a file")).expect("JSON");
        value["later"] = json!({ "x": 1 });
        value["version"] = json!(2);
        value["accounts"][0]["expires"] = json!(7);
        let strange = json!({ "host": "bitbucket.org", "kind": "passkey" });
        value["accounts"]
            .as_array_mut()
            .expect("a list")
            .insert(0, strange.clone());
        std::fs::write(index.path(), value.to_string()).expect("written");
        index.update(|accounts| accounts.push(account("bob"))).expect("written");
        let value: Value = serde_json::from_slice(&std::fs::read(index.path()).expect("a file")).expect("JSON");
        assert_eq!((&value["later"]["x"], &value["version"]), (&json!(1), &json!(2)));
        let entries = value["accounts"].as_array().expect("a list");
        assert!(entries.len() == 3 && entries.contains(&strange), "{value}");
        assert_eq!(entries[0]["expires"], json!(7));
        index.update(Vec::clear).expect("written");
        assert!(index.read().expect("read").is_empty());
        assert!(
            std::fs::read_to_string(index.path())
                .expect("a file")
                .contains("passkey")
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_one() {
        let home = tempfile::tempdir().expect("a directory");
        let index = index(home.path());
        let elsewhere = home.path().join("elsewhere.json");
        std::fs::create_dir_all(&index.directory).expect("a directory");
        std::os::unix::fs::symlink(&elsewhere, index.path()).expect("a link");
        for name in ["ada", "bob"] {
            index.update(|accounts| accounts.push(account(name))).expect("written");
        }
        assert!(std::fs::symlink_metadata(index.path()).expect("there").is_symlink());
        assert_eq!(index.read().expect("read").len(), 2);
        assert!(elsewhere.is_file());
    }

    #[test]
    fn the_hint_is_for_what_is_wrong() {
        let path = Path::new("/home/ada/.config/git-remote-bbcloud/accounts.json");
        let hint = |fault| unreadable(path, fault).hints().concat();
        assert!(hint(None).contains("'mv \"/home/ada/.config/git-remote-bbcloud/accounts.json\" "));
        // Whoever may not read it may not move it either.
        let denied = hint(Some(io::ErrorKind::PermissionDenied));
        assert!(
            !denied.contains("mv ") && denied.contains("'sudo chown -R \"$(id -u)\" \"/home/ada/"),
            "{denied}"
        );
    }

    #[test]
    fn two_processes_at_once_lose_nothing() {
        let home = tempfile::tempdir().expect("a directory");
        let index = index(home.path());
        std::thread::scope(|scope| {
            for n in 0..8 {
                let index = &index;
                scope.spawn(move || {
                    for m in 0..4 {
                        let name = format!("{n}-{m}");
                        index.update(|accounts| accounts.push(account(&name))).expect("written");
                    }
                });
            }
        });
        assert_eq!(index.read().expect("read").len(), 32);
    }
}
