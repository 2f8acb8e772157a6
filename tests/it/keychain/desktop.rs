//! A desktop session of its own: a message bus, and gnome-keyring on it, started and ended by the test.

use std::collections::HashMap;
use std::fs;
use std::io::Write as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use zbus::blocking::{Connection, Proxy, connection};
use zbus::zvariant::{ObjectPath, OwnedObjectPath, OwnedValue, Value};

use super::runtime;
use crate::support::scene::Scene;

/// How long a daemon may take to be there on a busy machine.
const START: Duration = Duration::from_secs(30);

const ROOT: &str = "/org/freedesktop/secrets";

/// A session, so that no service of the machine is started by being asked for.
const BUS: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:path={}</listen><auth>EXTERNAL</auth><policy context="default">
<allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>
"#;

type Secret = (OwnedObjectPath, Vec<u8>, Vec<u8>, String);

/// A message bus. It ends with the value.
pub(crate) struct Bus {
    daemon: Child,
    pub(crate) socket: PathBuf,
}

impl Bus {
    /// Starts one, and lets everybody in the scene find it.
    pub(crate) fn start(scene: &Scene) -> Self {
        let socket = runtime(scene).join("bus");
        let config = scene.home().join("bus.conf");
        fs::write(&config, BUS.replace("{}", &socket.display().to_string())).expect("a file can be written");
        let mut command = scene.command("dbus-daemon", &scene.home());
        command
            .arg(format!("--config-file={}", config.display()))
            .args(["--nofork", "--nopidfile"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let bus = Self {
            daemon: command.spawn().expect("dbus-daemon is installed"),
            socket,
        };
        wait_for("the message bus", || UnixStream::connect(&bus.socket).ok());
        scene.set("DBUS_SESSION_BUS_ADDRESS", address(&bus.socket));
        bus
    }

    pub(crate) fn connect(&self) -> Connection {
        connection::Builder::address(address(&self.socket).as_str())
            .and_then(connection::Builder::build)
            .expect("the bus is there")
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        end(&mut self.daemon);
    }
}

/// A bus with gnome-keyring on it, whose default collection is open.
pub(crate) struct Desktop {
    keyring: Child,
    connection: Connection,
    pub(crate) bus: Bus,
}

impl Desktop {
    pub(crate) fn start(scene: &Scene) -> Self {
        let bus = Bus::start(scene);
        let mut command = scene.command("gnome-keyring-daemon", &scene.home());
        command
            .args(["--foreground", "--components=secrets", "--unlock"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut keyring = command.spawn().expect("gnome-keyring is installed");
        let mut stdin = keyring.stdin.take().expect("it was piped");
        stdin.write_all(b"password\n").expect("it reads a password");
        drop(stdin);
        let desktop = Self {
            keyring,
            connection: bus.connect(),
            bus,
        };
        wait_for("the keyring", || {
            let alias = desktop.service().call("ReadAlias", &("default",));
            alias.ok().filter(|path: &OwnedObjectPath| path.as_str() != "/")
        });
        desktop
    }

    fn service(&self) -> Proxy<'_> {
        self.proxy(ROOT, "Service")
    }

    fn proxy<'a>(&'a self, path: &'a str, interface: &str) -> Proxy<'a> {
        let interface = format!("org.freedesktop.Secret.{interface}");
        Proxy::new(&self.connection, "org.freedesktop.secrets", path.to_owned(), interface).expect("a proxy")
    }

    fn collection(&self) -> OwnedObjectPath {
        self.service().call("ReadAlias", &("default",)).expect("a default")
    }

    /// Locks everything, as a desktop does on its own after a while.
    pub(crate) fn lock(&self) {
        let locked: (Vec<OwnedObjectPath>, OwnedObjectPath) = self
            .service()
            .call("Lock", &(vec![self.collection()],))
            .expect("it can be locked");
        assert_eq!(locked.0.len(), 1);
    }

    /// The entries of this program.
    fn items(&self) -> Vec<OwnedObjectPath> {
        let attributes = HashMap::from([("service", "org.git-remote-bbcloud")]);
        let (open, locked): (Vec<OwnedObjectPath>, Vec<OwnedObjectPath>) =
            self.service().call("SearchItems", &(attributes,)).expect("a list");
        open.into_iter().chain(locked).collect()
    }

    fn session(&self) -> OwnedObjectPath {
        let (_, session): (OwnedValue, OwnedObjectPath) = self
            .service()
            .call("OpenSession", &("plain", Value::from("")))
            .expect("a session");
        session
    }

    /// Label and secret of every entry, in order.
    pub(crate) fn secrets(&self) -> Vec<(String, String)> {
        let session = self.session();
        let read = |path: &OwnedObjectPath| {
            let item = self.proxy(path.as_str(), "Item");
            let label: String = item.get_property("Label").expect("a label");
            let (_, _, value, _): Secret = item.call("GetSecret", &(&session,)).expect("a secret");
            (label, String::from_utf8(value).expect("text"))
        };
        let mut secrets: Vec<_> = self.items().iter().map(read).collect();
        secrets.sort();
        secrets
    }

    /// Adds an entry of the name `entry` beside any other, as another program may.
    pub(crate) fn add(&self, entry: &str, secret: &str) {
        let attributes = HashMap::from([
            ("service", "org.git-remote-bbcloud"),
            ("username", entry),
            ("target", "default"),
        ]);
        let properties = HashMap::from([
            ("org.freedesktop.Secret.Item.Label", Value::from("a copy")),
            ("org.freedesktop.Secret.Item.Attributes", Value::from(attributes)),
        ]);
        let session = self.session();
        let value = (
            ObjectPath::from(session),
            Vec::<u8>::new(),
            secret.as_bytes(),
            "text/plain",
        );
        let collection = self.collection();
        let made: (OwnedObjectPath, OwnedObjectPath) = self
            .proxy(collection.as_str(), "Collection")
            .call("CreateItem", &(properties, value, false))
            .expect("an entry");
        assert_ne!(made.0.as_str(), "/");
    }

    /// Deletes every entry, as a person may with another program.
    pub(crate) fn clear(&self) {
        for path in self.items() {
            let _prompt: OwnedObjectPath = self
                .proxy(path.as_str(), "Item")
                .call("Delete", &())
                .expect("it can be deleted");
        }
    }
}

impl Drop for Desktop {
    fn drop(&mut self) {
        end(&mut self.keyring);
    }
}

pub(crate) fn address(socket: &Path) -> String {
    format!("unix:path={}", socket.display())
}

pub(crate) fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < START, "{what} is not there after {START:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn end(child: &mut Child) {
    // What has ended by itself need not be ended.
    let _killed = child.kill();
    let _status = child.wait();
}
