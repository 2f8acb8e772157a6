//! Moments by two clocks, and for how long a connection may serve after one.
//!
//! The monotonic clock stands still while the machine sleeps, the wall clock jumps when it is set. Where the two differ,
//! nobody knows how long the server has waited, so nothing that was open before is used. Pure.

use std::time::{Duration, Instant, SystemTime};

/// How long a connection may wait for its next request where nothing tells that the server has vanished.
const IDLE: Duration = Duration::from_secs(60);
/// The same where the system tells: the first bytes that stay unacknowledged end the connection.
const IDLE_WATCHED: Duration = Duration::from_secs(240);
/// How long a connection may have waited that carries a push. A push is never sent twice.
const RESTED: Duration = Duration::from_secs(3);
/// How old a connection may be: after that the server's certificate is checked anew.
const AGE: Duration = Duration::from_secs(600);
/// How far the clocks may be apart.
const DRIFT: Duration = Duration::from_secs(2);

/// One moment, by both clocks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    monotonic: Instant,
    wall: SystemTime,
}

/// When a connection was opened and when it was used last.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    pub(super) opened: Moment,
    pub(super) used: Moment,
    /// Whether the system tells that the server has vanished.
    pub(super) watched: bool,
}

impl Moment {
    pub(super) fn now() -> Self {
        Self {
            monotonic: Instant::now(),
            wall: SystemTime::now(),
        }
    }

    /// Returns the time until `later`; nothing if the clocks do not agree on it.
    pub(super) fn until(self, later: Self) -> Option<Duration> {
        let monotonic = later.monotonic.checked_duration_since(self.monotonic)?;
        let apart = match later.wall.duration_since(self.wall) {
            Ok(wall) => monotonic.abs_diff(wall),
            // Somebody set it back.
            Err(back) => monotonic + back.duration(),
        };
        (apart < DRIFT).then_some(monotonic)
    }
}

impl Times {
    /// Whether the connection may carry another request now, one that may be repeated or (`is_push`) one that may not.
    pub(super) fn allow(&self, is_push: bool, now: Moment) -> bool {
        let idle = match (is_push, self.watched) {
            (true, _) => RESTED,
            (false, true) => IDLE_WATCHED,
            (false, false) => IDLE,
        };
        let within = |since: Moment, limit| since.until(now).is_some_and(|time| time < limit);
        within(self.used, idle) && within(self.opened, AGE)
    }

    /// Whether the connection may carry any request later.
    pub(super) fn is_good(&self, now: Moment) -> bool {
        self.allow(false, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So many seconds after the beginning by each of the clocks.
    fn at(start: Moment, monotonic: u64, wall: i64) -> Moment {
        let length = Duration::from_secs(wall.unsigned_abs());
        Moment {
            monotonic: start.monotonic + Duration::from_secs(monotonic),
            wall: if wall < 0 {
                start.wall - length
            } else {
                start.wall + length
            },
        }
    }

    #[test]
    fn a_connection_serves_for_as_long_as_it_can_be_trusted() {
        let start = Moment::now();
        for (watched, used, now, reads, pushes) in [
            (false, 0, (2, 2), true, true),
            (false, 0, (4, 4), true, false),
            (false, 0, (59, 59), true, false),
            (false, 0, (61, 61), false, false),
            (true, 0, (61, 61), true, false),
            (true, 0, (239, 239), true, false),
            (true, 0, (241, 241), false, false),
            (true, 598, (599, 599), true, true),
            (true, 598, (601, 601), false, false),
            // The machine slept, for as long as nobody would notice by the other clock.
            (true, 0, (1, 60), false, false),
            (true, 0, (0, 3), false, false),
            // Somebody set the clock back.
            (true, 0, (1, -60), false, false),
            // A clock that is corrected by a little is no jump.
            (true, 0, (2, 3), true, true),
        ] {
            let times = Times {
                opened: start,
                used: at(start, used, i64::try_from(used).expect("a small number")),
                watched,
            };
            let now = at(start, now.0, now.1);
            assert_eq!(
                (times.allow(false, now), times.allow(true, now)),
                (reads, pushes),
                "{times:?} {now:?}"
            );
        }
    }
}
