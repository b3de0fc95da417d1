//! The protocol of a state store that several machines reach by a network: one guarded write, and a lock that expires.
//!
//! Requests may get lost, arrive late, or arrive while their sender sleeps. What keeps an update from being lost is
//! that a write is conditional on the version it follows; a lock saves work. Nothing here sends anything or reads a
//! clock: whoever does asks here what comes next, and so does the search over all interleavings.

use std::time::Duration;

use crate::time::Instant;

/// How often one write is sent, and how often in all it is looked for, before it counts as failed.
pub const ATTEMPTS: u32 = 5;
/// How long a lock lives after its last sign of life, by default.
pub const LEASE: Duration = Duration::from_secs(60);
/// A holder gives a sign of life this many times in a lease.
pub const BEATS_PER_LEASE: u32 = 4;
/// No lock lives longer after its last sign of life, whatever it says of itself: a day.
pub const LEASE_MAX: Duration = Duration::from_secs(24 * 60 * 60);
/// Whoever is not asked to wait watches the lock of a dead holder for no longer than this.
pub const WATCHED_MAX: Duration = Duration::from_secs(5 * 60);
/// Clocks of two machines differ by no more than this, mostly: those that NTP sets differ by much less. Only whether a
/// silent lock is worth waiting for depends on it, never whether it is taken, so that a clock that is wrong costs a wait.
const CLOCKS_DIFFER: Duration = Duration::from_secs(5);

/// The lease that a lock says it has, in seconds; what anybody may have written is brought within a second and
/// [`LEASE_MAX`].
pub fn lease(seconds: u64) -> Duration {
    Duration::from_secs(seconds).clamp(Duration::from_secs(1), LEASE_MAX)
}

/// How a holder stands that has given no sign of life for longer than its lease, by the word of two clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Silence {
    /// It has not, or there is no telling: it is alive, or another tool's.
    None,
    /// It has, by less than clocks differ.
    Just(Duration),
    /// It has, and it is worth watching it for a lease.
    Watch(Duration),
    /// It has, but its lease is longer than anybody waits who was not asked to.
    TooLong(Duration),
}

impl Silence {
    /// Of a lock with this lease, in seconds. `is_older` says whether its last sign of life is older than so much; it is
    /// not asked if nothing depends on it.
    pub fn of(seconds: Option<u64>, is_older: impl Fn(Duration) -> bool) -> Self {
        let Some(lease) = seconds.map(lease) else { return Self::None };
        match is_older(lease.saturating_add(CLOCKS_DIFFER)) {
            false if is_older(lease) => Self::Just(lease),
            false => Self::None,
            true if lease > WATCHED_MAX => Self::TooLong(lease),
            true => Self::Watch(lease),
        }
    }
}

/// What a store said to one conditional write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is stored, as the version with this tag.
    Taken {
        /// The store's name of the version.
        tag: String,
    },
    /// Another version is stored than the one it was to follow.
    Overtaken,
    /// Nobody knows: no answer, a server error, two at once.
    Unknown,
    /// It was not executed and never will be.
    Refused,
}

/// What a store holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The store's name of the version.
    pub tag: String,
    /// The mark of the write that made it, if it had one.
    pub mark: Option<String>,
}

/// What to do next about a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Send it, on condition that the version it follows is still stored.
    Send,
    /// Look at what is stored.
    Look,
    /// It is stored, under this tag.
    Done {
        /// The store's name of the version.
        tag: String,
    },
    /// Somebody else wrote: this write will never be stored.
    Overtaken,
    /// It could not be found out, or was refused. It may still be on its way.
    GiveUp,
}

/// One write, from the first sending to the certainty of what became of it.
///
/// The mark tells its own work from that of another who writes the very same bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Attempt {
    mark: String,
    follows: Option<String>,
    sent: u32,
    looked: u32,
    /// True once a sending had no certain answer: from then on a refusal may be the echo of a success.
    unsure: bool,
}

impl Attempt {
    /// A write that follows the version with this tag; `None`: nothing may be stored. `mark` is like no other.
    pub fn new(mark: impl Into<String>, follows: Option<String>) -> Self {
        Self { mark: mark.into(), follows, sent: 0, looked: 0, unsure: false }
    }

    /// What has to be stored for it to be taken.
    pub fn follows(&self) -> Option<&str> {
        self.follows.as_deref()
    }

    /// What to store with it.
    pub fn mark(&self) -> &str {
        &self.mark
    }

    /// How often it was sent or looked for: the more, the longer the pause should be.
    pub const fn tries(&self) -> u32 {
        self.sent + self.looked
    }

