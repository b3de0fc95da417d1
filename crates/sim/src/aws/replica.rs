//! Stale replicas: a read answers from a moment within the visibility delay, and the next one may be from an earlier.
//!
//! AWS promises no order between what a call did and what a Describe call shows for a while after it: a new object is not
//! listed yet, a deleted one still is, tags are those of a moment ago (EC2 API reference, eventual consistency). Each read
//! draws how far behind its replica is. What calls that change something refer to is looked up where it is true, but for
//! new objects, which they may not know either: each call asks a part of AWS that has heard of them by a clock of its own, so
//! that a read finds a security group and the launch after it does not (hashicorp/packer, issue 3627).

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use aloka_core::api::Request;
use aloka_core::secret::Secrets;
use aloka_core::time::Instant;

use crate::aws::Account;
use crate::aws::error::Answer;
use crate::aws::record::Meta;
use crate::rng::Rng;

/// What the account was like before each of the latest changes, oldest first.
pub(in crate::aws) type Past = VecDeque<(Instant, Arc<Account>)>;

impl Account {
    /// Answers a call as an API with replicas does.
    pub(in crate::aws) fn answer(&mut self, now: Instant, request: &Request, secrets: &Secrets) -> Answer {
        match (self.options.visibility_delay_ms, request.operation().is_mutating()) {
            (0, _) => self.dispatch(now, request, secrets),
            (delay, true) => self.change(now, Duration::from_millis(delay), request, secrets),
            (delay, false) => {
                let behind = self.rng("replica").between(0, delay);
                self.read(Instant(now.0.saturating_sub(behind)), request, secrets)
            }
        }
    }

    fn change(&mut self, now: Instant, delay: Duration, request: &Request, secrets: &Secrets) -> Answer {
        let mut past = std::mem::take(&mut self.past);
        let before = self.clone();
        self.asked = Some(self.ordinal("change"));
        let answer = self.dispatch(now, request, secrets);
        self.asked = None;
        past.retain(|(changed, _)| *changed + delay >= now);
        if answer.is_ok() {
            past.push_back((now, Arc::new(before)));
        }
        self.past = past;
        answer
    }

    /// True if whoever answers knows of the object.
    pub(in crate::aws) fn knows(&self, now: Instant, object: &Meta) -> bool {
        let Some(call) = self.asked else { return object.visible <= now };
        let stream = format!("visibility-of-call/{}", object.id);
        let lag = Rng::stream(self.options.seed, &stream, call).between(0, self.options.visibility_delay_ms);
        object.created + Duration::from_millis(lag) <= now
    }

    /// Answers from the replica that has seen all changes up to `then`, and none after it.
    fn read(&mut self, then: Instant, request: &Request, secrets: &Secrets) -> Answer {
        match self.past.iter().find(|(changed, _)| *changed > then) {
            None => self.dispatch(then, request, secrets),
            Some((_, before)) => {
                let mut replica = Self::clone(before);
                replica.sweep(then);
                replica.dispatch(then, request, secrets)
            }
        }
    }
}
