//! What rules allow, as git sees it.

use super::{Agent, refused};
use crate::support::fixture::MAIN;
use crate::support::program::program;
use crate::support::scene::Scene;

#[test]
fn a_rule_for_reading_reads_and_one_for_creating_creates() {
    let scene = Scene::new();
    let _agent = Agent::start(&scene, &["acme/widgets", "acme/widgets:create=refs/heads/ai/*"]);
    scene.cloned();
    scene.commit("clone", "x", b"x");
    scene.git_ok("clone", &["push", "--quiet", "origin", "main:refs/heads/ai/x"]);
    scene.commit("clone", "y", b"y");
    let before = scene.server_git(MAIN, &["for-each-ref"]);
    for (refs, cause) in [
        (
            &["main:refs/heads/ai/x"][..],
            "no rule allows updating 'refs/heads/ai/x'",
        ),
        (&["main"], "no rule allows updating 'refs/heads/main'"),
        (&["main:refs/heads/new"], "no rule allows creating 'refs/heads/new'"),
        (&[":refs/heads/ai/x"], "no rule allows deleting 'refs/heads/ai/x'"),
        (
            &["main:refs/heads/ai/y", "main"],
            "no rule allows updating 'refs/heads/main'",
        ),
    ] {
        let said = refused(&scene, "clone", &[&["push", "--force", "origin"], refs].concat());
        assert!(said.contains(cause), "{refs:?}: {said}");
        assert_eq!(scene.server_git(MAIN, &["for-each-ref"]), before, "{refs:?}");
    }
    scene.git_ok("clone", &["push", "--quiet", "origin", "main:refs/heads/ai/y"]);
}

#[test]
fn no_other_name_of_a_repository_gets_by() {
    let scene = Scene::new();
    let uuid = "{00000000-0000-4000-8000-00000000000a}";
    scene.bitbucket.alias(&format!("acme/{uuid}"), MAIN);
    let _agent = Agent::start(&scene, &["acme/*", "other/thing"]);
    scene.bitbucket.clear_requests();
    for name in ["acme/widgets/wiki", &format!("acme/{uuid}"), "other/widgets"] {
        let said = refused(&scene, "", &["ls-remote", &scene.url(name)]);
        assert!(
            said.contains("the agent's rules do not allow reading"),
            "{name}: {said}"
        );
    }
    assert_eq!(scene.bitbucket.requests().len(), 0);
    // The rule is for it in any case of its letters; this server has no such repository.
    let said = refused(&scene, "", &["ls-remote", &scene.url("Acme/widgets.git")]);
    assert!(said.contains("(HTTP 401)"), "{said}");
}

#[test]
fn a_socket_that_is_handed_out_needs_rules() {
    let scene = Scene::new();
    for arguments in [&["agent", "--socket", "/tmp/x/a.sock"][..], &["agent", "--", "true"]] {
        let output = scene.bbcloud("", arguments);
        assert_eq!(output.code, Some(2));
        assert!(
            output
                .stderr
                .contains("an agent with a shared socket needs at least one rule"),
            "{}",
            output.stderr
        );
    }
    let output = scene.bbcloud("", &["agent", "--allow", "acme", "--", "true"]);
    assert!(output.stderr.contains("not a valid rule: 'acme'"), "{}", output.stderr);
}

#[test]
fn signed_and_compressed_pushes_are_not_served() {
    let scene = Scene::new();
    scene.cloned();
    scene.server_git(MAIN, &["config", "receive.certNonceSeed", "x"]);
    let _agent = Agent::start(&scene, &["acme/widgets:push"]);
    scene.commit("clone", "x", b"x");
    let script = scene.path("sign");
    program(
        &script,
        "cat >/dev/null\necho '[GNUPG:] SIG_CREATED ' >&2\necho signature",
    );
    let program = format!("gpg.program={}", script.display());
    let said = refused(
        &scene,
        "clone",
        &["-c", &program, "push", "--signed=yes", "origin", "main"],
    );
    assert!(said.contains("the agent does not serve signed pushes"), "{said}");
    scene.git_ok("clone", &["push", "--quiet", "--atomic", "-o", "x=y", "origin", "main"]);
}
