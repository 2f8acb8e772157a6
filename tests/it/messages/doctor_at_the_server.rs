//! What `doctor` finds between here and the server, at the server, and in the keychain.

use std::time::{Duration, SystemTime};

use super::doctor::{FOR_MAIN, page, shows};
use super::{Table, quick, shell, table};
use crate::bitbucket::{Account, Action, Fault, Refusal, Settings, Tls};
use crate::keychain;
use crate::proxy::{Kind, Proxy, Rules};
use crate::support::scene::{Scene, TOKEN, Transport};

#[test]
fn doctor_at_the_server() {
    let mut table = Table::new("doctor_at_the_server");
    let scene = quick();
    scene.cloned();
    network(&mut table, &scene);
    server(&mut table, &scene);
    large_files(&mut table, &scene);
    others(&mut table);
    table.end();
}

fn network(table: &mut Table, scene: &Scene) {
    let output = shell(scene, &format!("BBCLOUD_BASE_URL=https://localhost:1 {FOR_MAIN}"));
    shows(table, "nobody listens", scene, &output, &["tcp", "tls", "read"]);
    scene
        .bitbucket
        .fault(page(SystemTime::now() - Duration::from_secs(3605)));
    shows(table, "the clock is ahead", scene, &shell(scene, FOR_MAIN), &["clock"]);
    scene.bitbucket.clear_faults();
    scene
        .bitbucket
        .fault(page(SystemTime::now() + Duration::from_secs(3605)));
    shows(table, "the clock is behind", scene, &shell(scene, FOR_MAIN), &["clock"]);
    scene.bitbucket.clear_faults();
    scene
        .bitbucket
        .fault(Fault::on("/", Action::Refuse(Refusal::Maintenance)).always());
    shows(
        table,
        "the server is in trouble",
        scene,
        &shell(scene, FOR_MAIN),
        &["http", "read", "rate-limit"],
    );
    scene.bitbucket.clear_faults();
    let proxy = Proxy::start(Rules::new(Kind::Http));
    let output = shell(
        scene,
        &format!("https_proxy=http://127.0.0.1:{} {FOR_MAIN}", proxy.port()),
    );
    shows(table, "a proxy stands between", scene, &output, &["proxy", "tcp"]);
}

fn server(table: &mut Table, scene: &Scene) {
    let limited = Action::Refuse(Refusal::RateLimited { retry_after: 30 });
    scene.bitbucket.fault(Fault::on("info/refs", limited).always());
    shows(
        table,
        "too many requests",
        scene,
        &shell(scene, FOR_MAIN),
        &["read", "rate-limit"],
    );
    scene.bitbucket.clear_faults();
    scene.bitbucket.fault(Fault::on("info/refs", Action::Close).always());
    shows(
        table,
        "the server says nothing",
        scene,
        &shell(scene, FOR_MAIN),
        &["read", "rate-limit"],
    );
    scene.bitbucket.clear_faults();
    let page = Action::ContentType("text/html".to_owned());
    scene.bitbucket.fault(Fault::on("info/refs", page).always());
    shows(
        table,
        "a sign-in page of the network",
        scene,
        &shell(scene, FOR_MAIN),
        &["read"],
    );
    scene.bitbucket.clear_faults();
    let read = Account::api_token("ada", "ATATT-read").read_only();
    scene.bitbucket.add_account(read);
    let output = shell(scene, &format!("BBCLOUD_TOKEN=ATATT-read {FOR_MAIN}"));
    shows(table, "the token may only read", scene, &output, &["push"]);
}

fn large_files(table: &mut Table, scene: &Scene) {
    let status = |status: u16| {
        Action::Refuse(Refusal::Custom {
            status,
            headers: Vec::new(),
            content_type: String::new(),
            body: Vec::new(),
        })
    };
    for (title, action) in [
        ("large files are refused", Action::Refuse(Refusal::Forbidden)),
        ("there are no large files", Action::Refuse(Refusal::NotFound)),
        ("large files get no answer", Action::Close),
        ("large files get an odd answer", status(418)),
    ] {
        scene.bitbucket.fault(Fault::on("info/lfs", action).always());
        shows(table, title, scene, &shell(scene, FOR_MAIN), &["lfs"]);
        scene.bitbucket.clear_faults();
    }
    scene.commit(
        "clone",
        ".gitattributes",
        b"*.bin filter=lfs diff=lfs merge=lfs -text\n",
    );
    let output = shell(scene, "cd clone && git-remote-bbcloud doctor");
    shows(table, "git-lfs is not told", scene, &output, &["lfs"]);
}

/// Servers and machines of another kind.
fn others(table: &mut Table) {
    let plain = Settings {
        tls: Tls::Off,
        ignore_git_protocol: true,
        ..Settings::default()
    };
    let scene = Scene::with(Transport::Bbcloud, 2, plain);
    shows(
        table,
        "an old server without TLS",
        &scene,
        &shell(&scene, FOR_MAIN),
        &["tls", "protocol"],
    );
    let scene = keychain::scene();
    shows(
        table,
        "there is no keychain",
        &scene,
        &shell(&scene, FOR_MAIN),
        &["keychain"],
    );
    let _desktop = keychain::desktop::Desktop::start(&scene);
    shows(
        table,
        "the keychain is there, and empty",
        &scene,
        &shell(&scene, FOR_MAIN),
        &["keychain"],
    );
    keychain::keep(&scene, TOKEN, &[]);
    shows(
        table,
        "the keychain has the secret",
        &scene,
        &shell(&scene, FOR_MAIN),
        &["keychain", "secret"],
    );
    scene.set("BBCLOUD_TOKEN", "ATATT-wrong");
    let output = shell(&scene, "git-remote-bbcloud status --check --for acme/widgets");
    let said = table::normalised(&scene, &(output.stdout + &output.stderr));
    table.add_text("the status, where a variable wins", &said);
}