    /// An answer to a sending.
    pub fn answered(&mut self, answer: &Answer) -> Next {
        self.sent += 1;
        match answer {
            Answer::Taken { tag } => Next::Done { tag: tag.clone() },
            Answer::Overtaken if self.unsure => Next::Look,
            Answer::Overtaken => Next::Overtaken,
            Answer::Unknown => {
                self.unsure = true;
                Next::Look
            }
            Answer::Refused => Next::GiveUp,
        }
    }

    /// What a look showed: `None` if nothing is stored.
    pub fn found(&mut self, found: Option<&Found>) -> Next {
        self.looked += 1;
        match found {
            Some(Found { tag, mark }) if mark.as_deref() == Some(&self.mark) => Next::Done { tag: tag.clone() },
            other if other.map(|found| found.tag.as_str()) == self.follows.as_deref() => {
                // As it was: the write is lost, or late. Late, it finds that this one was taken.
                if self.sent < ATTEMPTS { Next::Send } else { Next::GiveUp }
            }
            Some(_) | None => Next::Overtaken,
        }
    }

    /// A look that showed nothing, as no answer came.
    pub fn not_found_out(&mut self) -> Next {
        self.looked += 1;
        if self.looked < ATTEMPTS { Next::Look } else { Next::GiveUp }
    }
}

/// What may be done about a lock that somebody else holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is respected.
    Held,
    /// It has shown no sign of life for a whole lease: it may be taken over, if it is still the same then.
    Expired,
}

/// Looks at a lock again and again, and tells when its holder is dead.
///
/// A lock counts as expired when it stood unchanged for a whole lease by the looker's own clock, which only has to
/// run as fast as the holder's, not to show the same time. A lock without a lease never expires.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Watch {
    seen: Option<(String, Instant)>,
}

