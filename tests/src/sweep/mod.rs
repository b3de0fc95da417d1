//! The sweep: every sort of trouble at every effect of every plan, then a plain re-run.
//!
//! An effect is a call or a write of the state; what a process does, it does by effects, so that dying before an
//! effect, after it, and after its answer is dying anywhere: also between two polls of a waiter. A schedule is one
//! trouble at one effect. It is played by running the command until it is done, and must then have led to the account
//! that an undisturbed run leads to. Nothing here is random; a schedule is its case and its faults, which can be
//! written down and played again.

mod cases;
mod flaw;
mod ledger;
mod portrait;
mod report;
mod stand;
mod table;
mod trouble;
mod work;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use aloka_core::api::Request;
use aloka_core::plan::{Mode, Verb};
use aloka_core::secret::{DB_PASSWORD, Secrets};
use aloka_core::time::Instant;
use aloka_sim::audit;
use aloka_sim::fault::{Fault, FaultPlan, When};
use aloka_sim::trace::{Trace, TraceKind};

pub use self::cases::{CASES, Case};
pub use self::flaw::Flaw;
pub use self::portrait::portrait;
pub use self::report::{Caught, Report, catch, play_all, play_pairs, settings};
pub use self::stand::{Attempt, Command, Stand};
pub use self::table::Table;
pub use self::trouble::{Moment, Trouble};
pub use self::work::in_parallel;

use self::stand::recorded;
use crate::LINEAGE;

/// After this long everything shows, and what was on its way has arrived.
const SETTLED: Duration = Duration::from_secs(1800);

/// A case in an account, and what becomes of it if nothing goes wrong.
#[derive(Clone)]
pub struct Setting {
    /// The case.
    pub case: Case,
    /// True if the account shows its changes late.
    pub late: bool,
    /// What is asked for.
    pub command: Command,
    /// The effects of an undisturbed run.
    pub moments: Vec<Moment>,
    /// Where it begins.
    pub start: Stand,
    wanted: Vec<String>,
    data_loss: Vec<String>,
}

/// One way for things to go wrong.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// The trouble, by its index in [`Trouble::all`]; the last one of a pair.
    pub trouble: usize,
    /// What strikes, and when.
    pub faults: FaultPlan,
    /// How often the command may be run until it is done.
    pub runs_max: usize,
}

/// What a schedule showed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Played {
    /// How often the command was run.
    pub runs: usize,
    /// Objects that were found and taken.
    pub adopted: usize,
    /// States that were looked at.
    pub states: u64,
}

/// Something is wrong.
#[derive(Clone, Debug)]
pub struct Finding {
    /// What it takes to see it again.
    pub story: String,
    /// What, a sentence each.
    pub wrong: Vec<String>,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.story)?;
        self.wrong.iter().take(12).try_for_each(|what| write!(f, "\n    {what}"))
    }
}

impl Setting {
    /// Plays the case undisturbed.
    ///
    /// # Errors
    /// What was wrong with that.
    pub fn new(case: &Case, late: bool) -> Result<Self, Finding> {
        let story = || format!("{}{}, undisturbed", case.name, if late { ", shown late" } else { "" });
        let failed = |wrong: Vec<String>| Finding { story: story(), wrong };
        let start = case.start(late).map_err(|what| failed(vec![what]))?;
        let command = case.command();
        let mut calm = start.clone();
        calm.world.trace = Trace::on();
        let attempt = calm.attempt(&command, None);
        if let Some(cut) = &attempt.cut {
            return Err(failed(vec![cut.clone()]));
        }
        let mut setting = Self {
            case: case.clone(),
            late,
            command,
            moments: moments(&calm),
            start,
            wanted: Vec::new(),
            data_loss: attempt.data_loss,
        };
        setting.wanted = setting.portrait(&calm);
        // Its states are looked at once more than those of any other schedule: the first time.
        setting.start.store = setting.start.store.knowing(&calm.store);
        setting.play(&Self::undisturbed(), None)?;
        Ok(setting)
    }

    /// Every schedule of one trouble, in the order of effects.
    pub fn schedules(&self) -> Vec<Schedule> {
        let troubles = Trouble::all();
        let mut schedules = Vec::new();
        for moment in &self.moments {
            for (index, trouble) in troubles.iter().enumerate().filter(|(_, trouble)| trouble.late == self.late) {
                if trouble.fits(moment) {
                    schedules.push(Schedule {
                        trouble: index,
                        faults: FaultPlan::at(moment.effect, trouble.strikes(moment)),
                        runs_max: if trouble.is_passing() { 1 } else { 2 },
                    });
                }
            }
        }
        schedules
    }

