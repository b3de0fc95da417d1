//! Whether what was read can be believed yet.
//!
//! AWS shows changes late, and a read may be from before a change that an earlier one has shown. A plan made from such reads
//! would make again what is there. What nobody has changed for [`VISIBILITY_MS`] shows as it is.

use std::time::Duration;

use super::{Inputs, Replies, VISIBILITY_MS, claim::guard, move_addresses, place, refresh};
use crate::api::{ErrorClass, Reply};
use crate::observe::Phase;
use crate::plan::{Mode, Node};
use crate::state::State;

/// How long to wait before [`super::discovery`] is run again, because its replies are not as recorded and may be from before
/// the last run's changes; `None` to plan from them. `age` is the time from the last write of the state to the beginning of
/// these reads: every change is made within a moment of a write, and an answer may have been long on its way.
pub fn look_again(state: &State, inputs: &Inputs, replies: &[(Node, Reply)], age: Duration) -> Option<Duration> {
    let left = Duration::from_millis(VISIBILITY_MS).checked_sub(age).filter(|left| !left.is_zero())?;
    // A read by identifier of what is recorded: without its answer, what was asked for would be taken for what is.
    let unknown = replies.iter().any(|(_, reply)| reply.as_ref().is_err_and(|e| e.class == ErrorClass::NotFound));
    let replies = Replies::new(replies);
    if !replies.problems().is_empty() {
        return None;
    }
    let mut seen = state.clone();
    let place = place(&seen, &inputs.variables.aws_region);
    let moves = move_addresses(&mut seen, &inputs.variables, inputs.mode);
    // What was begun and does not show may never have been made: who makes it sends the call again, who destroys what it
    // would hold must know.
    let unseen = !refresh::adopt_untagged(&mut seen, &replies, &place) && inputs.mode == Mode::Destroy;
    let (drift, observed) = refresh::refresh(&mut seen, &replies, &place, &moves);
    let strangers = guard::strangers(state, inputs, &replies);
    let settling = observed.values().any(|found| found.phase == Phase::Settling) || unseen || unknown;
    // The older, the less likely that looking soon helps.
    (settling || !drift.is_empty() || !strangers.is_empty())
        .then(|| (age / 2).clamp(Duration::from_secs(1), Duration::from_secs(8)).min(left))
}
