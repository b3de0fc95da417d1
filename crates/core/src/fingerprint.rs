//! Keyed hashes of secrets: they tell a changed password from an unchanged one and give nothing away cheaply.
//!
//! Argon2id with the parameters OWASP names as its minimum (19 MiB, two passes), so that a leaked state file does not
//! make a guessable password quick to find.

use argon2::{Algorithm, Argon2, Params, Version};

use crate::secret::Secret;

const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;
const HASH_LEN: usize = 32;

/// The hash of a secret under a random salt, as text: `argon2id$19456$2$1$SALT$HASH` in hexadecimal.
pub fn hash(secret: &Secret, salt: &[u8; 16]) -> String {
    let digest = derive(secret, salt, MEMORY_KIB, PASSES, LANES).map_or_else(String::new, |digest| hex(&digest));
    format!("argon2id${MEMORY_KIB}${PASSES}${LANES}${}${digest}", hex(salt))
}

/// True if `recorded` is the hash of this secret. A text that is no hash never matches.
pub fn verify(secret: &Secret, recorded: &str) -> bool {
    let mut parts = recorded.split('$');
    let mut next = || parts.next().unwrap_or_default();
    let (name, memory, passes, lanes, salt, digest) = (next(), next(), next(), next(), next(), next());
    let (Ok(memory), Ok(passes), Ok(lanes), Some(salt)) = (memory.parse(), passes.parse(), lanes.parse(), unhex(salt))
    else {
        return false;
    };
    // A recorded cost far above ours is no hash of ours, and would only burn time.
    if name != "argon2id" || memory > MEMORY_KIB * 8 || passes > PASSES * 8 {
        return false;
    }
    derive(secret, &salt, memory, passes, lanes).is_some_and(|computed| hex(&computed) == digest)
}

fn derive(secret: &Secret, salt: &[u8], memory: u32, passes: u32, lanes: u32) -> Option<[u8; HASH_LEN]> {
    let params = Params::new(memory, passes, lanes, Some(HASH_LEN)).ok()?;
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

    #[test]
    fn tells_secrets_apart_and_survives_garbage() {
        let recorded = hash(&Secret::new("correct horse"), &[7; 16]);
        assert!(verify(&Secret::new("correct horse"), &recorded));
        assert!(!verify(&Secret::new("correct horsf"), &recorded));
        assert_ne!(recorded, hash(&Secret::new("correct horse"), &[8; 16]));
        for garbage in ["", "argon2id", "argon2id$1$1$1$zz$00", "argon2id$99999999$2$1$00$00", "x$19456$2$1$00$00"] {
            assert!(!verify(&Secret::new("correct horse"), garbage), "{garbage}");
        }
    }
}
