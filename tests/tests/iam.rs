//! I5: the IAM actions a plan prints are those its run needs, neither more nor fewer; and a run that lacks one leaves
//! nothing half-known.
//!
//! What a call needs is decided by the simulated account's own table, which shares nothing with the printed list.

use std::collections::BTreeSet;

use aloka_core::api;
use aloka_core::api::{Call, Ec2, Operation, Rds, Request};
use aloka_core::engine::Outcome;
use aloka_core::plan::Mode;
use aloka_core::render::calls::iam_actions;
use aloka_core::session::claim::{Search, record_only};
use aloka_core::state::State;
use aloka_core::value::Value;
use aloka_core::variables::Variables;
use aloka_sim::aws::Durations;
use aloka_sim::iam::{Context, Decision, Policy};
use aloka_sim::rehearsal::{NotPlanned, claim_round, plan_round};
use aloka_sim::store::MemoryStore;
use aloka_sim::trace::{Trace, TraceKind};
use aloka_sim::world::{RunEnd, Unwatched};
use aloka_tests::{Bench, LINEAGE, any_tfvars, inputs, picture, secrets, variables};
use proptest::prelude::*;
use serde_json::json;

/// The role RDS makes at its first use; lacking, it is told apart from other permissions.
const ROLE: &str = "iam:CreateServiceLinkedRole";

fn allowing<'a>(actions: impl IntoIterator<Item = &'a String>) -> Policy {
    let actions: Vec<&String> = actions.into_iter().collect();
    let statement = json!({ "Effect": "Allow", "Action": actions, "Resource": "*" });
    Policy::parse(&json!({ "Version": "2012-10-17", "Statement": statement }).to_string()).expect("a policy")
}

fn obey(bench: &mut Bench, policy: Option<Policy>) {
    bench.world.account = bench.world.account.clone().with_policy(policy);
}

/// Changes nothing: what a plan for this would print, made by somebody who may do everything.
fn printed(bench: &Bench, variables: &Variables, mode: Mode) -> BTreeSet<String> {
    let mut bench = bench.clone();
    obey(&mut bench, None);
    let planned = bench.plan(variables, mode).unwrap_or_else(|problems| panic!("{problems:?}"));
    iam_actions(&planned.plan).into_iter().collect()
}

/// Plans and carries out. True if it was done.
fn attempt(bench: &mut Bench, variables: &Variables, mode: Mode) -> bool {
    let state = bench.state();
    let inputs = inputs(variables.clone(), mode, &state);
    let planned = match plan_round(&mut bench.world, &mut bench.store, &secrets(), state, &inputs) {
        Ok(planned) => planned,
        Err(NotPlanned::Problems(_)) => return false,
        Err(NotPlanned::Ended(end)) => panic!("planning ended with {end:?}"),
    };
    match bench.run(&planned, &mut Unwatched) {
        RunEnd::Outcome(Outcome::Done) => true,
        RunEnd::Outcome(Outcome::Failed { .. }) => false,
        end @ (RunEnd::Outcome(_) | RunEnd::Crashed | RunEnd::Stuck) => panic!("{end:?}"),
    }
}

/// What AWS refused since the trace was begun: operation and answer.
fn refusals(bench: &Bench) -> Vec<String> {
    let answers = bench.world.trace.entries().iter().filter(|entry| entry.kind == TraceKind::Aws);
    let unauthorized =
        ["-> UnauthorizedOperation", "-> AccessDenied", "credentials. Please check", "service linked role"];
    answers
        .map(|entry| &entry.what)
        .filter(|answer| unauthorized.iter().any(|sign| answer.contains(sign)))
        .cloned()
        .collect()
}

/// Plans and carries out with exactly what the plan prints, and expects no refusal.
fn apply(bench: &mut Bench, variables: &Variables, mode: Mode) {
    let actions = printed(bench, variables, mode);
    obey(bench, Some(allowing(&actions)));
    bench.world.trace = Trace::on();
    assert!(attempt(bench, variables, mode), "{mode:?}: {:?}", refusals(bench));
    assert_eq!(refusals(bench), [""; 0], "{mode:?}");
}

