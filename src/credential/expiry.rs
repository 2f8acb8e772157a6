//! When a secret expires, and when its owner is reminded of that.
//!
//! Bitbucket does not tell git when a token expires, so `login` asks once and the answer is kept beside the account.
//! Where nobody was asked, the longest life of a token is assumed.
//! Pure: depends neither on the clock nor on the keychain.

use std::fmt;
use std::time::{Duration, SystemTime};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ToSpan as _};

use crate::secret::kind::Kind;

/// How many days before the expiry the reminders begin, unless `bbcloud.expiryWarning` says otherwise.
pub const DAYS_BEFORE: u32 = 14;

/// When a secret expires, as its owner said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiry {
    /// At the end of this day (UTC).
    On(Date),
    /// At the end of this day at the latest, because no secret of its kind lives longer. Nobody said when.
    AtLatest(Date),
    /// It does not expire.
    Never,
    /// The owner does not know, or was not asked.
    Unknown,
}

impl Expiry {
    /// Returns what `text` means: `never`, `unknown`, a day as in `2027-11-28`, or a number of days from `today`.
    ///
    /// `None` if it is none of these, or a day that the calendar does not have.
    pub fn parse(text: &str, today: Date) -> Option<Self> {
        let text = text.trim();
        match text.to_ascii_lowercase().as_str() {
            "never" => return Some(Self::Never),
            "unknown" => return Some(Self::Unknown),
            _ => {}
        }
        let number = text.split_ascii_whitespace().next().unwrap_or_default();
        let days = number.strip_suffix('d').unwrap_or(number);
        if days.starts_with(|c: char| c.is_ascii_digit()) && days.chars().all(|c| c.is_ascii_digit()) {
            let unit = text.get(number.len()..)?.trim();
            let days: u32 = days.parse().ok().filter(|_| matches!(unit, "" | "day" | "days"))?;
            let span = Span::new().try_days(days).ok()?;
            return today.checked_add(span).ok().map(Self::On);
        }
        text.parse().ok().map(Self::On)
    }

    /// Returns what is assumed of a secret of `kind` that was kept on the day `kept`: an API token lives for a year at
    /// most (Atlassian, "Manage API tokens"), and a year is what its page proposes. Of the other kinds nothing is known.
    pub fn assumed(kind: Kind, kept: Date) -> Self {
        match kind {
            Kind::ApiToken => kept.checked_add(1.year()).map_or(Self::Unknown, Self::AtLatest),
            Kind::AccessToken | Kind::AppPassword | Kind::Unknown => Self::Unknown,
        }
    }

    /// Returns what [`Display`](fmt::Display) wrote into a file, where `assumed` stands beside it.
    pub fn read(text: &str, assumed: bool) -> Option<Self> {
        match text {
            "never" => Some(Self::Never),
            "unknown" => Some(Self::Unknown),
            day => day.parse().ok().map(if assumed { Self::AtLatest } else { Self::On }),
        }
    }

    /// Returns the day of the expiry, if it is known.
    fn day(self) -> Option<Date> {
        match self {
            Self::On(day) | Self::AtLatest(day) => Some(day),
            Self::Never | Self::Unknown => None,
        }
    }

    /// Returns the days from `today` to the expiry, negative when it has passed; `None` if there is no known day.
    pub fn days_left(self, today: Date) -> Option<i64> {
        self.day().map(|day| i64::from((day - today).get_days()))
    }

    /// Returns the day of the expiry if it is before `today`.
    pub fn passed(self, today: Date) -> Option<Expired> {
        let is_assumed = self.is_assumed();
        let day = self.day().filter(|day| *day < today)?;
        Some(Expired { day, is_assumed })
    }

    /// Whether the day is an assumption: nobody said when the secret expires.
    pub fn is_assumed(self) -> bool {
        matches!(self, Self::AtLatest(_))
    }

    /// Returns the number of days to remind of today, if a reminder is due: on each of the last `days_before` days, once
    /// a day. After the expiry the server's refusal says more.
    pub fn reminder(self, today: Date, last: Option<Date>, days_before: u32) -> Option<i64> {
        let left = self.days_left(today)?;
        let due = (0..=i64::from(days_before)).contains(&left) && days_before > 0;
        // A day in the future was written by a clock that was wrong.
        let said = last.is_some_and(|last| last == today);
        (due && !said).then_some(left)
    }

    /// Returns how a sentence about a secret ends: `expires in 9 days`; nothing where no day is known.
    pub fn sentence(self, today: Date) -> Option<String> {
        let days = |count: i64| {
            if count == 1 {
                "1 day".to_owned()
            } else {
                format!("{count} days")
            }
        };
        if let Some(expired) = self.passed(today) {
            return Some(expired.to_string());
        }
        let latest = if self.is_assumed() { " at the latest" } else { "" };
        match self {
            Self::On(_) | Self::AtLatest(_) => Some(match self.days_left(today)? {
                0 => format!("expires today{latest}"),
                left => format!("expires in {}{latest}", days(left)),
            }),
            Self::Never => Some("never expires".to_owned()),
            Self::Unknown => None,
        }
    }
}

/// That a secret has expired.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expired {
    day: Date,
    is_assumed: bool,
}

/// The end of a sentence about the secret.
impl fmt::Display for Expired {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let latest = if self.is_assumed { " at the latest" } else { "" };
        write!(f, "expired on {}{latest}", self.day)
    }
}

/// The word for files and scripts: `2027-11-28`, `never` or `unknown`.
impl fmt::Display for Expiry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::On(day) | Self::AtLatest(day) => write!(f, "{day}"),
            Self::Never => f.write_str("never"),
            Self::Unknown => f.write_str("unknown"),
        }
    }
}

