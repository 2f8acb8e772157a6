//! The local Bitbucket: real `git http-backend` behind an HTTP/1.1 and TLS server that answers, refuses and
//! breaks as Bitbucket Cloud and the networks in front of it do.
//!
//! The server is written by hand down to the byte, because a library would repair the faults that tests ask for.

mod access;
mod account;
mod answer;
mod backend;
mod connection;
mod fault;
mod header;
mod lfs;
mod listener;
mod log;
mod process;
mod refusal;
mod repository;
mod request;
mod rest;
mod rewrite;
mod tls;
mod world;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tempfile::TempDir;
use tokio::runtime::Runtime;

pub(crate) use account::{ACCESS_TOKEN_USER, API_TOKEN_USER, Account, Scope};
pub(crate) use fault::{Action, Fault};
pub(crate) use log::{Framing, Request};
pub(crate) use process::{command, run_limited};
pub(crate) use refusal::Refusal;
pub(crate) use tls::Tls;
pub(crate) use world::Settings;

use log::locked;
use world::World;

/// A running server. Dropping it ends its connections, its children and its threads.
pub(crate) struct Bitbucket {
    world: Arc<World>,
    runtime: Option<Runtime>,
    port: u16,
    /// The certificates, and the repositories if they have no root of their own.
    directory: TempDir,
}

