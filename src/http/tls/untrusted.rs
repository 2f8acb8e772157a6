//! Why a server's certificate is not accepted, in words a person can act on.
//!
//! Does not depend on settings: the commands that help are with the explanations of failures.

use std::time::{Duration, UNIX_EPOCH};

use pkcs8::der::asn1::ObjectIdentifier;

use super::super::dates::date;
use super::x509::{Name, X509};

/// Why there is no trust in a server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Untrusted {
    /// Nobody who is trusted has issued it, nor anybody whom the server has shown.
    #[error("the certificate's issuer '{0}' is not trusted")]
    NoIssuer(String),
    /// The same, of a certificate that has no issuer but itself.
    #[error("the server's certificate is self-signed and not trusted")]
    SelfSigned,
    /// It is for other hosts.
    #[error("the server's certificate is not valid for '{host}', only for {}", listed(.names))]
    OtherHost {
        /// The host that was asked for.
        host: String,
        /// The names that are in it.
        names: Vec<String>,
    },
    /// The server's own certificate does not keep a rule.
    #[error("the server's certificate {0}")]
    Server(Fault),
    /// That of an authority does not keep a rule.
    #[error("the authority's certificate '{name}' {fault}")]
    Authority {
        /// Its subject.
        name: String,
        /// Which rule.
        fault: Fault,
    },
}

/// The rule that a certificate does not keep.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// In seconds since 1970.
    #[error("expired on {}", day(*.0))]
    Expired(u64),
    /// In seconds since 1970.
    #[error("is not valid before {}", day(*.0))]
    NotYetValid(u64),
    /// An authority that is none.
    #[error("cannot issue certificates: its basicConstraints do not say CA:TRUE")]
    NoAuthority,
    /// An authority whose key is for something else.
    #[error("cannot issue certificates: its keyUsage lacks keyCertSign")]
    NoCertSign,
    /// More authorities than it allows.
    #[error("does not allow that many authorities below it (pathlen in its basicConstraints)")]
    PathLength,
    /// By our own limits.
    #[error("is at the end of too long a chain")]
    PathTooLong,
    /// A server that is an authority.
    #[error("is an authority's (CA:TRUE), not a server's")]
    Authority,
    /// A server whose key cannot be one.
    #[error("cannot be a server's: its keyUsage lacks digitalSignature")]
    KeyUsage,
    /// For clients, mail or code only.
    #[error("cannot be used for servers: its extendedKeyUsage lacks serverAuth")]
    Purpose,
    /// It asks for what the server has not sent.
    #[error("requires an OCSP response from the server (must-staple), and the server sent none")]
    MustStaple,
    /// With the identifier of what is not known.
    #[error("has a critical extension that is not supported: {0}")]
    UnknownExtension(String),
    /// With the name that is not.
    #[error("does not permit the name '{0}' (nameConstraints)")]
    Names(String),
    /// Somebody else has signed it, or it was changed.
    #[error("has a wrong signature: it was not signed with the key of its issuer")]
    Signature,
    /// With the algorithm.
    #[error("is signed with {0}, which is not supported")]
    Algorithm(String),
    /// Not a certificate.
    #[error("is malformed")]
    Malformed,
}

impl Fault {
    pub(super) fn unknown_extension(id: &[u8]) -> Self {
        let id = ObjectIdentifier::from_bytes(id);
        Self::UnknownExtension(id.map_or_else(|_| "unreadable".to_owned(), |id| id.to_string()))
    }
}

impl Untrusted {
    pub(super) fn authority(name: Name<'_>, fault: Fault) -> Self {
        Self::Authority {
            name: name.to_text(),
            fault,
        }
    }

    /// Nobody has issued `last`; `is_first` is whether it is the server's own.
    pub(super) fn no_issuer(last: &X509<'_>, is_first: bool) -> Self {
        if is_first && last.is_self_issued() {
            return Self::SelfSigned;
        }
        Self::NoIssuer(last.issuer.to_text())
    }

    /// Which of two reasons tells more: that of a path that was found, not that there is another where nobody leads on.
    pub(super) fn or(self, other: Self) -> Self {
        match self {
            Self::NoIssuer(_) | Self::SelfSigned => other,
            found => found,
        }
    }
}

fn day(seconds: u64) -> String {
    date(UNIX_EPOCH + Duration::from_secs(seconds))
}

fn listed(names: &[String]) -> String {
    const SHOWN: usize = 4;
    let shown: Vec<_> = names.iter().take(SHOWN).map(|name| format!("'{name}'")).collect();
    match names.len() {
        0 => "names that it does not list (it has no subjectAltName)".to_owned(),
        count if count > SHOWN => format!("{} and {} more", shown.join(", "), count - SHOWN),
        _ => shown.join(", "),
    }
}
