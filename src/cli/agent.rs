//! `agent`: holds secrets and connections for git that runs where the secrets are not.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use crate::agent::rule::Rule;
use crate::environment::Environment;
use crate::environment::variable::{BBCLOUD_AGENT_SOCK, BBCLOUD_TOKEN_FILE};
use crate::report::{Failure, Kind, Report};

const EXAMPLES: &str = "\
Examples:
  git-remote-bbcloud agent
  git-remote-bbcloud agent --socket ~/box/agent.sock --allow acme/widgets
  git-remote-bbcloud agent --allow acme/widgets 'acme/widgets:create=refs/heads/ai/*' -- ./coding-agent
  git-remote-bbcloud agent --status

A rule is a repository with what may be done there: <workspace>/<repository>, with /wiki for its wiki, then nothing or
:read to read, :push, :create or :delete to do that as well, and =<ref> for some refs only. '*' stands for anything but a
slash, and '**' for anything. 'push' includes overwriting: the agent cannot see whether a new commit follows from the old
one. Anyone who may push any branch can run the repository's pipelines, with their secrets.";

/// Send git's requests for sandboxes and containers, without giving them the secret
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The socket to serve at; needs --allow [default: a private one]
    #[arg(long, value_name = "PATH")]
    socket: Option<PathBuf>,
    /// What may be done through the socket
    #[arg(long, value_name = "RULE", num_args = 1..)]
    allow: Vec<String>,
    /// Show whether an agent serves
    #[arg(long, conflicts_with_all = ["allow", "command"])]
    status: bool,
    /// Output JSON
    #[arg(long, requires = "status")]
    json: bool,
    /// Run a command with a socket of its own, and end with it
    #[arg(last = true, value_name = "COMMAND", conflicts_with = "socket")]
    command: Vec<String>,
}

impl Arguments {
    fn rules(&self) -> Result<Vec<Rule>, Failure> {
        self.allow.iter().map(|text| Rule::parse(text)).collect()
    }
}

/// Fails where requests go to an agent: it sends git's requests, and hands no secret out for others.
pub(super) fn leave_the_secret(environment: &Environment) -> Result<(), Failure> {
    let has_own = environment.has_token() || environment.path(&BBCLOUD_TOKEN_FILE).is_some();
    if has_own || environment.path(&BBCLOUD_AGENT_SOCK).is_none() {
        return Ok(());
    }
    Err(
        Failure::new(Kind::Usage, "the agent serves git only and never hands out a secret")
            .because("the REST API, git-lfs and https remotes need a secret of their own")
            .hint("run the command where the agent runs, or set BBCLOUD_TOKEN for it"),
    )
}

#[cfg(not(unix))]
pub(super) fn run(arguments: &Arguments, _environment: &Environment, _report: Report) -> Result<ExitCode, Failure> {
    let _rules = arguments.rules()?;
    Err(Failure::new(Kind::Usage, "this system has no agent")
        .because("it needs Unix sockets, which only Linux and macOS have")
        .hint("sign in instead: 'git-remote-bbcloud login'"))
}

#[cfg(unix)]
pub(super) fn run(arguments: &Arguments, environment: &Environment, report: Report) -> Result<ExitCode, Failure> {
    if arguments.status {
        return status::show(arguments, environment);
    }
    let start = crate::agent::life::Start {
        socket: arguments.socket.as_deref(),
        rules: arguments.rules()?,
        command: &arguments.command,
    };
    if arguments.command.iter().any(|word| word.contains('\u{fffd}')) {
        return Err(
            Failure::new(Kind::Usage, "the command is not valid UTF-8").hint("put it in a script, and run the script")
        );
    }
    crate::agent::life::run(start, environment, report)
}

#[cfg(unix)]
mod status {
    use std::os::unix::fs::MetadataExt as _;
    use std::path::PathBuf;
    use std::process::ExitCode;

    use serde_json::json;

    use super::super::scene::{exit, print};
    use super::Arguments;
    use crate::environment::Environment;
    use crate::environment::variable::BBCLOUD_AGENT_SOCK;
    use crate::git::config::Config;
    use crate::git::value;
    use crate::http::agent::connect;
    use crate::report::{Failure, Kind};
    use crate::repository::door;

    /// Returns the socket that git would use, or the one where an agent serves by default, and who says so.
    fn socket(arguments: &Arguments, environment: &Environment) -> Result<(PathBuf, &'static str), Failure> {
        if let Some(path) = &arguments.socket {
            return Ok((path.clone(), "--socket"));
        }
        if let Some(path) = environment.path(&BBCLOUD_AGENT_SOCK) {
            return Ok((path, "BBCLOUD_AGENT_SOCK"));
        }
        let config = Config::load(environment)?;
        let trusted = config.trusted();
        let set = trusted
            .text("bbcloud.agent")
            .filter(|text| value::boolean(text).is_none());
        if let (Some(_), Some(path)) = (set, trusted.path("bbcloud.agent")?) {
            return Ok((path, "bbcloud.agent"));
        }
        let default = door::default_path(environment);
        let default = default
            .ok_or_else(|| Failure::new(Kind::Local, "no path for the agent's socket").hint("name it with '--socket'"));
        Ok((default?, "default"))
    }

    pub(super) fn show(arguments: &Arguments, environment: &Environment) -> Result<ExitCode, Failure> {
        let (path, named_by) = socket(arguments, environment)?;
        let connected = connect(&path, std::time::Duration::from_secs(1));
        let owner = std::fs::symlink_metadata(&path).ok().map(|metadata| metadata.uid());
        #[cfg(target_os = "linux")]
        let process = {
            let peer = connected
                .as_ref()
                .ok()
                .and_then(|stream| rustix::net::sockopt::socket_peercred(stream).ok());
            peer.map(|peer| peer.pid.as_raw_nonzero().get())
        };
        #[cfg(not(target_os = "linux"))]
        let process: Option<i32> = None;
        let reason = connected.as_ref().err().map(ToString::to_string);
        let text = if arguments.json {
            let known = json!({
                "socket": path.to_string_lossy(),
                "named_by": named_by,
                "serves": connected.is_ok(),
                "process": process,
                "owner": owner,
                "reason": reason,
            });
            format!("{known:#}\n")
        } else {
            let state = match (&reason, process) {
                (Some(reason), _) => format!("no agent serves ({reason})"),
                (None, Some(process)) => format!("an agent serves (process {process})"),
                (None, None) => "an agent serves".to_owned(),
            };
            format!("{} ({named_by}): {state}\n", path.display())
        };
        print(&text)?;
        Ok(exit(connected.is_ok()))
    }
}
