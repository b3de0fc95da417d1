//! `aloka simulate -rules`: what the simulated AWS knows, for people, machines and the documentation.

use aloka_core::render::Text;
use aloka_sim::catalogue::report::Report;
use aloka_sim::catalogue::unseen;
use aloka_sim::scenario::library;

use crate::args::RulesFormat;
use crate::error::{CommandError, CommandResult};
use crate::io::Io;

/// Prints the table.
pub(super) fn run(io: &mut Io, format: RulesFormat) -> CommandResult {
    let library = library().map_err(|error| CommandError::internal(error.to_string()))?;
    let report = Report::new(library);
    match format {
        RulesFormat::Text => io.out_text(&Text::ours(&report.to_text())),
        RulesFormat::Json => io.out_json_pretty(&report.to_json()),
        RulesFormat::Unseen => io.out_text(&Text::ours(&unseen::markdown())),
        RulesFormat::Markdown => io.out_text(&Text::ours(&report.to_markdown())),
    }
    Ok(0)
}
