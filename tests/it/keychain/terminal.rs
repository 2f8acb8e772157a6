//! A program at a real pseudo-terminal, and the person who sits there.

use std::io::{Read as _, Write as _};
use std::process::{Child, Command};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use pty_process::blocking::{self, Pty};

use crate::support::canary::Heard;

/// How long anything may take to be shown.
const PATIENCE: Duration = Duration::from_secs(40);

pub(crate) struct Terminal {
    pty: Arc<Pty>,
    child: Child,
    /// What is to be done with all that was shown.
    heard: Heard,
    shown: String,
    /// How much of it has been waited for.
    seen: usize,
    screen: Receiver<Vec<u8>>,
}

impl Terminal {
    /// Starts `command` as the only thing on a terminal of its own.
    pub(crate) fn start(command: Command) -> Self {
        let (pty, end) = blocking::open().expect("there are pseudo-terminals");
        let canary = Heard::of(&command);
        let child = blocking::Command::from(command)
            .spawn(end)
            .expect("the program can be started");
        let pty = Arc::new(pty);
        let (send, screen) = mpsc::channel();
        let reader = pty.clone();
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            // An error is how a terminal ends that nobody has open any more.
            while let Ok(count @ 1..) = (&*reader).read(&mut bytes)
                && send.send(bytes[..count].to_vec()).is_ok()
            {}
        });
        Self {
            pty,
            child,
            heard: canary,
            shown: String::new(),
            seen: 0,
            screen,
        }
    }

    /// The process that was started, whose number is that of its group and session as well.
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until `text` is shown, behind what was waited for before.
    #[track_caller]
    pub(crate) fn expect(&mut self, text: &str) {
        let begun = Instant::now();
        loop {
            if let Some(at) = self.shown[self.seen..].find(text) {
                self.seen += at + text.len();
                return;
            }
            let left = PATIENCE.saturating_sub(begun.elapsed());
            match self.screen.recv_timeout(left) {
                Ok(bytes) => self.shown += &String::from_utf8_lossy(&bytes),
                Err(error) => panic!("'{text}' is not shown ({error}), but:\n{}", self.shown),
            }
        }
    }

    /// Types `keys`.
    pub(crate) fn type_keys(&self, keys: &str) {
        (&*self.pty).write_all(keys.as_bytes()).expect("somebody reads");
    }

    /// Types a line.
    pub(crate) fn enter(&self, line: &str) {
        self.type_keys(&format!("{line}\r"));
    }

    /// Waits for the program's end. Returns its exit code, if no signal ended it, and all that was shown.
    #[track_caller]
    pub(crate) fn end(mut self) -> (Option<i32>, String) {
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("it can be waited for") {
                break status;
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "it has not ended, but shown:\n{}",
                self.shown
            );
            std::thread::sleep(Duration::from_millis(5));
        };
        while let Ok(bytes) = self.screen.recv_timeout(Duration::from_secs(5)) {
            self.shown += &String::from_utf8_lossy(&bytes);
        }
        // What is typed is not shown, and neither is it told later.
        self.heard.search(&[&self.shown]);
        (status.code(), std::mem::take(&mut self.shown))
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // With the terminal, all that runs there gets a hang-up signal.
        let _killed = self.child.kill();
        let _status = self.child.wait();
    }
}
