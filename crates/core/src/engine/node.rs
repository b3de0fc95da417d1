//! One node's way through its procedure: send, look, wait, try again, give up.

mod short;
mod spent;
#[cfg(test)]
mod tests;

use std::time::Duration;

use super::Executor;
use super::event::{Cause, Effect, Event, Failure, News};
use super::held::Asked;
use crate::api::VISIBILITY_MS;
use crate::api::{self, ApiError, Call, ErrorClass, Meaning, Operation, RateLimit, Recognition, Reply, Request};
use crate::diff::{self, Verdict};
use crate::plan::{Lookup, Node, Save, Step, Verb, Waiter, WayBack};
use crate::resource::{self, OnChange};
use crate::time::Instant;
use crate::value::{Value, ValueMap};

/// An unknown outcome is made good this often before the node fails.
const UNKNOWN_MAX: u32 = 8;
/// A read has nothing to make good, and somebody waits for the plan: that often, and through an outage of half a minute.
const UNKNOWN_READS_MAX: u32 = 3;
/// An outage is given up by a read after this long, at the first attempt after it.
const OUTAGE_READS_MAX: Duration = Duration::from_secs(45);
/// AWS has no room: tried this often.
const CAPACITY_MAX: u32 = 3;
/// Writes in a row that are asked for before a creation is sent: each took longer than [`super::CONFIRMED_MAX`], or the
/// creation had to wait that long again.
const CONFIRMATIONS_MAX: u32 = 5;
/// A call that is throttled is given up after this long.
const THROTTLED_MAX: Duration = Duration::from_secs(600);
/// Something else still holds the object: tried for this long (as Terraform does for security groups).
const CONFLICT_MAX: Duration = Duration::from_secs(900);
/// A new object may be unknown to some of AWS for this long.
const NOT_FOUND_MAX: Duration = Duration::from_millis(2 * VISIBILITY_MS);

/// Where a node stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    /// Nodes it needs are not finished.
    Blocked,
    /// Its steps run.
    Running,
    /// Its steps are done; the record is being written.
    Recording,
    /// Finished and recorded.
    Done,
    /// Failed.
    Failed,
    /// A node it needs failed.
    Skipped,
}

/// What is sent for the current step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sending {
    /// The call itself, or the waiter's read.
    Step,
    /// The read that tells what became of the call.
    Lookup,
    /// One of the reads that tell who holds the object, by index.
    Holder(usize),
}

/// A node's progress.
#[derive(Clone, Debug)]
pub(super) struct Progress {
    pub(super) open_needs: usize,
    pub(super) status: Status,
    /// The object of a creation is recorded.
    pub(super) created: bool,
    started: Instant,
    step: usize,
    /// The intent is noted.
    intent: bool,
    /// An earlier run intended the same creation, and may have carried it out.
    pub(super) inherited: bool,
    pub(super) sending: Sending,
    attempt: u32,
    unknowns: u32,
    /// Client tokens that made what is gone: the creation is sent with the one after them.
    spent: u32,
    /// Writes that were asked for since it last sent anything, so that it may send its creation.
    confirmations: u32,
    step_started: Instant,
    /// First answer of the kind that is waited out now.
    trouble_since: Option<Instant>,
    /// Since when the object rests short of what the step waits for.
    resting_since: Option<Instant>,
    /// AWS said that the object exists already.
    exists: Option<Box<ApiError>>,
    /// AWS refused the call of the current step, and what was done before is taken back.
    back: Option<Box<Back>>,
    /// Who holds the object is being asked, or was.
    pub(super) asked: Option<Box<Asked>>,
}

/// Where a node stands on its way back.
#[derive(Clone, Debug)]
struct Back {
    /// The operation that AWS refused.
    operation: Operation,
    error: ApiError,
    /// The step of the way back.
    step: usize,
}

impl Progress {
    pub(super) fn new(open_needs: usize, now: Instant) -> Self {
        Self {
            open_needs,
            status: Status::Blocked,
            created: false,
            started: now,
            step: 0,
            intent: false,
            inherited: false,
            sending: Sending::Step,
            attempt: 0,
            unknowns: 0,
            spent: 0,
            confirmations: 0,
            step_started: now,
            trouble_since: None,
            resting_since: None,
            exists: None,
            back: None,
            asked: None,
        }
    }

