//! The table of certificates: which chains the helper accepts, beside `git-remote-https` and curl with OpenSSL.
//!
//! Git is linked with GnuTLS on Debian and with OpenSSL elsewhere, so the two are asked for both. Where they agree, the
//! helper agrees with them; where they do not, it is as strict as the stricter one; anything else has its reason in
//! `chains.txt`. `fixtures/certificates.txt` has the verdicts for a person to read, and
//! `fixtures/messages/chains.txt` the words of every refusal.

mod authority;
mod chains;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Mutex;
use std::time::Duration;

use authority::Forge;
use chains::{Chain, chains};

use crate::bitbucket::{command, run_limited};

const LIMIT: Duration = Duration::from_secs(30);
/// As many chains are made and tried at a time.
const AT_A_TIME: usize = 4;

/// What became of a chain, by the client: whether it was accepted, and what the client said.
type Verdicts = BTreeMap<Client, (bool, String)>;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Client {
    Helper,
    /// `git-remote-https`
    Git,
    /// Only with OpenSSL.
    Curl,
}

impl Client {
    const ALL: [Self; 3] = [Self::Helper, Self::Git, Self::Curl];

    /// Asks the server at `port` of `host`, and trusts the certificates of `trusted`.
    fn ask(self, host: &str, port: u16, trusted: &Path, home: &Path) -> Output {
        let base = format!("https://{host}:{port}");
        let mut program = match self {
            Self::Helper | Self::Git => {
                let url = match self {
                    Self::Helper => "bbcloud::acme/widgets".to_owned(),
                    _ => format!("{base}/acme/widgets.git"),
                };
                let mut git = command("git", home);
                git.env("PATH", crate::wire::path())
                    .env("BBCLOUD_BASE_URL", &base)
                    .env("GIT_HTTP_MAX_RETRIES", "0")
                    .env("GIT_SSL_CAINFO", trusted)
                    // Not every system finds names below `localhost`.
                    .args(["-c", &format!("http.curloptResolve={host}:{port}:127.0.0.1")])
                    .args(["ls-remote", &url]);
                git
            }
            Self::Curl => {
                let mut curl = command("curl", home);
                curl.args(["--resolve", &format!("{host}:{port}:127.0.0.1")]);
                curl.args(["--silent", "--show-error", "--fail", "--cacert"])
                    .arg(trusted)
                    .arg(format!("{base}/acme/widgets.git/info/refs?service=git-upload-pack"));
                curl
            }
        };
        program.current_dir(home);
        run_limited(program, LIMIT)
    }

    fn is_there(self, home: &Path) -> bool {
        self != Self::Curl || {
            let mut curl = command("curl", home);
            curl.arg("--version");
            let output = run_limited(curl, LIMIT);
            String::from_utf8_lossy(&output.stdout).contains("OpenSSL/")
        }
    }
}

/// Makes `chain`, serves it, and asks every client.
fn verdicts(chain: &Chain, clients: &[Client]) -> Verdicts {
    let forge = Forge::new();
    for certificate in &chain.certificates {
        forge.make(certificate);
    }
    let server = forge.serve(chain);
    let ask = |client: &Client| {
        let output = client.ask(chain.host(), server.port(), &forge.trusted(chain), forge.directory());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        (*client, (output.status.success(), said))
    };
    clients.iter().map(ask).collect()
}

#[test]
fn chains_are_judged_as_git_judges_them() {
    let home = tempfile::tempdir().expect("a temporary directory");
    let clients: Vec<_> = Client::ALL
        .into_iter()
        .filter(|client| client.is_there(home.path()))
        .collect();
    let chains = chains();
    let todo = Mutex::new(chains.iter().enumerate());
    let done = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                loop {
                    let next = todo.lock().expect("nobody panics with it").next();
                    let Some((number, chain)) = next else { return };
                    let found = verdicts(chain, &clients);
                    done.lock().expect("nobody panics with it").insert(number, found);
                }
            });
        }
    });
    let done = done.into_inner().expect("nobody panics with it");
    let judged: Vec<_> = chains.iter().zip(done.values()).collect();
    let (_, first) = judged.first().expect("there are chains");
    assert!(
        first.values().all(|(accepted, _)| *accepted),
        "nothing is accepted: {first:#?}"
    );
    words(&judged);
    let mut wrong = String::new();
    let mut table = String::new();
    for (chain, verdicts) in &judged {
        let verdict = |client| verdicts.get(&client).map(|(accepted, _)| *accepted);
        let oracles = [verdict(Client::Git), verdict(Client::Curl)];
        let strict = oracles.into_iter().flatten().all(|accepted| accepted);
        let ours = verdict(Client::Helper).expect("it is there");
        if (ours != strict) != chain.differs.is_some() {
            writeln!(wrong, "{chain:?}: {verdicts:#?}").expect("a string can be written to");
        }
        let word = |client| verdict(client).map_or("-", |accepted| if accepted { "accepts" } else { "refuses" });
        let [ours, git, curl] = Client::ALL.map(word);
        writeln!(
            table,
            "{:64} {ours:9} {git:9} {curl:9}{}",
            chain.title,
            chain.differs.unwrap_or_default()
        )
        .expect("a string can be written to");
    }
    assert!(wrong.is_empty(), "{wrong}");
    compare(&table);
}

/// The table as it was when somebody looked at it; where a client is missing, its verdicts are not compared.
fn compare(table: &str) {
    let head = format!("{:64} {:9} {:9} {:9}\n", "chain", "helper", "git", "curl");
    let table = table.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/certificates.txt");
    let kept = std::fs::read_to_string(&place).unwrap_or_default();
    let all = format!("{}\n{table}\n", head.trim_end());
    if crate::messages::writes() {
        std::fs::write(place, all).expect("a file can be written");
    } else if !table.contains(" -  ") {
        assert!(kept == all, "fixtures/certificates.txt is not what was found:\n{all}");
    }
}

/// What the helper says where it refuses.
fn words(judged: &[(&Chain, &Verdicts)]) {
    let mut table = crate::messages::Table::new("chains");
    let sandbox = std::env::temp_dir().join(".tmp").display().to_string();
    for (chain, verdicts) in judged {
        let Some((false, said)) = verdicts.get(&Client::Helper) else {
            continue;
        };
        let ours = said
            .lines()
            .filter(|line| !line.starts_with("fatal: ") && !line.is_empty());
        let text = ours.collect::<Vec<_>>().join("\n");
        let port = |port: &str| port.parse::<u16>().is_ok_and(|port| port >= 32768).then_some(":<port>");
        let text = crate::messages::replaced(&text, &sandbox, |c| c.is_ascii_alphanumeric(), |_| Some("<tmp>"));
        let text = crate::messages::replaced(&text, ":", |c| c.is_ascii_digit(), port);
        table.add_text(chain.title, &text);
    }
    table.end();
}

/// A command of OpenSSL that has to work.
fn openssl(directory: &Path, arguments: &[&str]) -> Output {
    let mut openssl = command("openssl", directory);
    openssl.args(arguments).current_dir(directory);
    let output = run_limited(openssl, LIMIT);
    assert!(
        output.status.success(),
        "openssl {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

/// A command that is started and not waited for.
fn started(directory: &Path, name: &str, arguments: &[&str]) -> Command {
    let mut program = command(name, directory);
    program.args(arguments).current_dir(directory);
    program
}
