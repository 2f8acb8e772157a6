//! Signing in and out, as a person and as git do it, and being asked while a command runs.

use super::{Table, list, shell, table};
use crate::bitbucket::{Account, Action, Fault, Refusal, Scope};
use crate::keychain::desktop::Desktop;
use crate::keychain::terminal::Terminal;
use crate::keychain::{configure, helper, keep, ls_remote, ours_with, person, scene};
use crate::support::run::run;
use crate::support::scene::{Scene, TOKEN};

#[test]
fn signing_in() {
    let mut table = Table::new("signing_in");
    let scene = scene();
    let _desktop = Desktop::start(&scene);
    logins(&mut table, &scene);
    lifetimes(&mut table, &scene);
    terminals(&mut table, &scene);
    asked(&mut table, &scene);
    at_the_same_time(&mut table, &scene);
    git_asks(&mut table, &scene);
    sources(&mut table, &scene);
    table.end();
}

fn logins(table: &mut Table, scene: &Scene) {
    person(scene, "ann");
    let login = |more: &[&str], secret: &str| ours_with(scene, &[&["login", "--token-stdin"], more].concat(), secret);
    table.works(
        "nobody is signed in at all",
        scene,
        &ours_with(scene, &["logout", "--all"], ""),
    );
    table.fails("nobody is signed in", scene, &ours_with(scene, &["logout"], ""));
    table.fails(
        "nobody is signed in, in the status",
        scene,
        &ours_with(scene, &["status", "--for", "acme"], ""),
    );
    table.works(
        "signed in without being tried",
        scene,
        &login(&["--for", "acme"], TOKEN),
    );
    table.works("signed in unasked", scene, &login(&["--no-verify"], TOKEN));
    table.works(
        "signed in for a repository",
        scene,
        &login(&["--for", "acme/widgets"], TOKEN),
    );
    table.works(
        "signed in with an e-mail address",
        scene,
        &login(&["--username", "ada@example.com"], TOKEN),
    );
    refused_logins(table, scene);
    table.works(
        "signed out",
        scene,
        &ours_with(scene, &["logout", "--for", "acme/widgets"], ""),
    );
    table.fails(
        "somebody else is signed in",
        scene,
        &ours_with(scene, &["logout", "--for", "acme/parts"], ""),
    );
    table.works(
        "signed out of everything",
        scene,
        &ours_with(scene, &["logout", "--all"], ""),
    );
}

fn refused_logins(table: &mut Table, scene: &Scene) {
    let login = |more: &[&str], secret: &str| ours_with(scene, &[&["login", "--token-stdin"], more].concat(), secret);
    table.fails("an app password without a name", scene, &login(&[], "ATBB-ann"));
    let email = login(&["--for", "acme/widgets", "--username", "ann@example.com"], "ATBB-ann");
    table.fails("an app password with an e-mail address", scene, &email);
    table.fails(
        "a secret that the server refuses",
        scene,
        &login(&["--for", "acme/widgets"], "ATATT-wrong"),
    );
    scene.bitbucket.fault(Fault::on("info/refs", Action::Close).always());
    scene.set("GIT_HTTP_MAX_RETRIES", "0");
    table.fails(
        "a secret that cannot be tried",
        scene,
        &login(&["--for", "acme/widgets"], TOKEN),
    );
    scene.bitbucket.clear_faults();
    scene.set("BBCLOUD_TOKEN", TOKEN);
    table.works(
        "signed in while a variable wins",
        scene,
        &login(&["--no-verify"], TOKEN),
    );
    scene.unset("BBCLOUD_TOKEN");
}