    /// The schedules whose trouble strikes when the command has planned: what planning does changes nothing.
    pub fn later_schedules(&self) -> Vec<Schedule> {
        let planned = self.moments.iter().find(|moment| moment.operation.is_none()).map(|moment| moment.effect);
        let is_later = |schedule: &Schedule| match schedule.faults.0.first() {
            Some((When::Effect(effect), _)) => planned.is_some_and(|planned| *effect >= planned),
            Some(_) | None => false,
        };
        self.schedules().into_iter().filter(is_later).collect()
    }

    /// The schedule in which nothing goes wrong.
    pub fn undisturbed() -> Schedule {
        Self::schedule(FaultPlan::none())
    }

    /// A schedule with these faults; the command is run once more for each.
    pub fn schedule(faults: FaultPlan) -> Schedule {
        let runs_max = 1 + faults.0.len();
        Schedule { trouble: 0, faults, runs_max }
    }

    /// The case, and whether it is shown late.
    pub fn title(&self) -> String {
        format!("{}{}", self.case.name, if self.late { ", shown late" } else { "" })
    }

    /// Every second trouble after the one of `first`, in its run or in the one that follows.
    pub fn pairs(&self, first: &Schedule) -> Vec<Schedule> {
        let Some((When::Effect(struck), _)) = first.faults.0.first() else { return Vec::new() };
        let mut stand = self.start.clone();
        stand.world.trace = Trace::on();
        stand.world.faults = first.faults.clone();
        for _ in 0..first.runs_max {
            if stand.attempt(&self.command, None).cut.is_none() {
                break;
            }
        }
        let troubles = Trouble::all();
        let mut schedules = Vec::new();
        for moment in moments(&stand).iter().filter(|moment| moment.effect > *struck) {
            for (index, trouble) in troubles.iter().enumerate().filter(|(_, trouble)| trouble.late == self.late) {
                if trouble.fits(moment) {
                    let mut faults = first.faults.clone();
                    faults.0.push((When::Effect(moment.effect), trouble.strikes(moment)));
                    let runs_max = first.runs_max + usize::from(!trouble.is_passing());
                    schedules.push(Schedule { trouble: index, faults, runs_max });
                }
            }
        }
        schedules
    }

    /// Runs the command until it is done, and looks at everything on the way and in the end.
    ///
    /// # Errors
    /// What was wrong.
    pub fn play(&self, schedule: &Schedule, flaw: Option<Flaw>) -> Result<Played, Finding> {
        let mut stand = self.start.clone();
        let looked_at = stand.store.looked_at;
        stand.world.faults = schedule.faults.clone();
        let (mut played, mut wrong) = (Played::default(), Vec::new());
        let mut password_taken = false;
        let mut cut = None;
        for run in 1..=schedule.runs_max {
            played.runs = run;
            let attempt = stand.attempt(&self.command, flaw);
            played.adopted += attempt.adopted.len();
            password_taken |= attempt.password_taken;
            wrong.extend(attempt.wrong.iter().map(|what| format!("run {run}: {what}")));
            wrong.extend(stand.astray().into_iter().map(|what| format!("after run {run}: {what}")));
            if let Some(name) = attempt.data_loss.iter().find(|name| !self.data_loss.contains(name))
                && !loses_database(&schedule.faults)
            {
                wrong.push(format!("run {run} asks for the name of {name}"));
            }
            cut = attempt.cut;
            if cut.is_none() {
                break;
            }
        }
        if let Some(cut) = cut {
            wrong.push(format!("not done after run {}: {cut}", played.runs));
        } else {
            self.judge(&mut stand, password_taken, flaw, &mut wrong);
        }
        wrong.append(&mut stand.store.wrong);
        played.states = stand.store.looked_at - looked_at;
        if wrong.is_empty() {
            return Ok(played);
        }
        let faults = schedule.faults.to_string();
        let faults = if faults.is_empty() { "undisturbed" } else { &faults };
        Err(Finding { story: format!("{}, {faults}", self.title()), wrong })
    }

