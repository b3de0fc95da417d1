//! The simulated world: a virtual clock and a queue of events around the executor, as the command line tool's loop is
//! around AWS.
//!
//! It performs effects, in the order of time and then of their making, and tells the executor what came of them. It
//! decides nothing but what the faults it was given decide. A world outlives the runs in it: after a crash, make a new
//! executor from what the store holds and go on.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aloka_core::api::{Operation, Reply, Request};
use aloka_core::engine::{Effect, Event, Executor, News, Notice, Outcome, Ticket};
use aloka_core::plan::{Node, Verb};
use aloka_core::secret::Secrets;
use aloka_core::state::State;
use aloka_core::time::{Human, Instant};

use crate::aws::Account;
use crate::fault::{Fault, FaultPlan, Occurrence, OccurrenceKind, When};
use crate::store::Store;
use crate::trace::{Trace, TraceKind};

/// How long a lost answer is waited for, as the AWS driver does.
const ANSWER_LOST_AFTER: Duration = Duration::from_secs(30);
/// An executor that is polled this often without time passing or anything happening is not going to end.
const IDLE_POLLS_MAX: u32 = 1000;

/// How long effects take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Latency {
    /// From sending a call to its answer, milliseconds; AWS acts half way.
    pub call_ms: u64,
    /// From asking for a write of the state to its being written, milliseconds.
    pub persist_ms: u64,
}

impl Default for Latency {
    fn default() -> Self {
        Self { call_ms: 100, persist_ms: 20 }
    }
}

/// Somebody who looks on. What it does must not change the world, unless it plays the part of somebody else in it: then
/// it may send calls of its own to the account, in the order of time.
pub trait Watch {
    /// The executor had something to tell.
    fn notice(&mut self, nodes: &[Node], notice: &Notice) {
        let _ignored = (nodes, notice);
    }

    /// AWS has acted on a call, or refused it; `reply` is its answer, before any fault changes or loses it.
    fn after_call(&mut self, now: Instant, account: &mut Account, request: &Request, reply: &Reply) {
        let _ignored = (now, account, request, reply);
    }

    /// AWS is about to give this answer. Who plays an AWS that is not as the account has it gives another.
    fn answer(&mut self, request: &Request, reply: &mut Reply) {
        let _as_it_is = (request, reply);
    }

    /// Asked before virtual time passes from `from` to `to`: what reaches the process from outside meanwhile, and when. It
    /// may let real time pass.
    fn interrupt(&mut self, nodes: &[Node], from: Instant, to: Instant) -> Option<(Instant, Event)> {
        let _ignored = (nodes, from, to);
        None
    }

    /// Virtual time is about to pass.
    fn before_advance(&mut self, account: &mut Account, from: Instant, to: Instant) {
        let _ignored = (account, from, to);
    }
}

/// Nobody looks on.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unwatched;

impl Watch for Unwatched {}

/// What a world runs: the executor, or a test's own that is wrong on purpose.
pub trait Engine {
    /// What to do now. Called again after every event and at [`Engine::next_wakeup`].
    fn poll(&mut self, now: Instant) -> Vec<Effect>;
    /// Tells what happened.
    fn on_event(&mut self, now: Instant, event: Event);
    /// When to poll again if nothing happens before.
    fn next_wakeup(&self) -> Option<Instant>;
    /// How it ended; `None` while it runs.
    fn outcome(&self) -> Option<Outcome>;
    /// The news since the last call.
    fn take_notices(&mut self) -> Vec<Notice>;
    /// The nodes it runs.
    fn nodes(&self) -> &[Node];
}

impl Engine for Executor {
    fn poll(&mut self, now: Instant) -> Vec<Effect> {
        self.poll(now)
    }

    fn on_event(&mut self, now: Instant, event: Event) {
        self.on_event(now, event);
    }

    fn next_wakeup(&self) -> Option<Instant> {
        self.next_wakeup()
    }

    fn outcome(&self) -> Option<Outcome> {
        self.outcome()
    }

    fn take_notices(&mut self) -> Vec<Notice> {
        self.take_notices()
    }

