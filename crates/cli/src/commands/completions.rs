//! `aloka completions`
//!
//! clap writes scripts for flags with two dashes; what people type, and all documents show, is one.

use clap_complete::Shell;

use crate::args::{self, CompletionsArgs};
use crate::error::CommandResult;
use crate::io::Io;

/// Runs the command.
pub fn run(io: &mut Io, args: &CompletionsArgs) -> CommandResult {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut args::command(), "aloka", &mut script);
    io.out_raw(&one_dash(args.shell, &String::from_utf8_lossy(&script)));
    Ok(0)
}

/// The script with flags of one dash; bash completes both ways, as what is typed says which is meant.
fn one_dash(shell: Shell, script: &str) -> String {
    match shell {
        Shell::Bash => {
            let mut result = String::new();
            for line in script.lines() {
                let indent = line.get(..line.len() - line.trim_start().len()).unwrap_or_default();
                if line.trim_start() == "case \"${prev}\" in" {
                    result.push_str(&format!("{indent}[[ ${{prev}} == -[a-z][a-z]* ]] && prev=\"-${{prev}}\"\n"));
                }
                result.push_str(line);
                result.push('\n');
                if line.trim_start().starts_with("opts=\"") {
                    result.push_str(&format!("{indent}[[ ${{cur}} == --* ]] || opts=\"${{opts//--/-}}\"\n"));
                }
            }
            result
        }
        Shell::Zsh => script.replace("'--", "'-").replace("'*--", "'*-"),
        Shell::Fish => script.replace(" -l ", " -o "),
        // Whatever else clap knows stays as clap has it.
        _ => script.to_owned(),
    }
}
