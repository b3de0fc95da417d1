//! What a certification does in an account, step by step, and what that comes to on the simulated one: how long it takes and
//! what it costs, before anything is made.

mod steps;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aloka_core::api::{Operation, Reply, Request};
use aloka_core::consent::Consent;
use aloka_core::engine::{Executor, Outcome};
use aloka_core::plan::saved::differences;
use aloka_core::plan::{Mode, Password, Plan, Planned};
use aloka_core::secret::{DB_PASSWORD, Secret, Secrets};
use aloka_core::session::Inputs;
use aloka_core::state::State;
use aloka_core::time::Instant;
use aloka_core::variables::{Needs, Source, evaluate};

pub use self::steps::{Act, DATABASE, STEPS, Settings, Step};
use crate::audit::{Bill, Meter, audit};
use crate::aws::{Account, Durations, Options};
use crate::receipt::{Finding, What};
use crate::rehearsal::plan_round;
use crate::store::MemoryStore;
use crate::world::{Latency, RunEnd, Watch, World};

/// The account is looked at for its costs after every change, and else this often.
const LOOK: Duration = Duration::from_secs(30);
/// Stands in for a password: on the simulated account it protects nothing.
const PASSWORD: &str = "Certify-0-password";

/// What the steps come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Foretold {
    /// How long they take, one after the other.
    pub time: Duration,
    /// What they cost.
    pub bill: Bill,
    /// Calls of each step that change something.
    pub sent: Vec<u64>,
    /// Operations that change something, of all steps.
    pub operations: BTreeSet<Operation>,
}

/// Takes the steps on an empty simulated account.
///
/// # Errors
/// The step that does not end as it has to, and why.
pub fn foretell(steps: &[Step], base: &[(String, String)], durations: Durations) -> Result<Foretold, String> {
    let region = base.iter().find(|(name, _)| name == "aws_region").map(|(_, region)| region.clone());
    let options = Options { durations, ..Options::default() };
    let account = Account::new(match region {
        Some(region) => Options { region, ..options },
        None => options,
    });
    let mut secrets = Secrets::default();
    secrets.insert(DB_PASSWORD, Secret::new(PASSWORD));
    let mut life = Life {
        base,
        world: World::new(account, Latency::default()),
        store: MemoryStore::new(),
        secrets,
        saved: None,
        gauge: Gauge::default(),
    };
    let mut sent = Vec::new();
    for step in steps {
        life.gauge.sent = 0;
        life.take(step).map_err(|problem| format!("step {}: {problem}", step.name))?;
        sent.push(life.gauge.sent);
    }
    let Life { world, mut gauge, .. } = life;
    gauge.look(&world.account, world.now());
    let Gauge { meter, operations, .. } = gauge;
    Ok(Foretold { time: world.now().since(Instant::ZERO), bill: meter.spent(), sent, operations })
}

/// A stack's life on a simulated account, as far as it has come.
struct Life<'a> {
    base: &'a [(String, String)],
    world: World,
    store: MemoryStore,
    secrets: Secrets,
    /// The plan that was saved last, and what it was made from.
    saved: Option<(Inputs, Plan)>,
    gauge: Gauge,
}

