//! What is fuzzed, a function for each place where bytes of somebody else come in: no panic, and no promise broken.
//!
//! The fuzz targets and the tests share it.

use std::sync::OnceLock;

use git_remote_bbcloud::address::{Address, BaseUrl};
use git_remote_bbcloud::bridge::controls::Allowed;
use git_remote_bbcloud::bridge::discovery::Advertisement;
use git_remote_bbcloud::bridge::packet;
use git_remote_bbcloud::bridge::relay::{Passage, Passed};
use git_remote_bbcloud::bridge::service::{Service, Version};
use git_remote_bbcloud::bridge::{fallback, receive_pack, upload_pack};
use git_remote_bbcloud::cache::Cache;
use git_remote_bbcloud::environment::Environment;
use git_remote_bbcloud::git::config::Config;
use git_remote_bbcloud::helper::Session;
use git_remote_bbcloud::helper::command::Command;
use git_remote_bbcloud::helper::options::Options;
use git_remote_bbcloud::report::Report;

pub(crate) mod agent;
mod loopback;
mod talk;
pub(crate) mod wire;

use self::talk::Talk;

/// A function that must hold for all bytes.
pub(crate) type Entry = fn(&[u8]);

/// Every function, by the name of its target and of its corpus.
pub(crate) const ALL: [(&str, Entry); 12] = [
    ("address", address),
    ("packets", packets),
    ("commands", commands),
    ("push", push),
    ("push_commands", agent::push_commands),
    ("fetch", fetch),
    ("advertisement", advertisement),
    ("fallback", fallback_fetch),
    ("answers", wire::answers),
    ("redirects", wire::redirects),
    ("proxies", wire::proxies),
    ("credential", credential),
];

/// What may follow `bbcloud::`: wherever it leads, it is at the host that secrets are for.
pub(crate) fn address(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let base = BaseUrl::default();
    if let Ok(address) = Address::parse(&text, &base) {
        let url = address.https_url(&base);
        assert_eq!(
            (url.scheme(), url.host_str()),
            ("https", Some("bitbucket.org")),
            "{url}"
        );
        assert!(
            url.password().is_none() && url.query().is_none() && url.fragment().is_none(),
            "{url}"
        );
        let written = address.bbcloud();
        let written = written.strip_prefix("bbcloud::").expect("that is how addresses begin");
        let again = Address::parse(written, &base).expect("what was written can be read");
        assert_eq!(again.https_url(&base).path(), url.path());
        assert_eq!(again.scope(), address.scope());
    }
    if let Ok(base) = BaseUrl::parse(&text) {
        let _names = (base.host_and_port(), base.is_bitbucket_org());
    }
}

/// Packets: reading them loses nothing, and following them sees the same.
pub(crate) fn packets(bytes: &[u8]) {
    let (mut rest, mut copy) = (bytes, Vec::new());
    let whole = loop {
        match packet::read(&mut rest, &mut copy) {
            Ok(Some(_)) => {}
            Ok(None) => break true,
            Err(_) => break false,
        }
    };
    if whole {
        assert_eq!(copy, bytes);
    }
    let (mut at_once, mut told) = (Passage::new(Service::UploadPack, Allowed::default()), Vec::new());
    let passed = matches!(at_once.pass(bytes, &mut told), Ok(Passed::All));
    let (mut by_one, mut told_by_one) = (Passage::new(Service::UploadPack, Allowed::default()), Vec::new());
    let mut pieces = bytes.chunks(1);
    assert_eq!(
        passed,
        pieces.all(|piece| matches!(by_one.pass(piece, &mut told_by_one), Ok(Passed::All)))
    );
    assert!(is_passed(bytes, &told) && is_passed(bytes, &told_by_one));
    if passed {
        // The end of the answer is held back until HTTP has ended well.
        at_once.release(&mut told).expect("memory takes everything");
        by_one.release(&mut told_by_one).expect("memory takes everything");
        let (at_once, by_one) = (at_once.framing, by_one.framing);
        assert_eq!(told, told_by_one);
        assert_eq!(at_once.missing(), by_one.missing());
        assert_eq!(at_once.reported(), by_one.reported());
        assert_eq!(at_once.missing_for_fetch_pack(), by_one.missing_for_fetch_pack());
        // What ends well can be read to its end, and has passed to its end.
        assert!(whole && told.len() == bytes.len() || at_once.missing().is_some());
    }
}

/// Whether git was told the beginning of what the server has said, but for characters that would steer a terminal.
fn is_passed(said: &[u8], told: &[u8]) -> bool {
    told.len() <= said.len() && told.iter().zip(said).all(|(told, said)| told == said || *told == b'?')
}

