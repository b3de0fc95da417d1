//! `aloka state recover` and `aloka adopt`: recording a stack whose state is not there.

use aloka_core::plan::Planned;
use aloka_core::render::{Style, Text};
use aloka_core::session::Inputs;
use aloka_core::session::claim::{By, Claimed, Search, record_only};
use aloka_core::state::State;

use super::ask_password::Loaded;
use super::flow::{self, Run};
use super::{password, state_edit};
use crate::args::{AdoptArgs, CloudArg, StateRecoverArgs};
use crate::error::{CommandError, CommandResult, Errors};
use crate::io::Io;
use crate::request::PlanRequest;

/// Runs `aloka state recover`.
pub fn recover(io: &mut Io, cloud: Option<CloudArg>, args: StateRecoverArgs) -> CommandResult {
    let StateRecoverArgs { lineage, dry_run, variables, lock } = args;
    let request = PlanRequest::find(variables.given, &lock);
    let search = Search::Tagged { lineage: lineage.map(Into::into) };
    run(io, cloud, &request, &search, ("state-recover", dry_run))
}

/// Runs `aloka adopt`.
pub fn adopt(io: &mut Io, cloud: Option<CloudArg>, args: AdoptArgs) -> CommandResult {
    let AdoptArgs { vpc, from_state: _, addresses, dry_run, variables, lock } = args;
    match vpc {
        Some(vpc) => {
            let request = PlanRequest::find(variables.given, &lock);
            run(io, cloud, &request, &Search::Vpc(vpc), ("adopt", dry_run))
        }
        None => state_edit::claim(io, cloud, &lock, &addresses, dry_run),
    }
}

fn run(
    io: &mut Io,
    cloud: Option<CloudArg>,
    request: &PlanRequest,
    search: &Search,
    (operation, dry_run): (&str, bool),
) -> CommandResult {
    let Loaded { config, secrets, .. } = flow::configure(io, request, cloud)?;
    let cloud = flow::choose_cloud(cloud)?;
    let mut run = Run::open(io, request, cloud, &config.variables, secrets, operation)?;
    let state = run.state()?.unwrap_or_else(|| State::new(flow::new_lineage()));
    let search = match search {
        // What is recorded stays: objects of the same lineage are added to it.
        Search::Tagged { lineage: None } if !state.is_empty() => {
            &Search::Tagged { lineage: Some(state.lineage.clone()) }
        }
        Search::Vpc(_) if !state.is_empty() => {
            let message = format!("the {} records {} objects: it is not lost", run.store(), state.objects().count());
            let error = CommandError::user(message).hint("see where things stand with: aloka plan");
            return Err(error.hint("what is missing in it is added with: aloka state recover").into());
        }
        search => search,
    };
    let password = password::known(run.secrets(), &State::new(""), request.mode, true)?.trusted();
    let inputs = Inputs {
        variables: config.variables,
        user_data: config.user_data,
        mode: request.mode,
        upgrade: request.upgrade,
        password,
        consent: request.consent.clone(),
        origins: config.origins,
        recording: true,
    };
    let (claimed, planned) = run.find(&state, &inputs, search)?;
    if claimed.taken.is_empty() && !state.is_empty() {
        let recorded = state.objects().count();
        let message =
            format!("the {} records {recorded} objects: it is not lost, and nothing is missing in it", run.store());
        return Err(CommandError::user(message).hint("see where things stand with: aloka plan").into());
    }
    show(&mut run, &claimed);
    if dry_run {
        run.io.out_line("");
        run.io.out_line("Nothing was recorded, as -dry-run says.");
    } else {
        let ended = run.execute(&record_only(&planned, &inputs))?;
        if !ended.errors.is_empty() {
            return Err(Errors(ended.errors));
        }
        let store = run.store();
        run.io.out_line("");
        run.io.out_line(&format!("Recorded in the {store}, serial {}.", ended.state.serial));
    }
    tell_next(&mut run, &planned);
    Ok(0)
}

fn show(run: &mut Run<'_>, claimed: &Claimed) {
    let Claimed { state, taken, left } = claimed;
    let width = taken.iter().map(|taken| taken.target.to_string().len()).max().unwrap_or(0);
    let mut text = Text::new();
    text.say(Style::Plain, format!("Found {} objects of lineage {}:", taken.len(), state.lineage));
    text.blank();
    for taken in taken {
        let by = match taken.by {
            By::Tags => "by its tags",
            By::Place => "by its place",
        };
        text.say(Style::Plain, format!("  {:width$}  {}  ({by})", taken.target.to_string(), taken.id));
    }
    if !left.is_empty() {
        text.append(Text::ours("\nIn the same VPC, left alone, as nothing says that they are of the stack:\n\n"));
        left.iter().for_each(|object| text.say(Style::Plain, format!("  {object}")));
    }
    if state.resources.keys().any(|address| address.kind == aloka_core::kind::Kind::DbInstance) {
        text.append(Text::ours(
            "\nThe password given is taken for the one the database has: it was not sent. Give another one later to \
             change it.",
        ));
    }
    run.io.out_text(&text);
}

fn tell_next(run: &mut Run<'_>, planned: &Planned) {
    let (add, change, destroy) = planned.plan.counts();
    run.io.out_line(&if planned.plan.nodes.is_empty() {
        "The next plan has nothing to do.".to_owned()
    } else {
        format!("The next plan: {add} to add, {change} to change, {destroy} to destroy. See it with: aloka plan")
    });
}
