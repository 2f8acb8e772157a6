//! `git credential`: git's helpers, its askpass program and its prompt, behind one question.
//!
//! Does not depend on what the answer is for.

use std::io::{self, Write as _};
use std::process::{Output, Stdio};

use gix::credentials::protocol::Context;
use zeroize::Zeroizing;

use crate::secret::Secret;

/// What is asked for, or was given; helpers are told whether it was right.
#[derive(Debug, Clone)]
pub struct Credential {
    context: Context,
    password: Secret,
}

impl Credential {
    /// Asks for the user name and password of `protocol` and `host` (with its port).
    pub fn of_host(protocol: &str, host: &str, username: Option<&str>) -> Self {
        Self {
            context: Context {
                protocol: Some(protocol.to_owned()),
                host: Some(host.to_owned()),
                username: username.map(str::to_owned),
                ..Context::default()
            },
            password: Secret::new(""),
        }
    }

    /// Asks for the password of a certificate's file (`cert_auth` in git's `http.c`).
    pub fn of_certificate(path: &std::path::Path) -> Self {
        Self {
            context: Context {
                protocol: Some("cert".to_owned()),
                host: Some(String::new()),
                username: Some(String::new()),
                path: gix::path::into_bstr(path).ok().map(std::borrow::Cow::into_owned),
                ..Context::default()
            },
            password: Secret::new(""),
        }
    }

    /// Asks. `None` where nobody could or would answer; git has then said why.
    pub fn fill(mut self) -> io::Result<Option<Self>> {
        let output = self.run("fill", Stdio::piped())?;
        if !output.status.success() {
            return Ok(None);
        }
        let text = Zeroizing::new(output.stdout);
        let answer = Context::from_bytes(&text, self.context.options).map_err(io::Error::other)?;
        self.context.username = answer.username.or(self.context.username);
        let Some(password) = answer.password else {
            return Ok(None);
        };
        self.password = Secret::new(password);
        Ok(Some(self))
    }

    /// Returns the user name, which may be empty.
    pub fn username(&self) -> &str {
        self.context.username.as_deref().unwrap_or_default()
    }

    /// Returns the password, which may be empty.
    pub fn password(&self) -> Secret {
        self.password.clone()
    }

    /// Tells the helpers that it was right. They may keep it; that they cannot is their own to tell.
    pub fn approve(&self) {
        self.run("approve", Stdio::null()).ok();
    }

    /// Tells the helpers that it was wrong.
    pub fn reject(&self) {
        self.run("reject", Stdio::null()).ok();
    }

    fn run(&self, action: &str, stdout: Stdio) -> io::Result<Output> {
        // Sized at once: a vector that grows leaves a copy behind that nobody wipes.
        let mut question = Zeroizing::new(Vec::with_capacity(4096));
        self.context.write_to(&mut *question)?;
        if action != "fill" {
            question.extend_from_slice(b"password=");
            question.extend_from_slice(self.password.expose().as_bytes());
            question.push(b'\n');
        }
        question.push(b'\n');
        run(action, &question, &[], stdout)
    }
}

/// Runs `git credential <action>` with `question` on its standard input, and with `settings` (`key=value`) in force.
/// What git and the helpers say on standard error is for the user.
pub fn run(action: &str, question: &[u8], settings: &[&str], stdout: Stdio) -> io::Result<Output> {
    let mut command = super::command();
    for setting in settings {
        command.args(["-c", setting]);
    }
    command.args(["credential", action]);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(stdout)
        .stderr(Stdio::inherit())
        .spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        // A git that ends early says why itself.
        stdin.write_all(question).ok();
    }
    child.wait_with_output()
}
