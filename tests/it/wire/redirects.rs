//! Redirects: which are followed, what is said, and what does not go along.

use super::Scene;
use crate::bitbucket::{API_TOKEN_USER, Account, Action, Bitbucket, Fault, Settings};

fn redirect(status: u16, location: &str) -> Action {
    Action::Redirect {
        status,
        location: location.to_owned(),
    }
}

fn moved() -> Scene {
    let scene = Scene::new();
    scene.bitbucket.moved("acme/gadgets", "acme/widgets");
    scene
}

const OLD: [&str; 3] = ["ls-remote", "bbcloud::acme/gadgets", "main"];

#[test]
fn the_first_one_is_followed_and_told_as_git_tells_it() {
    let scene = moved();
    let output = scene.git(&OLD);
    assert!(output.status.success());
    let base = scene.bitbucket.base_url();
    assert_eq!(
        super::said(&output),
        format!("warning: redirecting to {base}/acme/widgets.git/\n")
    );
    assert_eq!(scene.bitbucket.connections(), 1, "the connection is used again");
    let quiet = scene.git(&["clone", "--quiet", "bbcloud::acme/gadgets", "quiet"]);
    assert_eq!(super::said(&quiet), "");
}

#[test]
fn settings_decide_what_is_followed() {
    let scene = moved().set("http.followRedirects", "false");
    let said = super::said(&scene.git(&OLD));
    assert!(said.contains("http.followRedirects is false"), "{said}");
    for (status, follow, good) in [
        (307, "initial", false),
        (307, "true", true),
        (302, "true", true),
        (308, "true", true),
    ] {
        let scene = Scene::new().set("http.followRedirects", follow);
        let here = scene.bitbucket.base_url() + "{target}";
        scene
            .bitbucket
            .fault(Fault::on("/git-upload-pack", redirect(status, &here)).method("POST"));
        assert_eq!(scene.ls_remote().status.success(), good, "{status} {follow}");
    }
}

#[test]
fn protocols_that_are_not_allowed_are_not_followed() {
    let scene = moved().variable("GIT_ALLOW_PROTOCOL", "bbcloud:http");
    assert!(scene.git(&OLD).status.success(), "our own addresses are https");
    let scene = moved().set("protocol.https.allow", "never");
    let said = super::said(&scene.git(&OLD));
    assert!(
        said.contains("protocol.allow or GIT_ALLOW_PROTOCOL forbids it"),
        "{said}"
    );
    let scene = Scene::new();
    scene
        .bitbucket
        .fault(Fault::on("info/refs", redirect(302, "http://localhost{target}")));
    assert!(scene.fails().contains("it leads away from TLS"));
}

#[test]
fn no_secret_goes_to_another_server() {
    let other = Bitbucket::start(Settings::default());
    other.create_repository("acme/widgets");
    other.commit("acme/widgets", "main", "Begin", &[("a", b"a")]);
    other.set_public("acme/widgets", true);
    other.add_account(Account::api_token("ada", super::TOKEN));
    let scene = Scene::new()
        .set("http.extraHeader", "Cookie: secret=1")
        .set("http.extraHeader", "X-Harmless: yes")
        .set("http.sslVerify", "false");
    let there = other.base_url() + "{target}";
    scene
        .bitbucket
        .fault(Fault::on("info/refs", redirect(302, &there)).always());
    scene.works();
    assert!(scene.bitbucket.requests()[0].header("authorization").is_some());
    let requests = other.requests();
    assert!(requests.len() >= 2, "what follows goes there, too");
    for request in requests {
        assert_eq!(request.header("authorization"), None);
        assert_eq!(request.header("cookie"), None);
        assert_eq!(request.header("x-harmless"), Some("yes"));
    }
}

#[test]
fn a_push_follows_the_new_base_and_is_not_sent_twice() {
    let scene = moved();
    scene.git_ok(&["init", "--quiet", "work"]);
    scene.git_ok(&["-C", "work", "commit", "--quiet", "--allow-empty", "-m", "One"]);
    scene.git_ok(&[
        "-C",
        "work",
        "push",
        "--quiet",
        "bbcloud::acme/gadgets",
        "HEAD:refs/heads/one",
    ]);
    let posts: Vec<_> = scene
        .bitbucket
        .requests()
        .into_iter()
        .filter(|request| request.method == "POST")
        .collect();
    assert_eq!(posts.len(), 1);
    assert_eq!(posts[0].path, "/acme/widgets.git/git-receive-pack");
}

#[test]
fn endless_redirects_end() {
    let scene = Scene::new();
    let here = scene.bitbucket.base_url() + "{target}";
    scene
        .bitbucket
        .fault(Fault::on("info/refs", redirect(302, &here)).always());
    assert!(scene.fails().contains("there were too many before it"));
    assert_eq!(scene.bitbucket.requests().len(), 21);
}

/// The other server has not seen the secret: what it says is not about that, and nobody forgets it or asks for another.
#[cfg(unix)]
#[test]
fn what_another_server_refuses_is_not_the_secret() {
    let other = Bitbucket::start(Settings::default());
    other.create_repository("acme/widgets");
    let scene = Scene::new()
        .set("http.sslVerify", "false")
        .variable("BBCLOUD_TOKEN", "");
    let there = other.base_url() + "{target}";
    let kept = scene
        .bitbucket
        .base_url()
        .replacen("://", &format!("://{API_TOKEN_USER}:{}@", super::TOKEN), 1);
    scene.canary.excuse_file(scene.file(".git-credentials"));
    std::fs::write(scene.file(".git-credentials"), &kept).expect("a file can be written");
    let askpass = super::askpass(&scene, "ATATT-typed");
    let scene = scene.set("credential.helper", "store").variable("GIT_ASKPASS", askpass);
    let mut told = Vec::new();
    for (at, proactive) in [(0, "none"), (1, "basic")] {
        scene.bitbucket.clear_faults();
        // Where nobody has been asked before, the first server asks, and leads away whoever it knows.
        let fault = Fault::on("info/refs", redirect(302, &there)).skip(1 - at).always();
        scene.bitbucket.fault(fault);
        let output = scene.git(&[
            "-c",
            &format!("http.proactiveAuth={proactive}"),
            "ls-remote",
            "bbcloud::acme/widgets",
        ]);
        assert!(!output.status.success());
        told.push(super::said(&output));
    }
    for told in told {
        assert!(
            told.contains("error: 'localhost' refused a request to read 'acme/widgets' (HTTP 401)"),
            "{told}"
        );
        assert!(
            told.contains("caused by: 'localhost' redirected the request there, and it was sent without the secret"),
            "{told}"
        );
        assert!(!told.contains("rejected"), "{told}");
    }
    assert!(other.requests().iter().all(|request| request.user.is_none()));
    assert!(!scene.file("questions").exists(), "nobody is asked");
    let still = std::fs::read_to_string(scene.file(".git-credentials")).expect("the file is there");
    assert_eq!(still.trim(), kept.trim());
}
