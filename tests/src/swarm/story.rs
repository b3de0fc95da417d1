//! A story: everything that happens to one stack, drawn from one seed in named sub-streams.
//!
//! A story is data. It can be written down, told, made smaller and played again; what it leads to is decided by playing
//! it alone.

use std::fmt;

use aloka_core::api::{Ec2, Operation, Rds};
use aloka_sim::aws::Durations;
use aloka_sim::fault::Fault;
use aloka_sim::rng::Rng;
use serde::{Deserialize, Serialize};

use super::meddler::{Act, Deed};
use super::settings::Settings;

/// Everything that happens to one stack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Story {
    /// From which identifiers and durations follow, and when the account is audited.
    pub seed: u64,
    /// The cloud.
    pub cloud: Cloud,
    /// What the users want, by number; the last is what they settle for.
    pub wishes: Vec<Settings>,
    /// Commands, one after the other.
    pub commands: Vec<Command>,
    /// True if the last wish is fulfilled before the stack is destroyed; false if it is destroyed as it is.
    pub converges: bool,
}

/// What the cloud is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cloud {
    /// How long things take.
    pub durations: Durations,
    /// How late changes show, at most, milliseconds.
    pub visibility_ms: u64,
    /// How long interfaces outlive what they belonged to, at most, milliseconds.
    pub linger_ms: u64,
    /// It limits rates.
    pub throttling: bool,
    /// Somebody else's objects are there, some of them of the same names.
    pub neighbours: bool,
}

impl Cloud {
    /// The simplest.
    pub const PLAIN: Self =
        Self { durations: Durations::Instant, visibility_ms: 0, linger_ms: 0, throttling: false, neighbours: false };
}

/// What a command is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Order {
    /// `apply` with the wish of this number.
    Apply(usize),
    /// `destroy`.
    Destroy,
    /// `apply -refresh-only`.
    Refresh,
    /// `plan -out`, or `plan -destroy -out`.
    Save {
        /// Which wish.
        wish: usize,
        /// To destroy.
        destroy: bool,
    },
    /// `apply FILE` of the plan saved last.
    ApplySaved,
}

/// One command and what happens to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Command {
    /// What it is to do.
    pub order: Order,
    /// The database may go: `-allow-data-loss` names it.
    pub named: bool,
    /// Time since the command before, milliseconds.
    pub rest_ms: u64,
    /// What goes wrong.
    pub strikes: Vec<Strike>,
    /// What somebody else does meanwhile.
    pub deeds: Vec<Deed>,
    /// A second operator.
    pub other: Option<Other>,
}

/// One fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Strike {
    /// At which effect.
    pub at: At,
    /// What goes wrong.
    pub fault: Fault,
}

/// An effect of a command, counted from its beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum At {
    /// The effect of this number, from 0.
    Effect(u64),
    /// The how manieth call of this operation, from 1.
    Call(Operation, u64),
    /// The how manieth write of the state, from 1.
    Write(u64),
}

/// A second operator on the same account and state, without a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Other {
    /// What it wants; `None` to destroy.
    pub wish: Option<usize>,
    /// It names the database.
    pub named: bool,
    /// It begins when the first has sent so many calls.
    pub after_calls: u64,
    /// From one of its effects to the next, milliseconds.
    pub turn_ms: u64,
    /// It dies after so many effects.
    pub dies_after: Option<u32>,
}

/// Faults with how often they are drawn if they are drawn as often as others: each story has weights of its own.
fn faults(rng: &mut Rng) -> Vec<(u64, Drawer)> {
    type D = Drawer;
    let all = [
        D::Any(Fault::CrashBefore),
        D::Any(Fault::CrashAfter),
        D::Any(Fault::LostReply),
        D::Any(Fault::Throttled),
        D::Any(Fault::ServerError { acted: true }),
        D::Any(Fault::ServerError { acted: false }),
        D::Any(Fault::StoreFailed),
        D::Any(Fault::Stop),
        D::Any(Fault::Abandon),
        D::Any(Fault::Credentials),
        D::Write(Fault::StoreFailed),
        D::Write(Fault::CrashAfter),
        D::Write(Fault::CrashBefore),
        D::NotYet,
        D::Refused,
        D::Failed,
        D::Lost,
    ];
    all.into_iter().map(|drawer| ([0, 0, 1, 3, 10][usize::from(super::settings::small(rng, 5))], drawer)).collect()
}

/// A sort of faults.
#[derive(Clone, Debug)]
enum Drawer {
    /// At any effect.
    Any(Fault),
    /// At a write.
    Write(Fault),
    /// Of a new object, AWS says that it does not exist.
    NotYet,
    /// A call is refused.
    Refused,
    /// What was made does not work.
    Failed,
    /// The answer of a creation is lost, more than once perhaps.
    Lost,
}

/// Calls that refer to what was made a moment ago.
const ABOUT_NEW: [Operation; 7] = [
    Operation::Ec2(Ec2::CreateSubnet),
    Operation::Ec2(Ec2::CreateRoute),
    Operation::Ec2(Ec2::AttachInternetGateway),
    Operation::Ec2(Ec2::AuthorizeSecurityGroupIngress),
    Operation::Ec2(Ec2::ModifyVpcAttribute),
    Operation::Ec2(Ec2::CreateNatGateway),
    Operation::Ec2(Ec2::AssociateRouteTable),
];

