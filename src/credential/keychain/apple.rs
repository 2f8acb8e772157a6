//! What is particular about the keychain of macOS: its error codes, and that a read may open a window.
//!
//! Does not depend on the stores.

use std::error::Error;

use security_framework::base;
use security_framework::os::macos::keychain::SecKeychain;

use super::Fault;

/// Runs `call` while no window may be opened: whatever would ask for a password fails as locked instead.
pub(super) fn without_windows<T>(call: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
    let _silence = SecKeychain::disable_user_interaction().map_err(|error| sort(error.code(), &error))?;
    call()
}

/// Returns what `error` of the keychain means, if it is one.
pub(super) fn fault(error: &(dyn Error + 'static)) -> Option<Fault> {
    let error: &base::Error = error.downcast_ref()?;
    Some(sort(error.code(), error))
}

/// The codes are those of `SecBase.h`.
fn sort(code: i32, error: &dyn Error) -> Fault {
    match code {
        // errSecItemNotFound
        -25300 => Fault::NoEntry,
        // userCanceledErr, errSecAuthFailed (a wrong password), errSecInteractionNotAllowed, errSecInteractionRequired
        -128 | -25293 | -25308 | -25315 => Fault::Locked,
        // errSecNotAvailable, errSecNoSuchKeychain, errSecInvalidKeychain, errSecNoDefaultKeychain
        -25291 | -25294 | -25295 | -25307 => Fault::Absent(error.to_string()),
        // Among them errSecInvalidOwnerEdit (-25244) and errSecReadOnly (-25292): to unlock it would change nothing.
        _ => Fault::Broken(format!("{error} ({code})")),
    }
}
