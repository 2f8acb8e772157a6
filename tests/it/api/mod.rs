//! `api`: the REST API's answers as they are, its refusals in words, and the secret to nobody but the API.

#[cfg(target_os = "linux")]
mod ends;

use std::fs;

use serde_json::Value;

use crate::bitbucket::{Account, Action, Bitbucket, Fault, Refusal, Request, Settings};
use crate::support::fixture::MAIN;
use crate::support::run::{Output, run_with_input};
use crate::support::scene::{Scene, TOKEN};

const COMMITS: &str = "/repositories/acme/widgets/commits";

/// A scene whose account can use the API.
fn scene() -> Scene {
    let scene = Scene::new();
    scene.set("BBCLOUD_API_URL", scene.bitbucket.api_url());
    scene.set("BBCLOUD_EMAIL", "ada@example.com");
    scene
}

fn api_in(scene: &Scene, directory: &str, arguments: &[&str], input: &[u8]) -> Output {
    let mut git = scene.command("git", &scene.path(directory));
    git.args(["remote-bbcloud", "api"]).args(arguments);
    let output = run_with_input(git, input);
    assert!(
        !output.stderr.contains(TOKEN) && !output.stdout.contains(TOKEN),
        "{output:?}"
    );
    output
}

fn api(scene: &Scene, arguments: &[&str]) -> Output {
    api_in(scene, "", arguments, &[])
}

fn json(output: &Output) -> Value {
    assert!(output.success(), "{}", output.stderr);
    serde_json::from_str(&output.stdout).expect("it is JSON")
}

fn custom(status: u16, content_type: &str, body: &str) -> Action {
    Action::Refuse(Refusal::Custom {
        status,
        headers: Vec::new(),
        content_type: content_type.to_owned(),
        body: body.as_bytes().to_vec(),
    })
}

fn last(bitbucket: &Bitbucket) -> Request {
    bitbucket.requests().last().expect("a request").clone()
}

fn header<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    let mut headers = request.headers.iter();
    let found = headers.find(|(known, _)| known.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.as_str())
}

#[test]
fn each_kind_of_secret_goes_as_the_api_wants_it() {
    let scene = scene();
    let newest = scene.server_git(MAIN, &["log", "--all", "-1", "--format=%H"]);
    let page = json(&api(&scene, &[COMMITS]));
    assert_eq!(page["values"][0]["hash"], newest.trim());
    assert_eq!(last(&scene.bitbucket).user.as_deref(), Some("ada@example.com"));
    scene.bitbucket.add_account(Account::access_token("ATCTT-robot"));
    scene.set("BBCLOUD_TOKEN", "ATCTT-robot");
    json(&api(&scene, &[COMMITS]));
    assert_eq!(last(&scene.bitbucket).user.as_deref(), Some("Bearer"));
    scene.bitbucket.add_account(Account::app_password("mia", "ATBB-mia"));
    scene.set("BBCLOUD_TOKEN", "ATBB-mia");
    scene.set("BBCLOUD_USERNAME", "mia");
    json(&api(&scene, &["/user"]));
    assert_eq!(last(&scene.bitbucket).user.as_deref(), Some("mia"));
    scene.unset("BBCLOUD_TOKEN");
    scene.bitbucket.set_public(MAIN, true);
    json(&api(&scene, &[COMMITS]));
    assert_eq!(last(&scene.bitbucket).user, None);
}

#[test]
fn an_api_token_without_its_address_is_not_sent() {
    let scene = scene();
    scene.unset("BBCLOUD_EMAIL");
    let output = api(&scene, &["/user"]);
    assert_eq!((output.code, output.stdout.as_str()), (Some(2), ""));
    assert!(
        output
            .stderr
            .contains("needs the e-mail address of your Atlassian account"),
        "{}",
        output.stderr
    );
    assert_eq!(scene.bitbucket.requests().len(), 0);
    scene.set("BBCLOUD_USERNAME", "ada@example.com");
    json(&api(&scene, &["/user"]));
}

#[test]
fn the_repository_one_stands_in_is_filled_in() {
    let scene = scene();
    scene.cloned();
    let path = "/repositories/{workspace}/{repo}/commits";
    json(&api_in(&scene, "clone", &[path], &[]));
    assert_eq!(last(&scene.bitbucket).path, format!("/2.0{COMMITS}"));
    let output = api(&scene, &[path]);
    assert_eq!(output.code, Some(2));
    assert!(
        output.stderr.contains("no 'bbcloud::' remote here"),
        "{}",
        output.stderr
    );
    scene.set("BITBUCKET_WORKSPACE", "acme");
    scene.set("BITBUCKET_REPO_SLUG", "widgets");
    json(&api(&scene, &[path]));
}

