//! Refusals in HTTP: each status, in the words for the user.

use std::time::Duration;

use super::{FETCH, PUSH, check, refused, refused_with, scene};
use crate::bitbucket::{ACCESS_TOKEN_USER, Account, Action, Refusal};
use crate::support::fixture::noise;
use crate::support::scene::Scene;

fn refusal(scene: &Scene, refusal: Refusal, arguments: &[&str], expected: &str) {
    let said = refused_with(scene, "acme/widgets", Action::Refuse(refusal), arguments);
    check(&said, expected);
}

#[test]
fn who_asks_is_not_known() {
    let scene = scene();
    scene.set("BBCLOUD_TOKEN", "ATATT-wrong");
    check(
        &refused(&scene, FETCH),
        "remote: Invalid credentials\n\
         error: 'localhost' rejected the API token of 'x-bitbucket-api-token-auth' for 'acme/widgets' (HTTP 401)\n\
         caused by: the token came from BBCLOUD_TOKEN\n\
         hint: the token may be wrong, expired or revoked; set BBCLOUD_TOKEN to a new one\n",
    );
    scene.set("BBCLOUD_USERNAME", ACCESS_TOKEN_USER);
    scene.set("BBCLOUD_TOKEN", crate::support::scene::TOKEN);
    check(
        &refused(&scene, PUSH),
        "remote: You may not have access to this repository or it no longer exists in this workspace. If you think this repository exists and you have access, make sure you are authenticated.\n\
         error: 'localhost' rejected the API token of 'x-token-auth' for 'acme/widgets' (HTTP 401)\n\
         caused by: the token came from BBCLOUD_TOKEN\n\
         hint: 'x-token-auth' is the user name for access tokens; omit it and 'x-bitbucket-api-token-auth' is used\n",
    );
    scene.unset("BBCLOUD_USERNAME");
    scene.bitbucket.create_repository("acme/other");
    scene
        .bitbucket
        .add_account(Account::api_token("ada", "ATATT-narrow").only("acme/other"));
    scene.set("BBCLOUD_TOKEN", "ATATT-narrow");
    check(
        &refused(&scene, FETCH),
        "remote: You may not have access to this repository or it no longer exists in this workspace. If you think this repository exists and you have access, make sure you are authenticated.\n\
         error: 'localhost' rejected the API token of 'x-bitbucket-api-token-auth' for 'acme/widgets' (HTTP 401)\n\
         caused by: the token came from BBCLOUD_TOKEN\n\
         hint: check that the account has access to the repository, and that the token is for this workspace\n\
         hint: set BBCLOUD_TOKEN to a new one\n",
    );
    scene.unset("BBCLOUD_TOKEN");
    check(
        &refused(&scene, FETCH),
        "remote: You may not have access to this repository or it no longer exists in this workspace. If you think this repository exists and you have access, make sure you are authenticated.\n\
         error: authentication required for 'acme/widgets' at 'localhost' (HTTP 401)\n\
         hint: run 'git-remote-bbcloud login --for acme/widgets'\n\
         hint: or, on a build server, set BBCLOUD_TOKEN (and BBCLOUD_USERNAME for an app password)\n",
    );
}

#[test]
fn who_asks_may_not() {
    let scene = scene();
    scene
        .bitbucket
        .add_account(Account::api_token("ada", "ATATT-read").read_only());
    scene.set("BBCLOUD_TOKEN", "ATATT-read");
    check(
        &refused(&scene, PUSH),
        "remote: Your credentials lack one or more required privilege scopes.\n\
         error: 'localhost' does not allow 'x-bitbucket-api-token-auth' to push to 'acme/widgets' (HTTP 403)\n\
         caused by: the token lacks a scope\n\
         hint: create an API token with read:repository:bitbucket and write:repository:bitbucket at https://id.atlassian.com/manage-profile/security/api-tokens\n\
         hint: then set BBCLOUD_TOKEN to a new one\n",
    );
    scene.bitbucket.scope_refusals_as_json(true);
    check(
        &refused(&scene, PUSH),
        "remote: Your credentials lack one or more required privilege scopes.\n\
         error: 'localhost' does not allow 'x-bitbucket-api-token-auth' to push to 'acme/widgets' (HTTP 403)\n\
         caused by: the token has scope read:repository:bitbucket, read:wiki:bitbucket; this operation requires write:repository:bitbucket\n\
         hint: create an API token with read:repository:bitbucket and write:repository:bitbucket at https://id.atlassian.com/manage-profile/security/api-tokens\n\
         hint: then set BBCLOUD_TOKEN to a new one\n",
    );
    refusal(
        &scene,
        Refusal::IpNotAllowed,
        FETCH,
        "remote: To access this repository, an admin must whitelist your IP.\n\
         error: 'localhost' does not allow 'x-bitbucket-api-token-auth' to read 'acme/widgets' (HTTP 403)\n\
         caused by: the workspace allows only certain IP addresses, and this network's is not one of them\n\
         hint: use the company's network or VPN, or ask a workspace admin to allow this address\n",
    );
    refusal(
        &scene,
        Refusal::TwoStepRequired,
        FETCH,
        "remote: To access this repository, enable two-step authentication.\n\
         error: 'localhost' does not allow 'x-bitbucket-api-token-auth' to read 'acme/widgets' (HTTP 403)\n\
         caused by: the workspace requires two-step verification\n\
         hint: turn it on at https://id.atlassian.com/manage-profile/security/two-step-verification\n",
    );
    refusal(
        &scene,
        Refusal::EdgeBlock,
        FETCH,
        "error: 'localhost' does not allow 'x-bitbucket-api-token-auth' to read 'acme/widgets' (HTTP 403)\n\
         caused by: Atlassian's edge blocked the request before Bitbucket saw it\n\
         hint: try again in a minute\n",
    );
    refusal(
        &scene,
        Refusal::Forbidden,
        PUSH,
        "remote: The requested repository either does not exist or you do not have access. If you believe this repository exists and you have access, make sure you're authenticated.\n\
         error: 'localhost' does not allow 'x-bitbucket-api-token-auth' to push to 'acme/widgets' (HTTP 403)\n\
         hint: check the address and the account: 'git-remote-bbcloud status --check --for acme/widgets'\n",
    );
}

