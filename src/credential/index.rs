//! The list of accounts, in a file of the user's configuration: who is signed in is known without any keychain.
//!
//! No secret is in it. It must not know stores: what the file says may be out of date, and the keychain decides.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::account::Account;
use super::lock::{self, Lock};
use crate::environment::Environment;
use crate::environment::variable::XDG_CONFIG_HOME;
use crate::report::{Failure, Kind};

/// The longest file that is read, in bytes; thousands of accounts fit.
const MAX: u64 = 4 * 1024 * 1024;

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
        let path = self.path();
        match std::fs::metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Ok(metadata) if metadata.len() > MAX => return Err(unreadable(&path)),
            _ => {}
        }
        let text = std::fs::read(&path).map_err(|error| unreadable(&path).caused_by(&error))?;
        let value: Value = serde_json::from_slice(&text).map_err(|error| unreadable(&path).caused_by(&error))?;
        let Some(accounts) = value.get("accounts").and_then(Value::as_array) else {
            return Err(unreadable(&path));
        };
        // An account of a later version may be of a kind that is not known here; it is no use to this one.
        Ok(accounts.iter().filter_map(Account::from_json).collect())
    }

    /// Changes the list, while no other process does.
    pub fn update(&self, change: impl FnOnce(&mut Vec<Account>)) -> Result<(), Failure> {
        let path = self.path();
        let failed = |error: &io::Error| {
            let message = format!("cannot write the list of accounts '{}'", path.display());
            Failure::new(Kind::Local, message).caused_by(error)
        };
        let _lock = Lock::acquire(&self.directory.join("accounts.lock"), || {}).map_err(|error| failed(&error))?;
        let mut accounts = self.read()?;
        change(&mut accounts);
        self.write(&accounts).map_err(|error| failed(&error))
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

    fn write(&self, accounts: &[Account]) -> io::Result<()> {
        let accounts: Vec<Value> = accounts.iter().map(Account::to_json).collect();
        let text = serde_json::to_string_pretty(&json!({ "version": 1, "accounts": accounts }))?;
        let temporary = self.directory.join("accounts.new");
        // What a process that died has left is not appended to.
        std::fs::remove_file(&temporary).or_else(|error| match error.kind() {
            io::ErrorKind::NotFound => Ok(()),
            _ => Err(error),
        })?;
        let mut file = lock::private(&temporary)?;
        file.write_all(text.as_bytes())?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        drop(file);
        std::fs::rename(&temporary, self.path())
    }
}

fn unreadable(path: &Path) -> Failure {
    Failure::new(
        Kind::Local,
        format!("the list of accounts '{}' cannot be read", path.display()),
    )
    .hint(format!(
        "put it aside with 'mv \"{0}\" \"{0}.bad\"', then sign in again with 'git-remote-bbcloud login'",
        path.display()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credential::account::{Place, Scope};
    use crate::credential::kind;

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
            place: Place::System,
            created: 1,
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
