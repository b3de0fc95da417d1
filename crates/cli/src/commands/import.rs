//! `aloka import`: recording one object that exists.

use aloka_core::address::Address;
use aloka_core::kind::Kind;
use aloka_core::session::Inputs;
use aloka_core::session::claim::{import, record_only};
use aloka_core::state::State;

use super::ask_password::Loaded;
use super::flow::{self, Run};
use super::password;
use crate::args::{CloudArg, ImportArgs};
use crate::error::{CommandError, CommandResult, Errors};
use crate::io::Io;
use crate::request::PlanRequest;
use crate::view::failure;

/// Runs the command.
pub fn run(io: &mut Io, cloud: Option<CloudArg>, args: ImportArgs) -> CommandResult {
    let ImportArgs { variables, lock, address, id } = args;
    let address: Address = address.parse().map_err(|error| {
        CommandError::user(format!("{error}")).hint("aloka graph    shows every address of the stack")
    })?;
    let request = PlanRequest::find(variables.given, &lock);
    let Loaded { config, secrets, .. } = flow::configure(io, &request, cloud)?;
    let cloud = flow::choose_cloud(cloud)?;
    // Terraform's name for it in a lock.
    let mut run = Run::open(io, &request, cloud, &config.variables, secrets, "OperationTypeInvalid")?;
    let state = run.state()?.unwrap_or_else(|| State::new(flow::new_lineage()));
    let password = password::known(run.secrets(), &state, request.mode, true)?;
    let inputs = Inputs {
        // That of a database that is found, see `state recover`.
        password: if address.kind == Kind::DbInstance { password.trusted() } else { password },
        variables: config.variables,
        user_data: config.user_data,
        mode: request.mode,
        upgrade: request.upgrade,
        consent: request.consent.clone(),
        origins: config.origins,
        recording: true,
    };
    let told = |problem| Errors(vec![failure::of_problem(&problem, None)]);
    let with = import::add(&state, &address, &id).map_err(told)?;
    let planned = run.plan(with, &inputs)?;
    import::check(&planned, &address, &id).map_err(told)?;
    let ended = run.execute(&record_only(&planned, &inputs))?;
    if !ended.errors.is_empty() {
        return Err(Errors(ended.errors));
    }
    let store = run.store();
    run.io.out_line(&format!("{address}: imported {id}, recorded in the {store}"));
    Ok(0)
}
