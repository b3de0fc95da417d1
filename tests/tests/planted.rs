//! Planted bugs: a wrong edge, an open rule and a missing tag are each noticed, by means that do not come from the planner.

use std::sync::Arc;

use aloka_core::address::Address;
use aloka_core::api::{Call, Operation, Reply, Request};
use aloka_core::model::Kind;
use aloka_core::plan::{Mode, Node, Step, Verb};
use aloka_core::time::Instant;
use aloka_core::value::Value;
use aloka_sim::audit::{self, Expected, Ports};
use aloka_sim::aws::{Account, Durations};
use aloka_sim::world::Watch;
use aloka_tests::{Bench, secrets, variables};

/// Every refusal AWS gave, by code.
#[derive(Default)]
struct Refusals(Vec<String>);

impl Watch for Refusals {
    fn after_call(&mut self, _now: Instant, _account: &mut Account, request: &Request, reply: &Reply) {
        if let Err(error) = reply
            && request.operation().is_mutating()
        {
            self.0.push(format!("{} {}", request.operation(), error.code));
        }
    }
}

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

/// The stack as it is, and every way to spoil its destruction by one edge less of those that AWS enforces.
#[test]
fn a_missing_edge_meets_a_refusal() {
    let vars = variables("");
    let mut standing = Bench::new(3, Durations::Median);
    standing.apply(&vars, Mode::Apply);
    let planned = standing.plan(&vars, Mode::Destroy).expect("a plan");

    let mut refusals = Refusals::default();
    standing.clone().run(&planned, &mut refusals);
    assert_eq!(refusals.0, Vec::<String>::new(), "the intact plan meets no refusal");

    let edges = [
        ((Kind::InternetGateway, "this"), (Kind::NatGateway, "this"), "DependencyViolation"),
        ((Kind::Eip, "nat"), (Kind::NatGateway, "this"), "AuthFailure"),
        ((Kind::DbSubnetGroup, "main"), (Kind::DbInstance, "postgres"), "InvalidDBSubnetGroupStateFault"),
        ((Kind::SecurityGroup, "db"), (Kind::DbInstance, "postgres"), "DependencyViolation"),
    ];
    for ((kind, name), (other, other_name), code) in edges {
        let mut spoiled = planned.clone();
        let nodes = Arc::make_mut(&mut spoiled.plan.nodes);
        let needed = node_of(nodes, Verb::Delete, other, other_name);
        let node = node_of(nodes, Verb::Delete, kind, name);
        let before = nodes[node].needs.len();
        nodes[node].needs.retain(|need| usize::try_from(*need) != Ok(needed));
        assert_eq!(nodes[node].needs.len(), before - 1, "{kind} needs {other}");
        // What ties the two together through others must go as well, or the order stays by accident.
        if kind == Kind::InternetGateway || kind == Kind::SecurityGroup || kind == Kind::Eip {
            nodes[node].needs.clear();
        }
        let mut refusals = Refusals::default();
        standing.clone().run(&spoiled, &mut refusals);
        assert!(refusals.0.iter().any(|refusal| refusal.ends_with(code)), "{kind} without {other}: {:?}", refusals.0);
    }
}

#[test]
fn an_open_rule_is_seen_by_the_auditor() {
    let vars = variables("");
    let mut bench = Bench::new(4, Durations::Instant);
    let mut planned = bench.plan(&vars, Mode::Apply).expect("a plan");

    let mut sound = bench.clone();
    sound.run(&planned, &mut Refusals::default());
    assert_eq!(world_of(&mut sound).violations(&expected()), Vec::<String>::new());

    let nodes = Arc::make_mut(&mut planned.plan.nodes);
    let node = node_of(nodes, Verb::Create, Kind::SecurityGroup, "db");
    let call = call_of(&mut nodes[node], Operation::AuthorizeSecurityGroupIngress);
    let open = Value::map([
        ("IpProtocol", Value::str("tcp")),
        ("FromPort", 5432.into()),
        ("ToPort", 5432.into()),
        ("IpRanges", Value::List(vec![Value::map([("CidrIp", Value::str("0.0.0.0/0"))])])),
    ]);
    call.args.insert("IpPermissions", Value::List(vec![open]));
    bench.run(&planned, &mut Refusals::default());
    let violations = world_of(&mut bench).violations(&expected());
    assert!(violations.iter().any(|violation| violation.contains("aloka-dev-db")), "{violations:?}");
}

#[test]
fn a_missing_tag_is_seen_by_the_auditor() {
    let vars = variables("");
    let mut bench = Bench::new(5, Durations::Instant);
    let mut planned = bench.plan(&vars, Mode::Apply).expect("a plan");

    let mut sound = bench.clone();
    sound.run(&planned, &mut Refusals::default());
    assert!(world_of(&mut sound).untagged().is_empty());

    let nodes = Arc::make_mut(&mut planned.plan.nodes);
    let node = node_of(nodes, Verb::Create, Kind::Subnet, "private");
    let call = call_of(&mut nodes[node], Operation::CreateSubnet);
    if let Some(Value::Map(tags)) = call.args.get_mut("Tags") {
        tags.remove("aloka:address");
    }
    bench.run(&planned, &mut Refusals::default());
    assert_eq!(world_of(&mut bench).untagged().len(), 1);
}
