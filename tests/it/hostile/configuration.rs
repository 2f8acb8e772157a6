//! A repository's own configuration that wants the secret: what it can say, and what it cannot.
//!
//! Git refuses to work in a repository of somebody else (`safe.directory`), and honours everything in one's own, down
//! to programs that it starts. The product follows it, with one exception: where secrets are sent to.

use crate::bitbucket::{API_TOKEN_USER, Account, Bitbucket, Settings};
use crate::support::fixture::MAIN;
use crate::support::program::program;
use crate::support::scene::{Scene, TOKEN};

/// A server of somebody else, that has a repository of the same name and takes every secret down.
fn other(scene: &Scene) -> Bitbucket {
    let bitbucket = Bitbucket::start(Settings::default());
    bitbucket.create_repository(MAIN);
    bitbucket.commit(MAIN, "main", "Other", &[("other", b"other\n")]);
    bitbucket.add_account(Account::api_token("eve", TOKEN));
    // Even with a certificate that is trusted.
    let both = [scene.bitbucket.ca_file(), bitbucket.ca_file()]
        .map(|file| std::fs::read_to_string(file).expect("the certificate is there"));
    let file = scene.path("both.pem");
    std::fs::write(&file, both.concat()).expect("a file can be written");
    scene.set("GIT_SSL_CAINFO", file);
    bitbucket
}

fn set(scene: &Scene, key: &str, value: &str) {
    scene.git_ok("clone", &["config", "--local", key, value]);
}

#[test]
fn a_repository_cannot_say_where_secrets_go() {
    let scene = Scene::new();
    scene.cloned();
    let other = other(&scene);
    // Without the variable, the user's own setting says it.
    scene.git_ok(
        "",
        &["config", "--global", "bbcloud.baseUrl", &scene.bitbucket.base_url()],
    );
    scene.unset("BBCLOUD_BASE_URL");
    scene.git_ok("clone", &["fetch", "--quiet"]);
    for key in ["bbcloud.baseUrl", "bbcloud.apiUrl"] {
        set(&scene, key, &other.base_url());
    }
    // Nor a file that it includes.
    std::fs::write(
        scene.path("included"),
        format!("[bbcloud]\n\tbaseUrl = {}\n", other.base_url()),
    )
    .unwrap();
    set(&scene, "include.path", &scene.path("included").display().to_string());
    scene.git_ok("clone", &["fetch", "--quiet"]);
    scene.git_ok("clone", &["push", "--quiet", "origin", "HEAD:new"]);
    scene.bitbucket.add_account(Account::api_token("ada", TOKEN));
    assert!(other.requests().is_empty(), "{:?}", other.requests());
    // The command line is the user's again.
    let base = format!("bbcloud.baseUrl={}", other.base_url());
    let output = scene.git_in("clone", &["-c", &base, "ls-remote", "--exit-code", "origin", "main"]);
    assert!(output.success(), "{}", output.stderr);
    assert_eq!(
        other
            .requests()
            .first()
            .and_then(|request| request.user.clone())
            .as_deref(),
        Some(API_TOKEN_USER)
    );
}

/// `http.curloptResolve` is honoured, and takes the connection elsewhere; the certificate has still to be the server's.
#[test]
fn another_address_for_the_host_is_no_other_certificate() {
    let scene = Scene::new();
    scene.cloned();
    let other = Bitbucket::start(Settings::default());
    let port = scene.bitbucket.port();
    set(&scene, "http.curloptResolve", &format!("localhost:{port}:0.0.0.0"));
    scene.git_ok("clone", &["fetch", "--quiet"]);
    scene.set("BBCLOUD_BASE_URL", format!("https://localhost:{}", other.port()));
    let output = scene.git_in("clone", &["fetch", "--quiet"]);
    assert!(
        output.stderr.contains("TLS connection to 'localhost'"),
        "{}",
        output.stderr
    );
    assert!(other.requests().is_empty());
}

