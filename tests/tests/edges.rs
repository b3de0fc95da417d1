//! I1: every edge of every plan is necessary, and all of them together are enough.
//!
//! A plan is spoiled by turning one of its edges round: the node runs before what it needs, which is the worst schedule
//! there is without that edge. Where an argument carries a reference along the edge, the edge is dropped and an
//! identifier of nothing stands in its place, as a tool without the edge would have nothing better to send. AWS must then refuse a call that it
//! does not refuse in the intact run, with the code that stands in [`NEEDED`]; where AWS does not care about the
//! order, the auditor must see what is wrong. The few edges that nobody would miss stand in [`HARMLESS`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use aloka_core::address::Address;
use aloka_core::api::{Call, Ec2, Operation, Reply, Request};
use aloka_core::engine::Outcome;
use aloka_core::graph;
use aloka_core::kind::Kind;
use aloka_core::plan::{Mode, Node, Plan, Step, Verb};
use aloka_core::plan::{Planned, Problem};
use aloka_core::time::Instant;
use aloka_core::value::Value;
use aloka_sim::audit;
use aloka_sim::aws::{Account, Durations};
use aloka_sim::world::{RunEnd, Unwatched, Watch};
use aloka_tests::{Bench, picture, secrets, variables};
use ipnet::Ipv4Net;

/// What comes of an edge that is turned round: the refused operation and AWS's code, or what the auditor says.
type Row = (&'static str, &'static str, &'static [&'static str]);

const NO_WAY_OUT: &str = "auditor: has no way out";
const INTO_NOTHING: &str = "auditor: into nothing";
const TWINS: &str = "auditor: are both";
const GONE_SUBNET: &str = "auditor: which is gone";
const IN_USE: &[&str] = &["DependencyViolation"];

