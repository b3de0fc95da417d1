//! Instances and volumes.

use aloka_core::api::Operation::*;
use aloka_core::value::Value;
use aloka_sim::aws::{ObjectKind, Options, Quotas};
use serde_json::json;

use crate::cloud::{AMI, Cloud, NOWHERE, Network, launch, with};

#[test]
fn launch_rules() {
    let mut cloud = Cloud::instant();
    let network = Network::new(&mut cloud);
    let other = cloud.vpc("10.0.0.0/16");
    let foreign = cloud.group(&other, "app");
    let old_zone = cloud.subnet(&network.vpc, "10.0.5.0/24", "us-east-1e");
    let base = launch(&network.public[0], &network.group, "t");
    let changed = |changes| with(base.clone(), changes);
    let interface = |subnet: &str, groups: &[&str]| json!({"NetworkInterfaces": [{"DeviceIndex": 0, "SubnetId": subnet, "Groups": groups}]});
    let root = |size: i64| json!({"BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "VolumeSize": size, "VolumeType": "gp3"}]});
    let group = network.group.as_str();
    let groups: Vec<String> = (0..6).map(|i| cloud.group(&network.vpc, &format!("g{i}"))).collect();
    let groups: Vec<&str> = groups.iter().map(String::as_str).collect();
    cloud.table(&[
        (RunInstances, base.clone(), "ok"),
        (RunInstances, changed(json!({"ImageId": format!("ami-{NOWHERE}")})), "InvalidAMIID.NotFound"),
        (RunInstances, changed(json!({"ImageId": "ami-x"})), "InvalidAMIID.Malformed"),
        (RunInstances, changed(json!({"InstanceType": "t9.big"})), "InvalidParameterValue"),
        (RunInstances, changed(json!({"InstanceType": "t4g.small"})), "InvalidParameterValue"),
        (RunInstances, changed(json!({"InstanceType": "t2.micro"})), "ok"),
        (RunInstances, changed(json!({"MinCount": 0})), "InvalidParameterValue"),
        (RunInstances, changed(json!({"MinCount": 2})), "InvalidParameterValue"),
        (RunInstances, changed(json!({"MaxCount": 3})), "ok"),
        (RunInstances, changed(interface(&format!("subnet-{NOWHERE}"), &[group])), "InvalidSubnetID.NotFound"),
        (RunInstances, changed(interface(&network.public[0], &[&format!("sg-{NOWHERE}")])), "InvalidGroup.NotFound"),
        (RunInstances, changed(interface(&network.public[0], &[&foreign])), "InvalidParameter"),
        (RunInstances, changed(interface(&network.public[0], &[])), "ok"),
        (RunInstances, changed(interface(&network.public[0], &groups[..5])), "ok"),
        (RunInstances, changed(interface(&network.public[0], &groups)), "SecurityGroupsPerInterfaceLimitExceeded"),
        (RunInstances, changed(interface(&old_zone, &[group])), "Unsupported"),
        (RunInstances, with(changed(interface(&old_zone, &[group])), json!({"InstanceType": "t2.micro"})), "ok"),
        (RunInstances, changed(json!({"NetworkInterfaces": [{"DeviceIndex": 0}]})), "VPCIdNotSpecified"),
        (RunInstances, changed(json!({"UserData": "x".repeat(16_384)})), "ok"),
        (RunInstances, changed(json!({"UserData": "x".repeat(16_385)})), "InvalidParameterValue"),
        (RunInstances, changed(root(7)), "InvalidBlockDeviceMapping"),
        (RunInstances, changed(root(8)), "ok"),
        (RunInstances, changed(json!({"MetadataOptions": {"HttpTokens": "maybe"}})), "InvalidParameterValue"),
        (RunInstances, changed(json!({"ClientToken": "x".repeat(64)})), "ok"),
        (RunInstances, changed(json!({"ClientToken": "x".repeat(65)})), "InvalidClientToken"),
        (RunInstances, changed(json!({"Tags": {"aws:x": "y"}})), "InvalidParameterValue"),
    ]);
}

#[test]
fn a_subnet_has_so_many_addresses() {
    let mut cloud = Cloud::instant();
    let network = Network::new(&mut cloud);
    let small = cloud.subnet(&network.vpc, "10.0.9.0/28", "us-east-1a");
    let left = |cloud: &mut Cloud| {
        let subnet = cloud.described(DescribeSubnets, "SubnetIds", &small, "Subnets");
        subnet.get("AvailableIpAddressCount").as_i64()
    };
    assert_eq!(left(&mut cloud), Some(11));
    let first = cloud.instance(&small, &network.group, "0");
    let base = launch(&small, &network.group, "t");
    cloud.table(&[
        (RunInstances, with(base.clone(), json!({"MinCount": 10, "MaxCount": 20})), "ok"),
        (
            RunInstances,
            with(base.clone(), json!({"MinCount": 11, "MaxCount": 20})),
            "InsufficientFreeAddressesInSubnet",
        ),
    ]);
    let reply = cloud.ok(RunInstances, with(base, json!({"MinCount": 1, "MaxCount": 20})));
    let instances = reply.get("Instances").as_list().expect("instances");
    assert_eq!((instances.len(), left(&mut cloud)), (10, Some(0)));
    let mut ips: Vec<_> = instances.iter().filter_map(|i| i.get("PrivateIpAddress").as_str()).collect();
    ips.sort_unstable();
    ips.dedup();
    assert_eq!(ips.len(), 10);
    cloud.ok(TerminateInstances, json!({"InstanceIds": [first]}));
    assert_eq!(left(&mut cloud), Some(1));
}

#[test]
fn an_instance_comes_and_goes() {
    let mut cloud = Cloud::median();
    let network = Network::new(&mut cloud);
    cloud.ok(ModifyVpcAttribute, json!({"VpcId": network.vpc, "EnableDnsHostnames": true}));
    let reply = cloud.ok(RunInstances, launch(&network.public[0], &network.group, "t"));
    let instance = reply.at("Instances.0").expect("an instance");
    assert_eq!(instance.get("State"), &"pending".into());
    assert!(instance.get("PublicIpAddress").is_null(), "it comes while the instance is pending");
    assert!(instance.at("BlockDeviceMappings.0").is_none());
    let id = instance.get("InstanceId").as_str().expect("an identifier").to_owned();
    cloud.wait(21);
    assert_eq!(cloud.described_instance(&id).get("State"), &"pending".into());
    cloud.wait(1);
    let running = cloud.described_instance(&id);
    assert_eq!(running.get("State"), &"running".into());
    let public = running.get("PublicIpAddress").as_str().expect("a public address").to_owned();
    let name = format!("ec2-{}.compute-1.amazonaws.com", public.replace('.', "-"));
    assert_eq!(running.get("PublicDnsName"), &name.into());
    assert_eq!(running.get("PrivateDnsName"), &"ip-10-0-1-4.ec2.internal".into());
    assert_eq!(running.at("MetadataOptions.HttpTokens"), Some(&"required".into()), "as the image wants it");
    let volume = running.at("BlockDeviceMappings.0.VolumeId").and_then(Value::as_str).expect("a volume").to_owned();
    let listed = cloud.ok(DescribeVolumes, json!({"Filters": {"attachment.instance-id": [id]}}));
    assert_eq!(listed.at("Volumes.0.VolumeId"), Some(&volume.as_str().into()));
    assert_eq!(listed.at("Volumes.0.Size"), Some(&8.into()));

    cloud.table(&[
        (ModifyInstanceAttribute, json!({"InstanceId": id, "InstanceType": "t3.medium"}), "IncorrectInstanceState"),
        (StartInstances, json!({"InstanceIds": [id]}), "ok"),
        (DescribeInstances, json!({"InstanceIds": [format!("i-{NOWHERE}")]}), "InvalidInstanceID.NotFound"),
        (DescribeInstances, json!({"InstanceIds": ["i-1"]}), "InvalidInstanceID.Malformed"),
        (StopInstances, json!({"InstanceIds": [id, format!("i-{NOWHERE}")]}), "InvalidInstanceID.NotFound"),
    ]);
    cloud.ok(StopInstances, json!({"InstanceIds": [id]}));
    assert!(cloud.described_instance(&id).get("PublicIpAddress").is_null());
    cloud.table(&[
        (StartInstances, json!({"InstanceIds": [id]}), "IncorrectInstanceState"),
        (StopInstances, json!({"InstanceIds": [id]}), "ok"),
        (ModifyInstanceAttribute, json!({"InstanceId": id, "InstanceType": "t3.medium"}), "IncorrectInstanceState"),
    ]);
    cloud.wait(40);
    let detach = json!({"InternetGatewayId": network.gateway, "VpcId": network.vpc});
    cloud.table(&[
        (ModifyInstanceAttribute, json!({"InstanceId": id, "InstanceType": "t4g.medium"}), "InvalidParameterValue"),
        (
            ModifyInstanceAttribute,
            json!({"InstanceId": id, "InstanceType": "t3.medium", "Groups": [network.group]}),
            "InvalidParameterCombination",
        ),
        (ModifyInstanceAttribute, json!({"InstanceId": id, "Groups": []}), "InvalidParameterValue"),
        (DetachInternetGateway, detach, "ok"),
    ]);
    cloud.ok(ModifyInstanceAttribute, json!({"InstanceId": id, "InstanceType": "t3.medium"}));
    cloud.ok(StartInstances, json!({"InstanceIds": [id]}));
    assert_eq!(cloud.code(StopInstances, &json!({"InstanceIds": [id]})), "IncorrectInstanceState", "it is pending");
    cloud.wait(30);
    let running = cloud.described_instance(&id);
    assert_eq!(running.get("InstanceType"), &"t3.medium".into());
    assert_ne!(running.get("PublicIpAddress").as_str(), Some(public.as_str()), "a new one for each start");
    assert!(!running.get("PublicIpAddress").is_null());

    cloud.ok(TerminateInstances, json!({"InstanceIds": [id]}));
    assert_eq!(cloud.described_instance(&id).get("State"), &"shutting-down".into());
    assert_eq!(cloud.code(DeleteSubnet, &json!({"SubnetId": network.public[0]})), "DependencyViolation");
    cloud.wait(30);
    let gone = cloud.described_instance(&id);
    assert_eq!(gone.get("State"), &"terminated".into());
    assert!(gone.get("SubnetId").is_null());
    cloud.table(&[
        (TerminateInstances, json!({"InstanceIds": [id]}), "ok"),
        (StartInstances, json!({"InstanceIds": [id]}), "IncorrectInstanceState"),
        (DescribeVolumes, json!({"VolumeIds": [volume]}), "InvalidVolume.NotFound"),
        (DeleteSubnet, json!({"SubnetId": network.public[0]}), "ok"),
    ]);
    assert!(!cloud.account.objects(cloud.now).iter().any(|object| object.id == id || object.id == volume));
    cloud.wait(3600);
    assert_eq!(cloud.code(TerminateInstances, &json!({"InstanceIds": [id]})), "InvalidInstanceID.NotFound");
}

#[test]
fn a_token_launches_once() {
    let mut cloud = Cloud::median();
    let network = Network::new(&mut cloud);
    let base = launch(&network.public[0], &network.group, "t");
    let id = cloud.instance(&network.public[0], &network.group, "t");
    assert_eq!(cloud.instance(&network.public[0], &network.group, "t"), id);
    assert_ne!(cloud.instance(&network.public[0], &network.group, "T"), id, "tokens are case sensitive");
    let other = with(base.clone(), json!({"InstanceType": "t3.micro"}));
    assert_eq!(cloud.code(RunInstances, &other), "IdempotentParameterMismatch");
    cloud.wait(60);
    cloud.ok(TerminateInstances, json!({"InstanceIds": [id]}));
    assert_eq!(cloud.clone().code(RunInstances, &base), "ok", "not terminated yet");
    cloud.wait(30);
    assert_eq!(cloud.code(RunInstances, &base), "IdempotentInstanceTerminated");
    cloud.wait(4000);
    assert_eq!(cloud.code(RunInstances, &base), "IdempotentInstanceTerminated");
}

#[test]
fn a_launch_may_fail_later() {
    let mut cloud = Cloud::median();
    let network = Network::new(&mut cloud);
    cloud.account.fail_next(RunInstances, "Server.InsufficientInstanceCapacity", "no room");
    let id = cloud.instance(&network.public[0], &network.group, "t");
    assert_eq!(cloud.described_instance(&id).get("State"), &"pending".into());
    cloud.wait(20);
    let failed = cloud.described_instance(&id);
    assert_eq!(failed.get("State"), &"terminated".into());
    assert_eq!(failed.at("StateReason.Code"), Some(&"Server.InsufficientInstanceCapacity".into()));
    assert_eq!(cloud.code(DeleteSubnet, &json!({"SubnetId": network.public[0]})), "ok");
    let id = cloud.instance(&network.public[1], &network.group, "u");
    cloud.wait(30);
    assert_eq!(cloud.described_instance(&id).get("State"), &"running".into());
}

#[test]
fn groups_of_an_instance_change_while_it_runs() {
    let mut cloud = Cloud::instant();
    let network = Network::new(&mut cloud);
    let other = cloud.group(&network.vpc, "other");
    let id = cloud.instance(&network.public[0], &network.group, "t");
    cloud.ok(ModifyInstanceAttribute, json!({"InstanceId": id, "Groups": [other]}));
    let described = cloud.described_instance(&id);
    assert_eq!(described.at("SecurityGroups.0.GroupName"), Some(&"other".into()));
    cloud.table(&[
        (DeleteSecurityGroup, json!({"GroupId": network.group}), "ok"),
        (DeleteSecurityGroup, json!({"GroupId": other}), "DependencyViolation"),
        (
            ModifyInstanceAttribute,
            json!({"InstanceId": id, "Groups": [format!("sg-{NOWHERE}")]}),
            "InvalidGroup.NotFound",
        ),
    ]);
}

#[test]
fn volumes_grow() {
    let mut cloud = Cloud::median();
    let network = Network::new(&mut cloud);
    let id = cloud.instance(&network.public[0], &network.group, "t");
    cloud.wait(60);
    let instance = cloud.described_instance(&id);
    let volume = instance.at("BlockDeviceMappings.0.VolumeId").and_then(Value::as_str).expect("a volume").to_owned();
    let to = |size: i64| json!({"VolumeId": volume, "Size": size});
    cloud.table(&[
        (ModifyVolume, to(7), "InvalidParameterValue"),
        (ModifyVolume, to(8), "ok"),
        (ModifyVolume, to(9), "ok"),
        (ModifyVolume, to(0), "InvalidParameterValue"),
        (ModifyVolume, json!({"VolumeId": format!("vol-{NOWHERE}"), "Size": 9}), "InvalidVolume.NotFound"),
    ]);
    cloud.ok(ModifyVolume, to(16));
    let state = |cloud: &mut Cloud| {
        let volume = cloud.described(DescribeVolumes, "VolumeIds", &volume, "Volumes");
        (volume.get("Size").as_i64(), volume.get("ModificationState").as_str().map(str::to_owned))
    };
    assert_eq!(state(&mut cloud), (Some(8), Some("modifying".to_owned())));
    cloud.wait(5);
    assert_eq!(state(&mut cloud), (Some(16), Some("optimizing".to_owned())));
    cloud.table(&[(ModifyVolume, to(20), "IncorrectModificationState")]);
    cloud.wait(300);
    assert_eq!(state(&mut cloud), (Some(16), Some("completed".to_owned())));
    cloud.table(&[(ModifyVolume, to(20), "ok"), (ModifyVolume, to(15), "InvalidParameterValue")]);
}

#[test]
fn what_is_kept_on_termination_is_left_over() {
    let mut cloud = Cloud::instant();
    let network = Network::new(&mut cloud);
    let kept = json!({
        "NetworkInterfaces": [{"DeviceIndex": 0, "SubnetId": network.public[0], "DeleteOnTermination": false}],
        "BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "VolumeType": "gp3", "DeleteOnTermination": false}],
    });
    let arguments = with(launch(&network.public[0], &network.group, "t"), kept);
    let id = cloud.text(RunInstances, arguments, "Instances.0.InstanceId");
    cloud.ok(TerminateInstances, json!({"InstanceIds": [id]}));
    let left: Vec<ObjectKind> = cloud.account.objects(cloud.now).into_iter().map(|object| object.kind).collect();
    assert!(left.contains(&ObjectKind::Volume) && left.contains(&ObjectKind::NetworkInterface), "{left:?}");
    assert_eq!(cloud.code(DeleteSubnet, &json!({"SubnetId": network.public[0]})), "DependencyViolation");
}

#[test]
fn vcpus_are_limited_on_request() {
    let mut cloud = Cloud::instant();
    cloud.account = cloud.account.clone().with_quotas(Quotas { vcpus: Some(5), ..Quotas::default() });
    let network = Network::new(&mut cloud);
    for token in ["a", "b"] {
        cloud.instance(&network.public[0], &network.group, token);
    }
    assert_eq!(cloud.code(RunInstances, &launch(&network.public[0], &network.group, "c")), "VcpuLimitExceeded");
}

#[test]
fn names_outside_of_us_east_1() {
    let region = "eu-west-1";
    let mut cloud = Cloud::new(Options { region: region.to_owned(), ..Options::default() });
    let vpc = cloud.vpc("10.0.0.0/16");
    cloud.ok(ModifyVpcAttribute, json!({"VpcId": vpc, "EnableDnsHostnames": true}));
    let subnet = cloud.subnet(&vpc, "10.0.1.0/24", "eu-west-1b");
    let group = cloud.group(&vpc, "app");
    assert_eq!(
        cloud.code(RunInstances, &launch(&subnet, &group, "t")),
        "InvalidAMIID.NotFound",
        "{AMI} is of us-east-1"
    );
    let name = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64";
    let image = cloud.text(GetParameter, json!({"Name": name}), "Value");
    let arguments = with(launch(&subnet, &group, "t"), json!({"ImageId": image}));
    let id = cloud.text(RunInstances, arguments, "Instances.0.InstanceId");
    cloud.wait(60);
    let running = cloud.described_instance(&id);
    assert_eq!(running.get("PrivateDnsName"), &"ip-10-0-1-4.eu-west-1.compute.internal".into());
    let public = running.get("PublicDnsName").as_str().expect("a name");
    assert!(public.ends_with(".eu-west-1.compute.amazonaws.com"), "{public}");
}