/// What git-remote-https does with a repository's settings, the product does too; both can be compared.
#[test]
fn what_git_trusts_is_trusted() {
    let scene = Scene::new();
    scene.cloned();
    set(&scene, "http.extraHeader", "X-Mine: yes");
    scene.bitbucket.clear_requests();
    scene.git_ok("clone", &["fetch", "--quiet"]);
    let requests = scene.bitbucket.requests();
    assert!(
        requests.iter().all(|request| request.header("x-mine") == Some("yes")),
        "{requests:?}"
    );
    set(&scene, "http.proxy", "http://127.0.0.1:1");
    let output = scene.git_in("clone", &["fetch", "--quiet"]);
    assert!(output.stderr.contains("127.0.0.1:1"), "{}", output.stderr);
    scene.git_ok("clone", &["config", "--local", "--unset", "http.proxy"]);
    // Without certificates, none is checked.
    scene.set("GIT_SSL_CAINFO", scene.path("none.pem"));
    std::fs::write(scene.path("none.pem"), "").unwrap();
    assert!(!scene.git_in("clone", &["fetch", "--quiet"]).success());
    set(&scene, "http.sslVerify", "false");
    scene.git_ok("clone", &["fetch", "--quiet"]);
}

/// In a repository of somebody else git starts nothing, and so neither the helper.
#[cfg(target_os = "linux")]
#[test]
fn a_repository_of_somebody_else_is_not_touched() {
    let scene = Scene::new();
    scene.cloned();
    scene.bitbucket.clear_requests();
    scene.set("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1");
    let output = scene.git_in("clone", &["fetch", "--quiet"]);
    assert!(output.stderr.contains("safe.directory"), "{}", output.stderr);
    assert!(scene.bitbucket.requests().is_empty());
}

/// An authority of the repository's own is trusted, as git trusts it; SECURITY.md says so.
#[test]
fn an_authority_of_the_repository_is_trusted_as_git_does() {
    let scene = Scene::new();
    scene.cloned();
    let other = other(&scene);
    // As if the network led there; without the variable, which would win over every setting.
    scene.set("BBCLOUD_BASE_URL", format!("https://localhost:{}", other.port()));
    scene.unset("GIT_SSL_CAINFO");
    let ours = scene.bitbucket.ca_file().display().to_string();
    scene.git_ok("", &["config", "--global", "http.sslCAInfo", &ours]);
    let output = scene.git_in("clone", &["fetch", "--quiet"]);
    assert!(
        output.stderr.contains("TLS connection to 'localhost'"),
        "{}",
        output.stderr
    );
    assert!(other.requests().is_empty());
    set(&scene, "http.sslCAInfo", &other.ca_file().display().to_string());
    scene.git_ok("clone", &["ls-remote", "origin"]);
    assert!(!other.requests().is_empty());
}

/// Programs that a repository names are started, as git starts them; where secrets are kept, it cannot say.
#[cfg(unix)]
#[test]
fn programs_are_the_repositorys_to_name_and_the_store_is_not() {
    let scene = Scene::new();
    scene.cloned();
    scene.set("BBCLOUD_CACHE", "false");
    scene.unset("BBCLOUD_TOKEN");
    // Read from here, any of them would be an error.
    for key in ["bbcloud.store", "bbcloud.keychainTimeout"] {
        set(&scene, key, "nonsense");
    }
    let log = scene.path("asked");
    let asks = |name: &str| {
        format!(
            "!f() {{ echo {name} >>'{}'; cat >>'{}'; }}; f",
            log.display(),
            log.display()
        )
    };
    set(&scene, "credential.helper", &asks("helper"));
    let askpass = scene.path("askpass");
    program(&askpass, &format!("echo \"asked $1\" >>'{}'\nexit 1", log.display()));
    set(&scene, "core.askPass", &askpass.display().to_string());
    let output = scene.git_in("clone", &["fetch", "--quiet"]);
    assert!(!output.success());
    assert!(!output.stderr.contains("nonsense"), "{}", output.stderr);
    let asked = std::fs::read_to_string(&log).expect("both are asked");
    assert!(
        asked.contains("helper\n") && asked.contains("host=localhost:"),
        "{asked}"
    );
    assert!(asked.contains("asked "), "{asked}");
}
