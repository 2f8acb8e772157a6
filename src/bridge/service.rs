//! The three services of a git server, as `gitprotocol-http(5)` names them.

/// A service of a git server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// `git-upload-pack`: fetch, clone, ls-remote.
    UploadPack,
    /// `git-receive-pack`: push.
    ReceivePack,
    /// `git-upload-archive`: `git archive --remote`.
    UploadArchive,
}

impl Service {
    /// Returns its name, which is also the end of its URL.
    pub fn name(self) -> &'static str {
        match self {
            Self::UploadPack => "git-upload-pack",
            Self::ReceivePack => "git-receive-pack",
            Self::UploadArchive => "git-upload-archive",
        }
    }

    /// Returns the service that git names so in `connect`.
    pub fn parse(name: &[u8]) -> Option<Self> {
        [Self::UploadPack, Self::ReceivePack, Self::UploadArchive]
            .into_iter()
            .find(|service| service.name().as_bytes() == name)
    }

    /// Returns what the user does with it, to end the sentence "the server does not allow you …".
    pub fn action(self) -> &'static str {
        match self {
            Self::UploadPack => "to read",
            Self::ReceivePack => "to push to",
            Self::UploadArchive => "to get an archive of",
        }
    }
}

/// The version of git's wire protocol that is asked for (`protocol.version`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Version {
    /// No `Git-Protocol` header.
    V0,
    /// `version=1`.
    V1,
    /// `version=2`, git's default since 2.26.
    #[default]
    V2,
}

impl Version {
    /// Returns the version to ask `service` for: git never asks for version 2 of a push, because there is none and
    /// some servers stumble over the question (`remote-curl.c`, `discover_refs`).
    #[must_use]
    pub fn for_service(self, service: Service) -> Self {
        match (service, self) {
            (Service::ReceivePack, Self::V2) => Self::V0,
            (_, version) => version,
        }
    }

    /// Returns the header line that asks for it.
    pub fn header(self) -> Option<&'static str> {
        match self {
            Self::V0 => None,
            Self::V1 => Some("Git-Protocol: version=1"),
            Self::V2 => Some("Git-Protocol: version=2"),
        }
    }
}
