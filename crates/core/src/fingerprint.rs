//! Keyed hashes of secrets: they tell a changed password from an unchanged one and give nothing away cheaply.
//!
//! Argon2id with the 64 MiB that RFC 9106 names for machines without memory to spare, and eight passes where it names
//! three. One hash takes a few tenths of a second, so a run computes one and no more: it is compared with the record,
//! and is the new record if it differs. A hash can be guessed all the same, see `docs/STATE_FORMAT.md`.

use argon2::{Algorithm, Argon2, Params, Version};

use crate::secret::Secret;

const HASH_LEN: usize = 32;
/// A recorded hash that costs so many times more than ours is none of ours, and would only burn time.
const MORE_MAX: u32 = 4;

/// What one hash costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Memory, KiB.
    pub memory_kib: u32,
    /// How often all of it is gone through.
    pub passes: u32,
    /// How many parts of it may be worked on at once.
    pub lanes: u32,
}

impl Cost {
    /// What every hash costs that is recorded.
    pub const USUAL: Self = Self { memory_kib: 65_536, passes: 8, lanes: 1 };
    /// Next to nothing: for tests that hash what protects nothing.
    pub const TRIFLE: Self = Self { memory_kib: 8, passes: 1, lanes: 1 };

    fn is_at_least(self, other: Self) -> bool {
        self.memory_kib >= other.memory_kib && self.passes >= other.passes
    }

    fn is_bearable(self) -> bool {
        let Self { memory_kib, passes, lanes: _ } = self;
        memory_kib <= Self::USUAL.memory_kib * MORE_MAX && passes <= Self::USUAL.passes * MORE_MAX
    }
}

/// What a recorded hash says of a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Compared {
    /// It is the hash of this secret.
    Same,
    /// It is, but costs less than a hash should: it was made by an earlier release.
    Cheap,
    /// It is the hash of another secret, or none at all. With the hash of this one, under the same salt, if it was found
    /// on the way: a salt is a stack's, and keeps one table of guesses from serving for two.
    Other(Option<String>),
}

/// The hash of a secret under a random salt, as text: `argon2id$65536$8$1$SALT$HASH` in hexadecimal.
pub fn hash(secret: &Secret, salt: &[u8; 16], cost: Cost) -> String {
    text(cost, salt, derive(secret, salt, cost))
}

fn text(cost: Cost, salt: &[u8], digest: Option<[u8; HASH_LEN]>) -> String {
    let Cost { memory_kib, passes, lanes } = cost;
    let digest = digest.map_or_else(String::new, |digest| hex(&digest));
    format!("argon2id${memory_kib}${passes}${lanes}${}${digest}", hex(salt))
}

/// Compares a secret with what is recorded, at the cost of one hash at most.
pub fn compare(secret: &Secret, recorded: &str, cost: Cost) -> Compared {
    let Some(Recorded { cost: paid, salt, digest }) = Recorded::parse(recorded) else { return Compared::Other(None) };
    let Some(computed) = derive(secret, &salt, paid) else { return Compared::Other(None) };
    match hex(&computed) == digest {
        true if paid.is_at_least(cost) => Compared::Same,
        true => Compared::Cheap,
        false => Compared::Other((paid == cost).then(|| text(paid, &salt, Some(computed)))),
    }
}

/// True if `recorded` is the hash of this secret. A text that is no hash never matches.
pub fn verify(secret: &Secret, recorded: &str) -> bool {
    match compare(secret, recorded, Cost::USUAL) {
        Compared::Same | Compared::Cheap => true,
        Compared::Other(_) => false,
    }
}

/// A hash, taken apart.
struct Recorded<'a> {
    cost: Cost,
    salt: Vec<u8>,
    digest: &'a str,
}