    /// Since when AWS refuses the call of the step, or else since when the step waits.
    pub(super) fn since(&self, is_refused: bool) -> Option<Instant> {
        if is_refused { self.trouble_since } else { Some(self.step_started) }
    }

    /// The way back that the node is on.
    fn way_back<'a>(&self, node: &'a Node) -> Option<(&Back, &'a WayBack)> {
        match (self.back.as_deref(), node.steps.get(self.step)?) {
            (Some(back), Step::Call { way_back: Some(way), .. }) => Some((back, way)),
            (None, _) | (Some(_), Step::Call { way_back: None, .. } | Step::Wait(_)) => None,
        }
    }

    /// The step that the node is at, on its way or on its way back.
    fn current<'a>(&self, node: &'a Node) -> Option<&'a Step> {
        match self.way_back(node) {
            Some((back, way)) => way.steps.get(back.step),
            None => node.steps.get(self.step),
        }
    }
}

/// How long to wait before attempt `attempt + 1`: doubling from half a second to twenty, spread by the node's index.
fn backoff(attempt: u32, index: usize) -> Duration {
    let spread = u64::try_from(index % 8).unwrap_or(0) * 31;
    let doubled = 500_u64.saturating_mul(1 << attempt.min(6)).min(20_000);
    Duration::from_millis(doubled + spread)
}

impl Executor {
    /// Every node it needs is finished.
    pub(super) fn start(&mut self, index: usize, now: Instant) {
        if self.stopping {
            return;
        }
        let progress = &mut self.progress[index];
        progress.status = Status::Running;
        progress.started = now;
        self.tell(now, index, News::Started);
        self.begin_step(index, now);
    }

    fn begin_step(&mut self, index: usize, now: Instant) {
        let progress = &mut self.progress[index];
        progress.sending = Sending::Step;
        progress.attempt = 0;
        progress.unknowns = 0;
        progress.step_started = now;
        progress.trouble_since = None;
        progress.resting_since = None;
        progress.exists = None;
        progress.asked = None;
        match progress.current(&self.nodes[index]) {
            None if progress.back.is_some() => self.taken_back(index, now),
            None => self.finish(index, now),
            Some(Step::Call { call, .. }) if call.operation.is_mutating() => {
                let operation = call.operation;
                if !self.progress[index].intent {
                    self.progress[index].intent = true;
                    self.record_intent(index, operation, now);
                }
                // Also what the steps before recorded must be written first.
                if self.when_persisted(index) {
                    self.enqueue(index);
                }
            }
            Some(Step::Call { .. }) => self.enqueue(index),
            Some(Step::Wait(waiter)) => {
                let usual = Duration::from_millis(waiter.pace.usual_ms);
                if self.nodes[index].verb != Verb::Read {
                    self.tell(now, index, News::Waiting { usual });
                }
                self.enqueue(index);
            }
        }
    }

    /// What the node waited for is written.
    pub(super) fn resume(&mut self, index: usize, now: Instant) {
        match self.progress[index].status {
            Status::Running => self.enqueue(index),
            Status::Recording => self.done(index, now),
            Status::Blocked | Status::Done | Status::Failed | Status::Skipped => {}
        }
    }

    fn current_call(&self, index: usize) -> Option<&Call> {
        let progress = &self.progress[index];
        match (progress.current(&self.nodes[index])?, progress.sending) {
            (Step::Call { call, .. }, Sending::Step) => Some(call),
            (Step::Call { recover, .. }, Sending::Lookup) => recover.as_ref().map(|lookup| &lookup.call),
            (_, Sending::Holder(read)) => self.asker_call(read),
            (Step::Wait(waiter), Sending::Step | Sending::Lookup) => Some(&waiter.call),
        }
    }

    pub(super) fn rate_limit(&self, index: usize) -> Option<RateLimit> {
        self.current_call(index).map(|call| call.operation.rate_limit())
    }

    /// True if it is about to send a creation that only tags tell apart: AWS knows neither a name nor a token of it.
    pub(super) fn sends_untold_creation(&self, index: usize) -> bool {
        self.progress[index].sending == Sending::Step
            && self
                .current_call(index)
                .is_some_and(|call| call.operation.effect() == api::Effect::Create(Recognition::Tagged))
    }

