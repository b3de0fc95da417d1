//! An operator who is moved one effect at a time: looks for what an interrupted run made, reads, plans, applies.
//!
//! The command line tool does the same in one go; here others may act between any two effects. It decides nothing, and
//! takes note of what it must never be asked for.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use aloka_core::api::{Reply, Request};
use aloka_core::engine::{Effect, Event, Executor, Notice, Outcome};
use aloka_core::plan::Planned;
use aloka_core::plan::{Node, Plan};
use aloka_core::session::{Inputs, Next, Session, unread};
use aloka_core::state::State;
use aloka_core::time::Instant;

/// Where an operator works.
pub trait Place {
    /// The virtual time.
    fn now(&self) -> Instant;
    /// A call of this operator.
    ///
    /// # Errors
    /// AWS's refusals.
    fn call(&mut self, request: &Request) -> Reply;
    /// A write of the state.
    ///
    /// # Errors
    /// Why the store did not take it.
    fn write(&mut self, state: &Arc<State>) -> Result<(), String>;
    /// The state held.
    fn state(&self) -> State;
    /// How long ago anybody wrote it.
    fn since_written(&self) -> Option<Duration>;
    /// May the plan be carried out? Who would have to name a database and has not says no.
    fn approves(&mut self, plan: &Plan) -> bool {
        let _any = plan;
        true
    }
    /// What the executor tells.
    fn notice(&mut self, nodes: &[Node], notice: &Notice) {
        let _ignored = (nodes, notice);
    }
}

/// What an operator is at.
#[derive(Clone, Debug)]
pub enum Phase {
    /// Reads what a plan needs.
    Reading(Box<Executor>),
    /// Waits before it reads again.
    Resting(Instant),
    /// Has a plan that nobody has approved yet.
    Planned(Box<Planned>),
    /// Carries out its plan.
    Applying(Box<Executor>),
    /// Ended; why not, if it was not done.
    Ended(Result<(), String>),
}

/// An operator and its command.
#[derive(Clone, Debug)]
pub struct Operator {
    /// For stories.
    pub name: &'static str,
    /// What it is at.
    pub phase: Phase,
    /// Why the store refused a write.
    pub refused: Option<String>,
    /// Rules of the executor that it broke.
    pub breaches: Vec<String>,
    session: Session,
    /// How old the state was when what a plan needs was last read.
    age: Option<Duration>,
    outbox: VecDeque<Effect>,
}

impl Operator {
    /// An operator who begins now.
    pub fn new(name: &'static str, inputs: Inputs, place: &impl Place) -> Self {
        let mut operator = Self {
            name,
            session: Session::new(place.state(), inputs),
            phase: Phase::Ended(Ok(())),
            age: None,
            outbox: VecDeque::new(),
            refused: None,
            breaches: Vec::new(),
        };
        operator.go_on(place);
        operator
    }

    /// True if it has ended.
    pub fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Ended(_))
    }

    /// True while it has no plan yet.
    pub fn is_planning(&self) -> bool {
        !matches!(self.phase, Phase::Applying(_) | Phase::Ended(_))
    }

    fn executor(&mut self) -> Option<&mut Executor> {
        match &mut self.phase {
            Phase::Reading(executor) | Phase::Applying(executor) => Some(executor),
            Phase::Resting(_) | Phase::Planned(_) | Phase::Ended(_) => None,
        }
    }

    /// When it has something to do, if it has nothing now.
    pub fn wakeup(&mut self) -> Option<Instant> {
        match self.phase {
            Phase::Resting(until) => Some(until),
            _ => self.executor().and_then(|executor| executor.next_wakeup()),
        }
    }

    /// Gets its next effect ready. False if it has none now.
    pub fn ready(&mut self, place: &mut impl Place) -> bool {
        loop {
            if !self.outbox.is_empty() {
                return true;
            }
            if let Phase::Resting(until) = self.phase
                && until <= place.now()
            {
                self.go_on(place);
            }
            let Some(executor) = self.executor() else { return false };
            let effects = executor.poll(place.now());
            for notice in executor.take_notices() {
                place.notice(executor.nodes(), &notice);
            }
            self.outbox.extend(effects);
            if self.outbox.is_empty() {
                let Some(outcome) = self.executor().and_then(|executor| executor.outcome()) else { return false };
                self.advance(outcome, place);
            }
        }
    }

    /// Performs its next effect. False if it has none now.
    pub fn turn(&mut self, place: &mut impl Place) -> bool {
        if !self.ready(place) {
            return false;
        }
        let Some(effect) = self.outbox.pop_front() else { return false };
        let event = match effect {
            Effect::Send { ticket, request } => {
                if request.operation().is_mutating() {
                    self.note_breaches(&request);
                }
                Event::Replied { ticket, reply: place.call(&request) }
            }
            Effect::Persist { state } => match place.write(&state) {
                Ok(()) => Event::Persisted { serial: state.serial },
                Err(message) => {
                    self.refused = Some(message.clone());
                    Event::PersistFailed { serial: state.serial, message }
                }
            },
        };
        let now = place.now();
        if let Some(executor) = self.executor() {
            executor.on_event(now, event);
        }
        true
    }

    fn note_breaches(&mut self, request: &Request) {
        if let Some(why) = &self.refused {
            self.breaches.push(format!("{} sends {request} after {why}", self.name));
        }
        if self.is_planning() {
            self.breaches.push(format!("{} sends {request} while it plans", self.name));
        }
    }

    /// What its session needs next.
    fn go_on(&mut self, place: &impl Place) {
        self.phase = match self.session.step() {
            Next::Read(nodes) => {
                self.age = place.since_written();
                Phase::Reading(Box::new(Executor::new(nodes, self.session.state().clone(), place.now())))
            }
            Next::Wait(pause) => Phase::Resting(place.now() + pause),
            Next::Done(planned) => Phase::Planned(planned),
            Next::Refused(problems) => Phase::Ended(Err(format!("{problems:?}"))),
        };
    }

    fn advance(&mut self, outcome: Outcome, place: &mut impl Place) {
        match std::mem::replace(&mut self.phase, Phase::Ended(Ok(()))) {
            Phase::Reading(executor) => {
                let problems = unread(&executor, &outcome);
                if !problems.is_empty() {
                    self.phase = Phase::Ended(Err(format!("{problems:?}")));
                    return;
                }
                self.session.answered(executor.into_replies(), self.age);
                self.go_on(place);
                if let Phase::Planned(planned) = &self.phase {
                    let planned = planned.clone();
                    self.phase = if place.approves(&planned.plan) {
                        Phase::Applying(Box::new(Executor::for_plan(&planned, place.now())))
                    } else {
                        Phase::Ended(Err("not approved".to_owned()))
                    };
                }
            }
            Phase::Applying(_) if outcome == Outcome::Done => {}
            Phase::Applying(_) => self.phase = Phase::Ended(Err(format!("{outcome:?}"))),
            other @ (Phase::Resting(_) | Phase::Planned(_) | Phase::Ended(_)) => self.phase = other,
        }
    }
}
