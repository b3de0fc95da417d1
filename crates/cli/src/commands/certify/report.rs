//! What a certification found, for people and machines.

use std::path::{Path, PathBuf};
use std::time::Duration;

use aloka_core::receipt;
use aloka_core::render::{Style, Text};
use aloka_sim::certify::{Unlike, unlike};
use aloka_sim::receipt::{Report as Checked, check};
use serde_json::{Value as Json, json};

use crate::args::CloudArg;
use crate::args::certify::CertifyArgs;
use crate::files;
use crate::io::Io;

/// Larger receipts are not read.
const SIZE_MAX: u64 = 256 << 20;
/// The exit code if something is different.
const DIFFERENT: u8 = 2;

/// What became of a step.
pub(super) struct Result {
    pub(super) name: String,
    pub(super) time: Duration,
    pub(super) how: String,
}

/// All of it.
pub(super) struct Report {
    account: String,
    region: String,
    cloud: CloudArg,
    seed: u64,
    is_json: bool,
    pub(super) steps: Vec<Result>,
    pub(super) failure: Option<String>,
    /// What could not be destroyed.
    pub(super) left: Option<Vec<String>>,
}

impl Report {
    pub(super) fn new(args: &CertifyArgs, cloud: CloudArg, seed: u64) -> Self {
        let (account, region) = (args.account.clone(), args.region.clone());
        Self { account, region, cloud, seed, is_json: args.json, steps: Vec::new(), failure: None, left: None }
    }

    /// Lays the receipts beside the simulator, and prints what is different. The exit code.
    pub(super) fn tell(&self, io: &mut Io, directory: &Path, paths: &[PathBuf]) -> u8 {
        let mut unread = Vec::new();
        let (mut names, mut receipts) = (Vec::new(), Vec::new());
        for path in paths {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let text = files::named_text(path, SIZE_MAX).map_err(|error| error.to_string());
            match text.and_then(|text| receipt::read(&text)) {
                Ok(receipt) => {
                    names.push(name);
                    receipts.push(receipt);
                }
                Err(problem) => unread.push(format!("{name}: {problem}")),
            }
        }
        let Checked { findings, checked, unchecked } = check(&receipts);
        let differences = unlike(findings);
        let name = |unlike: &Unlike| names.get(unlike.first.receipt).cloned().unwrap_or_default();
        let code = if differences.is_empty() { 0 } else { DIFFERENT };
        if self.is_json {
            let difference = |unlike: &Unlike| {
                let Unlike { first, times } = unlike;
                json!({
                    "receipt": name(unlike),
                    "at_ms": first.at_ms,
                    "address": first.address,
                    "operation": first.operation,
                    "difference": first.what.to_string(),
                    "times": times,
                })
            };
            let step = |step: &Result| {
                let Result { name, time, how } = step;
                json!({ "name": name, "seconds": time.as_secs_f64(), "ended": how })
            };
            io.out_json_pretty(&json!({
                "format_version": receipt::FORMAT_VERSION,
                "cloud": self.cloud.name(),
                "account": self.account,
                "region": self.region,
                "seed": self.seed,
                "steps": self.steps.iter().map(step).collect::<Vec<Json>>(),
                "checked": checked,
                "unchecked": unchecked,
                "unread": unread,
                "differences": differences.iter().map(difference).collect::<Vec<Json>>(),
                "failure": self.failure,
                "left": self.left,
            }));
            return code;
        }
        let mut text = Text::new();
        for unlike in &differences {
            let Unlike { first, times } = unlike;
            let often = if *times == 1 { String::new() } else { format!(" ({times} times)") };
            let at = Duration::from_millis(first.at_ms).as_secs_f64();
            text.say(Style::Plain, format!("{}: {}{often}", first.operation, first.what));
            text.say(Style::Note, format!("    {}, {at:.1} s, {}", name(unlike), first.address));
        }
        if !differences.is_empty() {
            text.blank();
        }
        let summary = match differences.len() {
            0 => format!("{checked} calls checked: the simulator would have answered all of them so."),
            1 => format!("{checked} calls checked: 1 thing is not as in the simulator."),
            count => format!("{checked} calls checked: {count} things are not as in the simulator."),
        };
        text.say(Style::Bold, summary);
        for (why, count) in &unchecked {
            text.say(Style::Plain, format!("{count} calls not checked: {why}."));
        }
        for problem in &unread {
            text.say(Style::Warning, format!("warning: {problem}"));
        }
        text.say(Style::Plain, format!("The receipts are in {}.", directory.display()));
        io.out_text(&text);
        code
    }
}
