//! Forecasts against rehearsals, which plan anew and keep, audit and trace everything.

use super::super::rehearse;
use super::super::tests::{inputs, options, secrets};
use super::*;

fn forecast(tfvars: &str) -> Forecast {
    Forecast::prepare(&inputs(tfvars), &secrets(), &options(3)).expect("plans")
}

#[test]
fn a_run_takes_as_long_as_the_rehearsal_of_its_seed() {
    for tfvars in ["", "app_instance_count = 2\nsingle_nat_gateway = false\n"] {
        let forecast = forecast(tfvars);
        for seed in 1..=8 {
            let sample = forecast.run(&secrets(), seed);
            let options = RehearsalOptions { durations: Durations::Drawn, ..options(seed) };
            let rehearsal = rehearse(&inputs(tfvars), &secrets(), &options).expect("a plan");
            let destroyed = rehearsal.destroy.as_ref().expect("destroyed");
            let ms = |duration: std::time::Duration| u64::try_from(duration.as_millis()).expect("small");
            assert_eq!(sample.apply.failure, None);
            assert_eq!(sample.apply.total_ms, ms(rehearsal.apply_time), "seed {seed}: apply");
            assert_eq!(sample.destroy.total_ms, ms(destroyed.time), "seed {seed}: destroy");
            let start = rehearsal.spans.iter().map(|span| span.start).min().expect("spans");
            for (index, span) in rehearsal.spans.iter().enumerate() {
                let (begin, end) = sample.apply.spans[index];
                assert_eq!(u64::from(begin), ms(span.start - start), "seed {seed}: {}", span.target);
                assert_eq!(u64::from(end), ms(span.end.expect("an end") - start), "seed {seed}: {}", span.target);
                assert_eq!(sample.apply.critical.contains(&index), span.critical, "seed {seed}: {}", span.target);
            }
            // The same as the spans of the same run with its waits, whose critical path is found from them.
            let again = forecast.spans(Half::Apply, &secrets(), seed);
            let waits = |spans: &[Span]| spans.iter().map(|span| span.waits.len()).collect::<Vec<_>>();
            assert_eq!(waits(&again), waits(&rehearsal.spans));
        }
    }
}

#[test]
fn runs_do_not_depend_on_each_other_and_are_told_apart() {
    let forecast = forecast("");
    let run = |seed| forecast.run(&secrets(), seed);
    let forwards: Vec<_> = (0..50).map(run).collect();
    let mut backwards: Vec<_> = (0..50).rev().map(run).collect();
    backwards.reverse();
    assert_eq!(forwards, backwards);
    let totals: std::collections::BTreeSet<_> = forwards.iter().map(|sample| sample.apply.total_ms).collect();
    assert!(totals.len() > 40, "{totals:?}");
}

#[test]
fn the_database_decides_and_the_summary_says_so() {
    let forecast = forecast("");
    let samples: Vec<_> = (0..400).map(|seed| forecast.run(&secrets(), seed)).collect();
    let summary = forecast.summary(Half::Apply, &samples).expect("samples");
    assert_eq!(summary.runs, 400);
    let database = summary.resources.iter().find(|r| r.target.address.kind == Kind::DbInstance).expect("a database");
    assert_eq!(database.critical, 400, "nothing takes as long");
    // From the table of durations, for one that keeps no backups: 196 to 296 seconds, 245 as often as not.
    let own = database.own;
    assert!((196_000..206_000).contains(&own.min_ms), "{own:?}");
    assert!((236_000..=262_000).contains(&own.median_ms), "{own:?}");
    assert!((275_000..305_000).contains(&own.p90_ms), "{own:?}");
    assert!((285_000..310_000).contains(&own.max_ms) && own.p99_ms <= own.max_ms, "{own:?}");
    let median = samples.iter().find(|sample| sample.seed == summary.median_seed).expect("one of them");
    assert_eq!(median.apply.total_ms, summary.total.median_ms);
    let last = summary.critical_path.last().and_then(|node| summary.resources.get(*node)).expect("a path");
    assert_eq!(last.target, database.target);
    let databases = forecast.stretch(&samples, &[Kind::DbInstance]).expect("samples");
    assert_eq!(databases, own);
    assert_eq!(forecast.stretch(&samples, &[]), None);
    assert_eq!(forecast.summary(Half::Destroy, &[]), None);
}
