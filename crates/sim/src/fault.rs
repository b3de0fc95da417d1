//! Faults as data: what goes wrong, and at which effect.
//!
//! A plan of faults is a list that the world consults before it performs an effect; each entry strikes once. It holds
//! no randomness of its own: [`FaultPlan::random`] draws one from a seed. Every plan can be written as text and read
//! again, see [`FaultPlan`].

mod text;

use aloka_core::api::{ApiError, Ec2, Operation, Rds};
use serde::{Deserialize, Serialize};

pub use self::text::FaultError;
use crate::rng::Rng;

/// Something that goes wrong with one effect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fault {
    /// The process dies before the effect; what is on the wire still arrives at AWS.
    CrashBefore,
    /// The effect takes place, and the process dies before it learns of it.
    CrashAfter,
    /// The effect takes place, the process learns of it and sends what follows from it, and dies before it has written
    /// anything down.
    CrashAnswered,
    /// AWS acts and the answer is lost.
    LostReply,
    /// AWS refuses because of its rate limits.
    Throttled,
    /// AWS answers 500.
    ServerError {
        /// True if it acted all the same.
        acted: bool,
    },
    /// AWS does not see an object yet that it made a moment ago.
    NotFound,
    /// The credentials have expired.
    Credentials,
    /// AWS does not act and answers with this error code.
    Refused {
        /// The code, such as `InsufficientInstanceCapacity`.
        code: String,
    },
    /// AWS accepts the call, and what it made turns out not to work: a NAT gateway gets the state `failed` with this
    /// code, an instance is terminated with it, a database instance has it as its status.
    Failed {
        /// The code, such as `InsufficientFreeAddressesInSubnet`.
        code: String,
    },
    /// The state cannot be written.
    StoreFailed,
    /// The state is written, and the store says that it is not.
    StoreUnsure,
    /// Another process has taken over the lock: it writes the state first.
    Overtaken,
    /// The user asks to stop while the effect is under way.
    Stop,
    /// The user asks twice.
    Abandon,
}

/// Which effect a fault strikes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum When {
    /// The effect with this number, counted from 0 over the life of the world.
    Effect(u64),
    /// A call.
    Call {
        /// Of this operation; of any if `None`.
        operation: Option<Operation>,
        /// The how manieth of those, counted from 1 over the life of the world.
        nth: u64,
    },
    /// A write of the state.
    Write {
        /// The how manieth, counted from 1 over the life of the world.
        nth: u64,
    },
}

/// What kind of effect is about to be performed, and how many came before it.
#[derive(Clone, Copy, Debug)]
pub struct Occurrence {
    /// Its number.
    pub effect: u64,
    /// What it is.
    pub kind: OccurrenceKind,
}

/// See [`Occurrence`].
#[derive(Clone, Copy, Debug)]
pub enum OccurrenceKind {
    /// A call.
    Call {
        /// Of this operation.
        operation: Operation,
        /// The how manieth call of all.
        nth: u64,
        /// The how manieth of its operation.
        nth_of_operation: u64,
    },
    /// A write of the state.
    Write {
        /// The how manieth.
        nth: u64,
    },
}

/// Faults still to strike. As text: `CreateVpc=lost-reply,write#2=store-failed`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultPlan(pub Vec<(When, Fault)>);

impl FaultPlan {
    /// No faults.
    pub fn none() -> Self {
        Self::default()
    }

    /// One fault at one effect.
    pub fn at(effect: u64, fault: Fault) -> Self {
        Self(vec![(When::Effect(effect), fault)])
    }

    /// `count` faults among the first `effects` effects, drawn from `seed`. None of them stops the run: they are those
    /// that a run has to get over by itself.
    pub fn random(seed: u64, effects: u64, count: u64) -> Self {
        const TRANSIENT: [Fault; 4] = [
            Fault::LostReply,
            Fault::Throttled,
            Fault::ServerError { acted: true },
            Fault::ServerError { acted: false },
        ];
        let mut rng = Rng::stream(seed, "faults", 0);
        let mut draw = || {
            let fault = rng.pick(&TRANSIENT).cloned().unwrap_or(Fault::Throttled);
            (When::Effect(rng.below(effects.max(1))), fault)
        };
        Self((0..count).map(|_| draw()).collect())
    }

