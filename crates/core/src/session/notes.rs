//! What a plan has to say beforehand: which boot script is sent, and what the first plan of a release, or of a state that
//! somebody else wrote, has to explain.

use super::Inputs;
use crate::boot::{self, BootScript};
use crate::identity::{LINEAGE_TAG, OLD_TAGS};
use crate::kind::Kind;
use crate::plan::Mode;
use crate::plan::build::Observed;
use crate::stack::Stack;
use crate::state::State;

const USER_DATA: &str = "user_data";

/// Keeps servers that booted with the script as it is, but for its line endings: that is no reason to replace one.
pub(super) fn keep_other_endings(stack: &mut Stack, state: &State, inputs: &Inputs) -> Option<String> {
    let text = inputs.user_data.as_deref()?;
    let mut kept = Vec::new();
    for (address, declared) in stack.resources.iter_mut().filter(|(address, _)| address.kind == Kind::Instance) {
        let recorded = state.resources.get(address).and_then(|resource| resource.attributes.get(USER_DATA)?.as_str());
        if recorded.is_some_and(|recorded| boot::differs_in_endings(text, recorded)) {
            declared.create_only.push(USER_DATA);
            kept.push(address.to_string());
        }
    }
    let path = inputs.variables.app_user_data.as_deref().unwrap_or_default().escape_debug();
    let booted = kept.join(", ");
    (!kept.is_empty()).then(|| {
        format!(
            "{booted} booted with the script in {path}, with other line endings: that alone is no reason to replace it"
        )
    })
}

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
