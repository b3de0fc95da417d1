//! I12: what is not this state's own is never changed, destroyed or cut off, and stays recorded to the digit.
//!
//! A stack stands, made by aloka or in the form in which Terraform would have left it. Inside, around and beside it stand
//! objects of others, recorded in the state, in the account, or in both. Then commands at random; after each it is all as it was.

use std::collections::BTreeSet;

use aloka_core::api::{Call, Ec2, Operation, Rds, Reply, Request};
use aloka_core::plan::Mode;
use aloka_core::plan::Problem;
use aloka_core::state::{State, edit, file};
use aloka_core::time::Instant;
use aloka_core::value::{Value, ValueMap};
use aloka_sim::aws::{Account, Durations};
use aloka_sim::store::MemoryStore;
use aloka_sim::world::Watch;
use aloka_tests::{Bench, LINEAGE, secrets, variables};
use proptest::prelude::*;

const IMAGE: &str = "ami-0d27e0fb3bac4d724";
const OTHER: &str = "7c9d2b52-1111-4222-8333-abcdefabcdef";
const DATABASE: &str = "aws_db_instance.postgres";

/// What stands beside the stack.
#[derive(Clone, Debug)]
struct Scene {
    /// Without the section, the claims and our tags, as Terraform would have made the stack.
    terraform: bool,
    bastion_recorded: bool,
    group_recorded: bool,
    rule_recorded: bool,
    route_recorded: bool,
    /// The bastion carries our tags: a copy made in the console.
    copies_tags: bool,
    /// Or another state's.
    other_lineage: bool,
    /// Other people's keys on our objects.
    foreign_keys: bool,
}

#[derive(Clone, Copy, Debug)]
enum Act {
    Apply(u8),
    Refresh,
    Destroy,
    MoveForeign,
}

fn any_scene() -> impl Strategy<Value = Scene> {
    any::<[bool; 8]>().prop_map(|[terraform, bastion, group, rule, route, copies, other, keys]| Scene {
        terraform,
        bastion_recorded: bastion,
        group_recorded: group,
        rule_recorded: rule,
        route_recorded: route,
        copies_tags: copies && !other,
        other_lineage: other,
        foreign_keys: keys,
    })
}

fn any_act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (0_u8..5).prop_map(Act::Apply),
        1 => Just(Act::Refresh),
        2 => Just(Act::Destroy),
        1 => Just(Act::MoveForeign),
    ]
}

/// Sees every call.
struct Border {
    ids: BTreeSet<String>,
    touched: Vec<String>,
}

