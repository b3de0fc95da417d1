//! The executor: a state machine that runs a graph of procedures. Events in, effects out.
//!
//! Rules it keeps:
//! 1. A mutating call is sent only after the intent for it is persisted; its result is recorded before anything that
//!    depends on it is sent.
//! 2. Writes of state are single-flight, ordered by serial. What has to be recorded meanwhile rides along in the next.
//! 3. An unknown outcome is no failure: the operation's idempotency class says how it is made good.
//! 4. A failed node stops its dependants only, and of these not those that only read. Stop sends nothing new and records what is in flight.
//! 5. Calls are limited by the graph and by the token buckets AWS publishes.
//! 6. A creation that AWS would carry out twice is sent only shortly after a write: whoever took over meanwhile has it refused.
//!
//! It must not read a clock, wait, or know how a call is transported.

mod bucket;
pub mod event;
mod held;
mod node;
mod record;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use self::bucket::Buckets;
pub use self::event::{Cause, Effect, Event, Failure, News, Notice, Outcome, Ticket};
use self::node::{Progress, Status};
use crate::address::Address;
use crate::api::VISIBILITY_MS;
use crate::api::{RateLimit, Reply};
use crate::plan::Planned;
use crate::plan::{Node, Plan};
use crate::state::{State, Terraform};
use crate::surroundings::holders::Asker;
use crate::time::Instant;
use crate::value::Value;

/// Records that nothing waits for are written together: at the latest after this long for each recorded resource,
/// so that a large state is not written for every small change.
const FLUSH_PER_RESOURCE_MS: u64 = 10;
/// And at the earliest after this long.
const FLUSH_LEAST_MS: u64 = 1_000;
/// A creation that only tags tell apart is sent at most this long after the store last took a state of ours. Whoever reads
/// that state looks for what it says is begun until it would show; if it is sent later, it may show later.
const CONFIRMED_MAX: Duration = Duration::from_millis(VISIBILITY_MS / 3);

/// Runs one graph of nodes against one state.
#[derive(Clone, Debug)]
pub struct Executor {
    nodes: Arc<[Node]>,
    dependants: Vec<Vec<usize>>,
    progress: Vec<Progress>,
    /// Nodes that are neither done, failed nor skipped.
    open: usize,
    state: State,
    outputs: Vec<(String, Value)>,
    /// Keys of the tags that aloka sets, once every node is done.
    tag_keys: Option<BTreeSet<Arc<str>>>,
    secrets: BTreeMap<Arc<str>, Arc<str>>,
    /// Finds out who holds what AWS does not delete.
    asker: Asker,
    /// What is not shown of the object of an address, whichever object that is.
    marks: BTreeMap<Address, Arc<Terraform>>,

    /// Counts changes of `state`.
    version: u64,
    /// The last version that is written.
    persisted: u64,
    /// Serial and version of the write in flight, and when it was asked for.
    writing: Option<(u64, u64, Instant)>,
    /// When the last write was asked for that the store took.
    confirmed: Option<Instant>,
    /// The least version somebody waits for.
    urgent: Option<u64>,
    flush_at: Option<Instant>,
    /// Nodes that go on once a version is written.
    waiting: BTreeMap<u64, Vec<usize>>,

    queues: BTreeMap<RateLimit, VecDeque<usize>>,
    buckets: Buckets,
    tokens_ready: BTreeMap<RateLimit, Instant>,
    wakeups: BTreeSet<(Instant, usize)>,
    in_flight: BTreeMap<Ticket, usize>,
    last_ticket: u64,

    replies: BTreeMap<usize, Reply>,
    failures: Vec<Failure>,
    notices: Vec<Notice>,
    tells_answers: bool,
    stopping: bool,
    abandoned: bool,
    store_failed: Option<String>,
    finalised: bool,
}

