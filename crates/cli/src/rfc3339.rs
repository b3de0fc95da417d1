//! Times as RFC 3339 writes them, in UTC, which is how Terraform does. Knows no time zones and parses nothing.

use std::time::{SystemTime, UNIX_EPOCH};

const SECONDS_PER_DAY: u64 = 86_400;

/// To the second: `2026-11-22T21:40:05Z`. A time before 1970 is given as the start of 1970.
pub(crate) fn seconds(time: SystemTime) -> String {
    format!("{}Z", date_and_time(time))
}

/// To the microsecond: `2026-11-22T21:48:13.284656Z`. A time before 1970 is given as the start of 1970.
pub(crate) fn micros(time: SystemTime) -> String {
    let micros = time.duration_since(UNIX_EPOCH).unwrap_or_default().subsec_micros();
    format!("{}.{micros:06}Z", date_and_time(time))
}

/// True of what begins as a time in UTC of a year with four digits does, so that an order of texts is one of times.
pub(crate) fn is_time(text: &str) -> bool {
    let shape = "0000-00-00T00:00:00";
    text.len() > shape.len()
        && text.ends_with('Z')
        && text.bytes().zip(shape.bytes()).all(|(c, s)| if s == b'0' { c.is_ascii_digit() } else { c == s })
}

fn date_and_time(time: SystemTime) -> String {
    let seconds = time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let (days, rest) = (seconds / SECONDS_PER_DAY, seconds % SECONDS_PER_DAY);
    // Days are counted from 0000-03-01, so that the leap day is the last of its year (Howard Hinnant, "chrono-Compatible
    // Low-Level Date Algorithms").
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn times_are_those_of_the_calendar() {
        for (micro, text) in [
            (0, "1970-01-01T00:00:00.000000Z"),
            (951_782_399_999_999, "2000-02-28T23:59:59.999999Z"),
            (951_782_400_000_001, "2000-02-29T00:00:00.000001Z"),
            (1_795_383_605_000_000, "2026-11-22T21:40:05.000000Z"),
            (1_795_384_093_284_656, "2026-11-22T21:48:13.284656Z"),
            (4_107_542_400_000_000, "2100-03-01T00:00:00.000000Z"),
        ] {
            let time = UNIX_EPOCH + Duration::from_micros(micro);
            assert_eq!(micros(time), text);
            assert_eq!(seconds(time), format!("{}Z", &text[..19]));
            assert!(is_time(text) && is_time(&seconds(time)), "{text}");
        }
        assert_eq!(seconds(UNIX_EPOCH - Duration::from_secs(1)), "1970-01-01T00:00:00Z");
        for text in
            ["", "garbage", "2026-11-22", "2026-11-22T21:40:05", "+2026-11-22T21:40:05Z", "2026-11-22 21:40:05Z"]
        {
            assert!(!is_time(text), "{text}");
        }
    }
}
