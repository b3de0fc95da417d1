//! I4: whatever goes wrong at whichever effect, a plain re-run reaches the world of an undisturbed run; and a sweep
//! would notice if it did not.

use std::sync::LazyLock;

use aloka_tests::sweep::{Setting, catch, play_all, settings};

/// Of all schedules, every such one is played here; `just sweep` plays them all.
const STRIDE: usize = 17;

static SETTINGS: LazyLock<Vec<Setting>> = LazyLock::new(|| match settings() {
    Ok(settings) => settings,
    Err(findings) => panic!("{}", findings.iter().map(|finding| format!("{finding}\n")).collect::<String>()),
});

#[test]
fn killed_anywhere_it_converges() {
    let report = play_all(&SETTINGS, STRIDE);
    println!("{report}");
    assert!(report.findings.is_empty(), "{report}");
    assert!(report.schedules > 1000 && report.adopted > 100, "{report}");
}

#[test]
fn every_planted_bug_is_caught() {
    for caught in catch(&SETTINGS) {
        assert!(caught.finding.is_some(), "{caught}");
        println!("{caught}");
    }
}