/// Edges that are needed, by what the two nodes do: the first one needs the second.
const NEEDED: &[Row] = &[
    // What is made needs what it refers to.
    ("create aws_subnet", "create aws_vpc", &["CreateSubnet InvalidVpcID.NotFound"]),
    ("create aws_internet_gateway", "create aws_vpc", &["AttachInternetGateway InvalidVpcID.NotFound"]),
    ("create aws_route_table", "create aws_vpc", &["CreateRouteTable InvalidVpcID.NotFound"]),
    ("create aws_security_group", "create aws_vpc", &["CreateSecurityGroup InvalidVpcID.NotFound"]),
    (
        "create aws_security_group",
        "create aws_security_group",
        &["AuthorizeSecurityGroupIngress InvalidGroup.NotFound"],
    ),
    ("create aws_nat_gateway", "create aws_subnet", &["CreateNatGateway InvalidSubnetID.NotFound"]),
    ("create aws_nat_gateway", "create aws_eip", &["CreateNatGateway InvalidAllocationID.NotFound"]),
    ("create aws_route", "create aws_route_table", &["CreateRoute InvalidRouteTableID.NotFound"]),
    ("create aws_route", "create aws_internet_gateway", &["CreateRoute InvalidGatewayID.NotFound"]),
    ("create aws_route", "create aws_nat_gateway", &["CreateRoute InvalidNatGatewayID.NotFound"]),
    (
        "create aws_route_table_association",
        "create aws_route_table",
        &["AssociateRouteTable InvalidRouteTableID.NotFound"],
    ),
    ("create aws_route_table_association", "create aws_subnet", &["AssociateRouteTable InvalidSubnetID.NotFound"]),
    ("create aws_db_subnet_group", "create aws_subnet", &["CreateDBSubnetGroup InvalidParameterValue"]),
    ("create aws_db_instance", "create aws_db_subnet_group", &["CreateDBInstance DBSubnetGroupNotFoundFault"]),
    ("create aws_db_instance", "create aws_security_group", &["CreateDBInstance InvalidParameterValue"]),
    ("create aws_instance", "create aws_subnet", &["RunInstances InvalidSubnetID.NotFound"]),
    ("create aws_instance", "create aws_security_group", &["RunInstances InvalidGroup.NotFound"]),
    ("update aws_db_subnet_group", "create aws_subnet", &["ModifyDBSubnetGroup InvalidParameterValue"]),
    ("update aws_instance", "create aws_security_group", &["ModifyInstanceAttribute InvalidGroup.NotFound"]),
    ("update aws_route", "create aws_nat_gateway", &["ReplaceRoute InvalidNatGatewayID.NotFound"]),
    (
        "update aws_route_table_association",
        "create aws_route_table",
        &["ReplaceRouteTableAssociation InvalidRouteTableID.NotFound"],
    ),
    // What is found by a filter is not refused, but not found either.
    ("create aws_default_security_group", "create aws_vpc", &["auditor: still has its rules"]),
    // Ties that no argument shows. AWS takes the call for the gateway, and fails later.
    ("create aws_nat_gateway", "create aws_internet_gateway", &["auditor: failed: Gateway.NotAttached"]),
    ("create aws_instance", "create aws_route", &[NO_WAY_OUT]),
    ("create aws_instance", "create aws_route_table_association", &[NO_WAY_OUT]),
    // What takes the place of something comes after it.
    ("create aws_vpc", "delete aws_vpc", &[TWINS]),
    ("create aws_subnet", "delete aws_subnet", &["CreateSubnet InvalidSubnet.Conflict", TWINS]),
    ("create aws_nat_gateway", "delete aws_nat_gateway", &[TWINS]),
    (
        "create aws_db_subnet_group",
        "delete aws_db_subnet_group",
        &["CreateDBSubnetGroup DBSubnetGroupAlreadyExists", TWINS],
    ),
    ("create aws_db_instance", "delete aws_db_instance", &["CreateDBInstance DBInstanceAlreadyExists"]),
    ("create aws_instance", "delete aws_instance", &[TWINS]),
    ("create aws_internet_gateway", "delete aws_internet_gateway", &[TWINS]),
    ("create aws_route", "delete aws_route", &[]),
    ("create aws_route_table", "delete aws_route_table", &[]),
    ("create aws_route_table_association", "delete aws_route_table_association", &[]),
    ("create aws_security_group", "delete aws_security_group", &[]),
    // What goes, goes after what refers to it.
    ("delete aws_vpc", "delete aws_subnet", IN_USE),
    ("delete aws_vpc", "delete aws_internet_gateway", IN_USE),
    ("delete aws_vpc", "delete aws_route_table", IN_USE),
    ("delete aws_vpc", "delete aws_security_group", IN_USE),
    ("delete aws_subnet", "delete aws_nat_gateway", IN_USE),
    ("delete aws_subnet", "delete aws_instance", IN_USE),
    ("delete aws_subnet", "delete aws_db_subnet_group", &[GONE_SUBNET]),
    ("delete aws_subnet", "update aws_db_subnet_group", &[GONE_SUBNET]),
    (
        "delete aws_subnet",
        "delete aws_route_table_association",
        &["DisassociateRouteTable InvalidAssociationID.NotFound"],
    ),
    ("delete aws_route_table", "delete aws_route_table_association", IN_USE),
    ("delete aws_route_table", "update aws_route_table_association", IN_USE),
    ("delete aws_route_table", "delete aws_route", &["DeleteRoute InvalidRouteTableID.NotFound"]),
    ("delete aws_security_group", "delete aws_instance", IN_USE),
    ("delete aws_security_group", "update aws_instance", IN_USE),
    ("delete aws_security_group", "delete aws_db_instance", IN_USE),
    ("delete aws_security_group", "delete aws_security_group", IN_USE),
    ("delete aws_db_subnet_group", "delete aws_db_instance", &["DeleteDBSubnetGroup InvalidDBSubnetGroupStateFault"]),
    ("delete aws_eip", "delete aws_nat_gateway", &["ReleaseAddress AuthFailure"]),
    ("delete aws_internet_gateway", "delete aws_nat_gateway", &["DetachInternetGateway DependencyViolation"]),
    ("delete aws_internet_gateway", "delete aws_instance", &["DetachInternetGateway DependencyViolation"]),
    ("delete aws_internet_gateway", "delete aws_route", &[INTO_NOTHING]),
    ("delete aws_nat_gateway", "delete aws_route", &[INTO_NOTHING]),
    ("delete aws_route", "delete aws_instance", &[NO_WAY_OUT]),
    ("delete aws_route_table_association", "delete aws_instance", &[NO_WAY_OUT]),
];

