//! One round of planning, as every command does it: recovery, reading, planning; and one of finding a lost stack.

use std::fmt;

use aloka_core::engine::{Executor, Outcome};
use aloka_core::plan::Node;
use aloka_core::plan::{Planned, Problem};
use aloka_core::secret::Secrets;
use aloka_core::session::claim::{Claimed, Search};
use aloka_core::session::{Inputs, Next, Session, unread};
use aloka_core::state::State;

use crate::store::Store;
use crate::world::{RunEnd, Unwatched, Watch, World};

/// Why a round of planning gave no plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotPlanned {
    /// What is wrong.
    Problems(Vec<Problem>),
    /// A fault ended the run while it was reading.
    Ended(RunEnd),
}

impl fmt::Display for NotPlanned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Problems(problems) => {
                f.write_str(&problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
            }
            Self::Ended(end) => write!(f, "reading ended with {end:?}"),
        }
    }
}

/// One round of planning, as every command does it: find what an interrupted run could not record, read what a plan
/// needs, plan. `state` is what the store holds, or a new one.
///
/// # Errors
/// See [`NotPlanned`].
pub fn plan_round(
    world: &mut World,
    store: &mut dyn Store,
    secrets: &Secrets,
    state: State,
    inputs: &Inputs,
) -> Result<Planned, NotPlanned> {
    plan_round_watched(world, store, secrets, state, inputs, &mut Unwatched)
}

/// [`plan_round`] with somebody who looks on.
///
/// # Errors
/// See [`NotPlanned`].
pub fn plan_round_watched(
    world: &mut World,
    store: &mut dyn Store,
    secrets: &Secrets,
    state: State,
    inputs: &Inputs,
    watch: &mut dyn Watch,
) -> Result<Planned, NotPlanned> {
    survey(world, store, secrets, &mut Session::new(state, inputs.clone()), watch)
}

/// A session from wherever it stands to its plan.
///
/// # Errors
/// See [`NotPlanned`].
pub fn survey(
    world: &mut World,
    store: &mut dyn Store,
    secrets: &Secrets,
    session: &mut Session,
    watch: &mut dyn Watch,
) -> Result<Planned, NotPlanned> {
    loop {
        match session.step() {
            Next::Read(nodes) => {
                // Before reading: an answer may be from the beginning of a round of reads that took its time.
                let age = world.since_written();
                let executor = read(world, store, secrets, session.state(), nodes, watch)?;
                session.answered(executor.into_replies(), age);
            }
            Next::Wait(pause) => world.rest(pause),
            Next::Done(planned) => return Ok(*planned),
            Next::Refused(problems) => return Err(NotPlanned::Problems(problems)),
        }
    }
}

/// A stack found without its state, as `state recover` and `adopt` do it, and the plan that follows. `floor` is as
/// [`Session::find`] wants it.
///
/// # Errors
/// See [`NotPlanned`].
pub fn claim_round(
    world: &mut World,
    store: &mut dyn Store,
    secrets: &Secrets,
    state: &State,
    (inputs, search): (&Inputs, &Search),
    floor: u32,
) -> Result<(Claimed, Planned), NotPlanned> {
    let inputs = Inputs { password: inputs.password.clone().trusted(), recording: true, ..inputs.clone() };
    let mut session = Session::find(state.clone(), inputs, search.clone(), floor);
    let planned = survey(world, store, secrets, &mut session, &mut Unwatched)?;
    let claimed = session.take_claimed().ok_or(NotPlanned::Problems(Vec::new()))?;
    Ok((claimed, planned))
}

fn read(
    world: &mut World,
    store: &mut dyn Store,
    secrets: &Secrets,
    state: &State,
    nodes: Vec<Node>,
    watch: &mut dyn Watch,
) -> Result<Executor, NotPlanned> {
    let mut executor = Executor::new(nodes, state.clone(), world.now());
    match world.run(&mut executor, store, secrets, watch) {
        RunEnd::Outcome(outcome @ (Outcome::Done | Outcome::Failed { .. })) => match unread(&executor, &outcome) {
            problems if problems.is_empty() => Ok(executor),
            problems => Err(NotPlanned::Problems(problems)),
        },
        end @ (RunEnd::Outcome(_) | RunEnd::Crashed | RunEnd::Stuck) => Err(NotPlanned::Ended(end)),
    }
}
