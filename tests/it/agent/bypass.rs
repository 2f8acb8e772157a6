//! Pushes by hand that try to get by a rule: one refusal each, no request to the server, and no ref that moves.

use super::Agent;
use super::attacks::answer;
use crate::support::fixture::MAIN;
use crate::support::scene::Scene;

const ZERO: &str = "0000000000000000000000000000000000000000";
const CAPABILITIES: &[u8] = b"\0 report-status object-format=sha1";

fn packet(line: &[u8]) -> Vec<u8> {
    [format!("{:04x}", line.len() + 4).as_bytes(), line].concat()
}

fn list(lines: &[Vec<u8>]) -> Vec<u8> {
    let packets = lines.iter().flat_map(|line| packet(line));
    packets.chain(*b"0000").collect()
}

fn line(old: &str, new: &str, name: &[u8], more: &[u8]) -> Vec<u8> {
    [old.as_bytes(), b" ", new.as_bytes(), b" ", name, more].concat()
}

/// A push whose body has a length, with `fields` in its head.
fn request(base: &str, path: &str, fields: &str, body: &[u8]) -> Vec<u8> {
    let host = base.trim_start_matches("https://");
    let head = format!(
        "POST {base}/{path}/git-receive-pack HTTP/1.1\r\nHost: {host}\r\nContent-Length: {}\r\n{fields}\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// What is sent, by a name for it. The rule allows to create branches below `ai/` and nothing else.
fn pushes(main: &str) -> Vec<(&'static str, Vec<u8>)> {
    let creates = |name: &[u8]| list(&[line(ZERO, main, name, CAPABILITIES)]);
    let good = || line(ZERO, main, b"refs/heads/ai/good", CAPABILITIES);
    let second = |old: &str, new: &str, name: &[u8]| list(&[good(), line(old, new, name, b"")]);
    let mut many: Vec<_> = (0..3000)
        .map(|number| line(ZERO, main, format!("refs/heads/ai/{number}").as_bytes(), b""))
        .collect();
    many.push(line(ZERO, main, b"refs/heads/x", b""));
    let uppercase = main.to_ascii_uppercase();
    vec![
        ("another branch", creates(b"refs/heads/x")),
        ("a tag", creates(b"refs/tags/ai/x")),
        ("the directory itself", creates(b"refs/heads/ai")),
        ("a deeper one", creates(b"refs/heads/ai/x/y")),
        ("another case", creates(b"refs/heads/AI/x")),
        ("another case of refs", creates(b"REFS/heads/ai/x")),
        ("dots", creates(b"refs/heads/ai/../x")),
        ("a dot", creates(b"refs/heads/ai/./x")),
        ("two slashes", creates(b"refs/heads/ai//x")),
        ("a slash at its end", creates(b"refs/heads/ai/x/")),
        ("a lock", creates(b"refs/heads/ai/x.lock")),
        ("a reflog", creates(b"refs/heads/ai/x@{1}")),
        ("a wildcard", creates(b"refs/heads/ai/*")),
        ("a backslash", creates(b"refs\\heads\\ai\\x")),
        ("an escape", creates(b"refs/heads/ai/\x1b[2J")),
        ("a carriage return", creates(b"refs/heads/ai/x\r")),
        ("a line end inside", creates(b"refs/heads/ai/x\nrefs/heads/main")),
        ("a space and another name", creates(b"refs/heads/ai/x refs/heads/main")),
        ("a space before it", creates(b" refs/heads/ai/x")),
        ("HEAD", creates(b"HEAD")),
        ("a worktree's", creates(b"worktrees/x/refs/heads/ai/x")),
        ("no name", creates(b"")),
        ("bytes that are no text", creates(b"refs/heads/\xff\xfe")),
        ("an update", list(&[line(main, main, b"refs/heads/ai/x", CAPABILITIES)])),
        (
            "a deletion",
            list(&[line(main, ZERO, b"refs/heads/ai/x", CAPABILITIES)]),
        ),
        (
            "a deletion of nothing",
            list(&[line(ZERO, ZERO, b"refs/heads/ai/x", CAPABILITIES)]),
        ),
        ("an update after a good one", second(main, main, b"refs/heads/main")),
        ("a deletion after a good one", second(main, ZERO, b"refs/heads/main")),
        ("capabilities twice", second(ZERO, main, b"refs/heads/ai/y\0 atomic")),
        ("three thousand, and one more", list(&many)),
        (
            "ids in capitals",
            list(&[line(ZERO, &uppercase, b"refs/heads/ai/x", CAPABILITIES)]),
        ),
        (
            "ids of two lengths",
            list(&[line(ZERO, &"1".repeat(64), b"refs/heads/ai/x", CAPABILITIES)]),
        ),
        ("a shallow line that is a command", {
            list(&[[b"shallow ", main.as_bytes(), b" refs/heads/main"].concat(), good()])
        }),
        (
            "a shallow line after a command",
            list(&[good(), [b"shallow ", main.as_bytes()].concat()]),
        ),
        ("a certificate", list(&[b"push-cert\0 push-cert=x\n".to_vec(), good()])),
        (
            "a certificate after a command",
            list(&[good(), b"push-cert\n".to_vec()]),
        ),
        (
            "a delimiter",
            [packet(&good()).as_slice(), b"0001", &packet(&good()), b"0000"].concat(),
        ),
        ("an empty packet", [packet(&good()).as_slice(), b"00040000"].concat()),
        (
            "a length of nothing",
            [packet(&good()).as_slice(), b"00030000"].concat(),
        ),
        (
            "a length that is none",
            [packet(&good()).as_slice(), b"00g00000"].concat(),
        ),
        ("a sign", [packet(&good()).as_slice(), b"+0080000"].concat()),
    ]
}

#[test]
fn no_push_by_hand_gets_by_a_rule() {
    let scene = Scene::new();
    let agent = Agent::start(&scene, &["acme/widgets:create=refs/heads/ai/*"]);
    let base = scene.bitbucket.base_url();
    let main = scene.server_git(MAIN, &["rev-parse", "main"]).trim().to_owned();
    let before = scene.server_git(MAIN, &["for-each-ref"]);
    scene.bitbucket.clear_requests();
    for (what, body) in pushes(&main) {
        let said = answer(&agent, &request(&base, "acme/widgets.git", "", &body), true);
        let is_refused = said.starts_with("HTTP/1.1 403 ") && said.contains("\r\nBbcloud-Agent: refused\r\n");
        assert!(is_refused, "{what}: {said}");
        assert!(!said.contains('\u{1b}'), "{what}: {said}");
    }
    let good = list(&[line(ZERO, &main, b"refs/heads/ai/x", CAPABILITIES)]);
    for path in [
        "acme/widgets.git/wiki",
        "acme/parts.git",
        "acme/widgets.git/../parts.git",
        "acme/widgets",
        "acme/widgets.git.git",
        "acme/widgets.GIT",
    ] {
        let said = answer(&agent, &request(&base, path, "", &good), true);
        assert!(said.starts_with("HTTP/1.1 403 "), "{path}: {said}");
    }
    for fields in ["Content-Encoding: gzip\r\n", "content-encoding: GZIP\r\n"] {
        let said = answer(&agent, &request(&base, "acme/widgets.git", fields, &good), true);
        assert!(said.starts_with("HTTP/1.1 403 "), "{fields}: {said}");
    }
    assert_eq!(scene.bitbucket.requests().len(), 0, "{:?}", scene.bitbucket.requests());
    assert_eq!(scene.server_git(MAIN, &["for-each-ref"]), before);
    let log = agent.said();
    assert!(
        !log.contains('\u{1b}') && log.lines().all(|line| line.len() < 1000),
        "{log}"
    );
}
