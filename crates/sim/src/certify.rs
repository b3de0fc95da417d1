//! What a certification does in an account, step by step, and what that comes to on the simulated one: how long it takes and
//! what it costs, before anything is made.

use std::collections::BTreeMap;
use std::time::Duration;

use aloka_core::api::{Operation, Reply, Request};
use aloka_core::consent::Consent;
use aloka_core::engine::{Executor, Outcome};
use aloka_core::plan::Mode;
use aloka_core::secret::{DB_PASSWORD, Secret, Secrets};
use aloka_core::session::{Inputs, Password};
use aloka_core::time::Instant;
use aloka_core::variables::{Needs, Source, evaluate};

use crate::audit::{Bill, Meter, audit};
use crate::aws::{Account, Durations, Options};
use crate::receipt::{Finding, What};
use crate::rehearsal::plan_round;
use crate::store::MemoryStore;
use crate::world::{Latency, RunEnd, Watch, World};

/// The database's address, for what keeps it.
pub const DATABASE: &str = "aws_db_instance.postgres";
/// The account is looked at for its costs after every change, and else this often.
const LOOK: Duration = Duration::from_secs(30);
/// Stands in for a password: on the simulated account it protects nothing.
const PASSWORD: &str = "Certify-0-password";

/// What a step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Plans. There has to be something to do, or nothing.
    Plan {
        /// True if there is.
        changes: bool,
    },
    /// Makes AWS as the variables say.
    Apply,
    /// The same behind the back of the state, which is put back as it was: drift.
    Elsewhere,
    /// Destroys.
    Destroy {
        /// True to keep the database and what it needs; otherwise it is named.
        keeps_database: bool,
    },
}

/// One step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// What it shows; part of a file name.
    pub name: &'static str,
    /// What is done.
    pub act: Act,
    /// Variables besides those that all steps have.
    pub variables: &'static [(&'static str, &'static str)],
    /// The process is killed in the midst of it, and it is for the next step to go on.
    pub is_killed: bool,
    /// True if the password is another one from here on.
    pub new_password: bool,
}

const fn step(name: &'static str, act: Act, variables: &'static [(&'static str, &'static str)]) -> Step {
    Step { name, act, variables, is_killed: false, new_password: false }
}

const fn killed(name: &'static str, act: Act, variables: &'static [(&'static str, &'static str)]) -> Step {
    Step { name, act, variables, is_killed: true, new_password: false }
}

const IN_PLACE: &[(&str, &str)] = &[
    ("tags", "{ Certified = \"changed\" }"),
    ("app_ingress", "[{ port = 443 }, { port = 8443, cidr_blocks = [\"10.9.0.0/16\"] }]"),
    ("db_copy_tags_to_snapshot", "false"),
];
const RESTARTED: &[(&str, &str)] = &[("app_instance_type", "t3.small")];
const REPLACED: &[(&str, &str)] = &[("public_subnet_cidrs", "[\"10.0.21.0/24\", \"10.0.2.0/24\"]")];
const MORE: &[(&str, &str)] =
    &[("public_subnet_cidrs", "[\"10.0.21.0/24\", \"10.0.2.0/24\", \"10.0.3.0/24\"]"), ("app_instance_count", "2")];
/// What somebody else may do to what stands then.
const DRIFTED: &[(&str, &str)] = &[
    ("public_subnet_cidrs", "[\"10.0.21.0/24\", \"10.0.2.0/24\"]"),
    ("tags", "{ Certified = \"elsewhere\" }"),
    ("app_ingress", "[{ port = 443 }, { port = 9443 }]"),
    ("app_instance_type", "t3.small"),
];
const NO_SERVER: &[(&str, &str)] =
    &[("public_subnet_cidrs", "[\"10.0.21.0/24\", \"10.0.2.0/24\"]"), ("app_instance_count", "0")];
const NOTHING: &[(&str, &str)] = &[];

const PLAN: Act = Act::Plan { changes: true };
const EMPTY: Act = Act::Plan { changes: false };
const DESTROY: Act = Act::Destroy { keeps_database: false };

/// The steps, in order. The last ones leave nothing; what comes before them is put right by a destroy by name, whichever it
/// was that failed.
pub const STEPS: [Step; 27] = [
    step("plan", PLAN, NOTHING),
    step("create", Act::Apply, NOTHING),
    step("created", EMPTY, NOTHING),
    step("change-in-place", Act::Apply, IN_PLACE),
    step("changed-in-place", EMPTY, IN_PLACE),
    step("restart-server", Act::Apply, RESTARTED),
    step("restarted-server", EMPTY, RESTARTED),
    step("replace", Act::Apply, REPLACED),
    step("replaced", EMPTY, REPLACED),
    step("add", Act::Apply, MORE),
    step("added", EMPTY, MORE),
    step("remove", Act::Apply, REPLACED),
    Step { new_password: true, ..step("new-password", Act::Apply, REPLACED) },
    step("new-password-kept", EMPTY, REPLACED),
    step("drift", Act::Elsewhere, DRIFTED),
    step("drift-put-right", Act::Apply, REPLACED),
    step("drift-gone", Act::Elsewhere, NO_SERVER),
    step("gone-put-right", Act::Apply, REPLACED),
    step("put-right", EMPTY, REPLACED),
    step("destroy-but-database", Act::Destroy { keeps_database: true }, REPLACED),
    killed("create-killed", Act::Apply, REPLACED),
    killed("create-killed-again", Act::Apply, REPLACED),
    step("create-resumed", Act::Apply, REPLACED),
    step("resumed", EMPTY, REPLACED),
    killed("destroy-killed", DESTROY, REPLACED),
    step("destroy", DESTROY, REPLACED),
    step("sweep", DESTROY, REPLACED),
];

