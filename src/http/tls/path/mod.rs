//! The path from a server's certificate to an authority that is trusted (RFC 5280, section 6).
//!
//! Every certificate of a path is judged by the same [`rules`], the trusted one at its end too: a certificate does not
//! become an authority, or valid again, by being trusted. OpenSSL and GnuTLS hold it the same way; where the two differ,
//! the stricter one is followed unless the rule says why not (the table of certificates in `tests/it/wire` has all
//! three side by side).
//!
//! Does not depend on TLS: it is given the certificates that a server has sent, and says yes or why not.

mod constraints;
mod host;
mod rules;

use std::cell::Cell;

use rustls::pki_types::{CertificateDer, ServerName, UnixTime};

use super::anchors::Anchors;
use super::signature::Algorithms;
use super::untrusted::{Fault, Untrusted};
use super::x509::X509;

/// As many signatures are checked for one server: a real one needs three, and what it sends may be made to need many.
const SIGNATURES: usize = 100;
/// As many certificates are looked at on the way; those who send a thousand that all fit each other wait no longer.
const STEPS: usize = 10_000;
/// The longest path, with both of its ends: GnuTLS' limit.
const LONGEST: usize = 16;

/// What a server has shown, and what it has to satisfy.
pub(super) struct Question<'a> {
    pub(super) end_entity: &'a CertificateDer<'a>,
    pub(super) intermediates: &'a [CertificateDer<'a>],
    pub(super) host: &'a ServerName<'a>,
    /// The OCSP response that came with them; empty if none did.
    pub(super) stapled: &'a [u8],
    pub(super) now: UnixTime,
}

/// The limits of one search.
struct Budget {
    signatures: Cell<usize>,
    steps: Cell<usize>,
}

struct Search<'a> {
    question: &'a Question<'a>,
    /// What the server has sent besides its own; what cannot be read is no help and no harm.
    intermediates: Vec<X509<'a>>,
    anchors: &'a Anchors,
    algorithms: &'a Algorithms,
    budget: Budget,
}

/// Finds a path from the server's certificate to one of `anchors`, on which every certificate keeps the rules.
pub(super) fn verify(question: &Question<'_>, anchors: &Anchors, algorithms: &Algorithms) -> Result<(), Untrusted> {
    let leaf = X509::read(question.end_entity).map_err(|_| Untrusted::Server(Fault::Malformed))?;
    let is_trusted = anchors.have(question.end_entity);
    rules::end_entity(&leaf, is_trusted, question.now).map_err(Untrusted::Server)?;
    host::check(&leaf, is_trusted, question.host)?;
    if leaf.extensions.must_staple && question.stapled.is_empty() {
        return Err(Untrusted::Server(Fault::MustStaple));
    }
    if is_trusted {
        return Ok(());
    }
    let search = Search {
        question,
        intermediates: question
            .intermediates
            .iter()
            .filter_map(|der| X509::read(der).ok())
            .collect(),
        anchors,
        algorithms,
        budget: Budget {
            signatures: Cell::new(SIGNATURES),
            steps: Cell::new(STEPS),
        },
    };
    search.extend(&mut vec![leaf])
}

impl<'a> Search<'a> {
    /// Looks for an issuer of the last certificate in `path`: among the trusted, then among those that were sent.
    fn extend(&self, path: &mut Vec<X509<'a>>) -> Result<(), Untrusted> {
        let Some(last) = path.last() else {
            return Err(Untrusted::NoIssuer(String::new()));
        };
        let issuer = last.issuer;
        let mut why = Untrusted::no_issuer(last, path.len() == 1);
        for der in self.anchors.named(issuer) {
            let tried = match X509::read(der) {
                Ok(anchor) => self.step(path, &anchor, true).and_then(|()| self.end(path, &anchor)),
                Err(_) => Err(Untrusted::authority(issuer, Fault::Malformed)),
            };
            match tried {
                Ok(()) => return Ok(()),
                Err(error) => why = why.or(error),
            }
        }
        for next in self.intermediates.iter().filter(|next| next.subject == issuer) {
            // What is on the path already leads in a circle (RFC 4158, section 5.2).
            if path
                .iter()
                .any(|known| known.subject == next.subject && known.key == next.key)
            {
                continue;
            }
            let tried = self.step(path, next, false).and_then(|()| {
                path.push(next.clone());
                let found = self.extend(path);
                path.pop();
                found
            });
            match tried {
                Ok(()) => return Ok(()),
                Err(error) => why = why.or(error),
            }
        }
        Err(why)
    }

    /// Whether `issuer` may have issued the last certificate of `path`, and has.
    fn step(&self, path: &[X509<'a>], issuer: &X509<'_>, is_trusted: bool) -> Result<(), Untrusted> {
        let named = |fault| Untrusted::authority(issuer.subject, fault);
        if path.len() >= LONGEST || !spend(&self.budget.steps) {
            return Err(named(Fault::PathTooLong));
        }
        rules::authority(issuer, is_trusted, path, self.question.now).map_err(named)?;
        let Some(last) = path.last() else { return Ok(()) };
        if !spend(&self.budget.signatures) {
            return Err(named(Fault::PathTooLong));
        }
        self.algorithms.check(last, issuer.key).map_err(|fault| {
            if path.len() == 1 {
                Untrusted::Server(fault)
            } else {
                Untrusted::authority(last.subject, fault)
            }
        })
    }

    /// The path is complete with `anchor`: what its authorities allow for names is asked of all that is below them.
    fn end(&self, path: &[X509<'a>], anchor: &X509<'_>) -> Result<(), Untrusted> {
        constraints::check(path, anchor, self.question.host)
    }
}

/// Whether there was one left.
fn spend(left: &Cell<usize>) -> bool {
    let more = left.get().checked_sub(1);
    left.set(more.unwrap_or_default());
    more.is_some()
}
