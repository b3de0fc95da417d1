//! Time as a plain number handed in: core has no clock.

use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A moment, in milliseconds since a start that the caller chose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Instant(pub u64);

impl Instant {
    /// The start.
    pub const ZERO: Self = Self(0);

    /// The time since `earlier`; zero if `earlier` is later.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Instant {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)))
    }
}

impl Sub for Instant {
    type Output = Duration;

    fn sub(self, earlier: Self) -> Duration {
        self.since(earlier)
    }
}

/// `1m02s`, `12s`, `0.4s`: for people.
pub struct Human(pub Duration);

impl fmt::Display for Human {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.0.as_millis();
        let seconds = self.0.as_secs();
        if seconds >= 3600 {
            write!(f, "{}h{:02}m{:02}s", seconds / 3600, seconds / 60 % 60, seconds % 60)
        } else if seconds >= 60 {
            write!(f, "{}m{:02}s", seconds / 60, seconds % 60)
        } else if millis >= 10_000 || millis.is_multiple_of(1000) {
            write!(f, "{seconds}s")
        } else {
            write!(f, "{}.{}s", seconds, millis % 1000 / 100)
        }
    }
}
