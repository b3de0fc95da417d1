//! Planted bugs: an open rule and a missing tag are each noticed, by means that do not come from the planner. Missing
//! edges are in `edges.rs`.

use std::sync::Arc;

use aloka_core::address::Address;
use aloka_core::api::{Call, Ec2, Operation};
use aloka_core::kind::Kind;
use aloka_core::plan::{Mode, Node, Step, Verb};
use aloka_core::value::Value;
use aloka_sim::audit::{self, Expected, Ports};
use aloka_sim::aws::Durations;
use aloka_sim::world::Unwatched;
use aloka_tests::{Bench, secrets, variables};

fn node_of(nodes: &mut [Node], verb: Verb, kind: Kind, name: &str) -> usize {
    let wanted = |node: &Node| {
        let Address { kind: k, name: n, .. } = &node.target.address;
        node.verb == verb && *k == kind && &**n == name
    };
    nodes.iter().position(wanted).expect("the plan has the node")
}

fn call_of(node: &mut Node, operation: Operation) -> &mut Call {
    let calls = node.steps.iter_mut().filter_map(|step| match step {
        Step::Call { call, .. } => Some(call),
        Step::Wait(_) => None,
    });
    calls.into_iter().find(|call| call.operation == operation).expect("the node has the call")
}

fn world_of(bench: &mut Bench) -> audit::World {
    let now = bench.world.now();
    let account = &mut bench.world.account;
    audit::audit(&mut |request| account.call(now, request, &secrets()))
}

fn expected() -> Expected {
    Expected {
        app_ports: vec![Ports::tcp(80, 80), Ports::tcp(443, 443)],
        db_port: 5432,
        app_group_name: "aloka-app-sg".to_owned(),
        db_group_name: "aloka-db-sg".to_owned(),
    }
}

#[test]
fn an_open_rule_is_seen_by_the_auditor() {
    let vars = variables("");
    let mut bench = Bench::new(4, Durations::Instant);
    let mut planned = bench.plan(&vars, Mode::Apply).expect("a plan");

    let mut sound = bench.clone();
    sound.run(&planned, &mut Unwatched);
    assert_eq!(world_of(&mut sound).violations(&expected()), Vec::<String>::new());

    let nodes = Arc::make_mut(&mut planned.plan.nodes);
    let node = node_of(nodes, Verb::Create, Kind::SecurityGroup, "db");
    let call = call_of(&mut nodes[node], Operation::Ec2(Ec2::AuthorizeSecurityGroupIngress));
    let open = Value::map([
        ("IpProtocol", Value::str("tcp")),
        ("FromPort", 5432.into()),
        ("ToPort", 5432.into()),
        ("IpRanges", Value::List(vec![Value::map([("CidrIp", Value::str("0.0.0.0/0"))])])),
    ]);
    call.args.insert("IpPermissions", Value::List(vec![open]));
    bench.run(&planned, &mut Unwatched);
    let violations = world_of(&mut bench).violations(&expected());
    assert!(violations.iter().any(|violation| violation.contains("aloka-dev-db")), "{violations:?}");
}

#[test]
fn a_missing_tag_is_seen_by_the_auditor() {
    let vars = variables("");
    let mut bench = Bench::new(5, Durations::Instant);
    let mut planned = bench.plan(&vars, Mode::Apply).expect("a plan");

    let mut sound = bench.clone();
    sound.run(&planned, &mut Unwatched);
    assert!(world_of(&mut sound).untagged().is_empty());

    let nodes = Arc::make_mut(&mut planned.plan.nodes);
    let node = node_of(nodes, Verb::Create, Kind::Subnet, "private");
    let call = call_of(&mut nodes[node], Operation::Ec2(Ec2::CreateSubnet));
    if let Some(Value::Map(tags)) = call.args.get_mut("Tags") {
        tags.remove("aloka-address");
    }
    bench.run(&planned, &mut Unwatched);
    assert_eq!(world_of(&mut bench).untagged().len(), 1);
}