/// Plans again, with exactly what that prints, and expects nothing to do.
fn nothing_left(bench: &mut Bench, variables: &Variables, mode: Mode) {
    let actions = printed(bench, variables, mode);
    obey(bench, Some(allowing(&actions)));
    bench.world.trace = Trace::on();
    let again = bench.plan(variables, mode).unwrap_or_else(|problems| panic!("{problems:?}"));
    assert!(again.plan.is_empty());
    assert_eq!(refusals(bench), [""; 0], "{mode:?}");
}

/// Changes that between them send every call a change can send.
const CHANGES: [(&str, &str); 9] = [
    (
        "db_skip_final_snapshot = false\ndb_backup_retention_days = 7\n",
        "db_skip_final_snapshot = false\ndb_max_allocated_storage = 100\ndb_name = \"other\"\n",
    ),
    ("", "db_manage_master_user_password = true\n"),
    ("db_manage_master_user_password = true\n", ""),
    (
        "",
        "app_instance_type = \"t3.medium\"\napp_ingress = [{ port = 443 }, { port = 8443 }]\napp_instance_count = 2\n",
    ),
    ("", "app_root_volume_gib = 30\ndb_allocated_storage = 40\nenable_nat_gateway = false\ntags = { Team = \"x\" }\n"),
    ("tags = { Team = \"x\" }\n", "app_ami_family = \"al2023\"\ntags = { Other = \"y\" }\n"),
    ("app_ami_id = \"ami-0d27e0fb3bac4d724\"\n", "app_ami_id = \"ami-0d27e0fb3bac4d724\"\nproject_name = \"other\"\n"),
    (
        "single_nat_gateway = false\napp_instance_count = 3\n",
        "single_nat_gateway = true\ndb_instance_class = \"db.t3.small\"\n",
    ),
    (
        "app_instance_count = 0\n",
        "vpc_cidr = \"10.9.0.0/16\"\npublic_subnet_cidrs = [\"10.9.1.0/24\", \"10.9.2.0/24\"]\nprivate_subnet_cidrs = [\"10.9.3.0/24\", \"10.9.4.0/24\"]\n",
    ),
];

