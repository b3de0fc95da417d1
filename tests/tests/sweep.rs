//! I4: whatever goes wrong at whichever effect, a plain re-run reaches the world of an undisturbed run.

use aloka_tests::sweep::{CASES, Finding, Setting, in_parallel};

/// Of all schedules, every such one is played here; `just sweep` plays them all.
const STRIDE: usize = 11;

#[test]
fn killed_anywhere_it_converges() {
    let settings = settings();
    let all: Vec<_> = settings.iter().flat_map(|setting| setting.schedules().into_iter().map(move |s| (setting, s))).collect();
    let some: Vec<_> = all.into_iter().step_by(STRIDE).collect();
    let findings: Vec<Finding> =
        in_parallel(&some, |(setting, schedule)| Some(setting.play(schedule, None).err())).into_iter().flatten().collect();
    let told: Vec<String> = findings.iter().take(20).map(ToString::to_string).collect();
    assert!(findings.is_empty(), "{} of {} schedules:\n{}", findings.len(), some.len(), told.join("\n"));
}

fn settings() -> Vec<Setting> {
    let wanted: Vec<_> = CASES.iter().flat_map(|case| [(case, false), (case, true)]).collect();
    let made = in_parallel(&wanted, |(case, late)| Some(Setting::new(case, *late)));
    let (good, bad): (Vec<_>, Vec<_>) = made.into_iter().partition(Result::is_ok);
    let bad: Vec<String> = bad.into_iter().filter_map(|finding| Some(finding.err()?.to_string())).collect();
    assert!(bad.is_empty(), "{}", bad.join("\n"));
    good.into_iter().filter_map(Result::ok).collect()
}
