//! Dates: those of HTTP's headers, and days for people.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pkcs8::der::DateTime;

/// Returns the day of `time` as in `2026-11-24`.
pub fn date(time: SystemTime) -> String {
    date_of(time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs())
}

/// Returns the day that is `seconds` after the beginning of 1970, as in `2026-11-24`. Any number will do: a time that was
/// read from a file may be damaged.
pub fn date_of(seconds: u64) -> String {
    match DateTime::from_unix_duration(Duration::from_secs(seconds)) {
        Ok(date) => format!("{:04}-{:02}-{:02}", date.year(), date.month(), date.day()),
        // No calendar goes further.
        Err(_) => "9999-12-31".to_owned(),
    }
}

/// Returns how many seconds `now` is after the time in a `Date` header; `None` if there is no time in it.
pub fn seconds_since(header: &str, now: SystemTime) -> Option<i64> {
    let told = httpdate::parse_http_date(header).ok()?;
    let seconds = |time: Duration| i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    Some(match now.duration_since(told) {
        Ok(after) => seconds(after),
        Err(before) => -seconds(before.duration()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_differences() {
        let time = UNIX_EPOCH + Duration::from_secs(1_936_742_400);
        assert_eq!(date(time), "2031-05-17");
        // The year 20983; Windows knows 30827 at most.
        assert_eq!(date(UNIX_EPOCH + Duration::from_secs(600_000_000_000)), "9999-12-31");
        assert_eq!(date_of(1_936_742_400), "2031-05-17");
        assert_eq!(date_of(u64::MAX), "9999-12-31");
        assert_eq!(seconds_since("Sat, 17 May 2031 00:00:07 GMT", time), Some(-7));
        assert_eq!(seconds_since("Fri, 16 May 2031 23:59:00 GMT", time), Some(60));
        assert_eq!(seconds_since("soon", time), None);
    }
}
