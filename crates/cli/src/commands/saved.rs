//! Running a saved plan: whether it still holds, and what it needs that no file holds.

use aloka_core::fingerprint;
use aloka_core::plan::{Change, Plan};
use aloka_core::secret::{DB_PASSWORD, Secrets};
use aloka_core::session::Password;
use aloka_core::state::{State, Target};
use aloka_core::value::Value;

use super::flow;
use crate::args::CloudArg;
use crate::error::{CommandError, Errors};
use crate::planfile::PlanFile;

/// The cloud the plan was made for, unless another one is asked for.
pub fn cloud(asked: Option<CloudArg>, file: &PlanFile) -> Result<CloudArg, CommandError> {
    let made_for = [CloudArg::Sim, CloudArg::Aws].into_iter().find(|cloud| cloud.name() == file.cloud);
    let Some(made_for) = made_for else {
        return Err(CommandError::config(format!("the saved plan is for `{}`, which is no cloud", file.cloud)));
    };
    match asked {
        Some(asked) if asked != made_for => {
            let (was, is) = (made_for.name(), asked.name());
            let error = CommandError::conflict(format!("the saved plan was made for the cloud `{was}`, not `{is}`"));
            Err(error.hint(format!("give -cloud={was}, or make a new plan for {is}")))
        }
        Some(_) | None => flow::choose_cloud(Some(made_for)),
    }
}

/// True if a call of the plan holds a secret.
pub fn sends_secret(plan: &Plan) -> bool {
    fn holds(value: &Value) -> bool {
        match value {
            Value::Secret(_) => true,
            Value::List(items) => items.iter().any(holds),
            Value::Map(map) => map.values().any(holds),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Str(_) | Value::Ref(..) => false,
        }
    }
    plan.calls().any(|(_, call, _)| call.args.values().any(holds))
}

/// What is known of the password. One that is sent must be the one the plan was made with, as its hash is recorded.
pub fn password(plan: &Plan, secrets: &Secrets, state: &State) -> Result<Password, CommandError> {
    let Some(secret) = secrets.get(DB_PASSWORD) else { return Ok(Password::Absent) };
    let recorded = state.private.secrets.get(DB_PASSWORD);
    if recorded.is_some_and(|recorded| fingerprint::verify(secret, recorded)) {
        return Ok(Password::Unchanged);
    }
    match plan.secrets.get(DB_PASSWORD) {
        Some(hash) if fingerprint::verify(secret, hash) => Ok(Password::New(hash.to_string())),
        Some(_) if sends_secret(plan) => {
            Err(CommandError::conflict("this plan was made with another password than the one given now")
                .hint("give that one as TF_VAR_db_password, or make a new plan with: aloka plan -out=FILE"))
        }
        // Not sent, so of no consequence.
        Some(_) | None => Ok(Password::Absent),
    }
}

fn stale(why: impl std::fmt::Display) -> CommandError {
    CommandError::conflict(format!("saved plan is stale: {why}")).hint("make a new one with: aloka plan -out=FILE")
}

/// Refuses a plan that was made from another state. `None`: nothing was ever recorded.
pub fn check_state(plan: &Plan, state: Option<&State>) -> Result<(), CommandError> {
    plan.stale(state).map_or(Ok(()), |why| Err(stale(why)))
}

/// Refuses a plan if what was observed then is not what is observed now.
pub fn check_observed(saved: &Plan, now: &Plan) -> Result<(), Errors> {
    let place = |plan: &Plan| format!("{} in {}", plan.account.as_deref().unwrap_or("unknown account"), plan.region);
    if (&saved.account, &saved.region) != (&now.account, &now.region) {
        return Err(stale(format!("it was made for {}, this is {}", place(saved), place(now))).into());
    }
    let find = |plan: &'_ Plan, target: &Target| plan.changes.iter().position(|change| change.target == *target);
    let mut errors = Vec::new();
    for change in &saved.changes {
        match find(now, &change.target).and_then(|index| now.changes.get(index)) {
            None if change.before.is_empty() => {}
            None => errors.push(stale("the object is not recorded any more").about(&change.target)),
            Some(other) => errors.extend(difference(change, other).map(|why| stale(why).about(&change.target))),
        }
    }
    for change in now.changes.iter().filter(|change| !change.before.is_empty()) {
        if find(saved, &change.target).is_none() {
            errors.push(stale("the object was not there when the plan was made").about(&change.target));
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(Errors(errors)) }
}

/// The first attribute that differs.
fn difference(saved: &Change, now: &Change) -> Option<String> {
    match (saved.before.is_empty(), now.before.is_empty()) {
        (false, true) => return Some("the object is gone".to_owned()),
        (true, false) => return Some("the object exists now".to_owned()),
        (true, true) | (false, false) => {}
    }
    let names = saved.before.keys().chain(now.before.keys());
    let null = Value::Null;
    names.into_iter().find_map(|name| {
        let was = saved.before.get(name).unwrap_or(&null);
        let is = now.before.get(name).unwrap_or(&null);
        (was != is).then(|| format!("`{name}` was {was} and is {is} now"))
    })
}
