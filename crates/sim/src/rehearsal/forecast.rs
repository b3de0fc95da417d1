//! How long apply and destroy take: the same two plans, run on many accounts whose durations are drawn.
//!
//! Planning is done once, and nothing is audited or traced: a run here sees of time what a rehearsal with the same
//! seed sees, and nothing else. Runs know nothing of each other, so whoever calls may share them out among threads.

mod summary;

use std::sync::Arc;

use aloka_core::engine::{Executor, News, Notice, Outcome};
use aloka_core::kind::Kind;
use aloka_core::plan::{Mode, Node};
use aloka_core::plan::{Password, Planned, Problem};
use aloka_core::secret::{DB_PASSWORD, Secrets};
use aloka_core::session::Inputs;
use aloka_core::state::State;
use aloka_core::time::Instant;

pub use self::summary::{Moments, Resource, Spread, Summary};
use super::round::{NotPlanned, plan_round};
use super::span::{Span, critical_path, path_of};
use super::{Durations, RehearsalOptions};
use crate::aws::{Account, Options};
use crate::store::{MemoryStore, Store};
use crate::world::{Latency, RunEnd, Unwatched, Watch, World};

/// The plans of one stack, ready to be run.
#[derive(Clone, Debug)]
pub struct Forecast {
    apply: Stage,
    destroy: Stage,
}

/// A plan and the account it starts from.
#[derive(Clone, Debug)]
struct Stage {
    planned: Planned,
    account: Account,
    at: Instant,
}

/// What one run took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// From which its durations were drawn.
    pub seed: u64,
    /// Apply, on an empty account.
    pub apply: Timing,
    /// Destroy, of what apply made.
    pub destroy: Timing,
}

/// When everything in one run of one plan happened. Times are milliseconds from its start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timing {
    /// When the run was over and recorded.
    pub total_ms: u64,
    /// Why it did not get to its end, if so.
    pub failure: Option<String>,
    /// By node: when it began and ended.
    spans: Box<[(u32, u32)]>,
    /// Nodes of the critical path.
    critical: Box<[usize]>,
}

/// Which of the two plans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Half {
    /// Apply.
    Apply,
    /// Destroy.
    Destroy,
}

impl Forecast {
    /// Plans, and applies once, to have something to plan the destruction of. Of `options`, faults are not looked at.
    ///
    /// # Errors
    /// Why there is no plan.
    pub fn prepare(inputs: &Inputs, secrets: &Secrets, options: &RehearsalOptions) -> Result<Self, Vec<Problem>> {
        let account = Account::new(Options {
            region: options.region.clone(),
            seed: options.seed,
            durations: Durations::Drawn,
            ..Options::default()
        });
        let mut world = World::new(account, Latency::default());
        let mut store = MemoryStore::new();
        let stage = |mode, password: &Password, world: &mut World, store: &mut MemoryStore| {
            let inputs = Inputs { mode, password: password.clone(), ..inputs.clone() };
            let state: State = store.state(&options.lineage);
            let planned = plan_round(world, store, secrets, state, &inputs).map_err(|reason| match reason {
                NotPlanned::Problems(problems) => problems,
                ended @ NotPlanned::Ended(_) => impossible(format!("without faults, {ended}")),
            })?;
            Ok::<_, Vec<Problem>>(Stage { planned, account: world.account.clone(), at: world.now() })
        };
        let apply = stage(Mode::Apply, &inputs.password, &mut world, &mut store)?;
        let mut executor = Executor::for_plan(&apply.planned, world.now());
        let end = world.run(&mut executor, &mut store, secrets, &mut Unwatched);
        if end != RunEnd::Outcome(Outcome::Done) {
            return Err(impossible(format!("without faults, apply ended with {end:?}")));
        }
        let known = store.last().is_some_and(|state| state.private.secrets.contains_key(DB_PASSWORD));
        let password = if known { Password::Unchanged } else { Password::Absent };
        let destroy = stage(Mode::Destroy, &password, &mut world, &mut store)?;
        Ok(Self { apply, destroy })
    }

    /// Runs both plans with durations drawn from this seed.
    pub fn run(&self, secrets: &Secrets, seed: u64) -> Sample {
        Sample { seed, apply: self.apply.run(secrets, seed), destroy: self.destroy.run(secrets, seed) }
    }

    /// The same run of one of the plans with everything that is known of its nodes.
    pub fn spans(&self, half: Half, secrets: &Secrets, seed: u64) -> Vec<Span> {
        let stage = self.stage(half);
        let mut recorder = Recorder { spans: vec![None; stage.planned.plan.nodes.len()] };
        let _end = stage.run_watched(secrets, seed, &mut recorder);
        let mut spans: Vec<Span> = recorder.spans.into_iter().flatten().collect();
        let path = critical_path(&stage.planned.plan.nodes, &spans);
        for span in &mut spans {
            span.critical = path.contains(&span.node);
        }
        spans
    }

