//! What is known of an operation: service, effect, rate limit, parameters, IAM actions, and what codes mean in answer to it.
//! Each service has a table of its own.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::ec2::{self, Ec2};
use super::rds::{self, Rds};
use super::ssm::Ssm;
use super::sts::Sts;

/// An AWS service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Service {
    /// Elastic Compute Cloud, with VPC.
    Ec2,
    /// Relational Database Service.
    Rds,
    /// Systems Manager, for public parameters.
    Ssm,
    /// Security Token Service.
    Sts,
    /// One that the engine knows nothing of.
    #[cfg(test)]
    Scaling,
}

impl Service {
    /// The prefix of IAM actions and printed calls.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Ec2 => "ec2",
            Self::Rds => "rds",
            Self::Ssm => "ssm",
            Self::Sts => "sts",
            #[cfg(test)]
            Self::Scaling => "autoscaling",
        }
    }

    /// What a creation with tags needs besides its own action.
    const fn tagging_actions(self) -> &'static [&'static str] {
        match self {
            Self::Ec2 => ec2::TAGGING_ACTIONS,
            Self::Rds => rds::TAGGING_ACTIONS,
            Self::Ssm | Self::Sts => &[],
            #[cfg(test)]
            Self::Scaling => &[],
        }
    }
}

/// What an operation does to the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// Nothing.
    Read,
    /// Makes an object, which would be an orphan if the answer were lost.
    Create(Recognition),
    /// Changes what is there. Sent again, the answer "already so" is success.
    Change,
    /// Afterwards the object is not there, whoever removed it.
    Remove,
}

/// How an object is recognized whose creation was sent and not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Recognition {
    /// Sent again with the same client token, AWS answers with the same object.
    ClientToken,
    /// A name makes the object unique: read it, then decide.
    NaturalKey,
    /// Only our tags tell: wait until a creation would be visible, look it up by tag, adopt or create.
    Tagged,
}

/// A token bucket that AWS keeps per account and Region.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RateLimit {
    service: Service,
    ordinal: u8,
    /// Most calls at once.
    pub burst: u32,
    /// Calls per second after that.
    pub per_second: u32,
}

impl RateLimit {
    /// One of a service; its ordinal sets it apart from the service's others.
    pub(super) const fn new(service: Service, ordinal: u8, burst: u32, per_second: u32) -> Self {
        Self { service, ordinal, burst, per_second }
    }
}

/// A parameter of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// AWS's name for it (tags and filters simplified, see [`super`]).
    pub name: &'static str,
    /// A call without it is refused by [`super::Call::check`].
    pub required: bool,
    /// It sets a secret of the object, or gives it up.
    pub secret: bool,
}

/// What an answer means where the class of its code does not say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// What was asked for is so.
    Done,
    /// What was asked for may be so: the object tells.
    LookUp,
    /// What the call is about is not known yet, unless it is on its way out.
    NotYet,
    /// What the client token made is gone, and AWS makes nothing more for it: the next token is sent.
    Spent,
    /// The client token was sent with other arguments: what it made is looked for, and is gone if it does not show.
    SpentUnlessFound,
}

/// A code with a meaning of its own in answer to one operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) code: &'static str,
    /// Only after an earlier answer to the same call was lost.
    pub(super) is_lost: bool,
    pub(super) meaning: Meaning,
}

/// All that is known of an operation.
pub(super) struct Definition {
    pub(super) name: &'static str,
    pub(super) service: Service,
    pub(super) effect: Effect,
    pub(super) rate_limit: RateLimit,
    pub(super) parameters: &'static [Parameter],
    pub(super) answers: &'static [Answer],
}

macro_rules! effect {
    (Create $recognition:ident) => {
        $crate::api::operation::Effect::Create($crate::api::operation::Recognition::$recognition)
    };
    ($effect:ident) => {
        $crate::api::operation::Effect::$effect
    };
}
pub(super) use effect;

macro_rules! parameter {
    ($name:ident) => {
        $crate::api::operation::Parameter { name: stringify!($name), required: false, secret: false }
    };
    ($name:ident required) => {
        $crate::api::operation::Parameter { name: stringify!($name), required: true, secret: false }
    };
    ($name:ident secret) => {
        $crate::api::operation::Parameter { name: stringify!($name), required: false, secret: true }
    };
}
pub(super) use parameter;

macro_rules! answer {
    ($code:literal $meaning:ident) => {
        $crate::api::operation::Answer {
            code: $code,
            is_lost: false,
            meaning: $crate::api::operation::Meaning::$meaning,
        }
    };
    ($code:literal lost $meaning:ident) => {
        $crate::api::operation::Answer {
            code: $code,
            is_lost: true,
            meaning: $crate::api::operation::Meaning::$meaning,
        }
    };
}
pub(super) use answer;

