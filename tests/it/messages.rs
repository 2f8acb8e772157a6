//! The texts of all errors as a set: a table of them, each produced by a test somewhere, and those for which it takes
//! no more than a command line here.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::bitbucket::{API_TOKEN_USER, Action, Fault, Refusal};
use crate::support::fixture::MAIN;
use crate::support::run::run;
use crate::support::scene::{Scene, TOKEN};

/// What takes a broken system or a fraction of a second to produce, and why no test does.
const OUT_OF_REACH: &[(&str, &str)] = &[
    ("no secret was given", "takes somebody at a terminal who types nothing"),
    (
        "one of the pages has no 'values'",
        "takes a server whose second page is none",
    ),
    (
        "the keychain gave back another secret than it got",
        "takes a keychain that lies",
    ),
    ("the input is longer than {MAX} bytes", "takes 64 MiB of input"),
    ("a page is longer than {MAX} bytes", "takes 64 MiB of answer"),
    (
        "git's configuration is too large",
        "takes more configuration than a day writes",
    ),
    (
        "'{}' has been changed meanwhile",
        "takes another writer between two system calls",
    ),
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
        "takes a system that starts no process",
    ),
    (
        "cannot use standard input and output",
        "takes a system without descriptors",
    ),
    ("cannot talk to '{}'", "takes an error that has no name of its own"),
];

fn read(path: &Path, into: &mut Vec<(String, String)>) {
    let mut entries: Vec<_> = fs::read_dir(path).into_iter().flatten().flatten().collect();
    entries.sort_by_key(fs::DirEntry::path);
    for path in entries.iter().map(fs::DirEntry::path) {
        if path.is_dir() {
            read(&path, into);
        } else if let Ok(text) = fs::read_to_string(&path) {
            let name = path
                .strip_prefix(env!("CARGO_MANIFEST_DIR"))
                .expect("below the project");
            into.push((name.to_string_lossy().replace('\\', "/"), text));
        }
    }
}

/// The product's part of a source file, and its tests'.
fn halves((name, text): &(String, String)) -> (&str, &str) {
    if name.contains("tests") {
        return ("", text);
    }
    text.split_once("#[cfg(test)]").unwrap_or((text, ""))
}

/// The first literal of `rest`, without its quotes; its line breaks are the source's.
fn literal(rest: &str) -> Option<String> {
    let (_, rest) = rest.split_once('"')?;
    let mut text = String::new();
    let mut characters = rest.chars();
    loop {
        match characters.next()? {
            '"' => return Some(text),
            '\\' => match characters.next()? {
                '\n' => {
                    let left = characters.as_str().trim_start();
                    characters = left.chars();
                }
                'n' => text.push('\n'),
                other => text.push(other),
            },
            other => text.push(other),
        }
    }
}

/// Every text that a failure is made with, as the source has it. One that is put together elsewhere is not seen.
fn texts(sources: &[(String, String)]) -> BTreeSet<String> {
    let mut texts = BTreeSet::new();
    for (file, product) in sources.iter().map(|source| (&source.0, halves(source).0)) {
        for (at, _) in product.match_indices("Failure::new(") {
            let call = product.get(at + "Failure::new(".len()..).unwrap_or_default();
            // The kind, then the text or what makes it.
            let Some((_, after)) = call.split_once(',') else {
                continue;
            };
            let start = after.trim_start();
            let start = start.strip_prefix("format!(").unwrap_or(start).trim_start();
            if start.starts_with('"')
                && let Some(text) = literal(start)
            {
                texts.insert(format!("{file}: {text}"));
            }
        }
    }
    texts
}

fn all() -> (BTreeSet<String>, String) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut sources, mut tests) = (Vec::new(), Vec::new());
    read(&root.join("src"), &mut sources);
    for directory in ["tests/it", "fixtures/helper"] {
        read(&root.join(directory), &mut tests);
    }
    let mut tested: String = tests.iter().map(|(_, text)| text.as_str()).collect();
    tested.extend(sources.iter().map(|source| halves(source).1));
    (texts(&sources), tested)
}

