//! `aloka init`: checks the directory and says what is where. Nothing needs it, as there is nothing to download.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

use aloka_core::variables;

use super::store;
use crate::args::{CloudArg, InitArgs};
use crate::error::{CommandError, CommandResult};
use crate::io::Io;

const TFVARS: &str = "terraform.tfvars";

/// Runs the command.
pub fn run(io: &mut Io, cloud: Option<CloudArg>, args: &InitArgs) -> CommandResult {
    if args.example {
        write_example(io)?;
    }
    let backend = store::open(cloud)?;
    let state = store::read(&*backend)?;
    io.out_line(&match state {
        Some(state) => {
            let objects = state.objects().count();
            format!("State: {}, serial {}, {objects} objects recorded.", backend.describe(), state.serial)
        }
        None => format!("State: {}; it is made by the first apply.", backend.describe()),
    });
    let entries = std::fs::read_dir(".").map_err(|error| CommandError::file("list", Path::new("."), &error))?;
    let names: Vec<String> = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
    let found = variables::auto_loaded(&names);
    io.out_line(&if found.is_empty() {
        "Variables: no terraform.tfvars here, so every variable has its default; aloka init -example writes one."
            .to_owned()
    } else {
        format!("Variables: {}.", found.join(", "))
    });
    io.out_line("");
    io.out_line("aloka is ready: nothing has to be downloaded. Next: aloka simulate, or aloka plan.");
    Ok(0)
}

fn write_example(io: &mut Io) -> Result<(), CommandError> {
    let path = Path::new(TFVARS);
    match OpenOptions::new().write(true).create_new(true).open(path) {
        Ok(mut file) => {
            file.write_all(example().as_bytes()).map_err(|error| CommandError::file("write", path, &error))?;
            io.out_line(&format!("Wrote {TFVARS}."));
            Ok(())
        }
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            io.out_line(&format!("{TFVARS} is there already and stays as it is."));
            Ok(())
        }
        Err(error) => Err(CommandError::file("write", path, &error)),
    }
}

/// Every variable with its default, as a comment.
fn example() -> String {
    let mut text = String::from("# Every variable with its default. Take away a `#` to set one.\n");
    for definition in variables::definitions() {
        text.push_str(&format!("\n# {}\n", definition.description));
        match definition.default {
            Some(default) => text.push_str(&format!("# {} = {default}\n", definition.name)),
            None => text.push_str(&format!("# (no default: set TF_VAR_{})\n", definition.name)),
        }
    }
    text
}
