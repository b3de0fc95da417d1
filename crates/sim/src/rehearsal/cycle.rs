//! One life of a stack: applied, planned again, destroyed; each command again if a fault kept it from its end.

use std::collections::BTreeMap;
use std::time::Duration;

use aloka_core::engine::Executor;
use aloka_core::identity::ADDRESS_TAG;
use aloka_core::plan::{Mode, Plan};
use aloka_core::plan::{Password, Planned, Problem};
use aloka_core::secret::{DB_PASSWORD, Secrets};
use aloka_core::session::Inputs;
use aloka_core::session::sweep::Swept;
use aloka_core::state::outputs::Output;
use aloka_core::state::{State, file};
use aloka_core::time::Instant;

use super::witness::{Audits, GuardedStore, Phase, Witness};
use super::{
    AUDITED_NODES_MAX, Destroyed, Missed, NotPlanned, RERUNS_MAX, RehearsalOptions, Run, SMALL_NODES_MAX, plan_round,
};
use crate::aws::{Account, Options};
use crate::fault::{Fault, When};
use crate::store::MemoryStore;
use crate::trace::Trace;
use crate::world::{Latency, RunEnd, World};

/// What is looked at besides.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kept {
    /// The account is audited.
    pub(super) audited: bool,
    /// The account is copied after this event of the trace.
    pub(super) snapshot_after: Option<usize>,
}

/// Objects by kind and address.
pub(super) type Picture = BTreeMap<(String, String), u32>;

/// What happened.
pub(super) struct Cycle {
    pub(super) world: World,
    pub(super) witness: Witness,
    pub(super) store: GuardedStore,
    pub(super) planned: Planned,
    pub(super) small: bool,
    pub(super) runs: Vec<Run>,
    pub(super) apply_time: Duration,
    pub(super) outputs: BTreeMap<String, Output>,
    /// State text after apply.
    pub(super) applied: String,
    /// What stood after apply.
    pub(super) standing: Picture,
    /// Creations that the state holds for unfinished after apply.
    pub(super) unfinished: usize,
    /// The plan after apply, which should be empty.
    pub(super) second: Result<Plan, NotPlanned>,
    pub(super) destroy: Option<Destroyed>,
    /// Why there was no plan to destroy.
    pub(super) not_destroyed: Option<NotPlanned>,
}

impl Cycle {
    /// The last run of apply or of destroy.
    pub(super) fn last_run(&self, mode: Mode) -> Option<&Run> {
        self.runs.iter().rfind(|run| run.mode == mode)
    }

    /// True if the last apply did what it was to do.
    pub(super) fn is_applied(&self) -> bool {
        self.last_run(Mode::Apply).is_some_and(Run::is_done)
    }

    /// Faults that did not strike, and why.
    pub(super) fn missed(&self) -> Vec<Missed> {
        self.world
            .faults
            .0
            .iter()
            .map(|fault| Missed { fault: fault.clone(), why: why_missed(&self.world, fault) })
            .collect()
    }
}

fn why_missed(world: &World, (when, fault): &(When, Fault)) -> String {
    let times = |count: u64| if count == 1 { "once".to_owned() } else { format!("{count} times") };
    match when {
        When::Call { operation: Some(operation), .. } => {
            let count = world.calls().get(operation).copied().unwrap_or_default();
            format!("{} was called {}", operation.name(), times(count))
        }
        When::Call { operation: None, .. } => format!("{} calls were sent", world.calls().values().sum::<u64>()),
        When::Write { .. } => format!("the state was written {}", times(world.writes())),
        When::Effect(effect) if *effect >= world.effects() => {
            format!("the last effect has the number {}", world.effects().saturating_sub(1))
        }
        When::Effect(effect) => {
            let of_writes = matches!(fault, Fault::StoreFailed | Fault::StoreUnsure | Fault::Overtaken);
            let other = if of_writes { "a call" } else { "a write of the state" };
            format!("effect {effect} is {other}")
        }
    }
}

