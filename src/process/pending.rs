//! What this process must not leave behind, however it ends: locks, drafts, a terminal that shows nothing.
//!
//! Whoever begins such a thing says how it is undone. That happens when the value is dropped, when a signal ends the
//! process, and when the process ends itself because git has gone. It must not know what is undone.

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::signals;

type Undo = Box<dyn FnOnce() + Send>;

/// What has been begun, the latest last.
static LIST: Mutex<List> = Mutex::new(List {
    last: 0,
    undos: Vec::new(),
});

struct List {
    last: u64,
    undos: Vec<(u64, Undo)>,
}

impl List {
    fn take(&mut self, number: u64) -> Option<Undo> {
        let at = self.undos.iter().position(|(other, _)| *other == number)?;
        Some(self.undos.remove(at).1)
    }
}

/// Something that was begun and is undone when this is dropped, unless it is settled before.
#[derive(Debug)]
#[must_use = "it is undone at once"]
pub struct Pending {
    number: u64,
}

impl Pending {
    /// Does `begin`; from then on `undo` is due. The process does not end itself between the two.
    pub fn begin<T>(
        begin: impl FnOnce() -> io::Result<T>,
        undo: impl FnOnce() + Send + 'static,
    ) -> io::Result<(T, Self)> {
        signals::watch();
        let mut list = list();
        let made = begin()?;
        list.last += 1;
        let number = list.last;
        list.undos.push((number, Box::new(undo)));
        Ok((made, Self { number }))
    }

    /// Does `end`. If that succeeds, nothing is left to undo.
    pub fn settle(&mut self, end: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        let mut list = list();
        end()?;
        drop(list.take(self.number));
        Ok(())
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        let mut list = list();
        if let Some(undo) = list.take(self.number) {
            undo();
        }
    }
}

/// Undoes all that was begun, the latest first, because the process is about to end: whoever wants to begin or to
/// settle something waits for that from now on.
pub(super) fn undo_all() {
    let mut list = list();
    while let Some((_, undo)) = list.undos.pop() {
        undo();
    }
    std::mem::forget(list);
}

fn list() -> MutexGuard<'static, List> {
    // A list is as good after a panic as before it.
    LIST.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[test]
    fn what_is_not_settled_is_undone_once() {
        let undone = Arc::new(AtomicU32::new(0));
        let begin = |good: bool| {
            let undone = undone.clone();
            Pending::begin(
                || if good { Ok(()) } else { Err(io::ErrorKind::Other.into()) },
                move || {
                    undone.fetch_add(1, Ordering::Relaxed);
                },
            )
        };
        let count = || undone.load(Ordering::Relaxed);
        assert!(begin(false).is_err());
        assert_eq!(count(), 0, "it was never begun");
        let ((), mut settled) = begin(true).expect("begun");
        settled.settle(|| Ok(())).expect("settled");
        drop(settled);
        assert_eq!(count(), 0);
        let ((), mut failed) = begin(true).expect("begun");
        assert!(failed.settle(|| Err(io::ErrorKind::Other.into())).is_err());
        assert_eq!(count(), 0, "it may be tried again");
        drop(failed);
        assert_eq!(count(), 1);
    }
}
