//! The server: what a good one looks like, and which check finds which trouble.

use std::net::TcpListener;
use std::time::{Duration, SystemTime};

use super::{examine, examine_in};
use crate::bitbucket::{Account, Action, Bitbucket, Fault, Refusal, Settings};
use crate::support::fixture::{MAIN, WIKI};
use crate::support::run::run;
use crate::support::scene::{Scene, TOKEN, Transport};

const FOR_MAIN: &[&str] = &["--for", MAIN];
const NETWORK: [&str; 5] = ["dns", "tcp", "tls", "http", "latency"];
const SERVER: [&str; 5] = ["read", "protocol", "push", "lfs", "rate-limit"];

/// The server's first page, with a clock.
fn page(time: SystemTime) -> Fault {
    let date = ("Date".to_owned(), httpdate::fmt_http_date(time));
    Fault::on(
        "/",
        Action::Refuse(Refusal::Custom {
            status: 200,
            headers: vec![date],
            content_type: "text/html".to_owned(),
            body: b"<html>".to_vec(),
        }),
    )
}

#[test]
fn where_all_is_well_every_check_says_so() {
    let scene = Scene::new();
    scene.bitbucket.fault(page(SystemTime::now()));
    let found = examine(&scene, FOR_MAIN);
    assert_eq!(found.names("fail"), Vec::<&str>::new(), "{}", found.written());
    assert_eq!(found.names("warn"), Vec::<&str>::new(), "{}", found.written());
    assert_eq!(found.names("skip"), ["keychain"], "{}", found.written());
    assert_eq!(found.names("ok").len(), 22);
    assert!(found.detail("tls").contains("TLSv1_3"), "{}", found.detail("tls"));
    let issuer = "issued by 'CN=Local Bitbucket throw-away CA'";
    assert!(found.detail("tls").contains(issuer), "{}", found.detail("tls"));
    assert!(
        found.detail("protocol").starts_with("version 2: "),
        "{}",
        found.detail("protocol")
    );
    assert!(
        found.detail("protocol").contains("fetch=shallow"),
        "{}",
        found.detail("protocol")
    );
    let read = "the API token of 'x-bitbucket-api-token-auth' in BBCLOUD_TOKEN may read 'acme/widgets'";
    assert_eq!(found.detail("read"), read);
    assert!(found.detail("rate-limit").contains("x-usage-quota-remaining: "));
    assert_eq!(found.output.stderr, "");
    assert_eq!(found.json["repository"], MAIN);
}

#[test]
fn the_list_for_people_has_the_same_in_words() {
    let scene = Scene::new();
    scene.bitbucket.revoke(TOKEN);
    let output = scene.git(&["remote-bbcloud", "doctor", "--for", MAIN]);
    assert_eq!(output.code, Some(1));
    let line = |start: &str| {
        output
            .stdout
            .lines()
            .find(|line| line.starts_with(start))
            .map(str::to_owned)
    };
    assert!(
        line("ok    git ").is_some_and(|line| line.contains("git version 2.")),
        "{}",
        output.stdout
    );
    assert!(
        line("fail  read ").is_some_and(|line| line.contains("(HTTP 401)")),
        "{}",
        output.stdout
    );
    assert!(
        output.stdout.contains("-> the token may be wrong, expired or revoked"),
        "{}",
        output.stdout
    );
    assert!(
        line("skip  push ").is_some_and(|line| line.contains("'read' fails")),
        "{}",
        output.stdout
    );
    assert!(!output.stdout.contains(TOKEN));
}

#[test]
fn the_repository_one_stands_in_is_meant_else_only_the_host() {
    let scene = Scene::new();
    scene.cloned();
    let found = examine_in(&scene, "clone", &[]);
    assert_eq!(
        (found.json["repository"].as_str(), found.status("push")),
        (Some(MAIN), "ok")
    );
    let found = examine(&scene, &[]);
    assert_eq!(found.json["repository"].as_str(), None);
    for name in NETWORK {
        assert_eq!(found.status(name), "ok", "{name}");
    }
    for name in SERVER {
        assert_eq!(found.status(name), "skip", "{name}");
        assert!(found.detail(name).contains("--for <workspace>/<repository>"));
    }
    scene.set("BITBUCKET_WORKSPACE", "acme");
    scene.set("BITBUCKET_REPO_SLUG", "widgets");
    assert_eq!(examine(&scene, &[]).json["repository"], MAIN);
    let found = examine(&scene, &["--for", WIKI]);
    assert_eq!(
        (found.json["repository"].as_str(), found.status("read")),
        (Some(WIKI), "ok")
    );
}

