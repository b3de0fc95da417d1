//! Planted bugs: executors that are wrong on purpose, made by standing between a sound one and the world.
//!
//! Each is a mistake that an engine of this sort can have. None is in the engine itself, which knows nothing of them:
//! what goes in and out is changed, or the nodes it is given.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use aloka_core::api::{ApiError, ErrorClass, Reply, Request};
use aloka_core::engine::{Cause, Effect, Event, Executor, Notice, Outcome, Ticket};
use aloka_core::identity::GENERATION_TAG;
use aloka_core::plan::{Node, Step, Verb};
use aloka_core::state::State;
use aloka_core::time::Instant;
use aloka_core::value::Value;
use aloka_sim::world::Engine;

/// The filter of a search by generation.
const GENERATION_FILTER: &str = "tag:aloka-generation";

/// One planted bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// Nothing is written down before a creation.
    NoIntent,
    /// A creation that is sent again has another client token.
    NewToken,
    /// A search by tags looks once, although AWS shows late.
    NoWaiting,
    /// Of two writes of the state, the later comes first.
    OutOfOrder,
    /// An object of an earlier generation is taken for the one searched for.
    NoGeneration,
    /// What needs a node that failed runs all the same.
    DependantsRun,
    /// The run is over, and its lock free, before the last write has arrived.
    EarlyUnlock,
    /// A waiter takes `failed` for ready.
    AcceptsFailed,
    /// A write counts as done when it is sent.
    SaysWritten,
    /// No answer is taken for a refusal.
    LostIsRefused,
}

impl Flaw {
    /// Every one.
    pub const ALL: [Self; 10] = [
        Self::NoIntent,
        Self::NewToken,
        Self::NoWaiting,
        Self::OutOfOrder,
        Self::NoGeneration,
        Self::DependantsRun,
        Self::EarlyUnlock,
        Self::AcceptsFailed,
        Self::SaysWritten,
        Self::LostIsRefused,
    ];

    /// What is wrong, for the table.
    pub const fn title(self) -> &'static str {
        match self {
            Self::NoIntent => "no intent is written",
            Self::NewToken => "another client token for the second try",
            Self::NoWaiting => "the search by tags does not wait",
            Self::OutOfOrder => "writes of the state out of order",
            Self::NoGeneration => "adoption without generation",
            Self::DependantsRun => "dependants run after a failure",
            Self::EarlyUnlock => "the lock is free before the last write",
            Self::AcceptsFailed => "a waiter accepts `failed`",
            Self::SaysWritten => "a write counts before it is done",
            Self::LostIsRefused => "a lost answer counts as a refusal",
        }
    }

    /// The nodes of a search or a plan, with what is wrong in them.
    pub(super) fn spoil(self, nodes: &mut [Node]) {
        for node in nodes {
            let is_search = node.verb == Verb::Read;
            for step in &mut node.steps {
                match (self, step) {
                    (Self::NoWaiting, Step::Wait(waiter)) if is_search => waiter.pace.deadline_ms = 0,
                    (Self::AcceptsFailed, Step::Wait(waiter)) => {
                        waiter.accept.iter_mut().for_each(|accept| accept.success = true);
                    }
                    (_, Step::Wait(_) | Step::Call { .. }) => {}
                }
            }
        }
    }
}

/// An executor, sound if there is no flaw.
pub(super) struct Driver {
    pub(super) executor: Executor,
    flaw: Option<Flaw>,
    now: Instant,
    /// How often each client token was sent.
    tokens: BTreeMap<String, u32>,
    /// Generations that were searched for.
    searches: BTreeMap<Ticket, Value>,
    /// The earlier of two writes.
    held: Option<Arc<State>>,
    /// Writes that the executor believes done.
    on_their_way: BTreeSet<u64>,
    /// It told its end already, and this is its last write.
    pub(super) last: Option<(Outcome, Arc<State>)>,
    /// What failed before the dependants were let run.
    failed: Option<Outcome>,
}

