//! Certificates in PEM, quickly.
//!
//! rustls' own reader decodes base64 in constant time, for the sake of private keys. Of the 13 million instructions of
//! a session that finds nothing to fetch, 8.5 went into that for the 144 certificates of Debian's store, before the
//! first byte was sent (callgrind). Certificates are public, and a plain decoder needs a twentieth.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::CertificateDer;

/// How a certificate begins and ends: the second label is an old one, which OpenSSL and GnuTLS read too.
const LABELS: [(&str, &str); 2] = [
    ("-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"),
    ("-----BEGIN X509 CERTIFICATE-----", "-----END X509 CERTIFICATE-----"),
];

/// A block that is no certificate.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    #[error("a certificate ends before its last line")]
    Cut,
    #[error("a certificate is not in base64")]
    Garbled(#[source] base64::DecodeError),
}

/// Returns the certificates in `file`, in order; what stands between them is passed over.
pub(super) fn certificates(file: &[u8]) -> Vec<Result<CertificateDer<'static>, Fault>> {
    // What is not UTF-8 is in comments. The checking of text that is takes a tenth of the repairing of text that may not be.
    let text = str::from_utf8(file).map_or_else(|_| String::from_utf8_lossy(file), Cow::Borrowed);
    // Editors on Windows put a byte order mark in front.
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let mut lines = text.lines().map(str::trim_ascii);
    let mut found = Vec::new();
    let mut base64 = String::new();
    let ending = |line: &str| LABELS.iter().find(|(begin, _)| *begin == line).map(|(_, end)| *end);
    while let Some(end) = lines.by_ref().find_map(ending) {
        base64.clear();
        let ended = lines.by_ref().any(|line| {
            let is_end = line == end;
            if !is_end {
                base64.push_str(line);
            }
            is_end
        });
        let decoded = STANDARD.decode(&base64).map_err(Fault::Garbled);
        found.push(if ended {
            decoded.map(Into::into)
        } else {
            Err(Fault::Cut)
        });
    }
    found
}

#[cfg(test)]
mod tests {
    use rustls::pki_types::pem::PemObject as _;

    use super::*;

    const BEGIN: &str = LABELS[0].0;
    const END: &str = LABELS[0].1;

    #[test]
    fn blocks_are_found_among_other_text() {
        let text = format!("# \u{e9}\nissuer: me\n{BEGIN}\r\nAQID\r\nBAU=\r\n{END}\r\n  {BEGIN}\n  Bgc=\n  {END}\nend");
        let found: Result<Vec<_>, _> = certificates(text.as_bytes()).into_iter().collect();
        assert_eq!(found.unwrap(), [vec![1, 2, 3, 4, 5].into(), vec![6, 7].into()]);
        assert_eq!(certificates(&[b"\xe9 in Latin-1\n", text.as_bytes()].concat()).len(), 2);
        assert_eq!(certificates(b""), []);
        let marked = text.replace("CERTIFICATE", "X509 CERTIFICATE");
        assert_eq!(
            certificates(format!("\u{feff}{}", marked.trim_start_matches(|c| c != '-')).as_bytes()).len(),
            2
        );
        assert_eq!(
            certificates(b"-----BEGIN PRIVATE KEY-----\nAQID\n-----END PRIVATE KEY-----"),
            []
        );
    }

    #[test]
    fn a_block_that_is_no_certificate_does_not_hide_the_next_one() {
        let text = format!("{BEGIN}\nA*ID\n{END}\n{BEGIN}\nAQID\n{END}\n{BEGIN}\nAQID\n");
        let found = certificates(text.as_bytes());
        assert!(matches!(
            found.as_slice(),
            [Err(Fault::Garbled(_)), Ok(_), Err(Fault::Cut)]
        ));
    }

    /// Whatever the store of this system is, it reads the same.
    #[test]
    fn it_reads_what_rustls_reads() {
        for store in ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"] {
            let Ok(file) = std::fs::read(store) else { continue };
            let theirs: Vec<_> = CertificateDer::pem_slice_iter(&file).map(Result::unwrap).collect();
            let ours: Vec<_> = certificates(&file).into_iter().map(Result::unwrap).collect();
            assert_eq!(ours, theirs);
        }
    }
}
