//! Reads `chains.txt`: what is in each certificate, what the server sends, and whom the client trusts.

/// One chain.
#[derive(Debug, Clone, Default)]
pub(super) struct Chain {
    pub(super) title: &'static str,
    /// As [`Wanted`](super::authority) reads them.
    pub(super) certificates: Vec<&'static str>,
    /// What the server sends, its own first.
    pub(super) sent: Vec<&'static str>,
    pub(super) trusted: Vec<&'static str>,
    /// Under which name it is asked for; empty is `localhost`.
    host: &'static str,
    /// More options of `openssl s_server`.
    pub(super) server: Vec<&'static str>,
    /// Why the helper does not do as the stricter of the two others.
    pub(super) differs: Option<&'static str>,
}

impl Chain {
    pub(super) fn host(&self) -> &'static str {
        if self.host.is_empty() { "localhost" } else { self.host }
    }
}

/// Returns all chains, in order.
pub(super) fn chains() -> Vec<Chain> {
    let mut chains: Vec<Chain> = Vec::new();
    for line in include_str!("chains.txt").lines() {
        if line.is_empty() || line.starts_with("//") || line.starts_with("##") {
            continue;
        }
        if let Some(title) = line.strip_prefix("# ") {
            chains.push(Chain {
                title,
                ..Chain::default()
            });
            continue;
        }
        let chain = chains.last_mut().expect("a title comes first");
        let (word, rest) = line.split_once(' ').expect("a word and more");
        let names = || rest.split(' ').collect();
        match word {
            "sent" => chain.sent = names(),
            "trusted" => chain.trusted = names(),
            "server" => chain.server = names(),
            "host" => chain.host = rest,
            "differs" => chain.differs = Some(rest),
            _ => chain.certificates.push(line),
        }
    }
    chains
}