    /// Asks for another write before a creation is sent. False if so many took too long: then it failed.
    pub(super) fn confirm(&mut self, index: usize, now: Instant) -> bool {
        let progress = &mut self.progress[index];
        progress.confirmations += 1;
        if progress.confirmations <= CONFIRMATIONS_MAX {
            return true;
        }
        let operation = self.current_call(index).map(|call| call.operation.to_string()).unwrap_or_default();
        self.fail(index, Cause::SlowStore { operation }, now);
        false
    }

    /// Sends the current call with its references resolved.
    pub(super) fn send(&mut self, index: usize, now: Instant) -> Option<Effect> {
        self.progress[index].confirmations = 0;
        let call = self.current_call(index)?;
        let request = Request(self.with_token(index, self.resolved(call)));
        let mut open = None;
        for value in request.0.args.values() {
            value.visit_refs(&mut |address, attribute| open = Some(format!("{address}.{attribute}")));
        }
        if let Some(open) = open {
            let detail = format!("{} refers to {open}, which is not recorded", request.operation());
            self.fail(index, Cause::Bug { detail }, now);
            return None;
        }
        if !matches!(self.progress[index].sending, Sending::Holder(_)) {
            self.progress[index].attempt += 1;
        }
        let attempt = self.progress[index].attempt;
        self.tell(now, index, News::Sent { request: request.clone(), attempt });
        let ticket = self.ticket(index);
        Some(Effect::Send { ticket, request })
    }

    pub(super) fn replied(&mut self, index: usize, reply: Reply, now: Instant) {
        // The nodes are shared and never change; the handle lets a step be read while progress is written.
        let nodes = self.nodes.clone();
        let step = self.progress[index].current(&nodes[index]);
        match (step, self.progress[index].sending) {
            (None, _) => {}
            (Some(_), Sending::Holder(read)) => self.holder_replied(index, read, reply, now),
            (Some(Step::Call { call, save, recover, .. }), Sending::Step) => {
                self.call_replied(index, call, save, recover.as_ref(), reply, now);
            }
            (Some(Step::Call { call, recover, .. }), Sending::Lookup) => {
                if let Some(lookup) = recover {
                    self.lookup_replied(index, call, lookup, reply, now);
                }
            }
            (Some(Step::Wait(waiter)), _) => self.poll_replied(index, waiter, reply, now),
        }
    }

    fn next_step(&mut self, index: usize, now: Instant) {
        let progress = &mut self.progress[index];
        match &mut progress.back {
            Some(back) => back.step += 1,
            None => progress.step += 1,
        }
        if self.stopping && progress.current(&self.nodes[index]).is_some() {
            return;
        }
        self.begin_step(index, now);
    }

    fn call_replied(
        &mut self,
        index: usize,
        call: &Call,
        save: &Save,
        recover: Option<&Lookup>,
        reply: Reply,
        now: Instant,
    ) {
        let is_read = self.nodes[index].verb == Verb::Read;
        let error = match reply {
            Ok(value) => return self.call_carried_out(index, call, save, value, now),
            Err(error) => error,
        };
        let operation = call.operation;
        let is_lost = self.progress[index].unknowns > 0;
        match operation.meaning(&error.code, is_lost) {
            Some(Meaning::Done) => return self.next_step(index, now),
            Some(Meaning::LookUp) if recover.is_some() => {
                self.progress[index].exists = Some(Box::new(error.clone()));
                return self.look_up(index, error, now);
            }
            Some(Meaning::NotYet) if self.nodes[index].verb != Verb::Delete => {
                return self.retry(index, error, NOT_FOUND_MAX, now);
            }
            Some(Meaning::Spent) if self.takes_next_token(index, now) => {
                return self.tell(now, index, News::Retry { error, after: Duration::ZERO });
            }
            Some(Meaning::LookUp | Meaning::NotYet | Meaning::Spent | Meaning::SpentUnlessFound) | None => {}
        }
        let effect = operation.effect();
        match error.class {
            ErrorClass::Throttled => self.retry(index, error, THROTTLED_MAX, now),
            ErrorClass::Unknown => {
                self.progress[index].unknowns += 1;
                if is_read {
                    self.retry_read(index, error, now);
                } else if self.progress[index].unknowns > UNKNOWN_MAX {
                    self.give_up(index, operation, error, now);
                } else if recover.is_some() && operation.is_creating() {
                    self.look_up(index, error, now);
                } else {
                    self.retry(index, error, Duration::MAX, now);
                }
            }
            ErrorClass::NotFound if effect == api::Effect::Remove => self.next_step(index, now),
            // What it names may have been made a moment ago, by this run or by one that was cut short.
            ErrorClass::NotFound if !matches!(self.nodes[index].verb, Verb::Read | Verb::Delete) => {
                self.retry(index, error, NOT_FOUND_MAX, now);
            }
            ErrorClass::AlreadyExists if recover.is_some() => {
                self.progress[index].exists = Some(Box::new(error.clone()));
                self.look_up(index, error, now);
            }
            ErrorClass::AlreadyExists if effect == api::Effect::Change => self.next_step(index, now),
            // What a deletion leaves behind, as a snapshot: it may be this deletion's, by a sending whose answer was lost.
            ErrorClass::AlreadyExists if effect == api::Effect::Remove && is_lost => {
                self.retry(index, error, CONFLICT_MAX, now);
            }
            ErrorClass::Conflict if self.asks_who_holds(index, Some(&error), now) => {}
            ErrorClass::Conflict if !is_read => self.retry(index, error, CONFLICT_MAX, now),
            ErrorClass::Capacity if self.progress[index].attempt < CAPACITY_MAX => {
                self.retry(index, error, Duration::MAX, now);
            }
            ErrorClass::NotFound
            | ErrorClass::AlreadyExists
            | ErrorClass::Conflict
            | ErrorClass::Capacity
            | ErrorClass::Quota
            | ErrorClass::Unauthorized
            | ErrorClass::Credentials
            | ErrorClass::NotImplemented
            | ErrorClass::Refused => self.give_up(index, operation, error, now),
        }
    }

