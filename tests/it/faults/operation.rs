//! The rows of the matrix: each request that git's work consists of.

use crate::bitbucket::{Action, Fault};

/// A request, by the work that it is part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    /// `GET info/refs` of a fetch, version 2.
    RefsV2,
    /// The first `POST git-upload-pack` of version 2.
    LsRefs,
    /// The last one, whose answer has the pack.
    FetchV2,
    /// `GET info/refs` of a fetch, version 0.
    RefsV0,
    /// The last `POST git-upload-pack` of version 0.
    FetchV0,
    /// `GET info/refs` of a push.
    RefsPush,
    /// `POST git-receive-pack`.
    Push,
    /// The same in chunks, because it is larger than `http.postBuffer`.
    PushChunked,
    /// The same without a pack.
    PushDelete,
    /// [`Operation::LsRefs`] as the first request, because the advertisement has been kept.
    LsRefsKept,
    /// [`Operation::FetchV2`] after it.
    FetchKept,
}

impl Operation {
    pub(super) const ALL: [Self; 11] = [
        Self::RefsV2,
        Self::LsRefs,
        Self::FetchV2,
        Self::RefsV0,
        Self::FetchV0,
        Self::RefsPush,
        Self::Push,
        Self::PushChunked,
        Self::PushDelete,
        Self::LsRefsKept,
        Self::FetchKept,
    ];

    /// `protocol.version`.
    pub(super) fn version(self) -> u8 {
        match self {
            Self::RefsV0 | Self::FetchV0 => 0,
            _ => 2,
        }
    }

    pub(super) fn pushes(self) -> bool {
        self.sends_push() || self == Self::RefsPush
    }

    /// Whether the request may change the server.
    pub(super) fn sends_push(self) -> bool {
        matches!(self, Self::Push | Self::PushChunked | Self::PushDelete)
    }

    /// Whether this is about what follows a kept advertisement.
    pub(super) fn is_kept(self) -> bool {
        matches!(self, Self::LsRefsKept | Self::FetchKept)
    }

    pub(super) fn lists_refs(self) -> bool {
        matches!(self, Self::LsRefs | Self::LsRefsKept)
    }

    /// Git's arguments for one attempt, which has the branch `cell` to itself.
    pub(super) fn arguments(self, cell: &str) -> Vec<String> {
        let from = if self == Self::PushDelete { "" } else { "HEAD" };
        let refspec = format!("{from}:refs/heads/{cell}");
        let words = match self {
            Self::PushChunked => vec!["-c", "http.postBuffer=65520", "push", "--quiet", "origin", &refspec],
            _ if self.pushes() => vec!["push", "--quiet", "origin", &refspec],
            _ => vec!["fetch", "--quiet"],
        };
        words.into_iter().map(str::to_owned).collect()
    }

    pub(super) fn is_get(self) -> bool {
        matches!(self, Self::RefsV2 | Self::RefsV0 | Self::RefsPush)
    }

    /// Whether there is a pack in the answer.
    pub(super) fn has_pack(self) -> bool {
        matches!(self, Self::FetchV2 | Self::FetchV0 | Self::FetchKept)
    }

    pub(super) fn service(self) -> &'static str {
        if self.pushes() {
            "git-receive-pack"
        } else {
            "git-upload-pack"
        }
    }

    /// What the answer has to call itself.
    pub(super) fn content_type(self) -> String {
        let kind = if self.is_get() { "advertisement" } else { "result" };
        format!("application/x-{}-{kind}", self.service())
    }

    /// Part of the request's target that no other request of the work has.
    pub(super) fn target(self) -> String {
        if self.is_get() {
            format!("/info/refs?service={}", self.service())
        } else {
            format!("/{}", self.service())
        }
    }

    /// The fault that does `action` to this request and all repetitions of it, `skip` of its kind being good.
    pub(super) fn fault(self, action: Action, skip: usize) -> Fault {
        let method = if self.is_get() { "GET" } else { "POST" };
        Fault::on(&self.target(), action).method(method).skip(skip).always()
    }
}