/// When the secret expires, what is pasted in place of it, and a better one for it.
fn lifetimes(table: &mut Table, scene: &Scene) {
    let login = |more: &[&str], secret: &str| ours_with(scene, &[&["login", "--token-stdin"], more].concat(), secret);
    let soon = login(&["--for", "acme/widgets", "--expires", "30"], TOKEN);
    table.works("signed in until a day that is given", scene, &soon);
    table.works(
        "signed in with a secret that never expires",
        scene,
        &login(&["--for", "acme", "--expires", "never"], TOKEN),
    );
    table.fails(
        "a day that the calendar does not have",
        scene,
        &login(&["--expires", "2027-02-29"], TOKEN),
    );
    table.fails("a day in the past", scene, &login(&["--expires", "2020-02-02"], TOKEN));
    table.works(
        "replaced wherever it was",
        scene,
        &login(&["--for", "acme/widgets", "--replace"], TOKEN),
    );
    table.fails(
        "replaced by what cannot be tried",
        scene,
        &login(&["--for", "acme", "--replace"], "ATATT-new"),
    );
    ours_with(scene, &["logout", "--all"], "");
    let quoted = login(&["--for", "acme/widgets"], &format!("'{TOKEN}'"));
    table.works("pasted in quotes", scene, &quoted);
    table.works(
        "pasted with a header",
        scene,
        &login(&["--for", "acme/widgets"], &format!("Bearer {TOKEN}")),
    );
    table.works(
        "pasted with a user name",
        scene,
        &login(&["--for", "acme/widgets"], &format!("ada:{TOKEN}")),
    );
    table.fails("a variable that nobody expanded", scene, &login(&[], "$TOKEN"));
    scene.set("BBCLOUD_TOKEN", "%TOKEN%");
    table.fails(
        "a variable that nobody expanded, on a build server",
        scene,
        &ls_remote(scene, "acme/widgets"),
    );
    scene.set("BBCLOUD_TOKEN", format!("\"{TOKEN}\""));
    table.fails(
        "quotes around the secret of a build server",
        scene,
        &ls_remote(scene, "acme/widgets"),
    );
    scene.unset("BBCLOUD_TOKEN");
    configure(scene, "bbcloud.expiryWarning", "soon");
    table.fails(
        "a setting that is neither a number of days nor a word",
        scene,
        &ls_remote(scene, "acme/widgets"),
    );
    configure(scene, "bbcloud.expiryWarning", "14");
    keep(scene, TOKEN, &["--for", "acme", "--expires", "1"]);
    ours_with(scene, &["logout", "--for", "acme/widgets"], "");
    let list = &["git", "ls-remote", "bbcloud::acme/widgets", "nothing"][..];
    table.add_text("a secret expires soon", &terminal(scene, list, &[]));
    configure(scene, "bbcloud.tokenPage", "file:///etc/passwd");
    let login = &["git-remote-bbcloud", "login"][..];
    table.add_text("the page of tokens is not of the web", &terminal(scene, login, &[]));
    configure(scene, "bbcloud.tokenPage", "");
    ours_with(scene, &["logout", "--all"], "");
}

/// What was shown until `answers` have been given to what is shown before them.
fn terminal(scene: &Scene, arguments: &[&str], answers: &[(&str, &str)]) -> String {
    let mut command = scene.command(arguments[0], &scene.work());
    command.args(&arguments[1..]).env_remove("GIT_TERMINAL_PROMPT");
    let mut terminal = Terminal::start(command);
    for (question, answer) in answers {
        terminal.expect(question);
        terminal.enter(answer);
    }
    let (_, shown) = terminal.end();
    table::normalised(scene, &shown.replace('\r', ""))
}

const SECRET: &str = "Password for";
const NAME: &str = "Username for";

fn terminals(table: &mut Table, scene: &Scene) {
    let login = &["git-remote-bbcloud", "login", "--for", "acme/widgets"][..];
    table.add_text("nothing is typed", &terminal(scene, login, &[(NAME, ""), (SECRET, "")]));
    let shown = terminal(scene, login, &[(NAME, "ann"), (SECRET, "ATBB-ann")]);
    table.add_text("an app password is typed, and its name", &shown);
    keep(scene, "ATBB-ann", &["--username", "ann"]);
    scene.bitbucket.app_passwords_dead(true);
    ours_with(scene, &["logout", "--all"], "");
    let list = &["git", "ls-remote", "bbcloud::acme/widgets", "nothing"][..];
    let shown = terminal(
        scene,
        list,
        &[
            (NAME, "ann"),
            (SECRET, "ATBB-ann"),
            (NAME, "ann"),
            (SECRET, "ATBB-ann"),
            (NAME, ""),
            (SECRET, ""),
        ],
    );
    table.add_text("what git is given is refused, and then nothing is typed", &shown);
    scene.bitbucket.app_passwords_dead(false);
}

/// A listing at a terminal, where `secret` is typed if it comes to that.
fn listing(scene: &Scene, secret: &str) -> String {
    let list = &["git", "ls-remote", "bbcloud::acme/widgets", "nothing"][..];
    terminal(scene, list, &[(NAME, ""), (SECRET, secret)])
}