    /// AWS carried out the call.
    fn call_carried_out(&mut self, index: usize, call: &Call, save: &Save, value: Value, now: Instant) {
        if self.nodes[index].verb == Verb::Read {
            self.replies.insert(index, Ok(value));
        } else if self.is_gone(index, call, save, &value) && self.takes_next_token(index, now) {
            return;
        } else {
            self.record_reply(index, save, &value, now);
            self.record_rules(call, &value, now);
            self.sent_secrets(call);
        }
        self.next_step(index, now);
    }

    fn sent_secrets(&mut self, call: &Call) {
        if call.is_about_secrets() {
            self.record_secrets();
        }
    }

    fn retry(&mut self, index: usize, error: ApiError, at_most: Duration, now: Instant) {
        let since = *self.progress[index].trouble_since.get_or_insert(now);
        if now.since(since) >= at_most {
            if let Some(operation) = self.current_call(index).map(|call| call.operation) {
                self.give_up(index, operation, error, now);
            }
            return;
        }
        if error.class == ErrorClass::Throttled
            && let Some(limit) = self.rate_limit(index)
        {
            self.buckets.drain(limit);
        }
        let after = backoff(self.progress[index].attempt.saturating_sub(1), index);
        self.tell(now, index, News::Retry { error, after });
        self.wake_at(index, now + after);
    }

    /// Sends a read again that had no answer.
    fn retry_read(&mut self, index: usize, error: ApiError, now: Instant) {
        let at_most = match self.progress[index].unknowns {
            ..=UNKNOWN_READS_MAX => Duration::MAX,
            _ if error.is_outage() => OUTAGE_READS_MAX,
            _ => Duration::ZERO,
        };
        self.retry(index, error, at_most, now);
    }

    /// A read-only node keeps the error as its reply; any other fails.
    fn give_up(&mut self, index: usize, operation: Operation, error: ApiError, now: Instant) {
        if self.nodes[index].verb == Verb::Read {
            self.replies.insert(index, Err(error));
            self.progress[index].step = self.nodes[index].steps.len();
            return self.finish(index, now);
        }
        let is_fatal = error.class == ErrorClass::Credentials;
        if error.class != ErrorClass::Unknown {
            self.refused_for_good(index, now);
        }
        if self.turns_back(index, &error) {
            self.progress[index].back = Some(Box::new(Back { operation, error, step: 0 }));
            return self.begin_step(index, now);
        }
        self.fail(index, Cause::Call { operation: operation.to_string(), error }, now);
        if is_fatal {
            // Every other call would fail as well.
            self.on_event(now, Event::Stop);
        }
    }