/// Returns the day of `time` in UTC; the first or last day of the calendar for a clock beyond it.
pub fn day(time: SystemTime) -> Date {
    let before = time < SystemTime::UNIX_EPOCH;
    match Timestamp::try_from(time) {
        Ok(timestamp) => timestamp.to_zoned(TimeZone::UTC).date(),
        Err(_) if before => Date::MIN,
        Err(_) => Date::MAX,
    }
}

/// Returns the day, in UTC, that is `seconds` after the beginning of 1970.
pub fn day_of(seconds: u64) -> Date {
    let time = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds));
    time.map_or(Date::MAX, day)
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use jiff::civil::date;

    use super::*;

    const TODAY: Date = date(2026, 11, 28);

    fn in_days(days: i64) -> Expiry {
        Expiry::On(TODAY.checked_add(days.days()).expect("a day"))
    }

    #[test]
    fn a_reminder_is_due_on_each_of_the_last_fourteen_days() {
        for left in -1..=30 {
            let due = in_days(left).reminder(TODAY, None, DAYS_BEFORE);
            assert_eq!(due, (0..=14).contains(&left).then_some(left), "{left} days left");
        }
        assert_eq!(Expiry::Never.reminder(TODAY, None, DAYS_BEFORE), None);
        assert_eq!(Expiry::Unknown.reminder(TODAY, None, DAYS_BEFORE), None);
    }

    #[test]
    fn a_reminder_comes_once_a_day() {
        let expiry = in_days(5);
        let last = |days: i64| Some(TODAY.checked_add(days.days()).expect("a day"));
        assert_eq!(expiry.reminder(TODAY, last(0), DAYS_BEFORE), None);
        assert_eq!(expiry.reminder(TODAY, last(-1), DAYS_BEFORE), Some(5));
        assert_eq!(
            expiry.reminder(TODAY, last(400), DAYS_BEFORE),
            Some(5),
            "a clock was wrong"
        );
    }

    #[test]
    fn the_setting_moves_the_first_reminder_and_zero_turns_it_off() {
        assert_eq!(in_days(20).reminder(TODAY, None, 30), Some(20));
        assert_eq!(in_days(3).reminder(TODAY, None, 2), None);
        for left in 0..3 {
            assert_eq!(in_days(left).reminder(TODAY, None, 0), None);
        }
    }

    #[test]
    fn a_secret_is_valid_to_the_end_of_its_last_day() {
        let passed = |expiry: Expiry| expiry.passed(TODAY).map(|expired| expired.to_string());
        assert_eq!(passed(in_days(-1)).as_deref(), Some("expired on 2026-11-27"));
        assert_eq!(passed(in_days(0)), None);
        assert_eq!((passed(Expiry::Never), passed(Expiry::Unknown)), (None, None));
    }

    #[test]
    fn sentences_count_days() {
        let sentence = |expiry: Expiry| expiry.sentence(TODAY);
        assert_eq!(sentence(in_days(9)).as_deref(), Some("expires in 9 days"));
        assert_eq!(sentence(in_days(1)).as_deref(), Some("expires in 1 day"));
        assert_eq!(sentence(in_days(0)).as_deref(), Some("expires today"));
        assert_eq!(sentence(in_days(-1)).as_deref(), Some("expired on 2026-11-27"));
        let latest = |day: i8| Expiry::AtLatest(date(2026, 11, day));
        assert_eq!(sentence(latest(30)).as_deref(), Some("expires in 2 days at the latest"));
        assert_eq!(sentence(latest(28)).as_deref(), Some("expires today at the latest"));
        assert_eq!(
            sentence(latest(2)).as_deref(),
            Some("expired on 2026-11-02 at the latest")
        );
        assert_eq!(sentence(Expiry::Never).as_deref(), Some("never expires"));
        assert_eq!(sentence(Expiry::Unknown), None);
    }

    #[test]
    fn days_words_and_numbers_are_understood() {
        for (text, expected) in [
            ("never", Some(Expiry::Never)),
            ("Unknown", Some(Expiry::Unknown)),
            ("2027-11-28", Some(Expiry::On(date(2027, 11, 28)))),
            ("90", Some(in_days(90))),
            ("90d", Some(in_days(90))),
            (" 90 days ", Some(in_days(90))),
            ("1 day", Some(in_days(1))),
            ("2027-02-29", None),
            ("28.11.2027", None),
            ("90 weeks", None),
            ("-3", None),
            ("99999999999", None),
            ("4000000000", None),
            ("", None),
        ] {
            assert_eq!(Expiry::parse(text, TODAY), expected, "{text:?}");
        }
    }

    #[test]
    fn what_is_written_is_read() {
        for expiry in [in_days(3), Expiry::AtLatest(TODAY), Expiry::Never, Expiry::Unknown] {
            assert_eq!(Expiry::read(&expiry.to_string(), expiry.is_assumed()), Some(expiry));
        }
        assert_eq!(Expiry::read("soon", false), None);
    }

    #[test]
    fn an_api_token_is_assumed_to_live_for_a_year() {
        let leap = date(2028, 2, 29);
        assert_eq!(
            Expiry::assumed(Kind::ApiToken, leap),
            Expiry::AtLatest(date(2029, 2, 28))
        );
        assert_eq!(Expiry::assumed(Kind::AppPassword, leap), Expiry::Unknown);
    }

    #[test]
    fn days_are_those_of_utc() {
        assert_eq!(day(UNIX_EPOCH + Duration::from_secs(1_936_742_400)), date(2031, 5, 17));
        assert_eq!(day(UNIX_EPOCH + Duration::from_secs(1_936_742_399)), date(2031, 5, 16));
        assert_eq!(day(UNIX_EPOCH + Duration::from_secs(u64::MAX / 4)), Date::MAX);
    }
}