    fn nodes(&self) -> &[Node] {
        self.nodes()
    }
}

/// How a run in a world ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunEnd {
    /// The executor ended.
    Outcome(Outcome),
    /// A fault killed the process. What it knew is lost but for what the store holds.
    Crashed,
    /// The executor has nothing under way, nothing to wait for and no outcome: a bug in it.
    Stuck,
}

/// An account, a clock and everything under way between them and the executor.
#[derive(Clone, Debug)]
pub struct World {
    /// The simulated account.
    pub account: Account,
    /// Faults that have not struck yet.
    pub faults: FaultPlan,
    /// What happened so far.
    pub trace: Trace,
    now: Instant,
    /// How long calls and writes take.
    pub latency: Latency,
    queue: BTreeMap<(Instant, u64), Pending>,
    sequence: u64,
    effects: u64,
    writes: u64,
    calls: BTreeMap<Operation, u64>,
    /// When the store last took a state.
    written: Option<Instant>,
    struck: Vec<(When, Fault)>,
    snapshot_at: Option<usize>,
    snapshot: Option<(Instant, Account)>,
}

/// Something under way.
#[derive(Clone, Debug)]
enum Pending {
    /// On the wire to AWS.
    Call { ticket: Ticket, request: Request, faults: Vec<Fault> },
    /// On its way to the disk.
    Write { state: Arc<State>, faults: Vec<Fault> },
    /// On its way back to the executor.
    Event(Event),
    /// The end of the process.
    Crash,
}

impl World {
    /// A world at virtual time zero.
    pub fn new(account: Account, latency: Latency) -> Self {
        Self {
            account,
            faults: FaultPlan::none(),
            trace: Trace::off(),
            now: Instant::ZERO,
            latency,
            queue: BTreeMap::new(),
            sequence: 0,
            effects: 0,
            writes: 0,
            calls: BTreeMap::new(),
            written: None,
            struck: Vec::new(),
            snapshot_at: None,
            snapshot: None,
        }
    }

    /// The same world at another time, which must not be earlier.
    pub fn at(self, now: Instant) -> Self {
        Self { now: now.max(self.now), ..self }
    }

    /// The same world with these faults.
    pub fn with_faults(self, faults: FaultPlan) -> Self {
        Self { faults, ..self }
    }

    /// The same world, keeping a trace from now on.
    pub fn traced(self) -> Self {
        Self { trace: Trace::on(), ..self }
    }

    /// The virtual time.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// How many effects were asked for, over all runs: those of a run yet to come start with this number.
    pub fn effects(&self) -> u64 {
        self.effects
    }

    /// How many calls were sent, by operation, over all runs.
    pub fn calls(&self) -> &BTreeMap<Operation, u64> {
        &self.calls
    }

    /// How many writes of the state were asked for, over all runs.
    pub fn writes(&self) -> u64 {
        self.writes
    }

    /// The faults that have struck, in order.
    pub fn faults_struck(&self) -> &[(When, Fault)] {
        &self.struck
    }

    /// Keeps a copy of the account as it is after the event with this number, counted from 1, of a trace.
    pub fn snapshot_after(&mut self, event: usize) {
        self.snapshot_at = Some(event);
    }

    /// The copy that [`World::snapshot_after`] asked for, with its time.
    pub fn take_snapshot(&mut self) -> Option<(Instant, Account)> {
        self.snapshot.take()
    }

    /// Tells in the trace what the next run is for.
    pub fn announce(&mut self, what: fmt::Arguments<'_>) {
        self.note(TraceKind::Run, None, what);
    }

    fn note(&mut self, kind: TraceKind, operation: Option<Operation>, what: fmt::Arguments<'_>) {
        if self.trace.is_on() {
            self.trace.push(self.now, kind, operation, what);
            if self.snapshot_at == Some(self.trace.entries().len()) {
                self.snapshot = Some((self.now, self.account.clone()));
            }
        }
    }

    /// How long ago the store last took a state; `None` if it never did in this world.
    pub fn since_written(&self) -> Option<Duration> {
        self.written.map(|written| self.now.since(written))
    }

