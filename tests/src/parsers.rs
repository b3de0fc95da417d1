//! What must hold of every parser, whatever bytes it is given: it ends with a value or with an error that a person can
//! read, and a value it accepts can be written, read again, shown and carried out. Fuzzers and property tests share it.
//!
//! Each function panics if something does not hold, and judges nothing else.

use std::time::{Duration, UNIX_EPOCH};

use aloka::backend::{BackendError, LockInfo};
use aloka::commands::store::{Record, told};
use aloka::error::CommandError;
use aloka::planfile::PlanFile;
use aloka_core::plan::sensitive::Sensitive;
use aloka_core::remote::{LEASE_MAX, Silence, Verdict, WATCHED_MAX, Watch};
use aloka_core::render::ui_json::planned_changes;
use aloka_core::render::{
    Context, Options, calls_json, calls_text, outputs_json, outputs_text, plan_json, plan_text, state_json, state_list,
    state_text,
};
use aloka_core::state::{clear, file};
use aloka_core::time::Instant;
use aloka_core::variables::backend::{self, Given, Need};
use aloka_core::variables::configuration::beside;
use aloka_core::variables::{Needs, Severity, Source, evaluate};
use aloka_sim::rehearsal::replay::Recorded;

/// What the user is told. Control characters could move a terminal's cursor; hints and carets need their line ends.
#[track_caller]
fn readable(message: &str) {
    assert!(!message.trim().is_empty(), "an error says nothing");
    // As it is shown.
    let message = &CommandError::config(message).to_string();
    assert!(message.len() < 1 << 16, "a message of {} bytes", message.len());
    assert!(!message.chars().any(|c| c.is_control() && c != '\n'), "{message:?}");
    assert!(!message.contains("invariant violated"), "{message}");
}

/// A variables file in HCL or JSON, a variable of the environment, or one of the command line, as the first byte says.
pub fn tfvars(data: &[u8]) {
    let Some((form, rest)) = data.split_first() else { return };
    let text = String::from_utf8_lossy(rest).into_owned();
    let split = || {
        let (name, value) = text.split_once('=').unwrap_or(("tags", &text));
        (name.to_owned(), value.to_owned())
    };
    let source = match form % 4 {
        0 => Source::File { path: "terraform.tfvars".to_owned(), contents: text },
        1 => Source::File { path: "terraform.tfvars.json".to_owned(), contents: text },
        2 => {
            let (name, value) = split();
            Source::Environment { name: format!("TF_VAR_{name}"), value }
        }
        _ => {
            let (name, value) = split();
            Source::CommandLine { name, value }
        }
    };
    match evaluate(&[source], Needs { password: false }) {
        Ok(evaluated) => {
            let json = serde_json::to_string(&evaluated.variables).expect("variables are JSON");
            let again = Source::File { path: "x.json".to_owned(), contents: json };
            let again = evaluate(&[again], Needs { password: false }).expect("what is valid stays so");
            assert_eq!(again.variables, evaluated.variables);
        }
        Err(found) => {
            assert!(found.iter().any(|found| found.severity == Severity::Error), "refused without an error");
            found.iter().for_each(|found| readable(&found.to_string()));
        }
    }
}

/// A file of Terraform's configuration, in HCL or JSON as the first byte says: nothing in it stops a command, but a default
/// that is not valid, and what it says of the backend is taken or refused. The same bytes as a file of backend settings.
pub fn configuration(data: &[u8]) {
    let Some((form, rest)) = data.split_first() else { return };
    let contents = String::from_utf8_lossy(rest).into_owned();
    let path = if form % 2 == 0 { "main.tf" } else { "main.tf.json" }.to_owned();
    match evaluate(
        &[Source::Configuration { path: path.clone(), contents: contents.clone() }],
        Needs { password: false },
    ) {
        Ok(evaluated) => {
            evaluated.warnings.iter().for_each(|found| readable(&found.to_string()));
            assert!(evaluated.unused.is_empty(), "nothing is set but by defaults");
        }
        Err(found) => {
            assert!(found.iter().any(|found| found.severity == Severity::Error), "refused without an error");
            found.iter().for_each(|found| readable(&found.to_string()));
        }
    }
    let files = [(path.clone(), contents.clone())];
    beside(&files).iter().for_each(|line| readable(line));
    let settings = [Given::File { path: path.replace(".tf", ".tfbackend"), contents }];
    for given in [&[][..], &settings] {
        for need in [Need::Whole, Need::Kind] {
            match backend::read(&files, given, need) {
                Ok(configured) => readable(&told(&configured)),
                Err(found) => found.iter().for_each(|found| readable(&found.to_string())),
            }
        }
    }
}

