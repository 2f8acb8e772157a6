//! What is sent back: heads, bodies and their framing, with the faults that concern them.

use std::future::poll_fn;
use std::io::{self, Write as _};
use std::pin::pin;
use std::task::Poll;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufWriter};

use super::fault::Action;
use super::header::{bitbucket_headers, reason};
use super::log::Entry;
use super::refusal::Response;
use super::request::Head;
use super::rewrite;

/// One piece of a streamed body.
const PIECE: usize = 64 * 1024;
/// The most that a fault which needs the whole answer takes.
const WHOLE: u64 = 256 * 1024 * 1024;

/// Where the body of an answer ends.
#[derive(Clone, Copy)]
enum End {
    Length(u64),
    LastChunk,
    Connection,
}

/// The one answer to one request.
pub(crate) struct Answer<'a, W> {
    pub(crate) out: &'a mut BufWriter<W>,
    pub(crate) action: Option<Action>,
    entry: Entry,
    http10: bool,
    gzip: bool,
    closing: bool,
    end: End,
    sent: u64,
}

impl<'a, W: AsyncWrite + Unpin> Answer<'a, W> {
    /// `compress` allows gzip for small answers, where the client takes it.
    pub(crate) fn new(
        out: &'a mut BufWriter<W>,
        action: Option<Action>,
        entry: Entry,
        head: &Head,
        compress: bool,
    ) -> Self {
        let http10 = head.http10 || matches!(action, Some(Action::Http10));
        let gzip = compress && head.lists("accept-encoding", "gzip");
        Self {
            out,
            action,
            entry,
            http10,
            gzip,
            closing: false,
            end: End::Connection,
            sent: 0,
        }
    }

    /// Says `Connection: close`.
    pub(crate) fn announce_close(&mut self) {
        self.closing = true;
    }

    /// Sends an answer that is known as a whole.
    pub(crate) async fn fixed(&mut self, response: Response) -> io::Result<()> {
        let response = rewrite::rewritten(self.action.as_ref(), self.gzip, response)?;
        let length = response.body.len() as u64;
        self.end = match self.action {
            Some(Action::Http10) => End::Connection,
            Some(Action::BareLineFeeds) => End::LastChunk,
            Some(Action::WrongLength { delta }) => End::Length(length.saturating_add_signed(delta)),
            _ => End::Length(length),
        };
        self.head(response.status, &response.headers).await?;
        self.put(&response.body).await?;
        self.finish().await
    }

    /// Sends an answer as it comes.
    pub(crate) async fn stream<R: AsyncRead + Unpin>(
        &mut self,
        status: u16,
        headers: Vec<(String, String)>,
        mut body: R,
    ) -> io::Result<()> {
        let mut start = Vec::new();
        if let Some(limit) = self.wanted_first() {
            (&mut body).take(limit).read_to_end(&mut start).await?;
            if (start.len() as u64) < limit {
                return self
                    .fixed(Response {
                        status,
                        headers,
                        body: start,
                    })
                    .await;
            }
        }
        self.end = if self.http10 { End::Connection } else { End::LastChunk };
        self.head(status, &headers).await?;
        let mut body = start.as_slice().chain(body);
        let mut piece = vec![0; PIECE];
        let mut tail = Vec::new();
        loop {
            let count = self.read_or_flush(&mut body, &mut piece).await?;
            let bytes = piece.get(..count).unwrap_or_default();
            if count == 0 {
                return self.finish().await;
            }
            if let Some(Action::Truncate { bytes: hidden }) = self.action {
                tail.extend_from_slice(bytes);
                let shown: Vec<u8> = tail.drain(..tail.len().saturating_sub(hidden)).collect();
                self.put(&shown).await?;
            } else {
                self.put(bytes).await?;
            }
        }
    }

    /// How much of a streamed body has to be there before its head can be written.
    fn wanted_first(&self) -> Option<u64> {
        match self.action {
            // A cut head is to come after the work, and http-backend writes its own before.
            Some(
                Action::CutHead { .. }
                | Action::ReplaceBody(_)
                | Action::Gzip { .. }
                | Action::GzipBomb { .. }
                | Action::RawDeflate
                | Action::WrongLength { .. },
            ) => Some(WHOLE),
            _ => self.gzip.then_some(PIECE as u64),
        }
    }

    /// What the client gets to see at once, it gets in one write: bytes are held until the source pauses.
    async fn read_or_flush<R: AsyncRead + Unpin>(&mut self, body: &mut R, piece: &mut [u8]) -> io::Result<usize> {
        let mut read = pin!(body.read(piece));
        let ready = poll_fn(|context| {
            Poll::Ready(match read.as_mut().poll(context) {
                Poll::Ready(result) => Some(result),
                Poll::Pending => None,
            })
        });
        if let Some(result) = ready.await {
            return result;
        }
        self.out.flush().await?;
        read.await
    }