    /// Somebody else's run wrote the state at `at`.
    pub fn written_at(&mut self, at: Instant) {
        self.written = self.written.max(Some(at));
    }

    /// Lets time pass while nothing runs.
    pub fn rest(&mut self, duration: Duration) {
        self.now = self.now + duration;
    }

    /// Runs `executor` to its end, or to the end of the process.
    pub fn run(
        &mut self,
        executor: &mut dyn Engine,
        store: &mut dyn Store,
        secrets: &Secrets,
        watch: &mut dyn Watch,
    ) -> RunEnd {
        let end = self.run_until_end(executor, store, secrets, watch);
        // What is on the wire arrives, though nobody waits for the answer any more.
        while let Some(((at, _), pending)) = self.queue.pop_first() {
            if let Pending::Call { request, faults, .. } = pending {
                self.advance(at, watch);
                let _answer = self.call(&request, &faults, secrets, watch);
            }
        }
        match &end {
            RunEnd::Outcome(outcome) => self.note(TraceKind::End, None, format_args!("{outcome:?}")),
            RunEnd::Crashed => self.note(TraceKind::End, None, format_args!("crashed")),
            RunEnd::Stuck => self.note(TraceKind::End, None, format_args!("stuck")),
        }
        end
    }

    fn run_until_end(
        &mut self,
        executor: &mut dyn Engine,
        store: &mut dyn Store,
        secrets: &Secrets,
        watch: &mut dyn Watch,
    ) -> RunEnd {
        let mut idle_polls = 0;
        // What came before the run: nothing is sent then.
        let _heard = self.interrupted(executor, self.now, watch);
        loop {
            let effects = executor.poll(self.now);
            idle_polls = if effects.is_empty() { idle_polls + 1 } else { 0 };
            self.tell(executor, watch);
            for effect in effects {
                if self.perform(effect).is_none() {
                    return RunEnd::Crashed;
                }
            }
            if let Some(outcome) = executor.outcome() {
                return RunEnd::Outcome(outcome);
            }
            // Events that concern the executor end this loop; those that do not, and there may be many, are worked off.
            loop {
                let wakeup = executor.next_wakeup();
                let next = self.queue.first_key_value().map(|((at, _), _)| *at);
                match (next, wakeup) {
                    (None, None) => return RunEnd::Stuck,
                    (next, Some(wakeup)) if next.is_none_or(|next| wakeup < next) => {
                        if wakeup > self.now {
                            idle_polls = 0;
                        } else if idle_polls > IDLE_POLLS_MAX {
                            return RunEnd::Stuck;
                        }
                        if !self.interrupted(executor, wakeup, watch) {
                            self.advance(wakeup, watch);
                        }
                        break;
                    }
                    (Some(next), None | Some(_)) if self.interrupted(executor, next, watch) => break,
                    (None | Some(_), None | Some(_)) => {}
                }
                let Some(((at, _), pending)) = self.queue.pop_first() else { break };
                self.advance(at, watch);
                idle_polls = 0;
                match pending {
                    Pending::Call { ticket, request, faults } => {
                        if let Some((reply, at)) = self.call(&request, &faults, secrets, watch) {
                            self.answer(at, Event::Replied { ticket, reply }, &faults);
                        }
                    }
                    Pending::Write { state, faults } => {
                        if let Some(event) = self.write(&state, &faults, store) {
                            self.answer(self.half(self.latency.persist_ms), event, &faults);
                        }
                    }
                    Pending::Crash => return RunEnd::Crashed,
                    Pending::Event(event) => {
                        self.note_event(&event);
                        executor.on_event(self.now, event);
                        self.tell(executor, watch);
                        break;
                    }
                }
            }
        }
    }

    /// True if something from outside reached the executor before time had come to `to`.
    fn interrupted(&mut self, executor: &mut dyn Engine, to: Instant, watch: &mut dyn Watch) -> bool {
        let Some((at, event)) = watch.interrupt(executor.nodes(), self.now, to) else { return false };
        self.advance(at.min(to).max(self.now), watch);
        self.note_event(&event);
        executor.on_event(self.now, event);
        self.tell(executor, watch);
        true
    }