/// Replacements that only ever come with that of a VPC or subnet, which orders them already.
const ORDERED_BY_ANOTHER: &[&str] = &[
    "create aws_internet_gateway",
    "create aws_route",
    "create aws_route_table",
    "create aws_route_table_association",
    "create aws_security_group",
];

const THERE: &str = "the object is there already, and only its tags or rules change";
const NO_CALL: &str = "nothing is sent for a default group that goes: AWS deletes it with its VPC";

/// Edges that nobody misses: the intact run and the spoiled one end in the same world, and nothing is wrong between.
const HARMLESS: &[(&str, &str, &str)] = &[
    ("create aws_default_security_group", "delete aws_default_security_group", NO_CALL),
    ("delete aws_vpc", "delete aws_default_security_group", NO_CALL),
    ("delete aws_vpc", "forget aws_default_security_group", NO_CALL),
    // A group that stays in use has its successor first; this one was the database's, which is replaced too.
    ("delete aws_security_group", "create aws_security_group", "no rule and no host uses the old group any more"),
    // The plan lets all new subnets wait for all old ones. Checked: their blocks do not overlap.
    ("create aws_subnet", "delete aws_subnet", "another subnet's addresses"),
    ("create aws_db_subnet_group", "update aws_subnet", THERE),
    ("create aws_instance", "update aws_security_group", THERE),
    ("create aws_instance", "update aws_subnet", THERE),
    ("create aws_nat_gateway", "update aws_internet_gateway", THERE),
    ("create aws_nat_gateway", "update aws_subnet", THERE),
    ("create aws_route", "update aws_route_table", THERE),
    ("create aws_security_group", "update aws_vpc", THERE),
    ("update aws_db_instance", "update aws_db_subnet_group", THERE),
    ("update aws_db_instance", "update aws_security_group", THERE),
    ("update aws_db_subnet_group", "update aws_subnet", THERE),
    ("update aws_default_security_group", "update aws_vpc", THERE),
    ("update aws_instance", "update aws_security_group", THERE),
    ("update aws_instance", "update aws_subnet", THERE),
    ("update aws_internet_gateway", "update aws_vpc", THERE),
    ("update aws_nat_gateway", "update aws_eip", THERE),
    ("update aws_nat_gateway", "update aws_internet_gateway", THERE),
    ("update aws_nat_gateway", "update aws_subnet", THERE),
    ("update aws_route_table", "update aws_vpc", THERE),
    ("update aws_route_table_association", "update aws_route_table", THERE),
    ("update aws_security_group", "update aws_security_group", THERE),
    ("update aws_security_group", "update aws_vpc", THERE),
    ("update aws_subnet", "update aws_vpc", THERE),
];

/// What happens behind our back before the plan is made.
#[derive(Clone, Copy)]
enum Before {
    Nothing,
    /// Somebody deletes the route to the internet gateway.
    PublicRouteDeleted,
    /// AWS fails the NAT gateway that the stack was to get.
    NatFails,
}

/// A plan: from one stack to another, `None` being nothing at all.
struct Case {
    name: &'static str,
    from: Option<&'static str>,
    to: Option<&'static str>,
    before: Before,
    /// What the auditor sees for a while in the intact run.
    transient: &'static [&'static str],
    /// Why there is no plan, if chance has put things that way.
    unlucky: Option<&'static str>,
}