impl Life<'_> {
    fn take(&mut self, step: &Step) -> Result<(), String> {
        let inputs = match step.act {
            Act::Saved { .. } => self.saved.as_ref().map(|(inputs, _)| inputs.clone()).ok_or("no plan was saved")?,
            Act::Plan { .. } | Act::Apply | Act::Elsewhere | Act::Destroy { .. } => self.inputs(step)?,
        };
        let state = self.state();
        let stale = self.saved.as_ref().and_then(|(_, plan)| plan.stale(Some(&state)));
        let planned = plan_round(&mut self.world, &mut self.store, &self.secrets, state, &inputs)
            .map_err(|problem| problem.to_string())?;
        match step.act {
            Act::Plan { changes } => {
                if planned.plan.is_empty() == changes {
                    return Err(format!("its plan is {}", if changes { "empty" } else { "not empty" }));
                }
                if changes {
                    self.saved = Some((inputs, planned.plan));
                }
                Ok(())
            }
            Act::Saved { is_stale: true } => stale.map(drop).ok_or_else(|| "the saved plan still holds".to_owned()),
            Act::Saved { is_stale: false } => {
                let saved = self.saved.take();
                let differ = saved.and_then(|(_, plan)| differences(&plan, &planned.plan).pop());
                match stale.or(differ.map(|difference| difference.what)) {
                    Some(why) => Err(format!("the saved plan is stale: {why}")),
                    None => self.run(&planned),
                }
            }
            Act::Elsewhere => {
                let before = self.store.clone();
                let ran = self.run(&planned);
                self.store = before;
                ran
            }
            Act::Apply | Act::Destroy { .. } => self.run(&planned),
        }
    }

    fn state(&self) -> State {
        self.store.state("5e0c3a52-6d0a-4b1e-8f0e-1c2d3e4f5a6b")
    }

    fn inputs(&self, step: &Step) -> Result<Inputs, String> {
        let given = self.base.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let given = given.chain(step.variables()).chain([(DB_PASSWORD, PASSWORD)]);
        let sources: Vec<Source> =
            given.map(|(name, value)| Source::CommandLine { name: name.to_owned(), value: value.to_owned() }).collect();
        let evaluated = evaluate(&sources, Needs { password: true })
            .map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))?;
        let known = self.state().private.secrets.contains_key(DB_PASSWORD) && !step.new_password;
        let password = if known { Password::Unchanged } else { Password::New(format!("foretold: {}", step.name)) };
        let (mode, exclude) = match step.act {
            Act::Plan { .. } | Act::Apply | Act::Saved { .. } | Act::Elsewhere => (Mode::Apply, None),
            Act::Destroy { keeps_database } => (Mode::Destroy, keeps_database.then(|| DATABASE.to_owned())),
        };
        let consent = Consent { exclude: exclude.into_iter().collect(), ..Consent::default() };
        Ok(Inputs { consent, ..Inputs::new(evaluated.variables, mode, password) })
    }

    fn run(&mut self, planned: &Planned) -> Result<(), String> {
        let mut executor = Executor::for_plan(planned, self.world.now());
        match self.world.run(&mut executor, &mut self.store, &self.secrets, &mut self.gauge) {
            RunEnd::Outcome(Outcome::Done) => Ok(()),
            other => Err(format!("it ends with {other:?}")),
        }
    }
}

/// Counts calls, and adds up what the account costs.
#[derive(Default)]
struct Gauge {
    meter: Meter,
    sent: u64,
    operations: BTreeSet<Operation>,
    looked: Option<Instant>,
    is_changed: bool,
}

impl Gauge {
    fn look(&mut self, account: &Account, now: Instant) {
        let (mut account, secrets) = (account.clone(), Secrets::default());
        self.meter.look(now, &audit(&mut |request| account.call(now, request, &secrets)));
        (self.looked, self.is_changed) = (Some(now), false);
    }
}

impl Watch for Gauge {
    fn after_call(&mut self, _now: Instant, _account: &mut Account, request: &Request, _reply: &Reply) {
        if request.operation().is_mutating() {
            self.sent += 1;
            self.operations.insert(request.operation());
            self.is_changed = true;
        }
    }

    fn before_advance(&mut self, account: &mut Account, from: Instant, to: Instant) {
        let is_due = self.looked.is_none_or(|looked| to.since(looked) >= LOOK);
        // Calls of one moment are one look.
        let passes = to.since(from) >= Duration::from_secs(1);
        if is_due || (self.is_changed && passes) {
            self.look(account, from);
        }
    }
}

/// Findings that say the same: one thing that AWS does and the simulator does not, met several times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unlike {
    /// The first of them.
    pub first: Finding,
    /// How often it was met.
    pub times: usize,
}

/// What is different, each thing once, in the order of the first meeting.
pub fn unlike(findings: Vec<Finding>) -> Vec<Unlike> {
    let mut seen: BTreeMap<(Operation, String), usize> = BTreeMap::new();
    let mut found: Vec<Unlike> = Vec::new();
    for finding in findings {
        let key = (finding.operation, matter(&finding.what));
        match seen.get(&key).and_then(|index| found.get_mut(*index)) {
            Some(unlike) => unlike.times += 1,
            None => {
                seen.insert(key, found.len());
                found.push(Unlike { first: finding, times: 1 });
            }
        }
    }
    found
}

/// What a difference is about: for a value its place, whichever item of a list it is in.
fn matter(what: &What) -> String {
    match what {
        What::Value { path, .. } => {
            let is_number = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
            path.split('.').filter(|part| !is_number(part)).collect::<Vec<_>>().join(".")
        }
        What::Accepted { rule, code } => format!("accepted in spite of {rule} {code}"),
        What::Refused { code, .. } => format!("refused with {code}"),
        What::Duration { transitions, .. } => format!("{transitions:?}"),
    }
}

#[cfg(test)]
mod tests;
