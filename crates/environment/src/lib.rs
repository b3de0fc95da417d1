//! Changes the environment of this process: takes variables out of it, so that no child inherits them, not a
//! `credential_process`, nor whatever else a library starts; and puts values right that libraries take at their word.
//!
//! A crate of its own because its edition is: `std::env::remove_var` is an unsafe function from edition 2024 on, and the
//! workspace has no unsafe code. What it asks for is that no other thread reads or writes the environment meanwhile, outside
//! of `std::env`; the callers are the first lines of `main`, before there is another thread.

use std::ffi::OsString;

/// Removes the variables whose names `is_taken` says, and gives them back. To be called before any thread is started.
pub fn take(is_taken: impl Fn(&str) -> bool) -> Vec<(OsString, OsString)> {
    let taken: Vec<_> = std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(&is_taken)).collect();
    for (name, _) in &taken {
        std::env::remove_var(name);
    }
    taken
}

/// Cuts white space off both ends of the values of the variables whose names `is_meant` says, and removes those of which
/// nothing is left. To be called before any thread is started.
pub fn tidy(is_meant: impl Fn(&str) -> bool) {
    for (name, value) in std::env::vars_os() {
        let (Some(key), Some(text)) = (name.to_str(), value.to_str()) else { continue };
        if !is_meant(key) {
            continue;
        }
        match text.trim() {
            "" => std::env::remove_var(&name),
            trimmed if trimmed.len() == text.len() => {}
            trimmed => std::env::set_var(&name, trimmed),
        }
    }
}
