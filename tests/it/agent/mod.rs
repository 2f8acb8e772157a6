//! The agent: git through its socket, with nothing but the socket; its rules; its faults; its life.

mod attacks;
mod bypass;
mod command;
mod connections;
mod differential;
mod faults;
mod life;
mod many;
mod network;
mod outsiders;
mod recipes;
mod rules;
mod sandbox;
mod secrets;

use std::fs;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::run::{Output, run};
use crate::support::scene::Scene;

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// Waits until `is_so`.
#[track_caller]
fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < end, "not within {PATIENCE:?}: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A scene whose git has no secret, and an agent that has one.
struct Agent {
    child: Child,
    socket: PathBuf,
    log: PathBuf,
}

impl Agent {
    /// Starts an agent with `rules`, and has the scene's git use it from now on.
    fn start(scene: &Scene, rules: &[&str]) -> Self {
        let agent = Self::start_with(scene, rules, |_| {});
        agent.is_used_by(scene);
        agent
    }

    fn start_with(scene: &Scene, rules: &[&str], change: impl FnOnce(&mut Command)) -> Self {
        let number = fs::read_dir(scene.home()).expect("a directory").count();
        let directory = scene.home().join(format!("agent{number}"));
        fs::create_dir(&directory).expect("a directory can be made");
        let (socket, log) = (directory.join("a.sock"), directory.join("log"));
        let mut command = scene.command("git-remote-bbcloud", &scene.home());
        command.args(["agent", "--socket"]).arg(&socket);
        if !rules.is_empty() {
            command.arg("--allow").args(rules);
        }
        command
            .stderr(fs::File::create(&log).expect("a file can be made"))
            .stdin(Stdio::null());
        change(&mut command);
        let child = command.spawn().expect("the program can be started");
        wait_until("the agent serves", || UnixStream::connect(&socket).is_ok());
        Self { child, socket, log }
    }

    /// The scene's git has the socket, and no secret.
    fn is_used_by(&self, scene: &Scene) {
        scene.unset("BBCLOUD_TOKEN");
        scene.set("BBCLOUD_AGENT_SOCK", &self.socket);
    }

    /// What it has said so far.
    fn said(&self) -> String {
        fs::read_to_string(&self.log).expect("its words are text")
    }

    fn signal(&self, signal: &str) {
        let mut kill = crate::bitbucket::command("kill", std::path::Path::new("/"));
        kill.args([format!("-{signal}"), self.child.id().to_string()]);
        assert!(run(kill).success());
    }

    fn memory_kib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("it runs");
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))
            .expect("Linux tells");
        line.trim_end_matches("kB").trim().parse().expect("a number")
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Runs git, which must fail, and returns our own lines.
#[track_caller]
fn refused(scene: &Scene, directory: &str, arguments: &[&str]) -> String {
    let output: Output = scene.git_in(directory, arguments);
    assert!(!output.success(), "{arguments:?}: {}{}", output.stdout, output.stderr);
    output.stderr
}
