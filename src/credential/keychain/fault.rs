//! Why a keychain did not do what it was asked, each cause with its own words and its own way out.

use std::time::Duration;

use crate::report::{Failure, Kind};

/// The ways in which a keychain fails.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It works, and has no such secret.
    #[error("the keychain has no such secret")]
    NoEntry,
    /// It would have to be unlocked first, and nobody is there to do so, or did.
    #[error("the keychain is locked")]
    Locked,
    /// There is none.
    #[error("there is no keychain")]
    Absent(String),
    /// The kernel's keyring cannot be used.
    #[error("the kernel's keyring cannot be used")]
    NoKeyring(String),
    /// It has not answered in this time.
    #[error("the keychain has not answered in {} seconds", .0.as_secs_f32())]
    Slow(Duration),
    /// It has several secrets of the same name, and none of them is known to be the right one.
    #[error("the keychain has {0} secrets of the same name")]
    Ambiguous(usize),
    /// The secret has more bytes than this keychain can hold.
    #[error("the secret is longer than the {0} bytes that the keychain holds")]
    TooLong(u32),
    /// Anything else.
    #[error("the keychain does not work")]
    Broken(String),
}

impl Fault {
    /// Returns the word for it in JSON.
    pub fn word(&self) -> &'static str {
        match self {
            Self::NoEntry => "missing",
            Self::Locked => "locked",
            Self::Absent(_) | Self::NoKeyring(_) => "absent",
            Self::Slow(_) => "slow",
            Self::Ambiguous(_) => "ambiguous",
            Self::TooLong(_) => "too-long",
            Self::Broken(_) => "broken",
        }
    }

    /// Says what it means for the user; `target` is what the secret is for, as `--for` takes it.
    pub fn explain(&self, target: &str) -> Failure {
        let failure = Failure::new(Kind::Keychain, self.to_string());
        let failure = match self {
            Self::Absent(reason) | Self::NoKeyring(reason) | Self::Broken(reason) => failure.because(reason.as_str()),
            _ => failure,
        };
        let failure = match self {
            Self::NoEntry => {
                return failure.hint(format!("run 'git-remote-bbcloud login --for {target}'"));
            }
            Self::Ambiguous(_) => {
                return failure.hint(format!(
                    "run 'git-remote-bbcloud logout --for {target}', then 'git-remote-bbcloud login --for {target}'"
                ));
            }
            Self::TooLong(_) => {
                return failure.hint("create a shorter token, or keep it in a file and set BBCLOUD_TOKEN_FILE");
            }
            Self::Locked => unlock(failure),
            Self::NoKeyring(_) => failure.hint("in a container, allow the system calls 'add_key' and 'keyctl'"),
            Self::Absent(_) if cfg!(target_os = "linux") => failure.hint(
                "start one, such as gnome-keyring, KWallet or KeePassXC, or use the kernel's until the next restart: \
                 'git config --global bbcloud.store keyutils'",
            ),
            Self::Slow(_) => failure.hint("give it more seconds: 'git config --global bbcloud.keychainTimeout 30'"),
            Self::Absent(_) | Self::Broken(_) => failure.hint("look at it with 'git-remote-bbcloud status'"),
        };
        failure.hint("or set BBCLOUD_TOKEN (or BBCLOUD_TOKEN_FILE), and the keychain is not needed")
    }
}

fn unlock(failure: Failure) -> Failure {
    if cfg!(target_os = "macos") {
        failure.hint("unlock it with 'security unlock-keychain', also over ssh")
    } else if cfg!(windows) {
        failure.hint("sign in to Windows at the console: a network logon has no Credential Manager")
    } else {
        failure.hint(
            "unlock it by signing in to the desktop, or type its password and Ctrl-D after \
             'gnome-keyring-daemon --replace --unlock'",
        )
    }
}

/// What the keychain's library failed with, sorted. Nothing of a secret is in its words: variants that hold one are
/// not shown.
impl From<keyring_core::Error> for Fault {
    fn from(error: keyring_core::Error) -> Self {
        use keyring_core::Error;
        #[cfg(target_os = "macos")]
        if let Error::NoStorageAccess(cause) | Error::PlatformFailure(cause) = &error
            && let Some(fault) = super::apple::fault(cause.as_ref())
        {
            return fault;
        }
        match error {
            Error::NoEntry => Self::NoEntry,
            // On Windows that is a session without a Credential Manager (`ERROR_NO_SUCH_LOGON_SESSION`).
            Error::NoStorageAccess(_) => Self::Locked,
            Error::PlatformFailure(cause) if says(cause.as_ref(), &["no secret service", "ServiceUnknown"]) => {
                Self::Absent(cause.to_string())
            }
            Error::PlatformFailure(cause) => Self::Broken(cause.to_string()),
            Error::Ambiguous(entries) => Self::Ambiguous(entries.len()),
            Error::TooLong(_, limit) => Self::TooLong(limit),
            Error::BadEncoding(_) | Error::BadDataFormat(..) => Self::Broken("what it holds is no text".to_owned()),
            Error::NoDefaultStore => Self::Absent("this system has none that is known".to_owned()),
            other => Self::Broken(other.to_string()),
        }
    }
}

fn says(error: &(dyn std::error::Error + 'static), words: &[&str]) -> bool {
    let shown = format!("{error} {error:?}");
    words.iter().any(|word| shown.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_has_its_own_words_and_a_way_out() {
        let faults = [
            Fault::NoEntry,
            Fault::Locked,
            Fault::Absent("no bus".to_owned()),
            Fault::NoKeyring("no keys".to_owned()),
            Fault::Slow(Duration::from_secs(3)),
            Fault::Ambiguous(2),
            Fault::TooLong(2560),
            Fault::Broken("on fire".to_owned()),
        ];
        let mut seen = std::collections::HashSet::new();
        for fault in &faults {
            let failure = fault.explain("acme");
            assert!(seen.insert(failure.message().to_owned()), "{fault:?}");
            assert!(!failure.hints().is_empty(), "{fault:?}");
        }
        assert_eq!(faults[4].to_string(), "the keychain has not answered in 3 seconds");
    }

    #[test]
    fn no_secret_is_in_the_words_of_a_fault() {
        let bad = keyring_core::Error::BadEncoding(b"ATBBcanary".to_vec());
        assert!(!format!("{:?}", Fault::from(bad)).contains("canary"));
    }
}
