//! What decides over the agent's secrets: its user's keychain and configuration, and the server's certificate. Nothing of
//! a repository, and no server in the place of the right one.

use std::io;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use super::{Agent, refused};
use crate::bitbucket::{Account, Bitbucket, Settings};
use crate::keychain::{desktop, keep};
use crate::support::fixture::MAIN;
use crate::support::scene::{Scene, TOKEN};

/// The agent looks every 30 seconds whether the keychain is locked.
#[test]
fn a_secret_is_forgotten_when_the_keychain_is_locked() {
    let scene = Scene::new();
    let desktop = desktop(&scene);
    keep(&scene, TOKEN, &[]);
    let _agent = Agent::start(&scene, &[MAIN]);
    let list = ["-c", "protocol.version=0", "ls-remote", &scene.url(MAIN)];
    scene.git_ok("", &list);
    desktop.lock();
    let start = Instant::now();
    while scene.git(&list).success() {
        assert!(start.elapsed() < Duration::from_secs(60), "it still has the secret");
        thread::sleep(Duration::from_secs(1));
    }
    let said = refused(&scene, "", &list);
    assert!(said.contains("locked"), "{said}");
    assert!(!said.contains(TOKEN));
}

/// What a repository says, where the agent is started in one, and what `git -c` would say.
#[test]
fn a_repository_decides_nothing() {
    let scene = Scene::new();
    scene.cloned();
    let trap = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let elsewhere = format!("http://{}", trap.local_addr().expect("it is bound"));
    for (key, value) in [
        ("http.proxy", elsewhere.as_str()),
        ("http.extraHeader", "X-Hostile: yes"),
        ("bbcloud.baseUrl", &elsewhere),
        ("credential.helper", "!touch hostile; echo password=x; :"),
        ("http.sslCert", "/nonexistent"),
    ] {
        scene.git_ok("clone", &["config", key, value]);
    }
    let agent = Agent::start_with(&scene, &[MAIN], |command| {
        command
            .current_dir(scene.path("clone"))
            .env("GIT_DIR", scene.path("clone/.git"))
            .env("GIT_CONFIG_COUNT", "1")
            .env("GIT_CONFIG_KEY_0", "http.proxy")
            .env("GIT_CONFIG_VALUE_0", &elsewhere);
    });
    agent.is_used_by(&scene);
    scene.bitbucket.clear_requests();
    scene.git_ok("", &["ls-remote", &scene.url(MAIN)]);
    let requests = scene.bitbucket.requests();
    assert!(requests.iter().all(|request| request.header("x-hostile").is_none()));
    trap.set_nonblocking(true).expect("it is ours");
    let nobody = trap.accept().expect_err("the agent connects to no other server");
    assert_eq!(nobody.kind(), io::ErrorKind::WouldBlock);
    assert!(!scene.path("clone/hostile").exists());
}

/// A way to a server that can be led to another one.
struct Way {
    port: u16,
    target: Arc<AtomicU16>,
    open: Arc<Mutex<Vec<TcpStream>>>,
    ends: Arc<AtomicBool>,
}

impl Way {
    fn to(target: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let way = Self {
            port: listener.local_addr().expect("it is bound").port(),
            target: Arc::new(AtomicU16::new(target)),
            open: Arc::default(),
            ends: Arc::default(),
        };
        let (target, open, ends) = (way.target.clone(), way.open.clone(), way.ends.clone());
        thread::spawn(move || {
            for client in listener.incoming() {
                let Ok(client) = client else { return };
                if ends.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(server) = TcpStream::connect(("127.0.0.1", target.load(Ordering::SeqCst))) else {
                    continue;
                };
                for (from, to) in [(&client, &server), (&server, &client)] {
                    let (mut from, mut to) = (from.try_clone().expect("a socket"), to.try_clone().expect("a socket"));
                    thread::spawn(move || {
                        io::copy(&mut from, &mut to).ok();
                        to.shutdown(Shutdown::Both).ok();
                    });
                }
                open.lock().expect("nobody panics with it").extend([client, server]);
            }
        });
        way
    }

    /// Ends what is open, and leads to `target` from now on.
    fn lead_to(&self, target: u16) {
        self.target.store(target, Ordering::SeqCst);
        for stream in self.open.lock().expect("nobody panics with it").drain(..) {
            stream.shutdown(Shutdown::Both).ok();
        }
    }
}

impl Drop for Way {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::SeqCst);
        self.lead_to(0);
        TcpStream::connect(("127.0.0.1", self.port)).ok();
    }
}

#[test]
fn a_server_with_another_certificate_gets_no_secret() {
    let scene = Scene::new();
    let other = Bitbucket::start(Settings::default());
    other.add_account(Account::api_token("ada", TOKEN));
    other.create_repository(MAIN);
    let way = Way::to(scene.bitbucket.port());
    scene.set("BBCLOUD_BASE_URL", format!("https://localhost:{}", way.port));
    let agent = Agent::start(&scene, &[MAIN]);
    scene.git_ok("", &["ls-remote", &scene.url(MAIN)]);
    way.lead_to(other.port());
    let start = Instant::now();
    let said = refused(&scene, "", &["ls-remote", &scene.url(MAIN)]);
    assert!(
        said.contains("TLS connection to 'localhost' failed") || said.contains("certificate"),
        "{said}"
    );
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    assert_eq!(other.requests().len(), 0);
    way.lead_to(scene.bitbucket.port());
    scene.git_ok("", &["ls-remote", &scene.url(MAIN)]);
    assert!(!agent.said().contains(TOKEN));
}
