//! Later connections that lead to somebody else, and requests with a body that are redirected.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::bitbucket::{Account, Action, Bitbucket, Fault, Settings, Tls};
use crate::support::fixture::MAIN;
use crate::support::scene::{Scene, TOKEN, Transport};

const WORKS: [(u8, &[&str], &str); 3] = [
    (2, &["fetch", "--quiet"], "/git-upload-pack"),
    (0, &["fetch", "--quiet"], "/git-upload-pack"),
    (2, &["push", "--quiet", "origin", "HEAD:new"], "/git-receive-pack"),
];

/// A port whose first connection leads to one server, and every other one to another.
struct Switch {
    port: u16,
    seen: Arc<AtomicUsize>,
    ended: Arc<AtomicBool>,
}

impl Switch {
    fn start(first: u16, later: u16) -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = socket.local_addr().expect("it is bound").port();
        let (seen, ended) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let (count, end) = (Arc::clone(&seen), Arc::clone(&ended));
        std::thread::spawn(move || {
            for client in socket.incoming().flatten() {
                if end.load(Ordering::Relaxed) {
                    return;
                }
                let to = if count.fetch_add(1, Ordering::Relaxed) == 0 {
                    first
                } else {
                    later
                };
                let server = TcpStream::connect(("127.0.0.1", to)).expect("the server is there");
                copy(&client, &server);
                copy(&server, &client);
            }
        });
        Self { port, seen, ended }
    }
}

impl Drop for Switch {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        // Wakes the thread; what cannot be connected to has ended already.
        let _woken = TcpStream::connect(("127.0.0.1", self.port));
    }
}

fn copy(from: &TcpStream, to: &TcpStream) {
    let (mut from, mut to) = (from.try_clone().expect("a copy"), to.try_clone().expect("a copy"));
    std::thread::spawn(move || {
        let mut bytes = [0; 4096];
        while let Ok(count @ 1..) = from.read(&mut bytes)
            && to.write_all(&bytes[..count]).is_ok()
        {}
        // Whoever is still there learns that the other has gone.
        let _gone = to.shutdown(Shutdown::Write);
    });
}

fn scene(version: u8) -> Scene {
    let scene = Scene::with(Transport::Bbcloud, version, Settings::default());
    scene.set("BBCLOUD_CACHE", "false");
    scene.git_ok("", &["config", "--global", "http.retryAfter", "0"]);
    scene.cloned();
    scene.bitbucket.commit(MAIN, "topic", "Later", &[("later", b"later\n")]);
    scene.commit("clone", "mine", b"mine\n");
    scene
}

/// Trusts the authorities of both servers.
fn trust(scene: &Scene, other: &Bitbucket) {
    let both = [scene.bitbucket.ca_file(), other.ca_file()]
        .map(|file| std::fs::read_to_string(file).expect("the certificate is there"));
    std::fs::write(scene.path("both.pem"), both.concat()).expect("a file can be written");
    scene.set("GIT_SSL_CAINFO", scene.path("both.pem"));
}

/// Another server, which has a repository of the same name and would know the secret.
fn other(tls: Tls) -> Bitbucket {
    let other = Bitbucket::start(Settings {
        tls,
        ..Settings::default()
    });
    other.create_repository(MAIN);
    other.commit(MAIN, "main", "Other", &[("other", b"other\n")]);
    other.add_account(Account::api_token("ada", TOKEN));
    other
}

/// Whoever answered the first request well has said nothing about the second connection.
#[test]
fn every_connection_is_checked() {
    for (version, arguments, path) in WORKS {
        for (tls, is_trusted, cause) in [
            (Tls::Expired, true, "check this machine's clock"),
            (Tls::OtherHost, true, "another server may answer for this name"),
            // Of an authority with the same name as the one that is trusted, and another key.
            (Tls::On, false, "TLS connection to 'localhost' failed"),
        ] {
            let scene = scene(version);
            let other = other(tls);
            if is_trusted {
                trust(&scene, &other);
            }
            let switch = Switch::start(scene.bitbucket.port(), other.port());
            scene.set("BBCLOUD_BASE_URL", format!("https://localhost:{}", switch.port));
            scene.bitbucket.clear_requests();
            scene.bitbucket.fault(Fault::on("/info/refs", Action::CloseAfter));
            let output = scene.git_in("clone", arguments);
            let what = format!("{tls:?} {arguments:?} v{version}: {}", output.stderr);
            assert!(!output.success() && output.stderr.contains(cause), "{what}");
            assert!(!output.stderr.contains("may or may not"), "nothing was sent: {what}");
            assert!(switch.seen.load(Ordering::Relaxed) > 1, "{what}");
            assert!(other.requests().is_empty(), "{what}");
            let posts = scene.bitbucket.requests();
            assert!(posts.iter().all(|request| !request.path.ends_with(path)), "{what}");
            assert!(
                !scene.server_git(MAIN, &["for-each-ref"]).contains("refs/heads/new"),
                "{what}"
            );
        }
    }
}

/// With `http.followRedirects=true` a request with a body goes elsewhere, too: without the secret, and never twice.
#[test]
fn a_body_is_led_elsewhere_without_the_secret() {
    for (version, arguments, path) in WORKS {
        for status in [301, 302, 303, 307, 308] {
            let scene = scene(version);
            let other = other(Tls::On);
            trust(&scene, &other);
            for (target, cause) in [
                (format!("{}{{target}}", other.base_url()), ""),
                ("http://localhost{target}".to_owned(), "it leads away from TLS"),
                ("https://127.0.0.1:1{target}".to_owned(), ""),
            ] {
                scene.bitbucket.clear_requests();
                let location = target.clone();
                let action = Action::Redirect { status, location };
                scene.bitbucket.fault(Fault::on(path, action).method("POST").always());
                let follow = [&["-c", "http.followRedirects=true"], arguments].concat();
                let output = scene.git_in("clone", &follow);
                scene.bitbucket.clear_faults();
                let what = format!("{status} {target} {arguments:?} v{version}: {}", output.stderr);
                assert!(!output.success() && output.stderr.contains(cause), "{what}");
                let elsewhere = other.requests();
                assert!(
                    elsewhere
                        .iter()
                        .all(|request| request.header("authorization").is_none()),
                    "{what}"
                );
                let pushes = scene.bitbucket.requests().into_iter().chain(elsewhere);
                let pushes =
                    pushes.filter(|request| request.path.ends_with("/git-receive-pack") && request.status == 200);
                assert_eq!(pushes.count(), 0, "{what}");
                for server in [&scene.bitbucket, &other] {
                    let refs = server.repository_path(MAIN).join("refs/heads/new");
                    assert!(!refs.exists(), "{what}");
                }
            }
        }
    }
}
