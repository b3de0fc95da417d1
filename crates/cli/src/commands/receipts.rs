//! `aloka receipts`: what runs on AWS tell of AWS.

use std::path::PathBuf;
use std::time::Duration;

use aloka_core::receipt::{self, Receipt};
use aloka_core::render::{Style, Text};
use aloka_sim::receipt::{Finding, Measured, Report, Simulated, check, measure};
use serde_json::{Value as Json, json};

use crate::args::receipts::{ReceiptFiles, ReceiptsCommand};
use crate::error::{CommandError, CommandResult, Errors};
use crate::files;
use crate::io::Io;

/// Larger files are refused.
const SIZE_MAX: u64 = 256 << 20;
/// The exit code if something is different.
const DIFFERENT: u8 = 2;

/// Runs the command.
pub fn run(io: &mut Io, command: &ReceiptsCommand) -> CommandResult {
    match command {
        ReceiptsCommand::Check(args) => Ok(checked(io, &read(&args.files)?, args)),
        ReceiptsCommand::Durations(args) => Ok(measured(io, &read(&args.files)?, args)),
    }
}

fn read(paths: &[PathBuf]) -> Result<Vec<Receipt>, Errors> {
    let mut receipts = Vec::new();
    let mut errors = Vec::new();
    for path in paths {
        let text = files::named_text(path, SIZE_MAX);
        let read = text.and_then(|text| {
            receipt::read(&text).map_err(|problem| {
                CommandError::config(format!("{} cannot be read as a receipt: {problem}", path.display()))
                    .hint("write one with: aloka apply -receipt=FILE")
            })
        });
        match read {
            Ok(receipt) => receipts.push(receipt),
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() { Ok(receipts) } else { Err(Errors(errors)) }
}

fn checked(io: &mut Io, receipts: &[Receipt], args: &ReceiptFiles) -> u8 {
    let Report { findings, checked, unchecked } = check(receipts);
    let code = if findings.is_empty() { 0 } else { DIFFERENT };
    if args.json {
        let finding = |finding: &Finding| {
            let Finding { receipt, at_ms, address, operation, what } = finding;
            json!({"receipt": receipt, "at_ms": at_ms, "address": address, "operation": operation, "difference": what.to_string()})
        };
        let findings: Vec<Json> = findings.iter().map(finding).collect();
        io.out_json_pretty(&json!({
            "format_version": receipt::FORMAT_VERSION,
            "checked": checked,
            "unchecked": unchecked,
            "findings": findings,
        }));
        return code;
    }
    let mut text = Text::new();
    for Finding { receipt: _, at_ms, address, operation, what } in &findings {
        let at = Duration::from_millis(*at_ms).as_secs_f64();
        text.say(Style::Plain, format!("{at:>8.1} s  {address}: {operation}: {what}"));
    }
    if !findings.is_empty() {
        text.blank();
    }
    let calls = |count: usize| if count == 1 { "1 call".to_owned() } else { format!("{count} calls") };
    text.say(
        Style::Plain,
        match findings.len() {
            0 if checked == 0 => "No call was checked.".to_owned(),
            0 => format!("{} checked: the simulator would have answered all of them so.", calls(checked)),
            1 => format!("{} checked: 1 thing is not as in the simulator.", calls(checked)),
            count => format!("{} checked: {count} things are not as in the simulator.", calls(checked)),
        },
    );
    for (why, count) in &unchecked {
        text.say(Style::Plain, format!("{} not checked: {why}.", calls(*count)));
    }
    io.out_text(&text);
    code
}

fn measured(io: &mut Io, receipts: &[Receipt], args: &ReceiptFiles) -> u8 {
    let measured: Vec<(&Receipt, Measured)> = receipts
        .iter()
        .flat_map(|receipt| measure(receipt).into_iter().map(move |measured| (receipt, measured)))
        .collect();
    if args.json {
        let row = |(receipt, measured): &(&Receipt, Measured)| {
            let Simulated { shortest_ms, median_ms, longest_ms, source } = Simulated::of(&measured.transitions);
            json!({
                "cloud": receipt.header.cloud,
                "began": receipt.header.began,
                "at_ms": measured.at_ms,
                "address": measured.address,
                "operation": measured.operation,
                "longer_than_ms": millis(measured.longer_than),
                "no_longer_than_ms": measured.no_longer_than.map(millis),
                "simulated_ms": {"shortest": shortest_ms, "median": median_ms, "longest": longest_ms},
                "source": source,
            })
        };
        let rows: Vec<Json> = measured.iter().map(row).collect();
        io.out_json_pretty(&json!({"format_version": receipt::FORMAT_VERSION, "durations": rows}));
        return 0;
    }
    let mut text = Text::new();
    if measured.is_empty() {
        text.say(Style::Plain, "These receipts tell of nothing that takes time.");
    }
    for (receipt, measured) in &measured {
        let Simulated { shortest_ms, median_ms, longest_ms, .. } = Simulated::of(&measured.transitions);
        let seconds = |duration: Duration| format!("{:.0} s", duration.as_secs_f64());
        let took = match measured.no_longer_than {
            Some(most) => format!("{} to {}", seconds(measured.longer_than), seconds(most)),
            None => format!("over {}", seconds(measured.longer_than)),
        };
        text.say(
            Style::Plain,
            format!(
                "{}: {} took {took} ({}); simulated: {} s to {} s, median {} s",
                measured.address,
                measured.operation,
                receipt.header.cloud,
                shortest_ms / 1000,
                longest_ms / 1000,
                median_ms / 1000
            ),
        );
    }
    io.out_text(&text);
    0
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
