//! One connection: requests one after another, each with its fault, until one side has had enough.

use std::io;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, BufWriter, ReadHalf, WriteHalf};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use super::access::{self, Plan};
use super::answer::Answer;
use super::backend;
use super::fault::Action;
use super::lfs;
use super::log::Entry;
use super::request::{Body, Head, Inbound};
use super::rest;
use super::world::World;

const WRITE_BUFFER: usize = 128 * 1024;

/// A byte stream that can show the TCP connection below it.
pub(crate) trait Wire: AsyncRead + AsyncWrite + Unpin {
    fn tcp(&self) -> &TcpStream;
}

impl Wire for TcpStream {
    fn tcp(&self) -> &TcpStream {
        self
    }
}

impl Wire for TlsStream<TcpStream> {
    fn tcp(&self) -> &TcpStream {
        self.get_ref().0
    }
}

/// What becomes of the connection after an answer.
enum After {
    KeepAlive,
    /// With TLS `close_notify`.
    Close,
    /// Without; these bytes go below it.
    Abort(Vec<u8>),
    Reset,
}

type Reader<S> = Inbound<ReadHalf<S>>;
type Writer<S> = BufWriter<WriteHalf<S>>;

/// Answers everything that comes on `stream`.
pub(crate) async fn serve<S: Wire>(stream: S, world: Arc<World>, number: usize) {
    let (reader, writer) = tokio::io::split(stream);
    let mut reader = Inbound::new(reader);
    let mut writer = BufWriter::with_capacity(WRITE_BUFFER, writer);
    let after = loop {
        let Ok(Some(head)) = reader.head().await else {
            break After::Close;
        };
        match exchange(&world, &head, number, &mut reader, &mut writer).await {
            After::KeepAlive => {}
            end => break end,
        }
    };
    let mut stream = reader.into_inner().unsplit(writer.into_inner());
    match after {
        After::Reset => {
            // A connection that cannot be set up for a reset is gone already.
            let _gone = stream.tcp().set_zero_linger();
        }
        After::Close | After::KeepAlive => {
            // The client may have closed first.
            let _gone = stream.shutdown().await;
        }
        After::Abort(bytes) => {
            // Whether it arrives is for the client to say.
            let _sent = stream.tcp().try_write(&bytes);
        }
    }
}

async fn exchange<S: Wire>(
    world: &World,
    head: &Head,
    number: usize,
    reader: &mut Reader<S>,
    writer: &mut Writer<S>,
) -> After {
    let entry = world.log.begin(number, head);
    let action = world.faults.take(head);
    match instead_of_an_answer(head, action.as_ref(), reader, writer, &entry).await {
        Ok(Some(after)) => return after,
        Ok(None) => {}
        Err(_) => return After::Abort(Vec::new()),
    }
    let mut answer = Answer::new(writer, action, entry.clone(), head, world.settings.compress);
    let done = respond(world, head, reader, &mut answer, &entry).await;
    match (done, &answer.action) {
        (Err(_), Some(Action::ResetBody { .. })) => After::Reset,
        (Err(_), _) => After::Abort(Vec::new()),
        (Ok(After::KeepAlive), Some(Action::CloseAfter | Action::Http10)) => After::Close,
        (Ok(after), _) => after,
    }
}

/// The faults that leave nothing for the rest of the server to do.
async fn instead_of_an_answer<S: Wire>(
    head: &Head,
    action: Option<&Action>,
    reader: &mut Reader<S>,
    writer: &mut Writer<S>,
    entry: &Entry,
) -> io::Result<Option<After>> {
    match action {
        Some(Action::Reset) => Ok(Some(After::Reset)),
        Some(Action::Close) => Ok(Some(After::Close)),
        Some(Action::Raw(bytes)) => {
            backend::drain(head, reader, entry).await?;
            writer.write_all(bytes).await?;
            writer.flush().await?;
            entry.sent(bytes.len());
            Ok(Some(After::Close))
        }
        Some(Action::Endless(first, again)) => {
            backend::drain(head, reader, entry).await?;
            writer.write_all(first).await?;
            loop {
                writer.write_all(again).await?;
            }
        }
        Some(Action::BelowTls(bytes)) => {
            backend::drain(head, reader, entry).await?;
            Ok(Some(After::Abort(bytes.clone())))
        }
        Some(Action::RefuseEarly { refusal, linger }) => {
            let mut answer = Answer::new(writer, None, entry.clone(), head, false);
            answer.announce_close();
            answer.fixed(refusal.response()).await?;
            tokio::time::sleep(*linger).await;
            Ok(Some(After::Abort(Vec::new())))
        }
        Some(Action::Delay(pause)) => {
            tokio::time::sleep(*pause).await;
            Ok(None)
        }
        Some(Action::Informational) => {
            writer
                .write_all(b"HTTP/1.1 103 Early Hints\r\nLink: </hint>; rel=preload\r\n\r\n")
                .await?;
            writer.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
            writer.flush().await?;
            Ok(None)
        }
        _ => Ok(None),
    }
}

async fn respond<S: Wire>(
    world: &World,
    head: &Head,
    reader: &mut Reader<S>,
    answer: &mut Answer<'_, WriteHalf<S>>,
    entry: &Entry,
) -> io::Result<After> {
    let waits = head.lists("expect", "100-continue") && !matches!(head.body(), Body::Done);
    let close = head.http10 || head.lists("connection", "close");
    if close {
        answer.announce_close();
    }
    let after = if close { After::Close } else { After::KeepAlive };
    let response = match access::plan(world, head, answer.action.as_ref()) {
        Plan::Backend(cgi) => {
            if waits {
                answer.out.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
                answer.out.flush().await?;
            }
            backend::answer(world, head, &cgi, reader, answer, entry).await?;
            return Ok(after);
        }
        Plan::Lfs(asked) => {
            let response = lfs::answer(world, head, asked, reader, entry).await?;
            answer.fixed(response).await?;
            return Ok(after);
        }
        Plan::Rest => rest::answer(world, head).await,
        Plan::Answer(response) => response,
    };
    if waits {
        // Whether the body still comes after a refusal is the client's choice, so the connection cannot go on.
        answer.announce_close();
        answer.fixed(response).await?;
        return Ok(After::Close);
    }
    backend::drain(head, reader, entry).await?;
    answer.fixed(response).await?;
    Ok(after)
}
