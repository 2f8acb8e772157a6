//! Changes to the content of an answer: compression, honest and not, and the faults that replace or shorten it.

use std::io::{self, Read as _, Write as _};

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder};

use super::fault::Action;
use super::refusal::Response;

/// `response` as `action` wants it, or compressed if `compress` says so.
pub(crate) fn rewritten(action: Option<&Action>, compress: bool, mut response: Response) -> io::Result<Response> {
    let body = &mut response.body;
    match action {
        Some(Action::ReplaceBody(bytes)) => body.clone_from(bytes),
        Some(Action::Truncate { bytes }) => body.truncate(body.len().saturating_sub(*bytes)),
        Some(Action::Gzip { broken }) => {
            let mut bytes = gzip(body, 0)?;
            bytes.truncate(if *broken { bytes.len() / 2 } else { bytes.len() });
            return Ok(compressed(response, "gzip", bytes));
        }
        Some(Action::RawDeflate) => {
            let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(body)?;
            let bytes = encoder.finish()?;
            return Ok(compressed(response, "deflate", bytes));
        }
        Some(Action::GzipBomb { inflated }) => {
            let bytes = gzip(body, *inflated)?;
            return Ok(compressed(response, "gzip", bytes));
        }
        _ if compress && !body.is_empty() => {
            let bytes = gzip(body, 0)?;
            return Ok(compressed(response, "gzip", bytes));
        }
        _ => {}
    }
    Ok(response)
}

fn compressed(mut response: Response, coding: &str, bytes: Vec<u8>) -> Response {
    response.body = bytes;
    response.with("Content-Encoding", coding)
}

/// The padding is flush packets, which a reader of packets takes for as long as they come.
fn gzip(body: &[u8], padding: u64) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body)?;
    io::copy(&mut io::repeat(b'0').take(padding), &mut encoder)?;
    encoder.finish()
}