const fn case(name: &'static str, from: Option<&'static str>, to: Option<&'static str>) -> Case {
    Case { name, from, to, before: Before::Nothing, transient: &[], unlucky: None }
}

const NAT_PER_ZONE: &str = "single_nat_gateway = false";
const NO_NAT: &str = "enable_nat_gateway = false";
const THREE: &str = "app_instance_count = 3";
const SMALL: &str = "app_instance_count = 0\nenable_nat_gateway = false";
const LARGE: &str = "app_instance_count = 3\nsingle_nat_gateway = false\ndb_multi_az = true\n\
    public_subnet_cidrs = [\"10.0.1.0/24\", \"10.0.2.0/24\", \"10.0.3.0/24\"]\n\
    private_subnet_cidrs = [\"10.0.11.0/24\", \"10.0.12.0/24\", \"10.0.13.0/24\"]";
const OTHER_VPC: &str = "vpc_cidr = \"10.1.0.0/16\"\npublic_subnet_cidrs = [\"10.1.1.0/24\", \"10.1.2.0/24\"]\n\
    private_subnet_cidrs = [\"10.1.11.0/24\", \"10.1.12.0/24\"]";
const PUBLIC: &str = "public_subnet_cidrs = [\"10.0.1.0/24\", \"10.0.2.0/24\"]";
const PUBLIC_SHIFTED: &str = "public_subnet_cidrs = [\"10.0.2.0/24\", \"10.0.3.0/24\"]";
const PRIVATE: &str = "private_subnet_cidrs = [\"10.0.11.0/24\", \"10.0.12.0/24\"]";
const PRIVATE_SHIFTED: &str = "private_subnet_cidrs = [\"10.0.12.0/24\", \"10.0.13.0/24\"]";
const PRIVATE_MORE: &str = "private_subnet_cidrs = [\"10.0.11.0/24\", \"10.0.12.0/24\", \"10.0.13.0/24\"]";

const CASES: &[Case] = &[
    case("the standard stack", None, Some("")),
    case("the standard stack goes", Some(""), None),
    case("a NAT gateway per zone", None, Some(NAT_PER_ZONE)),
    case("a NAT gateway per zone goes", Some(NAT_PER_ZONE), None),
    case("no NAT gateway", None, Some(NO_NAT)),
    case("no NAT gateway goes", Some(NO_NAT), None),
    case("three servers", None, Some(THREE)),
    case("three servers go", Some(THREE), None),
    case("the smallest", None, Some(SMALL)),
    case("the smallest goes", Some(SMALL), None),
    case("a large one", None, Some(LARGE)),
    case("a large one goes", Some(LARGE), None),
    case("another VPC", Some(""), Some(OTHER_VPC)),
    Case {
        transient: &["are both aws_security_group"],
        ..case("another name", Some(""), Some("project_name = \"other\""))
    },
    case("no NAT gateway any more", Some(""), Some(NO_NAT)),
    case("a NAT gateway after all", Some(NO_NAT), Some("")),
    case("more NAT gateways", Some(""), Some(NAT_PER_ZONE)),
    case("fewer NAT gateways", Some(NAT_PER_ZONE), Some("")),
    case("more servers", Some(""), Some(THREE)),
    case("fewer servers", Some(THREE), Some("")),
    case("another image", Some(""), Some("app_ami_family = \"al2023\"")),
    case("another database", Some(""), Some("db_username = \"other\"")),
    // The route leads to the old NAT gateway until it leads to the new one.
    Case { transient: &["into nothing"], ..case("other public subnets", Some(PUBLIC), Some(PUBLIC_SHIFTED)) },
    case("other private subnets", Some(PRIVATE), Some(PRIVATE_SHIFTED)),
    case("more private subnets", Some(PRIVATE), Some(PRIVATE_MORE)),
    // The database may stand in the subnet that is to go. AWS does not move it.
    Case {
        unlucky: Some("subnet_ids cannot lose"),
        ..case("fewer private subnets", Some(PRIVATE_MORE), Some(PRIVATE))
    },
    case("other tags and a NAT gateway", Some(NO_NAT), Some("tags = { A = \"b\" }")),
    case("other tags and more servers", Some(""), Some("tags = { A = \"b\" }\napp_instance_count = 3")),
    Case {
        before: Before::PublicRouteDeleted,
        // It is what somebody did.
        transient: &["has no way out"],
        ..case("goes without its public route", Some(""), None)
    },
    Case {
        before: Before::NatFails,
        transient: &["failed: InternalError"],
        ..case("after its NAT gateway failed", Some(""), Some(""))
    },
];

