//! Every text of the sources has a scene, or a reason why it has none.

use std::fmt::Write as _;

use super::sources::{self, Text};
use super::table::{self, ANEW};

/// What no test can produce here, and why.
const UNPRODUCIBLE: &[(&str, &str)] = &[
    (
        "too many levels of symbolic links",
        "whoever reads such a file first is told so by the system",
    ),
    ("the name was not found in time", "takes a resolver that says nothing"),
    (
        "make it yours with '{}'",
        "takes a user who may not read everything, and the tests may be root's",
    ),
    (
        "sudo chown -R \"$(id -u)\" \"{path}\" && chmod -R u+rwX \"{path}\"",
        "goes with it",
    ),
    (
        "takeown /R /F \"{path}\"; icacls \"{path}\" /T /reset",
        "goes with it on Windows",
    ),
    (
        "cannot use standard input and output",
        "takes a system without descriptors",
    ),
    ("cannot talk to '{}'", "takes an error that has no name of its own"),
    ("the connection failed", "takes an error that has no name of its own"),
    (
        "the server's signature does not fit the key of its certificate",
        "takes a server that signs with another key",
    ),
    (
        "RSA keys need 2048 bits at least; check for an intercepting proxy",
        "goes with it",
    ),
    ("no IPv4 address for this host", "the local server has one"),
    (
        "no address for this host",
        "a resolver that finds nothing says so in words of its own",
    ),
    (
        "the server answered before the upload had ended",
        "the answer is read, and tells more",
    ),
    (
        "a password has to be asked for",
        "stands between two threads: the other one asks then",
    ),
    (
        "git's configuration is too large",
        "takes more configuration than a day writes",
    ),
    (
        "git's configuration cannot hold the key",
        "takes a key that the program has made and gitoxide refuses",
    ),
    (
        "git's answer does not have two lines",
        "takes a git that says something else",
    ),
    (
        "'{}' was changed meanwhile",
        "takes another writer between two system calls",
    ),
    ("run the same command again", "goes with it"),
    (
        "interrupted while asking for a secret",
        "the signal ends the process group as well",
    ),
    (
        "cannot ask at the terminal",
        "takes a terminal that goes away while it is set up",
    ),
    (
        "the credential helper '{definition}' cannot be started",
        "git's own rules make a program of every definition",
    ),
    (
        "what is hidden of it has no place there",
        "takes an address of which the shown text could be read",
    ),
    (
        "cannot make '{}'",
        "whoever reads the list of accounts first is told so",
    ),
    (
        "a redirect led to this server, and it was sent without the secret",
        "takes a second API; a unit test of explain shows it",
    ),
    (
        "it does not keep what is written to it",
        "takes a Secret Service that lies",
    ),
    (
        "it still has the secret after deleting it",
        "takes a Secret Service that lies",
    ),
    ("its library has failed", "takes a thread that panics"),
    (
        "this system has none that is known",
        "takes a system that is none of the three",
    ),
    (
        "the secret is longer than the {0} bytes that the keychain holds",
        "Windows'",
    ),
    (
        "create a shorter token, or keep it in a file and set BBCLOUD_TOKEN_FILE",
        "Windows'",
    ),
    (
        "sign in to Windows at the console: a network logon has no Credential Manager",
        "Windows'",
    ),
    ("the netrc file", "Windows'"),
    ("unlock it with 'security unlock-keychain', also over ssh", "macOS'"),
    ("the system's verifier", "Windows' and macOS'"),
    (
        ", forgets when the computer is restarted",
        "whether the kernel's key ring may be used is for the container to say",
    ),
    (
        "there is no home directory to keep a record in",
        "the list of accounts is looked for before, in the same place",
    ),
    (
        "the kernel's keyring cannot be used",
        "whether it may be used is for the container to say",
    ),
    ("the kernel refused it: {other}", "goes with it"),
    (
        "in a container, allow the system calls 'add_key' and 'keyctl'",
        "goes with it",
    ),
    (
        "the kernel's limit for keys of this user is reached",
        "would take the keyring of whoever runs the tests",
    ),
    ("it returned another secret than was written", INTERNAL),
    ("the stored secret is not valid text", INTERNAL),
    ("there is none", "only where the variable goes away while it is read"),
    (
        "{}; the certificate cannot be read",
        "takes a certificate that rustls can read and another reader cannot",
    ),
    (
        "{detail}; by its issuer, a proxy inspects what is sent",
        "takes an authority of that name",
    ),
    (
        "ask whoever runs it to leave this host out, if that is not wanted",
        "goes with it",
    ),
    ("a body where none belongs", INTERNAL),
    ("a body longer than its length", INTERNAL),
    ("a body shorter than its length", INTERNAL),
    ("it is a proxy's, and there is no proxy", INTERNAL),
    ("the server does not support HTTP/1.1", "takes a server of HTTP/2 alone"),
    (
        "allow HTTP/1.1 at the server, or at the proxy before it",
        "goes with it",
    ),
    (
        "the server refused the handshake: {}",
        "takes a server that refuses in an odd way",
    ),
    ("check for an intercepting proxy, and http.sslCert", "goes with it"),
    (
        "its type is not supported: RSA from 2048 bits, P-256, P-384 and Ed25519 are",
        "takes a client's key of another type",
    ),
    ("it does not belong to the certificate", "takes two client certificates"),
    ("it is malformed", "takes PEM that holds no certificate"),
    (
        "is at the end of too long a chain",
        "takes a hundred certificates that fit each other",
    ),
    ("is malformed", "takes an authority that signs what is no certificate"),
    ("ring has none", INTERNAL),
    ("git-remote-bbcloud: no password", "stands between git and this program"),
    (
        "the {kind} came from {place}, and last worked on {day}",
        "another word every day",
    ),
    ("the request has ended", INTERNAL),
    ("that was just given", "what is typed is one line"),
    (
        "the 'authtype' {} holds a control character",
        "git passes on single lines",
    ),
    ("give it as one word, such as Bearer", "goes with it"),
];

