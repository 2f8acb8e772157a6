//! Signals that end the process, while there is something that it must not leave behind.
//!
//! Nothing is registered before that. From then on a thread waits for them, undoes what is pending, and lets the signal
//! do what it does by itself; its handlers cannot be taken back. It must not know what is undone.

use std::sync::Once;
#[cfg(unix)]
use std::sync::{OnceLock, mpsc};

#[cfg(unix)]
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGXFSZ};
#[cfg(unix)]
use signal_hook::iterator::Signals;

/// Says whether a signal is seen to, and does not end the process.
#[cfg(unix)]
type Handler = Box<dyn Fn(i32) -> bool + Send + Sync>;

/// Who is asked before a signal ends the process.
#[cfg(unix)]
static HANDLER: OnceLock<Handler> = OnceLock::new();

/// Has `handle` asked about each signal before it ends the process. The first one to call this is the one that counts.
#[cfg(unix)]
pub fn on_signal(handle: impl Fn(i32) -> bool + Send + Sync + 'static) {
    HANDLER.set(Box::new(handle)).ok();
    watch();
}

/// Begins to watch, if nobody has yet. Without a thread that can be had, signals do what they always do.
#[cfg(unix)]
pub(super) fn watch() {
    static BEGUN: Once = Once::new();
    BEGUN.call_once(|| {
        let (ready, begun) = mpsc::channel();
        let watch = move || {
            let Ok(mut signals) = Signals::new(watched()) else {
                return;
            };
            ready.send(()).ok();
            // With a handler, a file that has become too long is an error like any other, and not the end.
            for signal in signals.forever().filter(|signal| *signal != SIGXFSZ) {
                if HANDLER.get().is_some_and(|handle| handle(signal)) {
                    continue;
                }
                super::pending::undo_all();
                signal_hook::low_level::emulate_default_handler(signal).ok();
            }
        };
        if std::thread::Builder::new().stack_size(64 * 1024).spawn(watch).is_ok() {
            begun.recv().ok();
        }
    });
}

/// Begins to watch for Ctrl-C and its like, if nobody has yet. When a console window is closed, Windows may end the
/// process before everything is undone.
#[cfg(windows)]
pub(super) fn watch() {
    static BEGUN: Once = Once::new();
    BEGUN.call_once(|| {
        ctrlc::set_handler(|| super::exit(super::INTERRUPTED)).ok();
    });
}

/// Those that end the process, and not those that it was started to ignore, as with `nohup`.
#[cfg(unix)]
fn watched() -> Vec<i32> {
    let ignored = ignored();
    let is_ignored = |signal: &i32| ignored & (1 << (signal - 1)) != 0;
    let ending = [SIGHUP, SIGINT, SIGQUIT, SIGTERM].into_iter();
    ending.filter(|signal| !is_ignored(signal)).chain([SIGXFSZ]).collect()
}

/// The signals that are ignored, a bit each from the lowest; none where the system does not tell.
#[cfg(unix)]
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or_default()
}
