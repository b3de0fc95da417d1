//! `aloka plan`: what apply would do.

use aloka_core::session::Inputs;
use aloka_core::state::State;

use super::flow::{self, Run};
use crate::args::CloudArg;
use crate::error::CommandResult;
use crate::io::Io;
use crate::planfile::PlanFile;
use crate::request::Plan;
use crate::view::json;
use crate::view::reporter::Format;

/// Runs the command.
pub fn run(io: &mut Io, cloud: Option<CloudArg>, request: &Plan) -> CommandResult {
    let cloud = flow::choose_cloud(cloud)?;
    if request.plan.json {
        json::begin(io);
    }
    let (config, secrets) = flow::configure(io, &request.plan)?;
    let mut run = Run::open(io, &request.plan, cloud, &config.variables, secrets, "OperationTypePlan")?;
    let state = run.state()?.unwrap_or_else(|| State::new(flow::new_lineage()));
    let inputs = Inputs {
        variables: config.variables,
        user_data: config.user_data,
        mode: request.plan.mode,
        upgrade: request.plan.upgrade,
        password: flow::password(run.secrets(), &state)?,
    };
    let planned = run.plan(state, &inputs)?;
    flow::show(run.io, run.format, &planned, request.calls);
    let changes = flow::has_changes(&planned.plan);
    if let Some(path) = &request.out {
        let file = PlanFile::new(cloud.name(), &inputs, planned.plan);
        file.save(path)?;
        if run.format == Format::Human {
            let path = path.display();
            run.io.out(&format!(
                "\nSaved the plan to: {path}\n\nTo perform exactly these actions, run the following command to apply:\n    \
                 aloka apply \"{path}\"\n"
            ));
        }
    } else if changes && run.format == Format::Human {
        run.io.out(
            "\nNote: you didn't use the -out option to save this plan, so the next apply makes and shows a plan of its own.\n",
        );
    }
    Ok(if request.detailed_exitcode && changes { 2 } else { 0 })
}