    /// Sets an effect on its way. `None` if the process dies instead.
    fn perform(&mut self, effect: Effect) -> Option<()> {
        let number = self.effects;
        self.effects += 1;
        let (kind, half) = match &effect {
            Effect::Send { request, .. } => {
                let operation = request.operation();
                *self.calls.entry(operation).or_default() += 1;
                let nth_of_operation = self.calls.get(&operation).copied().unwrap_or_default();
                let nth = self.effects - self.writes;
                self.note(TraceKind::Send, Some(operation), format_args!("effect {number}: {request}"));
                (OccurrenceKind::Call { operation, nth, nth_of_operation }, self.half(self.latency.call_ms))
            }
            Effect::Persist { state } => {
                self.writes += 1;
                self.note(TraceKind::Store, None, format_args!("effect {number}: write serial {}", state.serial));
                (OccurrenceKind::Write { nth: self.writes }, self.half(self.latency.persist_ms))
            }
        };
        let struck = self.faults.strike(Occurrence { effect: number, kind });
        let faults: Vec<Fault> = struck.iter().map(|(_, fault)| fault.clone()).collect();
        for (when, fault) in struck {
            self.note(TraceKind::Fault, None, format_args!("{fault} at effect {number} ({when})"));
            self.struck.push((when, fault));
        }
        for fault in &faults {
            match fault {
                Fault::CrashBefore => return None,
                Fault::Stop => self.schedule(self.now, Pending::Event(Event::Stop)),
                Fault::Abandon => {
                    self.schedule(self.now, Pending::Event(Event::Stop));
                    self.schedule(self.now, Pending::Event(Event::Abandon));
                }
                Fault::CrashAfter
                | Fault::CrashAnswered
                | Fault::LostReply
                | Fault::Throttled
                | Fault::ServerError { .. }
                | Fault::NotFound
                | Fault::Credentials
                | Fault::Refused { .. }
                | Fault::Failed { .. }
                | Fault::StoreFailed
                | Fault::StoreUnsure
                | Fault::Overtaken => {}
            }
        }
        self.schedule(
            half,
            match effect {
                Effect::Send { ticket, request } => Pending::Call { ticket, request, faults },
                Effect::Persist { state } => Pending::Write { state, faults },
            },
        );
        Some(())
    }

    /// A call arrives at AWS. The answer and when it arrives back; `None` if the process dies of it.
    fn call(
        &mut self,
        request: &Request,
        faults: &[Fault],
        secrets: &Secrets,
        watch: &mut dyn Watch,
    ) -> Option<(Reply, Instant)> {
        let operation = request.operation();
        let instead = faults.iter().find_map(|fault| fault.answer(operation));
        let acts = instead.as_ref().is_none_or(|(acted, _)| *acted);
        for fault in faults.iter().filter(|_| acts) {
            if let Fault::Failed { code } = fault {
                self.account.fail_next(operation, code, "it failed after AWS accepted the call");
            }
        }
        let own = acts.then(|| {
            let mut reply = self.account.call(self.now, request, secrets);
            watch.after_call(self.now, &mut self.account, request, &reply);
            watch.answer(request, &mut reply);
            match &reply {
                Ok(value) => self.note(TraceKind::Aws, Some(operation), format_args!("{operation} -> {value}")),
                Err(error) => self.note(TraceKind::Aws, Some(operation), format_args!("{operation} -> {error}")),
            }
            reply
        });
        if faults.contains(&Fault::CrashAfter) {
            self.schedule(self.now, Pending::Crash);
            return None;
        }
        let lost = faults.contains(&Fault::LostReply);
        let at = if lost { self.now + ANSWER_LOST_AFTER } else { self.half(self.latency.call_ms) };
        let reply = match (instead, own) {
            (Some((_, error)), _) => Err(error),
            (None, Some(reply)) => reply,
            // A call without a fault is always acted upon.
            (None, None) => return None,
        };
        Some((reply, at))
    }

