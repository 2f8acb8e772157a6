//! Git in a namespace without a network, with an empty home and no secret: nothing but the socket.

use std::fs;
use std::path::Path;

use super::Agent;
use crate::support::fixture::{MAIN, PART, WIKI, noise};
use crate::support::run::{Output, run};
use crate::support::scene::{Scene, TOKEN};
use crate::support::skip::skip;

/// Whether this machine lets us make a network of our own; if not, the test has nothing to say.
pub(super) fn has_namespaces(scene: &Scene) -> bool {
    let mut unshare = scene.command("unshare", &scene.work());
    unshare.args(["--net", "--pid", "--fork", "--mount-proc", "true"]);
    let possible = run(unshare).success();
    if !possible {
        skip("this machine allows no network namespaces");
    }
    possible
}

/// Runs `script` without a network.
fn inside(scene: &Scene, script: &str) -> Output {
    let home = scene.path("empty home");
    fs::create_dir_all(&home).expect("a directory can be made");
    let mut shell = scene.command("unshare", &scene.work());
    shell
        .args(["--net", "--pid", "--fork", "--mount-proc", "sh", "-euc", script])
        .env("HOME", home);
    for (name, value) in [("AUTHOR", "a"), ("COMMITTER", "c")] {
        shell
            .env(format!("GIT_{name}_NAME"), value)
            .env(format!("GIT_{name}_EMAIL"), "x@example.com");
    }
    run(shell)
}

#[track_caller]
fn works(scene: &Scene, script: &str) -> String {
    let output = inside(scene, script);
    assert!(output.success(), "{script}: {}{}", output.stdout, output.stderr);
    output.stdout
}

#[test]
fn every_operation_works_with_nothing_but_the_socket() {
    let scene = Scene::new();
    if !has_namespaces(&scene) {
        return;
    }
    let agent = Agent::start(&scene, &["acme/*:push", "acme/widgets:delete", "acme/widgets/wiki"]);
    assert!(!inside(&scene, "git ls-remote https://localhost:1/a/b").success());
    for version in ["0", "1", "2"] {
        let clone = format!(
            "git -c protocol.version={version} clone -q {} v{version}",
            scene.url(MAIN)
        );
        works(&scene, &clone);
        let fetch = format!("cd v{version}; git -c protocol.version={version} fetch -q; git log --oneline | wc -l");
        assert_eq!(works(&scene, &fetch).trim(), "8", "{version}");
    }
    works(
        &scene,
        "cd v2; git checkout -q -b new; echo x > x; git add x; git commit -qm x; git push -q origin new
         git commit -q --amend -m y; git push -q --force origin new; git push -q origin :new; git tag t; git push -q --tags",
    );
    works(
        &scene,
        &format!(
            "git clone -q --depth 2 {} shallow; cd shallow; git fetch -q --unshallow",
            scene.url(MAIN)
        ),
    );
    works(
        &scene,
        &format!(
            "git clone -q --filter=blob:none {} partial; cd partial; git log -p > /dev/null",
            scene.url(MAIN)
        ),
    );
    works(
        &scene,
        &format!("git archive --remote={} main | tar t > /dev/null", scene.url(MAIN)),
    );
    works(&scene, &format!("git clone -q {} wiki", scene.url(WIKI)));
    let submodules = format!(
        "git clone -q {} super; cd super; git -c protocol.bbcloud.allow=always submodule --quiet add {} part
         git commit -qm part; git push -q origin main; cd ..
         git -c protocol.bbcloud.allow=always clone -q --recurse-submodules -j4 {} again; cat again/part/part.txt",
        scene.url(MAIN),
        scene.url(PART),
        scene.url(MAIN)
    );
    assert_eq!(works(&scene, &submodules), "part\n");
    let log = agent.said();
    assert!(
        log.contains(" acme/widgets push +refs/heads/new: allowed, HTTP 200"),
        "{log}"
    );
    assert!(!log.contains(TOKEN) && !log.contains("cut"), "{log}");
}

#[test]
fn a_push_larger_than_any_buffer_passes_and_memory_stays_flat() {
    let scene = Scene::new();
    scene.cloned();
    scene.commit("clone", "large", &noise(60_000_000));
    let agent = Agent::start(&scene, &["acme/widgets:push"]);
    scene.git_ok("clone", &["push", "--quiet", "origin", "main"]);
    scene.git_ok("", &["clone", "--quiet", &scene.url(MAIN), "again"]);
    assert_eq!(
        fs::read(scene.path("again/large")).expect("it is there").len(),
        60_000_000
    );
    let used = agent.memory_kib();
    assert!(used < 32 * 1024, "{used} KiB");
}

/// Whatever can be read inside, by whoever is the same user there: the environment, files, memory maps.
#[test]
fn there_is_no_secret_inside() {
    let scene = Scene::new();
    if !has_namespaces(&scene) {
        return;
    }
    let _agent = Agent::start(&scene, &["acme/widgets:push"]);
    let script = format!(
        "env; git clone -q {0} clone; cd clone; GIT_TRACE=1 GIT_TRACE_CURL=1 GIT_TRACE_PACKET=1 git fetch 2>&1
         cat /proc/self/environ; cat /proc/self/maps; cd ..; grep -ra ATATT . || true
         for p in /proc/[0-9]*; do tr '\\0' '\\n' < $p/cmdline || true; done
         printf 'url={1}/acme/widgets.git\\n\\n' | git-remote-bbcloud credential get || true",
        scene.url(MAIN),
        scene.bitbucket.base_url()
    );
    let found = works(&scene, &script);
    assert!(found.contains("BBCLOUD_AGENT_SOCK") && !found.contains(TOKEN));
}

#[test]
fn what_needs_the_secret_itself_says_that_it_is_not_served() {
    let scene = Scene::new();
    let _agent = Agent::start(&scene, &["acme/widgets:push"]);
    let question = format!("url={}/acme/widgets.git\n\n", scene.bitbucket.base_url());
    let mut credential = scene.command("git-remote-bbcloud", &scene.work());
    credential.args(["credential", "get"]);
    let asked = crate::support::run::run_with_input(credential, question.as_bytes());
    for output in [asked, scene.bbcloud("", &["api", "/user"])] {
        assert!(!output.success() && output.stdout.is_empty());
        assert!(
            output
                .stderr
                .contains("the agent serves git only and never hands out a secret"),
            "{}",
            output.stderr
        );
    }
}

#[test]
fn a_secret_beside_the_socket_is_an_error() {
    let scene = Scene::new();
    let _agent = Agent::start(&scene, &["acme/widgets"]);
    scene.set("BBCLOUD_TOKEN", TOKEN);
    let output = scene.git(&["ls-remote", &scene.url(MAIN)]);
    assert!(
        output
            .stderr
            .contains("BBCLOUD_AGENT_SOCK is set, and there is a secret in BBCLOUD_TOKEN"),
        "{}",
        output.stderr
    );
    assert_eq!(scene.bitbucket.requests().len(), 0);
    assert!(Path::new(&scene.home()).exists());
}
