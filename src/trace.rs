//! The trace of what goes over the wire, in the lines of git's own `GIT_TRACE_CURL`.
//!
//! With `report` this is the only part that writes to standard error. It must not know requests: it is handed
//! bytes. Without a wish for a trace it costs nothing, not even a look at the clock.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use zeroize::Zeroizing;

use crate::environment::Environment;
use crate::environment::variable as var;
use crate::redact;
use crate::report::{Failure, Report, steers};

/// Bytes of a body that are shown in a line (`curl_dump_data` in git's `http.c`).
const WIDTH: usize = 60;
/// The column that a line's text begins at (`prepare_trace_line` in git's `trace.c`).
const COLUMN: usize = 40;

/// Where the trace goes; by default nowhere.
#[derive(Clone, Default)]
pub struct Trace(Option<Arc<Sink>>);

struct Sink {
    out: Mutex<Box<dyn Write + Send>>,
    data: bool,
    redact: bool,
    /// Whether lines begin with their text, and not with the time (`GIT_TRACE_BARE`).
    bare: bool,
}

impl Trace {
    /// Returns the trace that `GIT_TRACE_CURL` and `GIT_CURL_VERBOSE` ask for.
    ///
    /// # Errors
    /// If `GIT_TRACE_REDACT` is no boolean.
    pub fn from_environment(environment: &Environment, report: Report) -> Result<Self, Failure> {
        let verbose = environment.has(&var::GIT_CURL_VERBOSE);
        let wanted = if verbose {
            Some("1")
        } else {
            environment.text(&var::GIT_TRACE_CURL)
        };
        let Some(out) = wanted.and_then(|wanted| open(wanted, report)) else {
            return Ok(Self(None));
        };
        Ok(Self(Some(Arc::new(Sink {
            out: Mutex::new(out),
            data: !verbose && !environment.has(&var::GIT_TRACE_CURL_NO_DATA),
            redact: environment.flag(&var::GIT_TRACE_REDACT)?.unwrap_or(true),
            bare: environment
                .flag(&var::GIT_TRACE_BARE)
                .is_ok_and(|flag| flag == Some(true)),
        }))))
    }

    /// Tells about a connection. Nothing is put into words that nobody reads.
    pub fn info(&self, text: impl FnOnce() -> String) {
        if let Some(sink) = &self.0 {
            let text = text();
            sink.lines(text.lines().map(|line| format!("== Info: {line}")));
        }
    }

    /// Shows the head of a request.
    pub fn sent_head(&self, head: &[u8]) {
        if let Some(sink) = &self.0 {
            sink.head("=> Send header", head);
        }
    }

    /// Shows the head of an answer, line by line as curl does.
    pub fn received_head(&self, head: &[u8]) {
        if let Some(sink) = &self.0 {
            for line in head.split_inclusive(|byte| *byte == b'\n') {
                sink.head("<= Recv header", line);
            }
        }
    }

    /// Shows a part of a request's body.
    pub fn sent_data(&self, bytes: &[u8]) {
        if let Some(sink) = &self.0 {
            sink.body("=> Send data", bytes);
        }
    }

    /// Shows a part of an answer's body.
    pub fn received_data(&self, bytes: &[u8]) {
        if let Some(sink) = &self.0 {
            sink.body("<= Recv data", bytes);
        }
    }
}

impl Sink {
    fn head(&self, what: &str, head: &[u8]) {
        let size = head.len();
        let text = Zeroizing::new(String::from_utf8_lossy(head).into_owned());
        let first = format!("{what}, {size:010} bytes (0x{size:08x})");
        let lines = text.trim_end_matches("\r\n").split('\n').chain(
            // The empty line at the end of a request's head is shown as git shows it.
            text.ends_with("\r\n\r\n").then_some(""),
        );
        let shown = lines.map(|line| {
            let line = line.trim_end();
            let line = if self.redact {
                redact::header(line)
            } else {
                line.to_owned()
            };
            format!("{what}: {line}").trim_end().to_owned()
        });
        self.lines(std::iter::once(first).chain(shown));
    }

    fn body(&self, what: &str, bytes: &[u8]) {
        if !self.data || bytes.is_empty() {
            return;
        }
        let size = bytes.len();
        let shown = bytes.chunks(WIDTH).map(|piece| {
            let visible = |byte: &u8| match byte {
                b' '..0x80 => char::from(*byte),
                _ => '.',
            };
            format!("{what}: {}", piece.iter().map(visible).collect::<String>())
        });
        self.lines(std::iter::once(format!("{what}, {size:010} bytes (0x{size:08x})")).chain(shown));
    }