    /// The faults that strike now; they are taken out of the plan.
    pub(crate) fn strike(&mut self, now: Occurrence) -> Vec<(When, Fault)> {
        let mut struck = Vec::new();
        if self.0.is_empty() {
            return struck;
        }
        self.0.retain(|(when, fault)| {
            let hit = when.is(now) && fault.means_something(now.kind);
            if hit {
                struck.push((when.clone(), fault.clone()));
            }
            !hit
        });
        struck
    }
}

impl When {
    fn is(&self, now: Occurrence) -> bool {
        match (self, now.kind) {
            (Self::Effect(effect), OccurrenceKind::Call { .. } | OccurrenceKind::Write { .. }) => *effect == now.effect,
            (Self::Call { operation: None, nth }, OccurrenceKind::Call { nth: n, .. }) => *nth == n,
            (Self::Call { operation: Some(wanted), nth }, OccurrenceKind::Call { operation, nth_of_operation, .. }) => {
                *wanted == operation && *nth == nth_of_operation
            }
            (Self::Write { nth }, OccurrenceKind::Write { nth: n }) => *nth == n,
            (Self::Call { .. }, OccurrenceKind::Write { .. }) | (Self::Write { .. }, OccurrenceKind::Call { .. }) => {
                false
            }
        }
    }
}

/// Creations that can fail after AWS accepted them.
pub(crate) const FAIL_LATER: [Operation; 3] =
    [Operation::Ec2(Ec2::CreateNatGateway), Operation::Ec2(Ec2::RunInstances), Operation::Rds(Rds::CreateDBInstance)];

impl Fault {
    /// True if it can happen to an effect of this kind.
    fn means_something(&self, kind: OccurrenceKind) -> bool {
        match (self, kind) {
            (Self::CrashBefore | Self::CrashAfter | Self::CrashAnswered | Self::Stop | Self::Abandon, _) => true,
            (Self::StoreFailed | Self::StoreUnsure | Self::Overtaken, OccurrenceKind::Write { .. }) => true,
            (Self::Failed { .. }, OccurrenceKind::Call { operation, .. }) => FAIL_LATER.contains(&operation),
            (
                Self::LostReply
                | Self::Throttled
                | Self::ServerError { .. }
                | Self::NotFound
                | Self::Credentials
                | Self::Refused { .. },
                OccurrenceKind::Call { .. },
            ) => true,
            (Self::StoreFailed | Self::StoreUnsure | Self::Overtaken, OccurrenceKind::Call { .. })
            | (
                Self::LostReply
                | Self::Throttled
                | Self::ServerError { .. }
                | Self::NotFound
                | Self::Credentials
                | Self::Refused { .. }
                | Self::Failed { .. },
                OccurrenceKind::Write { .. },
            ) => false,
        }
    }

    /// The answer in place of AWS's own, and whether AWS acted; `None` if the fault leaves the answer alone.
    pub(crate) fn answer(&self, operation: Operation) -> Option<(bool, ApiError)> {
        let answered = |code: &str, message: &str, status| ApiError::answered(code, message, Some(status));
        match self {
            Self::LostReply => Some((true, ApiError::timeout("no answer within 30s"))),
            Self::Throttled => Some((false, answered("RequestLimitExceeded", "Request limit exceeded.", 503))),
            Self::ServerError { acted } => {
                Some((*acted, answered("InternalError", "An internal error has occurred", 500)))
            }
            Self::NotFound => {
                let message = format!("{operation} names an object that does not exist");
                // The code tells what is not found; of rules, it is their group.
                let code = match operation {
                    Operation::Ec2(Ec2::AuthorizeSecurityGroupIngress)
                    | Operation::Ec2(Ec2::AuthorizeSecurityGroupEgress)
                    | Operation::Ec2(Ec2::RevokeSecurityGroupIngress)
                    | Operation::Ec2(Ec2::RevokeSecurityGroupEgress) => "InvalidGroup.NotFound",
                    _ => "InvalidID.NotFound",
                };
                Some((false, answered(code, &message, 400)))
            }
            Self::Credentials => {
                Some((false, answered("ExpiredToken", "The security token included in the request is expired", 403)))
            }
            Self::Refused { code } => Some((false, answered(code, "refused", 400))),
            Self::CrashBefore
            | Self::CrashAfter
            | Self::CrashAnswered
            | Self::Failed { .. }
            | Self::StoreFailed
            | Self::StoreUnsure
            | Self::Overtaken
            | Self::Stop
            | Self::Abandon => None,
        }
    }
}
