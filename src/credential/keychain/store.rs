//! The store of the operating system through the `keyring` crates: one entry of it is written, read and deleted.
//!
//! With `fault.rs` and `session_bus.rs` this is all that names those crates. Does not depend on time limits: every
//! function here may block for ever.

use std::collections::HashMap;
use std::sync::Arc;

use keyring_core::{CredentialStore, Entry, Error};
use zeroize::Zeroizing;

use super::Fault;
#[cfg(target_os = "linux")]
use super::kernel::Keyring;
use crate::credential::account::{Account, StoreKind};
use crate::secret::Secret;

/// The name under which our entries are found, and nobody else's: a search matches it in every collection.
pub(super) const SERVICE: &str = "org.git-remote-bbcloud";

/// The most bytes that the Windows Credential Manager holds in one entry. App passwords have 36 and tokens 192, so
/// an entry is never split; what is longer is refused before anything is written.
const WINDOWS_MAX: u32 = 2560;

/// Whether the store shows attributes of an entry.
const HAS_ATTRIBUTES: bool = !cfg!(windows) && !cfg!(target_os = "macos");

/// An open store.
#[derive(Debug)]
pub(super) enum Store {
    /// The system's.
    System(System),
    /// The kernel's.
    #[cfg(target_os = "linux")]
    Kernel(Keyring),
}

impl Store {
    /// Opens the store at `place`.
    pub(super) fn open(place: StoreKind) -> Result<Self, Fault> {
        match place {
            StoreKind::System => Ok(Self::System(System { store: system()? })),
            #[cfg(target_os = "linux")]
            StoreKind::Keyutils => Ok(Self::Kernel(Keyring::open()?)),
            #[cfg(not(target_os = "linux"))]
            StoreKind::Keyutils => Err(Fault::Absent("keyutils is a part of Linux".to_owned())),
        }
    }

    /// Reads the secret of `account`.
    pub(super) fn read(&self, account: &Account) -> Result<Secret, Fault> {
        match self {
            Self::System(system) => system.read(account),
            #[cfg(target_os = "linux")]
            Self::Kernel(keyring) => keyring.read(&name(account)),
        }
    }

    /// Writes the secret of `account`, in place of any other, and reads it back.
    pub(super) fn write(&self, account: &Account, secret: &Secret) -> Result<(), Fault> {
        match self {
            Self::System(system) => system.write(account, secret),
            #[cfg(target_os = "linux")]
            Self::Kernel(keyring) => keyring.write(&name(account), secret),
        }
    }

    /// Deletes the secret of `account`, and looks whether it is gone.
    pub(super) fn delete(&self, account: &Account) -> Result<(), Fault> {
        match self {
            Self::System(system) => system.delete(account),
            #[cfg(target_os = "linux")]
            Self::Kernel(keyring) => keyring.delete(&name(account)),
        }
    }
}

/// The name of the secret of `account`, which is nobody else's.
fn name(account: &Account) -> String {
    format!("{SERVICE}:{}", account.entry())
}

/// A store of the `keyring` crates.
#[derive(Debug)]
pub(super) struct System {
    store: Arc<CredentialStore>,
}

impl System {
    /// Reads the secret of `account`.
    fn read(&self, account: &Account) -> Result<Secret, Fault> {
        let entry = self.entry(account)?;
        let bytes = match entry.get_secret() {
            Err(Error::Ambiguous(entries)) => ours(&entries, account)?.get_secret(),
            other => other,
        };
        let bytes = Zeroizing::new(bytes?);
        match std::str::from_utf8(&bytes) {
            Ok(text) if !text.is_empty() => Ok(Secret::new(text)),
            _ => Err(Fault::Broken("what it holds is no text".to_owned())),
        }
    }

    /// Writes the secret of `account`, in place of any other, and reads it back.
    fn write(&self, account: &Account, secret: &Secret) -> Result<(), Fault> {
        let bytes = secret.expose().as_bytes();
        if cfg!(windows) && bytes.len() > WINDOWS_MAX as usize {
            return Err(Fault::TooLong(WINDOWS_MAX));
        }
        let entry = self.entry(account)?;
        if cfg!(target_os = "macos") {
            // An item keeps the list of programs that may read it, an older version of this one among them.
            delete_all(&entry)?;
        }
        match entry.set_secret(bytes) {
            Err(Error::Ambiguous(_)) => {
                delete_all(&entry)?;
                entry.set_secret(bytes)?;
            }
            other => other?,
        }
        let created = account.created.to_string();
        let attributes = [
            ("host", account.host.as_str()),
            ("for", account.target()),
            ("account", account.username.as_str()),
            ("kind", account.kind.word()),
            ("created", created.as_str()),
        ];
        // For whoever looks at the keychain; not every store has attributes.
        if HAS_ATTRIBUTES {
            entry.update_attributes(&HashMap::from(attributes)).ok();
        }
        // Some places let one write and keep nothing, such as containers.
        match self.read(account) {
            Ok(kept) if kept == *secret => Ok(()),
            Ok(_) | Err(Fault::NoEntry) => Err(Fault::Broken("it does not keep what is written to it".to_owned())),
            Err(fault) => Err(fault),
        }
    }

