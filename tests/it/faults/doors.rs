//! What can stand where the server should be: each door against each kind of work.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::snapshot::Snapshot;
use super::spread;
use crate::bitbucket::{Bitbucket, Settings, Tls};
use crate::support::fixture::MAIN;
use crate::support::run::run;
use crate::support::scene::{Scene, Transport};

/// What is behind the door, and what is said of it.
#[derive(Clone, Copy, Debug)]
enum Door {
    /// A server of the same authority, with this kind of certificate.
    Server(Tls, &'static str),
    /// A server of an authority that nobody knows.
    Stranger(&'static str),
    /// Something that answers the first bytes of a connection with these.
    Raw(&'static [u8], &'static str),
    /// Something that says nothing.
    Silent(&'static str),
    /// Nothing at all.
    Closed(&'static str),
}

const DOORS: [Door; 10] = [
    Door::Server(Tls::Expired, "check this machine's clock"),
    Door::Server(Tls::OtherHost, "another server may answer for this name"),
    Door::Server(Tls::Off, "error: the server closed the connection without a response"),
    Door::Stranger("if you trust it"),
    // A fatal alert, handshake_failure; then protocol_version.
    Door::Raw(b"\x15\x03\x01\x00\x02\x02\x28", "error: TLS connection to 'localhost'"),
    Door::Raw(b"\x15\x03\x01\x00\x02\x02\x46", "error: TLS connection to 'localhost'"),
    Door::Raw(b"SSH-2.0-OpenSSH_9.2\r\n", "error: TLS connection to 'localhost'"),
    Door::Raw(b"", "error: the server closed the connection without a response"),
    Door::Silent("error: failed to connect to localhost"),
    Door::Closed("error: failed to connect to localhost"),
];

/// Listens on a free port and treats every connection the same way, until it is dropped.
struct Listener {
    port: u16,
    ended: Arc<AtomicBool>,
}

impl Listener {
    fn start(answer: Option<&'static [u8]>) -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = socket.local_addr().expect("it is bound").port();
        let ended = Arc::new(AtomicBool::new(false));
        let end = Arc::clone(&ended);
        std::thread::spawn(move || {
            let mut kept = Vec::new();
            for stream in socket.incoming().flatten() {
                if end.load(Ordering::Relaxed) {
                    return;
                }
                match answer {
                    Some(bytes) => greet(stream, bytes),
                    None => kept.push(stream),
                }
            }
        });
        Self { port, ended }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        // Wakes the thread; what cannot be connected to has ended already.
        let _woken = TcpStream::connect(("127.0.0.1", self.port));
    }
}

fn greet(mut stream: TcpStream, bytes: &[u8]) {
    let mut hello = [0; 512];
    // A client that has gone is not waited for.
    let _read = stream.read(&mut hello);
    let _sent = stream.write_all(bytes);
}

/// Puts what `door` says where `scene` looks for its server, for as long as the returned value lives.
fn stand(scene: &Scene, door: Door) -> (Option<Bitbucket>, Option<Listener>) {
    let server = |tls| {
        Bitbucket::start(Settings {
            tls,
            ..Settings::default()
        })
    };
    scene.set("GIT_SSL_CAINFO", scene.bitbucket.ca_file());
    match door {
        Door::Server(tls, _) => {
            let bitbucket = server(tls);
            if tls != Tls::Off {
                scene.set("GIT_SSL_CAINFO", bitbucket.ca_file());
            }
            at(scene, bitbucket.port());
            (Some(bitbucket), None)
        }
        Door::Stranger(_) => {
            let bitbucket = server(Tls::On);
            let other = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
            std::fs::write(scene.path("other.pem"), other.cert.pem()).expect("a file can be written");
            scene.set("GIT_SSL_CAINFO", scene.path("other.pem"));
            at(scene, bitbucket.port());
            (Some(bitbucket), None)
        }
        Door::Raw(bytes, _) => {
            let listener = Listener::start(Some(bytes));
            at(scene, listener.port);
            (None, Some(listener))
        }
        Door::Silent(_) => {
            let listener = Listener::start(None);
            at(scene, listener.port);
            (None, Some(listener))
        }
        Door::Closed(_) => {
            let port = TcpListener::bind("127.0.0.1:0")
                .and_then(|socket| socket.local_addr())
                .expect("a free port")
                .port();
            at(scene, port);
            (None, None)
        }
    }
}

fn at(scene: &Scene, port: u16) {
    scene.set("BBCLOUD_BASE_URL", format!("https://localhost:{port}"));
}

fn says(door: Door) -> &'static str {
    match door {
        Door::Server(_, says) | Door::Stranger(says) | Door::Raw(_, says) | Door::Silent(says) | Door::Closed(says) => {
            says
        }
    }
}

#[test]
fn nobody_but_the_server_is_talked_to() {
    let works: [(u8, &[&str]); 4] = [
        (2, &["fetch", "--quiet"]),
        (0, &["fetch", "--quiet"]),
        (2, &["push", "--quiet", "origin", "HEAD:new"]),
        (2, &["archive", "--remote=bbcloud::acme/widgets", "main"]),
    ];
    println!("{} cells", DOORS.len() * works.len());
    let complaints = spread(&works, |(version, arguments)| {
        let scene = Scene::with(Transport::Bbcloud, *version, Settings::default());
        scene.set("BBCLOUD_CACHE", "false");
        scene.git_ok("", &["config", "--global", "http.retryAfter", "0"]);
        scene.git_ok("", &["config", "--global", "http.connectTimeoutMs", "1500"]);
        scene.cloned();
        scene.bitbucket.commit(MAIN, "topic", "Later", &[("later", b"later\n")]);
        let before = Snapshot::of(&scene.path("clone"));
        DOORS
            .iter()
            .flat_map(|door| {
                let standing = stand(&scene, *door);
                let mut git = scene.command("git", &scene.path("clone"));
                git.args(*arguments);
                let output = run(git);
                let mut complaints = Snapshot::of(&scene.path("clone")).changes_since(&before, "");
                if output.success() || !output.stderr.contains(says(*door)) {
                    complaints.push("it did not fail as it should".to_owned());
                }
                if let Some(bitbucket) = &standing.0
                    && !bitbucket.requests().is_empty()
                {
                    complaints.push("a request was sent".to_owned());
                }
                let name = format!("{door:?} × {arguments:?}");
                let named = move |complaint| format!("{name}: {complaint}\n{}", output.stderr);
                complaints.into_iter().map(named).collect::<Vec<_>>()
            })
            .collect()
    });
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}
