//! Whether what was read can be believed yet.
//!
//! AWS shows changes late, and a read may be from before a change that an earlier one has shown. A plan made from such reads
//! would make again what is there. What nobody has changed for [`VISIBILITY_MS`] shows as it is.

use std::time::Duration;

use super::{Inputs, claim::guard, move_addresses, refresh};
use crate::api::ErrorClass;
use crate::api::VISIBILITY_MS;
use crate::plan::build::Found;
use crate::plan::reads::Replies;
use crate::plan::{Drift, Mode, standing};
use crate::resource::{Phase, Place};
use crate::state::{State, Target};

/// How long to wait before everything is read again, because the replies are not as recorded and may be from before
/// the last run's changes; `None` to plan from them. `age` is the time from the last write of the state to the beginning of
/// these reads: every change is made within a moment of a write, and an answer may have been long on its way.
pub(super) fn look_again(
    state: &State,
    inputs: &Inputs,
    place: &Place,
    replies: &Replies<'_>,
    age: Duration,
) -> Option<Duration> {
    let left = Duration::from_millis(VISIBILITY_MS).checked_sub(age).filter(|left| !left.is_zero())?;
    // A read by identifier of what is recorded: without its answer, what was asked for would be taken for what is.
    let unknown = replies.errors().any(|error| error.class == ErrorClass::NotFound);
    let mut seen = state.clone();
    let moves = move_addresses(&mut seen, &inputs.variables, inputs.mode);
    // An object we started creating but cannot see may not exist. Apply retries the call; destroy must first find out.
    let unseen = !refresh::adopt_untagged(&mut seen, replies, place) && inputs.mode == Mode::Destroy;
    let refreshed = refresh::refresh(&mut seen, replies, place, &moves);
    let strangers = guard::strangers(state, inputs, replies);
    // What another tool recorded need not be what it made, and a server that it stopped stays stopped.
    let is_claimed = |target: &Target| seen.get(target).is_some_and(|resource| resource.claimed);
    let is_settling = |(target, found): (&Target, &Found)| {
        let (kind, intent) = (target.address.kind, seen.private.intents.get(&target.address));
        found.phase == Phase::Settling && (is_claimed(target) || standing::is_ours(kind, &found.attributes, intent))
    };
    let settling = refreshed.observed.iter().any(is_settling) || unseen || unknown;
    let is_exact = |drift: &&Drift| drift.attribute.is_none() || is_claimed(&drift.target);
    let drifted = refreshed.drift.iter().any(|drift| is_exact(&drift));
    (settling || drifted || !strangers.is_empty()).then(|| pause(age, left))
}

/// The older the last change, the less likely that looking soon helps.
pub(super) fn pause(age: Duration, left: Duration) -> Duration {
    (age / 2).clamp(Duration::from_secs(1), Duration::from_secs(8)).min(left)
}
