//! The rule table: everything the simulated account refuses, assumes, delays or limits, each with AWS's code, its words
//! and where that is known from.
//!
//! A refusal can be made from a rule only, so nothing is refused that the table does not hold; a rule without a source
//! does not compile. What meets a rule and what comes close without meeting it is shown by the [scenarios](crate::scenario);
//! a rule without both fails a test. Nothing here knows how a rule is applied: that is one function of the account each.

pub(crate) mod macros;
mod source;

pub(crate) mod access;
pub(crate) mod capacity;
pub(crate) mod catalog;
pub(crate) mod identifier;
pub(crate) mod request;
pub(crate) mod token;

use std::fmt;

use aloka_core::api::{ApiError, Operation, Service};

pub use self::source::{Confidence, Source};

/// What a rule is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Nature {
    /// AWS refuses the call.
    Refusal,
    /// AWS refuses what would exceed a quota, which it may raise.
    Quota,
    /// AWS refuses what exceeds a limit that never changes.
    Limit,
    /// What holds when the call does not say.
    Default,
    /// An object's state changes, by itself or by a call.
    Transition,
    /// Something is not to be seen, or not done, until some time has passed.
    Delay,
    /// AWS accepts it; the simulated account does not model it, and refuses it rather than guess.
    Unmodelled,
}

impl Nature {
    /// Every nature.
    pub const ALL: [Self; 7] =
        [Self::Refusal, Self::Quota, Self::Limit, Self::Default, Self::Transition, Self::Delay, Self::Unmodelled];

    /// True if the call that meets such a rule is refused.
    pub const fn refuses(self) -> bool {
        match self {
            Self::Refusal | Self::Quota | Self::Limit | Self::Unmodelled => true,
            Self::Default | Self::Transition | Self::Delay => false,
        }
    }

    /// Its name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Refusal => "refusal",
            Self::Quota => "quota",
            Self::Limit => "limit",
            Self::Default => "default",
            Self::Transition => "transition",
            Self::Delay => "delay",
            Self::Unmodelled => "unmodelled",
        }
    }
}

impl fmt::Display for Nature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// One rule.
#[derive(Debug)]
pub struct Rule {
    /// Its name, such as `vpc.cidr-size`; no two rules share one.
    pub id: &'static str,
    /// What it is about.
    pub nature: Nature,
    /// The operations that can meet it; empty for every operation.
    pub operations: &'static [Operation],
    /// AWS's error code; empty unless it refuses.
    pub code: &'static str,
    /// The HTTP status of the refusal.
    pub status: u16,
    /// AWS's message, `{}` for what varies; empty unless it refuses.
    pub message: &'static str,
    /// What holds, in a sentence.
    pub says: &'static str,
    /// Where it is known from; never empty.
    pub sources: &'static [Source],
}

impl Rule {
    /// The service whose rule it is; `None` if it is every service's.
    pub fn service(&self) -> Option<Service> {
        let first = self.operations.first()?.service();
        self.operations.iter().all(|operation| operation.service() == first).then_some(first)
    }

    /// How far it can be trusted: as far as its best source.
    pub fn confidence(&self) -> Confidence {
        self.sources.iter().map(|source| source.confidence()).max().unwrap_or(Confidence::Unverified)
    }

    /// The refusal of a call that meets the rule; `fills` go where the message has `{}`, in order.
    pub(crate) fn refuse<const N: usize>(&'static self, fills: [&dyn fmt::Display; N]) -> Refusal {
        let mut message = String::new();
        let mut fills = fills.into_iter();
        for (index, part) in self.message.split("{}").enumerate() {
            if index > 0 {
                match fills.next() {
                    Some(fill) => message.push_str(&fill.to_string()),
                    None => message.push_str("{}"),
                }
            }
            message.push_str(part);
        }
        Refusal { rule: self, message }
    }
}

/// Rules are compared by name.
impl PartialEq for Rule {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Rule {}

/// A call that was refused, and by which rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) rule: &'static Rule,
    message: String,
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        Self::answered(refusal.rule.code, refusal.message, Some(refusal.rule.status))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_filled_in_order() {
        let refusal = request::UNKNOWN_PARAMETER.refuse([&"Colour"]);
        assert_eq!(refusal.message, "The parameter Colour is not recognized");
        let left = request::UNKNOWN_PARAMETER.refuse([]);
        assert_eq!(left.message, "The parameter {} is not recognized");
    }
}