#[test]
fn all_pages_are_one_array_of_what_the_server_wrote() {
    let scene = scene();
    let whole = api(&scene, &[&format!("{COMMITS}?pagelen=100")]);
    let expected = json(&whole)["values"].clone();
    scene.bitbucket.clear_requests();
    let connections = scene.bitbucket.connections();
    let output = api(&scene, &["--paginate", &format!("{COMMITS}?pagelen=3")]);
    assert_eq!(json(&output), expected);
    assert_eq!(expected.as_array().map(Vec::len), Some(10));
    assert_eq!(scene.bitbucket.requests().len(), 4);
    assert_eq!(
        scene.bitbucket.connections() - connections,
        1,
        "one connection serves all pages"
    );
    // Not even the spaces are another's.
    let first = output
        .stdout
        .trim_start_matches('[')
        .split(",\n")
        .next()
        .expect("a value");
    assert!(whole.stdout.contains(first), "{first}");
    let output = api(&scene, &["--paginate", "/user"]);
    assert_eq!(json(&output)["username"], "ada");
}

#[test]
fn a_next_page_elsewhere_is_not_asked_for() {
    let scene = scene();
    let other = Bitbucket::start(Settings::default());
    for next in [
        format!("{}/x", other.api_url()),
        format!("{}/1.0/x", scene.bitbucket.base_url()),
        "file:///etc/passwd".to_owned(),
    ] {
        let page = format!(r#"{{"values": [1], "next": "{next}"}}"#);
        scene
            .bitbucket
            .fault(Fault::on("/x", custom(200, "application/json", &page)));
        let output = api(&scene, &["--paginate", "/x"]);
        assert_eq!(output.code, Some(1));
        assert!(
            output.stderr.contains("the next page is not of the API"),
            "{}",
            output.stderr
        );
        // What has been written is no whole array.
        assert_eq!(output.stdout, "[1");
    }
    assert_eq!(other.connections(), 0);
    let here = format!("{}/x", scene.bitbucket.api_url());
    let page = format!(r#"{{"values": [], "next": "{here}"}}"#);
    scene
        .bitbucket
        .fault(Fault::on("/x", custom(200, "application/json", &page)).always());
    let output = api(&scene, &["--paginate", "/x"]);
    assert!(output.stderr.contains("go round in a circle"), "{}", output.stderr);
}

#[test]
fn a_redirect_to_another_host_is_followed_without_the_secret() {
    let scene = scene();
    let storage = Bitbucket::start(Settings::default());
    let bytes = "\u{1}not JSON\r\n";
    storage.fault(Fault::on("/blob", custom(200, "application/octet-stream", bytes)));
    let both = [scene.bitbucket.ca_file(), storage.ca_file()].map(|file| fs::read_to_string(file).expect("a file"));
    fs::write(scene.path("both.pem"), both.concat()).expect("a file can be written");
    scene.set("GIT_SSL_CAINFO", scene.path("both.pem"));
    let location = format!("{}/blob?signature=x", storage.base_url());
    let moved = Action::Redirect { status: 302, location };
    scene.bitbucket.fault(Fault::on("/downloads/", moved.clone()).always());
    let path = "/repositories/acme/widgets/downloads/a.bin";
    let output = api(&scene, &[path]);
    assert_eq!(
        (output.code, output.stdout.as_str()),
        (Some(0), bytes),
        "{}",
        output.stderr
    );
    let asked = last(&storage);
    assert_eq!((asked.user, asked.path.as_str()), (None, "/blob"));
    assert_eq!(last(&scene.bitbucket).user.as_deref(), Some("ada@example.com"));
    // What may change something goes nowhere else.
    let output = api(&scene, &["-X", "DELETE", path]);
    assert_eq!(output.code, Some(1));
    assert_eq!(storage.requests().len(), 1);
}

#[test]
fn refusals_are_told_in_words_and_standard_output_stays_empty() {
    let scene = scene();
    let narrow = Account::api_token("eve", "ATATT-narrow").scopes(&[]);
    scene.bitbucket.add_account(narrow);
    let output = api(&scene, &["/repositories/acme/nothing/commits"]);
    assert_eq!((output.code, output.stdout.as_str()), (Some(1), ""));
    assert!(
        output
            .stderr
            .starts_with("remote: You may not have access to this repository"),
        "{}",
        output.stderr
    );
    assert!(
        output
            .stderr
            .contains("refused 'GET /2.0/repositories/acme/nothing/commits' (HTTP 404)")
    );
    scene.set("BBCLOUD_TOKEN", "ATATT-narrow");
    scene.set("BBCLOUD_EMAIL", "eve@example.com");
    let output = api(&scene, &[COMMITS]);
    assert!(
        output
            .stderr
            .contains("caused by: the token has no scopes; this operation requires read:repository:bitbucket"),
        "{}",
        output.stderr
    );
    scene.set("BBCLOUD_EMAIL", "other@example.com");
    let output = api(&scene, &[COMMITS]);
    assert!(
        output.stderr.contains("(HTTP 401)") && output.stderr.contains("check that 'other@example.com' is"),
        "{}",
        output.stderr
    );
}

#[test]
fn a_body_is_sent_as_json_with_any_method() {
    let scene = scene();
    let answer = r#"{"id": 7}"#;
    scene
        .bitbucket
        .fault(Fault::on("/things", custom(201, "application/json", answer)).always());
    let output = api_in(&scene, "", &["--input", "-", "/things"], b"{\"a\": 1}");
    assert_eq!(
        (output.code, output.stdout.as_str()),
        (Some(0), answer),
        "{}",
        output.stderr
    );
    let asked = last(&scene.bitbucket);
    assert_eq!((asked.method.as_str(), asked.body_bytes), ("POST", 8));
    assert_eq!(header(&asked, "content-type"), Some("application/json"));
    fs::write(scene.path("body.json"), b"{}").expect("a file can be written");
    for (method, arguments, bytes) in [
        ("PUT", &["-X", "put", "--input", "body.json", "/things"][..], 2),
        ("DELETE", &["-X", "DELETE", "/things"], 0),
        ("POST", &["--method", "POST", "/things"], 0),
    ] {
        let output = api(&scene, arguments);
        assert_eq!(output.stdout, answer, "{method}: {}", output.stderr);
        let asked = last(&scene.bitbucket);
        assert_eq!((asked.method.as_str(), asked.body_bytes), (method, bytes));
    }
    for wrong in [
        &["-X", "GET", "--input", "body.json", "/x"][..],
        &["-X", "POST", "--paginate", "/x"],
        &["x", "--paginate"],
    ] {
        assert_eq!(api(&scene, wrong).code, Some(2), "{wrong:?}");
    }
}

#[test]
fn the_secret_is_for_an_api_that_somebody_has_named() {
    let scene = scene();
    scene.unset("BBCLOUD_API_URL");
    scene.cloned();
    scene.bitbucket.clear_requests();
    let before = scene.bitbucket.requests().len();
    // A repository's own file is written by whoever made the repository.
    scene.git_ok("clone", &["config", "bbcloud.apiUrl", &scene.bitbucket.api_url()]);
    let output = api_in(&scene, "clone", &["/user"], &[]);
    assert_eq!(output.code, Some(2));
    assert!(output.stderr.contains("hint: set BBCLOUD_API_URL"), "{}", output.stderr);
    assert_eq!(scene.bitbucket.requests().len(), before);
    scene.git_ok(
        "clone",
        &["config", "--global", "bbcloud.apiUrl", &scene.bitbucket.api_url()],
    );
    json(&api_in(&scene, "clone", &["/user"], &[]));
}

#[test]
fn an_answer_that_is_cut_is_a_failure() {
    let scene = scene();
    scene
        .bitbucket
        .fault(Fault::on("/commits", Action::CutBody { after: 100 }));
    let output = api(&scene, &[COMMITS]);
    assert_eq!(output.code, Some(1));
    assert!(
        output.stderr.contains("response truncated after 100 bytes"),
        "{}",
        output.stderr
    );
}

/// What changes something is not safe to send again, and may have been done.
#[test]
fn a_change_whose_answer_is_lost_may_have_taken_effect() {
    let scene = scene();
    for (method, lost) in [("POST", true), ("DELETE", true), ("GET", false)] {
        scene
            .bitbucket
            .fault(Fault::on("/acme/widgets", Action::CutHead { after: 20 }).always());
        let output = api(&scene, &["-X", method, "/repositories/acme/widgets"]);
        let told = &output.stderr;
        assert!(!output.success());
        assert_eq!(
            told.contains("it may or may not have succeeded"),
            lost,
            "{method}: {told}"
        );
        assert_eq!(told.contains("it is safe to retry"), !lost, "{method}: {told}");
        let hint = "hint: check with 'git-remote-bbcloud api /repositories/acme/widgets' before retrying";
        assert_eq!(told.contains(hint), lost, "{method}: {told}");
        scene.bitbucket.clear_faults();
    }
}
