//! Whole lives of stacks, small and large.

use aloka_core::plan::Password;
use aloka_core::secret::{DB_PASSWORD, Secret};
use aloka_core::variables::{Needs, Source, evaluate};

use aloka_core::time::Instant;

use super::*;

const PASSWORD: &str = "Canary-7f3k-Pa55w0rd";

pub(super) fn inputs(tfvars: &str) -> Inputs {
    let sources = [
        Source::File { path: "terraform.tfvars".to_owned(), contents: tfvars.to_owned() },
        Source::CommandLine { name: DB_PASSWORD.to_owned(), value: PASSWORD.to_owned() },
    ];
    let variables = evaluate(&sources, Needs { password: true }).expect("valid variables").variables;
    let password = Password::New("argon2id$test".to_owned());
    Inputs::new(variables, Mode::Apply, password)
}

pub(super) fn secrets() -> Secrets {
    let mut secrets = Secrets::default();
    secrets.insert(DB_PASSWORD, Secret::new(PASSWORD));
    secrets
}

pub(super) fn options(seed: u64) -> RehearsalOptions {
    RehearsalOptions {
        seed,
        keep: false,
        durations: if seed == 0 { Durations::Median } else { Durations::Drawn },
        region: "us-east-1".to_owned(),
        lineage: "0b5e8f0e-6f5f-4e53-9d5c-3a3a5a1d0001".to_owned(),
        faults: FaultPlan::none(),
        long_trace: false,
    }
}

fn assert_good(rehearsal: &Rehearsal, what: &str) {
    let broken: Vec<_> = rehearsal.promises.iter().filter(|promise| !promise.held).collect();
    assert!(broken.is_empty(), "{what}: {broken:#?}");
    assert!(rehearsal.is_good(), "{what}: {:?}, missed {:?}", rehearsal.runs, rehearsal.missed);
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
        let critical = rehearsal.spans.iter().filter(|span| span.critical);
        let last = rehearsal.spans.iter().filter_map(|span| span.end).max();
        assert_eq!(critical.filter_map(|span| span.end).max(), last);
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

fn with_faults(faults: &str) -> Rehearsal {
    let faults = faults.parse().unwrap_or_else(|error| panic!("{faults}: {error}"));
    rehearse(&inputs(""), &secrets(), &RehearsalOptions { faults, ..options(6) }).expect("a plan")
}

#[test]
fn whatever_goes_wrong_plain_runs_put_it_right() {
    for (faults, applies, destroys) in [
        ("CreateNatGateway=lost-reply", 1, 1),
        ("RunInstances=throttled,CreateVpc=server-error-acted,CreateSubnet#3=server-error", 1, 1),
        ("AssociateRouteTable=not-found", 1, 1),
        ("CreateDBInstance=crash-after", 2, 1),
        ("CreateDBInstance=crash-before,CreateDBInstance#2=crash-before", 3, 1),
        ("call#1=crash-after,call#30=crash-after,call#60=crash-before", 4, 1),
        ("write#1=store-failed,write#3=store-failed", 3, 1),
        ("CreateSecurityGroup=expired-credentials", 2, 1),
        ("GetCallerIdentity=refused:UnauthorizedOperation", 2, 1),
        ("CreateSubnet=refused:SubnetLimitExceeded", 2, 1),
        ("CreateNatGateway=stop", 2, 1),
        ("CreateDBInstance=abandon", 2, 1),
        ("DeleteVpc=crash-before", 1, 2),
        ("DeleteDBInstance=lost-reply,DeleteNatGateway=crash-after", 1, 2),
        ("CreateNatGateway=failed:InsufficientFreeAddressesInSubnet", 2, 1),
        ("RunInstances=failed:Server.InsufficientInstanceCapacity", 2, 1),
        ("CreateDBInstance=failed:incompatible-network", 2, 1),
    ] {
        let rehearsal = with_faults(faults);
        assert_good(&rehearsal, faults);
        assert_eq!(rehearsal.missed, [], "{faults}");
        let count = |mode| rehearsal.runs.iter().filter(|run| run.mode == mode).count();
        assert_eq!((count(Mode::Apply), count(Mode::Destroy)), (applies, destroys), "{faults}: {:#?}", rehearsal.runs);
        let struck: Vec<_> = rehearsal.runs.iter().flat_map(|run| &run.struck).collect();
        assert_eq!(struck.len(), faults.split(',').count(), "{faults}: {struck:?}");
        assert!(rehearsal.promises.iter().any(|promise| promise.id == "I4"), "{faults}");
        let has_loss = rehearsal.runs.iter().any(|run| run.mode == Mode::Apply && !run.data_loss.is_empty());
        assert_eq!(has_loss, faults.contains("CreateDBInstance=failed"), "{faults}");
    }
}

#[test]
fn a_fault_that_lasts_is_not_got_over() {
    let every = (1..=40).map(|nth| format!("CreateVpc#{nth}=refused:VpcLimitExceeded")).collect::<Vec<_>>().join(",");
    let rehearsal = with_faults(&every);
    assert!(!rehearsal.is_good());
    assert_eq!(rehearsal.runs.iter().filter(|run| run.mode == Mode::Apply).count(), 1 + RERUNS_MAX);
    let broken: Vec<_> = rehearsal.promises.iter().filter(|promise| !promise.held).map(|promise| promise.id).collect();
    assert!(broken.contains(&"I4") && broken.contains(&"I11"), "{broken:?}");
}

#[test]
fn a_fault_that_cannot_strike_is_told() {
    let rehearsal = with_faults("CreateVpc#2=lost-reply,effect#100000=stop,write#5000=stop,effect#0=store-failed");
    assert!(!rehearsal.is_good());
    let missed: Vec<_> = rehearsal.missed.iter().map(|missed| missed.why.as_str()).collect();
    assert_eq!(missed[0], "CreateVpc was called once");
    assert!(missed[1].starts_with("the last effect has the number "), "{missed:?}");
    assert!(missed[2].starts_with("the state was written "), "{missed:?}");
    assert_eq!(missed[3], "effect 0 is a call");
}
