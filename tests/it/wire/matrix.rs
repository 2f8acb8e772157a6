//! Operations × protocol versions × ways to the server, by the helper and by `git-remote-https` with the same
//! configuration against the same server: exit status and what is there in the end are equal.

use std::path::Path;

use super::{By, Scene, said};
use crate::bitbucket::{Settings, Tls};
use crate::proxy::{Kind, Proxy, Rules};
use crate::support::skip::git_version;

/// Where the two differ, and why. `*` is any.
const DIFFERENCES: &[(&str, &str, &str, &str)] = &[(
    "archive",
    "0 1",
    "*",
    "git-remote-https archives over version 2 only; the helper connects git to the service in any version",
)];

const OPERATIONS: [&str; 7] = ["clone", "fetch", "push", "shallow", "partial", "ls-remote", "archive"];
const PROTOCOLS: [&str; 3] = ["0", "1", "2"];

struct Way {
    name: &'static str,
    scene: Scene,
    repository: &'static str,
    proxy: Option<Proxy>,
}

impl Way {
    fn new(name: &'static str, scene: Scene) -> Self {
        Self {
            name,
            scene,
            repository: "acme/widgets",
            proxy: None,
        }
    }

    fn through(name: &'static str, scheme: &str, user: &str, rules: Rules) -> Self {
        let proxy = Proxy::start(rules);
        let address = format!("{scheme}://{user}localhost:{}", proxy.port());
        Self {
            proxy: Some(proxy),
            ..Self::new(name, Scene::new().set("http.proxy", address))
        }
    }
}

/// What an operation leaves behind.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    success: bool,
    state: String,
}

impl Way {
    fn run(&self, operation: &str, protocol: &str, by: By) -> (Outcome, String) {
        let scene = &self.scene;
        let url = scene.url(by, self.repository);
        let directory = scene.file(&format!("{operation}-{protocol}-{by:?}"));
        let place = directory.display().to_string();
        if by == By::Git {
            scene.canary.excuse_file(directory.join(".git/config"));
        }
        let version = format!("protocol.version={protocol}");
        let branch = format!("refs/pushed/{protocol}-{by:?}");
        let git = |arguments: &[&str]| scene.git(&[&["-c", version.as_str()], arguments].concat());
        let output = match operation {
            "clone" => git(&["clone", "--quiet", &url, &place]),
            "shallow" => git(&["clone", "--quiet", "--depth=1", &url, &place]),
            "partial" => git(&["clone", "--quiet", "--filter=blob:none", "--no-checkout", &url, &place]),
            "fetch" => {
                scene.git_ok(&["init", "--quiet", &place]);
                git(&["-C", &place, "fetch", "--quiet", &url, "main:refs/heads/got"])
            }
            "push" => {
                scene.git_ok(&["init", "--quiet", &place]);
                scene.git_ok(&["-C", &place, "commit", "--quiet", "--allow-empty", "-m", "Pushed"]);
                git(&["-C", &place, "push", "--quiet", &url, &format!("HEAD:{branch}")])
            }
            "ls-remote" => git(&["ls-remote", &url, "main", "HEAD"]),
            _ => git(&["archive", "--format=tar", &format!("--remote={url}"), "main"]),
        };
        let success = output.status.success();
        let state = match operation {
            _ if !success => String::new(),
            "ls-remote" | "archive" => String::from_utf8_lossy(&output.stdout).into_owned(),
            "push" => {
                let server = scene.bitbucket.repository_path("acme/widgets");
                scene.git_ok(&["-C", &server.display().to_string(), "rev-parse", &branch])
            }
            _ => state(scene, &place, &directory),
        };
        (Outcome { success, state }, said(&output))
    }
}

/// Refs, objects with those that are missing, and the shallow boundary.
fn state(scene: &Scene, place: &str, directory: &Path) -> String {
    let refs = scene.git_ok(&["-C", place, "for-each-ref"]);
    let objects = scene.git_ok(&["-C", place, "rev-list", "--objects", "--all", "--missing=print"]);
    let mut objects: Vec<_> = objects.lines().collect();
    objects.sort_unstable();
    let shallow = std::fs::read_to_string(directory.join(".git/shallow")).unwrap_or_default();
    format!("{refs}{}{shallow}", objects.join("\n"))
}

fn differs(operation: &str, protocol: &str, way: &str) -> bool {
    let fits = |listed: &str, value: &str| listed == "*" || listed.split(' ').any(|one| one == value);
    DIFFERENCES
        .iter()
        .any(|(o, p, w, _)| fits(o, operation) && fits(p, protocol) && fits(w, way))
}

fn compare(way: &Way) {
    std::thread::scope(|scope| {
        for half in [&OPERATIONS[..3], &OPERATIONS[3..]] {
            scope.spawn(move || {
                // The server is git too, and archives over HTTP from 2.44 on.
                let half = half.iter().filter(|o| **o != "archive" || git_version() >= (2, 44));
                for (operation, protocol) in half.flat_map(|o| PROTOCOLS.map(|p| (*o, p))) {
                    let name = format!("{operation}, version {protocol}, {}", way.name);
                    let (ours, ours_said) = way.run(operation, protocol, By::Helper);
                    let (gits, gits_said) = way.run(operation, protocol, By::Git);
                    let words = format!("{name}\nhelper: {ours_said}\ngit: {gits_said}");
                    if differs(operation, protocol, way.name) {
                        assert_ne!(ours, gits, "listed as different, and is not: {words}");
                        // Where they differ, it is to the better.
                        assert!(ours.success, "{words}");
                    } else {
                        assert_eq!(ours, gits, "{words}");
                        assert!(ours.success, "{words}");
                    }
                }
            });
        }
    });
}

#[test]
fn direct() {
    compare(&Way::new("direct", Scene::new()));
}

#[test]
fn through_an_http_proxy() {
    let way = Way::through("http proxy", "http", "", Rules::new(Kind::Http));
    compare(&way);
    let log = way.proxy.expect("it has one").log();
    let target = format!("CONNECT localhost:{}", way.scene.bitbucket.port());
    assert!(log.len() > 20 && log.iter().all(|line| *line == target), "{log:?}");
}

#[test]
fn through_a_proxy_with_a_password() {
    let rules = Rules::new(Kind::Http).login("ada", "p w");
    let way = Way::through("proxy with password", "http", "ada:p%20w@", rules);
    compare(&way);
}

#[test]
fn through_socks() {
    let rules = Rules::new(Kind::Socks).login("ada", "secret");
    compare(&Way::through("socks", "socks5h", "ada:secret@", rules));
}

#[test]
fn after_a_redirect() {
    let way = Way {
        repository: "acme/gadgets",
        ..Way::new("redirect", Scene::new())
    };
    way.scene.bitbucket.moved("acme/gadgets", "acme/widgets");
    compare(&way);
}

#[test]
fn with_a_client_certificate() {
    let scene = Scene::with(Settings {
        tls: Tls::ClientCertificate,
        ..Settings::default()
    });
    let (certificate, key) = scene.bitbucket.client_certificate();
    let scene = scene.set("http.sslCert", certificate).set("http.sslKey", key);
    compare(&Way::new("client certificate", scene));
}
