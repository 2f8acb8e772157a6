//! The server, the network before it, and a home for each way to get there, as a user would have it.

use std::cell::RefCell;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::agent::Agent;
use crate::bitbucket::{API_TOKEN_USER, Account, Bitbucket, Settings, command};
use crate::delay::Delay;
use crate::fixture::text_of;
use crate::measure::{REAL, RECORD, WHOLE};

/// Made up; its shape says that it is an API token.
const TOKEN: &str = "ATATT-bench";
/// Debian's certificates: a user's git reads all of them, and so does ours.
const SYSTEM_STORE: &str = "/etc/ssl/certs/ca-certificates.crt";

const CONFIG: &str = "[user]\n\tname = Ada\n\temail = ada@example.com\n[credential]\n\thelper = store\n\
    [protocol \"bbcloud\"]\n\tallow = always\n[core]\n\tfsync = none\n\tcompression = 0\n\tbigFileThreshold = 1m\n\
    [init]\n\tdefaultBranch = main\n[advice]\n\tdetachedHead = false\n[gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n";

/// How git gets to the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    Bbcloud,
    Https,
}

impl Transport {
    pub(crate) const BOTH: [Self; 2] = [Self::Bbcloud, Self::Https];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bbcloud => "bbcloud",
            Self::Https => "https",
        }
    }
}

/// Everything that a run needs.
pub(crate) struct Sandbox {
    pub(crate) bitbucket: Bitbucket,
    pub(crate) delay: Delay,
    root: TempDir,
    /// Where git's own programs are.
    exec_path: PathBuf,
    agents: RefCell<Vec<Agent>>,
}

impl Sandbox {
    pub(crate) fn new() -> Self {
        let root = tempfile::tempdir().expect("a temporary directory");
        let bitbucket = Bitbucket::start(Settings {
            root: Some(root.path().join("server")),
            ..Settings::default()
        });
        bitbucket.add_account(Account::api_token("ada", TOKEN));
        let delay = Delay::start(bitbucket.port());
        let exec_path = PathBuf::from(text_of(root.path(), &["--exec-path"]).trim());
        let sandbox = Self {
            bitbucket,
            delay,
            root,
            exec_path,
            agents: RefCell::default(),
        };
        for transport in Transport::BOTH {
            sandbox.furnish(transport);
        }
        sandbox.trust();
        sandbox.put_stand_ins();
        sandbox
    }

    fn furnish(&self, transport: Transport) {
        let home = self.home(transport);
        fs::create_dir_all(self.work(transport)).expect("a directory can be made");
        fs::create_dir_all(&home).expect("a directory can be made");
        fs::write(home.join(".gitconfig"), CONFIG).expect("a file can be written");
        let login = |port: u16| format!("https://{API_TOKEN_USER}:{TOKEN}@localhost%3a{port}\n");
        let logins = login(self.bitbucket.port()) + &login(self.delay.port());
        fs::write(home.join(".git-credentials"), logins).expect("a file can be written");
    }

    /// The system's store with our own authority at its end.
    fn trust(&self) {
        let mut store = fs::read(SYSTEM_STORE).unwrap_or_default();
        store.extend(fs::read(self.bitbucket.ca_file()).expect("the server has written it"));
        fs::write(self.root.path().join("ca.pem"), store).expect("a file can be written");
    }

    /// Directories of programs in which the helpers are replaced by stand-ins.
    fn put_stand_ins(&self) {
        let this = std::env::current_exe().expect("this program has a file");
        let (real, watched) = (self.root.path().join("real"), self.root.path().join("watched"));
        let link = |to: &Path, from: PathBuf| symlink(to, from).expect("a link can be made");
        for directory in [&real, &watched] {
            fs::create_dir(directory).expect("a directory can be made");
        }
        link(
            Path::new(env!("CARGO_BIN_EXE_git-remote-bbcloud")),
            real.join("git-remote-bbcloud"),
        );
        link(&self.exec_path.join("git-remote-https"), real.join("git-remote-https"));
        for entry in fs::read_dir(&self.exec_path).expect("git has programs") {
            let entry = entry.expect("a directory can be read");
            if entry.file_name() != "git-remote-https" {
                link(&entry.path(), watched.join(entry.file_name()));
            }
        }
        for helper in ["git-remote-bbcloud", "git-remote-https"] {
            link(&this, watched.join(helper));
        }
    }

    pub(crate) fn home(&self, transport: Transport) -> PathBuf {
        self.root.path().join(format!("home-{}", transport.name()))
    }

    /// Where commands run.
    pub(crate) fn work(&self, transport: Transport) -> PathBuf {
        self.root.path().join(format!("work-{}", transport.name()))
    }

