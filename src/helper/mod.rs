//! The remote-helper protocol: git's commands on standard input, answers on standard output.
//!
//! One buffered reader lives from the first command to the last packet, because what it has read ahead belongs to the
//! same stream. `capabilities` is answered before anything else is looked at: no network, no keychain, no files.

pub mod command;
mod fetch_pack;
mod large_files;
mod named;
pub mod options;

use std::io::{BufRead, Read as _, Write};

use self::command::{Command, MAX_LINE};
use self::named::{Named, format_of};
use self::options::{Options, Outcome};
use crate::bridge::discovery::Advertisement;
use crate::bridge::service::{Service, Version};
use crate::bridge::{Error, fallback, receive_pack, sideband, upload_archive};
use crate::environment::Environment;
use crate::report::{Failure, Kind, Report};

const CAPABILITIES: &[u8] = b"connect\nfetch\noption\ncheck-connectivity\nobject-format\n\n";

/// How git ended the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// With a blank line, or after a service it had connected to.
    Complete,
    /// By going away (`remote-curl.c` fails then, too).
    Hangup,
}

/// A session with git.
pub struct Session<'a, R, W> {
    named: Named<'a>,
    from_git: R,
    to_git: W,
    options: Options,
    /// What a server before version 2 advertises for a fetch.
    discovered: Option<Advertisement>,
}

impl<'a, R: BufRead, W: Write> Session<'a, R, W> {
    /// Returns a session that has not begun, for the remote `name` at `address`.
    pub fn new(
        (name, address): (&'a str, &'a str),
        environment: &'a Environment,
        report: Report,
        from_git: R,
        to_git: W,
    ) -> Self {
        Self {
            named: Named {
                name,
                address,
                environment,
                report,
                opened: None,
                config: None,
                lfs: None,
                format: None,
            },
            from_git,
            to_git,
            options: Options::default(),
            discovered: None,
        }
    }

    /// Serves git until it ends the session.
    pub fn serve(&mut self) -> Result<End, Failure> {
        let mut wanted = Vec::new();
        loop {
            let Some(line) = self.read_line()? else {
                return Ok(End::Hangup);
            };
            match Command::parse(&line) {
                Command::Capabilities => {
                    self.reply(CAPABILITIES)?;
                    // Git now works on its own for a while: time to read the settings and to shake hands.
                    self.named.open()?;
                }
                Command::Option { name, value } => self.set_option(&name, &value)?,
                Command::Connect(service) => {
                    if self.connect(service)? {
                        return Ok(End::Complete);
                    }
                }
                Command::List { for_push } => self.list(for_push)?,
                Command::Fetch(line) => wanted.push(line),
                Command::Blank if wanted.is_empty() => return Ok(End::Complete),
                Command::Blank => self.fetch(&std::mem::take(&mut wanted))?,
                Command::Unknown(line) => {
                    return Err(Failure::new(
                        Kind::Protocol,
                        format!("git asks for '{line}', which is not offered"),
                    ));
                }
            }
        }
    }

    fn set_option(&mut self, name: &str, value: &[u8]) -> Result<(), Failure> {
        let outcome = self.options.set(name, value);
        if name == "family" && outcome == Outcome::Set {
            let family = self.options.family;
            self.named.open()?.remote.http().set_family(family);
        }
        if name == "verbosity" && outcome == Outcome::Set {
            let verbosity = self.options.verbosity();
            let remote = &mut self.named.open()?.remote;
            remote.http().set_verbosity(verbosity);
            if verbosity == 0 {
                remote.credentials_mut().remind_nobody();
            }
        }
        match outcome {
            Outcome::Set => self.reply(b"ok\n"),
            Outcome::Unsupported => self.reply(b"unsupported\n"),
            Outcome::Invalid(reason) => self.reply(format!("error {reason}\n").as_bytes()),
        }
    }

    /// Connects git to `service`. Returns whether it did: before version 2 git has to fetch in another way.
    fn connect(&mut self, service: Service) -> Result<bool, Failure> {
        let mut assumed = None;
        let mut theirs = String::new();
        if service != Service::UploadArchive {
            self.named.tell_lfs(service, self.options.is_quiet())?;
        }
        match service {
            // One request, of which the server needs to say nothing in advance.
            Service::UploadArchive => self.reply(b"\n")?,
            Service::ReceivePack => {
                let advertisement = self.discover_for_git(service)?;
                if let Some(failure) = self.named.other_format(&format_of(&advertisement))? {
                    return Err(failure);
                }
                self.answer_connect(&advertisement)?;
            }
            // Git asks again before it fetches. The answer is known.
            Service::UploadPack if self.discovered.is_some() => {
                self.reply(b"fallback\n")?;
                return Ok(false);
            }
            Service::UploadPack => {
                if let Some(kept) = self.kept()? {
                    theirs = format_of(&kept);
                    self.answer_connect(&kept)?;
                    assumed = Some(kept);
                } else {
                    let Some(format) = self.connect_upload_pack()? else {
                        return Ok(false);
                    };
                    theirs = format;
                }
            }
        }
        let explanation = self.named.explain_format(&theirs)?;
        let served = self.bridge(service, assumed);
        if let Some(mut explanation) = explanation
            && !self.named.open()?.remote.git_broke_off()
        {
            explanation.settle(|| Ok(())).ok();
        }
        served.map(|()| true)
    }

