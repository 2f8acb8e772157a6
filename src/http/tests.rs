//! One exchange against servers that do what no test server with manners does: talk while they should listen, or
//! neither talk nor listen.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::error::Error;
use super::exchange::Exchange;
use super::head::{Head, Length, Target};
use super::settings::LowSpeed;
use super::stream::Stream;
use super::wire::Watch;

/// More than the buffers of a connection on this machine take.
const UPLOAD: usize = 32 * 1024 * 1024;

fn server(act: impl FnOnce(TcpStream) + Send + 'static) -> (Stream, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let thread = thread::spawn(move || act(listener.accept().unwrap().0));
    (Stream::Plain(TcpStream::connect(address).unwrap()), thread)
}

fn start(stream: Stream, length: Length, watch: &Watch) -> Exchange {
    let head = Head {
        url: "http://localhost/acme/widgets.git/git-receive-pack",
        length,
        lines: &[],
        target: Target::Path,
        method: None,
    };
    Exchange::start(stream, &head, watch).unwrap()
}

fn upload(exchange: &mut Exchange) -> Result<(), Error> {
    let piece = vec![b'x'; 1024 * 1024];
    for _ in 0..UPLOAD / piece.len() {
        exchange.write(&piece)?;
    }
    exchange.finish()
}

fn read_all(exchange: &mut Exchange) -> usize {
    let mut out = vec![0; 64 * 1024];
    let mut total = 0;
    while let Ok(count @ 1..) = exchange.read(&mut out) {
        total += count;
    }
    total
}

const REFUSAL: &[u8] = b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nno!";

#[test]
fn a_server_that_has_refused_and_reads_nothing_does_not_hold_us_up() {
    for length in [Length::Chunked, Length::Known(UPLOAD as u64)] {
        let (stream, server) = server(|mut socket| {
            thread::sleep(Duration::from_millis(300));
            socket.write_all(REFUSAL).unwrap();
            thread::sleep(Duration::from_secs(3));
        });
        let started = Instant::now();
        let mut exchange = start(stream, length, &Watch::default());
        assert!(matches!(upload(&mut exchange), Err(Error::AnsweredEarly)));
        exchange.give_up_body();
        assert_eq!(exchange.read_head().unwrap().status, 413);
        assert_eq!(read_all(&mut exchange), 3);
        assert!(started.elapsed() < Duration::from_secs(3));
        assert!(
            exchange.into_stream().is_none(),
            "what was left out would be taken for the next request"
        );
        server.join().unwrap();
    }
}

#[test]
fn a_server_that_answers_while_it_still_reads_gets_all_of_it() {
    let (stream, server) = server(|mut socket| {
        socket
            .write_all(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\n")
            .unwrap();
        socket.write_all(b"Content-Length: 800000\r\n\r\n").unwrap();
        // It says all of this before it reads a byte.
        socket.write_all(&vec![b'y'; 800_000]).unwrap();
        let mut read = 0;
        let mut buffer = vec![0; 64 * 1024];
        while read < UPLOAD {
            read += socket.read(&mut buffer).unwrap();
        }
    });
    let mut exchange = start(stream, Length::Known(UPLOAD as u64), &Watch::default());
    upload(&mut exchange).unwrap();
    assert_eq!(exchange.read_head().unwrap().status, 200);
    assert_eq!(read_all(&mut exchange), 800_000);
    server.join().unwrap();
}

#[test]
fn what_arrives_late_of_an_answer_before_ends_no_upload() {
    let (stream, server) = server(|mut socket| {
        // An empty line too many, and half a status line that is finished only after the request.
        socket.write_all(b"\r\nHTTP/1.1 ").unwrap();
        let mut read = 0;
        let mut buffer = vec![0; 64 * 1024];
        while read < UPLOAD {
            read += socket.read(&mut buffer).unwrap();
        }
        socket.write_all(b"200 OK\r\nContent-Length: 0\r\n\r\n").unwrap();
    });
    let mut exchange = start(stream, Length::Known(UPLOAD as u64), &Watch::default());
    upload(&mut exchange).unwrap();
    assert_eq!(exchange.read_head().unwrap().status, 200);
    server.join().unwrap();
}

#[test]
fn an_upload_that_nobody_takes_is_given_up_after_the_low_speed_time() {
    let (done, wait) = std::sync::mpsc::channel::<()>();
    let (stream, server) = server(move |socket| {
        wait.recv().ok();
        drop(socket);
    });
    let watch = Watch {
        low_speed: Some(LowSpeed {
            limit: 1_000_000_000,
            time: Duration::from_secs(1),
        }),
        ..Watch::default()
    };
    let mut exchange = start(stream, Length::Chunked, &watch);
    assert!(matches!(upload(&mut exchange), Err(Error::Stalled { .. })));
    drop((exchange, done));
    server.join().unwrap();
}

#[test]
fn a_server_that_closes_in_the_middle_of_an_upload_has_given_no_answer() {
    let (stream, server) = server(|mut socket| {
        socket.read_exact(&mut [0; 1000]).unwrap();
    });
    let mut exchange = start(stream, Length::Chunked, &Watch::default());
    assert!(matches!(upload(&mut exchange), Err(Error::NoAnswer)));
    server.join().unwrap();
}

#[test]
fn a_refusal_may_end_with_the_connection_and_a_success_may_not() {
    for (head, status) in [
        ("HTTP/1.1 401 No\nA: b\n", Some(401)),
        ("HTTP/1.1 401 No\nA: b", None),
        ("HTTP/1.1 200 OK\nA: b\n", None),
    ] {
        let (stream, server) = server(move |mut socket| {
            // What is not read would reset the connection.
            let count = socket.read(&mut [0; 4096]).unwrap();
            assert_ne!(count, 0);
            socket.write_all(head.as_bytes()).unwrap();
        });
        let mut exchange = start(stream, Length::None, &Watch::default());
        let found = exchange.read_head().ok().map(|head| head.status);
        server.join().unwrap();
        assert_eq!(found, status, "{head:?}");
    }
}

/// The limit of `login` and `status --check` is a minute, which no test waits for: here it is a part of a second.
#[test]
fn a_server_that_never_comes_to_an_end_is_given_up_at_the_deadline() {
    const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n";
    for (what, first) in [
        ("a body", HEAD),
        ("a head", b"HTTP/1.1 200 OK\r\nX: "),
        ("silence", b""),
    ] {
        let (stream, server) = server(move |mut socket| {
            let mut sent = socket.write_all(first);
            // It always has another byte to say, so that no timeout of one read ever ends it.
            while sent.is_ok() && !first.is_empty() {
                thread::sleep(Duration::from_millis(10));
                sent = socket.write_all(b"x");
            }
            socket.read_to_end(&mut Vec::new()).ok();
        });
        let started = Instant::now();
        let watch = Watch {
            deadline: Some(started + Duration::from_millis(400)),
            ..Watch::default()
        };
        let mut exchange = start(stream, Length::Known(0), &watch);
        let mut outcome = exchange.finish().and_then(|()| exchange.read_head().map(drop));
        while outcome.is_ok() {
            outcome = match exchange.read(&mut [0; 1024]) {
                Ok(0) => break,
                Ok(_) => Ok(()),
                Err(error) => Err(error),
            };
        }
        assert!(outcome.is_err(), "{what}: {outcome:?}");
        let took = started.elapsed();
        assert!(
            took >= Duration::from_millis(400) && took < Duration::from_secs(20),
            "{what}: {took:?}"
        );
        drop(exchange);
        server.join().unwrap();
    }
}
