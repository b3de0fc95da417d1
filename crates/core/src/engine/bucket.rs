//! Token buckets: how many calls may go out now, and when the next one may.
//!
//! AWS fills its buckets up once a second, these fill up all the time. What AWS adds in one second is therefore held
//! back from the burst: otherwise a call sent after it would come before AWS has added the token for it.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::api::RateLimit;
use crate::time::Instant;

/// One bucket; counts in thousandths of a token, which one token a second refills one a millisecond.
#[derive(Clone, Copy, Debug)]
struct Tokens {
    millitokens: u64,
    at: Instant,
}

/// Most calls at once, in thousandths.
fn burst(limit: RateLimit) -> u64 {
    u64::from(limit.burst.saturating_sub(limit.per_second)) * 1000
}

/// All buckets of an account and Region; one that nothing was taken from is full, and not here.
#[derive(Clone, Debug, Default)]
pub(super) struct Buckets(BTreeMap<RateLimit, Tokens>);

impl Buckets {
    /// Takes one token, or tells how long until there is one.
    pub(super) fn take(&mut self, limit: RateLimit, now: Instant) -> Result<(), Duration> {
        let per_second = u64::from(limit.per_second);
        let tokens = self.0.entry(limit).or_insert(Tokens { millitokens: burst(limit), at: now });
        let elapsed = u64::try_from(now.since(tokens.at).as_millis()).unwrap_or(u64::MAX);
        let refill = elapsed.saturating_mul(per_second);
        tokens.millitokens = tokens.millitokens.saturating_add(refill).min(burst(limit));
        tokens.at = now;
        match tokens.millitokens.checked_sub(1000) {
            Some(left) => {
                tokens.millitokens = left;
                Ok(())
            }
            None => Err(Duration::from_millis((1000 - tokens.millitokens).div_ceil(per_second.max(1)))),
        }
    }

    /// AWS counted differently: empties the bucket.
    pub(super) fn drain(&mut self, limit: RateLimit) {
        if let Some(tokens) = self.0.get_mut(&limit) {
            tokens.millitokens = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::ec2;

    #[test]
    fn gives_a_burst_then_the_rate() {
        let mut buckets = Buckets::default();
        // Of the 5 that AWS allows, the 2 that it adds in a second are held back.
        for _ in 0..3 {
            assert_eq!(buckets.take(ec2::LAUNCH, Instant::ZERO), Ok(()));
        }
        assert_eq!(buckets.take(ec2::LAUNCH, Instant::ZERO), Err(Duration::from_millis(500)));
        assert!(buckets.take(ec2::LAUNCH, Instant(499)).is_err());
        assert_eq!(buckets.take(ec2::LAUNCH, Instant(500)), Ok(()));
        assert_eq!(buckets.take(ec2::WRITE, Instant::ZERO), Ok(()));
    }
}
