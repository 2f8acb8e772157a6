//! Everything that the server knows: its settings, who may do what, and what went by.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize};

use super::account::Account;
use super::fault::Faults;
use super::log::Log;
use super::tls::Tls;

/// What is fixed when the server starts.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// Where the repositories live; a temporary directory if none is given.
    pub(crate) root: Option<PathBuf>,
    /// 0 takes a free one.
    pub(crate) port: u16,
    /// Begins with a slash if it is not empty, as in `/scm`.
    pub(crate) prefix: String,
    pub(crate) tls: Tls,
    /// Compress small answers for clients that accept gzip.
    pub(crate) compress: bool,
    /// Answer as a server that knows protocol v0 only.
    pub(crate) ignore_git_protocol: bool,
    /// Where the REST API begins, without regard to the prefix.
    pub(crate) rest_path: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            root: None,
            port: 0,
            prefix: String::new(),
            tls: Tls::On,
            compress: false,
            ignore_git_protocol: false,
            rest_path: "/2.0".to_owned(),
        }
    }
}

/// What tests change while the server runs. Names are `workspace/repo` or `workspace/repo/wiki`.
#[derive(Default)]
pub(crate) struct Tables {
    pub(crate) accounts: Vec<Account>,
    pub(crate) public: HashSet<String>,
    pub(crate) moved: HashMap<String, String>,
    /// Of one part of a name, as in `{uuid}` to `acme`.
    pub(crate) aliases: HashMap<String, String>,
}

/// What all connections share.
pub(crate) struct World {
    pub(crate) settings: Settings,
    pub(crate) root: PathBuf,
    /// Without the prefix.
    pub(crate) origin: String,
    pub(crate) tables: Mutex<Tables>,
    pub(crate) faults: Faults,
    pub(crate) log: Log,
    pub(crate) connections: AtomicUsize,
    pub(crate) app_passwords_dead: AtomicBool,
    pub(crate) scope_refusals_as_json: AtomicBool,
    pub(crate) lfs_elsewhere: AtomicBool,
    /// At first as the setting has it.
    pub(crate) ignores_git_protocol: AtomicBool,
}

impl World {
    pub(crate) fn new(settings: Settings, root: PathBuf, origin: String) -> Self {
        Self {
            ignores_git_protocol: AtomicBool::new(settings.ignore_git_protocol),
            settings,
            root,
            origin,
            tables: Mutex::default(),
            faults: Faults::default(),
            log: Log::default(),
            connections: AtomicUsize::new(0),
            app_passwords_dead: AtomicBool::new(false),
            scope_refusals_as_json: AtomicBool::new(false),
            lfs_elsewhere: AtomicBool::new(false),
        }
    }
}
