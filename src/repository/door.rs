//! Where the agent is that requests go to instead of the server: `BBCLOUD_AGENT_SOCK`, else `bbcloud.agent`.
//!
//! Who sets the variable wants no other way, so an agent that cannot be reached is an error. The setting is for one's own
//! machine, where the way without an agent is as good, if slower. A repository's own configuration is not asked: the
//! helper trusts an agent as it trusts a server.

use std::path::{Path, PathBuf};

use crate::address::Address;
use crate::environment::Environment;
use crate::environment::variable::{BBCLOUD_AGENT_SOCK, BBCLOUD_TOKEN_FILE, XDG_RUNTIME_DIR};
use crate::git::config::Config;
use crate::git::value;
use crate::report::{Failure, Kind};

/// The socket of an agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Door {
    path: PathBuf,
    /// Whether there is no other way.
    required: bool,
    /// Whether the socket has to be the user's own, in a directory that nobody else can enter.
    private: bool,
}

impl Door {
    /// Returns the agent's socket for `address`, if one is to be used.
    pub fn find(address: &Address, config: &Config, environment: &Environment) -> Result<Option<Self>, Failure> {
        if let Some(path) = environment.path(&BBCLOUD_AGENT_SOCK) {
            check_variable(&path, address, environment)?;
            return Ok(Some(Self {
                path,
                required: true,
                private: false,
            }));
        }
        // What is given for this run is meant for the server.
        if given_secret(address, environment).is_some() {
            return Ok(None);
        }
        let Some(text) = config.trusted().text("bbcloud.agent") else {
            return Ok(None);
        };
        let (path, private) = match value::boolean(&text) {
            Some(false) => return Ok(None),
            Some(true) => (default_path(environment), true),
            None => (config.trusted().path("bbcloud.agent")?, false),
        };
        match path {
            Some(path) if path.is_absolute() => Ok(Some(Self {
                path,
                required: false,
                private,
            })),
            Some(path) => Err(not_absolute("bbcloud.agent", &path)),
            None => Ok(None),
        }
    }

    /// Returns where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Returns where an agent serves if nothing else is said: in the session's directory for sockets, else below the user's
/// cache.
pub fn default_path(environment: &Environment) -> Option<PathBuf> {
    let runtime = environment.path(&XDG_RUNTIME_DIR).filter(|path| path.is_absolute());
    let directory = runtime.map(|path| path.join("git-remote-bbcloud"));
    let below_home = || Some(environment.home()?.join(".cache/git-remote-bbcloud/agent"));
    Some(directory.or_else(below_home)?.join("agent.sock"))
}

fn not_absolute(name: &str, path: &Path) -> Failure {
    Failure::new(
        Kind::Usage,
        format!("{name} is not an absolute path: '{}'", path.display()),
    )
    .hint("use an absolute path, such as '/run/user/1000/agent.sock'")
}

/// Returns where a secret comes from that was given for this run.
fn given_secret(address: &Address, environment: &Environment) -> Option<&'static str> {
    if address.secret().is_some() {
        Some("the remote's URL")
    } else if environment.has_token() {
        Some("BBCLOUD_TOKEN")
    } else {
        environment.path(&BBCLOUD_TOKEN_FILE).map(|_| "BBCLOUD_TOKEN_FILE")
    }
}

fn check_variable(path: &Path, address: &Address, environment: &Environment) -> Result<(), Failure> {
    if cfg!(not(unix)) {
        return Err(
            Failure::new(Kind::Usage, "BBCLOUD_AGENT_SOCK is set, and this system has no agent")
                .hint("remove BBCLOUD_AGENT_SOCK from the environment"),
        );
    }
    if !path.is_absolute() {
        return Err(not_absolute("BBCLOUD_AGENT_SOCK", path));
    }
    let Some(place) = given_secret(address, environment) else {
        return Ok(());
    };
    let failure = Failure::new(
        Kind::Usage,
        format!("BBCLOUD_AGENT_SOCK is set, and there is a secret in {place}"),
    )
    .because("the agent uses its own secrets and ignores this one");
    Err(if place.starts_with("BBCLOUD") {
        failure.hint(format!(
            "run 'unset {place}' to use the agent, or 'unset BBCLOUD_AGENT_SOCK' to do without it"
        ))
    } else {
        failure
            .hint(format!(
                "remove it from the URL: 'git remote set-url origin {}'",
                address.bbcloud()
            ))
            .hint("or run 'unset BBCLOUD_AGENT_SOCK' to do without the agent")
    })
}

#[cfg(unix)]
mod unix {
    use std::fs;
    use std::io;
    use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
    use std::os::unix::net::UnixStream;
    use std::time::Duration;

    use super::Door;
    use crate::explain::agent;
    use crate::http::agent::{SILENCE, connect};
    use crate::report::Failure;