/// What the steps come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Foretold {
    /// How long they take, one after the other.
    pub time: Duration,
    /// What they cost.
    pub bill: Bill,
    /// Calls of each step that change something.
    pub sent: Vec<u64>,
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
    let mut world = World::new(account, Latency::default());
    let mut store = MemoryStore::new();
    let mut secrets = Secrets::default();
    secrets.insert(DB_PASSWORD, Secret::new(PASSWORD));
    let mut gauge = Gauge::default();
    let mut sent = Vec::new();
    for step in steps {
        gauge.sent = 0;
        take(step, base, (&mut world, &mut store), &secrets, &mut gauge)
            .map_err(|problem| format!("step {}: {problem}", step.name))?;
        sent.push(gauge.sent);
    }
    gauge.look(&world.account, world.now());
    Ok(Foretold { time: world.now().since(Instant::ZERO), bill: gauge.meter.spent(), sent })
}

fn take(
    step: &Step,
    base: &[(String, String)],
    (world, store): (&mut World, &mut MemoryStore),
    secrets: &Secrets,
    gauge: &mut Gauge,
) -> Result<(), String> {
    let given = base.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let given = given.chain(step.variables.iter().copied()).chain([(DB_PASSWORD, PASSWORD)]);
    let sources: Vec<Source> =
        given.map(|(name, value)| Source::CommandLine { name: name.to_owned(), value: value.to_owned() }).collect();
    let evaluated = evaluate(&sources, Needs { password: true })
        .map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))?;
    let state = store.state("5e0c3a52-6d0a-4b1e-8f0e-1c2d3e4f5a6b");
    let known = state.private.secrets.contains_key(DB_PASSWORD) && !step.new_password;
    let password = if known { Password::Unchanged } else { Password::New(format!("foretold: {}", step.name)) };
    let (mode, exclude) = match step.act {
        Act::Plan { .. } | Act::Apply | Act::Elsewhere => (Mode::Apply, None),
        Act::Destroy { keeps_database } => (Mode::Destroy, keeps_database.then(|| DATABASE.to_owned())),
    };
    let consent = Consent { exclude: exclude.into_iter().collect(), ..Consent::default() };
    let inputs = Inputs { consent, ..Inputs::new(evaluated.variables, mode, password) };
    let planned = plan_round(world, store, secrets, state, &inputs).map_err(|problem| problem.to_string())?;
    if let Act::Plan { changes } = step.act {
        return if planned.plan.is_empty() == changes {
            Err(format!("its plan is {}", if changes { "empty" } else { "not empty" }))
        } else {
            Ok(())
        };
    }
    let before = store.clone();
    let mut executor = Executor::for_plan(&planned, world.now());
    match world.run(&mut executor, store, secrets, gauge) {
        RunEnd::Outcome(Outcome::Done) => {}
        other => return Err(format!("it ends with {other:?}")),
    }
    if step.act == Act::Elsewhere {
        *store = before;
    }
    Ok(())
}

/// Counts calls, and adds up what the account costs.
#[derive(Default)]
struct Gauge {
    meter: Meter,
    sent: u64,
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
mod tests {
    use super::*;

    fn base() -> Vec<(String, String)> {
        [("project_name", "certify"), ("app_instance_type", "t3.micro")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec()
    }

    #[test]
    fn every_step_ends_as_it_has_to_and_costs_something() {
        let usual = foretell(&STEPS, &base(), Durations::Median).expect("every step");
        let longest = foretell(&STEPS, &base(), Durations::Longest).expect("every step");
        assert!(usual.time < longest.time, "{usual:?}\n{longest:?}");
        assert!(usual.bill.total() <= longest.bill.total() && usual.bill.total().pico > 0, "{usual:?}\n{longest:?}");
        for (step, sent) in STEPS.iter().zip(&usual.sent) {
            // What is killed here goes on to its end, and leaves nothing to the next.
            let is_idle = matches!(step.act, Act::Plan { .. })
                || matches!(step.name, "create-killed-again" | "create-resumed" | "destroy" | "sweep");
            assert_eq!(*sent == 0, is_idle, "{}: {sent}", step.name);
        }
    }

    #[test]
    fn names_of_steps_are_unique_and_nothing_is_left_at_the_end() {
        let names: std::collections::BTreeSet<_> = STEPS.iter().map(|step| step.name).collect();
        assert_eq!(names.len(), STEPS.len());
        assert_eq!(STEPS.last().map(|step| step.act), Some(DESTROY));
    }
}
