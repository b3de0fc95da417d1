//! The gateway endpoint for S3: what it is in AWS, and that it gets and loses tables and goes with the exact calls for that.

use std::collections::BTreeSet;

use aloka_core::address::Address;
use aloka_core::api::{Call, Ec2, Operation, Request};
use aloka_core::kind::Kind;
use aloka_core::network;
use aloka_core::plan::{Action, Mode, Planned, Problem, Step};
use aloka_core::state::{State, file};
use aloka_core::value::Value;
use aloka_sim::aws::{Durations, ForeignInterface};
use aloka_sim::store::MemoryStore;
use aloka_tests::{Bench, secrets, variables};
use serde_json::{Value as Json, json};

const S3: &str = "enable_s3_endpoint = true\n";
const IN_EACH_ZONE: &str = "enable_s3_endpoint = true\nsingle_nat_gateway = false\n";

fn address() -> Address {
    Address::vpc(Kind::VpcEndpoint, "s3", 0)
}

fn standing(tfvars: &str) -> Bench {
    let mut bench = Bench::new(7, Durations::Median);
    bench.apply(&variables(tfvars), Mode::Apply);
    bench
}

fn read(bench: &mut Bench, operation: Ec2, list: &str) -> Vec<Value> {
    let now = bench.world.now();
    let reply = bench.world.account.call(now, &Request(Call::new(operation, [])), &secrets()).expect("a reply");
    reply.get(list).as_list().expect("a list").to_vec()
}

fn texts(value: &Value) -> BTreeSet<String> {
    value.as_list().unwrap_or_default().iter().filter_map(|item| item.as_str().map(str::to_owned)).collect()
}

/// The tables of the stack: all but the main one, which comes with the VPC.
fn tables(bench: &mut Bench) -> BTreeSet<String> {
    let all = read(bench, Ec2::DescribeRouteTables, "RouteTables");
    let is_main = |table: &&Value| table.at("Associations.0.Main").and_then(Value::as_bool) == Some(true);
    all.iter()
        .filter(|table| !is_main(table))
        .filter_map(|table| Some(table.get("RouteTableId").as_str()?.to_owned()))
        .collect()
}

/// What the account has of it: its tables, and those that show its route.
fn seen(bench: &mut Bench) -> (BTreeSet<String>, BTreeSet<String>) {
    let endpoints = read(bench, Ec2::DescribeVpcEndpoints, "VpcEndpoints");
    let [endpoint] = endpoints.as_slice() else { panic!("{endpoints:?}") };
    assert_eq!(endpoint.get("ServiceName").as_str(), Some("com.amazonaws.us-east-1.s3"));
    assert_eq!(endpoint.get("VpcEndpointType").as_str(), Some("Gateway"));
    let id = endpoint.get("VpcEndpointId");
    let leads = |table: &&Value| {
        table.get("Routes").as_list().expect("routes").iter().any(|route| route.get("GatewayId") == id)
    };
    let all = read(bench, Ec2::DescribeRouteTables, "RouteTables");
    let led = all.iter().filter(leads).filter_map(|table| Some(table.get("RouteTableId").as_str()?.to_owned()));
    (texts(endpoint.get("RouteTableIds")), led.collect())
}

/// The calls about it that the plan sends.
fn calls(planned: &Planned) -> Vec<Operation> {
    let nodes = planned.plan.nodes.iter().filter(|node| node.target.address == address());
    let calls = nodes.flat_map(|node| &node.steps).filter_map(|step| match step {
        Step::Call { call, .. } => Some(call.operation),
        Step::Wait(_) => None,
    });
    calls.collect()
}

#[test]
fn every_route_table_of_the_stack_leads_to_s3() {
    for tfvars in [S3, IN_EACH_ZONE, "enable_s3_endpoint = true\nenable_nat_gateway = false\n"] {
        let mut bench = standing(tfvars);
        let tables = tables(&mut bench);
        assert_eq!(seen(&mut bench), (tables.clone(), tables), "{tfvars}");
        assert!(bench.plan(&variables(tfvars), Mode::Apply).expect("a plan").plan.is_empty(), "{tfvars}");
        bench.apply(&variables(tfvars), Mode::Destroy);
        assert!(bench.world.account.is_empty(bench.world.now()), "{tfvars}");
    }
    let mut bench = standing("");
    assert_eq!(read(&mut bench, Ec2::DescribeVpcEndpoints, "VpcEndpoints"), []);
}

