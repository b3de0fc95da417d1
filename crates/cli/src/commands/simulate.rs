//! `aloka simulate`: a rehearsal on the simulated AWS. Reads the variables, sends nothing, writes nothing unless asked.

mod forecast;
mod replay;
mod rules;

use std::path::Path;

use aloka_core::plan::Mode;
use aloka_core::plan::Password;
use aloka_core::secret::{DB_PASSWORD, Secret, Secrets};
use aloka_core::session::Inputs;
use aloka_core::variables::Needs;
use aloka_sim::aws::Durations;
use aloka_sim::fault::FaultPlan;
use aloka_sim::rehearsal::{RehearsalOptions, rehearse, replay as trace};

use super::store;
use crate::args::SimulateArgs;
use crate::config;
use crate::error::{CommandError, CommandResult, Errors};
use crate::io::Io;
use crate::output::{Kind, Output};
use crate::view::{failure, human, rehearsal as view};

/// Stands in for a password that is not given. It protects nothing: the simulated database holds nothing.
const MADE_UP_PASSWORD: &str = "rehearsal-only-password";
/// Where -keep writes the trace.
const KEPT_TRACE: &str = ".aloka/rehearsal.jsonl";
/// Columns where nobody says how many there are.
const WIDTH: usize = 100;

/// Runs the command.
pub fn run(io: &mut Io, args: &SimulateArgs) -> CommandResult {
    if let Some(format) = args.rules {
        return rules::run(io, format);
    }
    if let Some(path) = &args.replay {
        return replay::run(io, args, path);
    }
    let (config, mut secrets) = config::load(&args.variables.given, Needs { password: false })?;
    for warning in &config.warnings {
        human::diagnostic(io, warning, true);
    }
    if secrets.get(DB_PASSWORD).is_none() {
        secrets.insert(DB_PASSWORD, Secret::new(MADE_UP_PASSWORD));
    }
    let seed = args.seed.unwrap_or(0);
    let options = RehearsalOptions {
        seed,
        keep: args.keep,
        durations: if args.seed.is_some() { Durations::Drawn } else { Durations::Median },
        region: config.variables.aws_region.clone(),
        lineage: lineage(seed),
        faults: FaultPlan(args.fault.iter().flat_map(|plan| plan.0.clone()).collect()),
        long_trace: args.keep || args.trace.is_some(),
    };
    let config::Config { variables, user_data, origins: _, warnings: _, notes: _ } = config;
    let inputs = Inputs { user_data, ..Inputs::new(variables, Mode::Apply, password()) };
    match args.runs {
        Some(runs) => forecast::run(io, args, &inputs, &secrets, &options, runs),
        None => life(io, args, &inputs, &secrets, &options),
    }
}

/// One life of the stack.
fn life(
    io: &mut Io,
    args: &SimulateArgs,
    inputs: &Inputs,
    secrets: &Secrets,
    options: &RehearsalOptions,
) -> CommandResult {
    let kept = store::kept();
    let implied = args.keep.then_some(Path::new(KEPT_TRACE));
    let implied = implied.map(|path| Ok((path, Output::implied(path, Kind::Trace, &kept)?)));
    let named = args.trace.as_deref().map(|path| Ok((path, Output::new(path, Kind::Trace, &kept)?)));
    let outputs = implied.into_iter().chain(named).collect::<Result<Vec<_>, CommandError>>()?;
    let rehearsal = rehearse(inputs, secrets, options).map_err(|problems| told(&problems))?;
    if args.timeline {
        let width = width(io);
        human::show(io, &view::timeline(&rehearsal, width));
        let broken = rehearsal.promises.iter().filter(|promise| !promise.held);
        let broken = broken.map(|promise| format!("promise {} {}: {}", promise.id, promise.name, promise.detail));
        for complaint in view::complaints(&rehearsal).into_iter().chain(broken) {
            human::error(io, &CommandError::aws(complaint));
        }
    } else if args.json {
        io.out_json_pretty(&view::json(&rehearsal, options));
    } else {
        let width = width(io);
        human::show(io, &view::text(&rehearsal, options, width));
    }
    for (path, output) in outputs {
        output.write(trace::to_text(inputs, options, &rehearsal.trace).as_bytes())?;
        io.err_line(&format!("the trace is in {}", path.display()));
    }
    Ok(u8::from(!rehearsal.is_good()))
}

fn told(problems: &[aloka_core::plan::Problem]) -> Errors {
    Errors(failure::of_problems(problems, None))
}

/// Columns of the terminal, if the output goes to one.
fn width(io: &Io) -> usize {
    io.stdout_columns().unwrap_or(WIDTH)
}

/// A password is given, and its hash is none: no state outlives a rehearsal, and the password may be a real one.
fn password() -> Password {
    Password::New("rehearsal".to_owned())
}

/// A lineage that follows from the seed, in the form of a UUID.
fn lineage(seed: u64) -> String {
    uuid::Builder::from_random_bytes(u128::from(seed).to_be_bytes()).into_uuid().to_string()
}