/// Whether a test names `text`: four words in a row that stand between two places that are filled in, or all of them
/// where there are fewer. Of a text that is put together from such places nothing is left to look for.
fn is_named(text: &str, tested: &str) -> bool {
    let parts: Vec<&str> = text.split(['{', '}']).step_by(2).collect();
    parts.iter().all(|part| part.trim_matches([' ', '\'']).len() < 10)
        || parts.iter().any(|part| {
            let words: Vec<_> = part.split_whitespace().collect();
            let mut runs = words.windows(words.len().clamp(1, 4)).map(|run| run.join(" "));
            runs.any(|run| run.len() >= 10 && tested.contains(&run))
        })
}

/// The table is to be read as a whole when a text is new: do all of them say it in the same way?
#[test]
fn every_text_stands_in_the_table() {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/messages.txt");
    let lines: Vec<String> = all().0.into_iter().collect();
    let table = lines.join("\n") + "\n";
    let known = fs::read_to_string(&place).unwrap_or_default();
    if known != table {
        let new = Path::new(env!("CARGO_TARGET_TMPDIR")).join("messages.txt");
        fs::write(&new, &table).expect("a file can be written");
        panic!(
            "fixtures/messages.txt is not what the sources say; see {}",
            new.display()
        );
    }
}

#[test]
fn every_text_is_short_plain_and_has_no_full_stop() {
    for line in all().0 {
        let (_, text) = line.split_once(": ").expect("a file and a text");
        assert!(!text.ends_with(['.', '!', '\n']), "{line}");
        let first = text.split(' ').next().unwrap_or_default();
        let is_name = first.contains(['{', '\'', '_']) || first.chars().all(char::is_uppercase);
        assert!(is_name || !first.starts_with(char::is_uppercase), "{line}");
    }
}

