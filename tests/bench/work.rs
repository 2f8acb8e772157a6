//! One case: what is made ready before, what is run and measured, and what is cleared away after.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::cases::{Case, Work};
use crate::fixture;
use crate::measure::{self, Taken};
use crate::sandbox::{Sandbox, Transport};

/// What one run took of the processes, and of the network.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sample {
    pub(crate) taken: Taken,
    pub(crate) watched: bool,
    pub(crate) requests: u64,
    pub(crate) connections: u64,
    pub(crate) bytes: u64,
}

/// Both sides of a case.
pub(crate) struct Compared {
    pub(crate) bbcloud: Vec<Sample>,
    pub(crate) https: Vec<Sample>,
}

struct Bench<'a> {
    sandbox: &'a Sandbox,
    work: Work,
    /// The repository of this case.
    name: String,
    direct: bool,
    round_trip: Option<Duration>,
    agent: bool,
}

/// Runs a case through both transports in turns, each round with and without a stand-in around the helper.
pub(crate) fn compare(sandbox: &Sandbox, case: &Case, rounds: usize) -> Compared {
    sandbox.delay.set_round_trip(Duration::ZERO);
    let bench = Bench {
        sandbox,
        work: case.work,
        name: repository(case),
        direct: case.round_trip.is_none(),
        round_trip: case.round_trip,
        agent: case.agent,
    };
    bench.make();
    for transport in Transport::BOTH {
        bench.prepare(transport);
    }
    bench.age();
    sandbox.delay.set_round_trip(case.round_trip.unwrap_or_default());
    let mut compared = Compared {
        bbcloud: Vec::new(),
        https: Vec::new(),
    };
    for round in 0..rounds {
        for watched in [false, true] {
            if case.work == Work::FetchCommit {
                let text = format!("{round} {watched}");
                sandbox
                    .bitbucket
                    .commit(&bench.name, "main", "More", &[("more.txt", text.as_bytes())]);
            }
            let mut order = Transport::BOTH;
            if round % 2 == 1 {
                order.reverse();
            }
            for transport in order {
                let sample = bench.run(transport, watched);
                match transport {
                    Transport::Bbcloud => compared.bbcloud.push(sample),
                    Transport::Https => compared.https.push(sample),
                }
            }
        }
    }
    for transport in Transport::BOTH {
        fs::remove_dir_all(sandbox.work(transport)).expect("it is our own directory");
        fs::create_dir(sandbox.work(transport)).expect("it is our own directory");
    }
    compared
}

/// Cases that leave their repository as it is share one.
fn repository(case: &Case) -> String {
    match case.work {
        Work::List { refs } | Work::FetchNothing { refs } => format!("acme/refs-{refs}"),
        Work::FetchWithHelper => "acme/refs-1".to_owned(),
        Work::LazyBlobs { blobs } => format!("acme/partial-{blobs}"),
        Work::FetchCommit => "acme/fetched".to_owned(),
        Work::PushCommit => "acme/pushed".to_owned(),
        Work::Clone { megabytes } | Work::Push { megabytes } => format!("acme/large-{megabytes}"),
        Work::CloneSubmodules | Work::FetchSubmodules => "acme/whole".to_owned(),
        Work::Negotiate => format!("acme/long-{}", case.round_trip.unwrap_or_default().as_millis()),
    }
}