/// Lives through it.
///
/// # Errors
/// Why there is no plan to begin with.
pub(super) fn cycle(
    inputs: &Inputs,
    secrets: &Secrets,
    options: &RehearsalOptions,
    kept: Kept,
) -> Result<Cycle, Vec<Problem>> {
    let account = Account::new(Options {
        region: options.region.clone(),
        seed: options.seed,
        durations: options.durations,
        ..Options::default()
    });
    let mut world = World::new(account, Latency::default()).with_faults(options.faults.clone()).traced();
    if let Some(event) = kept.snapshot_after {
        world.snapshot_after(event);
    }
    let mut life = Life {
        world,
        store: GuardedStore::new(MemoryStore::new(), secrets),
        witness: None,
        first: None,
        runs: Vec::new(),
        swept: None,
        inputs,
        secrets,
        options,
        kept,
    };
    let (applied, apply_time) = life.command(Mode::Apply);
    if life.first.is_none() {
        return Err(match applied {
            Err(NotPlanned::Problems(problems)) => problems,
            Ok(end) | Err(NotPlanned::Ended(end)) => vec![Problem::Impossible {
                summary: format!("nothing was planned: reading ended with {end:?} every time"),
                hint: "without faults, this is a bug in aloka: please report it".to_owned(),
            }],
        });
    }
    life.look(Phase::Apply);
    let state = life.state();
    let (outputs, text, unfinished) = (state.all_outputs(), file::write(&state), state.private.intents.len());
    let standing = picture(&life.world.account, life.world.now());

    let second = life.plan_again();
    let (mut destroy, mut not_destroyed) = (None, None);
    if !options.keep {
        if let Some(witness) = &mut life.witness {
            witness.phase = Phase::Destroy;
        }
        let (destroyed, time) = life.command(Mode::Destroy);
        life.look(Phase::Destroy);
        match destroyed {
            Ok(_) => {
                let calls = life.witness.as_ref().map(|witness| witness.destroy_calls.clone()).unwrap_or_default();
                destroy = Some(Destroyed { time, calls, swept: life.swept.take() });
            }
            Err(reason) => not_destroyed = Some(reason),
        }
    }
    life.store.look_at_last();
    let Life { world, store, witness, first, runs, .. } = life;
    let (Some(planned), Some(witness)) = (first, witness) else { return Err(Vec::new()) };
    Ok(Cycle {
        small: planned.plan.nodes.len() <= SMALL_NODES_MAX,
        world,
        witness,
        store,
        planned,
        runs,
        apply_time,
        outputs,
        applied: text,
        standing,
        unfinished,
        second,
        destroy,
        not_destroyed,
    })
}

/// A life under way.
struct Life<'a> {
    world: World,
    store: GuardedStore,
    witness: Option<Witness>,
    /// The first plan.
    first: Option<Planned>,
    runs: Vec<Run>,
    /// What the last run's sweep saw.
    swept: Option<Swept>,
    inputs: &'a Inputs,
    secrets: &'a Secrets,
    options: &'a RehearsalOptions,
    kept: Kept,
}