    /// Deletes the secret of `account`, and looks whether it is gone.
    fn delete(&self, account: &Account) -> Result<(), Fault> {
        let entry = self.entry(account)?;
        delete_all(&entry)?;
        match entry.get_secret().map(Zeroizing::new) {
            Err(Error::NoEntry) => Ok(()),
            Ok(_) => Err(Fault::Broken("it still has the secret after deleting it".to_owned())),
            Err(error) => Err(error.into()),
        }
    }

    fn entry(&self, account: &Account) -> Result<Entry, Fault> {
        let entry = account.entry();
        let label = format!("Bitbucket: {entry}");
        let target = name(account);
        let modifiers = if cfg!(windows) {
            HashMap::from([("target", target.as_str()), ("persistence", "Local")])
        } else if cfg!(target_os = "macos") {
            HashMap::new()
        } else {
            HashMap::from([("label", label.as_str())])
        };
        Ok(self.store.build(SERVICE, &entry, Some(&modifiers))?)
    }
}

/// `keyring` knows which store this platform has.
fn system() -> Result<Arc<CredentialStore>, Fault> {
    if let Err(error) = keyring::Entry::store_status() {
        return Err(match error {
            Error::PlatformFailure(cause) => Fault::Absent(cause.to_string()),
            Error::NoStorageAccess(_) => Fault::Locked,
            other => Fault::Broken(other.to_string()),
        });
    }
    keyring_core::get_default_store().ok_or(Fault::from(Error::NoDefaultStore))
}

/// Returns the one among entries of the same name that was written last by us.
fn ours<'a>(entries: &'a [Entry], account: &Account) -> Result<&'a Entry, Fault> {
    let created = account.created.to_string();
    let mut matching = entries.iter().filter(|entry| {
        let attributes = entry.get_attributes().unwrap_or_default();
        attributes.get("created") == Some(&created)
    });
    match (matching.next(), matching.next()) {
        (Some(entry), None) => Ok(entry),
        _ => Err(Fault::Ambiguous(entries.len())),
    }
}

fn delete_all(entry: &Entry) -> Result<(), Fault> {
    match entry.delete_credential() {
        Ok(()) | Err(Error::NoEntry) => Ok(()),
        Err(Error::Ambiguous(entries)) => {
            for entry in entries {
                entry.delete_credential()?;
            }
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use keyring_core::api::CredentialStoreApi;

    use super::*;
    use crate::credential::account::Scope;
    use crate::secret::kind::Kind;

    fn account(username: &str) -> Account {
        Account {
            host: "localhost:1".to_owned(),
            scope: Scope::host(),
            username: username.to_owned(),
            email: None,
            kind: Kind::AppPassword,
            place: StoreKind::System,
            created: 1,
            expires: crate::credential::expiry::Expiry::Unknown,
            reminded: None,
            repository: None,
        }
    }

    /// A store in memory, and one that always fails.
    #[derive(Debug)]
    struct Fake {
        memory: Arc<keyring_core::mock::Store>,
        fails: bool,
    }

    impl CredentialStoreApi for Fake {
        fn vendor(&self) -> String {
            String::new()
        }

        fn id(&self) -> String {
            String::new()
        }

        fn build(&self, service: &str, user: &str, _: Option<&HashMap<&str, &str>>) -> keyring_core::Result<Entry> {
            let entry = self.memory.build(service, user, None)?;
            let mock = entry.as_any().downcast_ref::<keyring_core::mock::Cred>();
            if let (true, Some(mock)) = (self.fails, mock) {
                mock.set_error(Error::PlatformFailure("on fire".into()));
            }
            Ok(entry)
        }

        fn as_any(&self) -> &dyn std::any::Any {
            self
        }
    }

    fn fake(fails: bool) -> Store {
        let memory = keyring_core::mock::Store::new().expect("a store in memory");
        Store::System(System {
            store: Arc::new(Fake { memory, fails }),
        })
    }

    /// The one contract of all stores; `tests/it/keychain` holds the Secret Service against it too, as a whole program.
    fn keeps_what_it_is_given(store: &Store, account: &Account) {
        let (first, second) = (Secret::new("ATBBfirst"), Secret::new("ATATT3second=0A1B2C3D"));
        assert_eq!(store.read(account), Err(Fault::NoEntry));
        store.write(account, &first).expect("written");
        assert_eq!(store.read(account), Ok(first));
        store.write(account, &second).expect("replaced");
        assert_eq!(store.read(account), Ok(second));
        store.delete(account).expect("deleted");
        store.delete(account).expect("what is gone is gone");
    }

    #[test]
    fn a_store_in_memory_keeps_the_contract() {
        keeps_what_it_is_given(&fake(false), &account("ada"));
    }

    #[test]
    fn a_store_that_fails_never_looks_as_if_it_had_no_secret() {
        let (store, account) = (fake(true), account("ada"));
        let broken = Fault::Broken("on fire".to_owned());
        assert_eq!(store.read(&account), Err(broken.clone()));
        assert_eq!(store.write(&account, &Secret::new("ATBBx")), Err(broken.clone()));
        assert_eq!(store.delete(&account), Err(broken));
    }
}
