//! `aloka simulate`: a rehearsal on the simulated AWS. Reads the variables, sends nothing, writes nothing unless asked.

use std::path::Path;

use aloka_core::fingerprint;
use aloka_core::plan::Mode;
use aloka_core::secret::{DB_PASSWORD, Secret, Secrets};
use aloka_core::session::{Inputs, Password};
use aloka_core::variables::Needs;
use aloka_sim::aws::Durations;
use aloka_sim::rehearsal::{Rehearsal, RehearsalOptions, rehearse};

use crate::args::SimulateArgs;
use crate::config;
use crate::error::{CommandError, CommandResult, Errors};
use crate::io::Io;
use crate::view::{failure, human, rehearsal as view};

/// Stands in for a password that is not given. It protects nothing: the simulated database holds nothing.
const MADE_UP_PASSWORD: &str = "rehearsal-only-password";
/// Where -keep writes the trace.
const KEPT_TRACE: &str = ".aloka/rehearsal.jsonl";

/// Runs the command.
pub fn run(io: &mut Io, args: &SimulateArgs) -> CommandResult {
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
    };
    let password = password(&secrets, seed);
    let config::Config { variables, user_data, warnings: _ } = config;
    let inputs = Inputs { variables, user_data, mode: Mode::Apply, upgrade: false, password };
    let rehearsal = rehearse(&inputs, &secrets, &options)
        .map_err(|problems| Errors(problems.iter().map(failure::of_problem).collect()))?;
    if args.json {
        io.out_line(&format!("{:#}", view::json(&rehearsal, &options)));
    } else {
        let text = view::text(&rehearsal, &options);
        human::show(io, &text);
    }
    if args.keep {
        keep(io, &rehearsal)?;
    }
    Ok(u8::from(!rehearsal.is_good()))
}

/// The hash under a salt that follows from the seed: a rehearsal is the same every time.
fn password(secrets: &Secrets, seed: u64) -> Password {
    let mut salt = [0_u8; 16];
    salt[..8].copy_from_slice(&seed.to_be_bytes());
    secrets.get(DB_PASSWORD).map_or(Password::Absent, |secret| Password::New(fingerprint::hash(secret, &salt)))
}

/// A lineage that follows from the seed, in the form of a UUID.
fn lineage(seed: u64) -> String {
    uuid::Builder::from_random_bytes(u128::from(seed).to_be_bytes()).into_uuid().to_string()
}

fn keep(io: &mut Io, rehearsal: &Rehearsal) -> Result<(), CommandError> {
    let path = Path::new(KEPT_TRACE);
    let write = || {
        std::fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
        std::fs::write(path, rehearsal.trace.to_json_lines())
    };
    write().map_err(|error| CommandError::file("write", path, &error))?;
    io.err_line(&format!("the trace is in {KEPT_TRACE}"));
    Ok(())
}
