//! Permissions, calls that only ask, and rate limits of the simulated account.

use aloka_core::api::{Ec2, Operation, Rds, Ssm, Sts};
use aloka_sim::aws::{Account, Options};
use aloka_sim::iam::Policy;
use serde_json::{Value as Json, json};

use crate::cloud::{Cloud, NOWHERE, Network, database, launch, request};

impl Cloud {
    /// From now on, the caller may do only what these statements allow.
    fn obey(&mut self, statements: &Json) {
        let text = json!({ "Version": "2012-10-17", "Statement": statements }).to_string();
        let policy = Policy::parse(&text).unwrap_or_else(|error| panic!("{error}"));
        self.account = self.account.clone().with_policy(Some(policy));
    }

    /// The code of the answer to a call that only asks.
    fn asked(&mut self, operation: Operation, arguments: &Json) -> String {
        self.ok(Operation::Sts(Sts::GetCallerIdentity), json!({}));
        let before = serde_json::to_string(&self.account).expect("an account");
        let error = self.account.dry_run(self.now, &request(operation, arguments), &self.secrets);
        assert_eq!(before, serde_json::to_string(&self.account).expect("an account"), "{operation}: {error}");
        error.code
    }
}

fn allow(actions: &[&str]) -> Json {
    json!({ "Effect": "Allow", "Action": actions, "Resource": "*" })
}

#[test]
fn what_is_not_allowed_is_refused_and_changes_nothing() {
    let mut cloud = Cloud::instant();
    let network = Network::new(&mut cloud);
    network.subnet_group(&mut cloud, "group");
    cloud.obey(&allow(&["ec2:Describe*", "ec2:CreateVpc", "rds:CreateDBInstance"]));
    let vpc = |tags: Json| json!({ "CidrBlock": "10.1.0.0/16", "Tags": tags });
    cloud.table(&[
        (Operation::Sts(Sts::GetCallerIdentity), json!({}), "ok"),
        (Operation::Ec2(Ec2::DescribeVpcs), json!({}), "ok"),
        (Operation::Ec2(Ec2::CreateVpc), vpc(json!({})), "ok"),
        // To tag it is another permission.
        (Operation::Ec2(Ec2::CreateVpc), vpc(json!({ "a": "b" })), "UnauthorizedOperation"),
        (Operation::Ec2(Ec2::DeleteVpc), json!({ "VpcId": network.vpc }), "UnauthorizedOperation"),
        // Who may not ask is not told.
        (Operation::Ec2(Ec2::DeleteVpc), json!({ "VpcId": format!("vpc-{NOWHERE}") }), "UnauthorizedOperation"),
        // But a call that is no call is not looked at.
        (Operation::Ec2(Ec2::DeleteVpc), json!({}), "MissingParameter"),
        (Operation::Rds(Rds::CreateDBInstance), database("db", "group", &network.group), "ok"),
        (Operation::Rds(Rds::DescribeDBInstances), json!({}), "AccessDenied"),
        (Operation::Ssm(Ssm::GetParameter), json!({ "Name": "/x" }), "AccessDeniedException"),
    ]);
}