    /// A state arrives at the store. `None` if the process dies of it.
    fn write(&mut self, state: &Arc<State>, faults: &[Fault], store: &mut dyn Store) -> Option<Event> {
        let serial = state.serial;
        if faults.contains(&Fault::Overtaken) {
            store.overtake();
            self.written = Some(self.now);
            self.note(TraceKind::Store, None, format_args!("another process writes serial {serial}"));
        }
        let result = if faults.contains(&Fault::StoreFailed) {
            Err("input/output error".to_owned())
        } else {
            store.write(state)
        };
        if result.is_ok() {
            self.written = Some(self.now);
        }
        match &result {
            Ok(()) => self.note(TraceKind::Store, None, format_args!("serial {serial} written")),
            Err(message) => self.note(TraceKind::Store, None, format_args!("serial {serial} refused: {message}")),
        }
        if faults.contains(&Fault::CrashAfter) {
            self.schedule(self.now, Pending::Crash);
            return None;
        }
        let result = match result {
            Ok(()) if faults.contains(&Fault::StoreUnsure) => Err("no answer from the store".to_owned()),
            result => result,
        };
        Some(match result {
            Ok(()) => Event::Persisted { serial },
            Err(message) => Event::PersistFailed { serial, message },
        })
    }

    fn advance(&mut self, to: Instant, watch: &mut dyn Watch) {
        if to > self.now {
            watch.before_advance(&mut self.account, self.now, to);
            self.now = to;
        }
    }

    fn half(&self, ms: u64) -> Instant {
        self.now + Duration::from_millis(ms.div_ceil(2))
    }

    fn answer(&mut self, at: Instant, event: Event, faults: &[Fault]) {
        self.schedule(at, Pending::Event(event));
        if faults.contains(&Fault::CrashAnswered) {
            self.schedule(at, Pending::Crash);
        }
    }

    fn schedule(&mut self, at: Instant, pending: Pending) {
        self.sequence += 1;
        self.queue.insert((at, self.sequence), pending);
    }

    fn note_event(&mut self, event: &Event) {
        let kind = TraceKind::Event;
        match event {
            Event::Replied { ticket, reply: Ok(_) } => {
                self.note(kind, None, format_args!("call {} answered", ticket.0));
            }
            Event::Replied { ticket, reply: Err(error) } => {
                self.note(kind, None, format_args!("call {} failed: {error}", ticket.0));
            }
            Event::Persisted { serial } => self.note(kind, None, format_args!("serial {serial} persisted")),
            Event::PersistFailed { serial, message } => {
                self.note(kind, None, format_args!("serial {serial} not persisted: {message}"));
            }
            Event::Stop => self.note(kind, None, format_args!("stop")),
            Event::Abandon => self.note(kind, None, format_args!("abandon")),
        }
    }

    fn tell(&mut self, executor: &mut dyn Engine, watch: &mut dyn Watch) {
        for notice in executor.take_notices() {
            watch.notice(executor.nodes(), &notice);
            if self.trace.is_on()
                && let Some(node) = executor.nodes().get(notice.node)
                && node.verb != Verb::Read
            {
                self.note_news(node, &notice.news);
            }
        }
    }

    fn note_news(&mut self, node: &Node, news: &News) {
        let (kind, target, verb) = (TraceKind::Node, &node.target, node.verb);
        match news {
            News::Started => self.note(kind, None, format_args!("{target}: {verb:?} begins")),
            News::Finished { elapsed, id } => {
                let id = id.as_ref().map(|id| format!(", {id}")).unwrap_or_default();
                self.note(kind, None, format_args!("{target}: {verb:?} done after {}{id}", Human(*elapsed)));
            }
            News::Retry { error, after } => {
                self.note(kind, None, format_args!("{target}: {}, again in {}", error.code, Human(*after)));
            }
            News::Adopted { id } => self.note(kind, None, format_args!("{target}: found {id}")),
            News::Failed { cause } => self.note(kind, None, format_args!("{target}: failed: {cause}")),
            News::Skipped => self.note(kind, None, format_args!("{target}: skipped")),
            // The trace has the calls themselves.
            News::Waiting { .. } | News::Sent { .. } | News::Answered { .. } => {}
        }
    }
}

#[cfg(test)]
mod tests;