/// A state file.
pub fn state(data: &[u8]) {
    let _found = clear::holds_password(data);
    match file::read_bytes(data) {
        Ok(state) => {
            let text = file::write(&state);
            let again = file::read(&text).expect("what was written can be read");
            assert_eq!(file::write(&again), text, "written, read and written again it differs");
            let _shown = (state_text(&state).ansi(), state_json(&state), state_list(&state));
            let outputs = state.all_outputs();
            let _shown = (outputs_text(&outputs).ansi(), outputs_json(&outputs), Sensitive::of(&state));
        }
        Err(error) => {
            readable(&error.to_string());
            error.way().into_iter().for_each(readable);
        }
    }
}

/// A saved plan.
pub fn plan(data: &[u8]) {
    match PlanFile::parse(data) {
        Ok(file) => {
            let text = serde_json::to_vec(&file).expect("a plan is JSON");
            assert_eq!(PlanFile::parse(&text).as_ref(), Ok(&file), "written and read again it differs");
            let plan = &file.plan;
            assert_eq!(*plan.masked().masked(), *plan.masked(), "masked twice it differs");
            let _shown = (plan_text(plan, Options::default()).ansi(), calls_text(plan).plain());
            let _shown = (plan_json(plan, Context::default()), calls_json(plan), planned_changes("", plan));
            let _judged = (plan.counts(), plan.data_loss(), plan.is_empty(), plan.stale(None));
        }
        Err(error) => readable(&error),
    }
}

/// Lock info, whatever the clocks say; and what `aloka init` leaves beside a state, which is JSON as well.
pub fn lock(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Some(info) = LockInfo::parse(&text) {
        assert_eq!(LockInfo::parse(&info.to_json()).as_ref(), Some(&info), "written and read again it differs");
        clocks(&info, &text);
    }
    match Record::parse(text.as_bytes()) {
        Ok(record) => {
            let again = serde_json::to_string(&record).expect("a record is JSON");
            let again = Record::parse(again.as_bytes()).expect("what was written can be read");
            assert_eq!(
                (&again.given, &again.backend),
                (&record.given, &record.backend),
                "written and read again it differs"
            );
            readable(&told(&record.backend));
        }
        Err(error) => readable(&error.message),
    }
}

/// At no time does a lock hold for ever, nor is it taken from somebody who gave a sign of life within its lease.
fn clocks(info: &LockInfo, text: &str) {
    let any = text.bytes().fold(7_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    // Today, the year 10000, and what no calendar has.
    for seconds in [0, 1, any >> 30, 1_795_384_093, 253_402_300_800, i64::MAX.unsigned_abs(), any] {
        let Some(now) = UNIX_EPOCH.checked_add(Duration::from_secs(seconds)) else { continue };
        match info.silence(now) {
            Silence::None => {}
            Silence::Just(lease) => assert!(lease <= LEASE_MAX && info.lease.is_some()),
            Silence::Watch(lease) => assert!(lease <= WATCHED_MAX && info.lease.is_some()),
            Silence::TooLong(lease) => assert!(lease > WATCHED_MAX && lease <= LEASE_MAX && info.lease.is_some()),
        }
    }
    let day = u64::try_from(LEASE_MAX.as_millis()).expect("a day");
    for first in [0, any, u64::MAX - day, u64::MAX] {
        let mut watch = Watch::default();
        let mut see = |at| watch.see(Instant(at), Instant(at), text, info.lease);
        assert_eq!(see(first), Verdict::Held, "a look is never enough");
        if let Some(later) = first.checked_add(day) {
            assert_eq!(see(later) == Verdict::Expired, info.lease.is_some());
        }
    }
    let locked = BackendError::Locked { place: "the state".to_owned(), info: Some(Box::new(info.clone())) };
    readable(&locked.to_string());
    readable(&locked.hint().expect("what to do"));
}

/// A trace of a rehearsal.
pub fn trace(data: &[u8]) {
    if let Err(error) = Recorded::parse(&String::from_utf8_lossy(data)) {
        readable(&error.to_string());
    }
}