#[test]
fn tags_decide() {
    let mut cloud = Cloud::instant();
    let ours = cloud.vpc("10.0.0.0/16");
    let theirs = cloud.vpc("10.1.0.0/16");
    cloud.ok(Operation::Ec2(Ec2::CreateTags), json!({ "Resources": [ours], "Tags": { "Owner": "us" } }));
    cloud.ok(Operation::Ec2(Ec2::CreateTags), json!({ "Resources": [theirs], "Tags": { "Owner": "them" } }));
    cloud.obey(&json!([
        { "Effect": "Allow", "Action": "ec2:*", "Resource": "arn:aws:ec2:*:*:vpc/*",
          "Condition": { "StringEquals": { "ec2:ResourceTag/Owner": "us" } } },
        { "Effect": "Allow", "Action": ["ec2:CreateSubnet", "ec2:CreateTags"], "Resource": "arn:aws:ec2:*:*:subnet/*",
          "Condition": { "StringEquals": { "aws:RequestTag/Owner": "us" } } },
        { "Effect": "Deny", "Action": "ec2:*", "Resource": "*",
          "Condition": { "ForAnyValue:StringEquals": { "aws:TagKeys": "Secret" } } },
    ]));
    let subnet = |vpc: &str, cidr: &str, tags: Json| json!({ "VpcId": vpc, "CidrBlock": cidr, "Tags": tags });
    cloud.table(&[
        (Operation::Ec2(Ec2::DeleteVpc), json!({ "VpcId": ours }), "ok"),
        (Operation::Ec2(Ec2::DeleteVpc), json!({ "VpcId": theirs }), "UnauthorizedOperation"),
        (Operation::Ec2(Ec2::CreateSubnet), subnet(&ours, "10.0.1.0/24", json!({ "Owner": "us" })), "ok"),
        (
            Operation::Ec2(Ec2::CreateSubnet),
            subnet(&ours, "10.0.1.0/24", json!({ "Owner": "them" })),
            "UnauthorizedOperation",
        ),
        (Operation::Ec2(Ec2::CreateSubnet), subnet(&ours, "10.0.1.0/24", json!({})), "UnauthorizedOperation"),
        (
            Operation::Ec2(Ec2::CreateSubnet),
            subnet(&theirs, "10.1.1.0/24", json!({ "Owner": "us" })),
            "UnauthorizedOperation",
        ),
        (
            Operation::Ec2(Ec2::CreateSubnet),
            subnet(&ours, "10.0.1.0/24", json!({ "Owner": "us", "Secret": "x" })),
            "UnauthorizedOperation",
        ),
    ]);
}

/// The role stays when the database and its group are gone.
#[test]
fn rds_needs_a_role_once() {
    let mut cloud = Cloud::instant();
    let network = Network::new(&mut cloud);
    let group = json!({ "DBSubnetGroupName": "group", "DBSubnetGroupDescription": "test",
        "SubnetIds": network.private, "Tags": {} });
    cloud.obey(&allow(&["rds:*"]));
    assert_eq!(cloud.code(Operation::Rds(Rds::CreateDBSubnetGroup), &group), "InvalidParameterValue");
    cloud.obey(&json!([
        allow(&["rds:*"]),
        { "Effect": "Allow", "Action": "iam:CreateServiceLinkedRole",
          "Resource": "arn:aws:iam::*:role/aws-service-role/rds.amazonaws.com/AWSServiceRoleForRDS",
          "Condition": { "StringLike": { "iam:AWSServiceName": "rds.amazonaws.com" } } },
    ]));
    assert_eq!(cloud.code(Operation::Rds(Rds::CreateDBSubnetGroup), &group), "ok");
    cloud.ok(Operation::Rds(Rds::DeleteDBSubnetGroup), json!({ "DBSubnetGroupName": "group" }));
    cloud.obey(&allow(&["rds:*"]));
    assert_eq!(cloud.code(Operation::Rds(Rds::CreateDBSubnetGroup), &group), "ok");
}