#[test]
fn what_is_asked_for_is_not_there() {
    let scene = scene();
    refusal(
        &scene,
        Refusal::NotFound,
        FETCH,
        "remote: Not Found\n\
         error: repository 'acme/widgets' not found, or 'x-bitbucket-api-token-auth' has no access to it (HTTP 404)\n\
         hint: check that <>acme/widgets opens in a browser, and that the account has access to it\n",
    );
    refusal(
        &scene,
        Refusal::AppPasswordGone,
        FETCH,
        "remote: CHANGE-3222 - Functionality has been deprecated\n\
         remote: App passwords are deprecated and must be replaced with API tokens.\n\
         remote: https://developer.atlassian.com/cloud/bitbucket/changelog#CHANGE-3222\n\
         error: 'localhost' no longer offers 'acme/widgets' (HTTP 410)\n",
    );
    scene.bitbucket.add_account(Account::app_password("ada", "ATBB-old"));
    scene.bitbucket.app_passwords_dead(true);
    scene.set("BBCLOUD_USERNAME", "ada");
    scene.set("BBCLOUD_TOKEN", "ATBB-old");
    check(
        &refused(&scene, PUSH),
        "remote: CHANGE-3222 - Functionality has been deprecated\n\
         remote: App passwords are deprecated and must be replaced with API tokens.\n\
         remote: https://developer.atlassian.com/cloud/bitbucket/changelog#CHANGE-3222\n\
         error: 'localhost' no longer accepts app passwords (HTTP 410)\n\
         hint: create an API token with read:repository:bitbucket and write:repository:bitbucket at https://id.atlassian.com/manage-profile/security/api-tokens\n\
         hint: then set BBCLOUD_TOKEN to a new one\n",
    );
}

#[test]
fn the_server_is_in_trouble() {
    let scene = scene();
    refusal(
        &scene,
        Refusal::RateLimited { retry_after: 7 },
        FETCH,
        "remote: Rate limit for this resource has been exceeded\n\
         error: rate limit exceeded at 'localhost' (HTTP 429)\n\
         hint: try again in 7 seconds\n",
    );
    refusal(
        &scene,
        Refusal::Maintenance,
        FETCH,
        "error: 'localhost' is unavailable (HTTP 503)\n\
         hint: try again in a minute\n\
         hint: Bitbucket's support can look up the request '<id>'\n",
    );
    refusal(
        &scene,
        Refusal::Maintenance,
        PUSH,
        "error: 'localhost' is unavailable (HTTP 503)\n\
         hint: check with 'git ls-remote' whether the push took effect before retrying\n\
         hint: Bitbucket's support can look up the request '<id>'\n",
    );
    let broken = Refusal::Custom {
        status: 500,
        headers: vec![("x-b3-traceid".to_owned(), "f00d".to_owned())],
        content_type: "text/html".to_owned(),
        body: b"<html>oops</html>".to_vec(),
    };
    refusal(
        &scene,
        broken,
        FETCH,
        "error: 'localhost' is unavailable (HTTP 500)\n\
         hint: try again in a minute\n\
         hint: Bitbucket's support can look up the request 'f00d'\n",
    );
    let odd = Refusal::Custom {
        status: 418,
        headers: Vec::new(),
        content_type: "text/plain".to_owned(),
        body: b"short\x1b[2J and stout\n".to_vec(),
    };
    refusal(
        &scene,
        odd,
        FETCH,
        "remote: short?[2J and stout\n\
         error: 'localhost' refused a request to read 'acme/widgets' (HTTP 418)\n\
         hint: see what the server returns: 'curl -sI <>acme/widgets'\n",
    );
}

