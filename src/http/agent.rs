//! What an agent says for itself, beside what it passes on: the names of its header fields and their values.
//!
//! Both sides use it: the agent that writes such an answer, and the client that reads it where it speaks to an agent.

#[cfg(unix)]
use std::io;
#[cfg(unix)]
use std::os::unix::net::UnixStream;
#[cfg(unix)]
use std::path::Path;
use std::time::Duration;

use crate::report::{Failure, Kind};

/// The field of an answer that is the agent's own.
pub const ANSWER: &str = "Bbcloud-Agent";
/// The field that says which account was used.
pub const ACCOUNT: &str = "Bbcloud-Agent-Account";
/// The field of a request that names the account to use.
pub const USER: &str = "Bbcloud-Agent-User";

/// How long an agent may give no sign of life before an answer begins. It gives one every few seconds.
pub const SILENCE: Duration = Duration::from_secs(30);

/// An answer of the agent's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Said {
    /// Its rules forbid the request, or it is not one that it serves.
    Refused,
    /// No byte of the request reached the server.
    Unsent,
    /// The request is for another server than the agent's.
    Elsewhere,
}

impl Said {
    /// Returns the value of [`ANSWER`].
    pub fn word(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Unsent => "unsent",
            Self::Elsewhere => "elsewhere",
        }
    }

    /// Returns the status that goes with it.
    pub fn status(self) -> u16 {
        match self {
            Self::Refused => 403,
            Self::Unsent => 530,
            Self::Elsewhere => 421,
        }
    }

    /// Returns what `word` says.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Refused, Self::Unsent, Self::Elsewhere]
            .into_iter()
            .find(|said| said.word() == word)
    }
}

/// Connects to the agent at `path`. Only Linux lets a client wait, for `limit` at most, while an agent that was stopped
/// accepts nobody.
///
/// # Errors
/// [`io::ErrorKind::WouldBlock`] once the time is up.
#[cfg(unix)]
#[cfg_attr(
    not(target_os = "linux"),
    expect(unused_variables, reason = "other systems answer at once")
)]
pub fn connect(path: &Path, limit: Duration) -> io::Result<UnixStream> {
    #[cfg(target_os = "linux")]
    {
        use rustix::net::{self, AddressFamily, SocketAddrUnix, SocketFlags, SocketType, sockopt};
        let socket = net::socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
        sockopt::set_socket_timeout(&socket, sockopt::Timeout::Send, Some(limit))?;
        net::connect(&socket, &SocketAddrUnix::new(path)?)?;
        let stream = UnixStream::from(socket);
        stream.set_write_timeout(None)?;
        Ok(stream)
    }
    #[cfg(not(target_os = "linux"))]
    UnixStream::connect(path)
}

/// Returns `failure` as a text of lines; [`failure`] reads it back.
pub fn text(failure: &Failure) -> String {
    let causes = failure.causes().iter().map(|cause| {
        format!(
            "caused by: {cause}
"
        )
    });
    let hints = failure.hints().iter().map(|hint| {
        format!(
            "hint: {hint}
"
        )
    });
    std::iter::once(format!(
        "{}
",
        failure.message()
    ))
    .chain(causes)
    .chain(hints)
    .collect()
}

/// Returns the failure that the lines of `text` tell.
pub fn failure(kind: Kind, text: &str) -> Failure {
    let mut lines = text.lines();
    let failure = Failure::new(kind, lines.next().unwrap_or_default());
    lines.fold(failure, |failure, line| {
        if let Some(cause) = line.strip_prefix("caused by: ") {
            failure.because(cause)
        } else if let Some(hint) = line.strip_prefix("hint: ") {
            failure.hint(hint)
        } else {
            failure.because(line)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_passes_in_lines() {
        let told = Failure::new(Kind::Network, "cannot connect to h:443")
            .because("Connection refused")
            .hint("check the network");
        let heard = failure(Kind::Network, &text(&told));
        assert_eq!(heard.message(), told.message());
        assert_eq!((heard.causes(), heard.hints()), (told.causes(), told.hints()));
    }

    #[test]
    fn every_answer_has_a_word() {
        for said in [Said::Refused, Said::Unsent, Said::Elsewhere] {
            assert_eq!(Said::parse(said.word()), Some(said));
        }
        assert_eq!(Said::parse("anything"), None);
    }
}