    async fn head(&mut self, status: u16, headers: &[(String, String)]) -> io::Result<()> {
        let version = if self.http10 { "HTTP/1.0" } else { "HTTP/1.1" };
        let mut head = format!("{version} {status} {}\r\n", reason(status)).into_bytes();
        for (name, value) in headers {
            let value = match &self.action {
                Some(Action::ContentType(other)) if name.eq_ignore_ascii_case("content-type") => other,
                _ => value,
            };
            write!(head, "{name}: {value}\r\n")?;
        }
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("server")) {
            bitbucket_headers(&mut head)?;
        }
        if let Some(Action::Header(line)) = &self.action {
            head.extend_from_slice(line);
        }
        match self.end {
            End::Length(length) => write!(head, "Content-Length: {length}\r\n")?,
            End::LastChunk => head.extend_from_slice(b"Transfer-Encoding: chunked\r\n"),
            End::Connection => {}
        }
        head.extend_from_slice(if self.closing {
            b"Connection: close\r\n\r\n"
        } else {
            b"\r\n"
        });
        if let Some(Action::CutHead { after }) = self.action {
            self.out.write_all(head.get(..after).unwrap_or(&head)).await?;
            return self.cut().await;
        }
        self.entry.answered(status);
        self.out.write_all(&head).await
    }

    /// Sends a piece of the body in the portions that the fault asks for.
    async fn put(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            if let Some(Action::CutChunk { after }) = self.action
                && self.sent + bytes.len() as u64 > after
            {
                return self.cut_inside(bytes, after).await;
            }
            let (portion, rest) = bytes.split_at(self.portion(bytes.len()));
            self.frame(portion).await?;
            bytes = rest;
            match self.action {
                Some(Action::CutBody { after } | Action::ResetBody { after }) if self.sent == after => {
                    return self.cut().await;
                }
                Some(Action::Drip { every, .. }) => self.pause(every).await?,
                Some(Action::Stall { after, pause }) if self.sent == after => {
                    self.action = None;
                    self.pause(pause).await?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// How many of the next `available` bytes may go in one go.
    fn portion(&self, available: usize) -> usize {
        let up_to = |position: u64| usize::try_from(position.saturating_sub(self.sent)).unwrap_or(usize::MAX);
        match self.action {
            Some(Action::CutBody { after } | Action::ResetBody { after } | Action::Stall { after, .. }) => {
                available.min(up_to(after))
            }
            Some(Action::Drip { bytes, .. }) => available.min(bytes.max(1)),
            _ => available,
        }
    }

    async fn pause(&mut self, pause: std::time::Duration) -> io::Result<()> {
        self.out.flush().await?;
        tokio::time::sleep(pause).await;
        Ok(())
    }

    /// How a line of a chunk's framing ends.
    fn line_end(&self) -> &'static str {
        match self.action {
            Some(Action::BareLineFeeds) => "\n",
            _ => "\r\n",
        }
    }

    async fn frame(&mut self, bytes: &[u8]) -> io::Result<()> {
        // An empty chunk would be the last one.
        if bytes.is_empty() {
            return Ok(());
        }
        self.entry.sent(bytes.len());
        self.sent += bytes.len() as u64;
        if matches!(self.end, End::LastChunk) {
            let end = self.line_end();
            self.out.write_all(format!("{:x}{end}", bytes.len()).as_bytes()).await?;
            self.out.write_all(bytes).await?;
            self.out.write_all(end.as_bytes()).await
        } else {
            self.out.write_all(bytes).await
        }
    }

    async fn finish(&mut self) -> io::Result<()> {
        if let Some(Action::Stall { pause, .. }) = self.action {
            self.pause(pause).await?;
        }
        match self.action {
            Some(
                Action::CutBody { .. }
                | Action::ResetBody { .. }
                | Action::CutChunk { .. }
                | Action::WrongLength { .. },
            ) => {
                return self.cut().await;
            }
            _ if matches!(self.end, End::LastChunk) => {
                let end = self.line_end();
                self.out.write_all(format!("0{end}{end}").as_bytes()).await?;
            }
            _ => {}
        }
        self.out.flush().await
    }

    /// Announces all of `bytes` and ends the connection within.
    async fn cut_inside(&mut self, bytes: &[u8], after: u64) -> io::Result<()> {
        if matches!(self.end, End::LastChunk) {
            self.out.write_all(format!("{:x}\r\n", bytes.len()).as_bytes()).await?;
        }
        let shown = usize::try_from(after.saturating_sub(self.sent)).unwrap_or(usize::MAX);
        let shown = bytes.get(..shown).unwrap_or_default();
        self.entry.sent(shown.len());
        self.out.write_all(shown).await?;
        self.cut().await
    }

    /// Ends the connection after what has been written.
    async fn cut(&mut self) -> io::Result<()> {
        self.out.flush().await?;
        Err(io::Error::new(io::ErrorKind::ConnectionAborted, "cut, as asked"))
    }
}