#[test]
fn it_gets_and_loses_tables_in_place() {
    let mut bench = standing(S3);
    for (tfvars, sent) in [(IN_EACH_ZONE, 1), (S3, 1)] {
        let before = bench.state().resources[&address()].id().map(str::to_owned);
        let planned = bench.apply(&variables(tfvars), Mode::Apply);
        let modify = Operation::Ec2(Ec2::ModifyVpcEndpoint);
        assert_eq!(calls(&planned), vec![modify; sent], "{tfvars}");
        assert_eq!(bench.state().resources[&address()].id().map(str::to_owned), before, "{tfvars}");
        let tables = tables(&mut bench);
        assert_eq!(seen(&mut bench), (tables.clone(), tables), "{tfvars}");
        assert!(bench.plan(&variables(tfvars), Mode::Apply).expect("a plan").plan.is_empty(), "{tfvars}");
    }
    let planned = bench.apply(&variables(""), Mode::Apply);
    assert_eq!(calls(&planned), [Operation::Ec2(Ec2::DeleteVpcEndpoints)]);
    assert_eq!(read(&mut bench, Ec2::DescribeVpcEndpoints, "VpcEndpoints"), []);
}

/// Somebody takes a table away from it: it comes back, and nothing else changes.
#[test]
fn a_table_that_somebody_took_away_comes_back() {
    let mut bench = standing(S3);
    let id = Value::from(bench.state().resources[&address()].id().expect("an identifier"));
    let table = tables(&mut bench).first().cloned().expect("a table");
    let args = [("VpcEndpointId", id), ("RemoveRouteTableIds", Value::list([table]))];
    let now = bench.world.now();
    bench.world.account.call(now, &Request(Call::new(Ec2::ModifyVpcEndpoint, args)), &secrets()).expect("modified");
    let planned = bench.apply(&variables(S3), Mode::Apply);
    let changed = planned.plan.changes.iter().filter(|change| change.action != Action::NoOp);
    let changed: Vec<_> = changed.map(|change| (change.action, change.target.address.clone())).collect();
    assert_eq!(changed, [(Action::Update, address())]);
    let tables = tables(&mut bench);
    assert_eq!(seen(&mut bench), (tables.clone(), tables));
}

/// As Terraform's provider 5.100 records one: nothing to do, and every attribute stays as it was.
#[test]
fn terraforms_record_of_it_is_taken_as_it_is() {
    let mut bench = standing(S3);
    let refreshed = bench.plan(&variables(S3), Mode::RefreshOnly).expect("a plan");
    let mut state: Json = serde_json::from_str(&file::write(&refreshed.state)).expect("JSON");
    let resources = state["resources"].as_array_mut().expect("resources");
    let own = resources.iter_mut().find(|resource| resource["type"] == "aws_vpc_endpoint").expect("the endpoint");
    let attributes = own["instances"][0]["attributes"].as_object_mut().expect("attributes");
    let more = json!({
        "auto_accept": null, "cidr_blocks": ["52.216.0.0/15"], "dns_entry": [], "dns_options": [], "ip_address_type": "",
        "network_interface_ids": [], "policy": "{\"Statement\":[{\"Action\":\"*\",\"Effect\":\"Allow\"}]}",
        "prefix_list_id": "pl-63a5400a", "resource_configuration_arn": "", "security_group_ids": [],
        "service_network_arn": "", "service_region": "us-east-1", "subnet_configuration": [], "subnet_ids": [],
        "timeouts": null,
    });
    attributes.extend(more.as_object().expect("a map").clone());
    let recorded = attributes.clone();

    bench.store = MemoryStore::holding(file::read(&state.to_string()).expect("a state"));
    let planned = bench.plan(&variables(S3), Mode::Apply).expect("a plan");
    assert!(planned.plan.nodes.is_empty(), "{:?}", planned.plan.changes);
    let written: State = planned.state;
    let written: Json = serde_json::from_str(&file::write(&written)).expect("JSON");
    let own = written["resources"].as_array().expect("resources").iter().find(|r| r["type"] == "aws_vpc_endpoint");
    let own = own.expect("the endpoint");
    assert_eq!(own["instances"][0]["attributes"].as_object(), Some(&recorded));
    assert_eq!(own["instances"][0]["schema_version"], 0);
}

/// Who can reach what is the same with it and without: nothing comes in by it.
#[test]
fn it_opens_nothing() {
    let [with, without] = [S3, ""].map(|tfvars| {
        let state = standing(tfvars).state();
        let resources =
            state.resources.iter().map(|(address, resource)| (address.clone(), (*resource.attributes).clone()));
        network::report(&resources.collect())
    });
    assert_eq!(with.flows, without.flows);
    assert_eq!(with.paths, without.paths);
}

/// A server of somebody else in one of our subnets reaches S3 by it: a plan that takes it away says so first.
#[test]
fn whoever_uses_it_is_named_before_it_goes() {
    let mut bench = standing(S3);
    let subnet = bench.state().resources[&Address::vpc(Kind::Subnet, "private", 0)].id().map(str::to_owned);
    bench
        .world
        .account
        .add_interface(&subnet.expect("a subnet"), &[], ForeignInterface::default())
        .expect("an address");
    let problems = bench.plan(&variables(""), Mode::Apply).expect_err("a plan that takes away somebody's way");
    let told = problems.iter().map(Problem::to_string).collect::<String>();
    assert!(told.contains("its gateway vpce-") && told.contains("module.vpc.aws_vpc_endpoint.s3[0]"), "{told}");
}
