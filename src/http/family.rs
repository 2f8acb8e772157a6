//! Which of the two internet protocols may be used. Does not depend on how a connection is made.

use std::net::SocketAddr;

/// Which addresses may be used: `option family` of git, that is `--ipv4` and `--ipv6`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Family {
    /// Both.
    #[default]
    Any,
    /// IPv4 only.
    V4,
    /// IPv6 only.
    V6,
}

impl Family {
    /// Whether `address` is of it.
    pub(super) fn allows(self, address: &SocketAddr) -> bool {
        match self {
            Self::Any => true,
            Self::V4 => address.is_ipv4(),
            Self::V6 => address.is_ipv6(),
        }
    }
}