    /// AWS refused the call of the step: what it was to do is not done.
    pub(super) fn refused_for_good(&mut self, index: usize, now: Instant) {
        // An earlier sending of the same call, of this run or another, may have been carried out: the next run looks.
        let Progress { unknowns, inherited, .. } = self.progress[index];
        if unknowns == 0 && !inherited {
            self.withdraw_intent(index, now);
        }
    }

    /// After nobody was found who holds the object: the refused call is sent again, a wait goes on.
    pub(super) fn goes_on(&mut self, index: usize, error: Option<ApiError>, now: Instant) {
        match (error, self.progress[index].current(&self.nodes[index])) {
            (Some(error), _) => self.retry(index, error, CONFLICT_MAX, now),
            (None, Some(Step::Wait(waiter))) => {
                let elapsed = now.since(self.progress[index].step_started);
                let next = now + waiter.pace.next_look(elapsed);
                self.wake_at(index, next);
            }
            (None, Some(Step::Call { .. }) | None) => {}
        }
    }

    /// The call of the current step, whatever is being sent for it.
    pub(super) fn step_call(&self, index: usize) -> Option<&Call> {
        match self.progress[index].current(&self.nodes[index])? {
            Step::Call { call, .. } => Some(call),
            Step::Wait(waiter) => Some(&waiter.call),
        }
    }

    /// True if AWS refused a call that has a way back: then what was done before does not stay half done.
    fn turns_back(&self, index: usize, error: &ApiError) -> bool {
        let Progress { step, back, .. } = &self.progress[index];
        let way_back = match self.nodes[index].steps.get(*step) {
            Some(Step::Call { way_back, .. }) => way_back.is_some(),
            Some(Step::Wait(_)) | None => false,
        };
        let is_refused = !matches!(error.class, ErrorClass::Unknown | ErrorClass::Credentials);
        way_back && back.is_none() && is_refused && !self.stopping
    }

    /// The way back is done: nothing is left of what was begun.
    fn taken_back(&mut self, index: usize, now: Instant) {
        if self.state.private.intents.remove(&self.nodes[index].target.address).is_some() {
            self.changed(now);
        }
        let told = self.progress[index].way_back(&self.nodes[index]);
        if let Some((operation, error, told)) =
            told.map(|(back, way)| (back.operation.to_string(), back.error.clone(), way.done.to_string()))
        {
            self.progress[index].back = None;
            self.fail(index, Cause::Refused { operation, error, told }, now);
        }
    }

    fn look_up(&mut self, index: usize, error: ApiError, now: Instant) {
        let progress = &mut self.progress[index];
        progress.sending = Sending::Lookup;
        progress.trouble_since = Some(now);
        let after = backoff(progress.unknowns.saturating_sub(1), index);
        // AWS has answered: nothing to wait for. Otherwise the call may still be on its way.
        let after = if progress.exists.is_some() { Duration::ZERO } else { after };
        self.tell(now, index, News::Retry { error, after });
        self.wake_at(index, now + after);
    }

    fn lookup_replied(&mut self, index: usize, call: &Call, lookup: &Lookup, reply: Reply, now: Instant) {
        let found = match &reply {
            Ok(reply) => self.find(index, lookup, reply),
            Err(error) => match error.class {
                ErrorClass::NotFound => None,
                ErrorClass::Throttled | ErrorClass::Unknown => {
                    return self.retry(index, error.clone(), THROTTLED_MAX, now);
                }
                ErrorClass::AlreadyExists
                | ErrorClass::Conflict
                | ErrorClass::Capacity
                | ErrorClass::Quota
                | ErrorClass::Unauthorized
                | ErrorClass::Credentials
                | ErrorClass::NotImplemented
                | ErrorClass::Refused => {
                    let operation = lookup.call.operation.to_string();
                    return self.fail(index, Cause::Call { operation, error: error.clone() }, now);
                }
            },
        };
        if let Some(attributes) = found {
            let id = attributes.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
            self.record(index, attributes, now);
            self.sent_secrets(call);
            if call.operation.is_creating() {
                self.tell(now, index, News::Adopted { id });
            }
            return self.next_step(index, now);
        }
        let since = self.progress[index].trouble_since.unwrap_or(now);
        let may_show = now.since(since) < Duration::from_millis(VISIBILITY_MS);
        let by_tag_only = call.operation.effect() == api::Effect::Create(Recognition::Tagged);
        match self.progress[index].exists.clone() {
            // What its token made is gone: it would show by now.
            Some(error)
                if !may_show
                    && call.operation.meaning(&error.code, false) == Some(Meaning::SpentUnlessFound)
                    && self.takes_next_token(index, now) =>
            {
                self.tell(now, index, News::Retry { error: *error, after: Duration::ZERO });
            }
            // It exists, and shows later if it is ours.
            Some(error) if !may_show => {
                // What is known by its place only may be what an earlier run made, changed since: the next plan looks.
                if !(self.progress[index].inherited && lookup.tags.is_empty()) {
                    self.withdraw_intent(index, now);
                }
                let operation = call.operation.to_string();
                self.fail(index, Cause::Foreign { operation, detail: error.to_string() }, now);
            }
            None if !by_tag_only || !may_show => {
                let progress = &mut self.progress[index];
                progress.sending = Sending::Step;
                progress.trouble_since = None;
                self.wake_at(index, now);
            }
            Some(_) | None => {
                let after = backoff(self.progress[index].attempt.min(3), index);
                self.wake_at(index, now + after);
            }
        }
    }

