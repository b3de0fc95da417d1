//! Any sequence of calls on the simulated account, against a model of what holds in it: no dangling reference, quotas
//! and address ranges respected, refused calls without effect, nothing that was deleted comes back, an account that was
//! saved and loaded goes on as if it had not been.
//!
//! A failure prints the shortest sequence found that shows it, one call a line.

mod rules;
mod script;
mod view;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use aloka_core::api::Operation;
use proptest::test_runner::{Config, TestCaseError, TestError, TestRunner};

use script::{Script, Stage, any_script};
use view::{LISTS, View, text};

/// Calls in the longest script, but for those it starts with.
const LENGTH: usize = 120;
/// Scripts in a run.
const SCRIPTS: u32 = 1550;

/// Identifiers of this form are never given out twice.
fn is_unique(id: &str) -> bool {
    id.rsplit_once('-').is_some_and(|(_, digits)| digits.len() == 17)
}

/// What was seen of a run, over all its scripts.
#[derive(Default)]
struct Tally {
    calls: Cell<u64>,
    done: RefCell<BTreeMap<&'static str, u32>>,
}

/// Of calls that must change nothing, how many are looked at: one in this many.
const LOOKED_AT: usize = 8;

fn carry_out(script: &Script, tally: &Tally) -> Result<(), String> {
    let mut stage = Stage::new(script);
    // What was found right last. Time alone changes things too.
    let mut checked = View::of(&mut stage)?;
    let mut gone: BTreeSet<String> = BTreeSet::new();
    let mut changes = 0;
    for (step, act) in script.acts.iter().enumerate() {
        stage.wait(act);
        let request = stage.request(act);
        let story = |problem: String| format!("after {request}: {problem}");
        let before = if step % LOOKED_AT == 0 { Some(View::of(&mut stage)?) } else { None };
        let reply = stage.send(&request);
        tally.calls.set(tally.calls.get() + 1);
        if let Ok(value) = &reply {
            *tally.done.borrow_mut().entry(act.operation.name()).or_default() += 1;
            stage.names.note(value);
        }
        if reply.is_err() || !act.operation.is_mutating() {
            if let Err(error) = &reply
                && (error.code.is_empty() || error.message.is_empty())
            {
                return Err(story(format!("an empty refusal: {error:?}")));
            }
            let Some(before) = before else { continue };
            if View::of(&mut stage).map_err(story)? != before {
                let answer = reply.as_ref().map_or_else(|error| error.code.as_str(), |_| "an answer");
                return Err(story(format!("{answer}, and yet something changed")));
            }
            if reply.is_err_and(|error| error.code == "DependencyViolation") {
                rules::has_reason(&before, &request).map_err(story)?;
            }
            continue;
        }
        let after = View::of(&mut stage).map_err(story)?;
        let objects = stage.account.objects(stage.now);
        rules::check(&after, &objects).map_err(story)?;
        for (_, list, ..) in LISTS {
            for (id, object) in after.all(list) {
                if gone.contains(id) {
                    return Err(story(format!("{id} came back")));
                }
                let was = checked.get(list, id).map(|object| text(object, "State"));
                let ended = matches!(was, Some("terminated" | "deleted"));
                if ended && was != Some(text(object, "State")) {
                    return Err(story(format!("{id} was {was:?} and is {}", text(object, "State"))));
                }
            }
            let lost = checked.all(list).map(|(id, _)| id).filter(|id| is_unique(id) && after.get(list, id).is_none());
            gone.extend(lost.map(str::to_owned));
        }
        changes += 1;
        if changes % 16 == 0 {
            after.agrees_by_id(&mut stage).map_err(story)?;
            let saved = serde_json::to_string(&stage.account).map_err(|error| error.to_string())?;
            stage.account = serde_json::from_str(&saved).map_err(|error| error.to_string())?;
            if View::of(&mut stage).map_err(story)? != after {
                return Err(story("saved and loaded, the account answers otherwise".to_owned()));
            }
        }
        checked = after;
    }
    Ok(())
}

#[test]
fn the_account_keeps_its_rules_whatever_is_called() {
    let tally = Tally::default();
    let config = Config { cases: SCRIPTS, source_file: Some(file!()), max_shrink_iters: 20_000, ..Config::default() };
    let mut runner = TestRunner::new(config);
    let result = runner.run(&any_script(LENGTH), |script| carry_out(&script, &tally).map_err(TestCaseError::fail));
    match result {
        Ok(()) => {}
        Err(TestError::Fail(reason, script)) => panic!("{reason}\n{script:?}"),
        Err(TestError::Abort(reason)) => panic!("{reason}"),
    }
    let calls = tally.calls.get();
    assert!(calls >= 100_000, "only {calls} calls");
    // What never succeeds proves nothing.
    let done = tally.done.borrow();
    let times = |operation: &Operation| done.get(operation.name()).copied().unwrap_or_default();
    let rare: Vec<_> = Operation::ALL.iter().filter(|operation| times(operation) < 10).collect();
    assert!(rare.is_empty(), "hardly ever successful in {calls} calls: {rare:?} {done:?}");
}