#[test]
fn what_a_plan_prints_is_enough_for_a_whole_life() {
    for (before, after) in CHANGES {
        let (before, after) = (variables(before), variables(after));
        let mut bench = Bench::new(31, Durations::Median);
        for stack in [&before, &after] {
            apply(&mut bench, stack, Mode::Apply);
            nothing_left(&mut bench, stack, Mode::Apply);
        }
        apply(&mut bench, &after, Mode::Destroy);
        assert!(bench.world.account.is_empty(bench.world.now()), "{:?}", picture(&bench.world));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn what_any_plan_prints_is_enough(before in any_tfvars(), after in any_tfvars()) {
        let (before, after) = (variables(&before), variables(&after));
        let mut bench = Bench::new(32, Durations::Instant);
        apply(&mut bench, &before, Mode::Apply);
        // Not every change can be made.
        prop_assume!(bench.clone().plan(&after, Mode::Apply).is_ok());
        apply(&mut bench, &after, Mode::Apply);
        apply(&mut bench, &after, Mode::Destroy);
    }
}

/// Takes every printed action out, one at a time. Returns the printed actions that the run did not miss.
fn take_out(start: &Bench, variables: &Variables, mode: Mode) -> BTreeSet<String> {
    let mut calm = start.clone();
    apply(&mut calm, variables, mode);
    let wanted = picture(&calm.world);
    let all = printed(start, variables, mode);
    let mut unmissed = BTreeSet::new();
    for action in &all {
        let mut bench = start.clone();
        obey(&mut bench, Some(allowing(all.iter().filter(|other| *other != action))));
        bench.world.trace = Trace::on();
        let done = attempt(&mut bench, variables, mode);
        let refused = refusals(&bench);
        let code = match action.split_once(':').map_or("", |(service, _)| service) {
            "ec2" => "UnauthorizedOperation",
            // RDS tells what it may not do elsewhere in the caller's name.
            "rds" | "kms" | "secretsmanager" => "AccessDenied",
            "ssm" => "AccessDeniedException",
            _ => "InvalidParameterValue",
        };
        for refusal in &refused {
            assert!(refusal.contains(&format!("-> {code}: ")), "{mode:?} without {action}: {refusal}");
            let names = if action == ROLE {
                refusal.contains("ServiceLinkedRoles") || refusal.contains("service linked role")
            } else {
                refusal.contains(&format!("perform: {action} "))
            };
            assert!(names, "{mode:?} without {action}: {refusal}");
        }
        if refused.is_empty() {
            unmissed.insert(action.clone());
            assert!(done, "{mode:?} without {action}");
        }
        // The permission is granted, and the command run again: as if nothing had happened.
        let mut runs = 0;
        loop {
            runs += 1;
            assert!(runs <= 3, "{mode:?} without {action}: not done after {runs} runs");
            let actions = printed(&bench, variables, mode);
            obey(&mut bench, Some(allowing(&actions)));
            bench.world.trace = Trace::on();
            let done = attempt(&mut bench, variables, mode);
            assert_eq!(refusals(&bench), [""; 0], "{mode:?} after {action} was granted");
            if done {
                break;
            }
        }
        assert_eq!(picture(&bench.world), wanted, "{mode:?} without {action}");
        nothing_left(&mut bench, variables, mode);
        assert!(bench.state().private.intents.is_empty(), "{mode:?} without {action}");
    }
    unmissed
}

/// Reads that planning may need are printed with every plan, and the role with every database, though RDS makes it but
/// once; nothing else is that is not needed.
fn expect_all_missed(unmissed: &BTreeSet<String>, mode: Mode, rds_was_used: bool) {
    let reads: BTreeSet<String> = api::reads().flat_map(Operation::iam_actions).collect();
    let idle: Vec<&String> = unmissed.difference(&reads).filter(|action| *action != ROLE || !rds_was_used).collect();
    assert!(idle.is_empty(), "{mode:?} prints {idle:?}, which it does not need");
}

#[test]
fn without_any_one_action_the_run_is_refused_and_can_be_resumed() {
    let stack = variables("");
    let start = Bench::new(33, Durations::Median);
    expect_all_missed(&take_out(&start, &stack, Mode::Apply), Mode::Apply, false);

    let mut standing = start;
    standing.apply(&stack, Mode::Apply);
    for (_, after) in CHANGES {
        expect_all_missed(&take_out(&standing, &variables(after), Mode::Apply), Mode::Apply, true);
    }
    expect_all_missed(&take_out(&standing, &stack, Mode::Destroy), Mode::Destroy, true);
}

/// What somebody may do who looks after one lineage in an account where others work: the policy that the checklist
/// advises, with what it leaves open filled in.
fn one_lineage(lineage: &str, region: &str) -> Policy {
    policy(&[include_str!("../../docs/iam-policy.json")], lineage, region, "")
}

/// The same, and the right to claim the default security group `group`, which AWS makes without tags.
fn with_default_group(lineage: &str, group: &str) -> Policy {
    let documents =
        [include_str!("../../docs/iam-policy.json"), include_str!("../../docs/iam-policy-default-group.json")];
    policy(&documents, lineage, REGION, group)
}

const REGION: &str = "us-east-1";
const ACCOUNT: &str = "123456789012";
const OTHER_LINEAGE: &str = "0b5e8f0e-6f5f-4e53-9d5c-3a3a5a1d0002";
/// The checklist's: with it, nothing without tags is to be claimed.
const LEAVE_DEFAULT_GROUP: &str = "manage_default_security_group = false\n";

/// The statements of all documents, for the default names.
fn policy(documents: &[&str], lineage: &str, region: &str, group: &str) -> Policy {
    let mut statements = Vec::new();
    for document in documents {
        let mut text = (*document).to_owned();
        let filled = [
            ("REGION", region),
            ("ACCOUNT", ACCOUNT),
            ("LINEAGE", lineage),
            ("PROJECT", "aloka"),
            ("ENVIRONMENT", "dev"),
            ("GROUP", group),
        ];
        for (name, value) in filled {
            text = text.replace(name, value);
        }
        let document: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        match &document["Statement"] {
            serde_json::Value::Array(list) => statements.extend(list.clone()),
            one => statements.push(one.clone()),
        }
    }
    Policy::parse(&json!({ "Version": "2012-10-17", "Statement": statements }).to_string())
        .unwrap_or_else(|error| panic!("{error}"))
}

/// IAM takes 6,144 characters of a managed policy, white space aside (IAM quotas).
#[test]
fn the_advised_policy_fits_into_one() {
    let text = include_str!("../../docs/iam-policy.json");
    let filled = text.replace("REGION", "ap-southeast-2").replace("ACCOUNT", ACCOUNT).replace("LINEAGE", LINEAGE);
    let filled = filled.replace("PROJECT", "projectname").replace("ENVIRONMENT", "production");
    let length = filled.chars().filter(|c| !c.is_whitespace()).count();
    assert!(length <= 6_144, "{length} characters");
}

/// Made, changed, replaced, destroyed, and found again after the state was lost.
#[test]
fn the_advised_policy_is_enough() {
    for (before, after) in CHANGES {
        // Names begin with the project's, which the policy names.
        if after.contains("project_name") {
            continue;
        }
        let [before, after] = [before, after].map(|stack| variables(&format!("{LEAVE_DEFAULT_GROUP}{stack}")));
        let mut bench = Bench::new(34, Durations::Median);
        obey(&mut bench, Some(one_lineage(LINEAGE, REGION)));
        bench.world.trace = Trace::on();
        for (stack, mode) in [(&before, Mode::Apply), (&after, Mode::Apply)] {
            let done = attempt(&mut bench, stack, mode);
            assert_eq!(refusals(&bench), [""; 0], "{before:?} {after:?} {mode:?}");
            assert!(done, "{before:?} {after:?} {mode:?}");
        }
        recover(&mut bench, &after);
        for mode in [Mode::Apply, Mode::Destroy] {
            assert!(attempt(&mut bench, &after, mode), "{after:?} {mode:?}");
        }
        assert_eq!(refusals(&bench), [""; 0], "{before:?} {after:?}");
        assert!(bench.world.account.is_empty(bench.world.now()));
    }
}

/// Loses the state, finds the stack by its tags and records it, as `aloka state recover` does.
fn recover(bench: &mut Bench, variables: &Variables) {
    // Larger than any generation in these tests.
    const FLOOR: u32 = 1_000_000;
    bench.store = MemoryStore::new();
    let state = State::new(LINEAGE);
    let inputs = inputs(variables.clone(), Mode::Apply, &state);
    let search = Search::Tagged { lineage: None };
    match claim_round(&mut bench.world, &mut bench.store, &secrets(), &state, (&inputs, &search), FLOOR) {
        Ok((_, planned)) => {
            let end = bench.run(&record_only(&planned, &inputs), &mut Unwatched);
            assert_eq!(end, RunEnd::Outcome(Outcome::Done));
        }
        Err(NotPlanned::Problems(problems)) => panic!("{problems:?}: {:?}", refusals(bench)),
        Err(NotPlanned::Ended(end)) => panic!("{end:?}"),
    }
}

/// The VPC's default group has no tags when AWS makes it. Without the right to claim that one group, only that is refused.
#[test]
fn the_default_group_is_claimed_by_its_identifier() {
    let stack = variables("");
    let mut bench = Bench::new(36, Durations::Median);
    obey(&mut bench, Some(one_lineage(LINEAGE, REGION)));
    bench.world.trace = Trace::on();
    assert!(!attempt(&mut bench, &stack, Mode::Apply));
    let refused = refusals(&bench);
    assert!(
        !refused.is_empty() && refused.iter().all(|refusal| refusal.contains("perform: ec2:CreateTags ")),
        "{refused:?}"
    );

    let group = default_group(&bench);
    obey(&mut bench, Some(with_default_group(LINEAGE, &group)));
    bench.world.trace = Trace::on();
    for mode in [Mode::Apply, Mode::Destroy] {
        assert!(attempt(&mut bench, &stack, mode), "{mode:?}: {:?}", refusals(&bench));
    }
    assert_eq!(refusals(&bench), [""; 0]);
    assert!(bench.world.account.is_empty(bench.world.now()));
}

/// The default security group of the only VPC.
fn default_group(bench: &Bench) -> String {
    let filters = Value::map([("group-name", Value::list(["default"]))]);
    let call = Call::new(Ec2::DescribeSecurityGroups, [("Filters", filters)]);
    let mut account = bench.world.account.clone().with_policy(None);
    let reply = account.call(bench.world.now(), &Request(call), &secrets()).unwrap_or_else(|error| panic!("{error}"));
    reply.at("SecurityGroups.0.GroupId").and_then(Value::as_str).expect("a group").to_owned()
}

/// Calls that would harm or claim the object, by the argument that names it.
fn harm(kind: &str, id: &str, arn: &str, lineage: &str) -> Vec<Call> {
    let text = |text: &str| Value::str(text);
    let list = || Value::list([id]);
    let call = |operation, args: Vec<(&'static str, Value)>| Call::new(operation, args);
    let lineage = || Value::map([("aloka-lineage", lineage)]);
    let open = || {
        let anywhere = Value::List(vec![Value::map([("CidrIp", "0.0.0.0/0")])]);
        Value::List(vec![Value::map([("IpProtocol", text("-1")), ("IpRanges", anywhere)])])
    };
    let tag = call(Operation::Ec2(Ec2::CreateTags), vec![("Resources", list()), ("Tags", lineage())]);
    let untag = call(Operation::Ec2(Ec2::DeleteTags), vec![("Resources", list()), ("TagKeys", Value::list(["Name"]))]);
    let mut calls = match kind {
        "aws_vpc" => vec![
            call(Operation::Ec2(Ec2::DeleteVpc), vec![("VpcId", text(id))]),
            call(
                Operation::Ec2(Ec2::ModifyVpcAttribute),
                vec![("VpcId", text(id)), ("EnableDnsSupport", false.into())],
            ),
        ],
        "aws_subnet" => vec![call(Operation::Ec2(Ec2::DeleteSubnet), vec![("SubnetId", text(id))])],
        "aws_internet_gateway" => {
            vec![call(Operation::Ec2(Ec2::DeleteInternetGateway), vec![("InternetGatewayId", text(id))])]
        }
        "aws_eip" => vec![call(Operation::Ec2(Ec2::ReleaseAddress), vec![("AllocationId", text(id))])],
        "aws_nat_gateway" => vec![call(Operation::Ec2(Ec2::DeleteNatGateway), vec![("NatGatewayId", text(id))])],
        "aws_route_table" => vec![
            call(Operation::Ec2(Ec2::DeleteRouteTable), vec![("RouteTableId", text(id))]),
            call(
                Operation::Ec2(Ec2::DeleteRoute),
                vec![("RouteTableId", text(id)), ("DestinationCidrBlock", text("0.0.0.0/0"))],
            ),
        ],
        "aws_security_group" => vec![
            call(Operation::Ec2(Ec2::DeleteSecurityGroup), vec![("GroupId", text(id))]),
            call(
                Operation::Ec2(Ec2::AuthorizeSecurityGroupIngress),
                vec![("GroupId", text(id)), ("IpPermissions", open())],
            ),
        ],
        "aws_instance" => vec![
            call(Operation::Ec2(Ec2::TerminateInstances), vec![("InstanceIds", list())]),
            call(Operation::Ec2(Ec2::StopInstances), vec![("InstanceIds", list())]),
            call(
                Operation::Ec2(Ec2::ModifyInstanceAttribute),
                vec![("InstanceId", text(id)), ("InstanceType", text("t3.large"))],
            ),
        ],
        "aws_ebs_volume" => {
            vec![call(Operation::Ec2(Ec2::ModifyVolume), vec![("VolumeId", text(id)), ("Size", 99.into())])]
        }
        "aws_db_instance" => {
            let named = || ("DBInstanceIdentifier", text(id));
            vec![
                call(Operation::Rds(Rds::DeleteDBInstance), vec![named(), ("SkipFinalSnapshot", true.into())]),
                call(
                    Operation::Rds(Rds::DeleteDBInstance),
                    vec![named(), ("SkipFinalSnapshot", false.into()), ("FinalDBSnapshotIdentifier", text("taken"))],
                ),
                call(
                    Operation::Rds(Rds::ModifyDBInstance),
                    vec![named(), ("DeletionProtection", false.into()), ("ApplyImmediately", true.into())],
                ),
            ]
        }
        "aws_db_subnet_group" => {
            vec![call(Operation::Rds(Rds::DeleteDBSubnetGroup), vec![("DBSubnetGroupName", text(id))])]
        }
        other => panic!("what would harm {other}?"),
    };
    if kind.starts_with("aws_db_") {
        calls
            .push(call(Operation::Rds(Rds::AddTagsToResource), vec![("ResourceName", text(arn)), ("Tags", lineage())]));
    } else {
        calls.extend([tag, untag]);
    }
    calls
}

/// Calls as the holder of a policy; each must be refused for want of permission.
fn all_refused(bench: &mut Bench, calls: Vec<Call>) {
    let now = bench.world.now();
    for call in calls {
        let told = call.to_string();
        let error = bench.world.account.call(now, &Request(call), &secrets()).expect_err(&told);
        assert!(matches!(error.code.as_str(), "UnauthorizedOperation" | "AccessDenied"), "{told}: {error}");
    }
}

fn arn_of(kind: &str, id: &str) -> String {
    let name = kind.trim_start_matches("aws_db_").replace("instance", "db").replace("subnet_group", "subgrp");
    format!("arn:aws:rds:{REGION}:{ACCOUNT}:{name}:{id}")
}

/// The stack of another lineage, in the same account, cannot be touched. Its owner can. Not even if it has the very names
/// that the policy lets its holder use.
#[test]
fn a_foreign_stack_is_out_of_reach() {
    for names in ["", "environment = \"prod\"\n", "project_name = \"theirs\"\n"] {
        let mut bench = Bench::new(35, Durations::Median);
        bench.apply(&variables(names), Mode::Apply);
        let foreign = bench.world.account.objects(bench.world.now());
        obey(&mut bench, Some(one_lineage(OTHER_LINEAGE, REGION)));
        let mut kinds = BTreeSet::new();
        for object in foreign {
            let kind = object.kind.to_string();
            all_refused(&mut bench, harm(&kind, &object.id, &arn_of(&kind, &object.id), OTHER_LINEAGE));
            kinds.insert(kind);
        }
        assert_eq!(kinds.len(), 11, "{kinds:?}");
    }
}

/// What nobody has tagged is not there to be claimed: the objects that Terraform, or a hand, has made.
#[test]
fn what_has_no_tags_cannot_be_claimed() {
    let mut bench = Bench::new(37, Durations::Median);
    bench.apply(&variables("project_name = \"theirs\""), Mode::Apply);
    let now = bench.world.now();
    for object in bench.world.account.objects(now) {
        let keys = Value::list(object.tags.keys());
        let arn = arn_of(&object.kind.to_string(), &object.id);
        let untag = if arn.contains(":rds:") && object.kind.to_string().starts_with("aws_db_") {
            Call::new(Rds::RemoveTagsFromResource, [("ResourceName", Value::from(arn)), ("TagKeys", keys)])
        } else {
            Call::new(Ec2::DeleteTags, [("Resources", Value::list([&object.id])), ("TagKeys", keys)])
        };
        if !object.tags.is_empty() {
            bench.world.account.call(now, &Request(untag), &secrets()).unwrap_or_else(|error| panic!("{error}"));
        }
    }
    obey(&mut bench, Some(one_lineage(LINEAGE, REGION)));
    for object in bench.world.account.objects(now) {
        assert!(object.tags.is_empty(), "{object:?}");
        let kind = object.kind.to_string();
        all_refused(&mut bench, harm(&kind, &object.id, &arn_of(&kind, &object.id), LINEAGE));
    }
}

/// In another Region the holder may do nothing, not even look.
#[test]
fn another_region_is_out_of_reach() {
    let mut bench = Bench::new(38, Durations::Median);
    bench.apply(&variables(LEAVE_DEFAULT_GROUP), Mode::Apply);
    let own = bench.world.account.objects(bench.world.now());
    obey(&mut bench, Some(one_lineage(LINEAGE, "eu-west-1")));
    for object in own {
        let kind = object.kind.to_string();
        all_refused(&mut bench, harm(&kind, &object.id, &arn_of(&kind, &object.id), LINEAGE));
    }
    let tags = || ("Tags", Value::map([("aloka-lineage", LINEAGE)]));
    let make = |operation, args: Vec<(&'static str, Value)>| Call::new(operation, args.into_iter().chain([tags()]));
    let looks = [
        Operation::Ec2(Ec2::DescribeVpcs),
        Operation::Ec2(Ec2::DescribeInstances),
        Operation::Rds(Rds::DescribeDBInstances),
    ];
    let calls = looks.map(|operation| Call::new(operation, []));
    all_refused(&mut bench, calls.into());
    let made = vec![
        make(Operation::Ec2(Ec2::CreateVpc), vec![("CidrBlock", Value::str("10.8.0.0/16"))]),
        make(Operation::Ec2(Ec2::AllocateAddress), vec![("Domain", Value::str("vpc"))]),
        make(Operation::Ec2(Ec2::CreateInternetGateway), Vec::new()),
    ];
    all_refused(&mut bench, made);
}

/// What the holder may do about `action` on `resource` in a request with these condition keys.
fn decided(action: &str, resource: &str, keys: &[(&str, &str)]) -> Decision {
    let region = Context::new().with("aws:RequestedRegion", REGION).with("ec2:Region", REGION);
    let context = keys.iter().fold(region, |context, (key, value)| context.with(key, *value));
    one_lineage(LINEAGE, REGION).decide(action, resource, &context)
}

/// Type and groups of an own server, and nothing else of it: user data would be run as root.
#[test]
fn the_boot_script_cannot_be_changed() {
    let server = format!("arn:aws:ec2:{REGION}:{ACCOUNT}:instance/i-1");
    let own = ("aws:ResourceTag/aloka-lineage", LINEAGE);
    let modify = |keys: &[(&str, &str)]| decided("ec2:ModifyInstanceAttribute", &server, keys);
    for attribute in ["InstanceType", "GroupId"] {
        assert_eq!(modify(&[own, ("ec2:Attribute", attribute)]), Decision::Allowed, "{attribute}");
        let other = ("aws:ResourceTag/aloka-lineage", OTHER_LINEAGE);
        assert_eq!(modify(&[other, ("ec2:Attribute", attribute)]), Decision::NotAllowed, "{attribute}");
        assert_eq!(modify(&[("ec2:Attribute", attribute)]), Decision::NotAllowed, "{attribute}");
    }
    assert_eq!(modify(&[own, ("ec2:Attribute", "UserData")]), Decision::Denied);
    for attribute in ["userData", "DisableApiTermination", "SourceDestCheck", "BlockDeviceMapping", "Kernel"] {
        assert_eq!(modify(&[own, ("ec2:Attribute", attribute)]), Decision::NotAllowed, "{attribute}");
    }
    // Where EC2 does not say which attribute it is.
    assert_eq!(modify(&[own]), Decision::NotAllowed);
}

/// A request with our tags reaches nothing of others that it names besides what it makes. The simulated account shows the
/// tags of a request on what is made alone; AWS may show them on all that it is about.
#[test]
fn tags_of_a_request_open_nothing_that_is_there() {
    let ec2 = |kind: &str| format!("arn:aws:ec2:{REGION}:{ACCOUNT}:{kind}/x-1");
    let rds = |name: &str| format!("arn:aws:rds:{REGION}:{ACCOUNT}:{name}");
    let named = [
        ("ec2:CreateSubnet", ec2("vpc")),
        ("ec2:CreateRouteTable", ec2("vpc")),
        ("ec2:CreateSecurityGroup", ec2("vpc")),
        ("ec2:CreateNatGateway", ec2("subnet")),
        ("ec2:CreateNatGateway", ec2("elastic-ip")),
        ("ec2:CreateNatGateway", ec2("vpc")),
        ("ec2:RunInstances", ec2("subnet")),
        ("ec2:RunInstances", ec2("security-group")),
        ("ec2:CreateRoute", ec2("route-table")),
        ("ec2:CreateTags", ec2("security-group")),
        ("ec2:CreateTags", ec2("instance")),
        ("rds:CreateDBInstance", rds("subgrp:aloka-db-subnet-group")),
        ("rds:CreateDBInstance", rds("subgrp:others")),
        ("rds:AddTagsToResource", rds("db:aloka-prod-db")),
        ("rds:AddTagsToResource", rds("cluster:aloka-dev-db")),
    ];
    let tags = [("aws:RequestTag/aloka-lineage", LINEAGE), ("aws:TagKeys", "aloka-lineage")];
    for (action, resource) in named {
        assert_eq!(decided(action, &resource, &tags), Decision::NotAllowed, "{action} {resource} without tags");
        let foreign = [tags[0], tags[1], ("aws:ResourceTag/aloka-lineage", OTHER_LINEAGE)];
        assert_eq!(decided(action, &resource, &foreign), Decision::NotAllowed, "{action} {resource} of others");
        let own = [tags[0], tags[1], ("aws:ResourceTag/aloka-lineage", LINEAGE)];
        let expected = if resource.ends_with("others") || resource.contains("prod") || resource.contains("cluster") {
            Decision::NotAllowed
        } else {
            Decision::Allowed
        };
        assert_eq!(decided(action, &resource, &own), expected, "{action} {resource} of our own");
    }
    // A database of the stack's own name that is another lineage's stays so.
    let foreign = [tags[0], tags[1], ("aws:ResourceTag/aloka-lineage", OTHER_LINEAGE)];
    assert_eq!(decided("rds:AddTagsToResource", &rds("db:aloka-dev-db"), &foreign), Decision::NotAllowed);
    assert_eq!(decided("rds:AddTagsToResource", &rds("db:aloka-dev-db"), &tags), Decision::Allowed);
    // A snapshot may have any name, and is of a database of our own alone: RDS asks for both.
    assert_eq!(decided("rds:CreateDBSnapshot", &rds("snapshot:any"), &[]), Decision::Allowed);
    for keys in [&tags[..], &foreign[..]] {
        assert_eq!(decided("rds:CreateDBSnapshot", &rds("db:aloka-dev-db"), keys), Decision::NotAllowed);
    }
    for action in ["rds:DeleteDBSnapshot", "rds:ModifyDBSnapshotAttribute", "rds:RestoreDBInstanceFromDBSnapshot"] {
        assert_eq!(decided(action, &rds("snapshot:any"), &[]), Decision::NotAllowed, "{action}");
    }
}

/// What is ours stays marked as ours: nobody else's plan is to meet it, and no plan of ours is to miss it.
#[test]
fn the_lineage_stays() {
    let own = ("aws:ResourceTag/aloka-lineage", LINEAGE);
    let group = format!("arn:aws:ec2:{REGION}:{ACCOUNT}:security-group/sg-1");
    let database = format!("arn:aws:rds:{REGION}:{ACCOUNT}:db:aloka-dev-db");
    for (add, remove, resource) in [
        ("ec2:CreateTags", "ec2:DeleteTags", &group),
        ("rds:AddTagsToResource", "rds:RemoveTagsFromResource", &database),
    ] {
        let other = ("aws:RequestTag/aloka-lineage", OTHER_LINEAGE);
        assert_eq!(decided(add, resource, &[own, other]), Decision::Denied, "{add}");
        assert_eq!(decided(add, resource, &[own, ("aws:RequestTag/Team", "x")]), Decision::Allowed, "{add}");
        for key in ["aloka-lineage", "aloka-address", "aloka-generation"] {
            assert_eq!(decided(remove, resource, &[own, ("aws:TagKeys", key)]), Decision::Denied, "{remove} {key}");
        }
        assert_eq!(decided(remove, resource, &[own, ("aws:TagKeys", "Team")]), Decision::Allowed, "{remove}");
    }
    // Without a key, EC2 removes all tags.
    assert_eq!(decided("ec2:DeleteTags", &group, &[own]), Decision::NotAllowed);
}
