//! Keeps what the process has in memory out of files and terminals: no core dumps, no panic message that quotes a value.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::panic::{Location, PanicHookInfo};

use aloka_core::render::Text;
use rustix::process::{Resource, Rlimit, setrlimit};

use crate::io::Io;

/// Takes effect for the whole process, and for those it starts.
pub fn install() {
    // Where the system does not let us, nothing is lost but a precaution.
    let _limited = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    // Also keeps other processes of the same user from reading this one's memory and environment.
    #[cfg(target_os = "linux")]
    let _hidden = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
    std::panic::set_hook(Box::new(|info: &PanicHookInfo<'_>| {
        Io::process().err_text(&Text::ours(&report(info.location(), &Backtrace::capture())));
    }));
}

/// Where it happened, and not what the panic says: that may be any value.
fn report(location: Option<&Location<'_>>, backtrace: &Backtrace) -> String {
    let place = location.map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
    let mut text = format!("error: invariant violated: aloka ended at {place}\n");
    if backtrace.status() == BacktraceStatus::Captured {
        text.push_str(&format!("{backtrace}"));
    }
    text.push_str("hint: this is a bug in aloka: please report it; what was done is recorded, and a re-run goes on\n");
    text
}
