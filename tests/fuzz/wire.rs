//! What a server or a proxy sends, on connections of its own: heads, bodies, redirects, refusals; and the words for it.
//!
//! Nothing leaves this machine: clear text goes to loopback only, and a redirect to TLS is not followed here.

use std::io::Read as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use git_remote_bbcloud::address::{Address, BaseUrl};
use git_remote_bbcloud::bridge::remote::Remote;
use git_remote_bbcloud::bridge::service::{Service, Version};
use git_remote_bbcloud::environment::Environment;
use git_remote_bbcloud::explain::{Asked, explain};
use git_remote_bbcloud::git::config::Config;
use git_remote_bbcloud::http::client::Client;
use git_remote_bbcloud::http::settings::{FollowRedirects, Settings};
use git_remote_bbcloud::report::Report;
use git_remote_bbcloud::trace::Trace;

use super::loopback;
use super::talk::Nobody;

/// What is pushed.
const PUSH: &[u8] = b"the one push";

/// What stands between two answers of one server.
const NEXT: &[u8] = b"~~~\n";

/// A whole answer of a server.
pub(crate) fn answers(bytes: &[u8]) {
    let answer = bytes.to_vec();
    let server = loopback::answering(move |_| answer.clone());
    let mut settings = settings(&server.base, &[]);
    settings.retries.max = Some(0);
    settings.follow_redirects = FollowRedirects::Never;
    ask(&server.base, settings);
}

/// Several answers, one after the other: redirects are followed, cookies kept, and what may be asked again is.
pub(crate) fn redirects(bytes: &[u8]) {
    let mut answers: Vec<Vec<u8>> = vec![Vec::new()];
    let mut rest = bytes;
    while let Some((byte, later)) = rest.split_first() {
        if let Some(later) = rest.strip_prefix(NEXT) {
            answers.push(Vec::new());
            rest = later;
        } else {
            answers.last_mut().expect("there is one").push(*byte);
            rest = later;
        }
    }
    let count = AtomicUsize::new(0);
    let settled = AtomicBool::new(false);
    let twice = Arc::new(AtomicBool::new(false));
    let sent_twice = twice.clone();
    let server = loopback::answering(move |request| {
        let number = count.fetch_add(1, Ordering::Relaxed);
        let answer = answers.get(number % answers.len()).cloned().unwrap_or_default();
        if request.starts_with(b"POST") && request.ends_with(PUSH) {
            // Whoever redirects it has not done it; after any other answer, or none, it may have been done.
            let redirects = answer
                .windows(10)
                .any(|part| part.starts_with(b"HTTP/1.") && part.ends_with(b" 3"));
            let before = settled.fetch_or(!redirects, Ordering::Relaxed);
            sent_twice.fetch_or(before, Ordering::Relaxed);
        }
        answer
    });
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    let cookies = file.path().display().to_string();
    let mut settings = settings(&server.base, &[("http.cookieFile", &cookies)]);
    settings.follow_redirects = FollowRedirects::Always;
    settings.redirect_protocols.https = false;
    settings.retries.max = Some(2);
    settings.retries.after = Some(Duration::ZERO);
    settings.retries.max_time = Some(Duration::ZERO);
    let client = Client::new(settings.clone(), Report::new(true), Trace::default());
    let mut remote = Remote::new(client, format!("{}a/b.git", server.base.url()), Version::V2, Nobody);
    if let Ok(body) = remote.post(Service::ReceivePack, PUSH, false) {
        drain(body);
    }
    // The server has one connection at a time, and this one may be kept.
    drop(remote);
    assert!(!twice.load(Ordering::Relaxed), "a push was sent twice");
    ask(&server.base, settings);
}

/// What a proxy answers: to a request that it relays, to CONNECT, and in each kind of SOCKS.
pub(crate) fn proxies(bytes: &[u8]) {
    let (kind, bytes) = bytes.split_first().unwrap_or((&0, &[]));
    let answer = bytes.to_vec();
    let server = loopback::answering(move |_| answer.clone());
    let scheme = ["http", "http", "socks4", "socks4a", "socks5", "socks5h"][usize::from(*kind % 6)];
    let port = server.base.url().port().unwrap_or_default();
    let proxy = format!("{scheme}://ada:pw@127.0.0.1:{port}");
    // A tunnel to a server, whose TLS the rest of the bytes may be.
    let base = match kind % 6 {
        0 => "https://127.0.0.1:1",
        _ => "http://127.0.0.1:1",
    };
    let base = BaseUrl::parse(base).expect("an address");
    let mut settings = settings(&base, &[("http.proxy", &proxy)]);
    settings.retries.max = Some(0);
    settings.follow_redirects = FollowRedirects::Never;
    settings.connect_timeout = Some(Duration::from_secs(2));
    ask(&base, settings);
}

fn settings(base: &BaseUrl, given: &[(&str, &str)]) -> Settings {
    let mut pairs = vec![
        ("GIT_CONFIG_NOSYSTEM".to_owned(), "1".to_owned()),
        ("HOME".to_owned(), "/nonexistent".to_owned()),
        ("GIT_CONFIG_COUNT".to_owned(), given.len().to_string()),
    ];
    for (number, (key, value)) in given.iter().enumerate() {
        pairs.push((format!("GIT_CONFIG_KEY_{number}"), (*key).to_owned()));
        pairs.push((format!("GIT_CONFIG_VALUE_{number}"), (*value).to_owned()));
    }
    let environment = Environment::from_pairs(pairs);
    let config = Config::load(&environment).expect("there is no configuration");
    Settings::read(base.url(), "", &config, &environment).expect("it can be read")
}

/// Asks for an advertisement and for a pack, until something is wrong; and has that explained.
fn ask(base: &BaseUrl, settings: Settings) {
    let client = Client::new(settings, Report::new(true), Trace::default());
    let mut remote = Remote::new(client, format!("{}a/b.git", base.url()), Version::V2, Nobody);
    let error = match remote.advertisement(Service::UploadPack) {
        Err(error) => error,
        Ok(_) => match remote.post(Service::UploadPack, b"0000", true) {
            Err(error) => error,
            Ok(body) => return drain(body),
        },
    };
    let asked = Asked {
        address: &Address::parse("a/b", base).expect("an address"),
        base,
        service: Service::UploadPack,
        who: None,
    };
    let failure = explain(&asked, error);
    assert!(!failure.message().is_empty());
}

/// A bomb is none as long as it is not kept.
fn drain(body: impl std::io::Read) {
    let mut out = Vec::new();
    body.take(1 << 20).read_to_end(&mut out).ok();
}
