//! This process: when it has to end, and what it must not leave behind.

use std::fs::File;
use std::io;

/// The exit status of git's own programs when they give up.
pub const FAILED: u8 = 128;

/// How long a session may take to notice by itself that git has closed its end.
#[cfg(unix)]
const GRACE: std::time::Duration = std::time::Duration::from_millis(800);

/// Ends the process when git no longer reads `to_git`, on a thread that sleeps until then.
///
/// Git may be killed while we wait for a server that is silent. Nothing would tell us: a pipe whose reader has gone
/// fails when it is written to, and there may be nothing to write for a long time.
///
/// # Errors
/// If there can be no thread.
#[cfg(unix)]
pub fn end_with_git(to_git: &File) -> io::Result<()> {
    use rustix::event::{PollFd, PollFlags, poll};
    let to_git = to_git.try_clone()?;
    std::thread::Builder::new().stack_size(64 * 1024).spawn(move || {
        loop {
            // Nothing is waited for but the conditions that are always reported: an error or a hang-up.
            let mut watched = [PollFd::new(&to_git, PollFlags::empty())];
            match poll(&mut watched, None) {
                Ok(_) => {
                    // Git closes its end after a session that went well, too, and then waits for our status.
                    std::thread::sleep(GRACE);
                    exit()
                }
                Err(rustix::io::Errno::INTR) => {}
                Err(_) => return,
            }
        }
    })?;
    Ok(())
}

/// Does nothing: without a call that waits for a closed pipe, only writing to it tells.
///
/// # Errors
/// None.
#[cfg(not(unix))]
pub fn end_with_git(_to_git: &File) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
#[expect(
    clippy::exit,
    reason = "the other threads wait for a network that nobody is interested in any more"
)]
fn exit() -> ! {
    std::process::exit(i32::from(FAILED))
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