impl Bitbucket {
    pub(crate) fn start(settings: Settings) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let root = settings
            .root
            .clone()
            .unwrap_or_else(|| directory.path().join("repositories"));
        std::fs::create_dir_all(&root).expect("the root can be made");
        let root = root.canonicalize().expect("the root exists");
        let acceptor = tls::acceptor(settings.tls, directory.path());
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("local-bitbucket")
            .enable_all()
            .build()
            .expect("a runtime");
        let listeners = runtime
            .block_on(listener::bind(settings.port))
            .expect("a port of our own");
        let port = listeners.port;
        let scheme = if acceptor.is_some() { "https" } else { "http" };
        let world = Arc::new(World::new(settings, root, format!("{scheme}://localhost:{port}")));
        for socket in listeners.sockets {
            runtime.spawn(listener::accept(socket, acceptor.clone(), Arc::clone(&world)));
        }
        Self {
            world,
            runtime: Some(runtime),
            port,
            directory,
        }
    }

    /// `https://localhost:<port>[/prefix]`.
    pub(crate) fn base_url(&self) -> String {
        format!("{}{}", self.world.origin, self.world.settings.prefix)
    }

    /// `https://localhost:<port>/2.0`.
    pub(crate) fn api_url(&self) -> String {
        format!("{}{}", self.world.origin, self.world.settings.rest_path)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The authority that signed the server's certificate, in PEM.
    pub(crate) fn ca_file(&self) -> PathBuf {
        self.directory.path().join(tls::CA_FILE)
    }

    /// The server's public key, in DER.
    pub(crate) fn server_key(&self) -> Vec<u8> {
        std::fs::read(self.directory.path().join(tls::SERVER_KEY_FILE)).expect("the server has a key")
    }

    /// With [`Tls::ClientCertificate`]: a certificate that the server accepts, and its key, in PEM.
    pub(crate) fn client_certificate(&self) -> (PathBuf, PathBuf) {
        let file = |name| self.directory.path().join(name);
        (file(tls::CLIENT_CERTIFICATE_FILE), file(tls::CLIENT_KEY_FILE))
    }

    /// Makes the private repository `name`, as in `acme/widgets`, and returns where it is on disk.
    pub(crate) fn create_repository(&self, name: &str) -> PathBuf {
        repository::create(&self.world.root, name, "sha1")
    }

    pub(crate) fn create_sha256_repository(&self, name: &str) -> PathBuf {
        repository::create(&self.world.root, name, "sha256")
    }

    /// Makes the private wiki of the repository `name`.
    pub(crate) fn create_wiki(&self, name: &str) -> PathBuf {
        repository::create(&self.world.root, &format!("{name}/wiki"), "sha1")
    }

    /// Where `acme/widgets` or `acme/widgets/wiki` is on disk.
    pub(crate) fn repository_path(&self, name: &str) -> PathBuf {
        self.world.root.join(access::directory(name))
    }

    /// Commits `files` to a branch of a repository or wiki on the server.
    pub(crate) fn commit(&self, name: &str, branch: &str, message: &str, files: &[(&str, &[u8])]) {
        repository::commit(&self.world.root, &self.repository_path(name), branch, message, files);
    }

    /// Copies the branches, tags and `HEAD` of another repository on this machine.
    pub(crate) fn seed_from(&self, name: &str, source: &Path) {
        repository::seed_from(&self.world.root, &self.repository_path(name), source);
    }

    /// Whether `acme/widgets`, or separately `acme/widgets/wiki`, can be read without credentials.
    pub(crate) fn set_public(&self, name: &str, public: bool) {
        let mut tables = locked(&self.world.tables);
        if public {
            tables.public.insert(name.to_owned());
        } else {
            tables.public.remove(name);
        }
    }

    /// Answers for `old` with 301 to `new`, wiki included.
    pub(crate) fn moved(&self, old: &str, new: &str) {
        locked(&self.world.tables).moved.insert(old.to_owned(), new.to_owned());
    }

    /// Another name for one part of an address, as in `{uuid}` for `acme`.
    pub(crate) fn alias(&self, other: &str, name: &str) {
        locked(&self.world.tables)
            .aliases
            .insert(other.to_owned(), name.to_owned());
    }

    pub(crate) fn add_account(&self, account: Account) {
        for name in [&account.username, &account.email] {
            self.world.log.knows(name, &account.secret);
        }
        locked(&self.world.tables).accounts.push(account);
    }

    /// Forgets a secret, as when it is revoked.
    pub(crate) fn revoke(&self, secret: &str) {
        locked(&self.world.tables)
            .accounts
            .retain(|account| account.secret != secret);
    }

    /// Whether every app password is refused with 410.
    pub(crate) fn app_passwords_dead(&self, dead: bool) {
        self.world.app_passwords_dead.store(dead, Ordering::Relaxed);
    }

    /// Whether a missing scope is told as a REST document that names the scopes.
    pub(crate) fn scope_refusals_as_json(&self, json: bool) {
        self.world.scope_refusals_as_json.store(json, Ordering::Relaxed);
    }

    /// Whether large files are at a place of their own, which wants what the answer says and not the user's secret.
    pub(crate) fn lfs_elsewhere(&self, elsewhere: bool) {
        self.world.lfs_elsewhere.store(elsewhere, Ordering::Relaxed);
    }

    /// From now on answers in version 0, whatever a client asks for.
    pub(crate) fn ignore_git_protocol(&self) {
        self.world.ignores_git_protocol.store(true, Ordering::Relaxed);
    }

    pub(crate) fn fault(&self, fault: Fault) {
        self.world.faults.add(fault);
    }

    pub(crate) fn clear_faults(&self) {
        self.world.faults.clear();
    }

    /// Every request so far, also those that are still being answered.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.world.log.requests()
    }

    pub(crate) fn clear_requests(&self) {
        self.world.log.clear();
    }

    /// Every request since the start, as it came, whatever has been cleared.
    pub(crate) fn all_requests(&self) -> Vec<Request> {
        self.world.log.all()
    }

    /// The secrets that have ever been of use here or been tried, each with a user name.
    pub(crate) fn secrets(&self) -> Vec<(String, String)> {
        self.world.log.secrets()
    }

    /// How many TCP connections have been accepted so far.
    pub(crate) fn connections(&self) -> usize {
        self.world.connections.load(Ordering::Relaxed)
    }

    /// What http-backend and its children wrote to stderr.
    pub(crate) fn backend_errors(&self) -> String {
        // No request, no file.
        std::fs::read_to_string(self.world.root.join(backend::ERRORS_FILE)).unwrap_or_default()
    }
}

impl Drop for Bitbucket {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_timeout(Duration::from_secs(5));
        }
    }
}
