//! What the server says to a secret of the keychain, and what becomes of it: nothing is deleted by itself.

use super::desktop::Desktop;
use super::{askpass, helper, keep, last_user, ls_remote, noted, person, says, scene, users};
use crate::bitbucket::{Account, Action, Fault, Refusal, Scope};
use crate::support::scene::{Scene, TOKEN};

const WIDGETS: &str = "acme/widgets";

#[track_caller]
fn refused(scene: &Scene, words: &[&str]) {
    let output = ls_remote(scene, WIDGETS);
    assert_eq!(output.code, Some(128), "{}", output.stderr);
    says(&output.stderr, words);
}

#[track_caller]
fn still_kept(desktop: &Desktop, secret: &str) {
    assert!(
        desktop.secrets().iter().any(|(_, kept)| kept == secret),
        "it was deleted"
    );
}

#[test]
fn a_rejected_secret_stays_and_others_are_asked_in_their_order() {
    let scene = scene();
    let desktop = Desktop::start(&scene);
    keep(&scene, "ATATT-old", &["--for", "acme"]);
    refused(
        &scene,
        &[
            "remote: Invalid credentials",
            "error: 'localhost' rejected the API token of 'x-bitbucket-api-token-auth' for 'acme/widgets' (HTTP 401)",
            "caused by: the token came from the keychain",
            "hint: the token may be wrong, expired or revoked; run 'git-remote-bbcloud login --replace --for acme'",
        ],
    );
    person(&scene, "helper");
    helper(&scene, "helper", "ATBB-helper");
    askpass(&scene, "ada", TOKEN);
    scene.bitbucket.clear_requests();
    assert!(ls_remote(&scene, WIDGETS).success());
    assert_eq!(users(&scene), ["x-bitbucket-api-token-auth", "helper"]);
    assert_eq!(noted(&scene, "questions"), "");
    still_kept(&desktop, "ATATT-old");

    scene.bitbucket.revoke("ATBB-helper");
    let output = ls_remote(&scene, WIDGETS);
    assert!(output.success(), "{}", output.stderr);
    assert_eq!(output.stderr, "", "a program has answered");
    let told = noted(&scene, "told");
    assert!(!told.contains("== erase"), "{told}");
    says(&told, &[&format!("password={TOKEN}")]);
    still_kept(&desktop, TOKEN);
}

#[test]
fn an_account_without_access_is_not_called_wrong() {
    let scene = scene();
    let desktop = Desktop::start(&scene);
    scene
        .bitbucket
        .add_account(Account::api_token("eve", "ATATT-eve").only("acme/parts"));
    keep(&scene, "ATATT-eve", &[]);
    refused(
        &scene,
        &[
            "remote: You may not have access",
            "(HTTP 401)",
            "hint: check that the account has access to the repository",
        ],
    );
    assert!(ls_remote(&scene, "acme/parts").success());
    still_kept(&desktop, "ATATT-eve");
}

#[test]
fn app_passwords_that_were_switched_off_are_explained_with_the_way_out() {
    let scene = scene();
    let desktop = Desktop::start(&scene);
    keep(&scene, &person(&scene, "ann"), &["--username", "ann"]);
    assert!(ls_remote(&scene, WIDGETS).success());
    scene.bitbucket.app_passwords_dead(true);
    let host = format!("localhost:{}", scene.bitbucket.port());
    let hint = format!("git-remote-bbcloud login --replace --for {host}");
    refused(
        &scene,
        &[
            "remote: CHANGE-3222",
            "app password",
            "(HTTP 410)",
            "https://id.atlassian.com/manage-profile/security/api-tokens",
            &hint,
        ],
    );
    still_kept(&desktop, "ATBB-ann");
    // What the hint says is what helps.
    keep(&scene, TOKEN, &["--replace", "--for", &host]);
    assert!(ls_remote(&scene, WIDGETS).success());
    assert_eq!(last_user(&scene).as_deref(), Some("x-bitbucket-api-token-auth"));
    assert_eq!(desktop.secrets().len(), 1);
}

#[test]
fn where_somebody_is_there_the_command_goes_on_after_410() {
    let scene = scene();
    let desktop = Desktop::start(&scene);
    keep(&scene, &person(&scene, "ann"), &["--username", "ann"]);
    scene.bitbucket.app_passwords_dead(true);
    askpass(&scene, "", TOKEN);
    let output = ls_remote(&scene, WIDGETS);
    assert!(output.success(), "{}", output.stderr);
    assert_eq!(output.stderr, "");
    let secrets: Vec<_> = desktop.secrets().into_iter().map(|(_, secret)| secret).collect();
    assert_eq!(secrets, [TOKEN]);
}

#[test]
fn a_missing_permission_names_what_is_granted_and_what_is_required() {
    let scene = scene();
    let desktop = Desktop::start(&scene);
    scene
        .bitbucket
        .add_account(Account::api_token("ada", "ATATT-narrow").scopes(&[Scope::Wiki]));
    keep(&scene, "ATATT-narrow", &["--for", WIDGETS]);
    let hint = "hint: then run 'git-remote-bbcloud login --replace --for acme/widgets'";
    refused(
        &scene,
        &["caused by: the token lacks a scope", "read:repository:bitbucket", hint],
    );
    scene.bitbucket.scope_refusals_as_json(true);
    refused(
        &scene,
        &[
            "caused by: the token has scope read:wiki:bitbucket; this operation requires read:repository:bitbucket",
            hint,
        ],
    );
    still_kept(&desktop, "ATATT-narrow");
}

#[test]
fn refusals_that_no_secret_mends_ask_nobody() {
    let scene = scene();
    let desktop = Desktop::start(&scene);
    keep(&scene, TOKEN, &[]);
    person(&scene, "helper");
    helper(&scene, "helper", "ATBB-helper");
    askpass(&scene, "ada", TOKEN);
    for (refusal, words) in [
        (Refusal::IpNotAllowed, "the workspace allows only certain IP addresses"),
        (Refusal::TwoStepRequired, "the workspace requires two-step verification"),
        (Refusal::NotFound, "HTTP 404"),
    ] {
        scene
            .bitbucket
            .fault(Fault::on("acme/widgets", Action::Refuse(refusal)));
        refused(&scene, &[words]);
    }
    assert_eq!(noted(&scene, "told") + &noted(&scene, "questions"), "");
    still_kept(&desktop, TOKEN);
}

#[test]
fn a_wrong_user_name_for_this_kind_is_recognised() {
    let scene = scene();
    let _desktop = Desktop::start(&scene);
    keep(&scene, TOKEN, &["--username", "x-token-auth"]);
    refused(
        &scene,
        &["HTTP 401", "hint: 'x-token-auth' is the user name for access tokens"],
    );
}