    /// Connects git to what the server advertises now, and keeps it for the next time. Returns the format of its objects,
    /// or nothing for a server before version 2.
    fn connect_upload_pack(&mut self) -> Result<Option<String>, Failure> {
        let advertisement = self.discover_for_git(Service::UploadPack)?;
        if advertisement.version() < Version::V2 {
            self.discovered = Some(advertisement);
            self.reply(b"fallback\n")?;
            return Ok(None);
        }
        self.answer_connect(&advertisement)?;
        self.named.open()?.keep(&advertisement);
        Ok(Some(format_of(&advertisement)))
    }

    fn answer_connect(&mut self, advertisement: &Advertisement) -> Result<(), Failure> {
        self.reply(b"\n")?;
        self.reply(advertisement.bytes())
    }

    /// Returns what was advertised the last time, if git may be told that again.
    fn kept(&mut self) -> Result<Option<Advertisement>, Failure> {
        Ok(self.named.open()?.kept())
    }

    fn bridge(&mut self, service: Service, assumed: Option<Advertisement>) -> Result<(), Failure> {
        let repository = self.named.open()?;
        let (from_git, to_git) = (&mut self.from_git, &mut self.to_git);
        let hold = repository.post_buffer();
        let served = match service {
            Service::UploadPack => repository.upload_pack((from_git, to_git), assumed),
            Service::ReceivePack => receive_pack::serve(&mut repository.remote, from_git, to_git, hold),
            Service::UploadArchive => upload_archive::serve(&mut repository.remote, from_git, to_git),
        };
        let served = match served {
            Err(Error::Reported(text)) if service != Service::ReceivePack => Err(self.pass_error(&text)?),
            served => served,
        };
        served.map_err(|error| self.explained(service, error))
    }

    fn discover(&mut self, service: Service) -> Result<Advertisement, Failure> {
        let found = self.named.open()?.remote.advertisement(service);
        found.map_err(|error| self.explained(service, error))
    }

    /// The same for git that waits to be connected: what the server reports instead is for git to say.
    fn discover_for_git(&mut self, service: Service) -> Result<Advertisement, Failure> {
        match self.named.open()?.remote.advertisement(service) {
            Err(Error::Reported(text)) => {
                self.reply(b"\n")?;
                let told = self.pass_error(&text)?;
                Err(self.explained(service, told))
            }
            found => found.map_err(|error| self.explained(service, error)),
        }
    }

    /// Passes on to git that the server reports an error. Git ends with `fatal: remote error: …`, as over https.
    fn pass_error(&mut self, text: &str) -> Result<Error, Failure> {
        self.reply(&sideband::error_packet(text))?;
        Ok(Error::Told)
    }

    fn explained(&mut self, service: Service, error: Error) -> Failure {
        match self.named.open() {
            Ok(repository) => repository.explain_to_git(service, error),
            Err(failure) => failure,
        }
    }

    fn list(&mut self, for_push: bool) -> Result<(), Failure> {
        let service = if for_push {
            Service::ReceivePack
        } else {
            Service::UploadPack
        };
        self.named.tell_lfs(service, self.options.is_quiet())?;
        let known = self.discovered.take().filter(|_| !for_push);
        let advertisement = match known {
            Some(advertisement) => advertisement,
            None => self.discover(service)?,
        };
        let repository = self.named.open()?;
        let listed = fallback::list(&advertisement, self.options.object_format, &mut self.to_git);
        listed.map_err(|error| repository.explain_to_git(service, error))?;
        self.discovered = Some(advertisement).filter(|_| !for_push);
        Ok(())
    }

    /// Lets `git fetch-pack` fetch what git wants, and tells git what it says.
    fn fetch(&mut self, wanted: &[Vec<u8>]) -> Result<(), Failure> {
        let Some(advertisement) = &self.discovered else {
            return Err(Failure::new(
                Kind::Protocol,
                "git asks to fetch before it has asked for a list",
            ));
        };
        let repository = self.named.open()?;
        let said = fetch_pack::run(repository, &self.options, advertisement, wanted);
        let said = said.map_err(|error| repository.explain_to_git(Service::UploadPack, error))?;
        self.to_git
            .write_all(&said)
            .map_err(|error| Failure::git_has_gone(&error))?;
        self.reply(b"\n")
    }

    fn read_line(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        let mut line = Vec::new();
        let limit = MAX_LINE as u64;
        let read = self.from_git.by_ref().take(limit).read_until(b'\n', &mut line);
        read.map_err(|error| Failure::new(Kind::Local, "cannot read git's commands").caused_by(&error))?;
        if line.pop_if(|last| *last == b'\n').is_some() {
            Ok(Some(line))
        } else if line.is_empty() {
            Ok(None)
        } else {
            Err(Failure::new(
                Kind::Protocol,
                format!("git's command ends after {} bytes without a line end", line.len()),
            ))
        }
    }

    fn reply(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.to_git
            .write_all(bytes)
            .and_then(|()| self.to_git.flush())
            .map_err(|error| Failure::git_has_gone(&error))
    }
}
