//! What the user has agreed to on the command line, beyond what the variables say.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::shell::quote;

/// The word of `-allow-cutting-off` for what could not be looked for.
pub const UNKNOWN: &str = "unknown";

/// Flags that let a plan do what is refused without them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Consent {
    /// `-allow-replace=ADDRESS`: objects that nothing claims and that may be replaced all the same.
    pub replace: BTreeSet<String>,
    /// `-allow-cutting-off=ID`: objects of others that may lose what they use of the stack, or [`UNKNOWN`].
    pub cutting_off: BTreeSet<String>,
    /// `-exclude=ADDRESS`: objects that a destroy keeps, with all they need.
    pub exclude: BTreeSet<String>,
    /// `-beside`: build a new stack beside one that the state records elsewhere.
    pub beside: bool,
}

impl Consent {
    /// The flags, as they are given to a shell.
    pub fn flags(&self) -> Vec<String> {
        let Self { replace, cutting_off, exclude, beside } = self;
        let quoted = |flag: &str, value: &String| quote(&format!("{flag}={value}")).into_owned();
        let replace = replace.iter().map(|address| quoted("-allow-replace", address));
        let cutting_off = cutting_off.iter().map(|id| quoted("-allow-cutting-off", id));
        let exclude = exclude.iter().map(|address| quoted("-exclude", address));
        let beside = beside.then(|| "-beside".to_owned());
        replace.chain(cutting_off).chain(exclude).chain(beside).collect()
    }
}
