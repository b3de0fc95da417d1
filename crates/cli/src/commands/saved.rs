//! Running a saved plan: whether it still holds, and what it needs that no file holds.

use aloka_core::plan::Password;
use aloka_core::plan::Plan;
use aloka_core::plan::saved::{Difference, differences};
use aloka_core::secret::{DB_PASSWORD, Secrets};
use aloka_core::state::State;
use aloka_core::value::Value;

use super::{flow, password};
use crate::args::CloudArg;
use crate::error::{CommandError, Errors};
use crate::planfile::PlanFile;
use crate::workspace;

/// So many differences are told.
const DIFFERENCES_MAX: usize = 5;

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

/// Refuses a plan that was made for the state of another workspace.
pub fn check_workspace(file: &PlanFile) -> Result<(), CommandError> {
    let (was, is) = (&file.workspace, workspace::current()?);
    if *was == is {
        return Ok(());
    }
    let error = CommandError::conflict(format!("the saved plan was made for the workspace {was}, not {is}"));
    Err(match workspace::of_environment()? {
        Some(_) => error.hint(format!("set {}={was}, or make a new plan for {is}", workspace::VARIABLE)),
        None => error.hint(format!("aloka workspace select {was}    chooses it; or make a new plan for {is}")),
    })
}

/// True if a call of the plan holds a secret that the command line has to give. What the state marks as sensitive is in the state.
pub fn sends_secret(plan: &Plan) -> bool {
    fn holds(value: &Value) -> bool {
        match value {
            Value::Secret(name) => **name == *DB_PASSWORD,
            Value::List(items) => items.iter().any(holds),
            Value::Map(map) => map.values().any(holds),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Str(_) | Value::Ref(..) => false,
        }
    }
    plan.calls().any(|(_, call, _)| call.args.values().any(holds))
}

/// What is known of the password. A plan that sends none is made without.
pub fn password(plan: &Plan, secrets: &Secrets, state: &State) -> Result<Password, CommandError> {
    if sends_secret(plan) { password::known(secrets, state, plan.mode, true) } else { Ok(Password::Absent) }
}

fn stale(why: impl std::fmt::Display) -> CommandError {
    CommandError::conflict(format!("saved plan is stale: {why}")).hint("make a new one with: aloka plan -out=FILE")
}

/// Refuses a plan that was made from another state. `None`: nothing was ever recorded.
pub fn check_state(plan: &Plan, state: Option<&State>) -> Result<(), CommandError> {
    plan.stale(state).map_or(Ok(()), |why| Err(stale(why)))
}

/// Refuses a plan that is not the one that is made now.
pub fn check(saved: &Plan, now: &Plan) -> Result<(), Errors> {
    let found = differences(saved, now);
    if found.is_empty() {
        return Ok(());
    }
    let errors = found.into_iter().take(DIFFERENCES_MAX).map(|Difference { target, what }| match target {
        Some(target) => stale(what).about(&target),
        None => stale(what),
    });
    Err(Errors(errors.collect()))
}