impl Driver {
    pub(super) fn new(executor: Executor, flaw: Option<Flaw>, now: Instant) -> Self {
        Self {
            executor,
            flaw,
            now,
            tokens: BTreeMap::new(),
            searches: BTreeMap::new(),
            held: None,
            on_their_way: BTreeSet::new(),
            last: None,
            failed: None,
        }
    }

    fn sends(&mut self, ticket: Ticket, request: &mut Request) {
        let args = &mut request.0.args;
        if self.flaw == Some(Flaw::NewToken)
            && let Some(token) = args.get("ClientToken").and_then(Value::as_str).map(str::to_owned)
        {
            let times = self.tokens.entry(token.clone()).or_default();
            *times += 1;
            if *times > 1 {
                args.insert("ClientToken", Value::from(format!("{token}{times}")));
            }
        }
        if self.flaw == Some(Flaw::NoGeneration)
            && let Some(Value::Map(filters)) = args.get_mut("Filters")
            && let Some(wanted) = filters.remove(GENERATION_FILTER)
        {
            let wanted = wanted.as_list().and_then(|list| list.first()).cloned().unwrap_or_default();
            self.searches.insert(ticket, wanted);
        }
    }

    /// The event that the executor sees.
    fn seen(&mut self, event: Event) -> Event {
        match event {
            Event::Replied { ticket, reply: Ok(mut value) } => {
                if let Some(wanted) = self.searches.remove(&ticket) {
                    set_generation(&mut value, &wanted);
                }
                Event::Replied { ticket, reply: Ok(value) }
            }
            Event::Replied { ticket, reply: Err(error) } => {
                let is_lost = self.flaw == Some(Flaw::LostIsRefused) && error.class == ErrorClass::Unknown;
                let reply: Reply =
                    Err(if is_lost { ApiError::answered("Failure", error.message, None) } else { error });
                Event::Replied { ticket, reply }
            }
            event => event,
        }
    }

    /// A write that the executor asks for, as it reaches the world.
    fn writes(&mut self, state: Arc<State>, now: Instant, effects: &mut Vec<Effect>) {
        let serial = state.serial;
        match self.flaw {
            Some(Flaw::NoIntent) => {
                let mut bare = State::clone(&state);
                bare.private.intents.clear();
                effects.push(Effect::Persist { state: Arc::new(bare) });
            }
            Some(Flaw::OutOfOrder) => match self.held.take() {
                Some(earlier) => {
                    let with = |state: &State, serial| Arc::new(State { serial, ..state.clone() });
                    effects.push(Effect::Persist { state: with(&state, earlier.serial) });
                    effects.push(Effect::Persist { state: with(&earlier, serial) });
                }
                None if self.ends_with(serial, now).is_some() => effects.push(Effect::Persist { state }),
                None => {
                    self.held = Some(state);
                    self.executor.on_event(now, Event::Persisted { serial });
                }
            },
            Some(Flaw::EarlyUnlock) => match self.ends_with(serial, now) {
                Some(outcome) => self.last = Some((outcome, state)),
                None => effects.push(Effect::Persist { state }),
            },
            Some(Flaw::SaysWritten) => {
                effects.push(Effect::Persist { state });
                self.on_their_way.insert(serial);
                self.executor.on_event(now, Event::Persisted { serial });
            }
            Some(
                Flaw::NewToken
                | Flaw::NoWaiting
                | Flaw::NoGeneration
                | Flaw::DependantsRun
                | Flaw::AcceptsFailed
                | Flaw::LostIsRefused,
            )
            | None => effects.push(Effect::Persist { state }),
        }
    }

    /// How the run ends if it ends with this write.
    fn ends_with(&self, serial: u64, now: Instant) -> Option<Outcome> {
        let mut ahead = self.executor.clone();
        ahead.on_event(now, Event::Persisted { serial });
        ahead.outcome()
    }

