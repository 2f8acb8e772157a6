//! Waiting that has an end: a test fails with the name of what did not come in time.

use std::process::{Child, ExitStatus};
use std::time::{Duration, Instant};

use super::run::LIMIT;

/// Returns once `ready` says so.
pub(crate) fn until(what: &str, mut ready: impl FnMut() -> bool) {
    let started = Instant::now();
    while !ready() {
        assert!(started.elapsed() < LIMIT, "not within {LIMIT:?}: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Returns how `child` ended. One that does not end in time is killed.
pub(crate) fn ended(child: &mut Child) -> ExitStatus {
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait().expect("a child can be waited for") {
            return status;
        }
        if started.elapsed() > LIMIT {
            child.kill().expect("a running child can be killed");
            child.wait().expect("a killed child ends");
            panic!("process {} did not end within {LIMIT:?}", child.id());
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}
