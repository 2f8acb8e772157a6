//! Warm connections: how many there are, when they are used, and what they must not be used for.

use super::{Agent, refused};
use crate::bitbucket::{Account, Action, Fault, Refusal};
use crate::support::fixture::MAIN;
use crate::support::program::program;
use crate::support::scene::Scene;

#[test]
fn commands_one_after_the_other_share_a_connection() {
    let scene = Scene::new();
    let _agent = Agent::start(&scene, &["acme/widgets:push"]);
    scene.cloned();
    for number in 0..5 {
        scene.git_ok("clone", &["fetch", "--quiet"]);
        scene.commit("clone", "x", &[number]);
        scene.git_ok("clone", &["push", "--quiet", "origin", "main"]);
    }
    assert_eq!(scene.bitbucket.connections(), 1);
}

#[test]
fn a_fetch_with_nothing_new_is_one_request() {
    let scene = Scene::new();
    let _agent = Agent::start(&scene, &["acme/widgets"]);
    scene.cloned();
    scene.bitbucket.clear_requests();
    scene.git_ok("clone", &["fetch", "--quiet"]);
    assert_eq!(scene.bitbucket.requests().len(), 1);
}

#[test]
fn a_connection_that_the_server_has_ended_is_replaced() {
    let scene = Scene::new();
    let _agent = Agent::start(&scene, &["acme/widgets:push"]);
    scene.cloned();
    for action in [Action::CloseAfter, Action::Reset, Action::Close] {
        scene.bitbucket.fault(Fault::on("git-upload-pack", action));
        scene.git_ok("clone", &["fetch", "--quiet"]);
        scene.git_ok("clone", &["fetch", "--quiet"]);
    }
    scene.commit("clone", "x", b"x");
    scene.git_ok("clone", &["push", "--quiet", "origin", "main"]);
}

#[test]
fn an_answer_that_is_cut_is_cut_here_too() {
    let scene = Scene::new();
    let _agent = Agent::start(&scene, &["acme/widgets"]);
    scene
        .bitbucket
        .fault(Fault::on("/git-upload-pack", Action::CutBody { after: 3000 }).skip(1));
    let said = refused(&scene, "", &["clone", "--quiet", &scene.url(MAIN), "clone"]);
    assert!(said.contains("after ") || said.contains("unexpected end"), "{said}");
}

/// A server that refuses a good secret once, as Bitbucket has done, is asked again; a push is not.
#[test]
fn a_passing_refusal_of_a_secret_that_worked_is_not_believed() {
    let scene = Scene::new();
    let agent = Agent::start(&scene, &["acme/widgets"]);
    for _ in 0..2 {
        scene.git_ok("", &["ls-remote", &scene.url(MAIN)]);
        let refusal = Action::Refuse(Refusal::BadSecret);
        scene.bitbucket.fault(Fault::on("info/refs", refusal));
        scene.git_ok("", &["-c", "protocol.version=0", "ls-remote", &scene.url(MAIN)]);
    }
    assert!(!agent.said().contains("HTTP 401"), "{}", agent.said());
}

/// Two accounts by scope: each repository is asked for in its own name, over a connection of its own.
#[test]
fn two_accounts_share_no_connection_and_a_refusal_of_one_is_not_the_other_ones() {
    let scene = Scene::new();
    scene
        .bitbucket
        .add_account(Account::api_token("bob", "ATATT-bob").only("acme/parts"));
    // By the password file of git's own helper, because a keychain is more than this test needs.
    let helper = scene.home().join("helper");
    let script = "grep -q parts && echo password=ATATT-bob || echo password=ATATT-full\n\
                  echo username=x-bitbucket-api-token-auth";
    program(&helper, script);
    scene.excuse_file(&helper);
    scene.git_ok(
        "",
        &[
            "config",
            "--global",
            "credential.helper",
            helper.to_str().expect("UTF-8"),
        ],
    );
    scene.git_ok("", &["config", "--global", "credential.useHttpPath", "true"]);
    let agent = Agent::start_with(&scene, &["acme/*"], |command| {
        command.env_remove("BBCLOUD_TOKEN");
    });
    agent.is_used_by(&scene);
    for name in ["acme/parts", MAIN, "acme/parts", MAIN] {
        scene.git_ok("", &["ls-remote", &scene.url(name)]);
    }
    scene.bitbucket.revoke("ATATT-bob");
    scene.bitbucket.clear_requests();
    for _ in 0..3 {
        let said = refused(&scene, "", &["ls-remote", &scene.url("acme/parts")]);
        assert!(said.contains("(HTTP 401)"), "{said}");
    }
    // The refused login is tried once, and not again for a while.
    let requests = scene.bitbucket.requests();
    let tried = requests.iter().filter(|request| request.user.is_some()).count();
    assert!(tried <= 2, "{tried}");
    scene.git_ok("", &["ls-remote", &scene.url(MAIN)]);
}
