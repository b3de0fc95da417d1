//! Token buckets: how many calls may go out now, and when the next one may.
//!
//! AWS fills its buckets up once a second, these fill up all the time. What AWS adds in one second is therefore held
//! back from the burst: otherwise a call sent after it would come before AWS has added the token for it.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::api::Bucket;
use crate::time::Instant;

/// One bucket; counts in thousandths of a token, which one token a second refills one a millisecond.
#[derive(Clone, Copy, Debug)]
struct Tokens {
    millitokens: u64,
    at: Instant,
}

/// Most calls at once, in thousandths.
fn burst(bucket: Bucket) -> u64 {
    let (most, per_second) = bucket.limits();
    u64::from(most.saturating_sub(per_second)) * 1000
}

/// All buckets of an account and Region.
#[derive(Clone, Debug)]
pub(super) struct Buckets(BTreeMap<Bucket, Tokens>);

impl Buckets {
    /// Full buckets.
    pub(super) fn new(now: Instant) -> Self {
        let full = |bucket: Bucket| (bucket, Tokens { millitokens: burst(bucket), at: now });
        Self(Bucket::ALL.into_iter().map(full).collect())
    }

    /// Takes one token, or tells how long until there is one.
    pub(super) fn take(&mut self, bucket: Bucket, now: Instant) -> Result<(), Duration> {
        let (_, per_second) = bucket.limits();
        let Some(tokens) = self.0.get_mut(&bucket) else { return Ok(()) };
        let elapsed = u64::try_from(now.since(tokens.at).as_millis()).unwrap_or(u64::MAX);
        let refill = elapsed.saturating_mul(u64::from(per_second));
        tokens.millitokens = tokens.millitokens.saturating_add(refill).min(burst(bucket));
        tokens.at = now;
        match tokens.millitokens.checked_sub(1000) {
            Some(left) => {
                tokens.millitokens = left;
                Ok(())
            }
            None => Err(Duration::from_millis((1000 - tokens.millitokens).div_ceil(u64::from(per_second).max(1)))),
        }
    }

    /// AWS counted differently: empties the bucket.
    pub(super) fn drain(&mut self, bucket: Bucket) {
        if let Some(tokens) = self.0.get_mut(&bucket) {
            tokens.millitokens = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_a_burst_then_the_rate() {
        let mut buckets = Buckets::new(Instant::ZERO);
        // Of the 5 that AWS allows, the 2 that it adds in a second are held back.
        for _ in 0..3 {
            assert_eq!(buckets.take(Bucket::Ec2Launch, Instant::ZERO), Ok(()));
        }
        assert_eq!(buckets.take(Bucket::Ec2Launch, Instant::ZERO), Err(Duration::from_millis(500)));
        assert!(buckets.take(Bucket::Ec2Launch, Instant(499)).is_err());
        assert_eq!(buckets.take(Bucket::Ec2Launch, Instant(500)), Ok(()));
        assert_eq!(buckets.take(Bucket::Ec2Write, Instant::ZERO), Ok(()));
    }
}