impl<'a> Recorded<'a> {
    fn parse(recorded: &'a str) -> Option<Self> {
        let mut parts = recorded.split('$');
        let mut next = || parts.next();
        let (name, memory, passes, lanes, salt, digest) = (next()?, next()?, next()?, next()?, next()?, next()?);
        let cost = Cost { memory_kib: memory.parse().ok()?, passes: passes.parse().ok()?, lanes: lanes.parse().ok()? };
        let salt = unhex(salt)?;
        (name == "argon2id" && cost.is_bearable()).then_some(Self { cost, salt, digest })
    }
}

fn derive(secret: &Secret, salt: &[u8], cost: Cost) -> Option<[u8; HASH_LEN]> {
    let Cost { memory_kib, passes, lanes } = cost;
    let params = Params::new(memory_kib, passes, lanes, Some(HASH_LEN)).ok()?;
    let mut out = [0; HASH_LEN];
    let hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    hasher.hash_password_into(secret.expose().as_bytes(), salt, &mut out).ok()?;
    Some(out)
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        text.push(char::from_digit(u32::from(byte >> 4), 16).unwrap_or('0'));
        text.push(char::from_digit(u32::from(byte & 15), 16).unwrap_or('0'));
        text
    })
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> =
        text.chars().map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok())).collect::<Option<_>>()?;
    digits.len().is_multiple_of(2).then(|| digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What releases up to 0.1 recorded.
    const FORMER: Cost = Cost { memory_kib: 19_456, passes: 2, lanes: 1 };

    fn secret(text: &str) -> Secret {
        Secret::new(text)
    }

    #[test]
    fn tells_secrets_apart_at_the_cost_of_one_hash() {
        let horse = secret("correct horse");
        let recorded = hash(&horse, &[7; 16], Cost::USUAL);
        assert!(recorded.starts_with("argon2id$65536$8$1$07070707070707070707070707070707$"), "{recorded}");
        assert_eq!(compare(&horse, &recorded, Cost::USUAL), Compared::Same);
        let other = hash(&secret("correct horsf"), &[7; 16], Cost::USUAL);
        assert_eq!(compare(&secret("correct horsf"), &recorded, Cost::USUAL), Compared::Other(Some(other)));
        assert_ne!(recorded, hash(&horse, &[8; 16], Cost::USUAL));
    }

    #[test]
    fn what_is_recorded_costs_an_attacker_a_lot() {
        let Cost { memory_kib, passes, lanes } = Cost::USUAL;
        assert!(memory_kib >= 64 << 10 && passes >= 8 && lanes == 1);
    }

    #[test]
    fn a_cheap_hash_is_known_and_told_from_one_that_costs_enough() {
        let horse = secret("correct horse");
        for cheap in [FORMER, Cost::TRIFLE, Cost { passes: 7, ..Cost::USUAL }] {
            let recorded = hash(&horse, &[7; 16], cheap);
            assert_eq!(compare(&horse, &recorded, Cost::USUAL), Compared::Cheap, "{cheap:?}");
            assert!(verify(&horse, &recorded), "{cheap:?}");
            // Another secret gets a hash of its own: this one is not worth keeping.
            assert_eq!(compare(&secret("battery"), &recorded, Cost::USUAL), Compared::Other(None), "{cheap:?}");
        }
        // A later release may ask for more.
        let dear = Cost { passes: 9, ..Cost::USUAL };
        assert_eq!(compare(&horse, &hash(&horse, &[7; 16], dear), Cost::USUAL), Compared::Same);
    }

    #[test]
    fn what_is_no_hash_of_ours_never_matches_and_costs_nothing() {
        for garbage in [
            "",
            "argon2id",
            "argon2id$1$1$1$zz$00",
            "argon2id$99999999$2$1$00$00",
            "argon2id$19456$4000000$1$07070707070707070707070707070707$00",
            "argon2id$19456$2$4000000$07070707070707070707070707070707$00",
            "x$19456$2$1$00$00",
        ] {
            assert!(!verify(&secret("correct horse"), garbage), "{garbage}");
            assert_eq!(compare(&secret("correct horse"), garbage, Cost::USUAL), Compared::Other(None), "{garbage}");
        }
    }
}
