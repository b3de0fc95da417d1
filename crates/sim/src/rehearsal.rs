//! A rehearsal: plan, apply, plan again and destroy, all in memory, with every promise of the tool held against what
//! happened.
//!
//! The order is the command line tool's own, through the same planner and executor. Nothing here changes a plan or
//! helps a run along; a promise that is not checked says so instead of claiming to be held. Where faults were asked
//! for, a command that did not get through is run again, as its user would.

mod cycle;
pub mod forecast;
mod judge;
pub mod replay;
mod round;
mod span;
mod witness;

use std::collections::BTreeMap;
use std::time::Duration;

use aloka_core::api::Operation;
use aloka_core::engine::Outcome;
use aloka_core::plan::Mode;
use aloka_core::plan::{Planned, Problem};
use aloka_core::secret::Secrets;
use aloka_core::session::Inputs;
use aloka_core::session::sweep::Swept;
use aloka_core::state::outputs::Output;

use self::cycle::{Cycle, Kept, cycle};
pub use self::judge::Promise;
pub use self::round::{NotPlanned, claim_round, plan_round, plan_round_watched, survey};
pub use self::span::Span;
pub use self::witness::{is_planned, may_open_or_close};
use crate::aws::{Account, Durations};
use crate::fault::{Fault, FaultPlan, When};
use crate::trace::Trace;
use crate::world::RunEnd;

/// Plans with more nodes are audited at their ends only, and not run twice.
pub const SMALL_NODES_MAX: usize = 160;
/// Plans with more nodes are not audited: where every server has rules of its own, the auditor walks every pair of
/// them, and time is to stay linear.
pub const AUDITED_NODES_MAX: usize = 2000;
/// How often a command that a fault kept from its end is run again.
pub const RERUNS_MAX: usize = 5;

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
    /// What goes wrong. Calls, writes and effects are counted over the whole rehearsal, planning included.
    pub faults: FaultPlan,
    /// True to keep the trace of plans of more than [`SMALL_NODES_MAX`] nodes, too.
    pub long_trace: bool,
}

/// What a rehearsal showed.
#[derive(Clone, Debug)]
pub struct Rehearsal {
    /// The plan that was applied to an empty account.
    pub planned: Planned,
    /// Every run of apply and then of destroy, in order: one of each without faults.
    pub runs: Vec<Run>,
    /// Virtual time of apply, from its first run to the end of its last.
    pub apply_time: Duration,
    /// When each node of apply ran, run by run.
    pub spans: Vec<Span>,
    /// Calls that apply sent.
    pub calls: BTreeMap<Operation, u64>,
    /// Outputs after apply.
    pub outputs: BTreeMap<String, Output>,
    /// What destroying it showed; `None` if the stack was kept.
    pub destroy: Option<Destroyed>,
    /// Every promise, in order.
    pub promises: Vec<Promise>,
    /// Faults that did not strike, and why.
    pub missed: Vec<Missed>,
    /// What happened; empty for plans of more than [`SMALL_NODES_MAX`] nodes, unless it was asked for.
    pub trace: Trace,
    /// The account as it was left.
    pub account: Account,
}

/// One command that ran.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Apply or destroy.
    pub mode: Mode,
    /// Objects its plan adds, changes and destroys; why there was no plan.
    pub plan: Result<(usize, usize, usize), String>,
    /// Identifiers of databases that its plan destroys with their data: its user has to name them.
    pub data_loss: Vec<String>,
    /// How it ended; `None` if there was no plan.
    pub end: Option<RunEnd>,
    /// Virtual time, planning included.
    pub time: Duration,
    /// The faults that struck.
    pub struck: Vec<(When, Fault)>,
}

impl Run {
    /// True if it did what it was to do.
    pub fn is_done(&self) -> bool {
        self.end == Some(RunEnd::Outcome(Outcome::Done))
    }
}

/// A fault that did not strike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missed {
    /// Which.
    pub fault: (When, Fault),
    /// How often what it waited for came about.
    pub why: String,
}

/// What destroying the stack showed.
#[derive(Clone, Debug)]
pub struct Destroyed {
    /// Virtual time it took, from its first run to the end of its last.
    pub time: Duration,
    /// Calls it sent.
    pub calls: BTreeMap<Operation, u64>,
    /// What the sweep at its end saw; `None` if it did not come to it.
    pub swept: Option<Swept>,
}

impl Rehearsal {
    /// True if everything ran to its end, every fault struck and no promise was broken.
    pub fn is_good(&self) -> bool {
        let last = [self.last_run(Mode::Apply), self.last_run(Mode::Destroy)];
        last.into_iter().flatten().all(Run::is_done)
            && self.missed.is_empty()
            && self.promises.iter().all(|promise| promise.held)
    }

    /// The last run of apply or of destroy; a stack that is kept is not destroyed.
    pub fn last_run(&self, mode: Mode) -> Option<&Run> {
        self.runs.iter().rfind(|run| run.mode == mode)
    }
}

/// Rehearses the whole life of a stack on an empty simulated account. `inputs.mode` is not looked at.
///
/// # Errors
/// Why there is no plan to rehearse.
pub fn rehearse(inputs: &Inputs, secrets: &Secrets, options: &RehearsalOptions) -> Result<Rehearsal, Vec<Problem>> {
    let first = cycle(inputs, secrets, options, Kept { audited: true, snapshot_after: None })?;
    let again = match first.small {
        true => Some(cycle(inputs, secrets, options, Kept { audited: false, snapshot_after: None })?),
        false => None,
    };
    let calm = match options.faults.0.is_empty() {
        true => None,
        false => {
            let options = RehearsalOptions { faults: FaultPlan::none(), long_trace: false, ..options.clone() };
            Some(cycle(inputs, secrets, &options, Kept { audited: false, snapshot_after: None })?)
        }
    };
    let promises = judge::promises(inputs, secrets, &first, again.as_ref(), calm.as_ref());
    let missed = first.missed();
    let Cycle { world, witness, planned, runs, apply_time, outputs, destroy, .. } = first;
    Ok(Rehearsal {
        spans: witness.spans(),
        planned,
        runs,
        apply_time,
        calls: witness.apply_calls,
        outputs,
        destroy,
        promises,
        missed,
        trace: world.trace,
        account: world.account,
    })
}

#[cfg(test)]
mod tests;
