//! What works: git's operations, end to end.

use super::{APP_PASSWORD, Scene};
use crate::bitbucket::{Framing, Settings, Tls};
use crate::support::skip::{ARCHIVE, has_git};

#[test]
fn clones_pushes_and_fetches() {
    let scene = Scene::new(Settings::default());
    scene.git_ok(&["clone", "--quiet", &scene.url("acme/widgets.git"), "clone"]);
    let clone = scene.home.path().join("clone");
    assert_eq!(std::fs::read_to_string(clone.join("README.md")).unwrap(), "# Widgets\n");
    scene.git_ok(&["-C", "clone", "commit", "--quiet", "--allow-empty", "-m", "Second"]);
    scene.git_ok(&["-C", "clone", "push", "--quiet", "-o", "topic=x", "origin", "main"]);
    let head = scene.git_ok(&["-C", "clone", "rev-parse", "HEAD"]);
    assert!(
        scene
            .git_ok(&["ls-remote", &scene.url("acme/widgets"), "main"])
            .starts_with(head.trim())
    );
}

#[test]
fn a_pack_larger_than_any_buffer_goes_both_ways() {
    let scene = Scene::new(Settings::default());
    scene.git_ok(&["clone", "--quiet", &scene.url("acme/widgets.git"), "clone"]);
    let mut state = 1_u64;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        state.to_be_bytes()[0]
    })
    .take(5_000_000)
    .collect();
    std::fs::write(scene.home.path().join("clone/noise"), &noise).unwrap();
    scene.git_ok(&["-C", "clone", "add", "noise"]);
    scene.git_ok(&["-C", "clone", "commit", "--quiet", "-m", "Noise"]);
    scene.git_ok(&["-C", "clone", "push", "--quiet", "origin", "main"]);
    let pushes = scene
        .bitbucket
        .requests()
        .into_iter()
        .filter(|request| request.path.ends_with("git-receive-pack"));
    let push = pushes.max_by_key(|request| request.body_bytes).unwrap();
    assert_eq!(
        (push.framing, push.status, push.body_bytes > 5_000_000),
        (Framing::Chunked, 200, true)
    );
    scene.git_ok(&["clone", "--quiet", &scene.url("acme/widgets.git"), "again"]);
    assert_eq!(std::fs::read(scene.home.path().join("again/noise")).unwrap(), noise);
}

#[test]
fn a_wiki_is_a_repository_of_its_own() {
    let scene = Scene::new(Settings::default());
    scene.bitbucket.create_wiki("acme/widgets");
    scene
        .bitbucket
        .commit("acme/widgets/wiki", "main", "Page", &[("Home.md", b"# Home\n")]);
    scene.git_ok(&["clone", "--quiet", &scene.url("acme/widgets.git/wiki"), "wiki"]);
    assert_eq!(
        std::fs::read_to_string(scene.home.path().join("wiki/Home.md")).unwrap(),
        "# Home\n"
    );
    scene.git_fails(&["ls-remote", &scene.url("acme/widgets/wiki")]);
}

#[test]
fn fetches_shallow_and_filtered_by_protocol_v2() {
    let scene = Scene::new(Settings::default());
    scene
        .bitbucket
        .commit("acme/widgets", "main", "Second", &[("two", b"2\n")]);
    let url = scene.url("acme/widgets.git");
    scene.git_ok(&[
        "clone",
        "--quiet",
        "--depth=1",
        "--filter=blob:none",
        "--no-checkout",
        &url,
        "clone",
    ]);
    assert_eq!(
        scene.git_ok(&["-C", "clone", "rev-list", "--count", "HEAD"]).trim(),
        "1"
    );
    let requests = scene.bitbucket.requests();
    assert!(
        requests
            .iter()
            .any(|request| request.header("git-protocol") == Some("version=2"))
    );
    assert_eq!(scene.bitbucket.connections(), 1);
}

#[test]
fn archives_a_branch() {
    if !has_git(2, 44, ARCHIVE) {
        return;
    }
    let scene = Scene::new(Settings::default());
    let remote = format!("--remote={}", scene.url("acme/widgets.git"));
    assert!(
        scene
            .git_ok(&["archive", "--format=tar", &remote, "main"])
            .contains("README.md")
    );
}

#[test]
fn serves_sha256_repositories() {
    let scene = Scene::new(Settings::default());
    scene.bitbucket.create_sha256_repository("acme/modern");
    scene
        .bitbucket
        .commit("acme/modern", "main", "Begin", &[("one", b"1\n")]);
    let listed = scene.git_ok(&["ls-remote", &scene.url("acme/modern.git"), "HEAD"]);
    assert_eq!(listed.split('\t').next().unwrap().len(), 64);
}

#[test]
fn answers_plainly_with_a_prefix_compressed_and_in_protocol_v0() {
    let scene = Scene::new(Settings {
        prefix: "/scm".to_owned(),
        tls: Tls::Off,
        compress: true,
        ignore_git_protocol: true,
        ..Settings::default()
    });
    assert!(scene.bitbucket.base_url().starts_with("http://localhost:"));
    scene.git_ok(&[
        "clone",
        "--quiet",
        &scene.url_as("ada", APP_PASSWORD, "acme/widgets.git"),
        "clone",
    ]);
    let requests = scene.bitbucket.requests();
    assert!(
        requests
            .iter()
            .all(|request| request.path.starts_with("/scm/acme/widgets.git/"))
    );
    assert!(requests.iter().any(|request| request.user.as_deref() == Some("ada")));
    assert!(!format!("{requests:?}").contains(APP_PASSWORD));
}

#[test]
fn speaks_tls_12_and_demands_client_certificates_when_told() {
    let old = Scene::new(Settings {
        tls: Tls::Only12,
        ..Settings::default()
    });
    old.git_ok(&["ls-remote", &old.url("acme/widgets.git")]);

    let strict = Scene::new(Settings {
        tls: Tls::ClientCertificate,
        ..Settings::default()
    });
    strict.git_fails(&["ls-remote", &strict.url("acme/widgets.git")]);
    let (certificate, key) = strict.bitbucket.client_certificate();
    let certificate = format!("http.sslCert={}", certificate.display());
    let key = format!("http.sslKey={}", key.display());
    strict.git_ok(&[
        "-c",
        &certificate,
        "-c",
        &key,
        "ls-remote",
        &strict.url("acme/widgets.git"),
    ]);
}

#[test]
fn knows_repositories_by_uuid_and_by_their_old_name() {
    let scene = Scene::new(Settings::default());
    scene.bitbucket.alias("{0a}", "acme");
    scene.bitbucket.alias("{0b}", "widgets");
    scene.bitbucket.moved("acme/gadgets", "acme/widgets");
    scene.git_ok(&["ls-remote", "--exit-code", &scene.url("%7B0a%7D/%7b0b%7d.git")]);
    let output = scene.git(&["ls-remote", "--exit-code", &scene.url("acme/gadgets.git")]);
    assert!(output.status.success(), "{}", super::said(&output));
    assert!(scene.bitbucket.requests().iter().any(|request| request.status == 301));
}
