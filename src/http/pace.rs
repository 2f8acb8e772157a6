//! When a transfer is too slow to go on: `http.lowSpeedLimit` and `http.lowSpeedTime` as curl measures them.
//!
//! It must not know sockets or clocks: it is told what was moved and how long that took. Time that is spent waiting
//! for git is nobody's fault and not counted.

use std::collections::VecDeque;
use std::time::Duration;

use super::error::Error;
use super::settings::LowSpeed;

/// The time over which curl takes its average (`CURR_TIME` in `progress.c`).
const WINDOW: Duration = Duration::from_secs(5);

/// The pace of one transfer.
#[derive(Debug)]
pub(super) struct Pace {
    limits: LowSpeed,
    /// The time that has been spent on the network.
    clock: Duration,
    /// What was moved, and when.
    moved: VecDeque<(Duration, u64)>,
    /// The sum of it.
    bytes: u64,
    slow_since: Option<Duration>,
}

impl Pace {
    pub(super) fn new(limits: LowSpeed) -> Self {
        Self {
            limits,
            clock: Duration::ZERO,
            moved: VecDeque::from([(Duration::ZERO, 0)]),
            bytes: 0,
            slow_since: None,
        }
    }

    /// `bytes` were moved, or none, in `time`.
    pub(super) fn spent(&mut self, time: Duration, bytes: usize) -> Result<(), Error> {
        self.clock += time;
        self.moved.push_back((self.clock, bytes as u64));
        self.bytes += bytes as u64;
        while let Some((at, old)) = self.moved.front()
            && self.moved.len() > 1
            && *at + WINDOW < self.clock
        {
            self.bytes -= old;
            self.moved.pop_front();
        }
        let since = self.moved.front().map_or(Duration::ZERO, |(at, _)| *at);
        let span = self.clock.saturating_sub(since).max(Duration::from_secs(1));
        // Bytes a second below the limit, without a division.
        if u128::from(self.bytes) * 1000 >= u128::from(self.limits.limit) * span.as_millis() {
            self.slow_since = None;
            return Ok(());
        }
        let slow_since = *self.slow_since.get_or_insert(self.clock.saturating_sub(time));
        let slow_for = self.clock.saturating_sub(slow_since);
        if slow_for < self.limits.time {
            return Ok(());
        }
        Err(Error::Stalled {
            limit: self.limits.limit,
            seconds: slow_for.as_secs(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace(limit: u64, seconds: u64) -> Pace {
        Pace::new(LowSpeed {
            limit,
            time: Duration::from_secs(seconds),
        })
    }

    #[test]
    fn silence_for_as_long_as_the_time_is_a_stall() {
        let mut pace = pace(1, 3);
        let second = Duration::from_secs(1);
        assert!(pace.spent(second, 0).is_ok());
        assert!(pace.spent(second, 0).is_ok());
        assert!(matches!(
            pace.spent(second, 0),
            Err(Error::Stalled { seconds: 3, limit: 1 })
        ));
    }

    #[test]
    fn the_average_counts_and_a_burst_buys_time() {
        let mut pace = pace(1000, 2);
        let second = Duration::from_secs(1);
        assert!(pace.spent(second, 5000).is_ok());
        for _ in 0..4 {
            assert!(pace.spent(second, 0).is_ok());
        }
        assert!(pace.spent(second, 10).is_ok());
        assert!((0..3).any(|_| pace.spent(second, 10).is_err()));
    }

    #[test]
    fn a_trickle_below_the_limit_is_a_stall_too() {
        let mut pace = pace(1000, 2);
        let tick = Duration::from_millis(100);
        let slow = (0..200).find(|_| pace.spent(tick, 10).is_err());
        assert!(slow.is_some_and(|ticks| ticks < 100));
        let mut fast = Pace::new(pace.limits);
        assert!((0..200).all(|_| fast.spent(tick, 200).is_ok()));
    }
}