    pub(crate) fn record(&self) -> PathBuf {
        self.root.path().join("record")
    }

    /// The address of a repository; `direct` leaves the proxy out.
    pub(crate) fn url(&self, transport: Transport, name: &str, direct: bool) -> String {
        match transport {
            Transport::Bbcloud => format!("bbcloud::{name}"),
            Transport::Https => format!("{}/{name}.git", self.base(direct)),
        }
    }

    fn base(&self, direct: bool) -> String {
        let port = if direct {
            self.bitbucket.port()
        } else {
            self.delay.port()
        };
        format!("https://localhost:{port}")
    }

    /// Git with nothing of the outside in reach, to be measured as a whole; `watched` puts a stand-in around the
    /// helper as well.
    pub(crate) fn git(&self, transport: Transport, direct: bool, watched: bool) -> Command {
        let this = std::env::current_exe().expect("this program has a file");
        let this = this.to_str().expect("the path of a build is UTF-8");
        let mut git = command(this, &self.home(transport));
        let product = Path::new(env!("CARGO_BIN_EXE_git-remote-bbcloud"));
        let mut path = product
            .parent()
            .expect("a file is in a directory")
            .as_os_str()
            .to_owned();
        if watched {
            let programs = self.root.path().join("watched");
            git.env("GIT_EXEC_PATH", &programs)
                .env(REAL, self.root.path().join("real"));
            path = programs.into_os_string();
        }
        let inherited = git
            .get_envs()
            .find(|(name, _)| *name == "PATH")
            .and_then(|(_, value)| value);
        if let Some(inherited) = inherited {
            path.push(":");
            path.push(inherited);
        }
        git.args([WHOLE, "git"])
            .env("PATH", path)
            .env(RECORD, self.record())
            .env("GIT_SSL_CAINFO", self.root.path().join("ca.pem"))
            .env("GIT_AUTHOR_DATE", "1760000000 +0000")
            .env("GIT_COMMITTER_DATE", "1760000000 +0000")
            .current_dir(self.work(transport));
        if transport == Transport::Bbcloud {
            git.env("BBCLOUD_BASE_URL", self.base(direct))
                .env("BBCLOUD_TOKEN", TOKEN);
        }
        git
    }

    /// Returns the socket of an agent for the same server and the same way to it. Each round trip has one of its own,
    /// because the proxy delays a connection for as long as it was told when the connection was opened.
    pub(crate) fn agent(&self, round_trip: Option<Duration>) -> PathBuf {
        let mut agents = self.agents.borrow_mut();
        if let Some(agent) = agents.iter().find(|agent| agent.round_trip == round_trip) {
            return agent.socket.clone();
        }
        let directory = self.root.path().join(format!("agent-{}", agents.len()));
        fs::create_dir(&directory).expect("a directory can be made");
        let socket = directory.join("a.sock");
        let mut command = command(env!("CARGO_BIN_EXE_git-remote-bbcloud"), &self.home(Transport::Bbcloud));
        command
            .args(["agent", "--allow", "acme/*:push", "--socket"])
            .arg(&socket)
            .env("GIT_SSL_CAINFO", self.root.path().join("ca.pem"))
            .env("BBCLOUD_BASE_URL", self.base(round_trip.is_none()))
            .env("BBCLOUD_TOKEN", TOKEN)
            .stdin(Stdio::null())
            .stderr(Stdio::null());
        agents.push(Agent::start(command, socket.clone(), round_trip));
        socket
    }

    /// What the agents took, a line each.
    pub(crate) fn agents(&self) -> Vec<String> {
        self.agents.borrow().iter().map(Agent::taken).collect()
    }

    /// What was measured, and on what.
    pub(crate) fn versions(&self) -> Vec<String> {
        let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = cpu
            .lines()
            .find_map(|line| line.strip_prefix("model name")?.split_once(": "));
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let product = fs::metadata(env!("CARGO_BIN_EXE_git-remote-bbcloud"));
        vec![
            format!(
                "git-remote-bbcloud {}, {} bytes",
                env!("CARGO_PKG_VERSION"),
                product.map_or(0, |file| file.len())
            ),
            text_of(self.root.path(), &["--version"]).trim().to_owned(),
            format!(
                "{cores} cores of {}",
                model.map_or("an unknown processor", |(_, name)| name)
            ),
            format!("trust store with {} certificates", self.certificates()),
        ]
    }

    fn certificates(&self) -> usize {
        let store = fs::read_to_string(self.root.path().join("ca.pem")).unwrap_or_default();
        store.matches("BEGIN CERTIFICATE").count()
    }
}
