//! The order of sources: each wins over the next, and is asked no earlier than it has to be.

use std::fs;

use super::desktop::Desktop;
use super::stub::Deaf;
use super::{askpass, configure, helper, keep, last_user, ls_remote, noted, ours, person, program, says, scene, users};
use crate::support::scene::{Scene, TOKEN};

const WIDGETS: &str = "acme/widgets";

#[track_caller]
fn asks_as(scene: &Scene, address: &str, name: &str) {
    // Git has the secret of a URL in its arguments.
    let output = if address.contains('@') {
        scene.untraced(|| ls_remote(scene, address))
    } else {
        ls_remote(scene, address)
    };
    assert!(output.success(), "{name}: {}", output.stderr);
    assert_eq!(last_user(scene).as_deref(), Some(name));
}

fn netrc(scene: &Scene, text: &str) {
    scene.excuse_file(scene.home().join(".netrc"));
    fs::write(scene.home().join(".netrc"), text).expect("a file can be written");
}

#[test]
fn each_source_wins_over_the_next() {
    let scene = scene();
    let _desktop = Desktop::start(&scene);
    for name in [
        "url",
        "env",
        "file",
        "repository",
        "workspace",
        "host",
        "netrc",
        "helper",
        "asked",
    ] {
        person(&scene, name);
    }
    for (name, target) in [
        ("host", &[][..]),
        ("workspace", &["--for", "acme"]),
        ("repository", &["--for", WIDGETS]),
    ] {
        keep(
            &scene,
            &format!("ATBB-{name}"),
            &[&["--username", name], target].concat(),
        );
    }
    netrc(&scene, "machine localhost login netrc password ATBB-netrc\n");
    helper(&scene, "helper", "ATBB-helper");
    askpass(&scene, "asked", "ATBB-asked");
    configure(&scene, "transfer.credentialsInUrl", "allow");
    let file = scene.home().join("secret");
    scene.excuse_file(&file);
    fs::write(&file, "ATBB-file\n").expect("a file can be written");
    scene.set("BBCLOUD_TOKEN_FILE", file);
    scene.set("BBCLOUD_TOKEN", "ATBB-env");
    scene.set("BBCLOUD_USERNAME", "env");

    asks_as(&scene, "url:ATBB-url@acme/widgets", "url");
    asks_as(&scene, WIDGETS, "env");
    scene.unset("BBCLOUD_TOKEN");
    scene.set("BBCLOUD_USERNAME", "file");
    asks_as(&scene, WIDGETS, "file");
    scene.unset("BBCLOUD_TOKEN_FILE");
    scene.unset("BBCLOUD_USERNAME");
    asks_as(&scene, WIDGETS, "repository");
    asks_as(&scene, "acme/parts", "workspace");
    assert!(ours(&scene, &["logout", "--for", WIDGETS]).success());
    asks_as(&scene, WIDGETS, "workspace");
    assert!(ours(&scene, &["logout", "--for", "acme"]).success());
    asks_as(&scene, WIDGETS, "host");
    assert!(ours(&scene, &["logout"]).success());
    asks_as(&scene, WIDGETS, "netrc");
    assert_eq!(noted(&scene, "told"), "", "no helper was needed");
    netrc(&scene, "");
    asks_as(&scene, WIDGETS, "helper");
    assert_eq!(noted(&scene, "questions"), "", "nobody had to be asked");
    configure(&scene, "credential.helper", "");
    asks_as(&scene, WIDGETS, "asked");
    // What was typed has been kept, and is in the first request of the next time.
    scene.bitbucket.clear_requests();
    asks_as(&scene, WIDGETS, "asked");
    assert_eq!(users(&scene), ["asked"]);
}

#[test]
fn a_secret_of_the_environment_or_the_url_leaves_the_keychain_shut() {
    let scene = scene();
    let deaf = Deaf::start(&scene);
    scene.set("BBCLOUD_TOKEN", TOKEN);
    asks_as(&scene, WIDGETS, "x-bitbucket-api-token-auth");
    scene.unset("BBCLOUD_TOKEN");
    let file = scene.home().join("secret");
    scene.excuse_file(&file);
    fs::write(&file, TOKEN).expect("a file can be written");
    scene.set("BBCLOUD_TOKEN_FILE", file);
    asks_as(&scene, WIDGETS, "x-bitbucket-api-token-auth");
    scene.unset("BBCLOUD_TOKEN_FILE");
    asks_as(&scene, &format!("x:{TOKEN}@acme/widgets").replace("x:", "ada:"), "ada");
    assert_eq!(deaf.connections(), 0);
}

#[test]
fn nobody_is_signed_in_and_the_keychain_is_not_even_opened() {
    let scene = scene();
    let deaf = Deaf::start(&scene);
    scene.bitbucket.set_public(WIDGETS, true);
    assert!(ls_remote(&scene, WIDGETS).success());
    assert_eq!(users(&scene), ["-"]);
    assert_eq!(deaf.connections(), 0);
}