/// Builds the enum of a service's operations and its table. A row is `Name: Effect, RATE_LIMIT, [parameters] { answers };`.
macro_rules! operations {
    ($(#[$outer:meta])* $service:ident {
        $($(#[$doc:meta])* $name:ident: $effect:ident $(($recognition:ident))?, $limit:ident,
            [$($parameter:ident $(($mark:ident))?),* $(,)?] $({ $($code:literal $($lost:ident)? => $meaning:ident),* $(,)? })?;)*
    }) => {
        $(#[$outer])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $service {
            $($(#[$doc])* $name,)*
        }

        impl $service {
            /// Every operation of the service.
            pub const ALL: &'static [$crate::api::Operation] = &[$($crate::api::Operation::$service(Self::$name),)*];

            pub(super) const fn definition(self) -> &'static $crate::api::operation::Definition {
                match self {
                    $(Self::$name => const { &$crate::api::operation::Definition {
                        name: stringify!($name),
                        service: Service::$service,
                        effect: $crate::api::operation::effect!($effect $($recognition)?),
                        rate_limit: $limit,
                        parameters: &[$($crate::api::operation::parameter!($parameter $($mark)?),)*],
                        answers: &[$($($crate::api::operation::answer!($code $($lost)? $meaning),)*)?],
                    } },)*
                }
            }
        }

        impl std::fmt::Display for $service {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                $crate::api::Operation::from(*self).fmt(f)
            }
        }

        impl From<$service> for $crate::api::Operation {
            fn from(operation: $service) -> Self {
                Self::$service(operation)
            }
        }
    };
}
pub(super) use operations;

/// An operation of AWS that aloka may send; aloka sends no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// Of the Security Token Service.
    Sts(Sts),
    /// Of Systems Manager.
    Ssm(Ssm),
    /// Of EC2.
    Ec2(Ec2),
    /// Of RDS.
    Rds(Rds),
    /// Of one that the engine knows nothing of.
    #[cfg(test)]
    Scaling(super::scaling::Scaling),
}

const SERVICES: [&[Operation]; 4] = [Sts::ALL, Ssm::ALL, Ec2::ALL, Rds::ALL];
const COUNT: usize = Sts::ALL.len() + Ssm::ALL.len() + Ec2::ALL.len() + Rds::ALL.len();

impl Operation {
    /// Every operation of every service.
    pub const ALL: &'static [Self] = &{
        let mut all = [Sts::ALL[0]; COUNT];
        let (mut service, mut index, mut count) = (0, 0, 0);
        while service < SERVICES.len() {
            if index == SERVICES[service].len() {
                (service, index) = (service + 1, 0);
                continue;
            }
            all[count] = SERVICES[service][index];
            (index, count) = (index + 1, count + 1);
        }
        all
    };

    const fn definition(self) -> &'static Definition {
        match self {
            Self::Sts(operation) => operation.definition(),
            Self::Ssm(operation) => operation.definition(),
            Self::Ec2(operation) => operation.definition(),
            Self::Rds(operation) => operation.definition(),
            #[cfg(test)]
            Self::Scaling(operation) => operation.definition(),
        }
    }

    /// AWS's name for it, which other services may have, too.
    pub const fn name(self) -> &'static str {
        self.definition().name
    }

    /// The service that answers it.
    pub const fn service(self) -> Service {
        self.definition().service
    }

    /// What it does.
    pub const fn effect(self) -> Effect {
        self.definition().effect
    }

    /// True if it may change something.
    pub const fn is_mutating(self) -> bool {
        !matches!(self.effect(), Effect::Read)
    }

    /// True if it makes an object that would be an orphan if its answer were lost.
    pub const fn is_creating(self) -> bool {
        matches!(self.effect(), Effect::Create(_))
    }

    /// The token bucket it takes from.
    pub const fn rate_limit(self) -> RateLimit {
        self.definition().rate_limit
    }

    /// Its parameters.
    pub const fn parameters(self) -> &'static [Parameter] {
        self.definition().parameters
    }

    /// What a code means in answer to it, where the code's class does not say it. `is_lost`: an earlier answer to the same
    /// call was lost.
    pub fn meaning(self, code: &str, is_lost: bool) -> Option<Meaning> {
        let answers = self.definition().answers.iter();
        let mut fit = answers.filter(|answer| answer.code == code && (is_lost || !answer.is_lost));
        fit.next().map(|answer| answer.meaning)
    }

    /// The IAM actions it needs (aws-behaviour.md, 4.2 and 4.3).
    pub fn iam_actions(self) -> Vec<String> {
        // Whoever has credentials may ask whose they are.
        if self.service() == Service::Sts {
            return Vec::new();
        }
        let is_tagged = self.is_creating() && self.parameters().iter().any(|parameter| parameter.name == "Tags");
        let more = if is_tagged { self.service().tagging_actions() } else { &[] };
        more.iter().map(|action| (*action).to_owned()).chain([self.to_string()]).collect()
    }
}

/// `ec2:CreateVpc`
impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.service().prefix(), self.name())
    }
}

/// A text that is not `service:Name` of an operation aloka may send.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown operation {0}")]
pub struct UnknownOperation(String);

/// As it is displayed: names alone would not tell services apart.
impl FromStr for Operation {
    type Err = UnknownOperation;

    fn from_str(text: &str) -> Result<Self, UnknownOperation> {
        let known = text.split_once(':').and_then(|(prefix, name)| {
            let is_it = |operation: &Self| operation.service().prefix() == prefix && operation.name() == name;
            Self::ALL.iter().copied().find(is_it)
        });
        known.ok_or_else(|| UnknownOperation(text.to_owned()))
    }
}

impl Serialize for Operation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Operation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_is_there_once_and_reads_as_it_is_written() {
        assert_eq!(Operation::ALL.len(), COUNT);
        for operation in Operation::ALL {
            assert_eq!(operation.to_string().parse(), Ok(*operation));
        }
        let unknown = ["CreateVpc", "rds:CreateVpc", "ec2:", ":CreateVpc", "ec2:createvpc", ""];
        for text in unknown {
            assert_eq!(text.parse::<Operation>(), Err(UnknownOperation(text.to_owned())));
        }
    }
}
