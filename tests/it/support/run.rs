//! Children with a time limit: what has not ended in time is ended with all that it has started, and named.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use super::canary;
use crate::bitbucket::command;
use crate::load::much;

/// Longer than anything takes on a busy machine, shorter than anybody's patience.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// What a program did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Output {
    /// The exit code; none if a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Output {
    pub(crate) fn success(&self) -> bool {
        self.code == Some(0)
    }
}

/// Runs `command`, which reads `input`, to its end.
#[must_use = "either compare the output or assert the exit status"]
pub(crate) fn run_with_input(mut command: Command, input: &[u8]) -> Output {
    command
        .stdin(if input.is_empty() {
            Stdio::null()
        } else {
            Stdio::piped()
        })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let mut child = command.spawn().expect("the program can be started");
    let group = child.id();
    let stdin = child.stdin.take();
    // A soak has more to do.
    let limit = LIMIT.saturating_mul(much(1, 15));
    let (done, ended) = mpsc::channel::<()>();
    let watch = std::thread::spawn(move || match ended.recv_timeout(limit) {
        Err(RecvTimeoutError::Timeout) => {
            let running = running(group);
            kill(group);
            Some(running)
        }
        _ => None,
    });
    let input = input.to_vec();
    // A thread of its own, because a program may write before it has read everything.
    let feeder = stdin.map(|mut stdin| std::thread::spawn(move || stdin.write_all(&input)));
    let output = child.wait_with_output().expect("the program can be waited for");
    drop(done);
    if let Some(feeder) = feeder {
        // A program that has failed stops reading; its own words say more than the broken pipe.
        let _fed = feeder.join().expect("the feeder does not panic");
    }
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    if let Some(running) = watch.join().expect("the watch does not panic") {
        panic!("{command:?} has not ended after {LIMIT:?}; there were\n{running}and it had said\n{stdout}{stderr}");
    }
    canary::Heard::of(&command).search(&[&stdout, &stderr]);
    Output {
        code: output.status.code(),
        stdout,
        stderr,
    }
}

#[must_use = "either compare the output or assert the exit status"]
pub(crate) fn run(command: Command) -> Output {
    run_with_input(command, &[])
}

/// The same for a program that is asked for the secret, and tells it.
#[must_use = "either compare the output or assert the exit status"]
pub(crate) fn run_telling(mut command: Command, input: &[u8]) -> Output {
    canary::not_heard(&mut command);
    run_with_input(command, input)
}

fn kill(group: u32) {
    if cfg!(unix) {
        // What has ended in this very moment need not be killed.
        let _killed = command("sh", Path::new("/"))
            .args(["-c", &format!("kill -KILL -{group}")])
            .output();
    }
}

/// A line for each process of the group: its arguments, its state, and where in the kernel it waits.
fn running(group: u32) -> String {
    let mut lines = String::new();
    for process in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let read = |name: &str| std::fs::read_to_string(process.path().join(name)).unwrap_or_default();
        let stat = read("stat");
        let fields: Vec<_> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        if let [state, _parent, of, ..] = fields.as_slice()
            && *of == group.to_string()
        {
            let arguments = read("cmdline").replace('\0', " ");
            writeln!(lines, "  {state} {arguments}[{}]", read("wchan")).expect("a string can be written to");
        }
    }
    lines
}
