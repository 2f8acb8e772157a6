//! This process: when it has to end, and what it must not leave behind.

mod pending;
mod signals;

#[cfg(unix)]
use std::time::{Duration, Instant};

pub use self::pending::Pending;
use crate::pipe::ToGit;

/// The exit status of git's own programs when they give up.
pub const FAILED: u8 = 128;

/// How long a session may take to notice by itself that git has died.
#[cfg(unix)]
const GRACE: Duration = Duration::from_millis(500);

/// How long it may take to end after git has been told everything: the end of the last answer may come late, and its
/// cookies have to be written. Git waits for our status, and takes it for that of its own work.
#[cfg(unix)]
const END: Duration = Duration::from_secs(30);

/// Ends the process when git no longer reads what it is told, on a thread that sleeps until then.
///
/// Git may be killed while we wait for a server that is silent. Nothing would tell us: a pipe whose reader has gone
/// fails when it is written to, and there may be nothing to write for a long time. Without a thread that can be had,
/// that is how it is.
#[cfg(unix)]
pub fn end_with_git(to_git: &ToGit) {
    use rustix::event::{PollFd, PollFlags, poll};
    let Ok((pipe, settled)) = to_git.watched() else { return };
    let watch = move || {
        let git = ancestors();
        loop {
            // Nothing is waited for but the conditions that are always reported: an error or a hang-up.
            let mut watched = [PollFd::new(&pipe, PollFlags::empty())];
            match poll(&mut watched, None) {
                Ok(_) => {
                    let closed = Instant::now();
                    // Git closes its end after a session that went well, too, and then waits for us.
                    let is_waiting = || settled.is_so() && ancestors() == git;
                    while closed.elapsed() < if is_waiting() { END } else { GRACE } {
                        std::thread::sleep(GRACE / 8);
                    }
                    exit()
                }
                Err(rustix::io::Errno::INTR) => {}
                Err(_) => return,
            }
        }
    };
    std::thread::Builder::new().stack_size(64 * 1024).spawn(watch).ok();
}

/// Returns the numbers of this process's parent and, where the system tells, of its parent. Between git and us there is
/// a `git remote-bbcloud`, which survives git; but then it has another parent.
#[cfg(unix)]
fn ancestors() -> [Option<u32>; 2] {
    let parent = rustix::process::getppid().and_then(|id| id.as_raw_nonzero().get().try_into().ok());
    let stat = parent.and_then(|id: u32| std::fs::read_to_string(format!("/proc/{id}/stat")).ok());
    // `<id> (<name>) <state> <parent> …`, and a name may have anything in it.
    let of_parent = stat.and_then(|stat| stat.rsplit(')').next()?.split_whitespace().nth(1)?.parse().ok());
    [parent, of_parent]
}

/// Does nothing: without a call that waits for a closed pipe, only writing to it tells.
#[cfg(not(unix))]
pub fn end_with_git(_to_git: &ToGit) {}

#[cfg(unix)]
#[expect(
    clippy::exit,
    reason = "the other threads wait for a network that nobody is interested in any more"
)]
fn exit() -> ! {
    pending::undo_all();
    end_children();
    std::process::exit(i32::from(FAILED))
}

/// Ends those whom this process has started and who have not ended: programs that ask for a password, and helpers that
/// wait for one. Nobody is left to take the answer.
#[cfg(target_os = "linux")]
fn end_children() {
    use rustix::process::{Pid, Signal, kill_process};
    let threads = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    for thread in threads {
        let children = std::fs::read_to_string(thread.path().join("children")).unwrap_or_default();
        let ids = children.split_whitespace().filter_map(|id| id.parse().ok());
        for id in ids.filter_map(Pid::from_raw) {
            // It may have ended meanwhile.
            kill_process(id, Signal::TERM).ok();
        }
    }
}

/// Does nothing: there is no list of them.
#[cfg(all(unix, not(target_os = "linux")))]
fn end_children() {}

/// Keeps the secrets in memory out of core dumps, and other processes of the user from reading that memory.
///
/// For Linux; other systems write no core dumps unless they are told to.
pub fn keep_memory_private() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        // Not worth a failure: a kernel that refuses this refuses nobody anything that it did not allow before.
        set_dumpable_behavior(DumpableBehavior::NotDumpable).ok();
    }
}

/// Returns the number of the job that this process is a part of: the one that a shell started as one command. `None`
/// where the system has no such thing.
pub fn job() -> Option<u32> {
    #[cfg(unix)]
    {
        rustix::process::getpgrp().as_raw_nonzero().get().try_into().ok()
    }
    #[cfg(not(unix))]
    {
        None
    }
}

/// Does what a terminal does on Ctrl-C, for a terminal that was told to leave it to us: ends the whole job.
#[cfg(unix)]
pub fn interrupt() {
    // Where that is not allowed, our own failure ends git as well.
    rustix::process::kill_current_process_group(rustix::process::Signal::INT).ok();
}
