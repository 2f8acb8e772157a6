//! What `doctor` finds, by the check that finds it. What differs from machine to machine is left out.

use std::fs;
use std::time::SystemTime;

use super::doctor_beside_git::beside_git;
use super::server::detour;
use super::{Table, quick, shell, table};
use crate::bitbucket::{Account, Action, Fault, Refusal};
use crate::keychain::program;
use crate::support::fixture::MAIN;
use crate::support::run::Output;
use crate::support::scene::{Scene, TOKEN};

pub(super) const FOR_MAIN: &str = "git-remote-bbcloud doctor --for acme/widgets";

/// Adds the lines of `checks`, with their remedies.
#[track_caller]
pub(super) fn shows(table: &mut Table, title: &str, scene: &Scene, output: &Output, checks: &[&str]) {
    assert!(!output.stdout.is_empty(), "{title}: {}", output.stderr);
    let mut kept = String::new();
    let mut keeps = false;
    for line in output.stdout.lines() {
        if !line.starts_with(' ') {
            keeps = line
                .split_whitespace()
                .nth(1)
                .is_some_and(|name| checks.contains(&name));
        }
        if keeps {
            kept += line;
            kept.push('\n');
        }
    }
    table.add_text(title, &same_everywhere(&table::normalised(scene, &kept)));
}

