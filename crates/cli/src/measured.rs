//! How long things took on AWS, as the receipts that this directory keeps tell, and how long a plan takes by that.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use aloka_core::api::Call;
use aloka_core::plan::Plan;
use aloka_core::receipt::{self as receipts, Receipt};
use aloka_core::time::Human;
use aloka_core::value::Value;
use aloka_sim::aws::durations::Transition;
use aloka_sim::receipt::{begun_by, measure};

use crate::files;
use crate::receipt;

/// Larger receipts are passed over.
const SIZE_MAX: u64 = 64 << 20;
/// The cloud whose receipts count: no emulator takes as long as AWS.
const CLOUD: &str = "aws";
/// Characters of a date.
const DATE: usize = "2026-01-01".len();

/// One that was measured.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Took {
    /// How long.
    time: Duration,
    /// When the run began, as RFC 3339.
    began: String,
}

/// What was measured, by what was waited for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Measurements(BTreeMap<Vec<Transition>, Vec<Took>>);

/// How long a plan takes, and how that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Foretold {
    /// How long.
    pub(crate) takes: Duration,
    /// Where that was measured; `None` if the simulator says so alone.
    pub(crate) measured: Option<Origin>,
}

/// Where a duration is from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    /// The day of the last run.
    pub(crate) on: String,
    /// How many runs.
    pub(crate) runs: usize,
}

impl fmt::Display for Foretold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Takes about {} ", Human(Duration::from_secs(self.takes.as_secs())))?;
        match &self.measured {
            Some(Origin { on, runs: 1 }) => write!(f, "(measured on {on}, 1 run)"),
            Some(Origin { on, runs }) => write!(f, "(measured on {on}, {runs} runs)"),
            None => f.write_str("(simulated)"),
        }
    }
}

impl Measurements {
    /// What the receipts of this directory tell. One that cannot be read tells nothing.
    pub(crate) fn of_directory() -> Self {
        let texts = receipt::names().into_iter().filter_map(|path| files::implied(&path, SIZE_MAX).ok().flatten());
        let texts = texts.filter_map(|bytes| String::from_utf8(bytes).ok());
        Self::of(texts.filter_map(|text| receipts::read(&text).ok()))
    }

    fn of(receipts: impl Iterator<Item = Receipt>) -> Self {
        let mut measurements = Self::default();
        for receipt in receipts.filter(|receipt| receipt.header.cloud == CLOUD) {
            for measured in measure(&receipt) {
                if let Some(time) = measured.no_longer_than {
                    let took = Took { time, began: receipt.header.began.clone() };
                    measurements.0.entry(measured.transitions).or_default().push(took);
                }
            }
        }
        measurements.0.values_mut().for_each(|tooks| tooks.sort());
        measurements
    }

    /// How long the plan takes: what was measured takes as long as in the median, the rest as the simulator has it.
    pub(crate) fn foretell(&self, plan: &Plan) -> Foretold {
        let used = RefCell::new(BTreeSet::new());
        let takes = plan.measured_duration(&|call: &Call| {
            let arguments = Value::map(call.args.iter().map(|(name, value)| (*name, value.clone())));
            let tooks = self.0.get(&begun_by(call.operation, &arguments)?)?;
            used.borrow_mut().extend(tooks.iter().map(|took| took.began.clone()));
            tooks.get(tooks.len() / 2).map(|took| took.time)
        });
        let used = used.into_inner();
        let day = |began: &String| began.chars().take(DATE).collect();
        let measured = used.last().map(|last| Origin { on: day(last), runs: used.len() });
        Foretold { takes, measured }
    }
}