const CREATIONS: [Operation; 11] = [
    Operation::Ec2(Ec2::CreateVpc),
    Operation::Ec2(Ec2::CreateInternetGateway),
    Operation::Ec2(Ec2::AllocateAddress),
    Operation::Ec2(Ec2::CreateSubnet),
    Operation::Ec2(Ec2::CreateRouteTable),
    Operation::Ec2(Ec2::CreateSecurityGroup),
    Operation::Ec2(Ec2::CreateNatGateway),
    Operation::Ec2(Ec2::RunInstances),
    Operation::Rds(Rds::CreateDBSubnetGroup),
    Operation::Rds(Rds::CreateDBInstance),
    Operation::Ec2(Ec2::AssociateRouteTable),
];

const REFUSALS: [(Operation, &str); 12] = [
    (Operation::Ec2(Ec2::RunInstances), "InsufficientInstanceCapacity"),
    (Operation::Ec2(Ec2::RunInstances), "UnauthorizedOperation"),
    (Operation::Ec2(Ec2::CreateVpc), "VpcLimitExceeded"),
    (Operation::Ec2(Ec2::AllocateAddress), "AddressLimitExceeded"),
    (Operation::Ec2(Ec2::CreateNatGateway), "NatGatewayLimitExceeded"),
    (Operation::Rds(Rds::CreateDBInstance), "InsufficientDBInstanceCapacity"),
    (Operation::Rds(Rds::CreateDBInstance), "StorageQuotaExceeded"),
    (Operation::Ec2(Ec2::CreateSubnet), "UnauthorizedOperation"),
    (Operation::Ec2(Ec2::CreateInternetGateway), "UnauthorizedOperation"),
    (Operation::Ec2(Ec2::DeleteSubnet), "UnauthorizedOperation"),
    (Operation::Rds(Rds::DeleteDBInstance), "AccessDenied"),
    (Operation::Rds(Rds::ModifyDBInstance), "AccessDenied"),
];

const FAILURES: [(Operation, &str); 3] = [
    (Operation::Ec2(Ec2::CreateNatGateway), "InternalError"),
    (Operation::Ec2(Ec2::RunInstances), "Server.InternalError"),
    (Operation::Rds(Rds::CreateDBInstance), "failed"),
];

impl Drawer {
    fn draw(&self, rng: &mut Rng) -> Strike {
        let any = |rng: &mut Rng| {
            let bound = [12, 60, 250][usize::from(super::settings::small(rng, 3))];
            At::Effect(rng.below(bound))
        };
        let of = |rng: &mut Rng, list: &[Operation]| {
            let operation = rng.pick(list).copied().unwrap_or(Operation::Ec2(Ec2::CreateVpc));
            At::Call(operation, 1 + rng.below(3))
        };
        match self {
            Self::Any(fault) => Strike { at: any(rng), fault: fault.clone() },
            Self::Write(fault) => Strike { at: At::Write(1 + rng.below(40)), fault: fault.clone() },
            Self::NotYet => Strike { at: of(rng, &ABOUT_NEW), fault: Fault::NotFound },
            Self::Lost => {
                let fault = match rng.below(3) {
                    0 => Fault::LostReply,
                    1 => Fault::ServerError { acted: true },
                    _ => Fault::CrashAfter,
                };
                Strike { at: of(rng, &CREATIONS), fault }
            }
            Self::Refused => {
                let (operation, code) = rng.pick(&REFUSALS).copied().unwrap_or(REFUSALS[0]);
                let fault = Fault::Refused { code: code.to_owned() };
                Strike { at: At::Call(operation, 1 + rng.below(2)), fault }
            }
            Self::Failed => {
                let (operation, code) = rng.pick(&FAILURES).copied().unwrap_or(FAILURES[0]);
                let fault = Fault::Failed { code: code.to_owned() };
                Strike { at: At::Call(operation, 1 + rng.below(2)), fault }
            }
        }
    }
}

