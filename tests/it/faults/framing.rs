//! Columns of the matrix: cuts, resets, pauses, and HTTP that is wrong about where its answer ends.

use std::time::Duration;

use super::operation::Operation;
use super::told::{ADVERTISEMENT_ENDS, REPORTED, answered, malformed};
use super::{Case, Effect};
use crate::bitbucket::Action;
use crate::support::scene::SLOW_PUSH;

const NO_ANSWER: &str = "the server closed the connection without a response";
/// How HTTP tells a cut, wherever that is.
const CUT: &str = "response truncated after ";
const LONG_HEAD: &str = malformed!("its headers are too long");
const LONG_FRAMING: &str = malformed!("its chunk headers or trailers are too long");
const NO_HTTP: &str = malformed!("not HTTP");
const SLOW: &[&str] = &["http.lowSpeedLimit=1000", "http.lowSpeedTime=1"];

pub(super) fn cases(operation: Operation) -> Vec<Case> {
    let mut cases = cuts(operation);
    cases.extend(pauses());
    cases.extend(lengths(operation));
    cases.extend(heads(operation));
    cases.extend(chunks(operation));
    cases.extend(harmless());
    cases
}

/// Offsets that are worth a cut: in the first packet's header, in its content, between packets, in a later one.
fn offsets(operation: Operation) -> &'static [u64] {
    match operation {
        // "001e# service=git-upload-pack\n", "0000", "000eversion 2\n".
        Operation::RefsV2 => &[2, 20, 30, 32, 34, 48, 60],
        // The second packet is 0000, the third has a ref and the capabilities.
        Operation::RefsV0 | Operation::RefsPush => &[2, 20, 34, 36, 100, 400],
        Operation::LsRefs | Operation::LsRefsKept => &[2, 20, 100],
        // "0014acknowledgments\n" or "0008NAK\n", and sidebands after it.
        Operation::FetchV2 | Operation::FetchKept => &[2, 10, 20, 22, 1000, 30_000],
        Operation::FetchV0 => &[2, 6, 8, 10, 1000, 30_000],
        Operation::Push | Operation::PushChunked | Operation::PushDelete => &[2, 5, 8, 20],
    }
}

fn cuts(operation: Operation) -> Vec<Case> {
    let at_end = if operation.sends_push() { REPORTED } else { CUT };
    let below_tls = "TLS connection to 'localhost'";
    let mut cases = vec![
        gone(operation, "closed instead of an answer", Action::Close),
        gone(operation, "reset instead of an answer", Action::Reset),
        Case::fails("cut before the head", Action::CutHead { after: 0 }, NO_ANSWER),
        Case::fails("cut in the head", Action::CutHead { after: 20 }, cut(0)),
        Case::fails("cut before the body", Action::CutBody { after: 0 }, cut(0)),
        Case::fails("cut after the last packet", Action::CutBody { after: 1 << 30 }, at_end),
        Case::fails("reset before the body", Action::ResetBody { after: 0 }, cut(0)),
        Case::fails("cut in a chunk", Action::CutChunk { after: 7 }, cut(7)),
        // In good HTTP.
        Case::fails(
            "short by half a flush packet",
            Action::Truncate { bytes: 2 },
            inside(operation),
        ),
        Case::fails(
            "short by a flush packet",
            Action::Truncate { bytes: 4 },
            before_last(operation),
        ),
        Case::fails("short by more", Action::Truncate { bytes: 30 }, inside(operation)),
        Case::fails(
            "alert below TLS",
            Action::BelowTls(b"\x15\x03\x03\x00\x02\x02\x28".to_vec()),
            below_tls,
        ),
        Case::fails(
            "noise below TLS",
            Action::BelowTls(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()),
            below_tls,
        ),
    ];
    for after in offsets(operation) {
        let name = format!("cut after {after} bytes");
        cases.push(Case::fails(&name, Action::CutBody { after: *after }, cut(*after)));
        let name = format!("cut in a chunk after {after} bytes");
        cases.push(Case::fails(&name, Action::CutChunk { after: *after }, cut(*after)));
    }
    if let Some(after) = offsets(operation).last() {
        let name = format!("reset after {after} bytes");
        // A reset may overtake what was sent before it.
        cases.push(Case::fails(&name, Action::ResetBody { after: *after }, CUT));
    }
    cases
}

