//! I5: the IAM actions a plan prints are those its run needs, neither more nor fewer; and a run that lacks one leaves
//! nothing half-known.
//!
//! What a call needs is decided by the simulated account's own table, which shares nothing with the printed list.

use std::collections::BTreeSet;

use aloka_core::api::{Call, Operation, Request};
use aloka_core::engine::Outcome;
use aloka_core::plan::Mode;
use aloka_core::render::calls::iam_actions;
use aloka_core::session;
use aloka_core::value::Value;
use aloka_core::variables::Variables;
use aloka_sim::aws::Durations;
use aloka_sim::iam::Policy;
use aloka_sim::rehearsal::{NotPlanned, plan_round};
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
const CHANGES: [(&str, &str); 8] = [
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
    let reads: BTreeSet<String> = session::reads().flat_map(Operation::iam_actions).collect();
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

/// What somebody may do who looks after one lineage in an account where others work.
///
/// Two things cannot be said with tags. A default security group is made by AWS, without any: to claim it, it must be
/// allowed to tag a security group that has no lineage. And RDS does not tell tagging at creation from tagging: its
/// names are said instead.
fn one_lineage() -> Policy {
    let requested = json!({ "StringEquals": { "aws:RequestTag/aloka-lineage": LINEAGE } });
    let owned = json!({ "StringEquals": { "aws:ResourceTag/aloka-lineage": LINEAGE } });
    let new =
        |kinds: &[&str]| -> Vec<String> { kinds.iter().map(|kind| format!("arn:aws:ec2:*:*:{kind}/*")).collect() };
    let made = new(&[
        "vpc",
        "subnet",
        "internet-gateway",
        "elastic-ip",
        "natgateway",
        "route-table",
        "security-group",
        "instance",
        "volume",
    ]);
    let makes = [
        "ec2:CreateVpc",
        "ec2:CreateSubnet",
        "ec2:CreateInternetGateway",
        "ec2:AllocateAddress",
        "ec2:CreateNatGateway",
        "ec2:CreateRouteTable",
        "ec2:CreateSecurityGroup",
        "ec2:RunInstances",
    ];
    let databases = ["arn:aws:rds:*:*:db:aloka-*", "arn:aws:rds:*:*:subgrp:aloka-*"];
    let statements = json!([
        { "Sid": "Look", "Effect": "Allow", "Resource": "*",
          "Action": ["ec2:Describe*", "rds:Describe*", "rds:ListTagsForResource", "ssm:GetParameter"] },
        { "Sid": "Make", "Effect": "Allow", "Action": makes, "Resource": made, "Condition": requested },
        { "Sid": "TagWhatIsMade", "Effect": "Allow", "Action": "ec2:CreateTags", "Resource": made,
          "Condition": {
              "StringEquals": {
                  "aws:RequestTag/aloka-lineage": LINEAGE,
                  "ec2:CreateAction": makes.map(|action| action.trim_start_matches("ec2:")),
              },
          } },
        { "Sid": "MakeFrom", "Effect": "Allow", "Action": "ec2:RunInstances",
          "Resource": ["arn:aws:ec2:*::image/*", "arn:aws:ec2:*:*:network-interface/*"] },
        { "Sid": "Work", "Effect": "Allow", "Action": "ec2:*", "Resource": "*", "Condition": owned },
        { "Sid": "ClaimTheDefaultGroup", "Effect": "Allow", "Action": "ec2:CreateTags",
          "Resource": "arn:aws:ec2:*:*:security-group/*",
          "Condition": {
              "StringEquals": { "aws:RequestTag/aloka-lineage": LINEAGE },
              "Null": { "aws:ResourceTag/aloka-lineage": "true" },
          } },
        { "Sid": "KeepTheLineage", "Effect": "Deny", "Action": ["ec2:DeleteTags", "rds:RemoveTagsFromResource"],
          "Resource": "*", "Condition": { "ForAnyValue:StringLike": { "aws:TagKeys": "aloka-*" } } },
        { "Sid": "MakeDatabases", "Effect": "Allow", "Resource": databases, "Condition": requested,
          "Action": ["rds:CreateDBSubnetGroup", "rds:CreateDBInstance", "rds:AddTagsToResource"] },
        { "Sid": "MakeDatabasesFrom", "Effect": "Allow", "Action": "rds:CreateDBInstance",
          "Resource": ["arn:aws:rds:*:*:pg:default.*", "arn:aws:rds:*:*:og:default:*"] },
        { "Sid": "WorkOnDatabases", "Effect": "Allow", "Action": "rds:*", "Resource": databases, "Condition": owned },
        { "Sid": "KeepPasswords", "Effect": "Allow", "Action": ["secretsmanager:CreateSecret", "secretsmanager:TagResource"],
          "Resource": "arn:aws:secretsmanager:*:*:secret:rds!*" },
        { "Sid": "KeepPasswordsUnderAKey", "Effect": "Allow", "Action": "kms:DescribeKey", "Resource": "*" },
        { "Sid": "FirstUseOfRds", "Effect": "Allow", "Action": "iam:CreateServiceLinkedRole",
          "Resource": "arn:aws:iam::*:role/aws-service-role/rds.amazonaws.com/AWSServiceRoleForRDS",
          "Condition": { "StringLike": { "iam:AWSServiceName": "rds.amazonaws.com" } } },
    ]);
    Policy::parse(&json!({ "Version": "2012-10-17", "Statement": statements }).to_string())
        .unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn tags_are_enough_to_tell_what_may_be_touched() {
    for (before, after) in CHANGES {
        // Names begin with the project's, which the policy names.
        if after.contains("project_name") {
            continue;
        }
        let mut bench = Bench::new(34, Durations::Median);
        obey(&mut bench, Some(one_lineage()));
        bench.world.trace = Trace::on();
        for (stack, mode) in [(before, Mode::Apply), (after, Mode::Apply), (after, Mode::Destroy)] {
            let done = attempt(&mut bench, &variables(stack), mode);
            assert_eq!(refusals(&bench), [""; 0], "{before:?} {after:?} {mode:?}");
            assert!(done, "{before:?} {after:?} {mode:?}");
        }
        assert!(bench.world.account.is_empty(bench.world.now()));
    }
}

/// Calls that would harm or claim the object, by the argument that names it.
fn harm(kind: &str, id: &str, arn: &str) -> Vec<Call> {
    let text = |text: &str| Value::str(text);
    let list = || Value::list([id]);
    let call = |operation, args: Vec<(&'static str, Value)>| Call::new(operation, args);
    let lineage = || Value::map([("aloka-lineage", LINEAGE)]);
    let tag = call(Operation::CreateTags, vec![("Resources", list()), ("Tags", lineage())]);
    let untag = call(Operation::DeleteTags, vec![("Resources", list()), ("TagKeys", Value::list(["Name"]))]);
    let mut calls = match kind {
        "aws_vpc" => vec![
            call(Operation::DeleteVpc, vec![("VpcId", text(id))]),
            call(Operation::ModifyVpcAttribute, vec![("VpcId", text(id)), ("EnableDnsSupport", false.into())]),
        ],
        "aws_subnet" => vec![call(Operation::DeleteSubnet, vec![("SubnetId", text(id))])],
        "aws_internet_gateway" => {
            vec![call(Operation::DeleteInternetGateway, vec![("InternetGatewayId", text(id))])]
        }
        "aws_eip" => vec![call(Operation::ReleaseAddress, vec![("AllocationId", text(id))])],
        "aws_nat_gateway" => vec![call(Operation::DeleteNatGateway, vec![("NatGatewayId", text(id))])],
        "aws_route_table" => vec![
            call(Operation::DeleteRouteTable, vec![("RouteTableId", text(id))]),
            call(Operation::DeleteRoute, vec![("RouteTableId", text(id)), ("DestinationCidrBlock", text("0.0.0.0/0"))]),
        ],
        "aws_security_group" => vec![call(Operation::DeleteSecurityGroup, vec![("GroupId", text(id))])],
        "aws_instance" => vec![
            call(Operation::TerminateInstances, vec![("InstanceIds", list())]),
            call(Operation::StopInstances, vec![("InstanceIds", list())]),
        ],
        "aws_ebs_volume" => vec![call(Operation::ModifyVolume, vec![("VolumeId", text(id)), ("Size", 99.into())])],
        "aws_db_instance" => vec![call(
            Operation::DeleteDBInstance,
            vec![("DBInstanceIdentifier", text(id)), ("SkipFinalSnapshot", true.into())],
        )],
        "aws_db_subnet_group" => vec![call(Operation::DeleteDBSubnetGroup, vec![("DBSubnetGroupName", text(id))])],
        other => panic!("what would harm {other}?"),
    };
    if kind.starts_with("aws_db_") {
        calls.push(call(Operation::AddTagsToResource, vec![("ResourceName", text(arn)), ("Tags", lineage())]));
    } else {
        calls.extend([tag, untag]);
    }
    calls
}

/// The stack of another lineage, in the same account, cannot be touched. Its owner can.
#[test]
fn a_foreign_stack_is_out_of_reach() {
    let mut bench = Bench::new(35, Durations::Median);
    bench.apply(&variables("project_name = \"theirs\"\n"), Mode::Apply);
    let now = bench.world.now();
    let foreign = bench.world.account.objects(now);
    let theirs = Policy::parse(&one_lineage().text().replace(LINEAGE, "0b5e8f0e-6f5f-4e53-9d5c-3a3a5a1d0002"))
        .unwrap_or_else(|error| panic!("{error}"));
    obey(&mut bench, Some(theirs));
    let mut kinds = BTreeSet::new();
    for object in foreign {
        let kind = object.kind.to_string();
        let name = kind.trim_start_matches("aws_db_").replace("instance", "db").replace("subnet_group", "subgrp");
        let arn = format!("arn:aws:rds:us-east-1:123456789012:{name}:{}", object.id);
        for call in harm(&kind, &object.id, &arn) {
            let told = call.to_string();
            let error = bench.world.account.call(now, &Request(call), &secrets()).expect_err(&told);
            assert!(matches!(error.code.as_str(), "UnauthorizedOperation" | "AccessDenied"), "{told}: {error}");
        }
        kinds.insert(kind);
    }
    assert_eq!(kinds.len(), 11, "{kinds:?}");
}
