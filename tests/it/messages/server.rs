//! What a server refuses, to somebody who fetches and to somebody who pushes.

use std::net::{TcpListener, TcpStream};
use std::{io, thread};

use super::{PUSH, Table, list, quick};
use crate::bitbucket::{ACCESS_TOKEN_USER, Account, Action, Fault, Refusal};
use crate::support::fixture::{MAIN, WIKI};
use crate::support::run::Output;
use crate::support::scene::{Scene, TOKEN};

fn custom(status: u16, content_type: &str, body: &str) -> Refusal {
    Refusal::Custom {
        status,
        headers: Vec::new(),
        content_type: content_type.to_owned(),
        body: body.as_bytes().to_vec(),
    }
}

/// Refuses all that `work` asks for.
fn refusing(scene: &Scene, refusal: Refusal, work: impl Fn(&Scene) -> Output) -> Output {
    let refusal = Action::Refuse(refusal);
    scene.bitbucket.fault(Fault::on("/", refusal).always());
    let output = work(scene);
    scene.bitbucket.clear_faults();
    output
}

fn fetch(scene: &Scene) -> Output {
    list(scene, &[])
}

fn push(scene: &Scene) -> Output {
    scene.git_in("clone", PUSH)
}

type Work = fn(&Scene) -> Output;

#[test]
fn server() {
    let mut table = Table::new("server");
    let scene = quick();
    scene.cloned();
    scene.commit("clone", "mine", b"mine\n");
    logins(&mut table, &scene);
    permissions(&mut table, &scene);
    statuses(&mut table, &scene);
    anonymous(&mut table, &scene);
    at_bitbucket_org(&mut table, &scene);
    table.end();
}

fn logins(table: &mut Table, scene: &Scene) {
    for (title, name, secret) in [
        ("a wrong API token", "", "ATATT-wrong"),
        ("a wrong access token", "", "ATCTT-wrong"),
        ("a wrong app password", "ada", "ATBB-wrong"),
        ("a wrong secret of no known kind", "ada", "correct horse"),
        ("an API token with the name for access tokens", ACCESS_TOKEN_USER, TOKEN),
        (
            "an app password with the name for access tokens",
            ACCESS_TOKEN_USER,
            "ATBB-wrong",
        ),
        ("an app password without a name", "", "ATBB-wrong"),
        ("a secret of no known kind without a name", "", "correct horse"),
        (
            "an app password with an e-mail address",
            "ada@example.com",
            "ATBB-wrong",
        ),
    ] {
        scene.set("BBCLOUD_USERNAME", name);
        scene.set("BBCLOUD_TOKEN", secret);
        table.fails(title, scene, &fetch(scene));
    }
    scene.unset("BBCLOUD_TOKEN");
    scene.unset("BBCLOUD_USERNAME");
    let with_address = scene.git(&["ls-remote", "bbcloud::ada%40example.com:ATATT-wrong@acme/widgets"]);
    table.fails("an API token with an e-mail address in the URL", scene, &with_address);
    std::fs::write(scene.path("token"), "ATATT-wrong\n").expect("a file can be written");
    scene.excuse_traces();
    scene.excuse_file(scene.path("token"));
    scene.set("BBCLOUD_TOKEN_FILE", scene.path("token"));
    table.fails("a wrong API token in a file", scene, &fetch(scene));
    scene.unset("BBCLOUD_TOKEN_FILE");
    scene.bitbucket.create_repository("acme/other");
    let narrow = Account::api_token("ada", "ATATT-narrow").only("acme/other");
    scene.bitbucket.add_account(narrow);
    scene.set("BBCLOUD_TOKEN", "ATATT-narrow");
    table.fails("an API token for another repository", scene, &fetch(scene));
    scene.set("BBCLOUD_USERNAME", "ada");
    scene.set("BBCLOUD_TOKEN", "ATBB-old");
    for (title, work) in [
        ("app passwords are gone", fetch as Work),
        ("app passwords are gone, on a push", push),
    ] {
        table.fails(title, scene, &refusing(scene, Refusal::AppPasswordGone, work));
    }
    scene.unset("BBCLOUD_USERNAME");
    scene.set("BBCLOUD_TOKEN", TOKEN);
}

fn permissions(table: &mut Table, scene: &Scene) {
    let read = Account::api_token("ada", "ATATT-read").read_only();
    scene.bitbucket.add_account(read);
    scene.set("BBCLOUD_TOKEN", "ATATT-read");
    table.fails("the token may not push", scene, &push(scene));
    scene.bitbucket.scope_refusals_as_json(true);
    table.fails("the token may not push, and the scopes are named", scene, &push(scene));
    scene.set("BBCLOUD_TOKEN", TOKEN);
    for (title, refusal) in [
        ("the token may not read", Refusal::MissingScope),
        ("this network is not allowed", Refusal::IpNotAllowed),
        ("two-step verification is missing", Refusal::TwoStepRequired),
        ("the edge blocks", Refusal::EdgeBlock),
        ("who asks may not read", Refusal::Forbidden),
    ] {
        table.fails(title, scene, &refusing(scene, refusal, fetch));
    }
    table.fails(
        "who asks may not push",
        scene,
        &refusing(scene, Refusal::Forbidden, push),
    );
    let wiki = |scene: &Scene| scene.git(&["ls-remote", &scene.url(WIKI)]);
    table.fails(
        "the token may not read the wiki",
        scene,
        &refusing(scene, Refusal::MissingScope, wiki),
    );
    let archive = |scene: &Scene| scene.git(&["archive", "--remote", &scene.url(MAIN), "main"]);
    table.fails(
        "who asks may have no archive",
        scene,
        &refusing(scene, Refusal::Forbidden, archive),
    );
}

