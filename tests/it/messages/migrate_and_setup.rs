//! `migrate` and `setup`: what they tell, and what keeps them from their work.

use std::fs;

use super::{Table, shell};
use crate::bitbucket::{Action, Fault};
use crate::keychain;
use crate::support::fixture::{MAIN, PART};
use crate::support::scene::{Scene, TOKEN};

#[test]
fn migrate() {
    let mut table = Table::new("migrate");
    let scene = with_secret();
    refused(&mut table, &scene);
    {
        let _desktop = keychain::desktop(&scene);
        done(&mut table, &scene);
    }
    submodules(&mut table);
    files(&mut table);
    table.end();
}

/// A clone with the secret in its URL, as people have it.
fn with_secret() -> Scene {
    let scene = Scene::new();
    scene.excuse_traces();
    for file in [".git/config", ".git/bbcloud-migrated.json", ".gitmodules"] {
        scene.excuse_file(scene.path("clone").join(file));
    }
    scene.cloned();
    put_secret(&scene);
    scene
}

fn put_secret(scene: &Scene) {
    scene.git_ok("clone", &["remote", "set-url", "origin", &scene.https_url(MAIN)]);
}

fn refused(table: &mut Table, scene: &Scene) {
    let migrate = |arguments: &str| shell(scene, &format!("cd clone && git-remote-bbcloud migrate {arguments}"));
    scene.unset("BBCLOUD_TOKEN");
    scene.set("DBUS_SESSION_BUS_ADDRESS", "unix:path=/no/such/socket");
    table.fails("there is no keychain for the secret of a URL", scene, &migrate(""));
    scene.git_ok("clone", &["config", "bbcloud.store", "false"]);
    scene.git_ok("", &["config", "--global", "bbcloud.store", "false"]);
    table.fails("nothing is to be kept, and a URL has a secret", scene, &migrate(""));
    scene.git_ok("", &["config", "--global", "--unset", "bbcloud.store"]);
    table.works("a dry run", scene, &migrate("--dry-run"));
    table.works("the secret is dropped", scene, &migrate("--discard-secrets"));
    table.works("there is nothing to migrate", scene, &migrate(""));
    let base = scene.bitbucket.base_url();
    let nameless = base.replace("://", "://:ATBB0123456789012345678901234567@") + "/acme/widgets.git";
    for (title, url) in [
        ("an app password in a URL without a name", nameless),
        ("a URL of the server that is no repository's", format!("{base}/acme")),
    ] {
        scene.git_ok("clone", &["remote", "set-url", "origin", &url]);
        table.fails(title, scene, &migrate(""));
    }
    put_secret(scene);
}

fn done(table: &mut Table, scene: &Scene) {
    let migrate = |arguments: &str| shell(scene, &format!("cd clone && git-remote-bbcloud migrate {arguments}"));
    scene.bitbucket.revoke(TOKEN);
    table.fails("the secret of a URL is refused", scene, &migrate(""));
    scene
        .bitbucket
        .add_account(crate::bitbucket::Account::api_token("ada", TOKEN));
    scene.git_ok("clone", &["remote", "add", "other", &scene.https_url(PART)]);
    scene.set("GIT_HTTP_MAX_RETRIES", "0");
    scene.bitbucket.fault(Fault::on("info/refs", Action::Close).always());
    table.works(
        "the server cannot be asked about the secret of a URL",
        scene,
        &migrate(""),
    );
    scene.bitbucket.clear_faults();
    scene.git_ok("clone", &["remote", "set-url", "origin", "bbcloud::acme/parts"]);
    table.works("a change is undone that was changed since", scene, &migrate("--undo"));
    table.works("there is nothing to undo", scene, &migrate("--undo"));
    scene
        .bitbucket
        .add_account(crate::bitbucket::Account::app_password("ada", "ATBB-old"));
    let url = scene
        .https_url(MAIN)
        .replace(TOKEN, "ATBB-old")
        .replace("x-bitbucket-api-token-auth", "ada");
    scene.git_ok("clone", &["remote", "set-url", "origin", &url]);
    table.works("a secret of a URL is kept", scene, &migrate(""));
    table.works("a change is undone", scene, &migrate("--undo"));
}

fn submodules(table: &mut Table) {
    let scene = with_secret();
    scene.git_ok(
        "clone",
        &["submodule", "--quiet", "add", &scene.https_url(PART), "libs/part"],
    );
    scene.unset("BBCLOUD_TOKEN");
    let output = shell(&scene, "cd clone && git-remote-bbcloud migrate --discard-secrets");
    table.works("a repository has submodules", &scene, &output);
}

