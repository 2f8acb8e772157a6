//! What requests say of themselves and of who is asking: headers, cookies, languages.

use super::{Scene, said};
use crate::bitbucket::{Action, Fault, Refusal};

/// The values of the header `name` in both requests of a session.
fn sent(scene: &Scene, name: &str) -> Vec<Option<String>> {
    scene.forget_advertisements();
    scene.bitbucket.clear_requests();
    scene.works();
    let requests = scene.bitbucket.requests();
    requests
        .iter()
        .map(|request| request.header(name).map(str::to_owned))
        .collect()
}

fn all(scene: &Scene, name: &str, value: Option<&str>) {
    let values = sent(scene, name);
    assert!(
        values.len() > 1 && values.iter().all(|sent| sent.as_deref() == value),
        "{name}: {values:?}"
    );
}

#[test]
fn the_user_agent_begins_like_gits_and_can_be_set() {
    assert!(
        sent(&Scene::new(), "user-agent")
            .iter()
            .all(|agent| agent.as_ref().unwrap().starts_with("git/"))
    );
    let scene = Scene::new().set("http.userAgent", "mine/1");
    all(&scene, "user-agent", Some("mine/1"));
    all(
        &scene.variable("GIT_HTTP_USER_AGENT", "theirs/2"),
        "user-agent",
        Some("theirs/2"),
    );
    all(&Scene::new().set("http.userAgent", ""), "user-agent", None);
}

#[test]
fn extra_headers_are_added_replace_ours_or_keep_it_from_being_sent() {
    let scene = Scene::new()
        .set("http.extraHeader", "X-One: 1")
        .set("http.extraHeader", "Accept: */*, text/plain");
    all(&scene, "x-one", Some("1"));
    all(&scene, "accept", Some("*/*, text/plain"));
    all(&scene.set("http.extraHeader", "User-Agent:"), "user-agent", None);
    let scene = Scene::new().set("http.extraHeader", "Host: elsewhere");
    all(&scene, "host", Some("elsewhere"));
    Scene::new().set("http.extraHeader", "Content-Length: 3").works();
    // As build servers do it: the header's secret is the one that counts.
    let scene = Scene::new().set("http.extraHeader", "Authorization: Basic eA==");
    assert!(scene.fails().contains("HTTP 401"));
    let scene = Scene::new()
        .set("http.extraHeader", "X-One: 1")
        .set("http.extraHeader", "");
    all(&scene, "x-one", None);
}

#[test]
fn the_users_languages_are_told() {
    all(&Scene::new(), "accept-language", None);
    let scene = Scene::new().variable("LANGUAGE", "de_DE:en");
    all(&scene, "accept-language", Some("de-DE, en;q=0.9, *;q=0.8"));
}

#[test]
fn http_2_is_taken_as_a_wish_and_other_versions_are_warned_of() {
    assert_eq!(Scene::new().set("http.version", "HTTP/2").works(), "");
    assert_eq!(Scene::new().set("http.version", "HTTP/1.1").works(), "");
    let told = Scene::new().set("http.version", "HTTP/9").works();
    assert_eq!(told, "warning: unknown value given to http.version: 'HTTP/9'\n");
}

#[test]
fn cookies_are_read_and_saved() {
    let scene = Scene::new();
    let file = scene.file("cookies");
    let own = "localhost\tFALSE\t/\tTRUE\t0\town\t1\nlocalhost\tFALSE\t/other\tTRUE\t0\tno\t1\n";
    std::fs::write(&file, own).unwrap();
    let scene = scene.set("http.cookieFile", &file);
    all(&scene, "cookie", Some("own=1"));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), own);
    let scene = scene.set("http.saveCookies", "true");
    let busy = Refusal::Custom {
        status: 503,
        headers: vec![
            ("Set-Cookie".to_owned(), "route=a; Path=/; Max-Age=900".to_owned()),
            ("Retry-After".to_owned(), "0".to_owned()),
        ],
        content_type: String::new(),
        body: Vec::new(),
    };
    scene.bitbucket.fault(Fault::on("info/refs", Action::Refuse(busy)));
    let values = sent(&scene, "cookie");
    assert_eq!(values.first().unwrap().as_deref(), Some("own=1"));
    assert!(
        values
            .get(1..)
            .unwrap()
            .iter()
            .all(|value| value.as_deref() == Some("own=1; route=a")),
        "{values:?}"
    );
    let saved = std::fs::read_to_string(&file).unwrap();
    assert!(
        saved.contains("\troute\ta\n") && saved.contains("\town\t1\n"),
        "{saved}"
    );
}

#[test]
fn settings_that_git_refuses_are_refused() {
    for (key, value) in [
        ("http.followRedirects", "maybe"),
        ("http.sslVerify", "maybe"),
        ("http.extraHeader", "X: a\nX-Evil: b"),
        ("http.postBuffer", "much"),
        ("http.proxy", "gopher://x"),
    ] {
        let output = Scene::new().set(key, value).ls_remote();
        assert!(!output.status.success(), "{key}={value}");
        assert!(
            said(&output).contains("hint: ") || said(&output).contains("bad "),
            "{}",
            said(&output)
        );
    }
}

#[test]
fn what_has_no_effect_is_warned_of_once() {
    let scene = Scene::new()
        .set("http.sslCipherList", "x")
        .set("http.sslBackend", "openssl");
    assert_eq!(scene.works(), "warning: http.sslCipherList has no effect here\n");
    let scene = Scene::new().variable("GIT_SSL_CIPHER_LIST", "x");
    assert_eq!(scene.works(), "warning: GIT_SSL_CIPHER_LIST has no effect here\n");
    assert_eq!(Scene::new().variable("GIT_TRACE_CURL_COMPONENTS", "ssl").works(), "");
}