    /// The attributes of the object that the lookup found, if it is ours or what was asked for.
    fn find(&self, index: usize, lookup: &Lookup, reply: &Value) -> Option<ValueMap> {
        let target = &self.nodes[index].target;
        let kind = target.address.kind;
        let mut known = self.resolved_after(index);
        if self.nodes[index].verb == Verb::Update {
            // What it changes; the rest is as recorded.
            let recorded = self.state.get(target).map(|resource| ValueMap::clone(&resource.attributes));
            known = recorded.into_iter().flatten().chain(known).collect();
        }
        let place = self.place();
        let single = std::slice::from_ref(reply);
        let objects = if lookup.list.is_empty() { single } else { reply.at(&lookup.list)?.as_list()? };
        let ours = |object: &&Value| {
            lookup.tags.iter().all(|(key, value)| api::tags(object).get(key) == value)
                && resource::phase(kind, object) != resource::Phase::Gone
        };
        let object = objects.iter().find(ours)?;
        let mut attributes = resource::attributes(kind, &known, object, &place)?;
        if lookup.tags.is_empty() {
            // Found by its place: it must be what was asked for.
            let compared = kind.attributes().iter().filter(|a| a.on_change != OnChange::Computed);
            let differs = compared.filter(|a| a.name != "tags").any(|attribute| {
                let pair = known.get(attribute.name).zip(attributes.get(attribute.name));
                pair.is_some_and(|(d, p)| diff::compare(attribute.compare, d, p, None) != Verdict::Same)
            });
            if differs {
                return None;
            }
        }
        if !attributes.contains_key("id")
            && let Some(name) = known.get("name")
        {
            attributes.insert("id".into(), name.clone());
        }
        Some(attributes)
    }

    fn poll_replied(&mut self, index: usize, waiter: &Waiter, reply: Reply, now: Instant) {
        let elapsed = now.since(self.progress[index].step_started);
        let is_read = self.nodes[index].verb == Verb::Read;
        let deadline = Duration::from_millis(waiter.pace.deadline_ms);
        let accepted = waiter.accept.iter().find(|accept| accept.expect.matches(&reply));
        match (accepted, reply) {
            (Some(accept), reply) if accept.success => {
                if is_read {
                    self.replies.insert(index, reply);
                } else if let Ok(value) = &reply {
                    self.record_reply(index, &waiter.save, value, now);
                }
                self.next_step(index, now);
            }
            (Some(_), reply) => {
                let operation = waiter.call.operation.to_string();
                let detail = reply.map_or_else(|error| error.to_string(), |value| self.why(index, waiter, &value));
                // What waits for its owner is not lost.
                if !resource::waits_for_its_owner(self.nodes[index].target.address.kind, &detail) {
                    self.record_taint(index, now);
                }
                self.fail(index, Cause::WaitFailed { operation, detail }, now);
            }
            (None, Err(error)) if is_read && error.class == ErrorClass::Throttled => {
                self.retry(index, error, THROTTLED_MAX, now);
            }
            (None, Err(error)) if is_read && error.class == ErrorClass::Unknown => {
                self.progress[index].unknowns += 1;
                self.retry_read(index, error, now);
            }
            (None, reply) if is_read && elapsed >= deadline => {
                self.replies.insert(index, reply);
                self.next_step(index, now);
            }
            (None, Err(error)) => {
                let patience = match error.class {
                    ErrorClass::Throttled | ErrorClass::Unknown => Some(deadline),
                    ErrorClass::NotFound => Some(NOT_FOUND_MAX.max(if is_read { deadline } else { Duration::ZERO })),
                    ErrorClass::AlreadyExists
                    | ErrorClass::Conflict
                    | ErrorClass::Capacity
                    | ErrorClass::Quota
                    | ErrorClass::Unauthorized
                    | ErrorClass::Credentials
                    | ErrorClass::NotImplemented
                    | ErrorClass::Refused => None,
                };
                match patience {
                    Some(patience) if elapsed < patience => self.retry(index, error, Duration::MAX, now),
                    Some(_) | None => self.give_up(index, waiter.call.operation, error, now),
                }
            }
            (None, Ok(value)) => self.not_yet(index, waiter, value, now),
        }
    }

