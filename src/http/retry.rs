//! When to ask again: how often, and after which wait. `http.maxRetries`, `http.retryAfter` and `http.maxRetryTime` as
//! git 2.54 has them, with defaults that help where git has none.
//!
//! It must not know requests: whoever asks says whether asking again can do harm.

use std::hash::{BuildHasher as _, RandomState};
use std::time::{Duration, SystemTime};

use super::settings::Retries;

/// How often to try again if nothing is set; git never does.
const TIMES: u32 = 3;
/// How long to wait in all if nothing is set: somebody is looking at the terminal.
const BUDGET: Duration = Duration::from_secs(60);
/// The first wait where the server names none; each one after it is twice as long.
const FIRST: Duration = Duration::from_secs(1);

/// The retries that one request has left.
#[derive(Debug, Clone)]
pub(super) struct Retry {
    left: u32,
    done: u32,
    after: Option<Duration>,
    /// The longest single wait that the user has set.
    longest: Option<Duration>,
    waited: Duration,
}

impl Retry {
    pub(super) fn new(settings: Retries) -> Self {
        Self {
            left: settings.max.unwrap_or(TIMES),
            done: 0,
            after: settings.after,
            longest: settings.max_time,
            waited: Duration::ZERO,
        }
    }

    /// Returns the wait before the next try, or `None` if this was the last one. `asked` is what the server wants.
    pub(super) fn next(&mut self, asked: Option<Duration>) -> Option<Duration> {
        self.left = self.left.checked_sub(1)?;
        let wait = asked
            .or(self.after)
            .unwrap_or_else(|| jittered(FIRST * (1 << self.done.min(6))));
        self.done += 1;
        let too_long = match self.longest {
            Some(longest) => wait > longest,
            None => self.waited.saturating_add(wait) > BUDGET,
        };
        if too_long {
            return None;
        }
        self.waited = self.waited.saturating_add(wait);
        Some(wait)
    }
}

/// Between a half and the whole of `wait`, so that clients which failed together do not come back together.
fn jittered(wait: Duration) -> Duration {
    let random = RandomState::new().hash_one(0) % 1000;
    wait / 2 + wait * u32::try_from(random).unwrap_or_default() / 2000
}

/// Reads a `Retry-After`: seconds, or a date (RFC 9110, section 10.2.3).
pub(super) fn asked_wait(value: &str) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    // A date in the past means now. Whole seconds are rounded up: too early is refused again.
    let left = date.duration_since(SystemTime::now()).unwrap_or(Duration::ZERO);
    Some(Duration::from_secs(left.as_secs() + u64::from(left.subsec_nanos() > 0)))
}

/// Says why and how long we wait.
pub(super) fn words(status: Option<u16>, wait: Duration) -> String {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    let plural = if seconds == 1 { "" } else { "s" };
    let (why, status) = match status {
        Some(429) => ("rate limited", " (HTTP 429)".to_owned()),
        Some(status) => ("server unavailable", format!(" (HTTP {status})")),
        None => ("connection lost", String::new()),
    };
    format!("{why}{status}; retrying in {seconds} second{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn retry(max: Option<u32>, after: Option<u64>, max_time: Option<u64>) -> Retry {
        Retry::new(Retries {
            max,
            after: after.map(Duration::from_secs),
            max_time: max_time.map(Duration::from_secs),
        })
    }

    #[test]
    fn unset_means_three_times_with_growing_waits() {
        let mut retry = retry(None, None, None);
        let waits: Vec<_> = std::iter::from_fn(|| retry.next(None)).collect();
        assert_eq!(waits.len(), 3);
        for (wait, most) in waits.iter().zip([1, 2, 4]) {
            assert!(*wait >= SECOND * most / 2 && *wait <= SECOND * most, "{waits:?}");
        }
    }

    #[test]
    fn the_server_and_the_settings_have_their_say() {
        assert_eq!(retry(Some(0), None, None).next(None), None);
        assert_eq!(retry(Some(1), Some(5), None).next(None), Some(SECOND * 5));
        assert_eq!(retry(Some(1), Some(5), None).next(Some(SECOND)), Some(SECOND));
        assert_eq!(retry(None, None, Some(2)).next(Some(SECOND * 3)), None);
        assert_eq!(
            retry(None, None, Some(300)).next(Some(SECOND * 200)),
            Some(SECOND * 200)
        );
        assert_eq!(retry(None, None, None).next(Some(SECOND * 61)), None);
        let mut twice = retry(None, None, None);
        assert_eq!(twice.next(Some(SECOND * 40)), Some(SECOND * 40));
        assert_eq!(twice.next(Some(SECOND * 40)), None);
        let mut endless = retry(None, None, None);
        assert_eq!(endless.next(Some(SECOND)), Some(SECOND));
        assert_eq!(endless.next(Some(Duration::MAX)), None);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        assert_eq!(asked_wait(" 7 "), Some(SECOND * 7));
        assert_eq!(asked_wait("Wed, 21 Oct 2015 07:28:00 GMT"), Some(Duration::ZERO));
        let soon = httpdate::fmt_http_date(SystemTime::now() + SECOND * 30);
        assert!((28..=30).contains(&asked_wait(&soon).unwrap().as_secs()));
        assert_eq!(asked_wait("soon"), None);
        assert_eq!(asked_wait("-1"), None);
    }

    #[test]
    fn the_wait_is_told() {
        assert_eq!(
            words(Some(429), SECOND * 2),
            "rate limited (HTTP 429); retrying in 2 seconds"
        );
        assert_eq!(
            words(Some(503), SECOND / 2),
            "server unavailable (HTTP 503); retrying in 1 second"
        );
        assert_eq!(words(None, SECOND), "connection lost; retrying in 1 second");
    }
}