fn files(table: &mut Table) {
    let scene = with_secret();
    let migrate = |arguments: &str| shell(&scene, &format!("cd clone && git-remote-bbcloud migrate {arguments}"));
    let lock = scene.path("clone/.git/config.lock");
    fs::write(&lock, "").expect("a file can be written");
    table.fails("the configuration is locked", &scene, &migrate("--discard-secrets"));
    fs::remove_file(&lock).expect("it was there");
    let record = scene.path("clone/.git/bbcloud-migrated.json");
    for (title, text) in [
        ("the record is no JSON", "{"),
        ("the record is of another version", "{\"version\": 7}"),
    ] {
        fs::write(&record, text).expect("a file can be written");
        table.fails(title, &scene, &migrate("--undo"));
    }
    fs::remove_file(&record).expect("it was there");
    fs::create_dir(&record).expect("a directory can be made");
    table.fails("the record cannot be read", &scene, &migrate("--undo"));
    fs::remove_dir(&record).expect("it is empty");
    let change =
        r#"{"version":1,"changes":[{"file":"config","key":"core.pager","before":"x","after":"y","secret":false}]}"#;
    fs::write(&record, change).expect("a file can be written");
    table.fails("the record has another line", &scene, &migrate("--undo"));
    fs::remove_file(&record).expect("it was there");
    #[cfg(unix)]
    links(table, &scene);
    let more = format!("[url \"{}\"]\n\tinsteadOf = there\n", scene.https_url("acme/x"));
    let config = scene.text("clone/.git/config") + &more;
    fs::write(scene.path("clone/.git/config"), config).expect("a file can be written");
    table.works("another section has a secret", &scene, &migrate("--discard-secrets"));
    scene.git_ok("", &["lfs", "install", "--skip-repo"]);
    fs::write(&lock, "").expect("a file can be written");
    table.works("git-lfs cannot be told", &scene, &scene.git_in("clone", &["fetch"]));
    fs::remove_file(&lock).expect("it was there");
    fs::write(scene.path("clone/.git/config"), "[remote \"origin\"\n").expect("a file can be written");
    table.fails("the repository's configuration is broken", &scene, &migrate(""));
}

/// What somebody else may have prepared.
#[cfg(unix)]
fn links(table: &mut Table, scene: &Scene) {
    let migrate = |arguments: &str| shell(scene, &format!("cd clone && git-remote-bbcloud migrate {arguments}"));
    let (config, aside) = (scene.path("clone/.git/config"), scene.path("aside"));
    let record = scene.path("clone/.git/bbcloud-migrated.json");
    std::os::unix::fs::symlink(&aside, &record).expect("a link");
    fs::write(&aside, "{}").expect("a file can be written");
    table.fails("the record is a link", scene, &migrate("--undo"));
    fs::remove_file(&record).expect("it was there");
    fs::rename(&config, &aside).expect("it can be moved");
    std::os::unix::fs::symlink(&aside, &config).expect("a link");
    table.fails("the configuration is a link", scene, &migrate("--discard-secrets"));
    fs::rename(&aside, &config).expect("it can be moved");
    let before = scene.text("clone/.git/config");
    let token = "ATBB0123456789012345678901234567";
    for (title, url) in [
        (
            "a URL of ssh has a password",
            "ssh://ada:ATBB-old@bitbucket.org/acme/widgets.git".to_owned(),
        ),
        (
            "a URL has a token in its path",
            format!("git@bitbucket.org:{token}/widgets.git"),
        ),
    ] {
        scene.git_ok("clone", &["remote", "set-url", "origin", &url]);
        table.fails(title, scene, &migrate(""));
    }
    fs::write(&config, before).expect("a file can be written");
    scene.git_ok("", &["init", "--quiet", "--bare", "bare"]);
    scene.git_ok("", &["config", "--global", "safe.bareRepository", "explicit"]);
    let output = shell(scene, "cd bare && git-remote-bbcloud migrate");
    table.fails("git wants a bare repository to be named", scene, &output);
    scene.git_ok("", &["config", "--global", "--unset", "safe.bareRepository"]);
}

#[test]
fn setup() {
    let mut table = Table::new("setup");
    let scene = Scene::new();
    scene.unset("BBCLOUD_TOKEN");
    let setup = |arguments: &str| shell(&scene, &format!("git-remote-bbcloud setup {arguments}"));
    table.fails("lines are missing", &scene, &setup("--check"));
    table.works("nothing was written", &scene, &setup("--undo"));
    let lock = scene.home().join(".gitconfig.lock");
    fs::write(&lock, "").expect("a file can be written");
    table.fails("git's configuration is locked", &scene, &setup(""));
    fs::remove_file(&lock).expect("it was there");
    table.works("lines are written", &scene, &setup(""));
    table.works("nothing is missing", &scene, &setup("--check"));
    table.works("everything is there", &scene, &setup(""));
    table.works("lines are taken away", &scene, &setup("--undo"));
    table.works(
        "URLs are rewritten, which breaks other programs",
        &scene,
        &setup("--workspace acme"),
    );
    scene.git_ok("", &["config", "--global", "--remove-section", "url.bbcloud::acme/"]);
    table.fails("lines are taken away that were changed since", &scene, &setup("--undo"));
    let record = scene.home().join(".config/git-remote-bbcloud/setup.json");
    for (title, text) in [
        ("the record is no JSON", "{"),
        ("the record is of another version", "{\"version\": 7}"),
    ] {
        fs::write(&record, text).expect("a file can be written");
        table.fails(title, &scene, &setup("--undo"));
    }
    fs::remove_file(&record).expect("it was there");
    scene.set("GIT_CONFIG_GLOBAL", "/dev/null");
    table.fails("git's configuration is no file", &scene, &setup(""));
    let broken = scene.path("broken");
    fs::create_dir(&broken).expect("a directory can be made");
    scene.set("GIT_CONFIG_GLOBAL", broken.join("no/such/file"));
    table.fails("git's configuration is in no directory", &scene, &setup(""));
    table.end();
}