impl Watch {
    /// A look that was asked for at `asked` and answered at `answered`, by this machine's steady clock. `text` is the
    /// whole of the lock, `seconds` the lease that it says it has.
    pub fn see(&mut self, asked: Instant, answered: Instant, text: &str, seconds: Option<u64>) -> Verdict {
        // When the answer was true is not known: what counts is the time between the end of the first look and the
        // begin of the last, as the lock stood unchanged for at least that long.
        let since = match &self.seen {
            Some((seen, since)) if seen == text => *since,
            Some(_) | None => {
                self.seen = Some((text.to_owned(), answered));
                answered
            }
        };
        match seconds.map(lease) {
            Some(lease) if asked.since(since) >= lease => Verdict::Expired,
            Some(_) | None => Verdict::Held,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn found(tag: &str, mark: Option<&str>) -> Found {
        Found { tag: tag.to_owned(), mark: mark.map(str::to_owned) }
    }

    fn taken(tag: &str) -> Answer {
        Answer::Taken { tag: tag.to_owned() }
    }

    fn done(tag: &str) -> Next {
        Next::Done { tag: tag.to_owned() }
    }

    #[test]
    fn a_certain_answer_ends_it() {
        let attempt = Attempt::new("m", Some("1".to_owned()));
        assert_eq!(attempt.clone().answered(&taken("2")), done("2"));
        assert_eq!(attempt.clone().answered(&Answer::Overtaken), Next::Overtaken);
        assert_eq!(attempt.clone().answered(&Answer::Refused), Next::GiveUp);
    }

    #[test]
    fn a_lost_answer_is_looked_for() {
        let mut attempt = Attempt::new("m", Some("1".to_owned()));
        assert_eq!(attempt.answered(&Answer::Unknown), Next::Look);
        let unsure = attempt.clone();
        assert_eq!(attempt.found(Some(&found("2", Some("m")))), done("2"));
        for (what, next) in [
            (Some(found("1", Some("before"))), Next::Send),
            (Some(found("2", Some("other"))), Next::Overtaken),
            (Some(found("2", None)), Next::Overtaken),
            (None, Next::Overtaken),
        ] {
            assert_eq!(unsure.clone().found(what.as_ref()), next, "{what:?}");
        }
        // Sent again, and refused: by what the first sending stored after all.
        let mut again = unsure;
        assert_eq!(again.found(Some(&found("1", None))), Next::Send);
        assert_eq!(again.answered(&Answer::Overtaken), Next::Look);
        assert_eq!(again.found(Some(&found("2", Some("m")))), done("2"));
    }

    #[test]
    fn the_same_bytes_of_another_are_not_its_own() {
        let mut attempt = Attempt::new("m", None);
        assert_eq!(attempt.answered(&Answer::Unknown), Next::Look);
        assert_eq!(attempt.found(Some(&found("same-content", Some("n")))), Next::Overtaken);
    }

    #[test]
    fn it_ends() {
        let mut attempt = Attempt::new("m", None);
        let mut next = Next::Send;
        let mut steps = 0;
        while next != Next::GiveUp {
            steps += 1;
            assert!(steps < 100);
            next = match next {
                Next::Send => attempt.answered(&Answer::Unknown),
                Next::Look if steps % 3 == 0 => attempt.not_found_out(),
                Next::Look => attempt.found(None),
                other @ (Next::Done { .. } | Next::Overtaken | Next::GiveUp) => panic!("{other:?}"),
            };
        }
    }

    #[test]
    fn a_lock_expires_by_the_lookers_clock_alone() {
        let lease = Some(60);
        let at = |seconds: u64| Instant(seconds * 1000);
        let mut watch = Watch::default();
        let mut see = |asked, answered, text, lease| watch.see(at(asked), at(answered), text, lease);
        // The first answer took five seconds: the lock may be that much younger than the question.
        assert_eq!(see(995, 1_000, "beat 1", lease), Verdict::Held);
        assert_eq!(see(1_059, 1_070, "beat 1", lease), Verdict::Held);
        assert_eq!(see(1_060, 1_060, "beat 1", lease), Verdict::Expired);
        // A sign of life begins it anew, and so does another holder.
        assert_eq!(see(1_061, 1_061, "beat 2", lease), Verdict::Held);
        assert_eq!(see(1_120, 1_120, "beat 2", lease), Verdict::Held);
        assert_eq!(see(1_121, 1_121, "beat 2", lease), Verdict::Expired);
        // Terraform's never does.
        for day in 0..30 {
            assert_eq!(see(day * 86_400, day * 86_400, "terraform", None), Verdict::Held);
        }
    }

    #[test]
    fn a_lease_of_nothing_or_for_ever_is_none() {
        let (day, late) = (LEASE_MAX.as_secs(), |_: Duration| true);
        assert_eq!(Silence::of(Some(60), late), Silence::Watch(LEASE));
        assert_eq!(Silence::of(Some(60), |_| false), Silence::None);
        assert_eq!(Silence::of(None, late), Silence::None);
        for seconds in [day, day + 1, u64::MAX / 1000, u64::MAX - 1, u64::MAX] {
            assert_eq!(Silence::of(Some(seconds), late), Silence::TooLong(LEASE_MAX));
            let mut watch = Watch::default();
            let mut see = |at: u64| watch.see(Instant(at), Instant(at), "x", Some(seconds));
            assert_eq!(
                (see(5), see(5 + day * 1000 - 1), see(5 + day * 1000)),
                (Verdict::Held, Verdict::Held, Verdict::Expired)
            );
        }
        // A look is never enough.
        let mut watch = Watch::default();
        assert_eq!(watch.see(Instant(7), Instant(7), "x", Some(0)), Verdict::Held);
        assert_eq!(watch.see(Instant(1007), Instant(1007), "x", Some(0)), Verdict::Expired);
    }

    proptest! {
        /// A lock whose lease has passed is never told to be alive, and one that is silent for a little longer is watched.
        #[test]
        fn a_lease_that_has_passed_is_said_to_have(seconds in 1..100_000_u64, silent in 0..200_000_u64) {
            let told = Silence::of(Some(seconds), |age| silent > age.as_secs());
            let is_over = silent > seconds.min(LEASE_MAX.as_secs());
            prop_assert_eq!(told != Silence::None, is_over);
            let is_long_over = silent > seconds.min(LEASE_MAX.as_secs()) + CLOCKS_DIFFER.as_secs();
            prop_assert_eq!(matches!(told, Silence::Watch(_) | Silence::TooLong(_)), is_long_over);
        }

        /// Whatever a lock says of itself and whatever the clocks say: nothing overflows, nobody is taken over who gave a
        /// sign of life within a second or his lease, and nobody holds for longer than a day of silence.
        #[test]
        fn no_lease_holds_for_ever_and_none_is_nothing(
            seconds in prop_oneof![any::<u64>(), 0..200_000_u64],
            first in any::<u64>(),
            looks in proptest::collection::vec((any::<u64>(), any::<bool>()), 0..20),
        ) {
            let mut watch = Watch::default();
            let (mut now, mut since, mut sign) = (first, first, 0);
            prop_assert_eq!(watch.see(Instant(now), Instant(now), "0", Some(seconds)), Verdict::Held);
            for (step, beat) in looks {
                now = now.saturating_add(step % (2 * 86_400_000));
                if beat {
                    (sign, since) = (sign + 1, now);
                }
                let silent = now - since;
                let verdict = watch.see(Instant(now), Instant(now), &sign.to_string(), Some(seconds));
                let lease = u128::from(seconds.clamp(1, 86_400)) * 1000;
                let expected = if u128::from(silent) >= lease { Verdict::Expired } else { Verdict::Held };
                prop_assert_eq!(verdict, expected);
            }
        }
    }
}
