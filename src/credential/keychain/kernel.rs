//! The keyring that the Linux kernel has for a user, for machines without a desktop: it lasts until the next restart.
//!
//! This is the user's keyring (`@u`), which is the same in every session. A session's own keyring ends with it, is not
//! there at all for services, and may be that of another user after `sudo`. Does not depend on the desktop's store.

use linux_keyutils::{Key, KeyError, KeyRing, KeyRingIdentifier};
use zeroize::Zeroizing;

use super::Fault;
use crate::secret::Secret;

/// The open keyring of the user.
#[derive(Debug)]
pub(super) struct Keyring(KeyRing);

impl Keyring {
    /// Opens the keyring for this thread.
    ///
    /// Only those who possess a key may read it, and a key is possessed by way of the keyrings of one's own. The user's
    /// keyring need not be among them, so it is linked into that of the process.
    pub(super) fn open() -> Result<Self, Fault> {
        let own = KeyRing::from_special_id(KeyRingIdentifier::Process, true)?;
        own.link_keyring_id(KeyRingIdentifier::User)?;
        Ok(Self(KeyRing::from_special_id(KeyRingIdentifier::User, true)?))
    }

    /// Reads the secret `name`.
    pub(super) fn read(&self, name: &str) -> Result<Secret, Fault> {
        let bytes = Zeroizing::new(self.find(name)?.read_to_vec()?);
        match std::str::from_utf8(&bytes) {
            Ok(text) if !text.is_empty() => Ok(Secret::new(text)),
            _ => Err(Fault::Broken("the stored secret is not valid text".to_owned())),
        }
    }

    /// Writes the secret `name`, in place of any other, and reads it back. What cannot be read back does not stay.
    pub(super) fn write(&self, name: &str, secret: &Secret) -> Result<(), Fault> {
        let key = self.0.add_key(name, secret.expose().as_bytes())?;
        let fault = match self.read(name) {
            Ok(kept) if kept == *secret => return Ok(()),
            Ok(_) => Fault::Broken("it returned another secret than was written".to_owned()),
            Err(fault) => fault,
        };
        // The fault is what the user has to know; a key that cannot be removed expires.
        key.set_timeout(1).ok();
        self.remove(key).ok();
        Err(fault)
    }

    /// Deletes the secret `name`, and checks that it is gone.
    pub(super) fn delete(&self, name: &str) -> Result<(), Fault> {
        let key = match self.find(name) {
            Err(Fault::NoEntry) => return Ok(()),
            other => other?,
        };
        self.remove(key)?;
        match self.find(name) {
            Err(Fault::NoEntry) => Ok(()),
            Ok(_) => Err(Fault::Broken("it still has the secret after deleting it".to_owned())),
            Err(fault) => Err(fault),
        }
    }

    fn find(&self, name: &str) -> Result<Key, Fault> {
        Ok(self.0.search(name)?)
    }

    /// Takes the key out of the keyring, so that it is found no more, and out of whatever else has a link to it.
    fn remove(&self, key: Key) -> Result<(), KeyError> {
        self.0.unlink_key(key)?;
        match key.invalidate() {
            // It had no other link, and is gone already.
            Err(KeyError::KeyDoesNotExist | KeyError::AccessDenied) | Ok(()) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

impl From<KeyError> for Fault {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::KeyDoesNotExist | KeyError::KeyExpired | KeyError::KeyRevoked => Self::NoEntry,
            KeyError::QuotaExceeded => Self::Broken("the kernel's limit for keys of this user is reached".to_owned()),
            other => Self::NoKeyring(format!("the kernel refused it: {other}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_key_is_missing_for_is_not_what_a_keyring_is_missing_for() {
        assert_eq!(Fault::from(KeyError::KeyExpired), Fault::NoEntry);
        assert!(matches!(Fault::from(KeyError::PermissionDenied), Fault::NoKeyring(_)));
        // `ENOSYS`: a kernel without keyrings.
        assert!(matches!(Fault::from(KeyError::Unknown(38)), Fault::NoKeyring(_)));
    }

    /// Removes its key however the test ends.
    struct Name(String);

    impl Drop for Name {
        fn drop(&mut self) {
            if let Ok(keyring) = Keyring::open() {
                keyring.delete(&self.0).ok();
            }
        }
    }

    #[test]
    fn the_keyring_keeps_what_it_is_given() {
        let keyring = match Keyring::open() {
            Ok(keyring) => keyring,
            Err(fault) => {
                println!("skipped: this machine has no keyring of the kernel: {fault:?}");
                return;
            }
        };
        let name = Name(format!("org.git-remote-bbcloud:test-{}", std::process::id()));
        let (first, second) = (Secret::new("ATBBfirst"), Secret::new("ATATT3second=0A1B2C3D"));
        assert_eq!(keyring.read(&name.0), Err(Fault::NoEntry));
        keyring.write(&name.0, &first).expect("written");
        assert_eq!(keyring.read(&name.0), Ok(first));
        keyring.write(&name.0, &second).expect("replaced");
        // Another thread has keyrings of its own.
        let other = name.0.clone();
        let read = std::thread::spawn(move || Keyring::open()?.read(&other));
        assert_eq!(read.join().expect("no panic"), Ok(second));
        keyring.delete(&name.0).expect("deleted");
        assert_eq!(keyring.read(&name.0), Err(Fault::NoEntry));
        keyring.delete(&name.0).expect("what is gone is gone");
    }
}
