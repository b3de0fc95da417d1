//! `aloka apply`, `destroy` and `refresh`: plan, ask, send exactly that.

use std::path::Path;

use aloka_core::plan::Mode;
use aloka_core::plan::{Password, Planned};
use aloka_core::state::State;
use aloka_core::variables::Needs;

use super::ask_password::{self, Loaded};
use super::flow::{self, Executed, Run};
use super::{approval, saved};
use crate::args::CloudArg;
use crate::error::{CommandError, CommandResult, Errors};
use crate::io::Io;
use crate::planfile::PlanFile;
use crate::request::Apply;
use crate::view::reporter::{Format, warn};
use crate::view::{human, json};

/// Runs the command.
pub fn run(io: &mut Io, cloud: Option<CloudArg>, request: &Apply) -> CommandResult {
    if request.plan.json {
        if request.plan_file.is_none() && !request.auto_approve {
            let error = CommandError::user("-json leaves no room for a question");
            return Err(error.hint("add -auto-approve, or apply a saved plan").into());
        }
        json::begin(io);
    }
    match &request.plan_file {
        Some(path) => run_saved(io, cloud, request, path),
        None => run_new(io, cloud, request),
    }
}

/// Makes a plan, shows it, asks, and runs it.
fn run_new(io: &mut Io, cloud: Option<CloudArg>, request: &Apply) -> CommandResult {
    let cloud = flow::choose_cloud(cloud)?;
    let (mut run, inputs, planned) = Run::planned(io, &request.plan, cloud, ("OperationTypeApply", true))?;
    run.tell_place(&planned.plan);
    flow::show(run.io, run.format, &planned, false, request.plan.verbose);
    run.foretell(&planned.plan);
    approval::check_data_loss(&planned.plan, &request.allow_data_loss)?;
    approval::needless_data_loss(&planned.plan, &request.allow_data_loss)
        .iter()
        .for_each(|line| warn(run.io, run.format, line));
    run.warn_of_expiry(&planned.plan);
    if !request.auto_approve && flow::has_changes(&planned.plan) {
        approval::ask(&mut run, inputs.mode, request.plan.input)?;
    }
    execute(&mut run, &planned)
}

/// Runs a saved plan, unless the world has moved on since.
fn run_saved(io: &mut Io, cloud: Option<CloudArg>, request: &Apply, path: &Path) -> CommandResult {
    let file = PlanFile::load(path)?;
    saved::check_workspace(&file)?;
    approval::check_data_loss(&file.plan, &request.allow_data_loss)?;
    let needs = Needs { password: saved::sends_secret(&file.plan) };
    // Of this directory, the password and the profile count: everything else is in the plan.
    let Loaded { config, secrets, .. } = ask_password::load(io, &request.plan, cloud, needs)?;
    let profile = config.variables.aws_profile;
    let cloud = saved::cloud(cloud, &file)?;
    let place = file.inputs(profile.clone(), Password::Absent).variables;
    let mut run = Run::open(io, &request.plan, cloud, &place, secrets, "OperationTypeApply")?;
    let state = run.state()?;
    saved::check_state(&file.plan, state.as_ref())?;
    let state = state.unwrap_or_else(|| State::new(file.plan.lineage.clone()));
    let inputs = file.inputs(profile, saved::password(&file.plan, run.secrets(), &state)?);
    let now = run.plan(state, &inputs)?;
    saved::check(&file.plan, &now.plan)?;
    run.tell_place(&now.plan);
    run.warn_of_expiry(&now.plan);
    // The plan made now, which is known to be the saved one: nothing of the file is carried out.
    execute(&mut run, &now)
}

/// Sends the calls and tells how it went.
fn execute(run: &mut Run<'_>, planned: &Planned) -> CommandResult {
    let mode = planned.plan.mode;
    let Executed { counts, state, swept, errors, is_saved } = run.execute(planned)?;
    if let Some(swept) = &swept {
        match run.format {
            Format::Human => {
                run.io.out_line("");
                run.io.out_line(&swept.summary());
            }
            Format::Json => json::write(run.io, &json::sweep_line(swept)),
        }
    }
    if !errors.is_empty() {
        if is_saved {
            let text = human::incomplete(mode, counts, &run.store());
            match run.format {
                Format::Human => ["", &text, ""].into_iter().for_each(|line| run.io.err_line(line)),
                Format::Json => json::write(run.io, &json::warning(&text)),
            }
        }
        return Err(Errors(errors));
    }
    match run.format {
        Format::Human => {
            run.io.out_line("");
            run.io.out_line(&human::summary(mode, counts));
            human::forgotten(&planned.plan).iter().for_each(|line| run.io.out_line(line));
            let outputs = state.all_outputs();
            if mode != Mode::Destroy && !outputs.is_empty() {
                ["", "Outputs:", ""].into_iter().for_each(|line| run.io.out_line(line));
                human::show(run.io, &aloka_core::render::outputs_text(&outputs));
            }
        }
        Format::Json => {
            use aloka_core::render::ui_json::{Stage, change_summary, outputs};
            let stage = match mode {
                Mode::Apply | Mode::RefreshOnly => Stage::Apply,
                Mode::Destroy => Stage::Destroy,
            };
            let at = json::timestamp();
            json::write(run.io, &change_summary(&at, counts, stage));
            json::write(run.io, &outputs(&at, &state.all_outputs()));
        }
    }
    Ok(0)
}