impl Executor {
    /// An executor for these nodes; each stands after those it needs. `now` is the start.
    pub fn new(nodes: impl Into<Arc<[Node]>>, state: State, now: Instant) -> Self {
        let mut executor = Self::idle(nodes.into(), state, now);
        executor.launch(now);
        executor
    }

    fn idle(nodes: Arc<[Node]>, state: State, now: Instant) -> Self {
        let count = nodes.len();
        let mut dependants = vec![Vec::new(); count];
        let mut progress = Vec::with_capacity(count);
        for (index, node) in nodes.iter().enumerate() {
            let needs = node.needs.iter().filter_map(|need| usize::try_from(*need).ok()).filter(|need| *need < index);
            let mut open = 0;
            for need in needs {
                dependants[need].push(index);
                open += 1;
            }
            progress.push(Progress::new(open, now));
        }
        Self {
            nodes,
            dependants,
            progress,
            open: count,
            state,
            outputs: Vec::new(),
            tag_keys: None,
            secrets: BTreeMap::new(),
            asker: Asker::default(),
            marks: BTreeMap::new(),
            version: 0,
            persisted: 0,
            writing: None,
            confirmed: None,
            urgent: None,
            flush_at: None,
            waiting: BTreeMap::new(),
            queues: BTreeMap::new(),
            buckets: Buckets::default(),
            tokens_ready: BTreeMap::new(),
            wakeups: BTreeSet::new(),
            in_flight: BTreeMap::new(),
            last_ticket: 0,
            replies: BTreeMap::new(),
            failures: Vec::new(),
            notices: Vec::new(),
            tells_answers: false,
            stopping: false,
            abandoned: false,
            store_failed: None,
            finalised: false,
        }
    }

    /// An executor that carries out a plan.
    pub fn for_plan(planned: &Planned, now: Instant) -> Self {
        let Plan { nodes, outputs, tag_keys, secrets, .. } = &planned.plan;
        let mut executor = Self::idle(nodes.clone(), planned.state.clone(), now);
        executor.secrets.clone_from(secrets);
        executor.tag_keys = Some(tag_keys.clone());
        executor.asker = Asker::new(&planned.plan, &planned.state);
        executor.marks = planned.state.sensitive_attributes();
        executor.outputs = outputs.iter().map(|output| (output.name.clone(), output.after.clone())).collect();
        // What the plan chose and refreshed is written even if nothing else is to be done.
        executor.version = u64::from(planned.state_changed);
        executor.launch(now);
        executor
    }

    fn launch(&mut self, now: Instant) {
        let ready: Vec<usize> = (0..self.nodes.len()).filter(|index| self.progress[*index].open_needs == 0).collect();
        ready.into_iter().for_each(|index| self.start(index, now));
    }

    /// From now on there are notices of answers too: [`News::Answered`].
    pub fn tell_answers(&mut self) {
        self.tells_answers = true;
    }

    /// What to do now. Call again after every event and at [`Executor::next_wakeup`].
    pub fn poll(&mut self, now: Instant) -> Vec<Effect> {
        while let Some(&(at, index)) = self.wakeups.first() {
            if at > now {
                break;
            }
            self.wakeups.pop_first();
            self.enqueue(index);
        }
        let mut effects = Vec::new();
        self.send_queued(now, &mut effects);
        self.finalise();
        self.persist(now, &mut effects);
        effects
    }

    /// Tells what happened.
    pub fn on_event(&mut self, now: Instant, event: Event) {
        match event {
            Event::Replied { ticket, reply } => {
                // An answer to a ticket that is not in flight is an answer nobody waits for any more.
                if let Some(index) = self.in_flight.remove(&ticket) {
                    if self.tells_answers {
                        self.tell(now, index, News::Answered { reply: reply.clone() });
                    }
                    self.replied(index, reply, now);
                }
            }
            Event::Persisted { serial } => {
                if let Some((expected, version, asked)) = self.writing
                    && expected == serial
                {
                    self.writing = None;
                    self.confirmed = Some(asked);
                    self.persisted = self.persisted.max(version);
                    self.release(now);
                }
            }
            Event::PersistFailed { serial: _, message } => {
                self.writing = None;
                self.store_failed = Some(message);
                self.stop();
            }
            Event::Stop => self.stop(),
            Event::Abandon => {
                self.stop();
                self.abandoned = true;
            }
        }
    }

