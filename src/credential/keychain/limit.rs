//! Calls that may never return, given up in time.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::Fault;

/// Runs `call` in a thread of its own and waits for it no longer than `limit`.
///
/// A call that is too slow is left behind, and ends with the process: the libraries offer no way to break it off.
pub(super) fn within<T: Send + 'static>(
    limit: Duration,
    call: impl FnOnce() -> Result<T, Fault> + Send + 'static,
) -> Result<T, Fault> {
    let (send, receive) = mpsc::sync_channel(1);
    let started = thread::Builder::new().name("keychain".to_owned()).spawn(move || {
        // Nobody waits any more for what comes too late.
        send.send(call()).ok();
    });
    if let Err(error) = started {
        return Err(Fault::Broken(error.to_string()));
    }
    match receive.recv_timeout(limit) {
        Ok(result) => result,
        Err(mpsc::RecvTimeoutError::Timeout) => Err(Fault::Slow(limit)),
        // The libraries panic where a prompt of the desktop goes away.
        Err(mpsc::RecvTimeoutError::Disconnected) => Err(Fault::Broken("its library has failed".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_never_returns_is_given_up() {
        let (_keep, never) = mpsc::channel::<()>();
        let limit = Duration::from_millis(20);
        let result = within(limit, move || {
            never.recv().ok();
            Ok(())
        });
        assert_eq!(result, Err(Fault::Slow(limit)));
        assert_eq!(within(Duration::from_secs(5), || Ok(7)), Ok(7));
    }
}