    /// One write for all lines: git and its other children may trace to the same place. A trace that cannot be
    /// written is no reason to fail.
    fn lines(&self, lines: impl Iterator<Item = String>) {
        let prefix = if self.bare { String::new() } else { prefix() };
        let mut text = Zeroizing::new(String::new());
        for line in lines {
            text.push_str(&prefix);
            text.extend(line.chars().map(|c| if steers(c) { '.' } else { c }));
            text.push('\n');
        }
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        out.write_all(text.as_bytes()).and_then(|()| out.flush()).ok();
    }
}

/// `get_trace_fd` in git's `trace.c`.
fn open(wanted: &str, report: Report) -> Option<Box<dyn Write + Send>> {
    let path = Path::new(wanted);
    let opened = match wanted {
        "" | "0" => return None,
        _ if wanted.eq_ignore_ascii_case("false") => return None,
        "1" | "2" => return Some(Box::new(io::stderr())),
        _ if wanted.eq_ignore_ascii_case("true") => return Some(Box::new(io::stderr())),
        // Another descriptor that git has left open for us, by the name that Unix systems give it.
        _ if cfg!(unix) && wanted.len() == 1 && wanted.bytes().all(|byte| byte.is_ascii_digit()) => {
            OpenOptions::new().append(true).open(format!("/dev/fd/{wanted}"))
        }
        _ if path.is_absolute() => OpenOptions::new().create(true).append(true).open(path),
        _ => {
            report.warning(&format!(
                "unknown trace value for 'GIT_TRACE_CURL': {wanted} (1 is standard error, an absolute path is a file)"
            ));
            return None;
        }
    };
    match opened {
        Ok(file) => Some(Box::new(file)),
        Err(error) => {
            report.warning(&format!("could not open '{wanted}' for tracing: {error}"));
            None
        }
    }
}

/// The time of day and who is speaking.
fn prefix() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    let local = gix::date::Time::now_local_or_utc();
    let second = (local.seconds + i64::from(local.offset)).rem_euclid(24 * 60 * 60);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    let micros = now.subsec_micros();
    let text = format!("{hour:02}:{minute:02}:{second:02}.{micros:06} git-remote-bbcloud ");
    format!("{text:COLUMN$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn written(redact: bool, bare: bool, act: impl FnOnce(&Trace)) -> String {
        let out = Shared::default();
        let sink = Sink {
            out: Mutex::new(Box::new(out.clone())),
            data: true,
            redact,
            bare,
        };
        act(&Trace(Some(Arc::new(sink))));
        let text = out.0.lock().unwrap().clone();
        String::from_utf8(text).unwrap()
    }

    fn traced(redact: bool, act: impl FnOnce(&Trace)) -> Vec<String> {
        let text = written(redact, false, act);
        text.lines().map(|line| line.split_at(COLUMN).1.to_owned()).collect()
    }

    #[test]
    fn a_bare_trace_has_no_time() {
        let text = written(true, true, |trace| trace.info(|| "hello".to_owned()));
        assert_eq!(text, "== Info: hello\n");
    }

    #[test]
    fn a_head_is_shown_as_git_shows_it() {
        let head = b"GET /x HTTP/1.1\r\nAuthorization: Basic c2VjcmV0\r\n\r\n";
        assert_eq!(
            traced(true, |trace| trace.sent_head(head)),
            [
                "=> Send header, 0000000050 bytes (0x00000032)",
                "=> Send header: GET /x HTTP/1.1",
                "=> Send header: Authorization: Basic <redacted>",
                "=> Send header:"
            ]
        );
        assert!(traced(false, |trace| trace.sent_head(head))[2].ends_with("Basic c2VjcmV0"));
    }

    #[test]
    fn a_server_cannot_steer_the_terminal_with_a_header() {
        let lines = traced(true, |trace| {
            trace.received_head("X-A: \u{9b}31m\u{202e}b\x1b[2J\r\n".as_bytes());
        });
        assert_eq!(lines[1], "<= Recv header: X-A: .31m.b.[2J");
    }

    #[test]
    fn a_body_is_cut_into_lines() {
        let lines = traced(true, |trace| trace.received_data(&[b'a'; 61]));
        assert_eq!(lines[0], "<= Recv data, 0000000061 bytes (0x0000003d)");
        assert_eq!(lines[2], "<= Recv data: a");
        assert_eq!(
            traced(true, |trace| trace.sent_data(b"a\n\x80b"))[1],
            "=> Send data: a..b"
        );
    }
}