    /// When to poll again if nothing happens before.
    pub fn next_wakeup(&self) -> Option<Instant> {
        let timer = self.wakeups.first().map(|(at, _)| *at);
        let queued = |limit: &RateLimit| self.queues.get(limit).is_some_and(|queue| !queue.is_empty());
        let tokens = self.tokens_ready.iter().filter(|(limit, _)| queued(limit)).map(|(_, at)| *at).min();
        let flush = self.flush_at.filter(|_| self.writing.is_none() && self.store_failed.is_none());
        [timer, tokens, flush].into_iter().flatten().min()
    }

    /// How it ended; `None` while it runs.
    pub fn outcome(&self) -> Option<Outcome> {
        let quiet = self.in_flight.is_empty() || self.abandoned;
        if let Some(message) = &self.store_failed {
            return quiet.then(|| Outcome::StoreFailed { message: message.clone() });
        }
        let over = self.open == 0 || (self.stopping && quiet);
        if !over || self.writing.is_some() || self.version != self.persisted || !self.finalised {
            return None;
        }
        let with = |wanted: fn(&Status) -> bool| -> Vec<usize> {
            (0..self.nodes.len()).filter(|index| wanted(&self.progress[*index].status)).collect()
        };
        if !self.failures.is_empty() {
            let skipped = with(|status| !matches!(status, Status::Done | Status::Failed));
            return Some(Outcome::Failed { failures: self.failures.clone(), skipped });
        }
        if self.open > 0 {
            return Some(Outcome::Stopped { unfinished: with(|status| !matches!(status, Status::Done)) });
        }
        Some(Outcome::Done)
    }

    /// The news since the last call.
    pub fn take_notices(&mut self) -> Vec<Notice> {
        std::mem::take(&mut self.notices)
    }

    /// The nodes it runs.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Replies of nodes that only read, by node.
    pub fn replies(&self) -> Vec<(&Node, &Reply)> {
        self.replies.iter().filter_map(|(index, reply)| Some((self.nodes.get(*index)?, reply))).collect()
    }

    /// The same, taken out: what else the executor held is gone.
    pub fn into_replies(self) -> Vec<(Node, Reply)> {
        let Self { nodes, replies, .. } = self;
        replies.into_iter().filter_map(|(index, reply)| Some((nodes.get(index)?.clone(), reply))).collect()
    }

    /// The state as it is known now.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The state as it is known now; what is written is the same once [`Executor::outcome`] is there.
    pub fn into_state(self) -> State {
        self.state
    }

    /// Sends nothing new from now on; what waits is left as it is recorded.
    fn stop(&mut self) {
        self.stopping = true;
        self.queues.clear();
        self.wakeups.clear();
    }

    fn enqueue(&mut self, index: usize) {
        if self.stopping {
            return;
        }
        if let Some(limit) = self.rate_limit(index) {
            self.queues.entry(limit).or_default().push_back(index);
        }
    }

    fn send_queued(&mut self, now: Instant, effects: &mut Vec<Effect>) {
        let limits: Vec<RateLimit> = self.queues.keys().copied().collect();
        for limit in limits {
            while let Some(&index) = self.queues.get(&limit).and_then(VecDeque::front) {
                if self.must_confirm(index, now) {
                    if let Some(queue) = self.queues.get_mut(&limit) {
                        queue.pop_front();
                    }
                    if self.confirm(index, now) {
                        self.changed(now);
                        let _not_yet = self.when_persisted(index);
                    }
                    continue;
                }
                match self.buckets.take(limit, now) {
                    Ok(()) => {
                        self.tokens_ready.remove(&limit);
                        if let Some(queue) = self.queues.get_mut(&limit) {
                            queue.pop_front();
                        }
                        effects.extend(self.send(index, now));
                    }
                    Err(wait) => {
                        self.tokens_ready.insert(limit, now + wait.max(Duration::from_millis(1)));
                        break;
                    }
                }
            }
        }
    }