    /// How long an agent that is not needed is waited for while it accepts nobody.
    const BUSY: Duration = Duration::from_secs(1);

    impl Door {
        /// Connects to the agent; nothing if none is there and there is another way.
        pub fn open(&self) -> Result<Option<UnixStream>, Failure> {
            let limit = if self.required { SILENCE } else { BUSY };
            match self.check().and_then(|()| connect(&self.path, limit)) {
                Ok(stream) => Ok(Some(stream)),
                Err(error) if self.required => Err(agent::unreachable(&self.path.display().to_string(), &error)),
                Err(_) => Ok(None),
            }
        }

        /// Where nobody has named the socket, it has to be one that nobody else can have put there.
        fn check(&self) -> io::Result<()> {
            let Some(directory) = self.path.parent().filter(|_| self.private) else {
                return Ok(());
            };
            let own = rustix::process::geteuid().as_raw();
            let (directory, socket) = (fs::symlink_metadata(directory)?, fs::symlink_metadata(&self.path)?);
            let is_private = directory.is_dir() && directory.uid() == own && directory.mode().trailing_zeros() >= 6;
            if is_private && socket.file_type().is_socket() && socket.uid() == own {
                return Ok(());
            }
            Err(io::Error::other("the socket or its directory is not the user's own"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::BaseUrl;

    fn find(pairs: &[(&str, &str)], address: &str) -> Result<Option<Door>, Failure> {
        let environment = Environment::from_pairs(
            [("GIT_CONFIG_NOSYSTEM", "1"), ("HOME", "/nonexistent")]
                .iter()
                .chain(pairs)
                .copied(),
        );
        let config = Config::load(&environment).expect("the configuration is good");
        let address = Address::parse(address, &BaseUrl::default()).expect("an address");
        Door::find(&address, &config, &environment)
    }

    #[cfg(unix)]
    fn setting(value: &str) -> Vec<(&'static str, String)> {
        vec![
            ("GIT_CONFIG_COUNT", "1".to_owned()),
            ("GIT_CONFIG_KEY_0", "bbcloud.agent".to_owned()),
            ("GIT_CONFIG_VALUE_0", value.to_owned()),
        ]
    }

    #[cfg(unix)]
    fn by_setting(value: &str) -> Result<Option<Door>, Failure> {
        let pairs = setting(value);
        let pairs: Vec<_> = pairs.iter().map(|(name, value)| (*name, value.as_str())).collect();
        find(&pairs, "acme/widgets")
    }

    #[test]
    fn without_a_word_there_is_no_agent() {
        assert_eq!(find(&[], "acme/widgets").expect("it is good"), None);
        assert_eq!(
            find(&[("BBCLOUD_AGENT_SOCK", "")], "acme/widgets").expect("it is good"),
            None
        );
    }

    #[cfg(unix)]
    #[test]
    fn the_variable_allows_no_other_way_and_the_setting_does() {
        let door = find(&[("BBCLOUD_AGENT_SOCK", "/run/a.sock")], "acme/widgets")
            .expect("it is good")
            .expect("a door");
        assert!(door.required && door.path() == Path::new("/run/a.sock"));
        let door = by_setting("/run/b.sock").expect("it is good").expect("a door");
        assert!(!door.required && !door.private && door.path() == Path::new("/run/b.sock"));
        let door = by_setting("true").expect("it is good").expect("a door");
        assert!(!door.required && door.private);
        assert_eq!(
            door.path(),
            Path::new("/nonexistent/.cache/git-remote-bbcloud/agent/agent.sock")
        );
        assert_eq!(by_setting("false").expect("it is good"), None);
        assert!(by_setting("a.sock").is_err() && find(&[("BBCLOUD_AGENT_SOCK", "a.sock")], "acme/widgets").is_err());
    }

    #[cfg(unix)]
    #[test]
    fn a_secret_beside_the_variable_is_an_error_that_names_both() {
        for (pairs, address, place) in [
            (vec![("BBCLOUD_TOKEN", "ATBBx")], "acme/widgets", "BBCLOUD_TOKEN"),
            (vec![("BBCLOUD_TOKEN_FILE", "/x")], "acme/widgets", "BBCLOUD_TOKEN_FILE"),
            (vec![], "mia:secret@acme/widgets", "the remote's URL"),
        ] {
            let pairs: Vec<_> = pairs
                .into_iter()
                .chain([("BBCLOUD_AGENT_SOCK", "/run/a.sock")])
                .collect();
            let failure = find(&pairs, address).expect_err("two that contradict each other");
            assert_eq!(
                failure.message(),
                format!("BBCLOUD_AGENT_SOCK is set, and there is a secret in {place}")
            );
        }
        assert!(find(&[("BBCLOUD_AGENT_SOCK", "/run/a.sock")], "mia@acme/widgets").is_ok());
    }
}
