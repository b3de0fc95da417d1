//! A rehearsal: plan, apply, plan again and destroy, all in memory, with every promise of the tool held against what
//! happened.
//!
//! The order is the command line tool's own, through the same planner and executor. Nothing here changes a plan or
//! helps a run along; a promise that is not checked says so instead of claiming to be held.

mod judge;
mod span;
mod witness;

use std::collections::BTreeMap;
use std::time::Duration;

use aloka_core::api::{ErrorClass, Operation};
use aloka_core::engine::{Cause, Executor, Outcome};
use aloka_core::plan::{Mode, Node, Plan, Step};
use aloka_core::secret::Secrets;
use aloka_core::session::{self, Inputs, Password, Planned, Problem};
use aloka_core::state::{State, file};
use aloka_core::value::Value;

pub use self::judge::Promise;
pub use self::span::{Span, critical_path};
use self::witness::{Audits, GuardedStore, Phase, Witness};
use crate::aws::{Account, Durations, Options};
use crate::store::{MemoryStore, Store};
use crate::trace::Trace;
use crate::world::{Latency, RunEnd, Unwatched, Watch, World};

/// Plans with more nodes are audited at their ends only, and not run twice.
pub const SMALL_NODES_MAX: usize = 160;
/// Plans with more nodes are not audited: where every server has rules of its own, the auditor walks every pair of
/// them, and time is to stay linear.
pub const AUDITED_NODES_MAX: usize = 2000;

/// How to rehearse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RehearsalOptions {
    /// From which identifiers and durations follow.
    pub seed: u64,
    /// True to leave the stack standing instead of destroying it.
    pub keep: bool,
    /// How long things take.
    pub durations: Durations,
    /// The Region.
    pub region: String,
    /// The lineage of the state.
    pub lineage: String,
}

/// What a rehearsal showed.
#[derive(Clone, Debug)]
pub struct Rehearsal {
    /// The plan that was applied to an empty account.
    pub planned: Planned,
    /// How apply ended.
    pub apply: RunEnd,
    /// Virtual time of apply.
    pub apply_time: Duration,
    /// When each node of the plan ran.
    pub spans: Vec<Span>,
    /// The nodes that apply had to wait for, first to last, by index.
    pub critical_path: Vec<usize>,
    /// Calls that apply sent.
    pub calls: BTreeMap<Operation, u64>,
    /// Outputs after apply.
    pub outputs: BTreeMap<String, Value>,
    /// What destroying it showed; `None` if the stack was kept.
    pub destroy: Option<Destroyed>,
    /// Every promise, in order.
    pub promises: Vec<Promise>,
    /// What happened; empty for plans of more than [`SMALL_NODES_MAX`] nodes.
    pub trace: Trace,
    /// The account as it was left.
    pub account: Account,
}

/// What destroying the stack showed.
#[derive(Clone, Debug)]
pub struct Destroyed {
    /// Its plan.
    pub plan: Plan,
    /// How it ended.
    pub end: RunEnd,
    /// Virtual time it took.
    pub time: Duration,
    /// Calls it sent.
    pub calls: BTreeMap<Operation, u64>,
}

impl Rehearsal {
    /// True if everything ran to its end and no promise was broken.
    pub fn is_good(&self) -> bool {
        let done = RunEnd::Outcome(Outcome::Done);
        self.apply == done
            && self.destroy.as_ref().is_none_or(|destroyed| destroyed.end == done)
            && self.promises.iter().all(|promise| promise.held)
    }
}

/// Why a round of planning gave no plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotPlanned {
    /// What is wrong.
    Problems(Vec<Problem>),
    /// A fault ended the run while it was reading.
    Ended(RunEnd),
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
    let mut state = state;
    let lost = session::recovery(&state);
    if !lost.is_empty() {
        let executor = read(world, store, secrets, &state, lost)?;
        let _lines = session::adopt(&mut state, &executor.replies()).map_err(NotPlanned::Problems)?;
    }
    let nodes = session::discovery(&state, inputs);
    let executor = read(world, store, secrets, &state, nodes)?;
    session::plan(state, inputs, executor.into_replies()).map_err(NotPlanned::Problems)
}

fn read(
    world: &mut World,
    store: &mut dyn Store,
    secrets: &Secrets,
    state: &State,
    nodes: Vec<Node>,
) -> Result<Executor, NotPlanned> {
    let mut executor = Executor::new(nodes, state.clone(), world.now());
    match world.run(&mut executor, store, secrets, &mut Unwatched) {
        RunEnd::Outcome(outcome @ (Outcome::Done | Outcome::Failed { .. })) => match unread(&executor, &outcome) {
            problems if problems.is_empty() => Ok(executor),
            problems => Err(NotPlanned::Problems(problems)),
        },
        end @ (RunEnd::Outcome(_) | RunEnd::Crashed | RunEnd::Stuck) => Err(NotPlanned::Ended(end)),
    }
}

/// Reads that left a question open which the planner does not see as open: a search for an object of an earlier run
/// that ended in an error, and anything that failed without an answer. To plan all the same could make an object
/// twice.
pub fn unread(executor: &Executor, outcome: &Outcome) -> Vec<Problem> {
    let replies = executor.replies();
    let searches = replies.iter().filter(|(node, _)| matches!(node.steps.first(), Some(Step::Wait(_))));
    let errors = searches.filter_map(|(node, reply)| Some((node, reply.as_ref().err()?)));
    let open = errors.filter(|(_, error)| error.class != ErrorClass::NotFound).map(|(node, error)| Problem::Read {
        call: format!("search for {} of an earlier run", node.target),
        error: error.clone(),
    });
    let failures = match outcome {
        Outcome::Failed { failures, .. } => failures.as_slice(),
        Outcome::Done | Outcome::Stopped { .. } | Outcome::StoreFailed { .. } => &[],
    };
    let failed = failures.iter().map(|failure| match &failure.cause {
        Cause::Call { operation, error } => Problem::Read { call: operation.clone(), error: error.clone() },
        cause @ (Cause::WaitFailed { .. } | Cause::WaitTimedOut { .. } | Cause::Foreign { .. } | Cause::Bug { .. }) => {
            Problem::Impossible {
                summary: format!("{}: {cause}", failure.target),
                hint: "run the command again; if it fails the same way, please report it".to_owned(),
            }
        }
    });
    open.chain(failed).collect()
}

