//! `git http-backend` as a CGI program, both directions at the same time.

use std::io;
use std::process::Stdio;
use std::sync::atomic::Ordering;

use httparse::Status;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::process::{Child, ChildStdin, ChildStdout};
use tokio::sync::Notify;

use super::answer::Answer;
use super::log::Entry;
use super::process;
use super::refusal::Response;
use super::request::{Body, Head, Inbound};
use super::world::World;

/// What http-backend's own head may take.
const MAX_HEAD: usize = 16 * 1024;
/// Everything that http-backend and its children complain about, in the server's root.
pub(crate) const ERRORS_FILE: &str = "http-backend.log";

/// What http-backend has to be told beside the request's headers.
pub(crate) struct Cgi {
    /// Below the root, as on disk.
    pub(crate) path_info: String,
    pub(crate) user: Option<String>,
}

/// The program and everything that it has started; gone when this is.
struct Backend {
    child: Child,
    finished: bool,
}

impl Backend {
    fn start(world: &World, head: &Head, cgi: &Cgi) -> io::Result<Self> {
        let errors = std::fs::File::options()
            .create(true)
            .append(true)
            .open(world.root.join(ERRORS_FILE))?;
        let mut command = process::command("git", &world.root);
        command
            .arg("http-backend")
            .env("GIT_PROJECT_ROOT", &world.root)
            .env("GIT_HTTP_EXPORT_ALL", "1")
            .env("PATH_INFO", &cgi.path_info)
            .env("REQUEST_METHOD", &head.method)
            .env("QUERY_STRING", head.query())
            .env("REMOTE_ADDR", "127.0.0.1")
            .stdin(if matches!(head.body(), Body::Done) {
                Stdio::null()
            } else {
                Stdio::piped()
            })
            .stdout(Stdio::piped())
            .stderr(errors);
        let mut headers = vec![
            ("content-type", "CONTENT_TYPE"),
            ("content-length", "CONTENT_LENGTH"),
            ("content-encoding", "HTTP_CONTENT_ENCODING"),
        ];
        if !world.ignores_git_protocol.load(Ordering::Relaxed) {
            headers.push(("git-protocol", "GIT_PROTOCOL"));
        }
        for (header, variable) in headers {
            if let Some(value) = head.header(header) {
                command.env(variable, value);
            }
        }
        if let Some(user) = &cgi.user {
            command.env("REMOTE_USER", user);
        }
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let child = tokio::process::Command::from(command).kill_on_drop(true).spawn()?;
        Ok(Self { child, finished: false })
    }

    async fn wait(mut self) -> io::Result<()> {
        self.child.wait().await?;
        self.finished = true;
        Ok(())
    }
}

impl Drop for Backend {
    /// Killing http-backend alone would leave upload-pack and pack-objects to find out by themselves.
    fn drop(&mut self) {
        let Some(group) = self.child.id().filter(|_| !self.finished) else {
            return;
        };
        if cfg!(unix) {
            let kill = format!("kill -KILL -{group}");
            // It may have ended by itself in this very moment, which is just as well.
            let _killed = process::command("sh", std::path::Path::new("/"))
                .args(["-c", &kill])
                .output();
        }
        let _killed = self.child.start_kill();
        for _ in 0..100 {
            if !matches!(self.child.try_wait(), Ok(None)) {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
    }
}

/// One request, answered by http-backend.
pub(crate) async fn answer<R: AsyncRead + Unpin, W: AsyncWrite + Unpin>(
    world: &World,
    head: &Head,
    cgi: &Cgi,
    inbound: &mut Inbound<R>,
    answer: &mut Answer<'_, W>,
    entry: &Entry,
) -> io::Result<()> {
    let mut backend = Backend::start(world, head, cgi)?;
    let stdin = backend.child.stdin.take();
    let stdout = backend
        .child
        .stdout
        .take()
        .ok_or_else(|| io::Error::other("stdout was piped"))?;
    let answered = Notify::new();
    let upload = async {
        feed(head.body(), inbound, stdin, entry).await?;
        // Nothing is read while the answer is on its way, so that only this notices a client that has gone.
        tokio::select! {
            () = answered.notified() => Ok(()),
            more = inbound.fill() => match more {
                Ok(true) => Ok(()),
                Ok(false) => Err(io::ErrorKind::ConnectionAborted.into()),
                Err(error) => Err(error),
            },
        }
    };
    let download = async {
        let result = relay(stdout, answer).await;
        answered.notify_one();
        result
    };
    tokio::try_join!(upload, download)?;
    backend.wait().await
}

/// Copies the request's body to the program; one that stops reading does not stop the client from sending.
async fn feed<R: AsyncRead + Unpin>(
    mut body: Body,
    inbound: &mut Inbound<R>,
    mut stdin: Option<ChildStdin>,
    entry: &Entry,
) -> io::Result<()> {
    loop {
        let bytes = body.next(inbound).await?;
        if bytes.is_empty() {
            return Ok(());
        }
        entry.received(bytes.len());
        if let Some(pipe) = &mut stdin
            && pipe.write_all(bytes).await.is_err()
        {
            stdin = None;
        }
    }
}

/// Reads the body and forgets it.
pub(crate) async fn drain<R: AsyncRead + Unpin>(
    head: &Head,
    inbound: &mut Inbound<R>,
    entry: &Entry,
) -> io::Result<()> {
    feed(head.body(), inbound, None, entry).await
}

async fn relay<W: AsyncWrite + Unpin>(mut stdout: ChildStdout, answer: &mut Answer<'_, W>) -> io::Result<()> {
    let mut bytes = Vec::new();
    loop {
        if let Some((length, status, headers)) = cgi_head(&bytes)? {
            let body = bytes.get(length..).unwrap_or_default().chain(stdout);
            return answer.stream(status, headers, body).await;
        }
        if bytes.len() > MAX_HEAD || stdout.read_buf(&mut bytes).await? == 0 {
            let response = Response::text(500, "git http-backend failed; see http-backend.log");
            return answer.fixed(response).await;
        }
    }
}

type CgiHead = (usize, u16, Vec<(String, String)>);

fn cgi_head(bytes: &[u8]) -> io::Result<Option<CgiHead>> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let Status::Complete((length, headers)) = httparse::parse_headers(bytes, &mut headers).map_err(io::Error::other)?
    else {
        return Ok(None);
    };
    let mut status = 200;
    let mut kept = Vec::new();
    for header in headers {
        let value = String::from_utf8_lossy(header.value).into_owned();
        if header.name.eq_ignore_ascii_case("status") {
            let code = value.split(' ').next().unwrap_or_default();
            status = code.parse().map_err(io::Error::other)?;
        } else {
            kept.push((header.name.to_owned(), value));
        }
    }
    Ok(Some((length, status, kept)))
}
