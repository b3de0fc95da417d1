//! What planning ends with: a plan and its warnings, or the problems that kept aloka from making one.

use super::Plan;
use crate::api::ApiError;
use crate::shell::Command;
use crate::state::State;

/// What is known of the database password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Password {
    /// Not given, and not needed.
    Absent,
    /// The one recorded.
    Unchanged,
    /// The one the database has, whose hash is not recorded yet: this is it.
    Known(String),
    /// Another one, or the first: this is its new hash.
    New(String),
}

impl Password {
    /// The same password, taken for the one the database has: AWS does not tell whether it is. It is not sent, so that
    /// a database found without its state never gets another password unasked.
    #[must_use]
    pub fn trusted(self) -> Self {
        match self {
            Self::New(hash) | Self::Known(hash) => Self::Known(hash),
            Self::Absent => Self::Absent,
            Self::Unchanged => Self::Unchanged,
        }
    }
}

/// A problem that keeps aloka from making a plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// A read failed.
    #[error("{call}: {error}")]
    Read {
        /// The call.
        call: String,
        /// AWS's answer.
        error: ApiError,
    },
    /// What the user asks for cannot be done.
    #[error("{summary}")]
    Impossible {
        /// What and why.
        summary: String,
        /// What to do.
        hint: String,
    },
    /// The state records the stack at other addresses.
    #[error("{summary}")]
    Elsewhere {
        /// Where, and what a plan would do.
        summary: String,
        /// What brings it home; `None` if an address cannot be written into a command.
        commands: Option<Vec<Command>>,
    },
}

/// A plan with what the user should be told beside it.
#[derive(Clone, Debug)]
pub struct Planned {
    /// The plan.
    pub plan: Plan,
    /// The state it starts from: the recorded one with moves, adopted objects and refreshed attributes.
    pub state: State,
    /// True if that state says more than the recorded one, so that it is worth writing without any change.
    pub state_changed: bool,
    /// Warnings, one line each.
    pub warnings: Vec<String>,
}
