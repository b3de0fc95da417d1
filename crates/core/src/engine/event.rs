//! What goes in and out of the executor.

use std::sync::Arc;
use std::time::Duration;

use crate::api::{ApiError, Reply, Request};
use crate::state::{State, Target};
use crate::time::Instant;

/// Names one sending of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// What the driver has to do.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Send this request once and answer with [`Event::Replied`]. Secrets are put in place by the driver.
    Send {
        /// To be named in the answer.
        ticket: Ticket,
        /// What to send.
        request: Request,
    },
    /// Write this state and answer with [`Event::Persisted`] or [`Event::PersistFailed`]. Never more than one at a
    /// time. The store must refuse a serial that does not follow its own.
    Persist {
        /// What to write; its serial is in it.
        state: Arc<State>,
    },
}

/// What happened.
#[derive(Clone, Debug)]
pub enum Event {
    /// A request was answered, or not.
    Replied {
        /// Which sending.
        ticket: Ticket,
        /// The answer.
        reply: Reply,
    },
    /// A state was written.
    Persisted {
        /// Its serial.
        serial: u64,
    },
    /// A state could not be written. Nothing that changes anything is sent any more.
    PersistFailed {
        /// Its serial.
        serial: u64,
        /// Why.
        message: String,
    },
    /// Stop: send nothing new, wait for the calls in flight, record them.
    Stop,
    /// Stop waiting as well: record what is known and end.
    Abandon,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Every node is done and recorded.
    Done,
    /// Some nodes failed; what did not depend on them is done and recorded.
    Failed {
        /// The failures, in the order they happened.
        failures: Vec<Failure>,
        /// Nodes not run because of them, by index.
        skipped: Vec<usize>,
    },
    /// Stopped before everything was done; what is known is recorded.
    Stopped {
        /// Nodes not run or not finished, by index.
        unfinished: Vec<usize>,
    },
    /// The state could not be written.
    StoreFailed {
        /// Why.
        message: String,
    },
}

/// One node that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Index of the node.
    pub node: usize,
    /// Its object.
    pub target: Target,
    /// What went wrong.
    pub cause: Cause,
}

/// What went wrong with a node.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Cause {
    /// A call was refused, or failed too often.
    #[error("{operation}: {error}")]
    Call {
        /// The operation, as `ec2:CreateVpc`.
        operation: String,
        /// AWS's answer.
        error: ApiError,
    },
    /// A call was refused half way through a change, and what was done before was taken back, or was to be.
    #[error("{operation}: {error}; {told}")]
    Refused {
        /// The operation, as `ec2:ModifyInstanceAttribute`.
        operation: String,
        /// AWS's answer.
        error: ApiError,
        /// How the object is now.
        told: String,
    },
    /// Somebody uses an object that is to be deleted.
    #[error("{operation}: {detail}; it is in use by {}", .by.join("; "))]
    Held {
        /// The call that AWS refused, or the read that was repeated.
        operation: String,
        /// AWS's answer, or what was waited for.
        detail: String,
        /// Who, as `i-1, an instance "bastion" with interface eni-1`.
        by: Vec<String>,
    },
    /// What was waited for cannot come about any more.
    #[error("{operation}: failed: {detail}")]
    WaitFailed {
        /// The operation that was polled.
        operation: String,
        /// What AWS said of the object.
        detail: String,
    },
    /// The object works and came to rest, though not as what was asked for. It is recorded as it is.
    #[error("{operation}: {told}")]
    Short {
        /// The operation that was polled.
        operation: String,
        /// How the object is.
        told: String,
    },
    /// What was waited for did not come about in time.
    #[error("{operation}: not ready after {}", crate::time::Human(*.waited))]
    WaitTimedOut {
        /// The operation that was polled.
        operation: String,
        /// How long it was waited for.
        waited: Duration,
    },
    /// An object with the same name or place exists and does not carry our tags.
    #[error("{operation}: {detail}; it is not ours")]
    Foreign {
        /// The call that met it.
        operation: String,
        /// AWS's answer.
        detail: String,
    },
    /// The store is so slow that a creation cannot be sent shortly after a write. Nothing was sent.
    #[error(
        "{operation}: not sent, as writing the state takes longer than {}",
        crate::time::Human(super::CONFIRMED_MAX)
    )]
    SlowStore {
        /// The call that was not sent.
        operation: String,
    },
    /// A reference could not be resolved: a bug.
    #[error("invariant violated: {detail}")]
    Bug {
        /// Which one.
        detail: String,
    },
}

/// Something worth telling, in the order it happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// When.
    pub at: Instant,
    /// Index of the node.
    pub node: usize,
    /// What.
    pub news: News,
}

/// What is told of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// Its first step is about to run.
    Started,
    /// It waits for something that usually takes this long.
    Waiting {
        /// How long it usually takes.
        usual: Duration,
    },
    /// A call was sent.
    Sent {
        /// The call, secrets only named.
        request: Request,
        /// Which sending of this call: 1 for the first.
        attempt: u32,
    },
    /// The call was answered, or not. Told only if [`Executor::tell_answers`](super::Executor::tell_answers) was asked.
    Answered {
        /// The answer.
        reply: Reply,
    },
    /// A call will be sent again.
    Retry {
        /// Why.
        error: ApiError,
        /// In how long.
        after: Duration,
    },
    /// An object made by a call whose answer was lost was found and taken.
    Adopted {
        /// Its identifier.
        id: String,
    },
    /// All steps are done.
    Finished {
        /// How long it took.
        elapsed: Duration,
        /// The object's identifier, if it has one.
        id: Option<String>,
    },
    /// It failed.
    Failed {
        /// Why.
        cause: Cause,
    },
    /// It will not run, as a node it needs failed.
    Skipped,
}