    /// The nodes that were skipped although their run is not over.
    fn skipped(&self) -> Option<(Outcome, Vec<usize>)> {
        let outcome =
            self.executor.outcome().filter(|_| self.flaw == Some(Flaw::DependantsRun) && self.failed.is_none())?;
        let Outcome::Failed { failures, skipped } = &outcome else { return None };
        let is_over = |cause: &Cause| match cause {
            Cause::Call { error, .. } | Cause::Refused { error, .. } => error.class == ErrorClass::Credentials,
            Cause::Held { .. }
            | Cause::WaitFailed { .. }
            | Cause::Short { .. }
            | Cause::WaitTimedOut { .. }
            | Cause::Foreign { .. }
            | Cause::SlowStore { .. }
            | Cause::Bug { .. } => false,
        };
        let goes_on = !skipped.is_empty() && !failures.iter().any(|failure| is_over(&failure.cause));
        goes_on.then(|| (outcome.clone(), skipped.clone()))
    }

    /// Another executor for what was skipped, in which nothing needs what failed.
    fn run_skipped(&mut self) {
        let Some((outcome, skipped)) = self.skipped() else { return };
        let nodes = self.executor.nodes();
        let place = |need: &u32| skipped.iter().position(|index| u32::try_from(*index) == Ok(*need));
        let node = |index: &usize| {
            let mut node = nodes.get(*index)?.clone();
            let needs = node.needs.iter().filter_map(place).filter_map(|index| u32::try_from(index).ok());
            node.needs = needs.collect();
            Some(node)
        };
        let nodes: Vec<Node> = skipped.iter().filter_map(node).collect();
        self.executor = Executor::new(nodes, self.executor.state().clone(), self.now);
        self.failed = Some(outcome);
    }
}

/// Every tag of a generation says the wanted one.
fn set_generation(value: &mut Value, wanted: &Value) {
    match value {
        Value::Map(map) => {
            if let Some(generation) = map.get_mut(GENERATION_TAG) {
                *generation = wanted.clone();
            }
            map.values_mut().for_each(|value| set_generation(value, wanted));
        }
        Value::List(items) => items.iter_mut().for_each(|item| set_generation(item, wanted)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Str(_) | Value::Ref(_) | Value::Secret(_) => {}
    }
}

impl Engine for Driver {
    fn poll(&mut self, now: Instant) -> Vec<Effect> {
        self.now = now;
        self.run_skipped();
        let mut effects = Vec::new();
        loop {
            let asked = self.executor.poll(now);
            if asked.is_empty() {
                return effects;
            }
            for effect in asked {
                match effect {
                    Effect::Send { ticket, mut request } => {
                        self.sends(ticket, &mut request);
                        effects.push(Effect::Send { ticket, request });
                    }
                    Effect::Persist { state } => self.writes(state, now, &mut effects),
                }
            }
        }
    }

    fn on_event(&mut self, now: Instant, event: Event) {
        self.now = now;
        if let Event::Persisted { serial } | Event::PersistFailed { serial, .. } = &event {
            self.on_their_way.remove(serial);
        }
        let event = self.seen(event);
        self.executor.on_event(now, event);
    }

    fn next_wakeup(&self) -> Option<Instant> {
        if self.skipped().is_some() { Some(self.now) } else { self.executor.next_wakeup() }
    }

    fn outcome(&self) -> Option<Outcome> {
        if let Some((outcome, _)) = &self.last {
            return Some(outcome.clone());
        }
        if self.skipped().is_some() || !self.on_their_way.is_empty() {
            return None;
        }
        let outcome = self.executor.outcome()?;
        Some(self.failed.clone().unwrap_or(outcome))
    }

    fn take_notices(&mut self) -> Vec<Notice> {
        self.executor.take_notices()
    }

    fn nodes(&self) -> &[Node] {
        self.executor.nodes()
    }
}
