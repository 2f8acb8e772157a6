//! Time, CPU and memory of processes: this program stands in for the one that is measured, starts it, and writes down
//! what it took.
//!
//! A stand-in costs a process of its own. So time is measured without one around the helper, and the helper's CPU and
//! memory in runs of their own.

use std::ffi::OsString;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Instant;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike as _;

/// The file that stand-ins add a line to.
pub(crate) const RECORD: &str = "BENCH_RECORD";
/// The directory of the helpers that they stand in for.
pub(crate) const REAL: &str = "BENCH_REAL";
/// The argument before a command that is to be measured as a whole.
pub(crate) const WHOLE: &str = "--whole";

/// What a process and its children took.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    pub(crate) wall_micros: u64,
    pub(crate) cpu_micros: u64,
    pub(crate) peak_kib: u64,
}

/// What one run took.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Taken {
    /// Of the whole command.
    pub(crate) command: Usage,
    /// Of its helpers: CPU of all, memory of the largest. Nothing where none was measured.
    pub(crate) helpers: Usage,
}

/// Runs the program that this one was called in place of. Nothing if it was called by its own name.
pub(crate) fn stand_in() -> Option<ExitCode> {
    let mut arguments = std::env::args_os();
    let name = PathBuf::from(arguments.next()?).file_name()?.to_owned();
    let is_helper = name.to_string_lossy().starts_with("git-remote-");
    let arguments: Vec<OsString> = arguments.collect();
    let (what, program, rest) = if is_helper {
        let program = Path::new(&variable(REAL)?).join(name).into_os_string();
        ("helper", program, arguments.as_slice())
    } else {
        let (first, rest) = arguments.split_first()?;
        let (program, rest) = rest.split_first().filter(|_| first == WHOLE)?;
        ("command", program.clone(), rest)
    };
    Some(run(what, &program, rest))
}

#[expect(clippy::disallowed_methods, reason = "a stand-in starts what it stands in for")]
fn run(what: &str, program: &OsString, arguments: &[OsString]) -> ExitCode {
    let started = Instant::now();
    let status = Command::new(program)
        .args(arguments)
        .status()
        .expect("it can be started");
    let wall = started.elapsed().as_micros();
    let used = getrusage(UsageWho::RUSAGE_CHILDREN).expect("every process may ask");
    let cpu = (used.user_time() + used.system_time()).num_microseconds();
    let line = format!("{what} {wall} {cpu} {}\n", used.max_rss());
    if let Some(record) = variable(RECORD) {
        let mut file = std::fs::File::options().append(true).create(true).open(record);
        let file = file.as_mut().expect("the record can be written");
        file.write_all(line.as_bytes()).expect("the record can be written");
    }
    ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}

#[expect(clippy::disallowed_methods, reason = "what this program tells itself")]
fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

/// Reads what the stand-ins of one run have written, and forgets it.
pub(crate) fn taken(record: &Path) -> Taken {
    let text = std::fs::read_to_string(record).expect("the command has written its line");
    std::fs::remove_file(record).expect("it is our own file");
    let mut taken = Taken::default();
    for line in text.lines() {
        let mut words = line.split(' ');
        let what = words.next();
        let mut number = || words.next().and_then(|word| word.parse().ok()).expect("three numbers");
        let usage = Usage {
            wall_micros: number(),
            cpu_micros: number(),
            peak_kib: number(),
        };
        if what == Some("command") {
            taken.command = usage;
        } else {
            taken.helpers.cpu_micros += usage.cpu_micros;
            taken.helpers.peak_kib = taken.helpers.peak_kib.max(usage.peak_kib);
        }
    }
    taken
}

/// The middle one of `values`.
pub(crate) fn median(values: impl Iterator<Item = u64>) -> u64 {
    let mut values: Vec<_> = values.collect();
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or_default()
}