/// An account and the plan of a case in it.
fn prepared(case: &Case, seed: u64, durations: Durations) -> (Bench, Result<Planned, Vec<Problem>>) {
    let mut bench = Bench::new(seed, durations);
    if let Some(from) = case.from {
        let from = variables(from);
        match case.before {
            Before::Nothing => drop(bench.apply(&from, Mode::Apply)),
            Before::PublicRouteDeleted => {
                bench.apply(&from, Mode::Apply);
                let table = Address::vpc(Kind::RouteTable, "public", 0);
                let table = bench.state().attribute(&table, "id").cloned().expect("recorded");
                let args = [("RouteTableId", table), ("DestinationCidrBlock", Value::str("0.0.0.0/0"))];
                let (now, call) = (bench.world.now(), Request(Call::new(Ec2::DeleteRoute, args)));
                bench.world.account.call(now, &call, &secrets()).expect("a route");
            }
            Before::NatFails => {
                let message = "Network vpc-xxx has encountered an internal error. Please retry";
                bench.world.account.fail_next(Operation::Ec2(Ec2::CreateNatGateway), "InternalError", message);
                let planned = bench.plan(&from, Mode::Apply).expect("a plan");
                let end = bench.run(&planned, &mut Unwatched);
                assert!(matches!(end, RunEnd::Outcome(Outcome::Failed { .. })), "{end:?}");
            }
        }
    }
    let planned = match (case.to, case.from) {
        (Some(to), _) => bench.plan(&variables(to), Mode::Apply),
        (None, from) => bench.plan(&variables(from.unwrap_or_default()), Mode::Destroy),
    };
    (bench, planned)
}

/// What AWS refused, and what the auditor saw.
#[derive(Default)]
struct Findings {
    audited: bool,
    refusals: BTreeSet<String>,
    defects: BTreeSet<String>,
}

impl Findings {
    /// True if nothing was found but what is expected of the intact run.
    fn is_empty(&self, transient: &[&str]) -> bool {
        let expected = |defect: &String| transient.iter().any(|text| defect.contains(text));
        self.refusals.is_empty() && self.defects.iter().all(expected)
    }

