//! A real keychain of one's own: gnome-keyring on a private message bus, unlocked, and gone with the value.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use super::run::{LIMIT, run};
use super::scene::Scene;

/// The bus and the keychain on it.
pub(crate) struct SecretService {
    children: Vec<Child>,
}

impl SecretService {
    /// Starts both for `scene`, whose later commands use them, and which has no other secret then.
    pub(crate) fn start(scene: &Scene) -> Self {
        let mut service = Self { children: Vec::new() };
        let runtime = scene.home().join("runtime");
        std::fs::create_dir_all(&runtime).expect("a directory can be made");
        scene.set("XDG_RUNTIME_DIR", &runtime);
        let mut bus = scene.command("dbus-daemon", &runtime);
        bus.args(["--session", "--nofork", "--nopidfile", "--print-address=1"])
            .arg(format!("--address=unix:path={}/bus", runtime.display()))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut bus = bus.spawn().expect("dbus-daemon can be started");
        let mut address = String::new();
        let said = bus.stdout.take().expect("stdout was piped");
        service.children.push(bus);
        BufReader::new(said)
            .read_line(&mut address)
            .expect("the bus says where it is");
        scene.set("DBUS_SESSION_BUS_ADDRESS", address.trim_end());
        scene.unset("BBCLOUD_TOKEN");
        let mut keyring = scene.command("gnome-keyring-daemon", &runtime);
        keyring
            .args(["--unlock", "--components=secrets", "--foreground"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut keyring = keyring.spawn().expect("gnome-keyring-daemon can be started");
        let password = keyring.stdin.take();
        password
            .expect("stdin was piped")
            .write_all(b"open")
            .expect("the password can be given");
        service.children.push(keyring);
        service.wait(scene);
        service
    }

    fn wait(&self, scene: &Scene) {
        let start = Instant::now();
        loop {
            let mut status = scene.command("git-remote-bbcloud", &scene.home());
            status.args(["status", "--json"]);
            let output = run(status);
            if output.stdout.contains(r#""state": "available""#) {
                return;
            }
            assert!(
                start.elapsed() < LIMIT,
                "no keychain: {}{}",
                output.stdout,
                output.stderr
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for SecretService {
    fn drop(&mut self) {
        for child in self.children.iter_mut().rev() {
            // It may have ended by itself.
            let _ended = child.kill();
            let _waited = child.wait();
        }
    }
}
