//! What stands around every answer: reasons and the headers that Bitbucket's proxies add.

use std::io::{self, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};

pub(crate) fn bitbucket_headers(head: &mut Vec<u8>) -> io::Result<()> {
    static TRACE: AtomicU64 = AtomicU64::new(0x5ca1_ab1e_0000_0000);
    let trace = TRACE.fetch_add(1, Ordering::Relaxed);
    write!(
        head,
        "server: envoy\r\nx-b3-traceid: {trace:016x}\r\nx-usage-quota-remaining: 998999.250\r\n\
         x-usage-request-cost: 1013.87\r\nx-dc-location: Micros-3\r\nx-served-by: local-bitbucket\r\n"
    )
}

pub(crate) fn reason(status: u16) -> &'static str {
    match status {
        100 => "Continue",
        200 => "OK",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        407 => "Proxy Authentication Required",
        410 => "Gone",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Unknown",
    }
}
