//! How long things took in a receipt, beside how long the simulator takes.

use std::time::Duration;

use aloka_core::api::{Ec2, Operation, Rds};
use aloka_core::receipt::{Answer, Exchange, Receipt};
use aloka_core::value::Value;

use super::{Finding, What, is_lost};
use crate::aws::durations::Transition;

/// What a call begins, and how a read shows that it has ended.
struct Row {
    begun_by: Operation,
    transition: Transition,
    seen_by: Operation,
    list: &'static str,
    state: &'static str,
    /// Empty if the object is gone at the end.
    end: &'static str,
}

const fn row(
    begun_by: Operation,
    transition: Transition,
    seen_by: Operation,
    list: &'static str,
    (state, end): (&'static str, &'static str),
) -> Row {
    Row { begun_by, transition, seen_by, list, state, end }
}

const ROWS: [Row; 7] = [
    row(
        Operation::Ec2(Ec2::CreateNatGateway),
        Transition::NatCreate,
        Operation::Ec2(Ec2::DescribeNatGateways),
        "NatGateways",
        ("State", "available"),
    ),
    row(
        Operation::Ec2(Ec2::DeleteNatGateway),
        Transition::NatDelete,
        Operation::Ec2(Ec2::DescribeNatGateways),
        "NatGateways",
        ("State", "deleted"),
    ),
    row(
        Operation::Ec2(Ec2::RunInstances),
        Transition::InstanceStart,
        Operation::Ec2(Ec2::DescribeInstances),
        "Instances",
        ("State", "running"),
    ),
    row(
        Operation::Ec2(Ec2::StopInstances),
        Transition::InstanceStop,
        Operation::Ec2(Ec2::DescribeInstances),
        "Instances",
        ("State", "stopped"),
    ),
    row(
        Operation::Ec2(Ec2::TerminateInstances),
        Transition::InstanceTerminate,
        Operation::Ec2(Ec2::DescribeInstances),
        "Instances",
        ("State", "terminated"),
    ),
    row(
        Operation::Rds(Rds::CreateDBInstance),
        Transition::DbCreate,
        Operation::Rds(Rds::DescribeDBInstances),
        "DBInstances",
        ("DBInstanceStatus", "available"),
    ),
    row(
        Operation::Rds(Rds::DeleteDBInstance),
        Transition::DbDelete,
        Operation::Rds(Rds::DescribeDBInstances),
        "DBInstances",
        ("DBInstanceStatus", ""),
    ),
];

/// How long something took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measured {
    /// When it began, in milliseconds since the run did.
    pub at_ms: u64,
    /// The object.
    pub address: String,
    /// What began it.
    pub operation: Operation,
    /// What, one after the other.
    pub transitions: Vec<Transition>,
    /// At the last look before its end it had taken this long.
    pub longer_than: Duration,
    /// At the first look after its end it had taken this long; `None` if nobody looked after its end.
    pub no_longer_than: Option<Duration>,
}

/// How long the simulator takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Simulated {
    /// The shortest, in milliseconds.
    pub shortest_ms: u64,
    /// As often shorter as longer.
    pub median_ms: u64,
    /// The longest, the rare ones included.
    pub longest_ms: u64,
    /// Where the figures are from.
    pub source: String,
}

impl Simulated {
    /// For these transitions, one after the other.
    pub fn of(transitions: &[Transition]) -> Self {
        let rows: Vec<_> = transitions.iter().map(|transition| transition.typical()).collect();
        Self {
            shortest_ms: rows.iter().map(|row| row.min_ms).sum(),
            median_ms: rows.iter().map(|row| row.median_ms).sum(),
            longest_ms: rows.iter().map(|row| row.longest_ms()).sum(),
            source: rows.iter().map(|row| row.source).collect::<Vec<_>>().join("; "),
        }
    }
}

/// What the call begins, as the simulator has it: a database comes with its first backup or without, and with a standby or
/// without; one that leaves a final snapshot goes later.
fn transitions(row: &Row, arguments: &Value) -> Vec<Transition> {
    let argument = |name: &str| arguments.get(name);
    match row.transition {
        Transition::DbCreate => {
            let without = argument("BackupRetentionPeriod").as_i64() == Some(0);
            let made = if without { Transition::DbCreateWithoutBackup } else { Transition::DbCreate };
            let standby = (argument("MultiAZ").as_bool() == Some(true)).then_some(Transition::DbMultiAz);
            std::iter::once(made).chain(standby).collect()
        }
        Transition::DbDelete => {
            let snapshot = (!argument("FinalDBSnapshotIdentifier").is_null()).then_some(Transition::DbFinalSnapshot);
            std::iter::once(Transition::DbDelete).chain(snapshot).collect()
        }
        other => vec![other],
    }
}