/// `text` without versions, days and seconds.
fn same_everywhere(text: &str) -> String {
    let text = table::replaced(
        text,
        "agent=git/",
        |c| c.is_ascii_alphanumeric() || ".-".contains(c),
        |_| Some("agent=git/<version>"),
    );
    let text = text.replace(env!("CARGO_PKG_VERSION"), "<version>");
    let text = table::replaced(
        &text,
        " on 20",
        |c| c.is_ascii_digit() || c == '-',
        |_| Some(" on <day>"),
    );
    let line = |line: &str| {
        let digits: String = line.chars().filter(char::is_ascii_digit).collect();
        if line.contains(" clock ") && !digits.is_empty() {
            line.replace(&digits, "<n>")
        } else {
            line.to_owned()
        }
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn doctor() {
    let mut table = Table::new("doctor");
    let scene = quick();
    healthy(&mut table, &scene);
    machine(&mut table, &scene);
    configuration(&mut table, &scene);
    beside_git(&mut table, &scene);
    secrets(&mut table, &scene);
    table.end();
}

/// The server's first page, with a clock.
pub(super) fn page(time: SystemTime) -> Fault {
    let refusal = Refusal::Custom {
        status: 200,
        headers: vec![("Date".to_owned(), httpdate::fmt_http_date(time))],
        content_type: "text/html".to_owned(),
        body: b"<html>".to_vec(),
    };
    Fault::on("/", Action::Refuse(refusal))
}

fn healthy(table: &mut Table, scene: &Scene) {
    scene.bitbucket.fault(page(SystemTime::now()));
    let output = shell(scene, FOR_MAIN);
    assert!(output.success(), "{}", output.stdout);
    let all = [
        "helper",
        "configuration",
        "url-rewrite",
        "protocol-allow",
        "other-programs",
        "ssh-host",
        "helpers",
        "proxy",
        "keychain",
        "secret",
        "http",
        "clock",
        "tcp",
        "tls",
        "read",
        "push",
        "lfs",
        "at",
    ];
    shows(table, "all is well", scene, &output, &all);
    let output = shell(scene, "git-remote-bbcloud doctor");
    shows(
        table,
        "no repository is named",
        scene,
        &output,
        &["read", "clock", "rate-limit"],
    );
    scene.bitbucket.revoke(TOKEN);
    let output = shell(scene, FOR_MAIN);
    shows(table, "the secret is wrong", scene, &output, &["read", "push", "at"]);
    scene.bitbucket.add_account(Account::api_token("ada", TOKEN));
}

/// A program of this name before everything else.
fn first(scene: &Scene, name: &str, script: &str) -> String {
    let path = program(scene, name, script);
    let directory = path.parent().expect("a directory").display().to_string();
    format!("PATH=\"{directory}:$PATH\" {FOR_MAIN}")
}

fn machine(table: &mut Table, scene: &Scene) {
    let bin = "\"$(dirname \"$(command -v git-remote-bbcloud)\")\"";
    let without = format!(
        "git-remote-bbcloud doctor >/dev/null; us=$(command -v git-remote-bbcloud); PATH=/usr/bin:/bin $us doctor --for {MAIN}"
    );
    shows(
        table,
        "git does not find the program",
        scene,
        &shell(scene, &without),
        &["helper"],
    );
    let without = format!("PATH={bin} {FOR_MAIN}");
    shows(
        table,
        "there is no git",
        scene,
        &shell(scene, &without),
        &["git", "helper"],
    );
    for (title, says) in [
        ("git is too old", "git version 2.20.1"),
        ("git's version is none", "hg 6"),
    ] {
        let git = format!("case $1 in version) echo '{says}' ;; *) PATH=${{PATH#*:}} exec git \"$@\" ;; esac");
        let output = shell(scene, &first(scene, "git", &git));
        shows(table, title, scene, &output, &["git"]);
    }
    fs::remove_file(scene.home().join("git")).expect("it was there");
    let same = concat!("git-remote-bbcloud ", env!("CARGO_PKG_VERSION"));
    for (title, says) in [
        ("git finds another version", "git-remote-bbcloud 0.0.1"),
        ("git finds another copy", same),
    ] {
        program(scene, "git-remote-bbcloud", &format!("echo '{says}'"));
        let home = scene.home().display().to_string();
        let script = format!("us=$(command -v git-remote-bbcloud); PATH=\"{home}:$PATH\" $us doctor");
        shows(table, title, scene, &shell(scene, &script), &["helper"]);
    }
    fs::remove_file(scene.home().join("git-remote-bbcloud")).expect("it was there");
}

/// Settings, and the check that is about them.
const SETTINGS: &[(&str, &[&str], &str)] = &[
    (
        "an address is rewritten",
        &["url.https://bitbucket.org/.insteadOf=bbcloud::"],
        "url-rewrite",
    ),
    (
        "the protocol is forbidden",
        &["protocol.bbcloud.allow=never"],
        "protocol-allow",
    ),
    (
        "the protocol is allowed",
        &["protocol.bbcloud.allow=always"],
        "protocol-allow",
    ),
    (
        "submodules need the protocol",
        &["submodule.x.url=bbcloud::acme/parts"],
        "protocol-allow",
    ),
    ("nobody checks certificates", &["http.sslVerify=false"], "http-settings"),
    (
        "a header signs in",
        &["http.extraHeader=Authorization: Bearer x"],
        "http-settings",
    ),
    (
        "a pinned key, a certificate and a setting without effect",
        &[
            "http.pinnedPubkey=sha256//AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=",
            "http.sslCert=x",
            "http.sslBackend=openssl",
        ],
        "http-settings",
    ),
    ("a proxy with a name", &["http.proxy=http://me@localhost:1"], "proxy"),
    (
        "a proxy with a password",
        &["http.proxy=http://me:secret@localhost:1"],
        "proxy",
    ),
    (
        "the proxy of Pipelines",
        &["http.proxy=http://localhost:29418"],
        "proxy",
    ),
    ("an old version is set", &["protocol.version=1"], "protocol"),
    (
        "a setting of the network is wrong",
        &["http.postBuffer=much"],
        "http-settings",
    ),
];

fn configuration(table: &mut Table, scene: &Scene) {
    let with = |settings: &[&str]| {
        let settings: Vec<String> = settings.iter().map(|setting| format!("'{setting}'")).collect();
        let quoted = settings.join(" ");
        shell(scene, &format!("GIT_CONFIG_PARAMETERS=\"{quoted}\" {FOR_MAIN}"))
    };
    let base = scene.bitbucket.base_url();
    let secret = format!("url.{}/.insteadOf=there", base.replace("://", "://ada:secret@"));
    for (title, settings, check) in SETTINGS {
        shows(table, title, scene, &with(settings), &[check]);
    }
    let rewritten = format!("url.ssh://git@localhost/.insteadOf={base}/");
    for (title, setting) in [
        ("the server's URL is rewritten", &rewritten),
        ("a rewritten address has a secret", &secret),
    ] {
        shows(table, title, scene, &with(&[setting]), &["url-rewrite"]);
    }
    for (title, value) in [
        ("a list of protocols has it", "https:bbcloud"),
        ("a list of protocols lacks it", "https"),
    ] {
        let output = shell(scene, &format!("GIT_ALLOW_PROTOCOL={value} {FOR_MAIN}"));
        shows(table, title, scene, &output, &["protocol-allow"]);
    }
    let output = shell(
        scene,
        &format!("env -u GIT_SSL_CAINFO BBCLOUD_API_URL=https://localhost/2.0 {FOR_MAIN}"),
    );
    shows(
        table,
        "the API is set, and the certificate is unknown",
        scene,
        &output,
        &["configuration", "http-settings", "tls", "http"],
    );
}

fn secrets(table: &mut Table, scene: &Scene) {
    scene.excuse_traces();
    scene.excuse_file(scene.path("clone/.git/config"));
    let without = |script: &str| shell(scene, &format!("env -u BBCLOUD_TOKEN {script}"));
    let output = without(&format!("BBCLOUD_TOKEN_FILE=/no/such/file {FOR_MAIN}"));
    shows(
        table,
        "the file of the secret is not there",
        scene,
        &output,
        &["secret", "read"],
    );
    shows(
        table,
        "nobody is signed in",
        scene,
        &without(FOR_MAIN),
        &["secret", "read"],
    );
    scene.bitbucket.set_public(MAIN, true);
    shows(
        table,
        "the repository is public",
        scene,
        &without(FOR_MAIN),
        &["read", "push"],
    );
    scene.bitbucket.set_public(MAIN, false);
    scene.git_ok("", &["config", "--global", "bbcloud.store", "false"]);
    shows(table, "nothing is to be kept", scene, &without(FOR_MAIN), &["keychain"]);
    scene.git_ok("", &["config", "--global", "--unset", "bbcloud.store"]);
    scene.git_ok("", &["config", "--global", "credential.helper", "store"]);
    shows(table, "git's helpers are there", scene, &without(FOR_MAIN), &["secret"]);
    scene.git_ok("", &["config", "--global", "--unset", "credential.helper"]);
    in_addresses(table, scene);
}

fn in_addresses(table: &mut Table, scene: &Scene) {
    let without = |script: &str| shell(scene, &format!("env -u BBCLOUD_TOKEN {script}"));
    scene.cloned();
    let url = format!("bbcloud::x-bitbucket-api-token-auth:{TOKEN}@{MAIN}");
    scene.git_ok("clone", &["remote", "set-url", "origin", &url]);
    let output = without("sh -c 'cd clone && git-remote-bbcloud doctor'");
    shows(
        table,
        "the remote has a secret",
        scene,
        &output,
        &["keychain", "secret", "read"],
    );
    scene.git_ok("clone", &["remote", "set-url", "origin", &scene.url(MAIN)]);
    let proxy = detour(scene.bitbucket.port());
    let output = shell(
        scene,
        &format!(
            "https_proxy=http://127.0.0.1:{proxy} GIT_SSL_NO_VERIFY=1 BBCLOUD_BASE_URL=https://bitbucket.org \
             BBCLOUD_TOKEN=ATBB-old BBCLOUD_USERNAME=ada {FOR_MAIN}"
        ),
    );
    shows(
        table,
        "an app password for bitbucket.org",
        scene,
        &output,
        &["secret", "tcp"],
    );
}
