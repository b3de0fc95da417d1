//! A secret that would be noticed anywhere: it is looked for as it is and in every way bytes are commonly written down.
//!
//! Shares nothing with the code that keeps it out.

use std::fmt::Write as _;

/// The part that no escaping changes, long enough to be no accident.
const CORE: &str = "Zq7Canary3Kx";

/// A password RDS takes, with characters that JSON, HCL, URLs and XML each write in their own way.
pub const CANARY: &str = "Zq7Canary3Kx\\&%{+}$<~";
/// Another one, of the same length.
pub const OTHER_CANARY: &str = "+}$<~Zq7Canary3Kx\\&%{";

/// What to look for.
pub struct Canary {
    needles: Vec<(&'static str, Vec<u8>)>,
    first: [bool; 256],
}

impl Default for Canary {
    fn default() -> Self {
        Self::new()
    }
}

impl Canary {
    /// Both canaries in every encoding.
    pub fn new() -> Self {
        // What is escaped character by character holds the core in clear.
        let mut needles = vec![("in clear", CORE.as_bytes().to_vec())];
        for url in [false, true] {
            for lead in 0..3 {
                needles.push(("in base64", base64_inside(CORE.as_bytes(), lead, url)));
            }
        }
        let hex = |upper: bool| {
            CORE.bytes().fold(String::new(), |mut text, byte| {
                // Writing into a String cannot fail.
                let _infallible = if upper { write!(text, "{byte:02X}") } else { write!(text, "{byte:02x}") };
                text
            })
        };
        needles.push(("in hexadecimal", hex(false).into_bytes()));
        needles.push(("in hexadecimal", hex(true).into_bytes()));
        let percent = |upper| hex(upper).as_bytes().chunks(2).flat_map(|pair| [b"%", pair].concat()).collect();
        needles.push(("percent-encoded", percent(false)));
        needles.push(("percent-encoded", percent(true)));
        needles.push(("as a list of numbers", numbers(", ")));
        needles.push(("as a list of numbers", numbers(",")));
        needles.push(("in UTF-16", CORE.encode_utf16().flat_map(u16::to_le_bytes).collect()));
        needles.push(("in UTF-16", CORE.encode_utf16().flat_map(u16::to_be_bytes).collect()));
        needles.push(("backwards", CORE.bytes().rev().collect()));
        let mut first = [false; 256];
        for (_, needle) in &needles {
            first[usize::from(needle[0])] = true;
        }
        Self { needles, first }
    }

    /// How the canary stands in these bytes, and where; `None` if it does not.
    pub fn find(&self, bytes: &[u8]) -> Option<(&'static str, usize)> {
        let here = |at: usize| {
            let found = self.needles.iter().find(|(_, needle)| bytes[at..].starts_with(needle));
            found.map(|(how, _)| (*how, at))
        };
        (0..bytes.len()).filter(|at| self.first[usize::from(bytes[*at])]).find_map(here)
    }

    /// Panics if it stands in these bytes.
    #[track_caller]
    pub fn absent(&self, what: &str, bytes: impl AsRef<[u8]>) {
        let bytes = bytes.as_ref();
        if let Some((how, at)) = self.find(bytes) {
            let around = &bytes[at.saturating_sub(80)..(at + 40).min(bytes.len())];
            panic!("the password is {how} in {what}, byte {at}: {}", String::from_utf8_lossy(around));
        }
    }
}

fn numbers(between: &str) -> Vec<u8> {
    CORE.bytes().map(|byte| byte.to_string()).collect::<Vec<_>>().join(between).into_bytes()
}

/// The characters of base64 that `bytes` alone decide when `lead` bytes stand before them.
fn base64_inside(bytes: &[u8], lead: usize, url: bool) -> Vec<u8> {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bits = |at: usize| bytes.get(at / 8).map_or(0, |byte| (byte >> (7 - at % 8)) & 1);
    // Characters are of six bits; the first that begins inside begins this many bits in.
    let skip = (6 - lead * 8 % 6) % 6;
    (skip..)
        .step_by(6)
        .take_while(|begin| begin + 6 <= bytes.len() * 8)
        .map(|begin| (begin..begin + 6).fold(0, |sum, at| sum << 1 | bits(at)))
        .map(|value| match LETTERS[usize::from(value)] {
            b'+' if url => b'-',
            b'/' if url => b'_',
            letter => letter,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_it_in_every_disguise() {
        let canary = Canary::new();
        let base64 = |text: &str| {
            // The whole text, padded: all of its characters are decided.
            let padded = format!("{text}{}", "\0".repeat((3 - text.len() % 3) % 3));
            base64_inside(padded.as_bytes(), 0, false)
        };
        assert_eq!(base64("Man"), b"TWFu");
        for secret in [CANARY, OTHER_CANARY] {
            let json = serde_json::Value::from(secret).to_string().into_bytes();
            let utf16: Vec<u8> = secret.encode_utf16().flat_map(u16::to_le_bytes).collect();
            let debug = format!("{:?}", secret.as_bytes()).into_bytes();
            let lines: Vec<u8> = secret.bytes().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect();
            let mut disguises = vec![json, utf16, debug, lines, secret.as_bytes().to_vec()];
            disguises.extend(["", "a", "ab"].map(|lead| base64(&format!("{lead}{secret}"))));
            for disguise in disguises {
                let text = String::from_utf8_lossy(&disguise).into_owned();
                assert!(canary.find(&disguise).is_some(), "{text}");
                assert!(canary.find(&[b"before ", disguise.as_slice(), b" after"].concat()).is_some(), "{text}");
            }
        }
        assert_eq!(canary.find(b"Zq7Canary3K"), None);
    }
}
