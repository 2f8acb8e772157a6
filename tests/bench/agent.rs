//! The agent that a case goes through, and what it takes itself.

use std::fs;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::thread;
use std::time::Duration;

/// How long the agent is watched while nothing is asked of it.
const REST: Duration = Duration::from_secs(5);

/// An agent that serves.
pub(crate) struct Agent {
    child: Child,
    pub(crate) socket: PathBuf,
    /// Of the network that it is for; nothing means that there is no proxy on the way.
    pub(crate) round_trip: Option<Duration>,
}

impl Agent {
    /// Starts it and waits until it serves.
    pub(crate) fn start(mut command: Command, socket: PathBuf, round_trip: Option<Duration>) -> Self {
        let child = command.spawn().expect("the product can be started");
        while UnixStream::connect(&socket).is_err() {
            thread::sleep(Duration::from_millis(10));
        }
        Self {
            child,
            socket,
            round_trip,
        }
    }

    /// What it took so far, and what it takes at rest. Linux only.
    pub(crate) fn taken(&self) -> String {
        let loaded = self.cpu_ticks();
        thread::sleep(REST);
        let rested = self.cpu_ticks() - loaded;
        format!(
            "The agent ({}) took {} ms of CPU under load and {} ms in {} s at rest; memory {} KiB, at its peak {} KiB.",
            self.round_trip
                .map_or("direct".to_owned(), |time| format!("{} ms", time.as_millis())),
            loaded * 10,
            rested * 10,
            REST.as_secs(),
            self.memory("VmRSS:"),
            self.memory("VmHWM:"),
        )
    }

    /// In hundredths of a second, as Linux counts for `/proc`.
    fn cpu_ticks(&self) -> u64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap_or_default();
        let fields = stat.rsplit(") ").next().unwrap_or_default().split(' ');
        let times = fields.skip(11).take(2);
        times.filter_map(|time| time.parse::<u64>().ok()).sum()
    }

    fn memory(&self, name: &str) -> String {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap_or_default().trim_end_matches("kB").trim().to_owned()
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
