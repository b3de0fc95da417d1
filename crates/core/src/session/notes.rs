//! What a plan has to say beforehand: which boot script is sent, and what the first plan of a release, or of a state that
//! somebody else wrote, has to explain.

use super::Inputs;
use crate::boot::BootScript;
use crate::identity::{LINEAGE_TAG, OLD_TAGS};
use crate::plan::Mode;
use crate::plan::build::Observed;
use crate::state::State;

/// Notes that follow from what is there before anything is planned.
pub(super) fn before(recorded: &State, inputs: &Inputs, observed: &Observed) -> Vec<String> {
    let mut notes = Vec::new();
    let boot = BootScript::of(&inputs.variables, inputs.user_data.as_deref()).filter(|_| inputs.mode == Mode::Apply);
    notes.extend(boot.map(|boot| format!("new servers boot with {boot}")));
    let (old, _) = OLD_TAGS[0];
    let has_old = |tags: &crate::value::Value| tags.get(old).as_str() == Some(&*recorded.lineage);
    let renamed = observed.values().filter(|found| found.attributes.get("tags").is_some_and(has_old)).count();
    if inputs.mode == Mode::Apply && renamed > 0 {
        notes.push(format!(
            "this release names its tags {LINEAGE_TAG} and so on, without the colon that some scanners cannot read: the tags of \
             {renamed} objects are renamed in place"
        ));
    }
    notes
}
