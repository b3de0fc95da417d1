//! What goes wrong in a sweep, and at which effects it can.

use aloka_core::api::VISIBILITY_MS;
use aloka_core::api::{Ec2, Operation, Rds};
use aloka_core::time::Instant;
use aloka_sim::fault::Fault;

/// One sort of trouble: a column of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// What the table calls it.
    pub name: &'static str,
    /// What strikes.
    pub fault: Fault,
    /// True in an account that shows its changes late.
    pub late: bool,
}

impl Trouble {
    /// Every sort.
    pub fn all() -> Vec<Self> {
        let clear = |name, fault| Self { name, fault, late: false };
        let late = |name, fault| Self { name, fault, late: true };
        vec![
            clear("crash before", Fault::CrashBefore),
            clear("crash after", Fault::CrashAfter),
            clear("crash answered", Fault::CrashAnswered),
            clear("throttled", Fault::Throttled),
            clear("answer lost", Fault::LostReply),
            clear("500", Fault::ServerError { acted: false }),
            clear("500 acted", Fault::ServerError { acted: true }),
            clear("expired", Fault::Credentials),
            clear("refused", Fault::Refused { code: "UnauthorizedOperation".to_owned() }),
            clear("fails later", Fault::Failed { code: "CODE".to_owned() }),
            clear("not found", Fault::NotFound),
            clear("store failed", Fault::StoreFailed),
            clear("store unsure", Fault::StoreUnsure),
            clear("overtaken", Fault::Overtaken),
            clear("stop", Fault::Stop),
            clear("abandon", Fault::Abandon),
            late("late, crash before", Fault::CrashBefore),
            late("late, crash after", Fault::CrashAfter),
            late("late, answer lost", Fault::LostReply),
            late("late, 500 acted", Fault::ServerError { acted: true }),
        ]
    }

    /// What strikes there: what AWS says of something that failed is different for each kind.
    pub fn strikes(&self, moment: &Moment) -> Fault {
        let code = match moment.operation {
            Some(Operation::Ec2(Ec2::CreateNatGateway)) => "InsufficientFreeAddressesInSubnet",
            Some(Operation::Rds(Rds::CreateDBInstance)) => "incompatible-network",
            _ => "Server.InternalError",
        };
        match &self.fault {
            Fault::Failed { .. } => Fault::Failed { code: code.to_owned() },
            fault => fault.clone(),
        }
    }

    /// True if a run has to get over it by itself.
    pub fn is_passing(&self) -> bool {
        matches!(self.fault, Fault::Throttled | Fault::LostReply | Fault::ServerError { .. } | Fault::NotFound)
    }

    /// True if it can happen there. AWS says that something is not found only of what it has just made.
    pub fn fits(&self, moment: &Moment) -> bool {
        match &self.fault {
            Fault::CrashBefore | Fault::CrashAfter | Fault::CrashAnswered | Fault::Stop | Fault::Abandon => true,
            Fault::StoreFailed | Fault::StoreUnsure | Fault::Overtaken => moment.operation.is_none(),
            Fault::NotFound => moment.is_fresh,
            Fault::Failed { .. } => matches!(
                moment.operation,
                Some(
                    Operation::Ec2(Ec2::CreateNatGateway)
                        | Operation::Ec2(Ec2::RunInstances)
                        | Operation::Rds(Rds::CreateDBInstance)
                )
            ),
            Fault::Throttled
            | Fault::LostReply
            | Fault::ServerError { .. }
            | Fault::Credentials
            | Fault::Refused { .. } => moment.operation.is_some(),
        }
    }
}

/// An effect of an undisturbed run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Its number in the world.
    pub effect: u64,
    /// When it is asked for.
    pub at: Instant,
    /// The call; `None` for a write of the state.
    pub operation: Option<Operation>,
    /// True if the call names something that was made so shortly before that parts of AWS may not know it.
    pub is_fresh: bool,
}

/// True if what was made at `made` may be unknown at `now`.
pub(super) fn is_fresh(made: Instant, now: Instant) -> bool {
    now.since(made).as_millis() < u128::from(VISIBILITY_MS)
}
