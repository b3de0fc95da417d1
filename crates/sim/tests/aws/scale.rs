//! Many objects: nothing may take time quadratic in their number.

use std::time::{Duration, Instant};

use aloka_core::api::Ec2::*;
use aloka_sim::aws::Quotas;
use serde_json::json;

use crate::cloud::{Cloud, Network, launch, with};

#[expect(clippy::disallowed_methods, reason = "a test may tell how long it took")]
#[test]
fn ten_thousand_instances() {
    let started = Instant::now();
    let mut cloud = Cloud::median();
    cloud.account = cloud.account.with_quotas(Quotas::unlimited());
    let network = Network::new(&mut cloud);
    let subnet = cloud.subnet(&network.vpc, "10.0.128.0/17", "us-east-1a");
    let mut ids = Vec::new();
    for index in 0..10_000 {
        let tags = json!({"Tags": {"address": format!("aws_instance.app/{index}")}});
        let arguments = with(launch(&subnet, &network.group, &format!("t{index}")), tags);
        ids.push(cloud.text(RunInstances, arguments, "Instances.0.InstanceId"));
    }
    cloud.wait(60);
    for id in &ids {
        assert_eq!(cloud.described_instance(id).get("State"), &"running".into());
    }
    let one = cloud.ok(DescribeInstances, json!({"Filters": {"tag:address": ["aws_instance.app/4711"]}}));
    assert_eq!(one.at("Instances.0.InstanceId"), Some(&ids[4711].as_str().into()));
    for id in &ids {
        cloud.ok(TerminateInstances, json!({"InstanceIds": [id]}));
    }
    cloud.wait(60);
    assert_eq!(cloud.code(DeleteSubnet, &json!({"SubnetId": subnet})), "ok");
    // Seconds, unoptimised; minutes, if something were quadratic.
    assert!(started.elapsed() < Duration::from_secs(60), "{:?}", started.elapsed());
}