impl Bench<'_> {
    /// Makes the repository on the server.
    fn make(&self) {
        let name = self.name.as_str();
        if self.sandbox.bitbucket.repository_path(name).exists() {
            return;
        }
        if matches!(self.work, Work::CloneSubmodules | Work::FetchSubmodules) {
            return fixture::submodules(&self.sandbox.bitbucket, name);
        }
        let place = self.sandbox.bitbucket.create_repository(name);
        match self.work {
            Work::List { refs } | Work::FetchNothing { refs } => fixture::refs(&place, refs),
            Work::Clone {
                megabytes: megabytes @ 1..,
            }
            | Work::Push { megabytes } => fixture::large(&place, megabytes),
            Work::LazyBlobs { blobs } => fixture::files(&place, blobs),
            Work::Negotiate => fixture::common(&place),
            _ => fixture::small(&place),
        }
    }

    /// Clones to `clone` where a case begins with one.
    fn prepare(&self, transport: Transport) {
        let url = self.url(transport);
        match self.work {
            Work::List { .. } => self.git(transport, &["ls-remote", "--quiet", &url]),
            Work::Clone { .. } | Work::CloneSubmodules => {}
            Work::FetchSubmodules => self.git(transport, &["clone", "-q", "--recurse-submodules", &url, "clone"]),
            Work::Push { .. } => {
                let source = self.sandbox.bitbucket.repository_path(&self.name);
                let source = source.to_str().expect("our own path is UTF-8");
                self.git(transport, &["clone", "-q", "--bare", source, "clone"]);
            }
            Work::LazyBlobs { .. } => self.git(
                transport,
                &["clone", "-q", "--bare", "--filter=blob:none", &url, "template"],
            ),
            Work::Negotiate => {
                self.git(transport, &["clone", "-q", "--bare", &url, "template"]);
                self.git(
                    transport,
                    &[
                        "-C",
                        "template",
                        "config",
                        "remote.origin.fetch",
                        "+refs/heads/main:refs/remotes/main",
                    ],
                );
                fixture::diverge(&self.place(transport, "template"), "mine", 1, "refs/heads/main^0");
            }
            _ => self.git(transport, &["clone", "-q", &url, "clone"]),
        }
    }

    /// What happens on the server after the clients have been made ready.
    fn age(&self) {
        if self.work == Work::Negotiate {
            fixture::diverge(
                &self.sandbox.bitbucket.repository_path(&self.name),
                "main",
                2,
                "refs/heads/main^0",
            );
        }
    }

    /// What has to be there before each run.
    fn before(&self, transport: Transport) {
        match self.work {
            Work::Clone { .. } | Work::CloneSubmodules => {
                // A first clone knows nothing of the server; there may be nothing kept.
                let _none = fs::remove_dir_all(self.sandbox.home(transport).join(".cache"));
            }
            Work::PushCommit => self.git(
                transport,
                &["-C", "clone", "commit", "-q", "--allow-empty", "-m", "More"],
            ),
            Work::Push { .. } => {
                let target = self.sandbox.bitbucket.create_repository("acme/target");
                // Kept as the pack that it is: a server that takes it apart is slower than any client.
                fixture::text_of(&target, &["config", "receive.unpackLimit", "1"]);
            }
            Work::Negotiate | Work::LazyBlobs { .. } => {
                let (from, to) = (self.place(transport, "template"), self.place(transport, "clone"));
                let copied = crate::bitbucket::command("cp", &from)
                    .arg("-r")
                    .arg(from)
                    .arg(to)
                    .status();
                assert!(copied.is_ok_and(|status| status.success()), "cp -r");
            }
            _ => {}
        }
    }

    fn after(&self, transport: Transport) {
        match self.work {
            Work::Clone { .. } | Work::CloneSubmodules | Work::Negotiate | Work::LazyBlobs { .. } => {
                fs::remove_dir_all(self.place(transport, "clone")).expect("it is our own directory");
            }
            Work::Push { .. } => {
                let target = self.sandbox.bitbucket.repository_path("acme/target");
                fs::remove_dir_all(target).expect("it is our own directory");
            }
            _ => {}
        }
    }

    fn run(&self, transport: Transport, watched: bool) -> Sample {
        self.before(transport);
        let bitbucket = &self.sandbox.bitbucket;
        bitbucket.clear_requests();
        let connected = bitbucket.connections();
        let (bytes, _) = self.sandbox.delay.traffic();
        let mut git = self.sandbox.git(transport, self.direct, watched);
        if self.agent && transport == Transport::Bbcloud {
            git.env_remove("BBCLOUD_TOKEN")
                .env("BBCLOUD_AGENT_SOCK", self.sandbox.agent(self.round_trip));
        }
        if self.work == Work::FetchWithHelper {
            git.env_remove("BBCLOUD_TOKEN");
        }
        git.args(self.arguments(transport));
        succeed(git);
        let requests = bitbucket.requests();
        let seen: u64 = requests
            .iter()
            .map(|request| request.body_bytes + request.answer_bytes)
            .sum();
        let sample = Sample {
            taken: measure::taken(&self.sandbox.record()),
            watched,
            requests: requests.len() as u64,
            connections: (bitbucket.connections() - connected) as u64,
            bytes: if self.direct {
                seen
            } else {
                self.sandbox.delay.traffic().0 - bytes
            },
        };
        self.after(transport);
        sample
    }

    /// What git is asked to do.
    fn arguments(&self, transport: Transport) -> Vec<String> {
        let url = self.url(transport);
        // Forced: an earlier case has pushed there from another clone.
        let branch = format!("+HEAD:refs/heads/{}", transport.name());
        let lazy = match self.work {
            Work::LazyBlobs { blobs } => format!(
                "alias.lazy=!for n in $(seq 0 {}); do git cat-file blob HEAD:src/$n.txt >/dev/null; done; :",
                blobs - 1
            ),
            _ => String::new(),
        };
        let words: Vec<&str> = match self.work {
            Work::List { .. } => vec!["ls-remote", "--quiet", &url],
            Work::FetchNothing { .. } | Work::FetchWithHelper | Work::FetchCommit | Work::Negotiate => {
                vec!["-C", "clone", "fetch", "--quiet"]
            }
            Work::LazyBlobs { .. } => vec!["-C", "clone", "-c", &lazy, "lazy"],
            Work::FetchSubmodules => vec!["-C", "clone", "fetch", "--quiet", "--recurse-submodules"],
            Work::PushCommit => vec!["-C", "clone", "push", "--quiet", "origin", &branch],
            Work::Clone { megabytes: 0 } => vec!["clone", "--quiet", &url, "clone"],
            Work::Clone { .. } => vec!["clone", "--quiet", "--bare", &url, "clone"],
            Work::CloneSubmodules => vec!["clone", "--quiet", "--recurse-submodules", &url, "clone"],
            Work::Push { .. } => vec!["-C", "clone", "push", "--quiet", &url, "main"],
        };
        words.into_iter().map(str::to_owned).collect()
    }

    fn url(&self, transport: Transport) -> String {
        let name = match self.work {
            Work::Push { .. } => "acme/target".to_owned(),
            _ => self.name.clone(),
        };
        self.sandbox.url(transport, &name, self.direct)
    }

    fn place(&self, transport: Transport, name: &str) -> PathBuf {
        self.sandbox.work(transport).join(name)
    }

    /// Runs git without being measured.
    fn git(&self, transport: Transport, arguments: &[&str]) {
        let mut git = self.sandbox.git(transport, self.direct, false);
        git.args(arguments);
        succeed(git);
        fs::remove_file(self.sandbox.record()).expect("it was measured all the same");
    }
}

fn succeed(mut git: Command) {
    let output = git
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .output();
    let output = output.expect("this program can be started");
    assert!(
        output.status.success(),
        "{git:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}