/// At a terminal, because what was kept does not help.
fn asked(table: &mut Table, scene: &Scene) {
    keep(scene, "ATATT-expired", &["--for", "acme"]);
    table.add_text("a kept secret has expired", &listing(scene, TOKEN));
    ours_with(scene, &["logout", "--all"], "");
    keep(scene, "ATBB-ann", &["--username", "ann"]);
    scene.bitbucket.app_passwords_dead(true);
    table.add_text("a kept app password is gone", &listing(scene, TOKEN));
    scene.bitbucket.app_passwords_dead(false);
    ours_with(scene, &["logout", "--all"], "");
    let narrow = Account::api_token("ada", "ATATT-narrow").scopes(&[Scope::Wiki]);
    scene.bitbucket.add_account(narrow);
    keep(scene, "ATATT-narrow", &[]);
    table.add_text("a kept token lacks a permission", &listing(scene, TOKEN));
    ours_with(scene, &["logout", "--all"], "");
    scene.set("DBUS_SESSION_BUS_ADDRESS", "unix:path=/no/such/socket");
    table.add_text("what was typed cannot be kept", &listing(scene, TOKEN));
}

fn at_the_same_time(table: &mut Table, scene: &Scene) {
    scene.git_ok("", &["init", "--quiet", "many"]);
    for name in ["one", "two"] {
        scene.git_ok("many", &["remote", "add", name, "bbcloud::acme/widgets"]);
    }
    configure(scene, "bbcloud.store", "false");
    let mut command = scene.command("git", &scene.path("many"));
    command
        .args(["fetch", "--all", "--jobs=2", "--quiet"])
        .env_remove("GIT_TERMINAL_PROMPT");
    let mut terminal = Terminal::start(command);
    terminal.expect(NAME);
    // Time for the other one to come to its question.
    std::thread::sleep(std::time::Duration::from_secs(2));
    terminal.enter("");
    terminal.expect(SECRET);
    terminal.enter(TOKEN);
    terminal.expect(NAME);
    terminal.enter("");
    terminal.expect(SECRET);
    terminal.enter(TOKEN);
    let shown = table::normalised(scene, &terminal.end().1.replace('\r', ""));
    // It stands behind the question of the other one.
    let waiting = shown
        .lines()
        .find_map(|line| line.find("waiting").map(|at| &line[at..]));
    table.add_text("two want to ask at the same time", waiting.unwrap_or_default());
    scene.git_ok("", &["config", "--global", "--unset", "bbcloud.store"]);
    scene.set(
        "DBUS_SESSION_BUS_ADDRESS",
        format!("unix:path={}", scene.home().join("run/bus").display()),
    );
}

fn git_asks(table: &mut Table, scene: &Scene) {
    let host = format!("localhost:{}", scene.bitbucket.port());
    let question = format!("protocol=https\nhost={host}\npath=acme/widgets.git\n");
    let answer = "username=x-bitbucket-api-token-auth\npassword=ATATT-expired\n";
    keep(scene, "ATATT-expired", &[]);
    let credential = |what: &str, more: &str| ours_with(scene, &["credential", what], &format!("{question}{more}\n"));
    table.works(
        "git says that a kept secret was rejected",
        scene,
        &credential("erase", answer),
    );
    table.works("git asks again for a rejected secret", scene, &credential("get", ""));
    table.fails(
        "git asks in a way of its own",
        scene,
        &ours_with(scene, &["credential", "get"], "protocol\n\n"),
    );
    ours_with(scene, &["logout", "--all"], "");
}

fn sources(table: &mut Table, scene: &Scene) {
    let port = scene.bitbucket.port();
    helper(scene, "ann", "ATBB-stale");
    table.fails(
        "git's helper knows a wrong secret",
        scene,
        &ls_remote(scene, "acme/widgets"),
    );
    let helper = "credential.helper=!'";
    table.fails(
        "git's helper cannot be started",
        scene,
        &list(scene, &["credential.helper=", helper]),
    );
    configure(scene, "credential.helper", "");
    let netrc = format!(
        "machine localhost:{port} login ann password ATBB-stale\nmachine localhost login ann password ATBB-stale\n"
    );
    std::fs::write(scene.home().join(".netrc"), netrc).expect("a file can be written");
    table.fails(
        "the netrc file has a wrong secret",
        scene,
        &ls_remote(scene, "acme/widgets"),
    );
    std::fs::remove_file(scene.home().join(".netrc")).expect("it was there");
    keep(scene, "ATATT-kept", &[]);
    table.fails(
        "the keychain has a wrong secret",
        scene,
        &ls_remote(scene, "acme/widgets"),
    );
    scene.set("BBCLOUD_API_URL", scene.bitbucket.api_url());
    table.fails(
        "the keychain has no e-mail address for the API",
        scene,
        &shell(scene, "git-remote-bbcloud api /user"),
    );
    scene
        .bitbucket
        .fault(Fault::on("info/refs", Action::Refuse(Refusal::Forbidden)));
    let mut status = scene.command("git-remote-bbcloud", &scene.work());
    status.args(["status", "--check", "--for", "acme/widgets"]);
    table.fails("the server refuses what is kept, in the status", scene, &run(status));
}
