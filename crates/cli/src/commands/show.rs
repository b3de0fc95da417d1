//! `aloka show`: the state, a state file, or a saved plan.

use std::path::Path;

use aloka_core::boot::BootScript;
use aloka_core::plan::Mode;
use aloka_core::render::{Context, Options, boot_text, plan_json, plan_text, state_json, state_text};
use aloka_core::state::{State, file};
use aloka_core::variables::Needs;

use super::store;
use crate::args::{CloudArg, ShowArgs};
use crate::cloud::{CloudKind, Whose};
use crate::config;
use crate::error::{CommandError, CommandResult};
use crate::io::Io;
use crate::planfile::PlanFile;
use crate::view::human;

/// Runs the command.
pub fn run(io: &mut Io, cloud: Option<CloudArg>, args: &ShowArgs) -> CommandResult {
    match &args.file {
        None => {
            let state = store::read_here(io, cloud)?;
            show_state(io, &state, args.json)
        }
        // Read once: it may be a pipe.
        Some(path) => {
            let bytes = PlanFile::read(path)?;
            match PlanFile::of(path, &bytes) {
                Ok(plan) => show_plan(io, &plan, args.json),
                Err(no_plan) => show_state(io, &state_file(path, &bytes, no_plan)?, args.json),
            }
        }
    }
    .map(|()| 0)
    .map_err(Into::into)
}

/// The state in a file that is no plan of ours.
fn state_file(path: &Path, bytes: &[u8], no_plan: CommandError) -> Result<State, CommandError> {
    if bytes.trim_ascii().is_empty() {
        return Err(CommandError::config(format!("{} is empty", path.display()))
            .hint("aloka show    shows the state of this directory"));
    }
    match file::read_bytes(bytes) {
        Ok(state) => Ok(state),
        // It is nothing that could be a state.
        Err(file::ReadError::Json(_) | file::ReadError::NotText { .. } | file::ReadError::TooLarge(_)) => Err(no_plan),
        Err(_) if PlanFile::is_plan(bytes) => Err(no_plan),
        Err(error) => {
            let command = CommandError::config(format!("cannot use {}: {error}", path.display()));
            Err(command.hint(error.way().unwrap_or("get a whole copy of it, and show that")))
        }
    }
}

fn show_state(io: &mut Io, state: &State, json: bool) -> Result<(), CommandError> {
    if json {
        io.out_json(&state_json(state));
    } else {
        human::show(io, &state_text(state));
    }
    Ok(())
}

/// Whose credentials `aloka apply` would use for this plan here.
fn whose(saved: &PlanFile) -> Whose {
    let kind = if saved.cloud == CloudArg::Sim.name() { CloudKind::Sim } else { CloudKind::Aws };
    let here = config::load(&[], Needs { password: false }).ok().and_then(|(config, _)| config.variables.aws_profile);
    Whose::of(kind, here.as_deref())
}

/// What the command line allowed when the plan was made.
fn agreed(io: &mut Io, saved: &PlanFile) {
    let flags = saved.consent.flags();
    if !flags.is_empty() {
        io.out_line("");
        io.out_line(&format!("Made with: {}", flags.join(" ")));
    }
}

fn show_plan(io: &mut Io, saved: &PlanFile, json: bool) -> Result<(), CommandError> {
    let boot = BootScript::of(&saved.variables, saved.user_data.as_deref());
    if json {
        let variables =
            serde_json::to_value(&saved.variables).map_err(|error| CommandError::internal(error.to_string()))?;
        let context = Context { variables: Some(&variables), boot_script: boot.as_ref(), ..Context::default() };
        // On one line: some readers of plans take no other.
        io.out_json(&plan_json(&saved.plan, context));
    } else {
        io.out_line(&human::place(&whose(saved), &saved.plan, &saved.workspace));
        io.out_line("");
        human::show(io, &plan_text(&saved.plan, Options::default()));
        if let Some(boot) = boot.filter(|_| saved.plan.mode == Mode::Apply) {
            io.out_line("");
            human::show(io, &boot_text(&boot));
        }
        agreed(io, saved);
    }
    Ok(())
}
