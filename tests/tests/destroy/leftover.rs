//! What the sweep finds that is not recorded: it is told, and left alone.

use aloka_core::address::Address;
use aloka_core::api::{Call, Ec2, Operation, Request};
use aloka_core::engine::{Cause, Outcome};
use aloka_core::kind::Kind;
use aloka_core::plan::{Mode, Verb};
use aloka_core::value::Value;
use aloka_core::variables::Variables;
use aloka_sim::aws::Durations;
use aloka_sim::store::Store as _;
use aloka_sim::world::RunEnd;
use aloka_tests::{Bench, LINEAGE, secrets, variables};

use crate::bench::{Destroyed, destroy, finishes};

/// Something made behind our back.
fn make(bench: &mut Bench, operation: Operation, args: &[(&'static str, Value)]) -> Value {
    let call = Call::new(operation, args.iter().cloned());
    let now = bench.world.now();
    bench.world.account.call(now, &Request(call), &secrets()).unwrap_or_else(|error| panic!("{operation}: {error}"))
}

fn tags(lineage: &str, address: &str) -> (&'static str, Value) {
    ("Tags", Value::map([("aloka-lineage", lineage), ("aloka-address", address), ("aloka-generation", "9")]))
}

fn standing() -> (Bench, Variables) {
    let variables = variables("");
    let mut bench = Bench::new(51, Durations::Median);
    bench.apply(&variables, Mode::Apply);
    (bench, variables)
}

fn text(reply: &Value, path: &str) -> String {
    reply.at(path).and_then(Value::as_str).expect(path).to_owned()
}

/// Kind, identifier and address of what was told.
fn told(destroyed: &Destroyed) -> Vec<(&'static str, String, Option<String>)> {
    let swept = destroyed.swept.as_ref().expect("a sweep");
    assert_eq!(swept.unread, []);
    swept.left.iter().map(|left| (left.kind, left.id.clone(), left.address.clone())).collect()
}

#[test]
fn what_is_ours_and_not_recorded_is_told_and_left_alone() {
    let (mut bench, variables) = standing();
    let block = ("CidrBlock", Value::str("10.9.0.0/16"));
    let domain = ("Domain", Value::str("vpc"));
    let ours =
        make(&mut bench, Operation::Ec2(Ec2::CreateVpc), &[block.clone(), tags(LINEAGE, "module.vpc.aws_vpc.this/0")]);
    let vpc = text(&ours, "Vpc.VpcId");
    let address = make(
        &mut bench,
        Operation::Ec2(Ec2::AllocateAddress),
        &[domain.clone(), tags(LINEAGE, "module.vpc.aws_eip.nat/0")],
    );
    let address = text(&address, "AllocationId");
    // Of another stack, and of nobody.
    make(&mut bench, Operation::Ec2(Ec2::CreateVpc), &[block, tags("another", "module.vpc.aws_vpc.this/0")]);
    make(&mut bench, Operation::Ec2(Ec2::AllocateAddress), &[domain, ("Tags", Value::map([("Name", "mine")]))]);

    let destroyed = destroy(&mut bench, &variables);
    assert_eq!(destroyed.end, RunEnd::Outcome(Outcome::Done));
    let expected = [
        ("aws_vpc", vpc.clone(), Some("module.vpc.aws_vpc.this[0]".to_owned())),
        ("aws_eip", address.clone(), Some("module.vpc.aws_eip.nat[0]".to_owned())),
    ];
    assert_eq!(told(&destroyed), expected);
    let left: Vec<_> = bench.world.account.objects(bench.world.now()).into_iter().map(|object| object.id).collect();
    assert_eq!(left.len(), 4, "{left:?}");
    assert!(left.contains(&vpc) && left.contains(&address), "{left:?}");

    // The next destroy has nothing to do, and looks all the same; once they are gone it is content.
    let again = destroy(&mut bench, &variables);
    assert_eq!(told(&again), expected);
    make(&mut bench, Operation::Ec2(Ec2::DeleteVpc), &[("VpcId", vpc.into())]);
    make(&mut bench, Operation::Ec2(Ec2::ReleaseAddress), &[("AllocationId", address.into())]);
    assert_eq!(told(&destroy(&mut bench, &variables)), []);
}

/// An object that nobody recorded may keep a recorded one from being deleted: both are told, each for what it is.
#[test]
fn what_is_in_the_way_is_told_although_the_run_fails() {
    let (mut bench, variables) = standing();
    let vpc = bench.state().attribute(&"module.vpc.aws_vpc.this[0]".parse().expect("an address"), "id").cloned();
    let args = [
        ("GroupName", Value::str("extra")),
        ("Description", Value::str("extra")),
        ("VpcId", vpc.expect("recorded")),
        tags(LINEAGE, "aws_security_group.extra"),
    ];
    let group = text(&make(&mut bench, Operation::Ec2(Ec2::CreateSecurityGroup), &args), "GroupId");
    let destroyed = destroy(&mut bench, &variables);
    let RunEnd::Outcome(Outcome::Failed { failures, skipped }) = &destroyed.end else { panic!("{:?}", destroyed.end) };
    assert_eq!(failures.len(), 1, "{failures:?}");
    assert!(matches!(&failures[0].cause, Cause::Held { by, .. } if by[0].starts_with(&group)), "{failures:?}");
    assert!(skipped.is_empty(), "the sweep ran: {skipped:?}");
    let expected = [("aws_security_group", group.clone(), Some("aws_security_group.extra".to_owned()))];
    assert_eq!(told(&destroyed), expected);
    make(&mut bench, Operation::Ec2(Ec2::DeleteSecurityGroup), &[("GroupId", group.into())]);
    finishes(&mut bench, &variables).expect("nothing is in the way any more");
}

/// A database of ours under another name, a subnet group under the name that the variables give.
#[test]
fn databases_are_found_by_their_tags() {
    let (mut bench, variables) = standing();
    let mut other = Bench::new(51, Durations::Median);
    other.apply(&variables, Mode::Apply);
    // The account of the standing stack, and a state that records what a destroy only forgets.
    finishes(&mut other, &variables).expect("destroyed");
    other.world.account = bench.world.account.clone();
    let mut state = other.state();
    state.serial += 1;
    let forgotten = |(address, _): &(&Address, &_)| address.kind == Kind::DefaultSecurityGroup;
    let standing = bench.state();
    state.resources.extend(standing.resources.iter().filter(forgotten).map(|(a, r)| (a.clone(), r.clone())));
    other.store.write(&state.into()).expect("written");
    let told = told(&destroy(&mut other, &variables));
    let kinds: Vec<&str> = told.iter().map(|(kind, ..)| *kind).collect();
    for kind in ["aws_db_instance", "aws_db_subnet_group", "aws_instance", "aws_ebs_volume", "aws_nat_gateway"] {
        assert!(kinds.contains(&kind), "{kind}: {told:?}");
    }
    assert!(told.contains(&(
        "aws_db_instance",
        "aloka-dev-db".to_owned(),
        Some("aws_db_instance.postgres".to_owned())
    )));
    assert!(told.iter().all(|(_, id, _)| !id.is_empty()), "{told:?}");
    assert_eq!(other.world.account.objects(other.world.now()), bench.world.account.objects(other.world.now()));
    bench.world.rest(other.world.now() - bench.world.now());
    finishes(&mut bench, &variables).expect("destroyed");
}

/// The sweep is in the plan, after everything else, and a plan of nothing else changes nothing.
#[test]
fn the_sweep_is_planned() {
    let (mut bench, variables) = standing();
    let planned = bench.plan(&variables, Mode::Destroy).expect("a plan");
    let nodes = &planned.plan.nodes;
    let reads: Vec<usize> = (0..nodes.len()).filter(|index| nodes[*index].verb == Verb::Read).collect();
    assert_eq!(reads.len(), 12);
    let first = reads[0];
    assert!(reads.iter().copied().eq(first..nodes.len()), "they come last");
    assert!(!planned.plan.is_empty());
    finishes(&mut bench, &variables).expect("destroyed");
    let planned = bench.plan(&variables, Mode::Destroy).expect("a plan");
    assert!(planned.plan.is_empty() && planned.plan.nodes.len() == 12);
    // What was never written has left nothing.
    let planned = Bench::new(1, Durations::Median).plan(&variables, Mode::Destroy).expect("a plan");
    assert!(planned.plan.nodes.is_empty());
}