    /// What must be so once the command is done.
    fn judge(&self, stand: &mut Stand, password_taken: bool, flaw: Option<Flaw>, wrong: &mut Vec<String>) {
        let seen = self.portrait(stand);
        differences(&self.wanted, &seen, wrong);
        let mut account = stand.world.account.clone();
        let now = stand.world.now() + SETTLED;
        let world = audit::audit(&mut |request: &Request| account.call(now, request, &Secrets::default()));
        let state = stand.state();
        let recorded = recorded(&state);
        wrong.extend(world.unread.iter().map(|what| format!("unread: {what}")));
        wrong.extend(world.orphans(LINEAGE, &recorded).into_iter().map(|what| format!("orphan: {what}")));
        let twins = world.duplicates().into_iter().flatten().map(|object| format!("duplicate: {object:?}"));
        wrong.extend(twins);
        wrong.extend(world.leaks().into_iter().map(|what| format!("leak: {what}")));
        wrong.extend(world.defects().into_iter().map(|what| format!("defect: {what}")));
        wrong.extend(world.untagged().into_iter().map(|object| format!("nobody's: {object:?}")));
        if self.case.name.contains("password") && !password_taken {
            wrong.push("AWS never took the password".to_owned());
        }
        if self.command.mode == Mode::Apply {
            let hash = state.private.secrets.get(DB_PASSWORD).map(|hash| &**hash);
            if hash != Some(self.command.hash()) {
                wrong.push(format!("the state has {hash:?} for the password"));
            }
        }
        if self.late {
            // A new password is nothing that a read shows: the run may be over before AWS has set it.
            stand.world.rest(SETTLED);
        }
        match stand.plan(&self.command, flaw, &mut Vec::new()) {
            Ok(again) if self.command.mode == Mode::RefreshOnly => {
                wrong.extend(again.plan.drift.iter().map(|drift| format!("still to be recorded: {drift:?}")));
            }
            Ok(again) => {
                let changing = again.plan.nodes.iter().filter(|node| node.verb != Verb::Read);
                let left = changing.map(|node| format!("left to do: {:?} {}", node.verb, node.target));
                wrong.extend(left);
                let outputs = again.plan.outputs.iter().filter(|output| output.before != output.after);
                wrong.extend(outputs.map(|output| format!("left to do: output {}", output.name)));
            }
            Err(reason) => wrong.push(format!("no plan afterwards: {reason}")),
        }
        let begun = state.private.intents.keys().map(|address| format!("still begun: {address}"));
        wrong.extend(begun);
    }

    fn portrait(&self, stand: &Stand) -> Vec<String> {
        portrait(&stand.world.account, stand.world.now() + SETTLED)
    }
}

/// A database that failed is replaced, and I8 asks for its name whatever became of it.
fn loses_database(faults: &FaultPlan) -> bool {
    faults.0.iter().any(|(_, fault)| matches!(fault, Fault::Failed { .. }))
}

fn differences(wanted: &[String], seen: &[String], wrong: &mut Vec<String>) {
    let mut counts: BTreeMap<&String, i64> = BTreeMap::new();
    wanted.iter().for_each(|line| *counts.entry(line).or_default() -= 1);
    seen.iter().for_each(|line| *counts.entry(line).or_default() += 1);
    for (line, count) in counts {
        match count {
            0 => {}
            1.. => wrong.push(format!("too much: {line}")),
            _ => wrong.push(format!("missing: {line}")),
        }
    }
}

/// The effects that the trace of a stand tells.
fn moments(stand: &Stand) -> Vec<Moment> {
    let entries = stand.world.trace.entries();
    let now = stand.world.now();
    // When each identifier was first told by AWS.
    let mut made: BTreeMap<String, Instant> = BTreeMap::new();
    for object in stand.world.account.objects(now) {
        let tells = |entry: &&aloka_sim::trace::TraceEntry| {
            entry.kind == TraceKind::Aws
                && entry.operation.is_some_and(|operation| operation.is_creating())
                && entry.what.contains(&object.id)
        };
        if let Some(entry) = entries.iter().find(tells) {
            made.insert(object.id, entry.at);
        }
    }
    let number = |what: &str| what.strip_prefix("effect ")?.split(':').next()?.parse::<u64>().ok();
    let asked = entries.iter().filter(|entry| matches!(entry.kind, TraceKind::Send | TraceKind::Store));
    asked
        .filter_map(|entry| {
            let effect = number(&entry.what)?;
            let is_recent = |(id, made): (&String, &Instant)| {
                *made < entry.at && trouble::is_fresh(*made, entry.at) && entry.what.contains(id.as_str())
            };
            let is_fresh = entry.operation.is_some() && made.iter().any(is_recent);
            Some(Moment { effect, at: entry.at, operation: entry.operation, is_fresh })
        })
        .collect()
}
