//! What somebody else changes is noticed, and put right in place.

use aloka_core::address::Address;
use aloka_core::api::{Call, Ec2, Operation, Request};
use aloka_core::kind::Kind;
use aloka_core::plan::{Action, Mode};
use aloka_core::value::Value;
use aloka_sim::aws::Durations;
use aloka_tests::{Bench, secrets, variables};

/// Sends a call as a meddler would.
fn meddle(bench: &mut Bench, operation: Operation, args: impl IntoIterator<Item = (&'static str, Value)>) {
    let now = bench.world.now();
    let reply = bench.world.account.call(now, &Request(Call::new(operation, args)), &secrets());
    assert!(reply.is_ok(), "{reply:?}");
}

fn id(bench: &Bench, address: &Address) -> Value {
    bench.state().attribute(address, "id").cloned().expect("recorded")
}

/// Plans, expects just this change, applies, and expects nothing left to do.
fn repaired(mut bench: Bench, address: &Address, action: Action) {
    let vars = variables("");
    let planned = bench.apply(&vars, Mode::Apply);
    let done: Vec<_> = planned.plan.changes.iter().filter(|c| c.action != Action::NoOp).collect();
    assert_eq!(done.iter().map(|c| (&c.target.address, c.action)).collect::<Vec<_>>(), [(address, action)]);
    assert!(planned.plan.drift.iter().any(|drift| drift.target.address == *address), "{:?}", planned.plan.drift);
    assert!(bench.plan(&vars, Mode::Apply).expect("a plan").plan.is_empty());
}

fn standing() -> Bench {
    let mut bench = Bench::new(21, Durations::Instant);
    bench.apply(&variables(""), Mode::Apply);
    bench
}

#[test]
fn a_private_subnet_moved_to_the_public_route_table() {
    let mut bench = standing();
    let association = Address::vpc(Kind::RouteTableAssociation, "private", 0);
    let table = id(&bench, &Address::vpc(Kind::RouteTable, "public", 0));
    let args = [("AssociationId", id(&bench, &association)), ("RouteTableId", table)];
    meddle(&mut bench, Operation::Ec2(Ec2::ReplaceRouteTableAssociation), args);
    repaired(bench, &association, Action::Update);
}

#[test]
fn a_rule_that_opens_the_database() {
    let mut bench = standing();
    let group = Address::root(Kind::SecurityGroup, "db");
    let rule = Value::map([
        ("IpProtocol", Value::str("-1")),
        ("IpRanges", Value::List(vec![Value::map([("CidrIp", Value::str("0.0.0.0/0"))])])),
    ]);
    let args = [("GroupId", id(&bench, &group)), ("IpPermissions", Value::List(vec![rule]))];
    meddle(&mut bench, Operation::Ec2(Ec2::AuthorizeSecurityGroupIngress), args);
    repaired(bench, &group, Action::Update);
}

#[test]
fn a_tag_that_is_gone() {
    let mut bench = standing();
    let vpc = Address::vpc(Kind::Vpc, "this", 0);
    let args = [("Resources", Value::List(vec![id(&bench, &vpc)])), ("TagKeys", Value::list(["aloka-address"]))];
    meddle(&mut bench, Operation::Ec2(Ec2::DeleteTags), args);
    repaired(bench, &vpc, Action::Update);
}

#[test]
fn a_private_route_that_leads_out() {
    let mut bench = standing();
    let route = Address::vpc(Kind::Route, "private_nat_gateway", 0);
    let args = [
        ("RouteTableId", id(&bench, &Address::vpc(Kind::RouteTable, "private", 0))),
        ("DestinationCidrBlock", Value::str("0.0.0.0/0")),
        ("GatewayId", id(&bench, &Address::vpc(Kind::InternetGateway, "this", 0))),
    ];
    meddle(&mut bench, Operation::Ec2(Ec2::ReplaceRoute), args);
    repaired(bench, &route, Action::Update);
}

#[test]
fn a_server_that_is_gone() {
    let mut bench = standing();
    let server = Address::root(Kind::Instance, "app");
    let args = [("InstanceIds", Value::List(vec![id(&bench, &server)]))];
    meddle(&mut bench, Operation::Ec2(Ec2::TerminateInstances), args);
    repaired(bench, &server, Action::Create);
}