    /// True if the node is about to send a creation of which AWS would carry out a second one, and the last write is so long
    /// ago that somebody else may have given up looking for what it makes, and made it: another write tells.
    fn must_confirm(&self, index: usize, now: Instant) -> bool {
        let is_recent = |at: Instant| now.since(at) < CONFIRMED_MAX;
        self.sends_untold_creation(index) && !self.confirmed.is_some_and(is_recent)
    }

    fn wake_at(&mut self, index: usize, at: Instant) {
        if !self.stopping {
            self.wakeups.insert((at, index));
        }
    }

    fn ticket(&mut self, index: usize) -> Ticket {
        self.last_ticket += 1;
        let ticket = Ticket(self.last_ticket);
        self.in_flight.insert(ticket, index);
        ticket
    }

    fn tell(&mut self, now: Instant, index: usize, news: News) {
        self.notices.push(Notice { at: now, node: index, news });
    }

    /// The state changed: it will be written, at once if `urgent`.
    fn changed(&mut self, now: Instant) {
        self.version += 1;
        if self.flush_at.is_none() {
            let resources = u64::try_from(self.state.resources.len()).unwrap_or(u64::MAX);
            let delay = resources.saturating_mul(FLUSH_PER_RESOURCE_MS).max(FLUSH_LEAST_MS);
            self.flush_at = Some(now + Duration::from_millis(delay));
        }
    }

    /// Goes on with the node once everything recorded so far is written. True if it is already.
    fn when_persisted(&mut self, index: usize) -> bool {
        if self.persisted >= self.version {
            return true;
        }
        self.urgent = Some(self.version);
        self.waiting.entry(self.version).or_default().push(index);
        false
    }

    fn persist(&mut self, now: Instant, effects: &mut Vec<Effect>) {
        if self.writing.is_some() || self.store_failed.is_some() || self.version == self.persisted {
            return;
        }
        let due = self.flush_at.is_some_and(|at| at <= now);
        let wanted = self.urgent.is_some_and(|version| version > self.persisted);
        let last = self.open == 0 || (self.stopping && (self.in_flight.is_empty() || self.abandoned));
        if due || wanted || last {
            self.state.serial += 1;
            self.writing = Some((self.state.serial, self.version, now));
            self.urgent = None;
            self.flush_at = None;
            effects.push(Effect::Persist { state: Arc::new(self.state.clone()) });
        }
    }

    fn release(&mut self, now: Instant) {
        while let Some(entry) = self.waiting.first_entry() {
            if *entry.key() > self.persisted {
                self.urgent = Some(*entry.key());
                break;
            }
            for index in entry.remove() {
                self.resume(index, now);
            }
        }
    }

    /// Sets the outputs once no node can change them any more.
    fn finalise(&mut self) {
        let over = self.open == 0 || (self.stopping && (self.in_flight.is_empty() || self.abandoned));
        if self.finalised || !over {
            return;
        }
        self.finalised = true;
        let outputs = std::mem::take(&mut self.outputs);
        let mut changed = false;
        for (name, value) in outputs {
            let value = self.resolve(&value);
            if value.is_null() {
                changed |= self.state.remove_output(&name);
            } else if value.is_literal() && self.state.outputs.get(&name) != Some(&value) {
                self.state.set_output(name, value);
                changed = true;
            }
        }
        if let Some(keys) = self.tag_keys.take().filter(|_| self.open == 0 && self.failures.is_empty())
            && self.state.private.tag_keys != keys
        {
            self.state.private.tag_keys = keys;
            changed = true;
        }
        self.version += u64::from(changed);
    }
}