/// The connection ends as soon as the server has seen the head. What a client of a large push notices first is a race.
fn gone(operation: Operation, name: &str, action: Action) -> Case {
    if operation == Operation::PushChunked {
        return Case::either(name, action, &[NO_ANSWER, "the connection failed"]);
    }
    Case::fails(name, action, NO_ANSWER)
}

fn cut(after: u64) -> String {
    format!("{CUT}{after} bytes")
}

/// What is said of an answer that is complete to HTTP, and ends in the middle of a packet to git.
fn inside(operation: Operation) -> &'static str {
    if operation.is_get() {
        ADVERTISEMENT_ENDS
    } else {
        "(in a packet)"
    }
}

/// The same, of one that ends between two packets.
fn before_last(operation: Operation) -> &'static str {
    if operation.is_get() {
        ADVERTISEMENT_ENDS
    } else {
        "(missing flush packet)"
    }
}

fn pauses() -> Vec<Case> {
    let told = "the connection moved less than 1000 bytes a second for ";
    let long = Duration::from_secs(60);
    vec![
        Case::fails("silence instead of an answer", Action::Delay(long), told).with(SLOW),
        Case::fails("stall", Action::Stall { after: 10, pause: long }, told).with(SLOW),
        Case::fails(
            "slow drip",
            Action::Drip {
                bytes: 1,
                every: Duration::from_millis(200),
            },
            told,
        )
        .with(SLOW),
    ]
}

fn lengths(operation: Operation) -> Vec<Case> {
    let mut cases = Vec::new();
    for delta in [1, 5, 100_000] {
        let name = format!("Content-Length too long by {delta}");
        let told = if operation.sends_push() { REPORTED } else { CUT };
        cases.push(Case::fails(&name, Action::WrongLength { delta }, told));
    }
    for delta in [-1, -4, -10] {
        let name = format!("Content-Length too short by {}", -delta);
        // The last packet of a pack has two bytes in it, and a flush packet of four follows.
        let is_between = delta == -4 || delta == -10 && operation.has_pack();
        let told = if is_between {
            before_last(operation)
        } else {
            inside(operation)
        };
        cases.push(Case::fails(&name, Action::WrongLength { delta }, told));
    }
    cases
}

/// A head for this operation's answer, with `headers`.
fn head(operation: Operation, headers: &str) -> Vec<u8> {
    let kind = operation.content_type();
    format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n{headers}\r\n").into_bytes()
}

fn raw(operation: Operation, headers: &str, body: &[u8]) -> Action {
    let mut bytes = head(operation, headers);
    bytes.extend_from_slice(body);
    Action::Raw(bytes)
}

