//! Maintenance windows: half an hour a week in which RDS does what waits; and what it does by itself, which is a backup a day
//! and maintenance in the window. The account's time begins on a Monday at
//! midnight, UTC.

use std::fmt;
use std::time::Duration;

use aloka_core::time::Instant;
use serde::{Deserialize, Serialize};

use crate::rng::Rng;

const MINUTE: u64 = 60_000;
const DAY: u64 = 24 * 60 * MINUTE;
const WEEK: u64 = 7 * DAY;
/// The shortest a window can be, and how long one is that RDS chooses (RDS API, CreateDBInstance).
const LENGTH: u64 = 30 * MINUTE;
/// When the eight hours begin in which RDS chooses one, in us-east-1; other Regions have others (RDS user guide).
const BLOCK: u64 = 3 * 60 * MINUTE;
const SLOTS: u64 = 16;
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// How long a backup and maintenance take. RDS publishes no figures.
const ROUND: u64 = 4 * MINUTE;

/// What RDS does with a database by itself: when the backup of each day begins, in milliseconds after midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Rounds(u64);

impl Rounds {
    /// Those that RDS chooses.
    pub(crate) fn draw(rng: &mut Rng) -> Self {
        Self(BLOCK + rng.below(SLOTS) * LENGTH)
    }

    /// The status that a database shows meanwhile, if it is backed up and has this maintenance window.
    pub(crate) fn status(self, at: Instant, is_backed_up: bool, window: Window) -> Option<&'static str> {
        if is_backed_up && (at.0 + DAY - self.0) % DAY < ROUND {
            Some("backing-up")
        } else if (at.0 + WEEK - window.0) % WEEK < ROUND {
            Some("maintenance")
        } else {
            None
        }
    }
}

/// When a window begins, in milliseconds after Monday, midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Window(u64);

impl Window {
    /// One that RDS chooses.
    pub(crate) fn draw(rng: &mut Rng) -> Self {
        Self(rng.below(7) * DAY + BLOCK + rng.below(SLOTS) * LENGTH)
    }

    /// When it begins next after `now`.
    pub(crate) fn next(self, now: Instant) -> Instant {
        let into = (now.0 + WEEK - self.0) % WEEK;
        now + Duration::from_millis(WEEK - into)
    }

    /// True within the window.
    pub(crate) fn contains(self, at: Instant) -> bool {
        (at.0 + WEEK - self.0) % WEEK < LENGTH
    }
}

/// `sun:05:00-sun:05:30`
impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = |at: u64| {
            let day = DAYS.iter().cycle().nth(usize::try_from(at / DAY).unwrap_or(0)).unwrap_or(&"mon");
            format!("{day}:{:02}:{:02}", at % DAY / MINUTE / 60, at % DAY / MINUTE % 60)
        };
        write!(f, "{}-{}", part(self.0), part(self.0 + LENGTH))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_half_an_hour_of_the_block_and_come_every_week() {
        for ordinal in 0..200 {
            let window = Window::draw(&mut Rng::stream(5, "window", ordinal));
            let text = window.to_string();
            let (begin, end) = text.split_once('-').expect("two parts");
            assert_eq!(begin.split(':').next(), end.split(':').next(), "{text}");
            assert!((3..11).contains(&(window.0 % DAY / MINUTE / 60)), "{text}");
            for hours in [0, 1, 50, 167, 168, 1000] {
                let now = Instant(hours * 60 * MINUTE);
                let next = window.next(now);
                assert!(next > now && next.since(now) <= Duration::from_millis(WEEK), "{text} after {now:?}");
                assert_eq!(next.0 % WEEK, window.0, "{text}");
                let late = next + Duration::from_millis(LENGTH);
                assert!(window.contains(next) && !window.contains(late) && !window.contains(Instant(next.0 - 1)));
                assert_eq!(window.next(next).since(next), Duration::from_millis(WEEK), "{text}");
            }
        }
        assert_eq!(Window(6 * DAY + 5 * 60 * MINUTE).to_string(), "sun:05:00-sun:05:30");
        assert_eq!(Window(BLOCK + 15 * LENGTH).to_string(), "mon:10:30-mon:11:00");
    }
}