    /// How many objects apply makes.
    pub fn added(&self) -> usize {
        self.apply.planned.plan.counts().0
    }

    /// What is worth knowing about the plan, one line each.
    pub fn warnings(&self) -> &[String] {
        &self.apply.planned.warnings
    }

    /// What the samples say about one of the plans; `None` if no run got to its end.
    pub fn summary(&self, half: Half, samples: &[Sample]) -> Option<Summary> {
        Summary::of(self.nodes(half), &good(half, samples))
    }

    /// How long the samples of apply took from the beginning of the first object of these kinds to the end of the last.
    /// `None` if there are no such objects, or no samples.
    pub fn stretch(&self, samples: &[Sample], kinds: &[Kind]) -> Option<Spread> {
        let nodes = self.nodes(Half::Apply);
        let which: Vec<usize> = (0..nodes.len())
            .filter(|n| nodes.get(*n).is_some_and(|n| kinds.contains(&n.target.address.kind)))
            .collect();
        let stretch = |timing: &Timing| {
            let spans = || which.iter().filter_map(|node| timing.spans.get(*node));
            let (start, end) = (spans().map(|span| span.0).min()?, spans().map(|span| span.1).max()?);
            Some(u64::from(end.saturating_sub(start)))
        };
        Spread::of(good(Half::Apply, samples).into_iter().filter_map(|(_, timing)| stretch(timing)).collect())
    }

    fn stage(&self, half: Half) -> &Stage {
        match half {
            Half::Apply => &self.apply,
            Half::Destroy => &self.destroy,
        }
    }

    fn nodes(&self, half: Half) -> &Arc<[Node]> {
        &self.stage(half).planned.plan.nodes
    }
}

/// The runs that got to their end.
fn good(half: Half, samples: &[Sample]) -> Vec<(u64, &Timing)> {
    samples
        .iter()
        .map(|sample| match half {
            Half::Apply => (sample.seed, &sample.apply),
            Half::Destroy => (sample.seed, &sample.destroy),
        })
        .filter(|(_, timing)| timing.failure.is_none())
        .collect()
}

fn impossible(what: String) -> Vec<Problem> {
    let hint = "this is a bug in aloka: please report it".to_owned();
    vec![Problem::Impossible { summary: format!("invariant violated: {what}"), hint }]
}

impl Stage {
    fn run(&self, secrets: &Secrets, seed: u64) -> Timing {
        let nodes = &self.planned.plan.nodes;
        let mut stopwatch = Stopwatch { start: self.at, spans: vec![(0, 0); nodes.len()].into() };
        let (end, total_ms) = self.run_watched(secrets, seed, &mut stopwatch);
        let done = end == RunEnd::Outcome(Outcome::Done);
        let spans = stopwatch.spans;
        let ends: Vec<Option<Instant>> = spans.iter().map(|(_, end)| Some(Instant(u64::from(*end)))).collect();
        Timing { total_ms, failure: (!done).then(|| format!("{end:?}")), critical: path_of(nodes, &ends).into(), spans }
    }

    fn run_watched(&self, secrets: &Secrets, seed: u64, watch: &mut dyn Watch) -> (RunEnd, u64) {
        let mut world = World::new(self.account.clone().reseeded(seed), Latency::default()).at(self.at);
        let mut executor = Executor::for_plan(&self.planned, self.at);
        let end = world.run(&mut executor, &mut Sink, secrets, watch);
        (end, u64::try_from((world.now() - self.at).as_millis()).unwrap_or(u64::MAX))
    }
}

/// Takes every state and keeps none.
struct Sink;

impl Store for Sink {
    fn write(&mut self, _state: &Arc<State>) -> Result<(), String> {
        Ok(())
    }
}

struct Stopwatch {
    start: Instant,
    spans: Box<[(u32, u32)]>,
}

impl Watch for Stopwatch {
    fn notice(&mut self, _nodes: &[Node], notice: &Notice) {
        let Some(span) = self.spans.get_mut(notice.node) else { return };
        let at = u32::try_from((notice.at - self.start).as_millis()).unwrap_or(u32::MAX);
        match notice.news {
            News::Started => span.0 = at,
            News::Finished { .. } => span.1 = at,
            News::Waiting { .. }
            | News::Sent { .. }
            | News::Answered { .. }
            | News::Retry { .. }
            | News::Adopted { .. }
            | News::Failed { .. }
            | News::Skipped => {}
        }
    }
}

struct Recorder {
    spans: Vec<Option<Span>>,
}

impl Watch for Recorder {
    fn notice(&mut self, nodes: &[Node], notice: &Notice) {
        let (Some(span), Some(node)) = (self.spans.get_mut(notice.node), nodes.get(notice.node)) else { return };
        span.get_or_insert_with(|| Span::begun(notice.node, node, notice.at)).notice(notice);
    }
}

#[cfg(test)]
mod tests;
