//! A store that fails from its k-th write on, for every k: nothing more is changed after it failed, and once it is
//! healed a plain re-run, from what the store holds and nothing else, reaches the world of an undisturbed run.

use aloka_core::api::{Ec2, Operation};
use aloka_core::engine::Outcome;
use aloka_core::plan::Mode;
use aloka_core::variables::Variables;
use aloka_sim::aws::Durations;
use aloka_sim::fault::{Fault, FaultPlan, When};
use aloka_sim::trace::TraceKind;
use aloka_sim::world::{RunEnd, Unwatched};
use aloka_tests::{Bench, picture, variables};

/// Calls that change something and were sent after the store said no.
fn sent_after_failure(bench: &Bench, from: usize) -> Vec<String> {
    let entries = bench.world.trace.entries().get(from..).unwrap_or_default();
    let failed = |what: &str| what.contains("not persisted");
    let after = entries.iter().skip_while(|entry| !(entry.kind == TraceKind::Event && failed(&entry.what)));
    let sent = after.filter(|entry| entry.kind == TraceKind::Send);
    sent.filter(|entry| entry.operation.is_some_and(|operation| operation.is_mutating()))
        .map(|e| e.what.clone())
        .collect()
}

/// Every k of one command; `start` is the world it begins in. Gives the number of writes of an undisturbed run.
fn sweep(start: &Bench, variables: &Variables, mode: Mode) -> u64 {
    let mut calm = start.clone();
    calm.apply(variables, mode);
    let wanted = picture(&calm.world);
    let (first, last) = (start.store.writes(), calm.store.writes());
    for nth in first + 1..=last {
        let story = format!("{mode:?}, the store fails from write {nth} on");
        let mut bench = start.clone();
        bench.world = bench.world.traced();
        bench.store.fail_from(Some(nth));
        let planned = bench.plan(variables, mode).unwrap_or_else(|problems| panic!("{story}: {problems:?}"));
        let from = bench.world.trace.entries().len();
        let end = bench.run(&planned, &mut Unwatched);
        assert!(matches!(end, RunEnd::Outcome(Outcome::StoreFailed { .. })), "{story}: {end:?}");
        assert_eq!(sent_after_failure(&bench, from), [""; 0], "{story}");
        let orphans = picture(&bench.world).keys().filter(|(_, address)| address.is_empty()).count();
        assert_eq!(orphans, picture(&start.world).keys().filter(|(_, address)| address.is_empty()).count(), "{story}");
        bench.store.fail_from(None);
        bench.apply(variables, mode);
        assert_eq!(picture(&bench.world), wanted, "{story}");
        let again = bench.plan(variables, mode).unwrap_or_else(|problems| panic!("{story}: {problems:?}"));
        assert!(again.plan.is_empty(), "{story}");
        assert!(bench.state().private.intents.is_empty(), "{story}");
    }
    last - first
}

#[test]
fn an_apply_converges_from_whichever_write_on_its_store_fails() {
    let writes = sweep(&Bench::new(31, Durations::Median), &variables(""), Mode::Apply);
    println!("{writes} writes");
    assert!(writes > 15, "{writes}");
}

#[test]
fn a_destroy_converges_from_whichever_write_on_its_store_fails() {
    let variables = variables("");
    let mut start = Bench::new(32, Durations::Median);
    start.apply(&variables, Mode::Apply);
    let writes = sweep(&start, &variables, Mode::Destroy);
    println!("{writes} writes");
    assert!(writes > 10, "{writes}");
}

#[test]
fn a_change_converges_from_whichever_write_on_its_store_fails() {
    let mut start = Bench::new(33, Durations::Median);
    start.apply(&variables(""), Mode::Apply);
    let changed = variables("app_instance_count = 2\napp_ingress = [{ port = 8443 }]\nenable_nat_gateway = false\n");
    let writes = sweep(&start, &changed, Mode::Apply);
    println!("{writes} writes");
    assert!(writes > 5, "{writes}");
}

/// Each of the later sendings is preceded by a write, as the one before is long ago: that is not a slow store.
#[test]
fn a_creation_that_is_throttled_for_minutes_is_made() {
    let mut bench = Bench::new(35, Durations::Median);
    let planned = bench.plan(&variables(""), Mode::Apply).expect("a plan");
    let throttled = |nth| (When::Call { operation: Some(Operation::Ec2(Ec2::CreateVpc)), nth }, Fault::Throttled);
    bench.world.faults = FaultPlan((1..=15).map(throttled).collect());
    assert_eq!(bench.run(&planned, &mut Unwatched), RunEnd::Outcome(Outcome::Done));
    assert_eq!(bench.world.calls().get(&Operation::Ec2(Ec2::CreateVpc)), Some(&16));
}

/// A creation that AWS would carry out twice goes out shortly after a write only; where no write is short, it never does.
#[test]
fn a_store_that_is_too_slow_is_told_and_makes_nothing_twice() {
    for (seconds, is_done) in [(4, true), (9, true), (12, false), (120, false)] {
        let mut bench = Bench::new(34, Durations::Median);
        bench.world.latency.persist_ms = seconds * 1000;
        let planned = bench.plan(&variables(""), Mode::Apply).expect("a plan");
        let end = bench.run(&planned, &mut Unwatched);
        if is_done {
            assert_eq!(end, RunEnd::Outcome(Outcome::Done), "{seconds} s a write");
            continue;
        }
        let RunEnd::Outcome(Outcome::Failed { failures, .. }) = end else { panic!("{seconds} s a write: {end:?}") };
        let told: Vec<String> = failures.iter().map(|failure| failure.cause.to_string()).collect();
        assert!(
            told.iter().all(|text| text.ends_with("not sent, as writing the state takes longer than 10s")),
            "{told:?}"
        );
        bench.world.latency.persist_ms = 20;
        bench.apply(&variables(""), Mode::Apply);
        let mut calm = Bench::new(34, Durations::Median);
        calm.apply(&variables(""), Mode::Apply);
        assert_eq!(picture(&bench.world), picture(&calm.world), "{seconds} s a write");
    }
}
