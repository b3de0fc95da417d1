//! Whole lives of stacks, small and large.

use aloka_core::secret::{DB_PASSWORD, Secret};
use aloka_core::variables::{Needs, Source, evaluate};

use aloka_core::time::Instant;

use super::*;

const PASSWORD: &str = "Canary-7f3k-Pa55w0rd";

fn inputs(tfvars: &str) -> Inputs {
    let sources = [
        Source::File { path: "terraform.tfvars".to_owned(), contents: tfvars.to_owned() },
        Source::CommandLine { name: DB_PASSWORD.to_owned(), value: PASSWORD.to_owned() },
    ];
    let variables = evaluate(&sources, Needs { password: true }).expect("valid variables").variables;
    let password = Password::New("argon2id$test".to_owned());
    Inputs { variables, user_data: None, mode: Mode::Apply, upgrade: false, password }
}

fn secrets() -> Secrets {
    let mut secrets = Secrets::default();
    secrets.insert(DB_PASSWORD, Secret::new(PASSWORD));
    secrets
}

fn options(seed: u64) -> RehearsalOptions {
    RehearsalOptions {
        seed,
        keep: false,
        durations: if seed == 0 { Durations::Median } else { Durations::Drawn },
        region: "us-east-1".to_owned(),
        lineage: "0b5e8f0e-6f5f-4e53-9d5c-3a3a5a1d0001".to_owned(),
    }
}

fn assert_good(rehearsal: &Rehearsal, what: &str) {
    let broken: Vec<_> = rehearsal.promises.iter().filter(|promise| !promise.held).collect();
    assert!(broken.is_empty(), "{what}: {broken:#?}");
    assert!(rehearsal.is_good(), "{what}: apply {:?}, destroy {:?}", rehearsal.apply, rehearsal.destroy);
}

#[test]
fn the_standard_stack_keeps_every_promise() {
    for seed in [0, 1, 2] {
        let rehearsal = rehearse(&inputs(""), &secrets(), &options(seed)).expect("a plan");
        assert_good(&rehearsal, &format!("seed {seed}"));
        let ids: Vec<_> = rehearsal.promises.iter().map(|promise| promise.id).collect();
        assert_eq!(ids, ["I1", "I2", "I3", "I5", "I6", "I9", "I10", "I11"]);
        assert!(rehearsal.spans.iter().all(|span| span.end.is_some_and(|end| end >= span.start)), "seed {seed}");
        assert_eq!(rehearsal.spans.len(), rehearsal.planned.plan.nodes.len(), "seed {seed}");
        let last =
            rehearsal.critical_path.last().and_then(|node| rehearsal.spans.iter().find(|span| span.node == *node));
        assert_eq!(last.and_then(|span| span.end), rehearsal.spans.iter().filter_map(|span| span.end).max());
        assert!(!rehearsal.outputs.is_empty());
        assert!(rehearsal.destroy.as_ref().is_some_and(|destroyed| !destroyed.calls.is_empty()));
    }
}

#[test]
fn a_stack_that_is_kept_stays() {
    let rehearsal = rehearse(&inputs(""), &secrets(), &RehearsalOptions { keep: true, ..options(0) }).expect("a plan");
    assert_good(&rehearsal, "kept");
    assert!(rehearsal.destroy.is_none());
    assert!(!rehearsal.account.is_empty(Instant(u64::MAX / 2)));
}

#[test]
fn what_is_too_large_to_be_checked_is_said_to_be() {
    for (count, isolation) in [(200, "had ended only"), (2000, "not checked")] {
        let subnets = "public_subnet_cidrs = [\"10.0.64.0/18\", \"10.0.128.0/18\"]";
        let inputs = inputs(&format!("{subnets}\napp_instance_count = {count}"));
        let rehearsal = rehearse(&inputs, &secrets(), &options(0)).expect("a plan");
        assert_good(&rehearsal, &format!("{count} instances"));
        assert!(rehearsal.trace.entries().is_empty());
        let detail = |id: &str| rehearsal.promises.iter().find(|promise| promise.id == id).map(|p| p.detail.clone());
        assert!(detail("I2").is_some_and(|detail| detail.contains(isolation)), "{count}: {:?}", detail("I2"));
        assert!(detail("I10").is_some_and(|detail| detail.contains("not checked")), "{count}");
    }
}
