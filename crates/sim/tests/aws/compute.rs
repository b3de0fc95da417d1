//! Instances and volumes.

use aloka_core::api::Ec2::*;
use aloka_core::api::Ssm::*;
use aloka_core::value::Value;
use aloka_sim::aws::{ObjectKind, Options};
use serde_json::json;

use crate::cloud::{AMI, Cloud, Network, launch, with};

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

    cloud.ok(StopInstances, json!({"InstanceIds": [id]}));
    assert!(cloud.described_instance(&id).get("PublicIpAddress").is_null());
    cloud.wait(39);
    assert_eq!(cloud.described_instance(&id).get("State"), &"stopping".into());
    cloud.wait(1);
    let detach = json!({"InternetGatewayId": network.gateway, "VpcId": network.vpc});
    cloud.table(&[(DetachInternetGateway, detach, "ok")]);
    cloud.ok(ModifyInstanceAttribute, json!({"InstanceId": id, "InstanceType": "t3.medium"}));
    cloud.ok(StartInstances, json!({"InstanceIds": [id]}));
    cloud.wait(30);
    let running = cloud.described_instance(&id);
    assert_eq!(running.get("InstanceType"), &"t3.medium".into());
    assert_ne!(running.get("PublicIpAddress").as_str(), Some(public.as_str()), "a new one for each start");
    assert!(!running.get("PublicIpAddress").is_null());

    cloud.ok(TerminateInstances, json!({"InstanceIds": [id]}));
    assert_eq!(cloud.described_instance(&id).get("State"), &"shutting-down".into());
    assert_eq!(cloud.code(DeleteSubnet, &json!({"SubnetId": network.public[0]})), "DependencyViolation");
    cloud.wait(32);
    let gone = cloud.described_instance(&id);
    assert_eq!(gone.get("State"), &"terminated".into());
    assert!(gone.get("SubnetId").is_null());
    cloud.table(&[
        (DescribeVolumes, json!({"VolumeIds": [volume]}), "InvalidVolume.NotFound"),
        (DeleteSubnet, json!({"SubnetId": network.public[0]}), "ok"),
    ]);
    assert!(!cloud.account.objects(cloud.now).iter().any(|object| object.id == id || object.id == volume));
    cloud.wait(3600);
    assert_eq!(cloud.code(TerminateInstances, &json!({"InstanceIds": [id]})), "InvalidInstanceID.NotFound");
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