#[test]
fn one_dead_step_makes_the_later_ones_skip() {
    let scene = Scene::new();
    scene.set("BBCLOUD_BASE_URL", "https://nowhere.invalid");
    let found = examine(&scene, FOR_MAIN);
    assert_eq!(found.names("fail"), ["dns"], "{}", found.written());
    assert!(found.detail("dns").contains("could not resolve host 'nowhere.invalid'"));
    for name in NETWORK[1..].iter().chain(&SERVER) {
        assert_eq!(found.status(name), "skip", "{name}");
        assert_eq!(found.detail(name), "not looked at, because 'dns' fails");
    }
    let closed = TcpListener::bind("127.0.0.1:0")
        .expect("a port")
        .local_addr()
        .expect("it is bound");
    scene.set("BBCLOUD_BASE_URL", format!("https://{closed}"));
    let found = examine(&scene, FOR_MAIN);
    assert_eq!(
        (found.names("fail"), found.status("dns")),
        (vec!["tcp"], "ok"),
        "{}",
        found.written()
    );
}

#[test]
fn an_issuer_that_is_not_trusted_is_named() {
    let scene = Scene::new();
    scene.unset("GIT_SSL_CAINFO");
    let found = examine(&scene, FOR_MAIN);
    assert_eq!(found.names("fail"), ["tls"], "{}", found.written());
    assert!(
        found
            .detail("tls")
            .contains("issued by 'CN=Local Bitbucket throw-away CA'")
    );
    assert!(found.remedy("tls").contains("sslCAInfo"), "{}", found.remedy("tls"));
    // Only handshakes, and never a request.
    assert_eq!(scene.bitbucket.requests().len(), 0);
    scene.set("GIT_SSL_NO_VERIFY", "1");
    let found = examine(&scene, FOR_MAIN);
    assert_eq!((found.status("http-settings"), found.status("tls")), ("warn", "ok"));
}

#[test]
fn a_clock_that_is_off_is_noticed() {
    let scene = Scene::new();
    scene
        .bitbucket
        .fault(page(SystemTime::now() - Duration::from_secs(3600)));
    let found = examine(&scene, FOR_MAIN);
    assert_eq!(found.status("clock"), "warn");
    assert!(
        found.detail("clock").contains("minutes ahead of the server's"),
        "{}",
        found.detail("clock")
    );
    assert_eq!(found.output.code, Some(0));
}

#[test]
fn a_token_that_may_only_read_is_no_failure() {
    let scene = Scene::new();
    scene
        .bitbucket
        .add_account(Account::api_token("eve", "ATATT-read").read_only());
    scene.set("BBCLOUD_TOKEN", "ATATT-read");
    let found = examine(&scene, FOR_MAIN);
    assert_eq!((found.status("read"), found.status("push")), ("ok", "warn"));
    assert!(found.detail("push").contains("(HTTP 403)"), "{}", found.detail("push"));
    assert!(
        found.remedy("push").contains("write:repository:bitbucket"),
        "{}",
        found.remedy("push")
    );
}

#[test]
fn an_old_server_and_a_public_repository_are_told() {
    let settings = Settings {
        ignore_git_protocol: true,
        ..Settings::default()
    };
    let scene = Scene::with(Transport::Bbcloud, 2, settings);
    scene.unset("BBCLOUD_TOKEN");
    scene.bitbucket.set_public(MAIN, true);
    let found = examine(&scene, FOR_MAIN);
    assert!(
        found.detail("protocol").starts_with("version 0: "),
        "{}",
        found.detail("protocol")
    );
    assert_eq!(found.detail("read"), "anybody may read 'acme/widgets'");
    assert_eq!(found.status("push"), "skip");
}

