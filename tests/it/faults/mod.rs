//! The fault matrix: every operation against everything that can happen to its answer.
//!
//! In every cell git ends in time, the clone and the server's repository are as they were or complete, a failure is
//! told with its cause, and a push has been sent once at most.

mod bench;
mod content;
mod doors;
mod elsewhere;
mod framing;
mod operation;
mod snapshot;
mod told;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use self::bench::Bench;
use self::operation::Operation;
pub(crate) use self::snapshot::is_leftover;
use crate::bitbucket::Action;

/// How many cells run at the same time.
const THREADS: usize = 4;
/// How many cells share a server.
const BATCH: usize = 25;
/// The least that the matrix has to hold.
const CELLS: usize = 1000;

/// What a fault may do to an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Effect {
    /// It fails, and one of our own lines has this cause in it; one of these, where that is a race.
    Fails(Vec<String>),
    /// It fails, and git says why: it has been handed what it does not understand, and ends before we do.
    GitFails(&'static str),
    /// It succeeds as if there were no fault.
    None,
}

/// One column of the matrix.
#[derive(Clone, Debug)]
struct Case {
    name: String,
    action: Action,
    effect: Effect,
    /// Settings of git, for this case only.
    settings: &'static [&'static str],
}

impl Case {
    fn new(name: &str, action: Action, effect: Effect) -> Self {
        Self {
            name: name.to_owned(),
            action,
            effect,
            settings: &[],
        }
    }

    fn fails(name: &str, action: Action, cause: impl Into<String>) -> Self {
        Self::new(name, action, Effect::Fails(vec![cause.into()]))
    }

    fn either(name: &str, action: Action, causes: &[&str]) -> Self {
        let causes = causes.iter().map(|cause| (*cause).to_owned());
        Self::new(name, action, Effect::Fails(causes.collect()))
    }

    fn git_fails(name: &str, action: Action, says: &'static str) -> Self {
        Self::new(name, action, Effect::GitFails(says))
    }

    fn with(mut self, settings: &'static [&'static str]) -> Self {
        self.settings = settings;
        self
    }
}

/// Runs `work` for every item on a few threads, and returns what it complained about.
fn spread<T: Sync>(items: &[T], work: impl Fn(&T) -> Vec<String> + Sync) -> Vec<String> {
    let next = AtomicUsize::new(0);
    let complaints = Mutex::new(Vec::new());
    std::thread::scope(|threads| {
        for _ in 0..THREADS {
            threads.spawn(|| {
                while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let found = work(item);
                    complaints.lock().expect("no thread panics").extend(found);
                }
            });
        }
    });
    complaints.into_inner().expect("no thread panics")
}

#[test]
fn nothing_is_lost_whatever_becomes_of_an_answer() {
    let mut batches = Vec::new();
    let mut cells = 0;
    for operation in Operation::ALL {
        let cases: Vec<_> = framing::cases(operation)
            .into_iter()
            .chain(content::cases(operation))
            .collect();
        cells += cases.len();
        batches.extend(cases.chunks(BATCH).map(|cases| (operation, cases.to_vec())));
    }
    println!("{cells} cells of {} operations", Operation::ALL.len());
    assert!(cells >= CELLS, "{cells}");
    let complaints = spread(&batches, |(operation, cases)| {
        let mut bench = Bench::new(*operation);
        let mut complaints: Vec<_> = cases.iter().flat_map(|case| bench.cell(case)).collect();
        complaints.extend(bench.end());
        complaints
    });
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}
