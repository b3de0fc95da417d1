//! The planner's decision who reaches what (`aloka_core::network`) against the auditor's (`aloka_sim::audit`), which
//! share no code, on the same worlds: sound ones, and ones that somebody else has meddled with.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use aloka_core::address::Address;
use aloka_core::api::{Call, Ec2, Operation, Rds, Reply, Request};
use aloka_core::kind::Kind;
use aloka_core::network::{self, Block, Finding, Promise, Rule, Traffic};
use aloka_core::plan::{Mode, exposure};
use aloka_core::state::State;
use aloka_core::value::{Value, ValueMap};
use aloka_core::variables::{IngressRule, Variables};
use aloka_sim::audit::{self, Expected, Ports, Sender};
use aloka_sim::aws::{BlockPublicAccess, Durations};
use aloka_tests::{Bench, any_tfvars, secrets, variables};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

/// What somebody else does to the account.
#[derive(Clone, Debug)]
enum Meddling {
    /// One more rule that lets something in.
    Rule { into: Group, from: Source, traffic: (&'static str, u16, u16) },
    /// The private subnets send packets for this block to the internet gateway.
    Route(&'static str),
    /// A private subnet follows the table of the public ones.
    Association(prop::sample::Index),
    /// The database gets a public address.
    PublicDatabase,
    /// A server in a group of its own, in one of the subnets.
    Stranger(prop::sample::Index),
}

#[derive(Clone, Copy, Debug)]
enum Group {
    App,
    Database,
}

#[derive(Clone, Debug)]
enum Source {
    Block(&'static str),
    Vpc,
    /// A corner of one of the subnets.
    Corner(prop::sample::Index),
    /// The private address of one of the servers.
    Server(prop::sample::Index),
    Nat,
    Group(Group),
    Default,
    Stranger,
}

fn meddling() -> impl Strategy<Value = Meddling> {
    let group = prop::sample::select(vec![Group::App, Group::Database]);
    let block = prop::sample::select(vec!["0.0.0.0/0", "128.0.0.0/1", "8.8.8.0/24", "192.168.0.0/16", "10.0.0.0/8"]);
    let index = any::<prop::sample::Index>;
    let source = prop_oneof![
        3 => block.prop_map(Source::Block),
        1 => Just(Source::Vpc),
        2 => index().prop_map(Source::Corner),
        2 => index().prop_map(Source::Server),
        1 => Just(Source::Nat),
        1 => group.clone().prop_map(Source::Group),
        1 => Just(Source::Default),
        2 => Just(Source::Stranger),
    ];
    let (low, high) = (0_u16..=u16::MAX, 0_u16..=u16::MAX);
    let ports = (low, high).prop_map(|(one, other)| (one.min(other), one.max(other)));
    let ports = prop_oneof![Just((5432, 5432)), Just((22, 22)), Just((0, u16::MAX)), ports];
    let protocol = prop::sample::select(vec!["tcp", "udp", "-1", "47"]);
    let traffic = (protocol, ports).prop_map(|(protocol, (from, to))| (protocol, from, to));
    let target = prop_oneof![1 => Just(Group::App), 3 => Just(Group::Database)];
    prop_oneof![
        4 => (target, source, traffic).prop_map(|(into, from, traffic)| Meddling::Rule { into, from, traffic }),
        1 => prop::sample::select(vec!["0.0.0.0/0", "8.0.0.0/8", "0.0.0.0/1"]).prop_map(Meddling::Route),
        1 => index().prop_map(Meddling::Association),
        2 => Just(Meddling::PublicDatabase),
        1 => index().prop_map(Meddling::Stranger),
    ]
}

/// Somebody with credentials for the account.
struct Meddler<'a> {
    bench: &'a mut Bench,
    state: State,
    stranger: Option<String>,
    /// A route or an association that is not where the stack has one: no refresh reads those.
    unrecorded: bool,
}

impl<'a> Meddler<'a> {
    fn new(bench: &'a mut Bench) -> Self {
        let state = bench.state();
        Self { bench, state, stranger: None, unrecorded: false }
    }

    /// Sends a call. AWS may refuse it, as it does a rule that is there already.
    fn call<const N: usize>(&mut self, operation: Operation, args: [(&'static str, Value); N]) -> Reply {
        let now = self.bench.world.now();
        let request = Request(Call::new(operation, args));
        request.0.check().expect("a complete call");
        self.bench.world.account.call(now, &request, &secrets())
    }

    /// One attribute of every object of a kind; of all names, or of one.
    fn all(&self, kind: Kind, name: Option<&str>, attribute: &str) -> Vec<String> {
        let wanted = |address: &Address| address.kind == kind && name.is_none_or(|name| *address.name == *name);
        let objects = self.state.resources.iter().filter(|(address, _)| wanted(address));
        objects.filter_map(|(_, object)| object.attributes.get(attribute)?.as_str().map(str::to_owned)).collect()
    }

    fn one(&self, kind: Kind, name: &str, attribute: &str) -> String {
        self.all(kind, Some(name), attribute).into_iter().next().expect("the stack has one")
    }

    fn group(&self, group: Group) -> String {
        let name = match group {
            Group::App => "app",
            Group::Database => "db",
        };
        self.one(Kind::SecurityGroup, name, "id")
    }

    fn meddle(&mut self, meddling: &Meddling) {
        // Refused calls leave the world as it is, which is a case like any other.
        let _reply = match meddling {
            Meddling::Rule { into, from, traffic: (protocol, low, high) } => {
                let Some((list, field, party)) = self.party(from) else { return };
                let mut rule = vec![
                    ("IpProtocol", Value::str(*protocol)),
                    (list, Value::list([Value::map([(field, Value::from(party))])])),
                ];
                if matches!(*protocol, "tcp" | "udp") {
                    rule.extend([("FromPort", (*low).into()), ("ToPort", (*high).into())]);
                }
                let group = self.group(*into);
                let args = [("GroupId", group.into()), ("IpPermissions", Value::list([Value::map(rule)]))];
                self.call(Operation::Ec2(Ec2::AuthorizeSecurityGroupIngress), args)
            }
            Meddling::Route(block) => {
                let gateway = self.one(Kind::InternetGateway, "this", "id");
                for table in self.all(Kind::RouteTable, Some("private"), "id") {
                    let args = || {
                        [
                            ("RouteTableId", Value::str(&*table)),
                            ("DestinationCidrBlock", Value::str(*block)),
                            ("GatewayId", Value::str(&*gateway)),
                        ]
                    };
                    if self.call(Operation::Ec2(Ec2::ReplaceRoute), args()).is_err() {
                        self.unrecorded |= self.call(Operation::Ec2(Ec2::CreateRoute), args()).is_ok();
                    }
                }
                return;
            }
            Meddling::Association(index) => {
                let subnet = index.get(&self.all(Kind::Subnet, Some("private"), "id")).clone();
                let table = self.one(Kind::RouteTable, "public", "id");
                let ids = self.all(Kind::RouteTableAssociation, Some("private"), "id");
                let subnets = self.all(Kind::RouteTableAssociation, Some("private"), "subnet_id");
                let own = ids.into_iter().zip(subnets).find(|(_, own)| *own == subnet).map(|(id, _)| id);
                let args = [("AssociationId", own.into()), ("RouteTableId", table.into())];
                let reply = self.call(Operation::Ec2(Ec2::ReplaceRouteTableAssociation), args);
                self.unrecorded |= reply.is_ok();
                reply
            }
            Meddling::PublicDatabase => {
                let name = self.one(Kind::DbInstance, "postgres", "identifier");
                let args = [
                    ("DBInstanceIdentifier", name.into()),
                    ("PubliclyAccessible", true.into()),
                    ("ApplyImmediately", true.into()),
                ];
                self.call(Operation::Rds(Rds::ModifyDBInstance), args)
            }
            Meddling::Stranger(index) => {
                let Some(image) = self.all(Kind::Instance, None, "ami").into_iter().next() else { return };
                let Some(group) = self.stranger() else { return };
                let subnet = index.get(&self.all(Kind::Subnet, None, "id")).clone();
                let interface = Value::map([
                    ("DeviceIndex", 0.into()),
                    ("SubnetId", subnet.into()),
                    ("Groups", Value::list([group])),
                    ("AssociatePublicIpAddress", true.into()),
                    ("DeleteOnTermination", true.into()),
                ]);
                let args = [
                    ("ImageId", image.into()),
                    ("InstanceType", Value::str("t3.micro")),
                    ("MinCount", 1.into()),
                    ("MaxCount", 1.into()),
                    ("NetworkInterfaces", Value::list([interface])),
                    ("ClientToken", Value::str("stranger")),
                    ("Tags", Value::Map(ValueMap::new())),
                ];
                self.call(Operation::Ec2(Ec2::RunInstances), args)
            }
        };
    }

    /// A security group that is nobody's of the stack.
    fn stranger(&mut self) -> Option<String> {
        if self.stranger.is_none() {
            let vpc = self.one(Kind::Vpc, "this", "id");
            let args = [
                ("GroupName", Value::str("stranger")),
                ("Description", Value::str("stranger")),
                ("VpcId", vpc.into()),
                ("Tags", Value::Map(ValueMap::new())),
            ];
            let reply = self.call(Operation::Ec2(Ec2::CreateSecurityGroup), args).ok()?;
            self.stranger = reply.get("GroupId").as_str().map(str::to_owned);
        }
        self.stranger.clone()
    }

    /// Where a rule says this source is: list, field and text.
    fn party(&mut self, source: &Source) -> Option<(&'static str, &'static str, String)> {
        let block = |text: String| Some(("IpRanges", "CidrIp", text));
        let group = |id: String| Some(("UserIdGroupPairs", "GroupId", id));
        match source {
            Source::Block(text) => block((*text).to_owned()),
            Source::Vpc => block(self.one(Kind::Vpc, "this", "cidr_block")),
            Source::Corner(index) => {
                let subnet = index.get(&self.all(Kind::Subnet, None, "cidr_block")).clone();
                block(subnet.replace(".0/24", ".64/27"))
            }
            Source::Server(index) => {
                let addresses = self.all(Kind::Instance, None, "private_ip");
                (!addresses.is_empty()).then(|| index.get(&addresses).clone() + "/32").and_then(block)
            }
            Source::Nat => block(self.all(Kind::Eip, None, "public_ip").into_iter().next()? + "/32"),
            Source::Group(own) => group(self.group(*own)),
            Source::Default => group(self.one(Kind::DefaultSecurityGroup, "this", "id")),
            Source::Stranger => group(self.stranger()?),
        }
    }
}

fn listed<'a>(variables: &'a Variables, protocol: &'a str) -> impl Iterator<Item = (u16, u16)> + 'a {
    let of_protocol = move |rule: &&IngressRule| rule.protocol == protocol;
    variables.app_ingress.iter().filter(of_protocol).map(|rule| (rule.from_port, rule.to_port))
}

/// What the auditor finds, who sees nothing but the account.
fn audited(bench: &mut Bench, variables: &Variables) -> Vec<String> {
    let state = bench.state();
    let name = |group: &str| {
        let name = state.attribute(&Address::root(Kind::SecurityGroup, group), "name").and_then(Value::as_str);
        name.expect("the stack has both groups").to_owned()
    };
    let tcp = listed(variables, "tcp").map(|(from, to)| Ports::tcp(from, to));
    let udp = listed(variables, "udp").map(|(from, to)| Ports::udp(from, to));
    let expected = Expected {
        app_ports: tcp.chain(udp).collect(),
        db_port: 5432,
        app_group_name: name("app"),
        db_group_name: name("db"),
    };
    let now = bench.world.now();
    let account = &mut bench.world.account;
    audit::audit(&mut |request| account.call(now, request, &secrets())).violations(&expected)
}

/// What the planner finds, who sees what a refresh has read, and whether there is nothing to change.
fn decided(bench: &mut Bench, variables: &Variables) -> (Vec<Finding>, bool) {
    let planned = bench.plan(variables, Mode::Apply).expect("a plan");
    let mut resources: BTreeMap<Address, ValueMap> = BTreeMap::new();
    for change in planned.plan.changes.iter().filter(|change| !change.before.is_empty()) {
        resources.insert(change.target.address.clone(), ValueMap::clone(&change.before));
    }
    let mut report = network::report(&resources);
    // The planner's promise knows TCP ports alone: what else is listed is taken out beforehand.
    let udp = listed(variables, "udp").fold(Traffic::default(), |sum, (from, to)| sum.union(&Traffic::udp(from, to)));
    let instances = report.targets.iter().filter(|target| target.port.is_none());
    let instances: BTreeSet<_> = instances.map(|target| target.address.clone()).collect();
    for flow in report.flows.iter_mut().filter(|flow| instances.contains(&flow.to)) {
        flow.traffic = flow.traffic.minus(&udp);
    }
    let promise = Promise { app_ports: listed(variables, "tcp").collect(), ..Promise::default() };
    (network::verdict(&report, &promise), planned.plan.is_empty())
}

/// The planner is the careful one of the two: it may see more ways to the database than the auditor, never fewer.
///
/// With one exception: of routes and associations it knows those of the stack alone, so that packets may reach a
/// database somebody has made public by a way it does not know. Then at least the plan takes something back.
#[test]
fn the_planner_sees_every_way_to_the_database_that_the_auditor_sees() {
    let config = ProptestConfig { cases: 100, source_file: Some(file!()), ..ProptestConfig::default() };
    let strategy = (any_tfvars(), any::<u64>(), prop::collection::vec(meddling(), 1..=4));
    let (exposed, more, calm) = (Cell::new(0), Cell::new(0), Cell::new(0));
    let result = TestRunner::new(config).run(&strategy, |(tfvars, seed, meddlings)| {
        let vars = variables(&tfvars);
        let mut bench = Bench::new(seed, Durations::Instant);
        bench.apply(&vars, Mode::Apply);
        prop_assert_eq!(audited(&mut bench, &vars), Vec::<String>::new(), "{}", tfvars);
        prop_assert_eq!(decided(&mut bench, &vars), (Vec::<Finding>::new(), true), "{}", tfvars);

        let mut meddler = Meddler::new(&mut bench);
        meddlings.iter().for_each(|meddling| meddler.meddle(meddling));
        let is_public = meddlings.iter().any(|meddling| matches!(meddling, Meddling::PublicDatabase));
        let is_hidden = is_public && meddler.unrecorded;
        let violations = audited(&mut bench, &vars);
        let (findings, is_settled) = decided(&mut bench, &vars);
        let is_seen = violations.iter().any(|violation| violation.starts_with("database "));
        let is_of_database = |finding: &Finding| matches!(finding.rule, Rule::DatabaseSource | Rule::DatabasePort);
        let is_decided = findings.iter().any(is_of_database);
        let is_told = is_decided || (is_hidden && !is_settled);
        prop_assert!(is_told || !is_seen, "{violations:#?}\n{findings:#?}\n{tfvars}");
        let count = match (is_seen, is_decided) {
            (true, _) => &exposed,
            (false, true) => &more,
            (false, false) => &calm,
        };
        count.set(count.get() + 1);
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
    // Otherwise the meddler is too tame, or too wild, for the comparison to mean anything.
    let (exposed, more, calm) = (exposed.get(), more.get(), calm.get());
    assert!(exposed >= 10 && calm >= 10, "exposed {exposed}, the planner alone says so {more}, neither {calm}");
}

/// AWS accepts every call, and nobody reaches the application: the plan says so, and the auditor sees it.
#[test]
fn what_vpc_block_public_access_closes_is_not_said_to_be_reachable() {
    let vars = variables("");
    let mut bench = Bench::new(5, Durations::Instant);
    bench.apply(&vars, Mode::Apply);
    let from_internet = |bench: &mut Bench| {
        let now = bench.world.now();
        let account = &mut bench.world.account;
        let exposure = audit::audit(&mut |request| account.call(now, request, &secrets())).exposure();
        exposure.iter().any(|exposure| matches!(exposure.from, Sender::Internet(_)))
    };
    // Whether the plan says that the internet reaches something, what it says of the block, and its warnings of it.
    let told = |bench: &mut Bench| {
        let planned = bench.plan(&vars, Mode::Apply).expect("a plan");
        assert!(planned.plan.is_empty());
        let lines = exposure::lines(&planned.plan);
        let open =
            lines.iter().any(|line| line.contains("from the internet") && !line.contains("not from the internet"));
        let closed: Vec<String> = lines.into_iter().filter(|line| line.contains("VPC Block Public Access")).collect();
        let of_block = |warning: &String| warning.starts_with("VPC Block Public Access is on");
        let warnings: Vec<String> = planned.warnings.into_iter().filter(of_block).collect();
        (open, closed, warnings)
    };
    assert!(from_internet(&mut bench));
    assert_eq!(told(&mut bench), (true, Vec::new(), Vec::new()));
    let vpc = bench.state().attribute(&"module.vpc.aws_vpc.this[0]".parse().expect("an address"), "id").cloned();
    let vpc = vpc.as_ref().and_then(Value::as_str).expect("recorded").to_owned();
    for mode in [Block::BlockIngress, Block::BlockBidirectional] {
        let block = BlockPublicAccess { mode: Some(mode), ..BlockPublicAccess::default() };
        bench.world.account.block_public_access(block.clone());
        assert!(!from_internet(&mut bench));
        let (open, closed, warnings) = told(&mut bench);
        assert!(!open, "{mode}");
        assert!(matches!(&closed[..], [line] if line.contains("module.vpc.aws_subnet.public[0]")), "{closed:?}");
        let [warning] = &warnings[..] else { panic!("{warnings:?}") };
        for part in [mode.mode(), "nobody on the internet reaches the application", &vpc, "Settings"] {
            assert!(warning.contains(part), "{part}: {warning}");
        }
        bench.world.account.block_public_access(BlockPublicAccess { excluded: [vpc.clone()].into(), ..block });
        assert!(from_internet(&mut bench));
        assert_eq!(told(&mut bench), (true, Vec::new(), Vec::new()));
    }
}