    /// The first of these that was found.
    fn find(&self, accepted: &[&'static str]) -> Option<&'static str> {
        let matches = |accepted: &&&str| match accepted.strip_prefix("auditor: ") {
            Some(text) => self.defects.iter().any(|defect| defect.contains(text)),
            None => self.refusals.iter().any(|refusal| refusal.ends_with(**accepted)),
        };
        accepted.iter().find(matches).copied()
    }
}

impl Watch for Findings {
    fn after_call(&mut self, now: Instant, account: &mut Account, request: &Request, reply: &Reply) {
        let operation = request.operation();
        if let (true, Err(error)) = (operation.is_mutating(), reply) {
            self.refusals.insert(format!("{} {}", operation.name(), error.code));
        }
        // A gateway fails some time after the call.
        if self.audited && (operation.is_mutating() || operation == Operation::Ec2(Ec2::DescribeNatGateways)) {
            let world = audit::audit(&mut |request| account.call(now, request, &secrets()));
            assert_eq!(world.unread, Vec::<String>::new());
            self.defects.extend(world.defects());
        }
    }
}

fn audited(bench: &mut Bench, planned: &Planned) -> (RunEnd, Findings) {
    let mut findings = Findings { audited: true, ..Findings::default() };
    let end = bench.run(planned, &mut findings);
    let (now, account) = (bench.world.now(), &mut bench.world.account);
    let left = audit::audit(&mut |request| account.call(now, request, &secrets())).leaks();
    if end == RunEnd::Outcome(Outcome::Done) {
        assert_eq!(left, Vec::<String>::new());
    }
    findings.defects.extend(left);
    (end, findings)
}

fn at(need: u32) -> usize {
    usize::try_from(need).expect("small")
}

fn reaches(nodes: &[Node], from: usize, to: usize) -> bool {
    from == to || nodes[from].needs.iter().any(|need| reaches(nodes, at(*need), to))
}

fn kind_of(node: &Node) -> String {
    let verb = match node.verb {
        Verb::Read => "read",
        Verb::Create => "create",
        Verb::Update => "update",
        Verb::Delete => "delete",
        Verb::Forget => "forget",
    };
    format!("{verb} {}", node.target.address.kind.terraform_type())
}

/// Well formed, and of no object.
fn nothing(kind: Kind) -> Value {
    let prefix = match kind {
        Kind::Eip => "eipalloc",
        Kind::InternetGateway => "igw",
        Kind::NatGateway => "nat",
        Kind::RouteTable => "rtb",
        Kind::SecurityGroup => "sg",
        Kind::Subnet => "subnet",
        Kind::Vpc => "vpc",
        Kind::VpcEndpoint => "vpce",
        Kind::DbSubnetGroup => "group",
        other @ (Kind::DbInstance
        | Kind::DefaultSecurityGroup
        | Kind::Instance
        | Kind::Route
        | Kind::RouteTableAssociation) => panic!("nothing refers to {other}"),
    };
    Value::from(format!("{prefix}-0123456789abcdef0"))
}

/// An edge of a plan: `node` needs `need`.
struct Edge<'a> {
    plan: &'a Plan,
    node: usize,
    need: usize,
}

impl Edge<'_> {
    fn ends(&self) -> (&Node, &Node) {
        (&self.plan.nodes[self.node], &self.plan.nodes[self.need])
    }

    /// Everything the node needs that must not come first any more, if `need` is not to: others may need it too.
    fn paths(&self) -> Vec<usize> {
        let needs = self.plan.nodes[self.node].needs.iter().map(|need| at(*need));
        needs.filter(|other| reaches(&self.plan.nodes, *other, self.need)).collect()
    }

    /// True if an argument is what the needed node will have made.
    fn is_reference(&self) -> bool {
        let (node, need) = self.ends();
        // What is made anew refers to itself.
        let mut found = false;
        for step in &node.steps {
            for value in call_of(step).args.values() {
                value.visit_refs(&mut |address, _| found |= *address == need.target.address && !self.is_replacement());
            }
        }
        found
    }

    /// True if the needed node destroys something whose attributes name what the node destroys.
    fn is_recorded(&self) -> bool {
        let (node, need) = self.ends();
        let before =
            |node: &Node| self.plan.changes.iter().find(|c| c.target.address == node.target.address).map(|c| &c.before);
        let (Some(own), Some(other)) = (before(node), before(need)) else { return false };
        let names = ["id", "name"].map(|name| own.get(name).and_then(Value::as_str).unwrap_or_default().to_owned());
        let text = serde_json::to_string(other).expect("attributes");
        names.iter().any(|name| !name.is_empty() && text.contains(&format!("\"{name}\"")))
    }

    fn is_replacement(&self) -> bool {
        let (node, need) = self.ends();
        node.target.address == need.target.address
    }

