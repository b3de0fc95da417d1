//! Questions about account and Region, and what holds for all operations.

use aloka_core::api::Ec2::*;
use aloka_core::api::Rds::*;
use aloka_core::api::Ssm::*;
use aloka_core::api::{Call, ErrorClass, Operation, Request};
use aloka_core::value::Value;
use serde_json::json;

use crate::cloud::{AMI, Cloud, NOWHERE, Network, launch};

#[test]
fn every_operation_is_answered() {
    let mut cloud = Cloud::instant();
    for operation in Operation::ALL {
        let parameters = operation.parameters();
        let values = [Value::str("x"), Value::EMPTY_LIST, Value::Map([].into()), Value::from(1), Value::Bool(true)];
        let mut requests = vec![Call::new(*operation, [])];
        for value in values {
            requests.push(Call::new(*operation, parameters.iter().map(|p| (p.name, value.clone()))));
        }
        let mut codes = Vec::new();
        for call in requests {
            match cloud.account.call(cloud.now, &Request(call), &cloud.secrets) {
                Ok(reply) => assert!(reply.as_map().is_some(), "{operation}: {reply}"),
                Err(error) => {
                    assert!(
                        error.class != ErrorClass::NotImplemented && error.class != ErrorClass::Unknown,
                        "{error:?}"
                    );
                    codes.push(error.code);
                }
            }
        }
        let required = parameters.iter().any(|parameter| parameter.required);
        let missing = ["MissingParameter", "ValidationException"].contains(&codes.first().map_or("", String::as_str));
        assert_eq!(missing, required, "{operation}: {codes:?}");
    }
}

#[test]
fn arguments_that_are_none_are_refused() {
    let mut cloud = Cloud::instant();
    let call = |call| Request(call);
    let unknown = call(Call::new(CreateVpc, [("VpcId", Value::str("x"))]));
    let error = cloud.account.call(cloud.now, &unknown, &cloud.secrets).expect_err("no such parameter");
    assert_eq!(error.code, "UnknownParameter");
    let secret = Value::Secret("db_password".into());
    let leaked = call(Call::new(DescribeVpcs, [("VpcIds", secret)]));
    let error = cloud.account.call(cloud.now, &leaked, &cloud.secrets).expect_err("a secret where there is none");
    assert_eq!(error.code, "InvalidParameterValue");
}

#[test]
fn images_by_parameter() {
    let mut cloud = Cloud::instant();
    let name = |alias: &str| json!({"Name": format!("/aws/service/ami-amazon-linux-latest/{alias}")});
    for (alias, architecture) in [
        ("amzn2-ami-hvm-x86_64-gp2", "x86_64"),
        ("amzn2-ami-hvm-arm64-gp2", "arm64"),
        ("al2023-ami-kernel-default-x86_64", "x86_64"),
        ("al2023-ami-kernel-default-arm64", "arm64"),
    ] {
        let id = cloud.text(GetParameter, name(alias), "Value");
        let image = cloud.described(DescribeImages, "ImageIds", &id, "Images");
        assert_eq!(image.get("Architecture"), &architecture.into());
        assert_eq!(image.get("RootDeviceName"), &"/dev/xvda".into());
        assert_eq!(image.get("RootVolumeSize"), &8.into());
    }
    let latest = name("al2023-ami-kernel-default-x86_64");
    assert_eq!(cloud.text(GetParameter, latest.clone(), "Value"), AMI);
    cloud.account.release_images();
    assert_ne!(cloud.text(GetParameter, latest, "Value"), AMI);
    cloud.described(DescribeImages, "ImageIds", AMI, "Images");
}

#[test]
fn database_versions() {
    let mut cloud = Cloud::instant();
    let mut versions = |arguments| {
        let reply = cloud.ok(DescribeDBEngineVersions, arguments);
        let list = reply.get("DBEngineVersions").as_list().expect("a list").to_vec();
        list.iter().filter_map(|v| v.get("EngineVersion").as_str().map(str::to_owned)).collect::<Vec<_>>()
    };
    let expected = ["15.13", "15.14", "15.15", "15.16", "15.17", "15.18", "15.19"];
    assert_eq!(versions(json!({"Engine": "postgres", "EngineVersion": "15"})), expected);
    assert_eq!(versions(json!({"Engine": "postgres", "EngineVersion": "15.14"})), ["15.14"]);
    assert!(versions(json!({"Engine": "postgres", "EngineVersion": "15.4"})).is_empty());
    assert!(versions(json!({"Engine": "postgres"})).len() > 30);
    cloud.table(&[(DescribeDBEngineVersions, json!({"Engine": "oracle"}), "InvalidParameterValue")]);
}

#[test]
fn filters_by_identifier_find_what_looking_at_every_object_finds() {
    let mut cloud = Cloud::median();
    let network = Network::new(&mut cloud);
    let mut ids: Vec<String> = (0..6)
        .map(|index| {
            let arguments = launch(&network.public[0], &network.group, &format!("t{index}"));
            cloud.text(RunInstances, arguments, "Instances.0.InstanceId")
        })
        .collect();
    cloud.wait(60);
    cloud.ok(TerminateInstances, json!({"InstanceIds": [ids[1], ids[4]]}));
    ids.remove(0);
    ids.reverse();
    ids.extend([ids[0].clone(), format!("i-{NOWHERE}")]);
    // No identifier matches a pattern that has a character more, but with one each object has to be looked at.
    let slow: Vec<String> = ids.iter().cloned().chain(["?".to_owned()]).collect();
    for seconds in [0, 10, 60, 3600] {
        cloud.wait(seconds);
        for (operation, filter, list) in
            [(DescribeInstances, "instance-id", "Instances"), (DescribeVolumes, "attachment.instance-id", "Volumes")]
        {
            let quick = cloud.ok(operation, json!({"Filters": {filter: ids}}));
            assert_eq!(quick, cloud.ok(operation, json!({"Filters": {filter: slow}})), "{operation}");
            let found = quick.get(list).as_list().expect("a list").len();
            assert!((3..=5).contains(&found), "{operation}: {quick}");
            let both = json!({"Filters": {filter: ids, "availability-zone": ["us-east-1z"]}});
            assert_eq!(cloud.ok(operation, both).get(list), &Value::EMPTY_LIST);
        }
    }
}