/// Rehearses the whole life of a stack on an empty simulated account. `inputs.mode` is not looked at.
///
/// # Errors
/// Why there is no plan to rehearse.
pub fn rehearse(inputs: &Inputs, secrets: &Secrets, options: &RehearsalOptions) -> Result<Rehearsal, Vec<Problem>> {
    let first = cycle(inputs, secrets, options, true)?;
    let again = match first.small {
        true => Some(cycle(inputs, secrets, options, false)?),
        false => None,
    };
    let promises = judge::promises(inputs, secrets, &first, again.as_ref());
    let Cycle { world, witness, planned, apply, apply_time, outputs, destroy, .. } = first;
    let spans = witness.spans.into_values().collect::<Vec<_>>();
    Ok(Rehearsal {
        critical_path: critical_path(&planned.plan.nodes, &spans),
        spans,
        planned,
        apply,
        apply_time,
        calls: witness.apply_calls,
        outputs,
        destroy,
        promises,
        trace: world.trace,
        account: world.account,
    })
}

/// One life of a stack.
struct Cycle {
    world: World,
    witness: Witness,
    store: GuardedStore,
    planned: Planned,
    small: bool,
    apply: RunEnd,
    apply_time: Duration,
    outputs: BTreeMap<String, Value>,
    /// State text after apply.
    applied: String,
    /// The plan after apply, which should be empty.
    second: Result<Plan, NotPlanned>,
    destroy: Option<Destroyed>,
    /// Why there was no plan to destroy.
    not_destroyed: Option<NotPlanned>,
}

fn cycle(inputs: &Inputs, secrets: &Secrets, options: &RehearsalOptions, audited: bool) -> Result<Cycle, Vec<Problem>> {
    let account = Account::new(Options {
        region: options.region.clone(),
        seed: options.seed,
        durations: options.durations,
        ..Options::default()
    });
    let mut world = World::new(account, Latency::default()).traced();
    let mut store = GuardedStore::new(MemoryStore::new(), secrets);
    let inputs = Inputs { mode: Mode::Apply, ..inputs.clone() };
    let state = State::new(options.lineage.as_str());
    let planned = plan_round(&mut world, &mut store, secrets, state, &inputs).map_err(|reason| match reason {
        NotPlanned::Problems(problems) => problems,
        NotPlanned::Ended(end) => vec![Problem::Impossible {
            summary: format!("invariant violated: without faults, reading ended with {end:?}"),
            hint: "this is a bug in aloka: please report it".to_owned(),
        }],
    })?;
    let small = planned.plan.nodes.len() <= SMALL_NODES_MAX;
    if !small {
        world.trace = Trace::off();
    }
    store.look_at_each_write(small);
    let audits = match planned.plan.nodes.len() {
        0..=SMALL_NODES_MAX if audited => Audits::EachCall,
        0..=AUDITED_NODES_MAX if audited => Audits::Ends,
        _ => Audits::Never,
    };
    let mut witness = Witness::new(&planned.plan, &inputs.variables, audits);

    let began = world.now();
    let apply = execute(&mut world, &mut store, secrets, &planned, &mut witness);
    let apply_time = world.now() - began;
    witness.look(&mut world, Phase::Apply);
    let state = store.inner().state(&options.lineage);
    let outputs = state.outputs.clone();
    let applied = file::write(&state);

    let inputs = Inputs { password: settled(&inputs.password), ..inputs };
    let second = plan_round(&mut world, &mut store, secrets, state, &inputs).map(|planned| planned.plan);

    let (mut destroy, mut not_destroyed) = (None, None);
    if !options.keep {
        let inputs = Inputs { mode: Mode::Destroy, ..inputs };
        let state = store.inner().state(&options.lineage);
        match plan_round(&mut world, &mut store, secrets, state, &inputs) {
            Ok(planned) => {
                witness.phase = Phase::Destroy;
                let began = world.now();
                let end = execute(&mut world, &mut store, secrets, &planned, &mut witness);
                witness.look(&mut world, Phase::Destroy);
                let time = world.now() - began;
                destroy = Some(Destroyed { plan: planned.plan, end, time, calls: witness.destroy_calls.clone() });
            }
            Err(reason) => not_destroyed = Some(reason),
        }
    }
    store.look_at_last();
    Ok(Cycle {
        world,
        witness,
        store,
        planned,
        small,
        apply,
        apply_time,
        outputs,
        applied,
        second,
        destroy,
        not_destroyed,
    })
}

fn execute(
    world: &mut World,
    store: &mut dyn Store,
    secrets: &Secrets,
    planned: &Planned,
    watch: &mut dyn Watch,
) -> RunEnd {
    let mut executor = Executor::for_plan(planned, world.now());
    world.run(&mut executor, store, secrets, watch)
}

/// The password once it has been applied: nobody gives another one in a rehearsal.
fn settled(password: &Password) -> Password {
    match password {
        Password::Absent => Password::Absent,
        Password::Unchanged | Password::New(_) => Password::Unchanged,
    }
}

#[cfg(test)]
mod tests;
