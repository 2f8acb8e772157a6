//! Keychains that are locked, absent, silent, ambiguous, empty or broken.

use std::collections::HashMap;
use std::fs;

use zbus::blocking::Connection;
use zbus::zvariant::{ObjectPath, OwnedObjectPath};

use super::Table;
use crate::keychain::desktop::{Bus, Desktop};
use crate::keychain::stub::Deaf;
use crate::keychain::{accounts_file, configure, keep, ls_remote, ours_with, scene};
use crate::support::run::Output;
use crate::support::scene::{Scene, TOKEN};

/// What `status` shows, too.
fn status(scene: &Scene) -> Output {
    let Output { code, stdout, stderr } = ours_with(scene, &["status"], "");
    let stderr = stdout.clone() + &stderr;
    Output { code, stdout, stderr }
}

fn login(scene: &Scene, more: &[&str]) -> Output {
    let arguments = [&["login", "--token-stdin", "--no-verify"], more].concat();
    ours_with(scene, &arguments, TOKEN)
}

#[test]
fn keychain() {
    let mut table = Table::new("keychain");
    let scene = scene();
    entries(&mut table, &scene);
    absent(&mut table, &scene);
    lists(&mut table, &scene);
    broken(&mut table);
    table.end();
}

fn entries(table: &mut Table, scene: &Scene) {
    let desktop = Desktop::start(scene);
    let entry = format!("x-bitbucket-api-token-auth@localhost:{}", scene.bitbucket.port());
    keep(scene, TOKEN, &[]);
    desktop.clear();
    table.fails(
        "the keychain has lost the secret",
        scene,
        &ls_remote(scene, "acme/widgets"),
    );
    desktop.add(&entry, "");
    table.fails(
        "the keychain's secret is empty",
        scene,
        &ls_remote(scene, "acme/widgets"),
    );
    desktop.clear();
    desktop.add(&entry, "ATATT-other");
    desktop.add(&entry, TOKEN);
    table.fails("the keychain has two of them", scene, &ls_remote(scene, "acme/widgets"));
    keep(scene, TOKEN, &[]);
    configure(scene, "bbcloud.store", "false");
    table.fails("nothing is to be kept", scene, &login(scene, &[]));
    table.works("nothing is to be kept, in the status", scene, &status(scene));
    scene.git_ok("", &["config", "--global", "--unset", "bbcloud.store"]);
    desktop.lock();
    table.fails("the keychain is locked", scene, &ls_remote(scene, "acme/widgets"));
    table.fails("the keychain is locked, in the status", scene, &status(scene));
    table.fails("the keychain is locked, for a login", scene, &login(scene, &[]));
}

fn absent(table: &mut Table, scene: &Scene) {
    table.fails("there is no message bus", scene, &ls_remote(scene, "acme/widgets"));
    scene.set("DBUS_SESSION_BUS_ADDRESS", "tcp:host=localhost,port=1");
    table.fails(
        "the message bus cannot be reached",
        scene,
        &ls_remote(scene, "acme/widgets"),
    );
    let bus = Bus::start(scene);
    table.fails(
        "the message bus has no keychain",
        scene,
        &ls_remote(scene, "acme/widgets"),
    );
    drop(bus);
    let _deaf = Deaf::start(scene);
    scene.set("BBCLOUD_KEYCHAIN_TIMEOUT", "0.25");
    table.fails("the keychain does not answer", scene, &ls_remote(scene, "acme/widgets"));
    scene.unset("BBCLOUD_KEYCHAIN_TIMEOUT");
}

fn lists(table: &mut Table, scene: &Scene) {
    let list = accounts_file(scene);
    fs::write(&list, "{").expect("it is our own file");
    table.fails(
        "the list of accounts is damaged",
        scene,
        &ls_remote(scene, "acme/widgets"),
    );
    fs::remove_file(&list).expect("it was there");
    let _desktop = Desktop::start(scene);
    fs::create_dir_all(list.with_file_name("accounts.json.new/x")).expect("a directory can be made");
    table.fails("the list of accounts cannot be written", scene, &login(scene, &[]));
}

/// A Secret Service that has nothing, or fails.
struct Service {
    fails: bool,
}

#[zbus::interface(name = "org.freedesktop.Secret.Service")]
impl Service {
    fn read_alias(&self, name: &str) -> zbus::fdo::Result<OwnedObjectPath> {
        if self.fails {
            return Err(zbus::fdo::Error::Failed(format!("no {name}: the disk is full")));
        }
        Ok(ObjectPath::from_static_str_unchecked("/").into())
    }

    #[expect(clippy::needless_pass_by_value, reason = "the shape of a D-Bus method")]
    fn search_items(&self, attributes: HashMap<String, String>) -> (Vec<OwnedObjectPath>, Vec<OwnedObjectPath>) {
        assert!(!self.fails || !attributes.is_empty(), "it asks for something");
        (Vec::new(), Vec::new())
    }
}

fn serve(bus: &Bus, fails: bool) -> Connection {
    let connection = bus.connect();
    let served = connection
        .object_server()
        .at("/org/freedesktop/secrets", Service { fails });
    assert!(served.expect("nobody else is there"));
    connection
        .request_name("org.freedesktop.secrets")
        .expect("nobody else has it");
    connection
}

fn broken(table: &mut Table) {
    for (title, fails) in [
        ("the keychain has no collection", false),
        ("the keychain is broken", true),
    ] {
        let scene = scene();
        let bus = Bus::start(&scene);
        let _service = serve(&bus, fails);
        table.fails(title, &scene, &login(&scene, &[]));
    }
}