#[test]
fn a_call_that_only_asks() {
    let mut cloud = Cloud::median();
    let network = Network::new(&mut cloud);
    let vpc = json!({ "CidrBlock": "10.1.0.0/16", "Tags": {} });
    let yes = "DryRunOperation";
    assert_eq!(cloud.asked(Operation::Ec2(Ec2::CreateVpc), &vpc), yes);
    assert_eq!(cloud.asked(Operation::Ec2(Ec2::DescribeVpcs), &json!({})), yes);
    assert_eq!(cloud.asked(Operation::Ec2(Ec2::RunInstances), &launch(&network.public[0], &network.group, "t")), yes);
    // Parameters count, and what they name.
    assert_eq!(
        cloud.asked(Operation::Ec2(Ec2::CreateVpc), &json!({ "CidrBlock": "10.1.0.0/8", "Tags": {} })),
        "InvalidVpc.Range"
    );
    assert_eq!(cloud.asked(Operation::Ec2(Ec2::CreateVpc), &json!({})), "MissingParameter");
    assert_eq!(
        cloud.asked(Operation::Ec2(Ec2::DeleteVpc), &json!({ "VpcId": format!("vpc-{NOWHERE}") })),
        "InvalidVpcID.NotFound"
    );
    // What is in the way does not: the real call meets it.
    assert_eq!(cloud.asked(Operation::Ec2(Ec2::DeleteVpc), &json!({ "VpcId": network.vpc })), yes);
    assert_eq!(cloud.code(Operation::Ec2(Ec2::DeleteVpc), &json!({ "VpcId": network.vpc })), "DependencyViolation");
    for cidr in ["10.2.0.0/16", "10.3.0.0/16", "10.4.0.0/16", "10.5.0.0/16"] {
        cloud.vpc(cidr);
    }
    assert_eq!(cloud.asked(Operation::Ec2(Ec2::CreateVpc), &vpc), yes);
    assert_eq!(cloud.code(Operation::Ec2(Ec2::CreateVpc), &vpc), "VpcLimitExceeded");
    // Not everything can be asked.
    let hostnames = json!({ "VpcId": network.vpc, "EnableDnsHostnames": true });
    assert_eq!(cloud.asked(Operation::Ec2(Ec2::ModifyVpcAttribute), &hostnames), "UnknownParameter");
    assert_eq!(cloud.asked(Operation::Rds(Rds::DescribeDBInstances), &json!({})), "UnknownParameter");
    assert_eq!(cloud.asked(Operation::Sts(Sts::GetCallerIdentity), &json!({})), "UnknownParameter");

    cloud.obey(&allow(&["ec2:Describe*"]));
    assert_eq!(cloud.asked(Operation::Ec2(Ec2::CreateVpc), &vpc), "UnauthorizedOperation");
    assert_eq!(cloud.asked(Operation::Ec2(Ec2::DescribeVpcs), &json!({})), yes);
}

#[test]
fn rate_limits_are_off_unless_asked_for() {
    let throttled = |options: Options| {
        let mut cloud = Cloud::new(options);
        let codes = (0..300).filter(|_| cloud.send(Operation::Ec2(Ec2::DescribeVpcs), &json!({})).is_err()).count();
        let asked =
            cloud.account.dry_run(cloud.now, &request(Operation::Ec2(Ec2::DescribeVpcs), &json!({})), &cloud.secrets);
        (codes, asked.code)
    };
    assert_eq!(throttled(Options::default()), (0, "DryRunOperation".to_owned()));
    let limited = Options { throttling: true, ..Options::default() };
    assert_eq!(throttled(limited), (200, "RequestLimitExceeded".to_owned()));
}

/// An account saved before permissions and rate limits were known.
#[test]
fn an_older_account_loads() {
    let mut cloud = Cloud::instant();
    let network = Network::new(&mut cloud);
    network.subnet_group(&mut cloud, "group");
    let mut saved = serde_json::to_value(&cloud.account).expect("an account");
    let fields = saved.as_object_mut().expect("an object");
    assert!(fields.remove("throttle").is_some() && fields.remove("rds_role").is_some());
    assert!(!fields.contains_key("policy"));
    let options = fields.get_mut("options").and_then(Json::as_object_mut).expect("options");
    assert!(options.remove("throttling").is_some());
    cloud.account = serde_json::from_value::<Account>(saved).expect("an account");
    cloud.obey(&allow(&["rds:*"]));
    assert_eq!(cloud.code(Operation::Rds(Rds::CreateDBInstance), &database("db", "group", &network.group)), "ok");

    let saved = serde_json::to_string(&cloud.account).expect("an account");
    cloud.account = serde_json::from_str(&saved).expect("an account");
    assert_eq!(cloud.code(Operation::Ec2(Ec2::DescribeVpcs), &json!({})), "UnauthorizedOperation");
}
