//! Times as RFC 3339 writes them, in UTC, which is how Terraform does. Knows no time zones and parses nothing.

use std::time::{SystemTime, UNIX_EPOCH};

use jiff::Timestamp;

/// To the second: `2026-11-22T21:40:05Z`. A time before 1970 is given as the start of 1970.
pub(crate) fn seconds(time: SystemTime) -> String {
    timestamp(time).strftime("%FT%TZ").to_string()
}

/// To the microsecond: `2026-11-22T21:48:13.284656Z`. A time before 1970 is given as the start of 1970.
pub(crate) fn micros(time: SystemTime) -> String {
    timestamp(time).strftime("%FT%T.%6fZ").to_string()
}

fn timestamp(time: SystemTime) -> Timestamp {
    // RFC 3339 cannot write a year after 9999: such a time becomes the last one that it can.
    Timestamp::try_from(time.max(UNIX_EPOCH)).unwrap_or(Timestamp::MAX)
}

/// True of what begins as a time in UTC of a year with four digits does, so that an order of texts is one of times.
pub(crate) fn is_time(text: &str) -> bool {
    let shape = "0000-00-00T00:00:00";
    text.len() > shape.len()
        && text.ends_with('Z')
        && text.bytes().zip(shape.bytes()).all(|(c, s)| if s == b'0' { c.is_ascii_digit() } else { c == s })
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
