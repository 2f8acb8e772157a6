//! What one certificate of a path has to satisfy, by itself and by its place (RFC 5280, section 6.1).
//!
//! Does not depend on who is trusted, on signatures or on names.

use rustls::pki_types::UnixTime;

use super::super::untrusted::Fault;
use super::super::x509::{Version, X509};

/// The server's own certificate. `is_trusted` is whether it is itself one of those that are trusted.
pub(super) fn end_entity(leaf: &X509<'_>, is_trusted: bool, now: UnixTime) -> Result<(), Fault> {
    common(leaf, now)?;
    let extensions = &leaf.extensions;
    // Its key signs the handshake in every cipher suite that we speak.
    if extensions.key_usage.is_some_and(|usage| !usage.digital_signature) {
        return Err(Fault::KeyUsage);
    }
    // An authority's key that serves requests is at risk with every one of them; to trust this certificate and no more
    // is the user's right (what `openssl req -x509` makes has CA:TRUE).
    if !is_trusted && extensions.basic_constraints.is_some_and(|basic| basic.authority) {
        return Err(Fault::Authority);
    }
    Ok(())
}

/// An authority that is to have issued the last certificate of `below`. `is_trusted` is whether the path ends with it.
pub(super) fn authority(
    authority: &X509<'_>,
    is_trusted: bool,
    below: &[X509<'_>],
    now: UnixTime,
) -> Result<(), Fault> {
    common(authority, now)?;
    let extensions = &authority.extensions;
    match extensions.basic_constraints {
        Some(basic) if basic.authority => {
            // Those that were issued to themselves, to change a key, are not counted; the server's is none.
            let count = below.iter().skip(1).filter(|one| !one.is_self_issued()).count();
            if basic
                .path_length
                .is_some_and(|most| u32::try_from(count).is_ok_and(|count| count > most))
            {
                return Err(Fault::PathLength);
            }
        }
        // Version 1 has no extensions; a root of that time is one because it is trusted and names itself as its issuer.
        // In version 3 its keyUsage has to say so, as OpenSSL asks for.
        None if is_trusted
            && authority.is_self_issued()
            && (authority.version == Version::V1 || extensions.key_usage.is_some()) => {}
        _ => return Err(Fault::NoAuthority),
    }
    if extensions.key_usage.is_some_and(|usage| !usage.cert_sign) {
        return Err(Fault::NoCertSign);
    }
    Ok(())
}

fn common(certificate: &X509<'_>, now: UnixTime) -> Result<(), Fault> {
    let now = now.as_secs();
    if now < certificate.not_before {
        return Err(Fault::NotYetValid(certificate.not_before));
    }
    if now > certificate.not_after {
        return Err(Fault::Expired(certificate.not_after));
    }
    if let Some(id) = certificate.extensions.unknown {
        return Err(Fault::unknown_extension(id));
    }
    if certificate.extensions.server_auth == Some(false) {
        return Err(Fault::Purpose);
    }
    Ok(())
}
