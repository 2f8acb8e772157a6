//! The recipes for build servers in `fixtures/ci`: their own lines are run, in the environment that they would have,
//! against the local Bitbucket. What installs the program needs a network and is replaced.

use std::fs;
use std::path::Path;

use crate::bitbucket::Account;
use crate::support::fixture::PART;
use crate::support::program::program;
use crate::support::run::run;
use crate::support::scene::{Scene, TOKEN};

/// What stands for the programs that would fetch, check or install the package: it only says that it was asked.
const STAND_IN: &str = "echo \"$0 $*\" >>\"$STAND_IN_LOG\"";

fn recipe(name: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/ci").join(name);
    fs::read_to_string(file).expect("a recipe")
}

/// The text below the line that begins with `key`, as far as it is indented more than that.
fn block(text: &str, key: &str) -> String {
    let mut lines = text.lines().skip_while(|line| !line.trim_start().starts_with(key));
    let first = lines.next().unwrap_or_else(|| panic!("no '{key}'"));
    let indent = first.len() - first.trim_start().len();
    let below = lines.take_while(|line| line.len() - line.trim_start().len() > indent);
    below.flat_map(|line| [line.trim_start(), "\n"]).collect()
}

/// Runs `script` as a build server does: one shell, which ends with the first failure.
fn run_script(scene: &Scene, script: &str) -> String {
    let stand_ins = scene.path("stand-ins");
    fs::create_dir_all(&stand_ins).expect("a directory can be made");
    for name in ["apt-get", "sha256sum", "sudo"] {
        program(stand_ins.join(name), STAND_IN);
    }
    let mut shell = scene.command("sh", &scene.work());
    let path = shell
        .get_envs()
        .find(|(name, _)| *name == "PATH")
        .and_then(|(_, value)| value);
    let path = std::env::split_paths(path.expect("there is a PATH"));
    let path = std::env::join_paths(std::iter::once(stand_ins).chain(path)).expect("paths");
    shell
        .env("PATH", path)
        .env("STAND_IN_LOG", scene.path("asked"))
        .env("CI", "true")
        .args(["-e", "-c", script]);
    let output = run(shell);
    assert!(output.success(), "{script}\n{}{}", output.stdout, output.stderr);
    let said = format!("{}{}", output.stdout, output.stderr);
    assert!(!said.contains(TOKEN), "{said}");
    said
}

/// The package is a file that is there, and its checksum is looked at first: no registry has this program, and who
/// registers its name in one shall not run anything here.
fn installs_what_it_has_checked(scene: &Scene) {
    let asked = fs::read_to_string(scene.path("asked")).unwrap_or_default();
    let check = asked.find("sha256sum --check git-remote-bbcloud_");
    let install = asked.find(" ./git-remote-bbcloud_");
    assert!(check.is_some() && check < install, "{asked}");
}

#[test]
fn bitbucket_pipelines() {
    let scene = Scene::new();
    let text = recipe("bitbucket-pipelines.yml");
    let lines = block(&text, "script:");
    let script: Vec<_> = lines.lines().filter_map(|line| line.strip_prefix("- ")).collect();
    assert_eq!(script.len(), 5, "{lines}");
    // What Pipelines sets, its proxy for the repository's own URL included.
    scene.set("BITBUCKET_WORKSPACE", "acme");
    scene.set("BITBUCKET_REPO_SLUG", "widgets");
    scene.set("BITBUCKET_BUILD_NUMBER", "1");
    scene.git_ok(
        "",
        &[
            "config",
            "--global",
            "http.http://bitbucket.org/acme/widgets.proxy",
            "http://localhost:29418/",
        ],
    );
    scene.set("BBCLOUD_API_URL", scene.bitbucket.api_url());
    // With the variables that the recipe names, and no others.
    assert!(text.contains("BBCLOUD_TOKEN") && text.contains("BBCLOUD_EMAIL"));
    scene.set("BBCLOUD_EMAIL", "ada@example.com");
    run_script(&scene, &script.join("\n"));
    installs_what_it_has_checked(&scene);
    assert!(scene.path("parts/part.txt").exists());
    let commits = fs::read_to_string(scene.path("last-commit.json")).expect("a file");
    let commits: serde_json::Value = serde_json::from_str(&commits).expect("JSON");
    assert_eq!(commits["values"].as_array().map(Vec::len), Some(1));
}

#[test]
fn github_actions() {
    let scene = Scene::new();
    // The workflow's own checkout, with a submodule at Bitbucket.
    scene.git_ok("", &["init", "--quiet"]);
    scene.git_ok(
        "",
        &[
            "-c",
            "protocol.bbcloud.allow=always",
            "submodule",
            "add",
            "--quiet",
            &scene.url(PART),
            "sub",
        ],
    );
    fs::remove_dir_all(scene.path("sub")).expect("a directory can be removed");
    fs::remove_dir_all(scene.path(".git/modules")).expect("a directory can be removed");
    let text = recipe("github-actions.yml");
    let scripts: Vec<_> = text
        .match_indices("        run: |")
        .map(|(at, _)| block(text.get(at..).expect("a match is in the text"), "run: |"))
        .collect();
    assert!(text.contains("BBCLOUD_TOKEN: ${{ secrets.BBCLOUD_TOKEN }}"));
    for script in scripts {
        run_script(&scene, &script);
    }
    installs_what_it_has_checked(&scene);
    assert!(scene.path("parts/part.txt").exists());
    assert!(scene.path("sub/part.txt").exists());
}

#[test]
fn dockerfile() {
    let scene = Scene::new();
    let text = recipe("Dockerfile").replace("\\\n", " ");
    let commands: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("RUN ")).collect();
    let [install, fetch] = commands.as_slice() else {
        panic!("two commands: {commands:?}");
    };
    assert!(install.contains("apt-get install -y --no-install-recommends /tmp/git-remote-bbcloud_*.deb"));
    let fetch = fetch
        .trim_start()
        .strip_prefix("--mount=type=secret,id=bbcloud")
        .expect("the secret is mounted");
    // Nothing of the secret is in the environment or the arguments, only in the file that is mounted.
    scene.unset("BBCLOUD_TOKEN");
    let token = "ATATT-of-a-build";
    scene.bitbucket.add_account(Account::api_token("bob", token));
    let secret = scene.path("secret file");
    scene.excuse_file(&secret);
    fs::write(&secret, format!("{token}\n")).expect("a file can be written");
    let fetch = fetch.replace("/run/secrets/bbcloud", &format!("'{}'", secret.display()));
    let place = scene.path("parts");
    run_script(&scene, &fetch.replace("/srv/parts", &format!("'{}'", place.display())));
    assert!(place.join("part.txt").exists());
    let config = fs::read_to_string(place.join(".git/config")).expect("a file");
    assert!(!config.contains(token), "{config}");
}

#[test]
fn dev_container() {
    let scene = Scene::new();
    let recipe: serde_json::Value = serde_json::from_str(&recipe("devcontainer.json")).expect("JSON");
    assert_eq!(recipe["remoteEnv"]["BBCLOUD_TOKEN"], "${localEnv:BBCLOUD_TOKEN}");
    for command in ["onCreateCommand", "postCreateCommand"] {
        run_script(&scene, recipe[command].as_str().expect("a command"));
    }
    installs_what_it_has_checked(&scene);
    assert!(scene.path("parts/part.txt").exists());
}