impl Border {
    fn names(&self, value: &Value) -> bool {
        match value {
            Value::Str(text) => self.ids.contains(&**text),
            Value::List(items) => items.iter().any(|item| self.names(item)),
            Value::Map(map) => map.values().any(|item| self.names(item)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Ref(..) | Value::Secret(_) => false,
        }
    }
}

impl Watch for Border {
    fn after_call(&mut self, _now: Instant, _account: &mut Account, request: &Request, _reply: &Reply) {
        if request.operation().is_mutating() && request.0.args.values().any(|value| self.names(value)) {
            self.touched.push(request.to_string());
        }
    }
}

struct Play {
    bench: Bench,
    border: Border,
    scene: Scene,
    /// Recorded entries of others, as text.
    foreign: State,
    before: Vec<Value>,
    group: String,
}

impl Play {
    fn call<const N: usize>(&mut self, operation: Operation, args: [(&'static str, Value); N]) -> Value {
        let now = self.bench.world.now();
        let request = Request(Call::new(operation, args));
        let reply = self.bench.world.account.call(now, &request, &secrets());
        reply.unwrap_or_else(|error| panic!("{request}: {error}"))
    }

    fn id(&self, address: &str) -> String {
        let address = address.parse().expect("an address");
        self.bench.state().attribute(&address, "id").and_then(Value::as_str).expect("recorded").to_owned()
    }

    fn new(scene: Scene) -> Self {
        let mut bench = Bench::new(7, Durations::Instant);
        bench.apply(&variables(&tfvars(0)), Mode::Apply);
        let border = Border { ids: BTreeSet::new(), touched: Vec::new() };
        let foreign = State::new(LINEAGE);
        let mut play = Self { bench, border, scene, foreign, before: Vec::new(), group: String::new() };
        play.move_in();
        play.bench.world.rest(std::time::Duration::from_secs(60));
        play.record();
        play.before = play.seen();
        play
    }

    /// Makes what belongs to others.
    fn move_in(&mut self) {
        let text = |text: &str| Value::str(text);
        let (vpc, subnet) = (self.id("module.vpc.aws_vpc.this[0]"), self.id("module.vpc.aws_subnet.public[1]"));
        let table = self.id("module.vpc.aws_route_table.private[0]");
        let gateway = self.id("module.vpc.aws_nat_gateway.this[0]");
        let database = self.id("aws_security_group.db");
        let args = [
            ("GroupName", text("bastion")),
            ("Description", text("theirs")),
            ("VpcId", text(&vpc)),
            ("Tags", Value::Map(ValueMap::new())),
        ];
        self.group =
            self.call(Operation::Ec2(Ec2::CreateSecurityGroup), args).get("GroupId").as_str().expect("id").to_owned();
        let interface = Value::map([
            ("DeviceIndex", 0.into()),
            ("SubnetId", text(&subnet)),
            ("Groups", Value::list([self.group.as_str()])),
            ("AssociatePublicIpAddress", true.into()),
            ("DeleteOnTermination", true.into()),
        ]);
        let mut tags = ValueMap::from([("Name".into(), text("bastion"))]);
        if self.scene.copies_tags || self.scene.other_lineage {
            let lineage = if self.scene.other_lineage { OTHER } else { LINEAGE };
            tags.insert("aloka-lineage".into(), text(lineage));
            tags.insert("aloka-address".into(), text("aws_instance.app"));
            tags.insert("aloka-generation".into(), text("1"));
        }
        let args = [
            ("ImageId", text(IMAGE)),
            ("InstanceType", text("t3.micro")),
            ("MinCount", 1.into()),
            ("MaxCount", 1.into()),
            ("ClientToken", text("theirs")),
            ("NetworkInterfaces", Value::List(vec![interface])),
            ("Tags", Value::Map(tags)),
        ];
        let bastion = self.call(Operation::Ec2(Ec2::RunInstances), args);
        let bastion = bastion.at("Instances.0.InstanceId").and_then(Value::as_str).expect("id").to_owned();
        let pair = Value::List(vec![Value::map([("GroupId", self.group.as_str())])]);
        let rule = Value::map([
            ("IpProtocol", text("tcp")),
            ("FromPort", 5432.into()),
            ("ToPort", 5432.into()),
            ("UserIdGroupPairs", pair),
        ]);
        if self.scene.rule_recorded {
            let args = [("GroupId", text(&database)), ("IpPermissions", Value::List(vec![rule]))];
            self.call(Operation::Ec2(Ec2::AuthorizeSecurityGroupIngress), args);
        }
        if self.scene.route_recorded {
            let args = [
                ("RouteTableId", text(&table)),
                ("DestinationCidrBlock", text("192.168.0.0/16")),
                ("NatGatewayId", text(&gateway)),
            ];
            self.call(Operation::Ec2(Ec2::CreateRoute), args);
        }
        if self.scene.foreign_keys {
            let tags = Value::map([("kubernetes.io/role/elb", "1"), ("map-migrated", "x")]);
            self.call(Operation::Ec2(Ec2::CreateTags), [("Resources", Value::list([subnet.as_str()])), ("Tags", tags)]);
        }
        self.border.ids = BTreeSet::from([bastion, self.group.clone()]);
    }

    /// Records them, and gives the state the form it is to have.
    fn record(&mut self) {
        let scene = self.scene.clone();
        let (database, table) = (self.id("aws_security_group.db"), self.id("module.vpc.aws_route_table.private[0]"));
        let bastion = self.border.ids.iter().find(|id| id.starts_with("i-")).expect("one").clone();
        let group = &self.group;
        let entry = |kind: &str, name: &str, key: &str, attributes: String| {
            format!(
                r#"{{"mode":"managed","type":"{kind}","name":"{name}","instances":[{{{key}"attributes":{{{attributes},"z":12345678901234567890.10,"a":1e2}}}}]}}"#
            )
        };
        let mut entries = vec![entry("aws_s3_bucket", "logs", "", r#""id":"logs""#.to_owned())];
        if scene.bastion_recorded {
            // Beside our own, under a key that no stack has.
            entries.push(entry("aws_instance", "app", r#""index_key":"blue","#, format!(r#""id":"{bastion}""#)));
        }
        if scene.group_recorded {
            entries.push(entry("aws_security_group", "bastion", "", format!(r#""id":"{group}""#)));
        }
        if scene.rule_recorded {
            let attributes = format!(
                r#""id":"sgr-1","security_group_id":"{database}","ip_protocol":"tcp","from_port":5432,"to_port":5432,"referenced_security_group_id":"{group}""#
            );
            entries.push(entry("aws_vpc_security_group_ingress_rule", "theirs", "", attributes));
        }
        if scene.route_recorded {
            let attributes =
                format!(r#""id":"r-1","route_table_id":"{table}","destination_cidr_block":"192.168.0.0/16""#);
            entries.push(entry("aws_route", "theirs", "", attributes));
        }
        let text = format!(r#"{{"version":4,"lineage":"{LINEAGE}","resources":[{}]}}"#, entries.join(","));
        self.foreign = file::read(&text).expect("a state");
        let mut state = self.bench.state();
        state.foreign.clone_from(&self.foreign.foreign);
        if scene.terraform {
            state = file::read(&without_section(&file::write(&state))).expect("a state");
            self.untag();
        }
        self.bench.store = MemoryStore::holding(state);
        self.bench.world.rest(std::time::Duration::from_secs(3600));
    }

    fn untag(&mut self) {
        let ids: Vec<String> = self.bench.state().objects().filter_map(|(_, r)| r.id().map(str::to_owned)).collect();
        let keys = || Value::list(["aloka-lineage", "aloka-address", "aloka-generation"]);
        for id in ids.iter().filter(|id| !id.starts_with("r-") && !id.starts_with("rtbassoc") && !id.starts_with("db-"))
        {
            if id.split_once('-').is_some_and(|(prefix, _)| prefix != "aloka") {
                self.call(
                    Operation::Ec2(Ec2::DeleteTags),
                    [("Resources", Value::list([id.as_str()])), ("TagKeys", keys())],
                );
            }
        }
        let account = self.bench.world.account.options().account_id.clone();
        for name in ["db:aloka-dev-db", "subgrp:aloka-db-subnet-group"] {
            let arn = Value::from(format!("arn:aws:rds:us-east-1:{account}:{name}"));
            self.call(Operation::Rds(Rds::RemoveTagsFromResource), [("ResourceName", arn), ("TagKeys", keys())]);
        }
    }

    /// Everything of others, as AWS describes it: their objects, and what they put on ours.
    fn seen(&mut self) -> Vec<Value> {
        let ids: Vec<String> = self.border.ids.iter().cloned().collect();
        let mut seen = Vec::new();
        for (operation, list, name) in [
            (Operation::Ec2(Ec2::DescribeInstances), "Instances", "InstanceId"),
            (Operation::Ec2(Ec2::DescribeSecurityGroups), "SecurityGroups", "GroupId"),
        ] {
            let reply = self.call(operation, []);
            let items = reply.get(list).as_list().unwrap_or_default().iter();
            seen.extend(items.filter(|i| i.get(name).as_str().is_some_and(|id| ids.iter().any(|o| o == id))).cloned());
        }
        let groups = self.call(Operation::Ec2(Ec2::DescribeSecurityGroups), []);
        let rules = groups.get("SecurityGroups").as_list().unwrap_or_default().iter();
        seen.extend(rules.filter(|g| g.get("GroupName").as_str() == Some("aloka-db-sg")).map(|group| {
            let theirs = group.get("IpPermissions").to_string().contains(&self.group);
            Value::from(theirs)
        }));
        let tables = self.call(Operation::Ec2(Ec2::DescribeRouteTables), []);
        seen.push(tables.to_string().contains("192.168.0.0/16").into());
        let subnets = self.call(Operation::Ec2(Ec2::DescribeSubnets), []);
        seen.push(subnets.to_string().matches("kubernetes.io/role/elb").count().to_string().into());
        seen
    }

    fn refused(problems: &[Problem]) -> String {
        problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    }

    fn act(&mut self, act: Act) {
        match act {
            Act::Apply(which) => self.run(which, Mode::Apply),
            Act::Refresh => self.run(0, Mode::RefreshOnly),
            Act::Destroy => {
                // The bastion is in our subnet: nothing of the stack may go.
                let why = match self.bench.plan(&variables(&tfvars(0)), Mode::Destroy) {
                    Ok(planned) => panic!("destroy is planned: {:?}", planned.plan.counts()),
                    Err(problems) => Self::refused(&problems),
                };
                let names_them = self.border.ids.iter().any(|id| why.contains(id.as_str()));
                assert!(names_them || why.contains("nothing says that"), "{why}");
            }
            Act::MoveForeign => {
                let mut state = self.bench.state();
                let Ok((moved, _)) = edit::mv(&state, "aws_s3_bucket.logs", "aws_s3_bucket.old") else { return };
                let (back, _) = edit::mv(&moved, "aws_s3_bucket.old", "aws_s3_bucket.logs").expect("moved back");
                assert_eq!(back.foreign, state.foreign);
                state.serial += 1;
                self.bench.store = MemoryStore::holding(state);
            }
        }
    }

    fn run(&mut self, which: u8, mode: Mode) {
        let variables = variables(&tfvars(which));
        let planned = match self.bench.plan(&variables, mode) {
            Ok(planned) => planned,
            // A plan that would replace what nothing claims, or cut the bastion off.
            Err(problems) => {
                let why = Self::refused(&problems);
                assert!(why.contains("not of this stack") || why.contains("nothing says that"), "{why}");
                return;
            }
        };
        for change in &planned.plan.changes {
            let id = change.before.get("id").and_then(Value::as_str).unwrap_or_default();
            assert!(!self.border.ids.contains(id), "{} is planned", change.target);
        }
        assert_eq!(planned.plan.data_loss().names(), Vec::<String>::new(), "{DATABASE} would go");
        let mut border = Border { ids: self.border.ids.clone(), touched: Vec::new() };
        let end = self.bench.run(&planned, &mut border);
        assert_eq!(border.touched, Vec::<String>::new(), "{end:?}");
        if mode == Mode::Apply {
            let again = self.bench.plan(&variables, mode).unwrap_or_else(|problems| panic!("{problems:?}"));
            assert!(again.plan.is_empty(), "{:?}", again.plan.changes.iter().find(|c| !c.attributes.is_empty()));
        }
    }

    fn judge(&mut self, after: &str) {
        let seen = self.seen();
        for (before, now) in self.before.iter().zip(&seen) {
            assert_eq!(before, now, "after {after}");
        }
        assert_eq!(self.before.len(), seen.len(), "after {after}");
        assert_eq!(self.bench.state().foreign, self.foreign.foreign, "after {after}");
    }
}

/// Variables that differ in what a change touches: rules, a type, a second server, tags, fewer rules.
fn tfvars(which: u8) -> String {
    let all = [
        "",
        "app_ingress = [{ port = 8080 }]\n",
        "app_instance_type = \"t3.medium\"\n",
        "app_instance_count = 2\n",
        "tags = { Team = \"web\" }\napp_ingress = []\n",
    ];
    all[usize::from(which) % all.len()].to_owned()
}

/// As Terraform writes it: its own keys only.
fn without_section(text: &str) -> String {
    let (before, _) = text.split_once(",\n  \"aloka\": {").expect("a section");
    format!("{before}\n}}\n")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn nothing_of_others_is_touched(scene in any_scene(), acts in prop::collection::vec(any_act(), 1..6)) {
        let mut play = Play::new(scene);
        play.judge("nothing");
        for act in acts {
            play.act(act);
            play.judge(&format!("{act:?}"));
        }
    }
}

/// What looking for lost and foreign objects costs a plan with nothing to do.
#[test]
fn a_plan_with_nothing_to_do_takes_eighteen_reads_at_most() {
    for scene in [None, Some([false; 8]), Some([true, true, true, true, true, false, false, true])] {
        let mut bench = match scene {
            None => {
                let mut bench = Bench::new(7, Durations::Instant);
                bench.apply(&variables(""), Mode::Apply);
                bench
            }
            Some([terraform, bastion_recorded, group_recorded, rule_recorded, route_recorded, _, _, foreign_keys]) => {
                let (copies_tags, other_lineage) = (false, false);
                let mut play = Play::new(Scene {
                    terraform,
                    bastion_recorded,
                    group_recorded,
                    rule_recorded,
                    route_recorded,
                    copies_tags,
                    other_lineage,
                    foreign_keys,
                });
                play.run(0, Mode::Apply);
                play.bench
            }
        };
        bench.world.rest(std::time::Duration::from_secs(3600));
        let count = |bench: &Bench| bench.world.calls().values().sum::<u64>();
        let before = count(&bench);
        let planned = bench.plan(&variables(""), Mode::Apply).expect("a plan");
        assert!(planned.plan.is_empty());
        let reads = count(&bench) - before;
        assert!((10..=18).contains(&reads), "{reads} reads");
    }
}
