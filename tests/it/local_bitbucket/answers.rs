//! What is refused, and in which words.

use super::{APP_PASSWORD, Scene, TOKEN};
use crate::bitbucket::{ACCESS_TOKEN_USER, API_TOKEN_USER, Account, Action, Fault, Refusal, Scope, Settings};

#[test]
fn a_private_repository_asks_for_credentials_and_a_public_one_does_not() {
    let scene = Scene::new(Settings::default());
    let anonymous = format!("{}/acme/widgets.git", scene.bitbucket.base_url());
    assert!(
        scene
            .git_fails(&["ls-remote", &anonymous])
            .contains("could not read Username")
    );
    assert_eq!(scene.bitbucket.requests().last().unwrap().status, 401);
    scene.bitbucket.set_public("acme/widgets", true);
    scene.git_ok(&["clone", "--quiet", &anonymous, "clone"]);
    assert!(
        scene
            .git_fails(&["-C", "clone", "push", "origin", "HEAD:x"])
            .contains("could not read Username")
    );
}

#[test]
fn each_kind_of_secret_has_its_user_names() {
    let scene = Scene::new(Settings::default());
    scene.bitbucket.add_account(Account::access_token("ATCTT-full"));
    for (user, secret, status) in [
        (API_TOKEN_USER, TOKEN, 200),
        ("ada", TOKEN, 200),
        ("ada%40example.com", TOKEN, 401),
        (ACCESS_TOKEN_USER, TOKEN, 401),
        ("ada", APP_PASSWORD, 200),
        ("bob", APP_PASSWORD, 401),
        (ACCESS_TOKEN_USER, "ATCTT-full", 200),
        ("ada", "ATCTT-full", 401),
        ("ada", "wrong", 401),
    ] {
        scene.bitbucket.clear_requests();
        let output = scene.git(&["ls-remote", &scene.url_as(user, secret, "acme/widgets.git")]);
        assert_eq!(output.status.success(), status == 200, "{user} {secret}");
        assert_eq!(
            scene.bitbucket.requests().last().unwrap().status,
            status,
            "{user} {secret}"
        );
    }
}

#[test]
fn dead_app_passwords_are_gone_for_good() {
    let scene = Scene::new(Settings::default());
    scene.bitbucket.app_passwords_dead(true);
    let said = scene.git_fails(&["ls-remote", &scene.url_as("ada", APP_PASSWORD, "acme/widgets.git")]);
    assert!(
        said.contains("remote: App passwords are deprecated and must be replaced with API tokens."),
        "{said}"
    );
    assert!(said.contains("410"), "{said}");
    scene.git_ok(&["ls-remote", &scene.url("acme/widgets.git")]);
}

#[test]
fn scopes_and_repositories_limit_a_secret() {
    let scene = Scene::new(Settings::default());
    scene.bitbucket.create_repository("acme/other");
    scene
        .bitbucket
        .add_account(Account::api_token("ada", "narrow").read_only().only("acme/widgets"));
    scene.git_ok(&[
        "clone",
        "--quiet",
        &scene.url_as("ada", "narrow", "acme/widgets.git"),
        "clone",
    ]);
    let said = scene.git_fails(&["-C", "clone", "push", "origin", "HEAD:x"]);
    assert!(
        said.contains("remote: Your credentials lack one or more required privilege scopes."),
        "{said}"
    );
    let said = scene.git_fails(&["ls-remote", &scene.url_as("ada", "narrow", "acme/other.git")]);
    assert!(
        said.contains("remote: You may not have access to this repository"),
        "{said}"
    );
    scene
        .bitbucket
        .add_account(Account::api_token("ada", "write").scopes(&[Scope::Write]));
    scene.git_fails(&["ls-remote", &scene.url_as("ada", "write", "acme/widgets.git")]);
    scene.bitbucket.scope_refusals_as_json(true);
    let said = scene.git_fails(&["-C", "clone", "push", "origin", "HEAD:x"]);
    assert!(said.contains("403") && !said.contains("remote:"), "{said}");
}

#[test]
fn refusals_have_their_status() {
    let scene = Scene::new(Settings::default());
    let custom = Refusal::Custom {
        status: 418,
        headers: Vec::new(),
        content_type: String::new(),
        body: Vec::new(),
    };
    for (refusal, status) in [
        (Refusal::LegacyBadSecret, 401),
        (Refusal::AccountPassword, 401),
        (Refusal::IpNotAllowed, 403),
        (Refusal::TwoStepRequired, 403),
        (Refusal::Forbidden, 403),
        (Refusal::RateLimited { retry_after: 7 }, 429),
        (Refusal::NotFound, 404),
        (Refusal::Maintenance, 503),
        (Refusal::EdgeBlock, 403),
        (custom, 418),
    ] {
        scene.bitbucket.clear_requests();
        scene
            .bitbucket
            .fault(Fault::on("/info/refs", Action::Refuse(refusal)).always());
        scene.git_fails(&["ls-remote", &scene.url("acme/widgets.git")]);
        assert!(
            scene
                .bitbucket
                .requests()
                .iter()
                .any(|request| request.status == status),
            "{status}"
        );
        scene.bitbucket.clear_faults();
    }
    scene.git_ok(&["ls-remote", &scene.url("acme/widgets.git")]);
}