    /// True if the blocks of two subnets have an address in common.
    fn overlaps(&self) -> bool {
        let (node, need) = self.ends();
        let change =
            |node: &Node| self.plan.changes.iter().find(|c| c.target.address == node.target.address).expect("a change");
        let block = |value: Option<&Value>| {
            value.and_then(Value::as_str).and_then(|b| b.parse::<Ipv4Net>().ok()).expect("a block")
        };
        let (new, old) = (block(change(node).after.get("cidr_block")), block(change(need).before.get("cidr_block")));
        new.contains(&old) || old.contains(&new)
    }

    /// The plan with the edge turned round.
    fn turned(&self, planned: &Planned) -> Planned {
        let mut nodes = self.plan.nodes.to_vec();
        let paths = self.paths();
        let own = nodes[self.node].target.address.clone();
        let cut: BTreeSet<Address> = paths.iter().map(|path| nodes[*path].target.address.clone()).collect();
        let node = &mut nodes[self.node];
        node.needs.retain(|need| !paths.contains(&at(*need)));
        let unknown = |value: &Value| {
            value.resolve(&|address, _| (*address != own && cut.contains(address)).then(|| nothing(address.kind)))
        };
        // Without the look that would wait for what is to be refused.
        node.steps.retain(|step| call_of(step).operation != Operation::Ec2(Ec2::DescribeNetworkInterfaces));
        for step in &mut node.steps {
            let (Step::Call { call, .. } | Step::Wait(aloka_core::plan::Waiter { call, .. })) = step;
            call.args.values_mut().for_each(|value| *value = unknown(value));
        }
        node.after = Arc::new(node.after.iter().map(|(name, value)| (name.clone(), unknown(value))).collect());
        if !self.is_reference() {
            nodes[self.need].needs.push(u32::try_from(self.node).expect("small"));
        }
        let mut planned = planned.clone();
        planned.plan.nodes = sorted(&nodes).into();
        planned
    }
}

fn call_of(step: &Step) -> &Call {
    match step {
        Step::Call { call, .. } => call,
        Step::Wait(waiter) => &waiter.call,
    }
}

/// The same graph, each node after those it needs.
fn sorted(nodes: &[Node]) -> Vec<Node> {
    let needs: Vec<Vec<usize>> = nodes.iter().map(|node| node.needs.iter().map(|need| at(*need)).collect()).collect();
    let order = graph::order(&needs).expect("no cycle");
    let position: BTreeMap<usize, u32> = order.iter().copied().zip(0..).collect();
    let moved = |old: &usize| {
        let needs = nodes[*old].needs.iter().map(|need| position[&at(*need)]).collect();
        Node { needs, ..nodes[*old].clone() }
    };
    order.iter().map(moved).collect()
}

