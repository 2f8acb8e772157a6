//! Who we are to a proxy: the name and password of the setting, or those that git's helpers give, told back to them.
//!
//! Basic is all that is spoken here (RFC 7617), what else there is `negotiated` has; it must not know how a proxy is
//! reached.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::super::answer_head::AnswerHead;
use super::super::error::{Error, ProxyFault};
use super::super::settings::{Proxy, ProxyAuth, ProxyScheme};
use super::{Config, Way, place};
use crate::git::credential::Credential;
use crate::secret::Secret;

/// A name and a password.
pub(in super::super) struct Login {
    pub(super) username: String,
    pub(super) password: Secret,
}

/// What is known of signing in at the proxy.
#[derive(Default)]
pub(in super::super) struct Access {
    login: Option<Login>,
    /// The helpers' answer, as long as they have not been told what became of it.
    asked: Option<Credential>,
    /// Whether the login goes with every request. Git's default asks the proxy first which way it wants.
    send: bool,
    tls: Option<Config>,
}

impl Access {
    /// Completes the login before there is a connection: a name without a password is asked for, as git does.
    pub(super) fn prepare(&mut self, proxy: &Proxy, may_ask: bool) -> Result<(), Error> {
        if self.login.is_some() {
            return Ok(());
        }
        let Some(username) = proxy.username.clone() else {
            return Ok(());
        };
        self.send = proxy.auth == ProxyAuth::Basic;
        match &proxy.password {
            Some(password) => {
                self.login = Some(Login {
                    username,
                    password: password.clone(),
                });
                Ok(())
            }
            None => self.ask(proxy, Some(&username), may_ask),
        }
    }

    pub(super) fn login(&self) -> Option<&Login> {
        self.login.as_ref()
    }

    /// Returns the line that signs a request in.
    pub(in super::super) fn header(&self) -> Option<Zeroizing<String>> {
        let login = self.login.as_ref().filter(|_| self.send)?;
        let pair = Zeroizing::new(format!("{}:{}", login.username, login.password.expose()));
        // The size is known in advance: a string that grows leaves copies of the secret behind.
        let mut line = Zeroizing::new(String::with_capacity(40 + pair.len().div_ceil(3) * 4));
        line.push_str("Proxy-Authorization: Basic ");
        STANDARD.encode_string(pair.as_bytes(), &mut line);
        Some(line)
    }

    /// The proxy has answered 407. Finds what to answer, or fails.
    pub(in super::super) fn challenged(&mut self, way: &Way<'_>, head: &AnswerHead) -> Result<(), Error> {
        let offered = methods(head);
        match way.proxy.auth {
            ProxyAuth::Any | ProxyAuth::Basic => {}
            ProxyAuth::Digest | ProxyAuth::Negotiate | ProxyAuth::Ntlm => {
                return Err(way.failed(ProxyFault::MethodOfSetting));
            }
        }
        if !offered.iter().any(|method| method == "basic") {
            // A 407 that names no method at all.
            return Err(match offered.join(" or ") {
                none if none.is_empty() => way.failed(ProxyFault::LoginRejected(Some(407))),
                methods => way.failed(ProxyFault::Method(methods)),
            });
        }
        if self.login.is_some() && !self.send {
            self.send = true;
            return Ok(());
        }
        if self.login.is_some() && self.asked.is_none() {
            return Err(way.failed(ProxyFault::LoginRejected(Some(407))));
        }
        self.reject();
        self.send = true;
        let asked = self.ask(way.proxy, way.proxy.username.as_deref(), way.may_ask);
        asked.map_err(|error| match error {
            Error::Proxy {
                fault: ProxyFault::LoginRequired(None),
                ..
            } => way.failed(ProxyFault::LoginRequired(Some(407))),
            other => other,
        })
    }

    fn ask(&mut self, proxy: &Proxy, username: Option<&str>, may_ask: bool) -> Result<(), Error> {
        let protocol = match proxy.scheme {
            ProxyScheme::Http => "http",
            ProxyScheme::Https => "https",
            ProxyScheme::Socks4 => "socks4",
            ProxyScheme::Socks4a => "socks4a",
            ProxyScheme::Socks5 => "socks5",
            ProxyScheme::Socks5h => "socks5h",
        };
        let name = place(&proxy.host, proxy.port);
        let question = Credential::of_host(protocol, &name, username);
        if !may_ask {
            return Err(Error::MustAsk);
        }
        let Some(answer) = question.fill().ok().flatten() else {
            return Err(Error::Proxy {
                proxy: name,
                fault: ProxyFault::LoginRequired(None),
            });
        };
        self.login = Some(Login {
            username: answer.username().to_owned(),
            password: answer.password(),
        });
        self.asked = Some(answer);
        Ok(())
    }

    /// The proxy has let us through.
    pub(in super::super) fn approve(&mut self) {
        if let Some(asked) = self.asked.take() {
            asked.approve();
        }
    }

    /// The proxy has refused what the helpers gave.
    pub(super) fn reject(&mut self) {
        if let Some(asked) = self.asked.take() {
            asked.reject();
        }
        self.login = None;
    }

    pub(super) fn tls(&mut self, make: impl FnOnce() -> Result<Config, Error>) -> Result<Config, Error> {
        match &self.tls {
            Some(config) => Ok(config.clone()),
            None => Ok(self.tls.insert(make()?).clone()),
        }
    }
}

/// The methods that an answer offers, in lower case. Several may share a header, with commas that may be in
/// parameters as well: a method is a word that no `=` follows.
pub(super) fn methods(head: &AnswerHead) -> Vec<String> {
    let mut methods = Vec::new();
    for value in head.all("proxy-authenticate") {
        let value = String::from_utf8_lossy(value).to_ascii_lowercase();
        for part in value.split(',') {
            let word = part.split_whitespace().next().unwrap_or_default();
            if !word.is_empty() && !word.contains(['=', '"']) && !methods.iter().any(|known| known == word) {
                methods.push(word.to_owned());
            }
        }
    }
    methods
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_are_found_in_one_header_or_several() {
        let head = AnswerHead {
            status: 407,
            headers: ["Negotiate, NTLM", "Basic realm=\"a, b\", Digest realm=x, nonce=\"y\""]
                .map(|value| ("proxy-authenticate".to_owned(), value.as_bytes().to_vec()))
                .to_vec(),
            ..AnswerHead::default()
        };
        let mut found = methods(&head);
        found.retain(|method| method != "b\"");
        assert_eq!(found, ["negotiate", "ntlm", "basic", "digest"]);
    }
}
