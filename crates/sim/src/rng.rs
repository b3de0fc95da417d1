//! Randomness from one seed, in named sub-streams.
//!
//! A sub-stream is chosen by a name (what is drawn) and an ordinal (for which one), and depends on nothing else: one
//! draw more in one place shifts no draw in any other. Only integers are drawn, so a seed gives the same run on every
//! machine. Nothing here reads a clock or the system's entropy.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

/// A sub-stream of the seed.
#[derive(Clone, Debug)]
pub struct Rng(ChaCha8Rng);

impl Rng {
    /// The sub-stream `name`, `ordinal` of `seed`. The three together are the key of a ChaCha8 generator (the name as
    /// a 128 bit FNV-1a hash), so streams of different names or ordinals have nothing to do with each other.
    pub fn stream(seed: u64, name: &str, ordinal: u64) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8..16].copy_from_slice(&ordinal.to_le_bytes());
        key[16..].copy_from_slice(&fnv128(name.as_bytes()).to_le_bytes());
        Self(ChaCha8Rng::from_seed(key))
    }

    /// Any number.
    pub fn any(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number below `bound`, each as likely as the others; zero if `bound` is zero.
    pub fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 {
            return 0;
        }
        // Numbers from the last, incomplete round of `bound` would favour small results.
        let rest = (u64::MAX % bound + 1) % bound;
        loop {
            let number = self.any();
            if number <= u64::MAX - rest {
                return number % bound;
            }
        }
    }

    /// A number from `low` to `high`, both possible; `low` if the range is empty.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        match high.saturating_sub(low).checked_add(1) {
            Some(width) => low.saturating_add(self.below(width)),
            None => self.any(),
        }
    }

    /// True once in `n` draws, on average; never if `n` is zero.
    pub fn one_in(&mut self, n: u64) -> bool {
        n != 0 && self.below(n) == 0
    }

    /// One of the items, or `None` if there are none.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        let index = self.below(u64::try_from(items.len()).unwrap_or(u64::MAX));
        items.get(usize::try_from(index).unwrap_or(usize::MAX))
    }

    /// A text of `length` characters of `alphabet`, which is ASCII.
    pub fn text(&mut self, alphabet: &str, length: usize) -> String {
        (0..length).filter_map(|_| self.pick(alphabet.as_bytes()).copied().map(char::from)).collect()
    }
}

/// The 128 bit FNV-1a hash (RFC 9923): for keys and comparisons, not for secrets.
pub fn fnv128(bytes: &[u8]) -> u128 {
    const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    bytes.iter().fold(OFFSET, |hash, byte| (hash ^ u128::from(*byte)).wrapping_mul(PRIME))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_its_seed_name_and_ordinal() {
        let first = |seed, name, ordinal| Rng::stream(seed, name, ordinal).any();
        assert_eq!(first(1, "nat", 0), first(1, "nat", 0));
        let all = [first(1, "nat", 0), first(2, "nat", 0), first(1, "vpc", 0), first(1, "nat", 1), first(0, "", 0)];
        for (index, one) in all.iter().enumerate() {
            assert!(!all[index + 1..].contains(one), "{all:?}");
        }
    }

    #[test]
    fn draws_stay_in_range_and_reach_its_ends() {
        let mut rng = Rng::stream(7, "test", 0);
        let drawn: Vec<u64> = (0..1000).map(|_| rng.between(3, 7)).collect();
        for number in 3..=7 {
            assert!(drawn.contains(&number), "{number}");
        }
        assert!(drawn.iter().all(|number| (3..=7).contains(number)));
        assert_eq!((rng.between(5, 5), rng.between(9, 2), rng.below(0)), (5, 9, 0));
        rng.between(0, u64::MAX);
        assert_eq!(rng.pick::<u8>(&[]), None);
    }

    #[test]
    fn hash_is_the_published_one() {
        assert_eq!(fnv128(b""), 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d);
        assert_eq!(fnv128(b"a"), 0xd228_cb69_6f1a_8caf_7891_2b70_4e4a_8964);
    }

    #[test]
    fn the_generator_does_not_change_between_versions() {
        assert_eq!(Rng::stream(0, "golden", 0).text("0123456789abcdef", 16), GOLDEN);
    }

    const GOLDEN: &str = "538f6de93ecc2f3c";
}