/// It was given for this run: asking elsewhere would hide that it is wrong.
#[test]
fn a_wrong_secret_of_the_environment_is_used_alone() {
    let scene = scene();
    person(&scene, "helper");
    helper(&scene, "helper", "ATBB-helper");
    askpass(&scene, "helper", "ATBB-helper");
    scene.set("BBCLOUD_TOKEN", "ATATT-wrong");
    let output = ls_remote(&scene, WIDGETS);
    assert!(!output.success());
    says(
        &output.stderr,
        &["HTTP 401", "caused by: the token came from BBCLOUD_TOKEN"],
    );
    assert_eq!(noted(&scene, "told") + &noted(&scene, "questions"), "");
}

#[test]
fn a_name_in_the_address_chooses_among_accounts() {
    let scene = scene();
    let _desktop = Desktop::start(&scene);
    for name in ["ann", "ben"] {
        keep(&scene, &person(&scene, name), &["--username", name]);
    }
    asks_as(&scene, "ann@acme/widgets", "ann");
    asks_as(&scene, "ben@acme/widgets", "ben");
    asks_as(&scene, WIDGETS, "ben");
}

#[test]
fn netrc_is_read_as_curl_reads_it() {
    let scene = scene();
    for name in ["ann", "ben"] {
        person(&scene, name);
    }
    netrc(
        &scene,
        "machine elsewhere login no password no\nmachine localhost login ann password ATBB-ann\n\
         machine localhost login ben password ATBB-ben\n",
    );
    asks_as(&scene, WIDGETS, "ann");
    // As with git, nothing is sent before the server has asked.
    assert_eq!(users(&scene), ["-", "ann"]);
    scene.bitbucket.clear_requests();
    asks_as(&scene, WIDGETS, "ann");
    // It served the repository last, so it goes with the first request.
    assert_eq!(users(&scene), ["ann"]);
    asks_as(&scene, "ben@acme/widgets", "ben");
    netrc(&scene, &format!("default password {TOKEN}\n"));
    asks_as(&scene, WIDGETS, "x-bitbucket-api-token-auth");
    netrc(&scene, "machine localhost login ann password ATBB-old\n");
    let output = ls_remote(&scene, WIDGETS);
    says(
        &output.stderr,
        &[
            "rejected the app password of 'ann'",
            "the app password came from ~/.netrc",
        ],
    );
}

#[test]
fn helpers_are_told_what_became_of_their_answer() {
    let scene = scene();
    person(&scene, "ann");
    helper(&scene, "ann", "ATBB-ann");
    asks_as(&scene, WIDGETS, "ann");
    let port = scene.bitbucket.port();
    let told = noted(&scene, "told");
    let (get, store) = told.split_once("== store").expect("it was approved");
    says(
        get,
        &[
            "== get",
            "protocol=https",
            &format!("host=localhost:{port}"),
            "wwwauth[]=Basic realm",
        ],
    );
    says(store, &["username=ann", "password=ATBB-ann"]);
    assert!(!get.contains("path="), "{get}");

    fs::remove_file(scene.home().join("told")).expect("it has been told");
    scene.bitbucket.revoke("ATBB-ann");
    configure(&scene, "credential.useHttpPath", "true");
    let output = ls_remote(&scene, WIDGETS);
    says(&output.stderr, &["HTTP 401", "from git's credential helper"]);
    says(&output.stderr, &["last worked on 20"]);
    let told = noted(&scene, "told");
    says(&told, &["== get", "path=acme/widgets.git"]);
    assert!(
        !told.contains("== erase"),
        "it has worked, and one refusal says little: {told}"
    );
    fs::remove_file(scene.home().join("told")).expect("it has been told");
    let output = ls_remote(&scene, "acme/parts");
    assert!(!output.success());
    let told = noted(&scene, "told");
    let (_, erase) = told.split_once("== erase").expect("it has never worked there");
    says(erase, &["username=ann", "password=ATBB-ann"]);
}

#[test]
fn a_helper_may_end_the_search() {
    let scene = scene();
    let path = program(&scene, "quits", "echo quit=1");
    configure(&scene, "credential.helper", &format!("!{}", path.display()));
    askpass(&scene, "ann", "ATBB-ann");
    let output = ls_remote(&scene, WIDGETS);
    says(
        &output.stderr,
        &["HTTP 401", "hint: run 'git-remote-bbcloud login --for acme/widgets'"],
    );
    assert_eq!(noted(&scene, "questions"), "");
}

/// Git's plain https remotes are served by it; the helper itself has asked the keychain already.
#[test]
fn our_own_credential_mode_is_not_called_in_a_circle() {
    let scene = scene();
    let log = scene.home().join("called");
    let path = program(
        &scene,
        "git-remote-bbcloud",
        &format!("echo called >>'{}'", log.display()),
    );
    configure(&scene, "credential.helper", &format!("!{} credential", path.display()));
    let output = ls_remote(&scene, WIDGETS);
    says(&output.stderr, &["HTTP 401"]);
    assert_eq!(noted(&scene, "called"), "");
}

#[test]
fn nobody_is_asked_where_the_settings_forbid_it() {
    let scene = scene();
    askpass(&scene, "ann", &person(&scene, "ann"));
    configure(&scene, "credential.interactive", "false");
    let output = ls_remote(&scene, WIDGETS);
    says(
        &output.stderr,
        &["HTTP 401", "hint: run 'git-remote-bbcloud login --for acme/widgets'"],
    );
    assert_eq!(noted(&scene, "questions"), "");
}
