//! From the start of an agent to its end: its socket, its signals, and the command that it may be for.

use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitCode, ExitStatus};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use rustix::io::{FdFlags, fcntl_setfd};
use rustix::process::{Pid, Signal, kill_process};

use super::asking::KnownLogins;
use super::policy::Policy;
use super::pool::Pool;
use super::refusals::Refusals;
use super::rule::Rule;
use super::server::Server;
use super::serving::Serving;
use super::socket::Socket;
use super::surroundings::Surroundings;
use crate::environment::Environment;
use crate::environment::variable::{BBCLOUD_AGENT_SOCK, BBCLOUD_TOKEN_FILE};
use crate::git;
use crate::process;
use crate::report::{Failure, Kind, Report};
use crate::repository::door;
use crate::trace::Trace;

/// How an agent is started.
#[derive(Debug)]
pub struct Start<'a> {
    /// Where it serves; `None` for where it does by default.
    pub socket: Option<&'a Path>,
    /// What it allows.
    pub rules: Vec<Rule>,
    /// The command that it is for, with its arguments; empty if it serves until it is told to end.
    pub command: &'a [String],
}

/// Serves, and returns the exit code.
pub fn run(start: Start<'_>, environment: &Environment, report: Report) -> Result<ExitCode, Failure> {
    let is_for_command = !start.command.is_empty();
    let default = door::default_path(environment);
    let inherited = if is_for_command { None } else { inherited()? };
    let socket = match (inherited, is_for_command) {
        (Some(listener), _) => SocketSource::Made(Socket::inherited(listener)),
        (None, true) => SocketSource::At(own_path(default.as_deref())?),
        (None, false) => SocketSource::At(
            start
                .socket
                .map(Path::to_owned)
                .or(default.clone())
                .ok_or_else(homeless)?,
        ),
    };
    let is_private = !is_for_command && default.is_some_and(|default| socket.path() == default);
    let policy = policy(start.rules, is_private)?;
    let server = Server::new(serving(policy, environment, report)?);
    let server = server.map_err(|error| Failure::new(Kind::Local, "cannot serve").caused_by(&error))?;
    let socket = socket.make()?;
    if let Some((program, arguments)) = start.command.split_first() {
        return serve_command(&server, socket, program, arguments);
    }
    end_on_signal(server.ending());
    server.run(&socket);
    drop(socket);
    Ok(ExitCode::SUCCESS)
}

/// A socket, or where to make it: what else could be wrong is known before.
enum SocketSource {
    Made(Socket),
    At(PathBuf),
}

impl SocketSource {
    fn path(&self) -> &Path {
        match self {
            Self::Made(socket) => socket.path(),
            Self::At(path) => path,
        }
    }

    fn make(self) -> Result<Socket, Failure> {
        match self {
            Self::Made(socket) => Ok(socket),
            Self::At(path) => Socket::bind(&path),
        }
    }
}

fn homeless() -> Failure {
    Failure::new(Kind::Local, "no directory for the agent's socket")
        .hint("set XDG_RUNTIME_DIR or HOME, or use '--socket'")
}

/// Returns the path of a socket for one command.
fn own_path(default: Option<&Path>) -> Result<PathBuf, Failure> {
    let directory = default.and_then(Path::parent).ok_or_else(homeless)?;
    Ok(directory.join(format!("{}.sock", std::process::id())))
}

/// Only a socket that nobody else is given needs no rules.
fn policy(rules: Vec<Rule>, is_private: bool) -> Result<Policy, Failure> {
    if !rules.is_empty() {
        return Ok(Policy::Rules(rules));
    }
    if is_private {
        return Ok(Policy::Everything);
    }
    Err(
        Failure::new(Kind::Usage, "an agent with a shared socket needs at least one rule")
            .hint("name what it may be used for: '--allow <workspace>/<repository>'"),
    )
}

fn serving(policy: Policy, environment: &Environment, report: Report) -> Result<Serving, Failure> {
    let trace = Trace::from_environment(environment, report)?;
    Ok(Serving {
        policy,
        surroundings: Surroundings::new(environment, report)?,
        pool: Pool::new(report, trace),
        logins: KnownLogins::default(),
        refusals: Refusals::default(),
    })
}

/// Returns the socket that systemd gives to this process, if it does (`sd_listen_fds(3)`).
fn inherited() -> Result<Option<UnixListener>, Failure> {
    let mut given = listenfd::ListenFd::from_env();
    if given.len() == 0 {
        return Ok(None);
    }
    let failed = |reason: &str| {
        Failure::new(Kind::Usage, "cannot use the socket passed by systemd")
            .because(reason)
            .hint("use one 'ListenStream=' line with a path in the socket unit")
    };
    if given.len() > 1 {
        return Err(failed("more than one socket was passed"));
    }
    let listener = given
        .take_unix_listener(0)
        .map_err(|error| failed(&error.to_string()))?;
    let listener = listener.ok_or_else(|| failed("it is not there"))?;
    // What the agent starts must not get it.
    fcntl_setfd(&listener, FdFlags::CLOEXEC).map_err(|error| failed(&error.to_string()))?;
    Ok(Some(listener))
}

/// The first signal lets requests in flight end; the second one does what signals do.
fn end_on_signal(ending: Arc<AtomicBool>) {
    process::on_signal(move |_| !ending.swap(true, Ordering::Relaxed));
}

/// Serves while `program` runs, and returns its exit code.
fn serve_command(server: &Server, socket: Socket, program: &str, arguments: &[String]) -> Result<ExitCode, Failure> {
    let mut command = git::program(program.as_ref());
    command
        .args(arguments)
        .env(BBCLOUD_AGENT_SOCK.name, socket.path())
        .env_remove(BBCLOUD_TOKEN_FILE.name);
    let child = command.spawn();
    let mut child = child.map_err(|error| {
        Failure::new(Kind::Local, format!("cannot run '{program}'"))
            .caused_by(&error)
            .hint(format!("check that it is installed: 'command -v {program}'"))
    })?;
    pass_signals_on(&child);
    let ending = server.ending();
    let status = thread::scope(|threads| {
        threads.spawn(move || server.run(&socket));
        let status = child.wait();
        ending.store(true, Ordering::Relaxed);
        status
    });
    let status =
        status.map_err(|error| Failure::new(Kind::Local, format!("cannot wait for '{program}'")).caused_by(&error))?;
    Ok(code(status))
}

/// Passes signals on to the command, but not Ctrl-C and Ctrl-\\: the terminal sends those to the command itself.
fn pass_signals_on(child: &Child) {
    let id = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    process::on_signal(move |signal| {
        let is_typed = [Signal::INT, Signal::QUIT].iter().any(|typed| typed.as_raw() == signal);
        if let (Some(id), Some(signal)) = (id, Signal::from_named_raw(signal))
            && !(is_typed && is_in_foreground())
        {
            kill_process(id, signal).ok();
        }
        true
    });
}

fn is_in_foreground() -> bool {
    rustix::termios::tcgetpgrp(std::io::stdin()).is_ok_and(|foreground| foreground == rustix::process::getpgrp())
}

/// As a shell has it: what a signal has ended is 128 and the signal's number.
fn code(status: ExitStatus) -> ExitCode {
    use std::os::unix::process::ExitStatusExt as _;
    let code = status.code().or_else(|| Some(128 + status.signal()?));
    ExitCode::from(code.and_then(|code| u8::try_from(code).ok()).unwrap_or(process::FAILED))
}
