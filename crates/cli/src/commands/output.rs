//! `aloka output`: the outputs that the state records, from the state alone. Who asks for one by name, or for JSON, gets the value of
//! a sensitive one, as Terraform has it.

use aloka_core::render::{output_raw, outputs_json, outputs_text};
use aloka_core::state::outputs::Output;

use super::store;
use crate::args::{CloudArg, OutputArgs};
use crate::error::{CommandError, CommandResult};
use crate::io::Io;
use crate::view::human;

/// Runs the command.
pub fn run(io: &mut Io, cloud: Option<CloudArg>, args: &OutputArgs) -> CommandResult {
    let outputs = store::read_here(io, cloud)?.all_outputs();
    let Some(name) = &args.name else {
        if args.json {
            io.out_json_pretty(&outputs_json(&outputs));
        } else if outputs.is_empty() {
            io.err_line("there are no outputs yet: they are known after `aloka apply`");
        } else {
            human::show(io, &outputs_text(&outputs));
        }
        return Ok(0);
    };
    let Some(Output { value, .. }) = outputs.get(name) else {
        let error = CommandError::user(format!("there is no output `{name}`"));
        let names: Vec<&str> = outputs.keys().map(String::as_str).collect();
        return Err(if names.is_empty() {
            error.hint("outputs are known after: aloka apply")
        } else {
            error.hint(format!("outputs: {}", names.join(", ")))
        }
        .into());
    };
    if args.raw {
        let raw = output_raw(value).ok_or_else(|| {
            CommandError::user(format!("output `{name}` is neither text nor number nor truth value"))
                .hint("give -json in place of -raw")
        })?;
        io.out_raw(&raw);
    } else {
        io.out_json(&serde_json::to_value(value).map_err(|error| CommandError::internal(error.to_string()))?);
    }
    Ok(0)
}