/// Git's commands and options: no value becomes an argument of its own, and every session ends.
pub(crate) fn commands(bytes: &[u8]) {
    let mut options = Options::default();
    let mut starts_fetch_pack = false;
    for line in bytes.split(|byte| *byte == b'\n') {
        match Command::parse(line) {
            Command::Option { name, value } => {
                options.set(&name, &value);
            }
            Command::Fetch(_) => starts_fetch_pack = true,
            _ => {}
        }
    }
    let arguments = options.fetch_pack("https://bitbucket.org/a/b.git");
    assert_eq!(arguments.first().map(String::as_str), Some("fetch-pack"));
    let (url, flags) = arguments.split_last().expect("there are arguments");
    assert_eq!(url, "https://bitbucket.org/a/b.git");
    assert!(flags.iter().skip(1).all(|flag| flag.starts_with('-')), "{flags:?}");
    // That would be a process of git's own, which is not what is looked for here.
    if !starts_fetch_pack {
        session(bytes);
    }
}

/// A whole session, with a server that has one reference and wants nothing.
fn session(mut from_git: &[u8]) {
    let server = loopback::answering(|request| {
        let text = String::from_utf8_lossy(request);
        let path = text.split(' ').nth(1).unwrap_or_default();
        let service = if path.contains("receive-pack") {
            "receive"
        } else {
            "upload"
        };
        let (kind, body) = match (text.starts_with("GET"), service) {
            (true, "upload") => ("advertisement", "000eversion 2\n000cls-refs\n0000".to_owned()),
            (true, _) => {
                let line = format!("{} refs/heads/main\0report-status\n", "1".repeat(40));
                let service = "001f# service=git-receive-pack\n0000";
                ("advertisement", format!("{service}{:04x}{line}0000", line.len() + 4))
            }
            (false, _) => ("result", "000eunpack ok\n0000".to_owned()),
        };
        format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/x-git-{service}-pack-{kind}\r\nContent-Length: {}\r\n\
             Connection: close\r\n\r\n{body}",
            body.len()
        )
        .into_bytes()
    });
    let base = server.base.url().to_string();
    let environment = Environment::from_pairs([
        ("BBCLOUD_BASE_URL", base.as_str()),
        ("BBCLOUD_CACHE", "false"),
        ("BBCLOUD_TOKEN", "ATATT-fuzz"),
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("GIT_TERMINAL_PROMPT", "0"),
        ("HOME", "/nonexistent"),
    ]);
    let mut to_git = Vec::new();
    let report = Report::new(true);
    // No configuration knows a remote of this name, and so none is changed.
    let named = ("nobody", "acme/widgets");
    let ended = Session::new(named, &environment, report, &mut from_git, &mut to_git).serve();
    if let Err(failure) = ended {
        assert!(!failure.message().is_empty());
    }
    let begins = [
        "connect\n",
        "ok\n",
        "unsupported\n",
        "error ",
        "\n",
        ":object-format ",
        "1111",
    ];
    let is_answer = begins.iter().any(|begin| to_git.starts_with(begin.as_bytes()));
    assert!(to_git.is_empty() || is_answer, "{}", to_git.escape_ascii());
}

/// What git says and what the server says, in one input.
fn halves(bytes: &[u8]) -> (&[u8], &[u8]) {
    let length = bytes
        .first_chunk::<2>()
        .map_or(0, |length| usize::from(u16::from_be_bytes(*length)));
    let rest = bytes.get(2..).unwrap_or_default();
    rest.split_at(length.min(rest.len()))
}

/// A push: git's bytes reach the server as they are, and the server's reach git.
pub(crate) fn push(bytes: &[u8]) {
    let (git, server) = halves(bytes);
    let talk = Talk::new("application/x-git-receive-pack-result", server);
    let (mut from_git, mut to_git) = (git, Vec::new());
    let mut remote = talk.remote();
    let done = receive_pack::serve(&mut remote, &mut from_git, &mut to_git, 512);
    let sent = talk.sent.borrow();
    assert!(git.starts_with(&sent), "something was sent that git has not said");
    assert!(
        is_passed(server, &to_git),
        "git was told something that the server has not said"
    );
    assert!(*talk.posts.borrow() <= 1, "a push was sent twice");
    assert!(done.is_err() || to_git.is_empty() || to_git.len() == server.len());
}

