//! This process: when it has to end, and what it must not leave behind.

mod pending;
mod relatives;
mod signals;

use std::time::Duration;
#[cfg(unix)]
use std::time::Instant;

pub use self::pending::Pending;
#[cfg(unix)]
pub use self::signals::on_signal;
use crate::pipe::ToGit;

/// The exit status of git's own programs when they give up.
pub const FAILED: u8 = 128;

/// How long a session may take to notice by itself that git has died.
const GRACE: Duration = Duration::from_millis(500);

/// How often the end of git is looked for where nothing tells of it.
#[cfg(windows)]
const INTERVAL: Duration = Duration::from_secs(1);

/// How Windows itself ends a process on Ctrl-C (`STATUS_CONTROL_C_EXIT`), which tells shells and git why.
#[cfg(windows)]
const INTERRUPTED: i32 = 0xC000_013A_u32.cast_signed();

/// How long it may take to end after git has been told everything: the end of the last answer may come late, and its
/// cookies have to be written. Git waits for our status, and takes it for that of its own work.
#[cfg(unix)]
const END: Duration = Duration::from_secs(30);

/// Ends the process when git no longer reads what it is told, on a thread that sleeps until then.
///
/// Git may be killed while we wait for a server that is silent. Nothing would tell us: a pipe whose reader has gone
/// fails when it is written to, and there may be nothing to write for a long time. If no thread can be started, the end
/// of git is noticed at the next write.
#[cfg(unix)]
pub fn end_with_git(to_git: &ToGit) {
    use rustix::event::{PollFd, PollFlags, poll};
    let Ok((pipe, settled)) = to_git.watched() else { return };
    let watch = move || {
        let git = relatives::ancestors();
        loop {
            // An error or a hang-up is reported in any case, but on macOS only to whoever names one of them.
            let mut watched = [PollFd::new(&pipe, PollFlags::HUP)];
            match poll(&mut watched, None) {
                Ok(_) => {
                    let closed = Instant::now();
                    // Git closes its end after a session that went well, too, and then waits for us.
                    let is_waiting = || settled.is_so() && relatives::ancestors() == git;
                    while closed.elapsed() < if is_waiting() { END } else { GRACE } {
                        std::thread::sleep(GRACE / 8);
                    }
                    exit(i32::from(FAILED))
                }
                Err(rustix::io::Errno::INTR) => {}
                Err(_) => return,
            }
        }
    };
    std::thread::Builder::new().stack_size(64 * 1024).spawn(watch).ok();
}

/// Ends the process when one of the gits that it runs for has ended, on a thread that looks now and then: on Windows
/// there is no call that waits for a closed pipe. Git waits for us when all went well, so it never ends before.
#[cfg(windows)]
pub fn end_with_git(_to_git: &ToGit) {
    let watch = || {
        let gits = relatives::gits();
        while !gits.is_empty() {
            std::thread::sleep(INTERVAL);
            if !relatives::are_running(&gits) {
                std::thread::sleep(GRACE);
                exit(i32::from(FAILED))
            }
        }
    };
    std::thread::Builder::new().stack_size(256 * 1024).spawn(watch).ok();
}

/// Undoes what is pending, and ends the process with `status`.
#[cfg(any(unix, windows))]
#[expect(
    clippy::exit,
    reason = "the other threads wait for a network or a person that nobody is interested in any more"
)]
fn exit(status: i32) -> ! {
    pending::undo_all();
    relatives::end_children();
    std::process::exit(status)
}

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

/// Returns the number of the command that this process is a part of: the outermost git, else what the system knows to
/// belong together. A script may run many commands as one job, so that is only the second choice.
pub fn job() -> Option<u32> {
    #[cfg(target_os = "linux")]
    if let Some((outermost, _)) = relatives::gits().last() {
        return Some(*outermost);
    }
    #[cfg(unix)]
    {
        rustix::process::getpgrp().as_raw_nonzero().get().try_into().ok()
    }
    #[cfg(windows)]
    {
        let outermost = relatives::gits().last().map(|(id, _)| *id);
        Some(outermost.unwrap_or_else(std::process::id))
    }
}

/// Does what a terminal does on Ctrl-C, for a terminal that was told to leave it to us: ends the whole job.
pub fn interrupt() {
    // Where that is not allowed, our own failure ends git as well.
    #[cfg(unix)]
    rustix::process::kill_current_process_group(rustix::process::Signal::INT).ok();
    // Windows has told the other processes of the console already.
    #[cfg(windows)]
    exit(INTERRUPTED)
}
