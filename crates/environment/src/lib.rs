//! Takes variables out of the environment of this process, so that no child inherits them: not a `credential_process`, nor
//! whatever else a library starts.
//!
//! A crate of its own because its edition is: `std::env::remove_var` is an unsafe function from edition 2024 on, and the
//! workspace has no unsafe code. What it asks for is that no other thread reads or writes the environment meanwhile, outside
//! of `std::env`; the one caller is the first line of `main`, before there is another thread.

use std::ffi::OsString;

/// Removes the variables whose names `is_taken` says, and gives them back. To be called before any thread is started.
pub fn take(is_taken: impl Fn(&str) -> bool) -> Vec<(OsString, OsString)> {
    let taken: Vec<_> = std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(&is_taken)).collect();
    for (name, _) in &taken {
        std::env::remove_var(name);
    }
    taken
}
