//! A whole stack made and unmade; the same again; with reads that lag.

use aloka_core::api::Ec2::*;
use aloka_core::api::Operation;
use aloka_core::api::Rds::*;
use aloka_core::api::Sts::*;
use aloka_core::value::Value;
use aloka_sim::aws::{Account, Durations, Options};
use serde_json::{Value as Json, json};

use crate::cloud::{AMI, Cloud, database, launch};

/// Makes a stack in the right order, waiting where one must, and unmakes it; answers every reply. A save to a file and
/// back changes nothing.
fn whole_life(options: Options) -> (Cloud, Vec<Value>) {
    let mut cloud = Cloud::new(options);
    let mut replies = Vec::new();
    let mut ids: Vec<String> = Vec::new();
    {
        let mut make = |cloud: &mut Cloud, operation: Operation, arguments: Json, path: &str| {
            let reply = cloud.ok(operation, arguments);
            let id = reply.at(path).and_then(Value::as_str).unwrap_or_default().to_owned();
            replies.push(reply);
            cloud.account =
                serde_json::from_str(&serde_json::to_string(&cloud.account).expect("saved")).expect("loaded");
            cloud.wait(1);
            id
        };
        let tags = json!({"stack": "test"});
        let c = &mut cloud;
        let vpc = make(c, CreateVpc.into(), json!({"CidrBlock": "10.0.0.0/16", "Tags": tags}), "Vpc.VpcId");
        make(c, ModifyVpcAttribute.into(), json!({"VpcId": vpc, "EnableDnsHostnames": true}), "");
        let mut subnet = |c: &mut Cloud, cidr: &str, zone: &str| {
            let arguments = json!({"VpcId": vpc, "CidrBlock": cidr, "AvailabilityZone": zone, "Tags": tags});
            make(c, CreateSubnet.into(), arguments, "Subnet.SubnetId")
        };
        let public = subnet(c, "10.0.1.0/24", "us-east-1a");
        let private = [subnet(c, "10.0.11.0/24", "us-east-1a"), subnet(c, "10.0.12.0/24", "us-east-1b")];
        let igw = make(c, CreateInternetGateway.into(), json!({"Tags": tags}), "InternetGateway.InternetGatewayId");
        make(c, AttachInternetGateway.into(), json!({"InternetGatewayId": igw, "VpcId": vpc}), "");
        let eip = make(c, AllocateAddress.into(), json!({"Domain": "vpc", "Tags": tags}), "AllocationId");
        let nat = json!({"SubnetId": public, "AllocationId": eip, "ClientToken": "nat", "Tags": tags});
        let nat = make(c, CreateNatGateway.into(), nat, "NatGateway.NatGatewayId");
        let mut table = |c: &mut Cloud, token: &str| {
            let arguments = json!({"VpcId": vpc, "ClientToken": token, "Tags": tags});
            make(c, CreateRouteTable.into(), arguments, "RouteTable.RouteTableId")
        };
        let tables = [table(c, "public"), table(c, "private")];
        c.wait(200);
        let all = "0.0.0.0/0";
        make(
            c,
            CreateRoute.into(),
            json!({"RouteTableId": tables[0], "DestinationCidrBlock": all, "GatewayId": igw}),
            "",
        );
        make(
            c,
            CreateRoute.into(),
            json!({"RouteTableId": tables[1], "DestinationCidrBlock": all, "NatGatewayId": nat}),
            "",
        );
        let mut associations = Vec::new();
        for (table, subnet) in [(0, &public), (1, &private[0]), (1, &private[1])] {
            let arguments = json!({"RouteTableId": tables[table], "SubnetId": subnet});
            associations.push(make(c, AssociateRouteTable.into(), arguments, "AssociationId"));
        }
        let mut group = |c: &mut Cloud, name: &str| {
            let arguments = json!({"GroupName": name, "Description": name, "VpcId": vpc, "Tags": tags});
            make(c, CreateSecurityGroup.into(), arguments, "GroupId")
        };
        let groups = [group(c, "app"), group(c, "db")];
        let rule = json!([{"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "UserIdGroupPairs": [{"GroupId": groups[0]}]}]);
        let rule = json!({"GroupId": groups[1], "IpPermissions": rule});
        make(c, AuthorizeSecurityGroupIngress.into(), rule.clone(), "");
        let subnet_group =
            json!({"DBSubnetGroupName": "db", "DBSubnetGroupDescription": "db", "SubnetIds": private, "Tags": tags});
        make(c, CreateDBSubnetGroup.into(), subnet_group, "");
        make(c, CreateDBInstance.into(), database("main", "db", &groups[1]), "");
        let instance = make(c, RunInstances.into(), launch(&public, &groups[0], "app"), "Instances.0.InstanceId");
        c.wait(2000);
        for operation in Operation::ALL.iter().filter(|o| o.name().starts_with("Describe")) {
            if !operation.parameters().iter().any(|parameter| parameter.required) {
                make(c, *operation, json!({}), "");
            }
        }
        assert_eq!(c.account.objects(c.now).len(), 15);

        make(c, RevokeSecurityGroupIngress.into(), rule, "");
        make(c, DeleteDBInstance.into(), json!({"DBInstanceIdentifier": "main", "SkipFinalSnapshot": true}), "");
        make(c, TerminateInstances.into(), json!({"InstanceIds": [instance]}), "");
        make(c, DeleteNatGateway.into(), json!({"NatGatewayId": nat}), "");
        c.wait(700);
        make(c, DeleteDBSubnetGroup.into(), json!({"DBSubnetGroupName": "db"}), "");
        make(c, ReleaseAddress.into(), json!({"AllocationId": eip}), "");
        for id in &associations {
            make(c, DisassociateRouteTable.into(), json!({"AssociationId": id}), "");
        }
        for id in &tables {
            make(c, DeleteRouteTable.into(), json!({"RouteTableId": id}), "");
        }
        make(c, DetachInternetGateway.into(), json!({"InternetGatewayId": igw, "VpcId": vpc}), "");
        make(c, DeleteInternetGateway.into(), json!({"InternetGatewayId": igw}), "");
        for id in &groups {
            make(c, DeleteSecurityGroup.into(), json!({"GroupId": id}), "");
        }
        for id in [&public, &private[0], &private[1]] {
            make(c, DeleteSubnet.into(), json!({"SubnetId": id}), "");
        }
        make(c, DeleteVpc.into(), json!({"VpcId": vpc}), "");
        ids.extend([vpc, public, igw, eip, nat, instance]);
    }
    assert!(cloud.account.is_empty(cloud.now), "{:?}", cloud.account.objects(cloud.now));
    cloud.wait(3600);
    cloud.ok(GetCallerIdentity, json!({}));
    (cloud, replies)
}

#[test]
fn a_stack_is_made_and_unmade_whatever_the_durations() {
    for durations in [Durations::Instant, Durations::Median, Durations::Drawn] {
        for seed in 0..5 {
            let (cloud, _) = whole_life(Options { durations, seed, ..Options::default() });
            let empty = Account::new(cloud.account.options().clone());
            let parts = |account: &Account| -> Json {
                let mut saved = serde_json::to_value(account).expect("saved");
                let map = saved.as_object_mut().expect("a map");
                // Numbers used up, tokens, and the role of RDS stay.
                for kept in ["ordinals", "tokens", "rds_role"] {
                    map.remove(kept);
                }
                saved
            };
            assert_eq!(parts(&cloud.account), parts(&empty), "nothing is left behind inside either");
        }
    }
}

#[test]
fn the_same_calls_get_the_same_answers() {
    let options = Options { durations: Durations::Drawn, seed: 9, ..Options::default() };
    assert_eq!(whole_life(options.clone()).1, whole_life(options.clone()).1);
    assert_ne!(whole_life(options.clone()).1, whole_life(Options { seed: 10, ..options }).1);
}

#[test]
fn one_object_more_shifts_no_other_kind() {
    let run = |extra: bool| {
        let mut cloud = Cloud::new(Options { durations: Durations::Drawn, seed: 4, ..Options::default() });
        if extra {
            cloud.address();
            cloud.ok(CreateInternetGateway, json!({"Tags": {}}));
        }
        let vpc = cloud.vpc("10.0.0.0/16");
        let subnet = cloud.subnet(&vpc, "10.0.1.0/24", "us-east-1a");
        let group = cloud.group(&vpc, "app");
        let instance = cloud.instance(&subnet, &group, "t");
        let mut seconds = 0;
        while cloud.described_instance(&instance).get("State").as_str() == Some("pending") {
            cloud.wait(1);
            seconds += 1;
        }
        (cloud.described_instance(&instance), seconds)
    };
    assert_eq!(run(false), run(true));
}

#[test]
fn identifiers_look_like_those_of_aws() {
    let mut cloud = Cloud::instant();
    let vpc = cloud.vpc("10.0.0.0/16");
    let digits = vpc.strip_prefix("vpc-").expect("a prefix");
    assert!(digits.len() == 17 && digits.chars().all(|c| c.is_ascii_hexdigit() && !c.is_ascii_uppercase()), "{vpc}");
    assert_ne!(cloud.vpc("10.0.0.0/16"), vpc);
}

#[test]
fn new_objects_may_be_unknown_for_a_while() {
    let options = Options { visibility_delay_ms: 5000, durations: Durations::Instant, ..Options::default() };
    let (mut unlisted, mut unknown) = (0, 0);
    for seed in 0..20 {
        let mut cloud = Cloud::new(Options { seed, ..options.clone() });
        let vpc = cloud.text(CreateVpc, json!({"CidrBlock": "10.0.0.0/16", "Tags": {"a": "b"}}), "Vpc.VpcId");
        let by_tag = json!({"Filters": {"tag:a": ["b"]}});
        let count = |cloud: &mut Cloud| cloud.ok(DescribeVpcs, by_tag.clone()).get("Vpcs").as_list().map(<[_]>::len);
        unlisted += usize::from(count(&mut cloud) == Some(0));
        let subnet = json!({"VpcId": vpc, "CidrBlock": "10.0.1.0/24", "Tags": {}});
        match cloud.clone().code(CreateSubnet, &subnet).as_str() {
            "ok" => {}
            code => {
                assert_eq!(code, "InvalidVpcID.NotFound");
                unknown += 1;
                let tags = json!({"Resources": [vpc], "Tags": {"c": "d"}});
                let other = cloud.clone().code(CreateTags, &tags);
                assert!(other == code || other == "ok", "{other}: each call has its own clock");
            }
        }
        // The object is late by up to five seconds, and a read by five more.
        cloud.wait(10);
        assert_eq!(count(&mut cloud), Some(1));
        let group = cloud.group(&vpc, "app");
        // The name is taken, whether the group is visible or not.
        let again = json!({"GroupName": "app", "Description": "d", "VpcId": vpc, "Tags": {}});
        assert_eq!(cloud.code(CreateSecurityGroup, &again), "InvalidGroup.Duplicate");
        assert_eq!(cloud.code(DeleteVpc, &json!({"VpcId": vpc})), "DependencyViolation");
        cloud.wait(5);
        assert_eq!(cloud.code(DeleteSecurityGroup, &json!({"GroupId": group})), "ok");
    }
    assert!(unlisted > 10 && unknown > 10, "{unlisted} unlisted, {unknown} unknown");
}

/// A read finds a security group, and the launch after it does not, though one before it did.
#[test]
fn what_was_seen_once_may_be_unseen() {
    let options = Options { visibility_delay_ms: 30_000, durations: Durations::Instant, ..Options::default() };
    let (mut unseen, mut back) = (0, 0);
    for seed in 0..20 {
        let mut cloud = Cloud::new(Options { seed, ..options.clone() });
        let vpc = cloud.vpc("10.0.0.0/16");
        cloud.wait(30);
        let subnet = cloud.subnet(&vpc, "10.0.1.0/24", "us-east-1a");
        cloud.wait(30);
        let group = cloud.group(&vpc, "app");
        let interface = json!([{"DeviceIndex": 0, "SubnetId": subnet, "Groups": [group]}]);
        let launch = |token: usize| {
            json!({
                "ImageId": AMI, "InstanceType": "t3.micro", "MinCount": 1, "MaxCount": 1, "Tags": {},
                "NetworkInterfaces": interface, "ClientToken": format!("token-{token}"),
            })
        };
        let mut seen = Vec::new();
        for second in 0..30 {
            let listed = cloud.code(DescribeSecurityGroups, &json!({"GroupIds": [group]})) == "ok";
            let code = cloud.clone().code(RunInstances, &launch(second));
            assert!(code == "ok" || code == "InvalidGroup.NotFound", "{code}");
            unseen += usize::from(listed && code != "ok");
            seen.push(code == "ok");
            // The next call is another.
            cloud.code(CreateTags, &json!({"Resources": [vpc], "Tags": {"a": "b"}}));
            cloud.wait(1);
        }
        back += usize::from(seen.windows(2).any(|pair| pair[0] && !pair[1]));
        assert_eq!(cloud.code(RunInstances, &launch(99)), "ok", "thirty seconds are over");
    }
    assert!(unseen > 20 && back > 5, "{unseen} listed and unknown to the launch, {back} known and unknown again");
}

#[test]
fn rds_hears_of_new_objects_by_a_clock_of_its_own() {
    let options = Options { visibility_delay_ms: 5000, durations: Durations::Instant, ..Options::default() };
    let (mut later, mut unknown) = (0, 0);
    for seed in 0..20 {
        let mut cloud = Cloud::new(Options { seed, ..options.clone() });
        let vpc = cloud.vpc("10.0.0.0/16");
        cloud.wait(10);
        let mut subnet = |block: &str, zone: &str| {
            let subnet = json!({"VpcId": vpc, "CidrBlock": block, "AvailabilityZone": zone, "Tags": {}});
            cloud.text(CreateSubnet, subnet, "Subnet.SubnetId")
        };
        let subnets = [subnet("10.0.1.0/24", "us-east-1a"), subnet("10.0.2.0/24", "us-east-1b")];
        let group = json!({
            "DBSubnetGroupName": "db", "DBSubnetGroupDescription": "d", "SubnetIds": subnets, "Tags": {},
        });
        cloud.wait(3);
        let by_ec2 = subnets.iter().all(|id| {
            let tags = json!({"Resources": [id], "Tags": {"c": "d"}});
            cloud.clone().code(CreateTags, &tags) == "ok"
        });
        match cloud.clone().code(CreateDBSubnetGroup, &group).as_str() {
            "ok" => {}
            code => {
                assert_eq!(code, "InvalidParameterValue");
                later += usize::from(by_ec2);
            }
        }
        cloud.wait(2);
        assert_eq!(cloud.code(CreateDBSubnetGroup, &group), "ok");
        cloud.wait(10);
        let worn = cloud.group(&vpc, "db");
        let database = database("main", "db", &worn);
        match cloud.clone().code(CreateDBInstance, &database).as_str() {
            "ok" => {}
            code => {
                assert_eq!(code, "InvalidParameterValue");
                unknown += 1;
            }
        }
        cloud.wait(5);
        assert_eq!(cloud.code(CreateDBInstance, &database), "ok");
    }
    assert!(
        later > 0 && unknown > 10,
        "{later} unknown to RDS when EC2 showed them, {unknown} groups unknown at first"
    );
}

#[test]
fn a_read_may_be_from_before_the_one_before_it() {
    let options = Options { visibility_delay_ms: 5000, durations: Durations::Instant, ..Options::default() };
    let (mut back, mut lingering) = (0, 0);
    for seed in 0..20 {
        let mut cloud = Cloud::new(Options { seed, ..options.clone() });
        let vpc = cloud.vpc("10.0.0.0/16");
        let listed =
            |cloud: &mut Cloud| !cloud.ok(DescribeVpcs, json!({})).get("Vpcs").as_list().expect("a list").is_empty();
        let seen: Vec<bool> = (0..12).map(|_| (listed(&mut cloud), cloud.wait(1)).0).collect();
        back += usize::from(seen.windows(2).any(|pair| pair[0] && !pair[1]));
        assert!(seen.ends_with(&[true]), "{seen:?}");
        assert_eq!(cloud.code(DeleteVpc, &json!({"VpcId": vpc})), "ok");
        lingering += usize::from(listed(&mut cloud));
        // Gone is gone for whoever changes something, and for reads when the delay is over.
        assert_eq!(cloud.code(DeleteVpc, &json!({"VpcId": vpc})), "InvalidVpcID.NotFound");
        cloud.wait(6);
        assert!(!listed(&mut cloud));
    }
    assert!(back > 3 && lingering > 10, "{back} went back, {lingering} lingered");
}