fn heads(operation: Operation) -> Vec<Case> {
    let long = "a".repeat(1000);
    let many = "X-A: b\r\n".repeat(6000);
    let huge = format!("X-A: {}\r\n", "a".repeat(400_000));
    let filler = format!("X-A: {long}\r\n").into_bytes();
    let one = |bytes: &[u8]| Action::Raw(bytes.to_vec());
    vec![
        Case::fails("another protocol", one(b"SSH-2.0-OpenSSH_9.2\r\n"), NO_HTTP),
        Case::fails("HTTP/0.9", one(b"<html>Sign in</html>"), NO_HTTP),
        Case::fails("HTTP/2", one(b"\0\0\x12\x04\0\0\0\0\0\0\x03\0\0\0\x64"), NO_HTTP),
        Case::fails(
            "a status of two digits",
            one(b"HTTP/1.1 20 OK\r\n\r\n"),
            malformed!("invalid status line"),
        ),
        Case::fails("an oversized header", raw(operation, &huge, b""), LONG_HEAD),
        Case::fails(
            "too many headers",
            raw(operation, &many, b""),
            malformed!("too many headers"),
        ),
        Case::fails(
            "a header without a colon",
            raw(operation, "nonsense\r\n", b""),
            malformed!("a header line without a colon"),
        ),
        Case::fails(
            "endless headers",
            Action::Endless(b"HTTP/1.1 200 OK\r\n".to_vec(), filler),
            LONG_HEAD,
        ),
        Case::fails(
            "an endless header",
            Action::Endless(b"HTTP/1.1 200 OK\r\nX-A: ".to_vec(), long.clone().into_bytes()),
            LONG_HEAD,
        ),
        Case::fails("endless noise", Action::Endless(Vec::new(), long.into_bytes()), NO_HTTP),
        Case::fails(
            "endless early hints",
            Action::Endless(Vec::new(), b"HTTP/1.1 103 Early Hints\r\n\r\n".to_vec()),
            LONG_HEAD,
        ),
        Case::fails(
            "another protocol is switched to",
            one(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"),
            answered(operation, "nothing"),
        ),
        Case::fails(
            "two lengths",
            raw(operation, "Content-Length: 5\r\nContent-Length: 6\r\n", b"0000x"),
            malformed!("conflicting Content-Length headers"),
        ),
        Case::fails(
            "a length beyond all numbers",
            raw(operation, "Content-Length: 99999999999999999999999\r\n", b"0000"),
            malformed!("invalid Content-Length"),
        ),
        Case::fails(
            "a negative length",
            raw(operation, "Content-Length: -1\r\n", b"0000"),
            malformed!("invalid Content-Length"),
        ),
        Case::fails(
            "HTTP/1.0, cut",
            one(&[
                b"HTTP/1.0 200 OK\r\nContent-Type: ",
                operation.content_type().as_bytes(),
                b"\r\n\r\n001",
            ]
            .concat()),
            inside(operation),
        ),
    ]
}

fn chunks(operation: Operation) -> Vec<Case> {
    let chunked = "Transfer-Encoding: chunked\r\n";
    let endless = |begin: &[u8], again: &[u8]| {
        let mut first = head(operation, chunked);
        first.extend_from_slice(begin);
        Action::Endless(first, again.to_vec())
    };
    let noise = "1".repeat(4096).into_bytes();
    vec![
        Case::fails(
            "no chunk length",
            raw(operation, chunked, b"zz\r\n0000\r\n"),
            malformed!("invalid chunk length"),
        ),
        Case::fails(
            "a chunk length beyond all numbers",
            raw(operation, chunked, b"ffffffffffffffffffff\r\n0000\r\n"),
            malformed!("invalid chunk length"),
        ),
        Case::fails(
            "a chunk longer than it said",
            raw(operation, chunked, b"2\r\n0000\r\n0\r\n\r\n"),
            malformed!("a chunk is longer than its length"),
        ),
        Case::fails(
            "an endless chunk length",
            endless(b"", &noise),
            malformed!("invalid chunk length"),
        ),
        Case::fails("an endless chunk extension", endless(b"4;x=", &noise), LONG_FRAMING),
        Case::fails(
            "endless trailers",
            endless(b"3\r\n001\r\n0\r\n", &b"X-A: b\r\n".repeat(100)),
            LONG_FRAMING,
        ),
    ]
}

fn harmless() -> Vec<Case> {
    let header = |name: &str, line: &str| Case::new(name, Action::Header(line.as_bytes().to_vec()), Effect::None);
    let pause = Duration::from_millis(300);
    let drip = Action::Drip {
        bytes: 500,
        every: Duration::from_millis(1),
    };
    vec![
        Case::new("a late answer", Action::Delay(pause), Effect::None),
        Case::new("1xx before the answer", Action::Informational, Effect::None),
        Case::new("a short stall", Action::Stall { after: 10, pause }, Effect::None),
        Case::new("a drip", drip, Effect::None),
        // A farewell that crosses a push on its way is another story.
        Case::new("kept alive and closed", Action::CloseAfter, Effect::None).with(&[SLOW_PUSH]),
        Case::new("HTTP/1.0", Action::Http10, Effect::None),
        Case::new("gzip", Action::Gzip { broken: false }, Effect::None),
        Case::new("deflate without zlib's header", Action::RawDeflate, Effect::None),
        Case::new("chunks framed by LF alone", Action::BareLineFeeds, Effect::None),
        header("a folded header", "X-A: b;\r\n c\r\n\td\r\n"),
        header("a space before the colon", "X-A : b\r\n"),
        header("a control byte in a header", "X-A: b\x01c\r\n"),
        header("lines that end with LF alone", "X-A: b\n"),
        header("a thousand headers", &"X-A: b\r\n".repeat(1000)),
        header("a long header", &format!("X-A: {}\r\n", "a".repeat(90 * 1024))),
        header("no coding at all", "Content-Encoding: none\r\n"),
        header("the coding 'identity'", "Content-Encoding: identity, identity\r\n"),
    ]
}