/// A fetch of version 2.
pub(crate) fn fetch(bytes: &[u8]) {
    let (git, server) = halves(bytes);
    let talk = Talk::new("application/x-git-upload-pack-result", server);
    let (mut from_git, mut to_git) = (git, Vec::new());
    let done = upload_pack::serve(&mut talk.remote(), (&mut from_git, &mut to_git), 512, None);
    let posts = *talk.posts.borrow();
    assert!(to_git.len() <= posts * server.len());
    // Every answer that was called complete has passed, whole.
    assert!(done.is_err() || to_git.len() == posts * server.len());
}

/// The answer to `info/refs`, from the server and from the cache.
pub(crate) fn advertisement(bytes: &[u8]) {
    for service in [Service::UploadPack, Service::ReceivePack] {
        if let Ok(advertisement) = Advertisement::read(service, &mut &*bytes) {
            assert!(bytes.ends_with(advertisement.bytes()));
            let mut listed = Vec::new();
            let Ok(()) = fallback::list(&advertisement, true, &mut listed) else {
                assert!(listed.is_empty());
                continue;
            };
            // A line for each reference, one of the format, and the empty one at the end: none is the server's own.
            let refs = advertisement.refs().expect("they have been listed");
            let lines: Vec<_> = listed.split(|byte| *byte == b'\n').collect();
            assert_eq!(lines.len(), refs.len() + 3);
            let empty = lines.iter().position(|line| line.is_empty());
            assert_eq!(empty, Some(refs.len() + 1));
        }
    }
    let kept = kept();
    std::fs::write(&kept.file, [kept.head.as_slice(), bytes].concat()).expect("a file can be written");
    if let Some(advertisement) = kept.cache.slot(URL, "ada").load() {
        assert_eq!(advertisement.version(), Version::V2);
    }
    std::fs::write(&kept.file, bytes).expect("a file can be written");
    kept.cache.slot(URL, "ada").load();
}

const URL: &str = "https://bitbucket.org/a/b.git";

/// A place of the cache, and what a copy there begins with.
struct Kept {
    _directory: tempfile::TempDir,
    cache: Cache,
    file: std::path::PathBuf,
    head: Vec<u8>,
}

fn kept() -> &'static Kept {
    static KEPT: OnceLock<Kept> = OnceLock::new();
    KEPT.get_or_init(|| {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let environment = Environment::from_pairs([("BBCLOUD_CACHE", directory.path()), ("HOME", directory.path())]);
        let config = Config::load(&environment).expect("there is no configuration");
        let cache = Cache::open(&config, &environment).ok().flatten().expect("a cache");
        let good = b"000eversion 2\n000cls-refs\n000afetch\n0000";
        let advertisement = Advertisement::read(Service::UploadPack, &mut &good[..]).expect("an advertisement");
        cache.slot(URL, "ada").store(&advertisement);
        let mut files = std::fs::read_dir(directory.path()).expect("the cache has a directory");
        let file = files.next().expect("something was kept").expect("a file").path();
        let mut head = std::fs::read(&file).expect("a file can be read");
        head.truncate(head.len() - good.len());
        Kept {
            _directory: directory,
            cache,
            file,
            head,
        }
    })
}

/// A fetch of version 0: what git's own `fetch-pack` says, and what the server answers.
pub(crate) fn fallback_fetch(bytes: &[u8]) {
    let (child, server) = halves(bytes);
    let talk = Talk::new("application/x-git-upload-pack-result", server);
    let line = format!("{} refs/heads/main\0side-band-64k\n", "1".repeat(40));
    let advertised = format!("{:04x}{line}0000", line.len() + 4);
    let advertisement = Advertisement::read(Service::UploadPack, &mut advertised.as_bytes()).expect("an advertisement");
    let wanted = [format!("{} refs/heads/main", "1".repeat(40)).into_bytes()];
    let (mut from_child, mut to_child) = (child, Vec::new());
    let done = fallback::serve(
        &mut talk.remote(),
        &advertisement,
        &wanted,
        &mut to_child,
        &mut from_child,
    );
    let opening = 4 + wanted.iter().map(|line| line.len() + 4).sum::<usize>() + advertised.len();
    let posts = *talk.posts.borrow();
    assert!(to_child.len() >= opening && to_child.len() <= opening + posts * server.len());
    // Every answer that was called complete has passed, whole.
    assert!(done.is_err() || to_child.len() == opening + posts * server.len());
}

/// Git's credential protocol, and the `.netrc` that it shares its words with.
pub(crate) fn credential(bytes: &[u8]) {
    git_remote_bbcloud::cli::reads_question(bytes);
    let text = String::from_utf8_lossy(bytes);
    for name in [None, Some("ada")] {
        let found = git_remote_bbcloud::credential::netrc::find(&text, "bitbucket.org", name);
        assert!(found.is_none() || text.contains("machine") || text.contains("default"));
    }
}