/// The refusal comes while the pack is still being sent, and is read all the same.
#[test]
fn a_push_that_is_too_large() {
    let scene = scene();
    scene.commit("clone", "large", &noise(4_000_000));
    let refusal = Refusal::Custom {
        status: 413,
        headers: Vec::new(),
        content_type: "text/plain".to_owned(),
        body: b"Your repository exceeds 4 GB".to_vec(),
    };
    let early = Action::RefuseEarly {
        refusal,
        linger: Duration::from_secs(2),
    };
    check(
        &refused_with(&scene, "/git-receive-pack", early, PUSH),
        "remote: Your repository exceeds 4 GB\n\
         error: push rejected by 'localhost': too large (HTTP 413)\n\
         hint: push in smaller batches: 'git push origin <an older commit>:refs/heads/<branch>', then the rest\n",
    );
    let posts = scene.bitbucket.requests();
    let posts = posts
        .iter()
        .filter(|request| request.method == "POST" && request.path.ends_with("receive-pack"));
    assert_eq!(posts.count(), 1);
}

#[test]
fn the_answer_is_a_page_or_leads_elsewhere() {
    let scene = scene();
    let page = Refusal::Custom {
        status: 200,
        headers: Vec::new(),
        content_type: "text/html; charset=utf-8".to_owned(),
        body: b"<html>Sign in</html>".to_vec(),
    };
    refusal(
        &scene,
        page,
        FETCH,
        "error: unexpected content type 'text/html' (expected 'application/x-git-upload-pack-advertisement')\n\
         caused by: a proxy or a sign-in page of this network may have answered instead of the server\n\
         hint: see what the server returns: 'curl -sI <>acme/widgets'\n",
    );
    let odd = Action::ContentType("application/octet-stream".to_owned());
    check(
        &refused_with(&scene, "info/refs", odd, FETCH),
        "error: unexpected content type 'application/octet-stream' (expected 'application/x-git-upload-pack-advertisement')\n\
         hint: nothing was changed; it is safe to try again\n",
    );
    let away = |location: &str| {
        let action = Action::Redirect {
            status: 302,
            location: location.to_owned(),
        };
        refused_with(&scene, "info/refs", action, FETCH)
    };
    check(
        &away("https://localhost:1/sign-in"),
        "error: the server redirected to 'https://localhost:1/sign-in', which was not followed\n\
         caused by: it does not end as the request does, so the repository's new address is unknown\n\
         hint: check the address and BBCLOUD_BASE_URL\n",
    );
    check(
        &away("http://elsewhere.example{target}"),
        "error: the server redirected to 'http://elsewhere.example/acme/widgets.git/info/refs?service=git-upload-pack', which was not followed\n\
         caused by: it leads away from TLS\n\
         hint: check the address and BBCLOUD_BASE_URL\n",
    );
    check(
        &away("/account/signin"),
        "error: the server redirected to '<>account/signin', which was not followed\n\
         caused by: it does not end as the request does, so the repository's new address is unknown\n\
         hint: check the address and BBCLOUD_BASE_URL\n",
    );
    let post = Action::Redirect {
        status: 307,
        location: "/elsewhere{target}".to_owned(),
    };
    check(
        &refused_with(&scene, "/git-receive-pack", post, PUSH),
        "error: the server redirected to '/elsewhere/acme/widgets.git/git-receive-pack', which was not followed\n\
         caused by: only the first request is redirected unless http.followRedirects is true\n\
         hint: check the address and BBCLOUD_BASE_URL\n",
    );
}

/// The network's own server answers, and says so (RFC 6585, section 6).
#[test]
fn a_network_that_wants_to_be_signed_in_to_is_named() {
    let scene = scene();
    let page = Refusal::Custom {
        status: 511,
        headers: Vec::new(),
        content_type: "text/html".to_owned(),
        body: b"<html>Welcome to the hotel</html>".to_vec(),
    };
    refusal(
        &scene,
        page,
        FETCH,
        "error: this network requires you to sign in (HTTP 511)\n\
         hint: open <> in a browser to see its sign-in page\n",
    );
}

#[test]
fn a_fetch_that_is_too_large_is_no_push() {
    let scene = scene();
    let large = || Refusal::Custom {
        status: 413,
        headers: Vec::new(),
        content_type: "text/html".to_owned(),
        body: Vec::new(),
    };
    refusal(
        &scene,
        large(),
        FETCH,
        "error: request rejected by 'localhost': too large (HTTP 413)\n\
         hint: fetch fewer branches at once: 'git fetch origin <branch>'\n",
    );
}