#[test]
fn every_text_is_produced_by_a_test() {
    let (texts, tested) = all();
    let missing: Vec<_> = texts
        .into_iter()
        .filter(|line| {
            let (_, text) = line.split_once(": ").expect("a file and a text");
            !OUT_OF_REACH.iter().any(|(known, _)| *known == text) && !is_named(text, &tested)
        })
        .collect();
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

/// What goes wrong before anybody is asked, each with one command line.
#[cfg(unix)]
#[test]
fn what_a_command_line_gets_wrong_is_told() {
    let scene = Scene::new();
    scene.set("BBCLOUD_API_URL", scene.bitbucket.api_url());
    scene.set("BBCLOUD_EMAIL", "ada@example.com");
    fs::write(scene.path("list"), "list\n\n").expect("a file can be written");
    for (script, told) in [
        ("api -X GET --input x /user", "a GET sends no file"),
        ("api -X POST --paginate /user", "only a GET has pages"),
        (
            "api -X POST --input nowhere /user",
            "cannot read the input from 'nowhere'",
        ),
        (
            "api '/repositories/{workspace}/x'",
            "there is no 'bbcloud::' remote here to fill",
        ),
        ("api /../../x", "leads out of the API at"),
        ("status --json >/dev/full", "cannot write the output"),
        ("man --output /dev/null/x", "cannot write '/dev/null/x"),
        ("credential get </", "cannot read git's question"),
        ("login --token-stdin </", "cannot read the secret from standard input"),
        (
            "login --token-stdin --no-verify </dev/null",
            "the first line of standard input is empty, where a secret was expected",
        ),
        (
            "login --username a:b --token-stdin <list",
            "a user name has no colon and no line end in it",
        ),
        (
            "login --for ada@acme --token-stdin <list",
            "'ada@acme' is neither a workspace nor a repository",
        ),
        ("setup --workspace acme/widgets", "'acme/widgets' is not a workspace"),
        ("origin acme/widgets </", "cannot read git's commands"),
    ] {
        let mut shell = scene.command("sh", &scene.work());
        shell.args(["-c", &format!("git-remote-bbcloud {script}")]);
        if script.starts_with("login") {
            shell.env_remove("BBCLOUD_TOKEN");
        }
        check(&run(shell), script, told);
    }
}

/// What git itself would have refused before it starts the helper, and surroundings that lack something.
#[cfg(unix)]
#[test]
fn what_the_surroundings_get_wrong_is_told() {
    let scene = Scene::new();
    fs::write(scene.path("list"), "list\n\n").expect("a file can be written");
    for (variables, script, told) in [
        (
            "env -u HOME",
            "status",
            "there is no home directory to keep the list of accounts in",
        ),
        (
            "env -u BBCLOUD_API_URL",
            "api /user",
            "it is not known where the REST API of",
        ),
        ("GIT_CONFIG_COUNT=x", "status", "bogus count in GIT_CONFIG_COUNT"),
        ("GIT_CONFIG_COUNT=1", "status", "missing config key GIT_CONFIG_KEY_0"),
        (
            "GIT_CONFIG_PARAMETERS=\"'nokey'\"",
            "status",
            "invalid key in the command line's configuration: nokey",
        ),
        (
            "GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=protocol.version GIT_CONFIG_VALUE_0=9",
            "origin acme/widgets <list",
            "unknown value for config 'protocol.version': 9",
        ),
        (
            "PATH=\"$(dirname \"$(command -v git-remote-bbcloud)\")\"",
            "migrate",
            "cannot run git",
        ),
    ] {
        let mut shell = scene.command("sh", &scene.work());
        shell.args(["-c", &format!("{variables} git-remote-bbcloud {script}")]);
        check(&run(shell), script, told);
    }
    for (key, value, told) in [
        (
            "bbcloud.keychainTimeout",
            "soon",
            "is no number of seconds between 0 and",
        ),
        ("http.proxy", "gopher://x", "invalid proxy address in http.proxy: "),
        ("http.pinnedPubkey", "sha256//x", "bad digest in http.pinnedPubkey: "),
        (
            "http.extraHeader",
            "X: a\nX: b",
            "an http.extraHeader holds a control character",
        ),
        (
            "http.postBuffer",
            "much",
            "bad numeric config value 'much' for 'http.postbuffer'",
        ),
    ] {
        let setting = format!("{key}={value}");
        let output = scene.git(&["-c", &setting, "ls-remote", &scene.url(MAIN)]);
        check(&output, &setting, told);
    }
    let settings = ["-c", "http.sslCert=x", "-c", "http.sslCertType=XYZ"];
    let output = scene.git(&[&settings[..], &["ls-remote", &scene.url(MAIN)]].concat());
    check(&output, "XYZ", "unknown file type 'XYZ' for http.sslCertType");
    let url =
        scene
            .https_url(MAIN)
            .replacen(API_TOKEN_USER, "", 1)
            .replacen(TOKEN, "ATBB0123456789012345678901234567", 1);
    scene.git_ok("", &["init", "--quiet", "nameless"]);
    scene.git_ok("nameless", &["remote", "add", "origin", &url]);
    let output = scene.bbcloud("nameless", &["migrate"]);
    check(&output, &url, "the URL of 'acme/widgets' has");
}

#[cfg(unix)]
#[test]
fn what_a_server_gets_wrong_is_told() {
    let scene = Scene::new();
    let nowhere = Refusal::Custom {
        status: 302,
        headers: Vec::new(),
        content_type: String::new(),
        body: Vec::new(),
    };
    for (action, told) in [
        (
            Action::ReplaceBody(b"0019ERR the disk is full\n".to_vec()),
            "'localhost' cannot serve 'acme/widgets'",
        ),
        (
            Action::Refuse(nowhere),
            "'localhost' sent a redirect without a target (HTTP 302)",
        ),
    ] {
        let name = format!("{action:?}");
        scene
            .bitbucket
            .fault(Fault::on("/git-upload-pack", action).method("POST").always());
        check(&scene.git(&["ls-remote", &scene.url(MAIN)]), &name, told);
        scene.bitbucket.clear_faults();
    }
}

#[cfg(unix)]
fn check(output: &crate::support::run::Output, what: &str, told: &str) {
    let mut errors = output.stderr.lines().filter(|line| line.starts_with("error: "));
    assert!(!output.success(), "{what}");
    assert!(errors.any(|line| line.contains(told)), "{what}: {}", output.stderr);
}