#[test]
fn every_edge_is_necessary() {
    let mut codes: BTreeMap<(String, String), BTreeMap<String, usize>> = BTreeMap::new();
    let mut necessary: BTreeSet<(String, String)> = BTreeSet::new();
    let mut implied: BTreeMap<(String, String), String> = BTreeMap::new();
    let mut problems = Vec::new();
    for case in CASES {
        let (bench, planned) = prepared(case, 3, Durations::Median);
        let planned = planned.unwrap_or_else(|problems| panic!("{}: {problems:?}", case.name));
        let mut intact = bench.clone();
        let (end, findings) = audited(&mut intact, &planned);
        assert_eq!(end, RunEnd::Outcome(Outcome::Done), "{}", case.name);
        assert!(findings.is_empty(case.transient), "{}: {:?} {:?}", case.name, findings.refusals, findings.defects);
        let plan = &planned.plan;
        let edges =
            plan.nodes.iter().enumerate().flat_map(|(node, own)| own.needs.iter().map(move |need| (node, at(*need))));
        // What only looks at the end changes nothing, whenever it runs.
        let edges = edges.filter(|(node, _)| plan.nodes[*node].verb != Verb::Read);
        for (node, need) in edges {
            let edge = Edge { plan, node, need };
            let (own, other) = edge.ends();
            let class = (kind_of(own), kind_of(other));
            let story = format!("{}: {} {} needs {} {}", case.name, class.0, own.target, class.1, other.target);
            let row = NEEDED.iter().find(|row| class == (row.0.to_owned(), row.1.to_owned()));
            let harmless = HARMLESS.iter().find(|row| class == (row.0.to_owned(), row.1.to_owned()));
            let is_implied = edge.paths().len() > 1;
            let mut spoiled = bench.clone();
            let (end, findings) = audited(&mut spoiled, &edge.turned(&planned));
            let found = findings.find(row.map_or(&[], |row| row.2));
            let nothing_found = findings.is_empty(case.transient);
            let outcome = match (found, harmless) {
                (Some(found), _) => {
                    if !is_implied {
                        necessary.insert(class.clone());
                    }
                    found.to_owned()
                }
                // Without every path, others than this edge are missed first.
                (None, _) if is_implied && row.is_some() && !nothing_found => {
                    findings.refusals.first().or(findings.defects.first()).cloned().unwrap_or_default()
                }
                (None, Some(_)) if is_implied => "nothing".to_owned(),
                (None, Some(_)) if nothing_found => {
                    assert_eq!(end, RunEnd::Outcome(Outcome::Done), "{story}");
                    assert_eq!(picture(&spoiled.world), picture(&intact.world), "{story}");
                    if class.0 == "create aws_subnet" {
                        assert!(!edge.overlaps(), "{story}");
                    }
                    "nothing".to_owned()
                }
                (None, _) => {
                    problems.push(format!("{story}: {:?} {:?}", findings.refusals, findings.defects));
                    continue;
                }
            };
            if is_implied && row.is_some() && !edge.is_reference() && !edge.is_recorded() {
                let ordered = edge.is_replacement() && ORDERED_BY_ANOTHER.contains(&class.0.as_str());
                if !ordered {
                    implied.insert(class.clone(), story);
                }
            }
            *codes.entry(class).or_default().entry(outcome).or_default() += 1;
        }
    }
    for ((node, need), outcomes) in &codes {
        let outcomes: Vec<_> = outcomes.iter().map(|(outcome, count)| format!("{outcome} ({count})")).collect();
        println!("{node} -> {need}: {}", outcomes.join(", "));
    }
    // What others imply here must be needed somewhere, or it need not be declared.
    implied.retain(|class, _| !necessary.contains(class));
    problems.extend(implied.into_values().map(|story| format!("others imply it everywhere: {story}")));
    let rows = NEEDED.iter().map(|row| (row.0, row.1)).chain(HARMLESS.iter().map(|row| (row.0, row.1)));
    for (node, need) in rows {
        if !codes.contains_key(&(node.to_owned(), need.to_owned())) {
            problems.push(format!("no plan has an edge from `{node}` to `{need}`"));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn the_edges_are_enough_however_long_things_take() {
    const SEEDS: u64 = 25;
    for case in CASES {
        let mut unlucky = 0;
        for seed in 0..SEEDS {
            let (mut bench, planned) = prepared(case, seed, Durations::Drawn);
            let planned = match (planned, case.unlucky) {
                (Ok(planned), _) => planned,
                (Err(problems), Some(why)) if problems.iter().all(|problem| problem.to_string().contains(why)) => {
                    unlucky += 1;
                    continue;
                }
                (Err(problems), _) => panic!("{}, seed {seed}: {problems:?}", case.name),
            };
            let mut findings = Findings::default();
            let end = bench.run(&planned, &mut findings);
            let refused: Vec<_> = findings.refusals.iter().map(String::as_str).collect();
            assert_eq!((end, refused), (RunEnd::Outcome(Outcome::Done), vec![]), "{}, seed {seed}", case.name);
        }
        assert_eq!(unlucky > 0, case.unlucky.is_some(), "{}: {unlucky} of {SEEDS}", case.name);
        assert!(unlucky < SEEDS, "{}", case.name);
    }
}