impl Story {
    /// The story of a seed.
    pub fn drawn(seed: u64) -> Self {
        let cloud = Cloud::drawn(&mut Rng::stream(seed, "swarm/cloud", 0));
        let mut rng = Rng::stream(seed, "swarm/variables", 0);
        let mut wishes = vec![Settings::drawn(&mut rng)];
        for _ in 0..rng.below(4) {
            let last = wishes.last().cloned().unwrap_or_default();
            wishes.push(last.changed(&mut rng));
        }
        let last = wishes.pop().unwrap_or_default().reachable_from(&wishes);
        wishes.push(last);
        let mut rng = Rng::stream(seed, "swarm/commands", 0);
        let mut orders = vec![Order::Apply(0)];
        for _ in 0..rng.below(6) {
            orders.push(Order::drawn(&mut rng, wishes.len()));
        }
        let is_protected = wishes.iter().any(|wish| wish.protected);
        let faults = faults(&mut Rng::stream(seed, "swarm/weights", 0));
        let mut weights = Rng::stream(seed, "swarm/weights", 1);
        let (strikes_max, deeds_max, others_one_in) = (
            weights.below(5),
            [0, 0, 1, 3][usize::from(super::settings::small(&mut weights, 4))],
            [0, 0, 2, 4][usize::from(super::settings::small(&mut weights, 4))],
        );
        let commands = orders.into_iter().zip(0..).map(|(order, ordinal)| {
            let stream = |name| Rng::stream(seed, name, ordinal);
            let mut rng = stream("swarm/command");
            let rest_ms = *rng.pick(&[0, 0, 1_000, 20_000, 45_000, 600_000, 7_200_000]).unwrap_or(&0);
            let named = !rng.one_in(3);
            let mut rng = stream("swarm/faults");
            let strikes = (0..rng.below(strikes_max + 1)).filter_map(|_| drawn(&faults, &mut rng));
            // A database that failed under protection is nobody's to change or delete: AWS refuses both.
            let dead_end = |strike: &Strike| {
                is_protected && matches!(strike.at, At::Call(Operation::Rds(Rds::CreateDBInstance), _))
            };
            let strikes = strikes.filter(|strike| !dead_end(strike)).collect();
            let mut rng = stream("swarm/meddler");
            let deeds = (0..rng.below(deeds_max + 1)).map(|_| Deed::drawn(&mut rng)).collect();
            let mut rng = stream("swarm/operator");
            let other = rng.one_in(others_one_in).then(|| Other::drawn(&mut rng, wishes.len()));
            Command { order, named, rest_ms, strikes, deeds, other }
        });
        let converges = !Rng::stream(seed, "swarm/end", 0).one_in(5);
        Self { seed, cloud, commands: commands.collect(), converges, wishes }
    }

    /// True if somebody changes what is ours behind our back.
    pub fn is_meddled_with(&self) -> bool {
        self.commands.iter().any(|command| !command.deeds.is_empty())
    }
}

fn drawn(faults: &[(u64, Drawer)], rng: &mut Rng) -> Option<Strike> {
    let total: u64 = faults.iter().map(|(weight, _)| weight).sum();
    let mut left = rng.below(total);
    for (weight, drawer) in faults {
        if left < *weight {
            return Some(drawer.draw(rng));
        }
        left -= weight;
    }
    None
}

impl Cloud {
    fn drawn(rng: &mut Rng) -> Self {
        let durations = [Durations::Instant, Durations::Median, Durations::Drawn, Durations::Drawn];
        Self {
            durations: *rng.pick(&durations).unwrap_or(&Durations::Median),
            visibility_ms: if rng.one_in(3) { 10_000 } else { 0 },
            linger_ms: if rng.one_in(4) { 30_000 } else { 0 },
            throttling: rng.one_in(8),
            neighbours: rng.one_in(2),
        }
    }
}

impl Order {
    fn drawn(rng: &mut Rng, wishes: usize) -> Self {
        let wish = usize::try_from(rng.below(u64::try_from(wishes).unwrap_or(1))).unwrap_or_default();
        match rng.below(16) {
            0..=9 => Self::Apply(wish),
            10 | 11 => Self::Destroy,
            12 => Self::Refresh,
            13 => Self::Save { wish, destroy: rng.one_in(4) },
            _ => Self::ApplySaved,
        }
    }

    /// The wish it is about.
    pub(super) fn wish_mut(&mut self) -> Option<&mut usize> {
        match self {
            Self::Apply(wish) | Self::Save { wish, .. } => Some(wish),
            Self::Destroy | Self::Refresh | Self::ApplySaved => None,
        }
    }
}

impl Other {
    fn drawn(rng: &mut Rng, wishes: usize) -> Self {
        let wish = usize::try_from(rng.below(u64::try_from(wishes).unwrap_or(1))).unwrap_or_default();
        let calls_max = if rng.one_in(2) { 20 } else { 120 };
        Self {
            wish: (!rng.one_in(5)).then_some(wish),
            named: rng.one_in(2),
            after_calls: rng.below(calls_max),
            turn_ms: *rng.pick(&[5, 20, 150, 1_000]).unwrap_or(&20),
            dies_after: rng.one_in(3).then(|| u32::from(super::settings::small(rng, 120))),
        }
    }
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Apply(wish) => write!(f, "apply of wish {wish}"),
            Self::Destroy => f.write_str("destroy"),
            Self::Refresh => f.write_str("apply -refresh-only"),
            Self::Save { wish, destroy: false } => write!(f, "plan -out of wish {wish}"),
            Self::Save { destroy: true, .. } => f.write_str("plan -destroy -out"),
            Self::ApplySaved => f.write_str("apply of the saved plan"),
        }
    }
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Effect(number) => write!(f, "effect {number}"),
            Self::Call(operation, nth) => write!(f, "{operation}#{nth}"),
            Self::Write(nth) => write!(f, "write#{nth}"),
        }
    }
}

impl Act {
    /// True if it can change who reaches whom.
    pub(super) fn opens(self) -> bool {
        !matches!(self, Self::Tag(_) | Self::Untag(_) | Self::Backups | Self::Stop(_))
    }
}
