//! `aloka validate`: the variables, without asking AWS.

use aloka_core::variables::Needs;
use serde_json::json;

use crate::args::ValidateArgs;
use crate::config;
use crate::error::{CommandResult, Errors};
use crate::io::Io;
use crate::view::{human, json as stream};

/// Runs the command. The password may be missing: it is needed to apply, not to check the rest.
pub fn run(io: &mut Io, args: &ValidateArgs) -> CommandResult {
    let loaded = config::load(&args.variables.given, Needs { password: false });
    if args.json {
        return Ok(report(io, loaded.map(|(config, _)| config)));
    }
    let (config, _) = loaded?;
    for warning in &config.warnings {
        human::diagnostic(io, warning, false);
    }
    io.out_line("Success! The configuration is valid.");
    Ok(0)
}

/// As `terraform validate -json` reports.
fn report(io: &mut Io, loaded: Result<config::Config, Errors>) -> u8 {
    let problems = match loaded {
        Ok(config) => config.warnings.into_iter().map(config::from_diagnostic).collect(),
        Err(Errors(errors)) => errors,
    };
    let errors = problems.iter().filter(|problem| !problem.is_warning).count();
    let report = json!({
        "format_version": "1.0",
        "valid": errors == 0,
        "error_count": errors,
        "warning_count": problems.len() - errors,
        "diagnostics": problems.iter().map(stream::diagnostic).collect::<Vec<_>>(),
    });
    io.out_json_pretty(&report);
    u8::from(errors > 0)
}