/// What a call with these arguments begins, one after the other; `None` if nothing that is measured.
pub fn begun_by(operation: Operation, arguments: &Value) -> Option<Vec<Transition>> {
    ROWS.iter().find(|row| row.begun_by == operation).map(|row| transitions(row, arguments))
}

/// What a receipt tells of durations. AWS acted between the sending of a call and its answer, or before, if the call was sent
/// before and its answer was lost.
pub fn measure(receipt: &Receipt) -> Vec<Measured> {
    let exchanges = &receipt.exchanges;
    let begun = exchanges.iter().filter_map(|call| {
        let row = ROWS.iter().find(|row| row.begun_by == call.operation)?;
        matches!(call.answer, Answer::Reply(_)).then_some((row, call))
    });
    begun.map(|(row, call)| measured(row, call, receipt)).collect()
}

/// When calls for the same were sent whose answer was lost.
fn lost<'r>(receipt: &'r Receipt, operation: Operation, address: &'r str) -> impl Iterator<Item = u64> + 'r {
    let answers = receipt.exchanges.iter().filter(|exchange| is_lost(&exchange.answer));
    let answers = answers.map(|exchange| (exchange.operation, &*exchange.address, exchange.at_ms));
    let unanswered = receipt.unanswered.iter().map(|sent| (sent.operation, &*sent.address, sent.at_ms));
    let is_same = move |of: &(Operation, &str, u64)| (of.0, of.1) == (operation, address);
    answers.chain(unanswered).filter(is_same).map(|(_, _, at)| at)
}

fn measured(row: &Row, call: &Exchange, receipt: &Receipt) -> Measured {
    let answered = call.at_ms.saturating_add(call.took_ms);
    let first = lost(receipt, call.operation, &call.address).fold(call.at_ms, u64::min);
    let looks = receipt
        .exchanges
        .iter()
        .filter(|look| look.operation == row.seen_by && look.address == call.address && look.at_ms >= answered);
    let mut longer_than = Duration::ZERO;
    let mut no_longer_than = None;
    for look in looks {
        match is_over(row, &look.answer) {
            Some(true) => {
                let end = look.at_ms.saturating_add(look.took_ms);
                no_longer_than = Some(Duration::from_millis(end.saturating_sub(first)));
                break;
            }
            Some(false) => longer_than = Duration::from_millis(look.at_ms.saturating_sub(answered)),
            None => {}
        }
    }
    let transitions = transitions(row, &call.arguments);
    let (at_ms, address, operation) = (call.at_ms, call.address.clone(), call.operation);
    Measured { at_ms, address, operation, transitions, longer_than, no_longer_than }
}

/// Whether a look shows the end; `None` if it does not tell.
fn is_over(row: &Row, answer: &Answer) -> Option<bool> {
    match answer {
        Answer::Error { code, .. } => {
            let is_gone = row.end.is_empty() && (code.ends_with("NotFound") || code.ends_with("NotFoundFault"));
            is_gone.then_some(true)
        }
        Answer::Reply(reply) => {
            let items = reply.get(row.list).as_list()?;
            let Some(item) = items.first() else { return row.end.is_empty().then_some(true) };
            let state = item.get(row.state);
            // The state of an instance may be a map with a code and a name.
            let state = state.as_str().or_else(|| state.get("Name").as_str());
            state.map(|state| !row.end.is_empty() && state == row.end)
        }
    }
}

/// True if what a call begins may have begun in a run before: one sent such a call and saw no end of it.
fn began_before(earlier: &[Receipt], operation: Operation, address: &str) -> bool {
    let began = earlier.iter().rev().find_map(|receipt| {
        if lost(receipt, operation, address).next().is_some() {
            return Some(true);
        }
        let mut begun = measure(receipt).into_iter().rev();
        let begun = begun.find(|measured| measured.operation == operation && measured.address == address);
        begun.map(|measured| measured.no_longer_than.is_none())
    });
    began.unwrap_or(false)
}

/// Durations in the last of these receipts that the simulator would never have.
pub(super) fn judge(receipts: &[Receipt]) -> Vec<Finding> {
    let Some((receipt, earlier)) = receipts.split_last() else { return Vec::new() };
    let strange = |measured: &Measured| {
        let Simulated { shortest_ms, longest_ms, .. } = Simulated::of(&measured.transitions);
        let (least, most) = (Duration::from_millis(shortest_ms), Duration::from_millis(longest_ms));
        let is_short = measured.no_longer_than.is_some_and(|shown| shown < least);
        measured.longer_than > most || (is_short && !began_before(earlier, measured.operation, &measured.address))
    };
    let finding = |measured: Measured| {
        let Measured { at_ms, address, operation, transitions, longer_than, no_longer_than } = measured;
        let what = What::Duration { transitions, longer_than, no_longer_than };
        Finding { receipt: earlier.len(), at_ms, address, operation, what }
    };
    measure(receipt).into_iter().filter(strange).map(finding).collect()
}