    /// The waiter has not seen what it waits for: it looks again, unless it has waited for long enough.
    fn not_yet(&mut self, index: usize, waiter: &Waiter, value: Value, now: Instant) {
        let elapsed = now.since(self.progress[index].step_started);
        let deadline = Duration::from_millis(waiter.pace.deadline_ms);
        let reply = Ok(value);
        let short = self.rests_short(index, waiter, &reply, now);
        if (short.is_some() || elapsed >= deadline)
            && let Ok(value) = &reply
        {
            // As it is, not as it was to be.
            self.record_reply(index, &waiter.save, value, now);
        }
        if let Some(told) = short {
            let operation = waiter.call.operation.to_string();
            return self.fail(index, Cause::Short { operation, told }, now);
        }
        if elapsed >= deadline {
            let operation = waiter.call.operation.to_string();
            return self.fail(index, Cause::WaitTimedOut { operation, waited: elapsed }, now);
        }
        if self.asks_who_holds(index, None, now) {
            return;
        }
        let progress = &mut self.progress[index];
        progress.attempt = 0;
        if self.nodes[index].verb == Verb::Read {
            // An outage that is over.
            (progress.unknowns, progress.trouble_since) = (0, None);
        }
        self.wake_at(index, now + waiter.pace.next_look(elapsed));
    }

    /// All steps are done: record, then let the dependants run.
    fn finish(&mut self, index: usize, now: Instant) {
        self.record_finish(index, now);
        self.progress[index].status = Status::Recording;
        if self.dependants[index].is_empty() || self.when_persisted(index) {
            self.done(index, now);
        }
    }

    pub(super) fn done(&mut self, index: usize, now: Instant) {
        self.progress[index].status = Status::Done;
        self.open -= 1;
        let elapsed = now.since(self.progress[index].started);
        let id = self.state.get(&self.nodes[index].target).and_then(|resource| resource.id().map(str::to_owned));
        self.tell(now, index, News::Finished { elapsed, id });
        for dependant in self.dependants[index].clone() {
            self.need_is_over(dependant, now);
        }
    }

    /// One of the nodes it needs is over.
    fn need_is_over(&mut self, index: usize, now: Instant) {
        let progress = &mut self.progress[index];
        progress.open_needs = progress.open_needs.saturating_sub(1);
        if progress.open_needs == 0 && progress.status == Status::Blocked {
            self.start(index, now);
        }
    }

    pub(super) fn fail(&mut self, index: usize, cause: Cause, now: Instant) {
        let cause = match self.progress[index].way_back(&self.nodes[index]) {
            Some((back, way)) => Cause::Refused {
                operation: back.operation.to_string(),
                error: back.error.clone(),
                told: format!("{} ({cause})", way.left),
            },
            None => cause,
        };
        self.progress[index].status = Status::Failed;
        self.open -= 1;
        let target = self.nodes[index].target.clone();
        self.tell(now, index, News::Failed { cause: cause.clone() });
        self.failures.push(Failure { node: index, target, cause });
        let mut doomed = self.dependants[index].clone();
        while let Some(dependant) = doomed.pop() {
            // What only reads waits for what it needs to be over, however it ended.
            if self.nodes[dependant].verb == Verb::Read {
                self.need_is_over(dependant, now);
            } else if self.progress[dependant].status == Status::Blocked {
                self.progress[dependant].status = Status::Skipped;
                self.open -= 1;
                self.tell(now, dependant, News::Skipped);
                doomed.extend(&self.dependants[dependant]);
            }
        }
    }
}