#[test]
fn a_server_in_trouble_is_told_at_once() {
    let scene = Scene::new();
    let limited = Action::Refuse(Refusal::RateLimited { retry_after: 30 });
    scene.bitbucket.fault(Fault::on("info/refs", limited).always());
    let start = std::time::Instant::now();
    let found = examine(&scene, FOR_MAIN);
    assert_eq!(found.names("fail"), ["read"], "{}", found.written());
    assert!(found.remedy("read").contains("30 seconds"), "{}", found.remedy("read"));
    assert_eq!(found.status("rate-limit"), "warn");
    assert!(start.elapsed() < Duration::from_secs(20), "it waited");
}

#[test]
fn a_sign_in_page_of_the_network_is_not_taken_for_git() {
    let scene = Scene::new();
    scene
        .bitbucket
        .fault(Fault::on("info/refs", Action::ContentType("text/html".to_owned())).always());
    let found = examine(&scene, FOR_MAIN);
    assert_eq!(found.names("fail"), ["read"]);
    assert!(
        found.detail("read").contains("a sign-in page of this network"),
        "{}",
        found.detail("read")
    );
}

#[test]
fn a_redirect_to_another_host_gets_no_secret() {
    let scene = Scene::new();
    let location = format!(
        "{}{{target}}",
        scene.bitbucket.base_url().replace("localhost", "127.0.0.1")
    );
    scene
        .bitbucket
        .fault(Fault::on("info/refs", Action::Redirect { status: 302, location }));
    let found = examine(&scene, FOR_MAIN);
    assert_eq!(found.status("read"), "fail", "{}", found.written());
    let asked = scene.bitbucket.requests();
    let moved = asked.iter().rfind(|request| request.path.ends_with("info/refs"));
    assert_eq!(moved.expect("the redirect was followed").user, None);
    // That server refused a request without a secret, which says nothing about the secret.
    assert!(!found.detail("read").contains("rejected"), "{}", found.written());
}

/// A repository that another server shows to everybody says nothing about who may read it here.
#[test]
fn an_answer_of_another_host_is_no_verdict_on_the_secret() {
    let scene = Scene::new();
    let other = Bitbucket::start(Settings::default());
    other.create_repository(MAIN);
    other.commit(MAIN, "main", "Other", &[("other", b"other\n")]);
    other.set_public(MAIN, true);
    let both = [scene.bitbucket.ca_file(), other.ca_file()];
    let both = both.map(|file| std::fs::read_to_string(file).expect("the certificate is there"));
    std::fs::write(scene.path("both.pem"), both.concat()).expect("written");
    scene.set("GIT_SSL_CAINFO", scene.path("both.pem"));
    let location = format!("{}{{target}}", other.base_url());
    let redirect = Action::Redirect { status: 302, location };
    scene.bitbucket.fault(Fault::on("info/refs", redirect).always());
    let found = examine(&scene, FOR_MAIN);
    assert_eq!(found.status("read"), "fail", "{}", found.written());
    assert!(
        found.detail("read").contains("leads to another server"),
        "{}",
        found.written()
    );
}

#[test]
fn large_files_are_found_and_the_one_command_named() {
    let scene = Scene::new();
    scene.cloned();
    let found = examine_in(&scene, "clone", &[]);
    assert_eq!(found.status("lfs"), "ok", "{}", found.written());
    scene.commit(
        "clone",
        ".gitattributes",
        b"*.bin filter=lfs diff=lfs merge=lfs -text\n",
    );
    let found = examine_in(&scene, "clone", &[]);
    assert_eq!(found.status("lfs"), "warn");
    let remedy = found.remedy("lfs").to_owned();
    let words: Vec<&str> = remedy.split(' ').collect();
    assert_eq!(words[0], "git-remote-bbcloud", "{remedy}");
    let mut product = scene.command(words[0], &scene.path("clone"));
    product.args(&words[1..]);
    assert!(run(product).success(), "{remedy}");
    assert_eq!(examine_in(&scene, "clone", &[]).status("lfs"), "ok");
    let refused = Action::Refuse(Refusal::Forbidden);
    scene.bitbucket.fault(Fault::on("info/lfs/objects/batch", refused));
    let found = examine_in(&scene, "clone", &[]);
    assert_eq!(found.status("lfs"), "warn");
    assert!(found.remedy("lfs").contains(".access basic"), "{}", found.remedy("lfs"));
    let none = Action::Refuse(Refusal::NotFound);
    scene.bitbucket.fault(Fault::on("info/lfs/objects/batch", none));
    assert_eq!(examine_in(&scene, "clone", &[]).status("lfs"), "skip");
}