/// Why most of the last ones are there.
const INTERNAL: &str = "takes a mistake of ours, or of a library's";

/// What looks like a text for people and is none.
const NO_TEXT: &[&str] = &[
    // `--help`.
    "Connect git to repositories of Bitbucket Cloud",
    "Git starts this program itself when a remote's URL begins with 'bbcloud::'. Try:",
    "  git clone bbcloud::<workspace>/<repository>",
    "  git clone bbcloud::<workspace>/<repository>/wiki",
    "  git remote set-url origin bbcloud::<workspace>/<repository>",
    // Errors that `explain` and others put into words of their own.
    "the server refused: {0}",
    "the request failed",
    "the push was sent, but its answer was lost",
    "the server reports an error",
    "the answer broke after its last packet",
    "the stream failed",
    // What is sent, written, traced, compared, or a rule for those who change the program.
    "BUG: a packet holds at most 65,516 bytes",
    "Content-Type: application/x-{}-request",
    "Accept-Encoding: deflate, gzip",
    "# Netscape HTTP Cookie File",
    "# By 'git-remote-bbcloud setup'; 'git-remote-bbcloud setup --undo' takes these lines away.",
    "Connected to {host}:{port} over {}",
    "Connecting to the proxy {name}",
    "-----BEGIN ENCRYPTED PRIVATE KEY-----",
    "-----END ENCRYPTED PRIVATE KEY-----",
    "no secret service",
    "the keychain's password",
    "org.freedesktop.secrets was not provided",
    "keyutils is a part of Linux",
    "ring with TLS 1.2 and 1.3",
    "!git-remote-bbcloud credential --follow",
];

fn is_listed(text: &Text) -> bool {
    UNPRODUCIBLE.iter().any(|(known, _)| *known == text.text) || NO_TEXT.contains(&text.text.as_str())
}

#[test]
fn every_text_has_a_scene() {
    let Some(entries) = table::all() else { return };
    let lines: Vec<&String> = entries.iter().flat_map(|entry| &entry.lines).collect();
    let mut missing = String::new();
    for text in sources::texts() {
        if !is_listed(&text) && !lines.iter().any(|line| text.is_in(line)) {
            writeln!(missing, "{}: {}", text.place, text.text).expect("a string can be written to");
        }
    }
    assert!(
        missing.is_empty(),
        "no scene of tests/it/messages says\n{missing}After one has been added: {ANEW}"
    );
}

#[test]
fn what_has_no_scene_is_still_a_text_and_has_none() {
    let Some(entries) = table::all() else { return };
    let lines: Vec<&String> = entries.iter().flat_map(|entry| &entry.lines).collect();
    let texts = sources::texts();
    let listed = UNPRODUCIBLE.iter().map(|(text, _)| text);
    for listed in listed.chain(NO_TEXT) {
        let text = texts.iter().find(|text| text.text == *listed);
        let text = text.unwrap_or_else(|| panic!("no source says '{listed}' any more"));
        assert!(
            !lines.iter().any(|line| text.is_in(line)),
            "a scene has '{listed}' all the same"
        );
    }
}
