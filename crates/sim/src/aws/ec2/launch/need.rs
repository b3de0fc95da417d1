//! What a launch needs: every part of what it makes, and all that it uses.

use aloka_core::api::{Ec2, Operation};
use aloka_core::value::Value;

use crate::iam::{Ask, Asks, Needs, ResourceType as T, condition};

pub(crate) const NEEDS: &[Asks] = &[(Operation::Ec2(Ec2::RunInstances), &[Ask::By(run_instances)])];

fn run_instances(needs: &mut Needs<'_>) {
    let request = needs.request;
    needs.named(T::Image, "ImageId");
    let interface = request.arg("NetworkInterfaces").at("0").cloned().unwrap_or_default();
    let subnet = interface.get("SubnetId").as_str().unwrap_or_default();
    let place = needs.objects.facts(T::Subnet, subnet).keys;
    let of_subnet = |wanted: &[&'static str]| -> Vec<(&'static str, String)> {
        place.iter().filter(|(key, _)| wanted.contains(key)).cloned().collect()
    };
    let zone = of_subnet(&["ec2:AvailabilityZone"]);

    let metadata = request.arg("MetadataOptions");
    let mut instance = zone.clone();
    instance.push(("ec2:InstanceType", request.text("InstanceType").to_owned()));
    instance.extend(condition("ec2:MetadataHttpTokens", metadata.get("HttpTokens")));
    instance.extend(condition("ec2:MetadataHttpEndpoint", metadata.get("HttpEndpoint")));
    instance.extend(condition("ec2:MetadataHttpPutResponseHopLimit", metadata.get("HttpPutResponseHopLimit")));
    needs.create_named(T::Instance, "*", instance);

    // The root volume, if nothing is said of any.
    let mappings = request.arg("BlockDeviceMappings").as_list().unwrap_or_default();
    let unsaid = [Value::Null];
    for mapping in if mappings.is_empty() { unsaid.as_slice() } else { mappings } {
        let mut volume = zone.clone();
        volume.extend(condition("ec2:VolumeSize", mapping.get("VolumeSize")));
        volume.extend(condition("ec2:VolumeType", mapping.get("VolumeType")));
        volume.extend(condition("ec2:Encrypted", mapping.get("Encrypted")));
        needs.create_named(T::Volume, "*", volume);
    }

    // Nothing tags the interface.
    let mut context = needs.plain();
    for (key, value) in of_subnet(&["ec2:AvailabilityZone", "ec2:Vpc"]) {
        context.add(key, value);
    }
    context.add("ec2:Subnet", needs.arn(T::Subnet, subnet));
    if let Some((key, value)) = condition("ec2:AssociatePublicIpAddress", interface.get("AssociatePublicIpAddress")) {
        context.add(key, value);
    }
    let resource = needs.arn(T::NetworkInterface, "*");
    needs.push(resource, context);

    needs.existing(T::Subnet, subnet);
    let groups = interface.get("Groups").as_list().unwrap_or_default();
    let mut groups: Vec<String> = groups.iter().filter_map(|group| group.as_str().map(str::to_owned)).collect();
    if groups.is_empty() {
        groups.extend(needs.objects.default_group(subnet));
    }
    for group in groups {
        needs.existing(T::SecurityGroup, &group);
    }
}
