//! Holds each promise against what a rehearsal showed.

use aloka_core::plan::Mode;
use aloka_core::secret::Secrets;
use aloka_core::session::Inputs;
use aloka_core::state::file;

use super::witness::{Audits, holds_any, needles};
use super::{AUDITED_NODES_MAX, Cycle, SMALL_NODES_MAX};
use crate::world::RunEnd;

/// One promise and whether it was held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promise {
    /// Its number in docs/INVARIANTS.md.
    pub id: &'static str,
    /// Its name there.
    pub name: &'static str,
    /// False if it was seen broken.
    pub held: bool,
    /// What was looked at, or what broke it.
    pub detail: String,
}

/// The verdict on every promise that a rehearsal can judge.
///
/// `again` is the same rehearsal once more; `calm` the same without its faults, if it has any.
pub(super) fn promises(
    inputs: &Inputs,
    secrets: &Secrets,
    cycle: &Cycle,
    again: Option<&Cycle>,
    calm: Option<&Cycle>,
) -> Vec<Promise> {
    let mut promises = vec![order(cycle, calm.is_some()), isolation(inputs, cycle), idempotence(cycle)];
    promises.extend(calm.map(|calm| crash_safety(cycle, calm)));
    promises.extend([
        plan_is_the_program(cycle, calm.is_some()),
        no_secret(secrets, cycle),
        destroy_finishes(cycle),
        determinism(cycle, again),
        termination(cycle),
    ]);
    promises
}

fn promise(id: &'static str, name: &'static str, broken: Option<String>, held: String) -> Promise {
    Promise { id, name, held: broken.is_none(), detail: broken.unwrap_or(held) }
}

/// The first finding and how many more there are.
fn first_of(findings: &[String]) -> Option<String> {
    let (first, more) = findings.split_first()?;
    Some(if more.is_empty() { first.clone() } else { format!("{first}; and {} more", more.len()) })
}

fn order(cycle: &Cycle, disturbed: bool) -> Promise {
    let sent = cycle.witness.arrived;
    if disturbed {
        // A run that takes up another's work may meet what that one made or removed.
        return promise("I1", "Order", None, "not checked: it is about runs without faults".to_owned());
    }
    let held = format!("{sent} calls sent, none met something missing or still in use");
    promise("I1", "Order", first_of(&cycle.witness.refusals), held)
}

fn isolation(inputs: &Inputs, cycle: &Cycle) -> Promise {
    let witness = &cycle.witness;
    let has_servers = inputs.variables.app_instance_count > 0;
    let broken = first_of(&witness.violations)
        .or_else(|| witness.path_lost.as_ref().map(|when| format!("the servers lost the database at {when}")))
        .or_else(|| {
            let audited = witness.when != Audits::Never;
            let missing = audited && has_servers && !witness.path_seen && cycle.is_applied();
            missing.then(|| "after apply, the servers do not reach the database".to_owned())
        });
    let looked = match witness.when {
        Audits::EachCall => format!("audited {} times, after every call that can change it", witness.audits),
        Audits::Ends => format!("more than {SMALL_NODES_MAX} steps: audited when apply and destroy had ended only"),
        Audits::Never => format!("not checked: more than {AUDITED_NODES_MAX} steps"),
    };
    promise("I2", "Isolation", broken, looked)
}

fn idempotence(cycle: &Cycle) -> Promise {
    let broken = match &cycle.second {
        Ok(plan) if plan.is_empty() => None,
        Ok(plan) => {
            let (add, change, destroy) = plan.counts();
            let first = plan.nodes.first().map(|node| format!(", first {:?} {}", node.verb, node.target));
            let outputs = plan.outputs.iter().filter(|output| output.before != output.after).count();
            Some(format!(
                "the plan after apply: {add} to add, {change} to change, {destroy} to destroy, {outputs} outputs to change{}",
                first.unwrap_or_default()
            ))
        }
        Err(reason) => Some(format!("no plan after apply: {reason}")),
    };
    promise("I3", "Idempotence", broken, "the plan after apply is empty".to_owned())
}

/// With faults, calls get lost on the way.
fn plan_is_the_program(cycle: &Cycle, disturbed: bool) -> Promise {
    let witness = &cycle.witness;
    let silent = witness.announced != witness.arrived && !disturbed;
    let broken = first_of(&witness.unplanned)
        .map(|call| format!("not in the plan: {call}"))
        .or_else(|| silent.then(|| format!("{} calls announced, {} sent", witness.announced, witness.arrived)));
    promise("I5", "The plan is the program", broken, format!("all {} calls sent are in the plan", witness.arrived))
}

