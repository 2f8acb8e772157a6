//! What this process must not leave behind, however it ends: locks, drafts, a terminal that shows nothing.
//!
//! Whoever begins such a thing says how it is undone. That happens when the value is dropped, when a signal ends the
//! process, and when the process ends itself because git has gone. It must not know what is undone.

#![cfg_attr(
    windows,
    allow(
        clippy::missing_const_for_thread_local,
        reason = "it is const, which the lint does not see there"
    )
)]

use std::cell::Cell;
use std::fmt;
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

thread_local! {
    /// Whether this thread undoes something, and has the list for that.
    static UNDOING: Cell<bool> = const { Cell::new(false) };
}

/// Something that was begun and is undone when this is dropped, unless it is settled before.
#[must_use = "it is undone at once"]
pub struct Pending {
    number: u64,
    /// How it is undone, where it was begun to undo something else: that is in the list already.
    nested: Option<Undo>,
}

impl Pending {
    /// Does `begin`; from then on `undo` is due. The process does not end itself between the two.
    pub fn begin<T>(
        begin: impl FnOnce() -> io::Result<T>,
        undo: impl FnOnce() + Send + 'static,
    ) -> io::Result<(T, Self)> {
        if UNDOING.get() {
            let nested: Option<Undo> = Some(Box::new(undo));
            return Ok((begin()?, Self { number: 0, nested }));
        }
        signals::watch();
        let mut list = list();
        let made = begin()?;
        list.last += 1;
        let number = list.last;
        list.undos.push((number, Box::new(undo)));
        Ok((made, Self { number, nested: None }))
    }

    /// Does `end`. If that succeeds, nothing is left to undo.
    pub fn settle(&mut self, end: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        if self.nested.is_some() {
            end()?;
            self.nested = None;
            return Ok(());
        }
        let mut list = list();
        end()?;
        drop(list.take(self.number));
        Ok(())
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if let Some(undo) = self.nested.take() {
            undo();
        }
        if self.number == 0 {
            return;
        }
        let mut list = list();
        if let Some(undo) = list.take(self.number) {
            undoing(undo);
        }
    }
}

impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pending")
            .field("number", &self.number)
            .finish_non_exhaustive()
    }
}

/// Does `undo`, which may begin something itself, such as the lock of a file.
fn undoing(undo: Undo) {
    UNDOING.set(true);
    undo();
    UNDOING.set(false);
}

/// Undoes all that was begun, the latest first, because the process is about to end: whoever wants to begin or to
/// settle something waits for that from now on.
pub(super) fn undo_all() {
    let mut list = list();
    while let Some((_, undo)) = list.undos.pop() {
        undoing(undo);
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
    #[test]
    fn what_undoes_may_begin_something_itself() {
        let nested = Arc::new(AtomicU32::new(0));
        let counted = nested.clone();
        let ((), outer) = Pending::begin(
            || Ok(()),
            move || {
                let one = counted.clone();
                let begun = Pending::begin(|| Ok(()), move || _ = one.fetch_add(1, Ordering::Relaxed));
                drop(begun);
                let two = counted.clone();
                let ((), mut settled) =
                    Pending::begin(|| Ok(()), move || _ = two.fetch_add(10, Ordering::Relaxed)).expect("begun");
                settled.settle(|| Ok(())).expect("settled");
            },
        )
        .expect("begun");
        drop(outer);
        assert_eq!(nested.load(Ordering::Relaxed), 1);
    }
}