fn statuses(table: &mut Table, scene: &Scene) {
    let traced = Refusal::Custom {
        status: 500,
        headers: vec![("x-b3-traceid".to_owned(), "f00d".to_owned())],
        content_type: "text/html".to_owned(),
        body: b"<html>oops</html>".to_vec(),
    };
    for (title, refusal, work) in [
        (
            "no such repository, or none for this account",
            Refusal::NotFound,
            fetch as Work,
        ),
        ("something else is gone", Refusal::AppPasswordGone, fetch),
        ("too many requests", Refusal::RateLimited { retry_after: 7 }, fetch),
        (
            "too many requests, and no word of when",
            custom(429, "text/plain", ""),
            push,
        ),
        ("maintenance", Refusal::Maintenance, fetch),
        ("maintenance, on a push", Refusal::Maintenance, push),
        ("the server is broken", traced, fetch),
        (
            "the server wants lengths in advance",
            custom(411, "text/html", ""),
            push,
        ),
        ("the request is too large", custom(413, "text/html", ""), fetch),
        (
            "the push is too large",
            custom(413, "text/plain", "Your repository exceeds 4 GB"),
            push,
        ),
        (
            "a status that nobody expects",
            custom(418, "text/plain", "short and stout"),
            fetch,
        ),
        (
            "the network wants to be signed in to",
            custom(511, "text/html", "<html>"),
            fetch,
        ),
        (
            "a page for browsers instead of an answer",
            custom(200, "text/html", "<html>Sign in</html>"),
            fetch,
        ),
        (
            "an answer of another type",
            custom(200, "application/octet-stream", ""),
            fetch,
        ),
        ("an answer of no type", custom(200, "", ""), fetch),
        ("a redirect without a target", custom(302, "", ""), fetch),
        ("a status for proxies", custom(407, "", ""), fetch),
    ] {
        table.fails(title, scene, &refusing(scene, refusal, work));
    }
    retries(table, scene);
}

fn retries(table: &mut Table, scene: &Scene) {
    scene.set("GIT_HTTP_MAX_RETRIES", "1");
    for (title, action, status) in [
        (
            "busy, and then not",
            Action::Refuse(Refusal::RateLimited { retry_after: 0 }),
            true,
        ),
        ("in trouble, and then not", Action::Refuse(custom(502, "", "")), true),
        ("cut, and then not", Action::Reset, true),
    ] {
        scene.bitbucket.fault(Fault::on("info/refs", action));
        let output = fetch(scene);
        assert_eq!(output.success(), status, "{}", output.stderr);
        table.add(title, scene, &output);
    }
    scene.set("GIT_HTTP_MAX_RETRIES", "0");
}

fn anonymous(table: &mut Table, scene: &Scene) {
    scene.unset("BBCLOUD_TOKEN");
    table.fails("nobody is signed in", scene, &fetch(scene));
    table.fails("nobody is signed in, on a push", scene, &push(scene));
    for (title, refusal) in [
        ("nobody may read", Refusal::Forbidden),
        ("no such repository for anybody", Refusal::NotFound),
        ("too many anonymous requests", Refusal::RateLimited { retry_after: 7 }),
    ] {
        table.fails(title, scene, &refusing(scene, refusal, fetch));
    }
    scene.set("BBCLOUD_TOKEN", TOKEN);
}

/// A proxy whose every way leads to the local Bitbucket.
pub(super) fn detour(port: u16) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let own = listener.local_addr().expect("it is bound").port();
    thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let _ended = lead(client, port);
        }
    });
    own
}

fn lead(mut client: TcpStream, port: u16) -> io::Result<()> {
    use io::{Read as _, Write as _};
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        client.read_exact(&mut byte)?;
        head.extend(byte);
    }
    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
    let server = TcpStream::connect(("127.0.0.1", port))?;
    let (mut from, mut to) = (client.try_clone()?, server.try_clone()?);
    thread::spawn(move || io::copy(&mut from, &mut to));
    let (mut from, mut to) = (server, client);
    thread::spawn(move || io::copy(&mut from, &mut to));
    Ok(())
}

/// Where some words are of Bitbucket Cloud itself.
fn at_bitbucket_org(table: &mut Table, scene: &Scene) {
    scene.set("BBCLOUD_BASE_URL", "https://bitbucket.org");
    let proxy = format!("http.proxy=http://127.0.0.1:{}", detour(scene.bitbucket.port()));
    let settings = ["-c", "http.sslVerify=false", "-c", &proxy, "ls-remote"];
    let ask = |name: &str| scene.git(&[&settings[..], &[&scene.url(name)]].concat());
    let trouble = |_: &Scene| ask(MAIN);
    table.fails(
        "bitbucket.org is in trouble",
        scene,
        &refusing(scene, Refusal::Maintenance, trouble),
    );
    let wiki = |_: &Scene| ask(WIKI);
    table.fails(
        "a wiki of bitbucket.org",
        scene,
        &refusing(scene, Refusal::NotFound, wiki),
    );
    scene.set("BBCLOUD_BASE_URL", scene.bitbucket.base_url());
}