fn crash_safety(cycle: &Cycle, calm: &Cycle) -> Promise {
    let runs = cycle.runs.iter().filter(|run| run.mode == Mode::Apply).count();
    let differs = calm.standing.keys().chain(cycle.standing.keys()).find_map(|object| {
        let count = |cycle: &Cycle| cycle.standing.get(object).copied().unwrap_or_default();
        let (kind, address) = object;
        let counts = (count(cycle), count(calm));
        (counts.0 != counts.1).then(|| format!("{} of {kind} {address}, without faults {}", counts.0, counts.1))
    });
    let broken = if !cycle.is_applied() {
        Some(format!("apply did not get through in {runs} runs"))
    } else if cycle.unfinished > 0 {
        Some(format!("the state holds {} creations for unfinished", cycle.unfinished))
    } else {
        differs
    };
    let again = if runs == 1 { "without running it again".to_owned() } else { format!("after {runs} runs") };
    promise("I4", "Crash-safety", broken, format!("{again}, the same stands as without faults"))
}

fn no_secret(secrets: &Secrets, cycle: &Cycle) -> Promise {
    let needles = needles(secrets);
    let (states, leaks) = cycle.store.seen();
    let traced = holds_any(&cycle.world.trace.to_json_lines(), &needles);
    let account = serde_json::to_string(&cycle.world.account).unwrap_or_default();
    let plan = serde_json::to_string(&cycle.planned.plan).unwrap_or_default();
    let broken = if leaks > 0 {
        Some(format!("the password is in {leaks} of {states} states written"))
    } else if traced {
        Some("the password is in the trace".to_owned())
    } else if holds_any(&plan, &needles) {
        Some("the password is in the plan".to_owned())
    } else if holds_any(&account, &needles) {
        Some("the password is in the simulated account".to_owned())
    } else {
        None
    };
    let held = if needles.is_empty() {
        "no password was given, so there was none to find".to_owned()
    } else {
        format!("the password is in none of {states} states, nor in the plan, the trace or the account")
    };
    promise("I6", "No secret", broken, held)
}

fn destroy_finishes(cycle: &Cycle) -> Promise {
    let (Some(run), Some(destroyed)) = (cycle.last_run(Mode::Destroy), &cycle.destroy) else {
        let broken = cycle.not_destroyed.as_ref().map(|reason| format!("no plan to destroy: {reason}"));
        return promise("I9", "Destroy finishes", broken, "not checked: the stack was kept".to_owned());
    };
    // What the calls of the plan keep of a database is its owner's.
    let (kept, left): (Vec<_>, Vec<_>) =
        cycle.world.account.objects(cycle.world.now()).into_iter().partition(|object| object.kind.is_kept_on_purpose());
    let refused = cycle.witness.dependency_violations;
    let broken = if let Some(first) = left.first() {
        Some(format!("{} objects left, first {} {}", left.len(), first.kind, first.id))
    } else if refused > 0 {
        Some(format!("DependencyViolation met {refused} times"))
    } else if !run.is_done() {
        Some(format!("destroy ended with {:?}", run.end))
    } else {
        match &destroyed.swept {
            // The account is empty: whatever the sweep has found is not there.
            Some(swept) => (!swept.is_clean()).then(|| swept.summary()),
            None => Some("destroy did not look whether anything is left".to_owned()),
        }
    };
    let kinds = destroyed.swept.as_ref().map_or(0, |swept| swept.kinds.len());
    let kept =
        kept.iter().map(|object| format!(" but {} {}, kept on purpose", object.kind, object.id)).collect::<String>();
    let held = format!("nothing left{kept}, no DependencyViolation met; the sweep by tag looked for {kinds} kinds");
    promise("I9", "Destroy finishes", broken, held)
}

fn determinism(cycle: &Cycle, again: Option<&Cycle>) -> Promise {
    let Some(again) = again else {
        let held = format!("not checked: more than {SMALL_NODES_MAX} steps");
        return promise("I10", "Determinism", None, held);
    };
    let text = |cycle: &Cycle| cycle.store.inner().last().map(|state| file::write(state));
    let (one, two) = (&cycle.world.trace, &again.world.trace);
    let differs = one.entries().iter().zip(two.entries()).find(|(one, two)| one != two);
    let broken = if let Some((one, two)) = differs {
        Some(format!("at {} `{}`, the second time `{}`", one.at.0, one.what, two.what))
    } else if one.entries().len() != two.entries().len() {
        Some(format!("{} events, the second time {}", one.entries().len(), two.entries().len()))
    } else if cycle.applied != again.applied || text(cycle) != text(again) {
        Some("the states differ".to_owned())
    } else {
        None
    };
    promise("I10", "Determinism", broken, format!("run twice, trace {:032x} both times", one.hash()))
}

fn termination(cycle: &Cycle) -> Promise {
    let stuck = cycle.runs.iter().find(|run| run.end == Some(RunEnd::Stuck));
    let undone =
        [cycle.last_run(Mode::Apply), cycle.last_run(Mode::Destroy)].into_iter().flatten().find(|run| !run.is_done());
    let broken = stuck.or(undone).map(|run| match (&run.end, &run.plan) {
        (Some(end), _) => format!("{:?} ended with {end:?}", run.mode),
        (None, Err(reason)) => format!("{:?} had no plan: {reason}", run.mode),
        (None, Ok(_)) => format!("{:?} had no end", run.mode),
    });
    promise("I11", "Termination", broken, "every run ended".to_owned())
}
