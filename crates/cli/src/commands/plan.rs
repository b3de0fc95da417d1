//! `aloka plan`: what apply would do.

use std::path::Path;

use aloka_core::render::{Style, Text};
use aloka_core::shell::Command;

use super::flow::{self, Run};
use super::store;
use crate::args::CloudArg;
use crate::error::CommandResult;
use crate::io::Io;
use crate::output::{Kind, Output};
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
    let kept = request.out.as_ref().map(|_| store::kept()).unwrap_or_default();
    let output = request.out.as_deref().map(|path| Output::new(path, Kind::Plan, &kept)).transpose()?;
    let (mut run, inputs, planned) = Run::planned(io, &request.plan, cloud, ("OperationTypePlan", false))?;
    run.tell_place(&planned.plan);
    flow::show(run.io, run.format, &planned, request.calls, request.plan.verbose);
    run.foretell(&planned.plan);
    let changes = flow::has_changes(&planned.plan);
    let workspace = run.workspace().to_owned();
    let format = run.format;
    // Gives the lock back: see `Output::write`.
    drop(run);
    if let (Some(path), Some(output)) = (&request.out, output) {
        PlanFile::new(cloud.name(), &workspace, &inputs, &planned.plan).save(&output)?;
        if format == Format::Human {
            saved(io, path, changes);
        }
    } else if changes && format == Format::Human {
        io.out_line("");
        io.out_line(
            "Note: you didn't use the -out option to save this plan, so aloka apply makes and shows a plan of its own.",
        );
    }
    Ok(if request.detailed_exitcode && changes { 2 } else { 0 })
}

/// Says where the plan is, and how to perform it if there is something to perform.
fn saved(io: &mut Io, path: &Path, changes: bool) {
    let mut text = Text::new();
    text.blank();
    text.say(Style::Plain, format!("Saved the plan to: {}", path.display()));
    if let Some(command) = path.to_str().filter(|_| changes).and_then(|path| Command::new("aloka apply").file(path)) {
        text.blank();
        text.say(Style::Plain, "To perform exactly these actions, run the following command to apply:");
        text.say(Style::Plain, format!("    {command}"));
    }
    io.out_text(&text);
}