impl Life<'_> {
    fn state(&self) -> State {
        self.store.inner().state(&self.options.lineage)
    }

    /// What the user asks for. The password is new until the state has its hash, as the command line tool sees it.
    fn inputs(&self, mode: Mode, state: &State) -> Inputs {
        let password = match &self.inputs.password {
            Password::New(_) if state.private.secrets.contains_key(DB_PASSWORD) => Password::Unchanged,
            given @ (Password::New(_) | Password::Known(_) | Password::Absent | Password::Unchanged) => given.clone(),
        };
        Inputs { mode, password, ..self.inputs.clone() }
    }

    /// How often a command may be run: once, unless something is to go wrong.
    fn runs_max(&self) -> usize {
        if self.options.faults.0.is_empty() { 1 } else { 1 + RERUNS_MAX }
    }

    /// Runs a command, again and again if faults keep it from its end; what became of the last run, and the time from
    /// the first action of the first run to the end of the last.
    fn command(&mut self, mode: Mode) -> (Result<RunEnd, NotPlanned>, Duration) {
        let mut began = None;
        let mut last = Err(NotPlanned::Problems(Vec::new()));
        for _ in 0..self.runs_max() {
            last = self.run(mode, &mut began);
            if self.runs.last().is_some_and(Run::is_done) {
                break;
            }
        }
        (last, self.world.now() - began.unwrap_or(self.world.now()))
    }

    fn run(&mut self, mode: Mode, began: &mut Option<Instant>) -> Result<RunEnd, NotPlanned> {
        let (start, struck) = (self.world.now(), self.world.faults_struck().len());
        let number = self.runs.iter().filter(|run| run.mode == mode).count() + 1;
        self.world.announce(format_args!("{mode:?}, run {number}"));
        let state = self.state();
        let inputs = self.inputs(mode, &state);
        let planned = plan_round(&mut self.world, &mut self.store, self.secrets, state, &inputs);
        let (plan, data_loss, end) = match planned {
            Ok(planned) => {
                began.get_or_insert(self.world.now());
                (Ok(planned.plan.counts()), planned.plan.data_loss().names(), Ok(self.execute(planned)))
            }
            Err(reason) => (Err(reason.to_string()), Vec::new(), Err(reason)),
        };
        let struck = self.world.faults_struck().get(struck..).unwrap_or_default().to_vec();
        let time = self.world.now() - start;
        self.runs.push(Run { mode, plan, data_loss, end: end.as_ref().ok().cloned(), time, struck });
        end
    }

    fn execute(&mut self, planned: Planned) -> RunEnd {
        let nodes = planned.plan.nodes.len();
        if self.witness.is_none() {
            let small = nodes <= SMALL_NODES_MAX;
            if !small && !self.options.long_trace {
                self.world.trace = Trace::off();
            }
            self.store.look_at_each_write(small);
            let audits = match nodes {
                0..=SMALL_NODES_MAX if self.kept.audited => Audits::EachCall,
                0..=AUDITED_NODES_MAX if self.kept.audited => Audits::Ends,
                _ => Audits::Never,
            };
            self.witness = Some(Witness::new(&planned.plan, &self.inputs.variables, audits));
        }
        let mut executor = Executor::for_plan(&planned, self.world.now());
        let end = match &mut self.witness {
            Some(witness) => {
                witness.begin_run(&planned.plan);
                let end = self.world.run(&mut executor, &mut self.store, self.secrets, witness);
                witness.end_run(&planned.plan.nodes);
                end
            }
            None => RunEnd::Stuck,
        };
        self.swept = Swept::of(executor.state(), &executor.replies());
        self.first.get_or_insert(planned);
        end
    }

    fn look(&mut self, phase: Phase) {
        if let Some(witness) = &mut self.witness {
            witness.look(&mut self.world, phase);
        }
    }

    /// The plan of the same variables once more.
    fn plan_again(&mut self) -> Result<Plan, NotPlanned> {
        let mut last = Err(NotPlanned::Problems(Vec::new()));
        for _ in 0..self.runs_max() {
            let struck = self.world.faults_struck().len();
            self.world.announce(format_args!("plan"));
            let state = self.state();
            let inputs = self.inputs(Mode::Apply, &state);
            let planned = plan_round(&mut self.world, &mut self.store, self.secrets, state, &inputs);
            last = planned.map(|planned| planned.plan);
            if last.is_ok() || self.world.faults_struck().len() == struck {
                break;
            }
        }
        last
    }
}

fn picture(account: &Account, now: Instant) -> Picture {
    let mut picture = Picture::new();
    for object in account.objects(now) {
        let address = object.tags.get(ADDRESS_TAG).cloned().unwrap_or_default();
        *picture.entry((object.kind.to_string(), address)).or_default() += 1;
    }
    picture
}
