//! `aws_instance`: an application server.

use super::attribute::{Compare, OnChange, SECURITY_GROUPS, TAGS, attribute, computed, create_only, in_place, replace};
use super::context::{absent, call, equals, is_changed, no_reads, nothing, object, text_list, wait, with_way_back};
use super::schema::{
    Type::{Blocks, Bool, Map, Number as Num, Texts},
    Types, VOLUME,
};
use super::{
    Attribute, AttributeChange, Attributes, Context, Definition, Found, Import, Listing, Network, Origin, Phase,
    Recorded, Swept, Tagging, Tie, Use,
};
use crate::api::{Call, Ec2, Operation};
use crate::intern;
use crate::kind::Kind;
use crate::procedure::{Accept, Expect, Pace, Save, Step, WayBack};
use crate::value::{Value, ValueMap};

const ATTRIBUTES: &[Attribute] = &[
    replace("ami"),
    computed("arn"),
    create_only("associate_public_ip_address"),
    computed("availability_zone"),
    computed("id"),
    computed("instance_state"),
    in_place("instance_type"),
    create_only("metadata_options"),
    computed("primary_network_interface_id"),
    computed("private_dns"),
    computed("private_ip"),
    computed("public_dns"),
    computed("public_ip"),
    attribute("root_block_device", OnChange::InPlace, Compare::RootVolume),
    replace("subnet_id"),
    TAGS,
    replace("user_data"),
    SECURITY_GROUPS,
];

const TYPES: Types = &[
    ("associate_public_ip_address", Bool),
    ("capacity_reservation_specification", Blocks(&[("capacity_reservation_target", Blocks(&[]))])),
    ("cpu_core_count", Num),
    ("cpu_options", Blocks(&[("core_count", Num), ("threads_per_core", Num)])),
    ("cpu_threads_per_core", Num),
    ("credit_specification", Blocks(&[])),
    ("disable_api_stop", Bool),
    ("disable_api_termination", Bool),
    ("ebs_block_device", Blocks(VOLUME)),
    ("ebs_optimized", Bool),
    ("enable_primary_ipv6", Bool),
    ("enclave_options", Blocks(&[("enabled", Bool)])),
    ("ephemeral_block_device", Blocks(&[("no_device", Bool)])),
    ("get_password_data", Bool),
    ("hibernation", Bool),
    ("ipv6_address_count", Num),
    ("ipv6_addresses", Texts),
    ("metadata_options", Blocks(&[("http_put_response_hop_limit", Num)])),
    ("monitoring", Bool),
    (
        "network_interface",
        Blocks(&[("delete_on_termination", Bool), ("device_index", Num), ("network_card_index", Num)]),
    ),
    ("placement_partition_number", Num),
    (
        "private_dns_name_options",
        Blocks(&[("enable_resource_name_dns_a_record", Bool), ("enable_resource_name_dns_aaaa_record", Bool)]),
    ),
    ("root_block_device", Blocks(VOLUME)),
    ("secondary_private_ips", Texts),
    ("security_groups", Texts),
    ("source_dest_check", Bool),
    ("user_data_replace_on_change", Bool),
    ("volume_tags", Map),
    ("vpc_security_group_ids", Texts),
];

pub(super) static DEFINITION: Definition = Definition {
    schema_version: 1,
    provider_settings: &[("get_password_data", false), ("user_data_replace_on_change", false)],
    attributes: ATTRIBUTES,
    types: TYPES,
    secrets: &[],
    recorded_only: &[],
    variables: &[
        Origin { name: "", attribute: "ami", variable: "app_ami_id" },
        Origin { name: "", attribute: "user_data", variable: "app_user_data" },
    ],
    name_attribute: None,
    reference: "id",
    id_prefix: Some("i"),
    derived_id: None,
    import: Import::By("id"),
    listing: Listing {
        kind: Kind::Instance,
        operation: Operation::Ec2(Ec2::DescribeInstances),
        argument: "InstanceIds",
        filter: Some("instance-id"),
        // Its volumes.
        beside: Some((Operation::Ec2(Ec2::DescribeVolumes), "attachment.instance-id")),
        list: "Instances",
        first: "Instances.0",
        id: "InstanceId",
        attribute: "id",
    },
    in_vpc: Some("vpc-id"),
    also_read: no_reads,
    made_by: &[(Operation::Ec2(Ec2::RunInstances), "InstanceId")],
    told_apart_by: None,
    found: Found::ByTags,
    tagging: Tagging::Ec2,
    swept: &[
        Swept {
            terraform_type: "aws_instance",
            operation: Operation::Ec2(Ec2::DescribeInstances),
            list: "Instances",
            id: "InstanceId",
            remove: "aws ec2 terminate-instances --instance-ids",
        },
        Swept {
            terraform_type: "aws_ebs_volume",
            operation: Operation::Ec2(Ec2::DescribeVolumes),
            list: "Volumes",
            id: "VolumeId",
            remove: "aws ec2 delete-volume --volume-id",
        },
    ],
    observe,
    describe,
    phase,
    create,
    settle,
    finish: nothing,
    update,
    delete,
    is_aws_own: false,
    stands_beside_its_successor: false,
    part_of: None,
    ties: &[Tie::InternetGateways, Tie::PublicRoutes, Tie::AssociationsOfItsSubnet],
    used_by_others: Use::Nothing,
    network: Network::Host { port: None },
};

const RUNNING: Pace = Pace::seconds(10, 25, 600);
const STOPPED: Pace = Pace::seconds(20, 45, 600);
const TERMINATED: Pace = Pace::seconds(18, 32, 1200);
const VOLUME_RESIZED: Pace = Pace::seconds(1, 5, 900);

fn observe(a: &mut Attributes<'_>, _: &ValueMap) -> Option<()> {
    a.copy(&[
        ("ami", "ImageId"),
        ("availability_zone", "AvailabilityZone"),
        ("id", "InstanceId"),
        ("instance_state", "State"),
        ("instance_type", "InstanceType"),
        ("private_dns", "PrivateDnsName"),
        ("private_ip", "PrivateIpAddress"),
        ("public_dns", "PublicDnsName"),
        ("public_ip", "PublicIpAddress"),
        ("subnet_id", "SubnetId"),
    ]);
    let primary = a.keyed("NetworkInterfaces", "DeviceIndex", &0.into());
    a.set("primary_network_interface_id", primary.map(|it| it.get("NetworkInterfaceId").clone()).unwrap_or_default());
    if let Some(groups) = a.object.at("SecurityGroups").and_then(Value::as_list) {
        a.set("vpc_security_group_ids", Value::List(groups.iter().map(|group| group.get("GroupId").clone()).collect()));
    }
    if let Some(options) = a.object.at("MetadataOptions") {
        let field = |name, from| (name, options.get(from).clone());
        let options = Value::common_map([
            field("http_endpoint", "HttpEndpoint"),
            field("http_put_response_hop_limit", "HttpPutResponseHopLimit"),
            field("http_tokens", "HttpTokens"),
        ]);
        a.set("metadata_options", Value::List(vec![options]));
    }
    a.ec2_arn("instance");
    Some(())
}

fn describe(of: &Recorded<'_>) -> Option<Value> {
    let groups = of.attributes.get("vpc_security_group_ids").and_then(Value::as_list).unwrap_or_default();
    let groups = groups.iter().map(|id| Value::map([("GroupId", id.clone())]));
    Some(Value::map([
        ("InstanceId", of.id()),
        ("SubnetId", of.value("subnet_id")),
        ("SecurityGroups", Value::List(groups.collect())),
    ]))
}

/// `root_block_device` of an instance, from the instance and its volumes.
pub fn root_block_device(instance: &Value, volume: &Value) -> Value {
    let mappings = instance.get("BlockDeviceMappings").as_list().unwrap_or_default();
    let mapping = mappings.iter().find(|mapping| mapping.get("VolumeId") == volume.get("VolumeId"));
    let delete = mapping.map_or(Value::Null, |mapping| mapping.get("DeleteOnTermination").clone());
    Value::List(vec![Value::map([
        ("delete_on_termination", delete),
        ("device_name", mapping.map_or(Value::Null, |mapping| mapping.get("DeviceName").clone())),
        ("encrypted", volume.get("Encrypted").clone()),
        ("volume_id", volume.get("VolumeId").clone()),
        ("volume_size", volume.get("Size").clone()),
        ("volume_type", volume.get("VolumeType").clone()),
    ])])
}

fn phase(object: &Value) -> Phase {
    match object.at("State").and_then(Value::as_str).unwrap_or_default() {
        // Half way through a change of its type, or by its owner: see `plan::standing`.
        "pending" | "stopping" | "stopped" => Phase::Settling,
        "shutting-down" => Phase::Deleting,
        "terminated" => Phase::Gone,
        _ => Phase::Ready,
    }
}

fn state(value: &str, success: bool) -> Accept {
    equals("Instances.0.State", value, success)
}

fn start(of: &Context<'_>) -> Step {
    call(Operation::Ec2(Ec2::StartInstances), [("InstanceIds", text_list(of.id()))])
}

fn stopped(of: &Context<'_>) -> Step {
    of.wait_for(vec![state("stopped", true), state("terminated", false)], STOPPED)
}

fn create(of: &Context<'_>) -> Vec<Step> {
    let root = of.get("root_block_device");
    let root = |name: &str| root.at("0").map(|root| root.get(name).clone()).unwrap_or_default();
    let device = [
        ("DeviceName", Value::Str(of.root_device_name.clone())),
        ("VolumeSize", root("volume_size")),
        ("VolumeType", root("volume_type")),
        ("Encrypted", root("encrypted")),
        ("DeleteOnTermination", root("delete_on_termination")),
    ];
    let device = Value::common_map(device.into_iter().filter(|(_, value)| !value.is_null()));
    let interface = Value::common_map([
        ("DeviceIndex", Value::from(0)),
        ("SubnetId", of.get("subnet_id")),
        ("Groups", of.get("vpc_security_group_ids")),
        ("AssociatePublicIpAddress", of.get("associate_public_ip_address")),
        ("DeleteOnTermination", true.into()),
    ]);
    let metadata = of.get("metadata_options");
    let metadata = |name: &str| metadata.at("0").map(|options| options.get(name).clone()).unwrap_or_default();
    let metadata = Value::common_map([
        ("HttpEndpoint", metadata("http_endpoint")),
        ("HttpPutResponseHopLimit", metadata("http_put_response_hop_limit")),
        ("HttpTokens", metadata("http_tokens")),
    ]);
    let args = [
        ("ImageId", of.get("ami")),
        ("InstanceType", of.get("instance_type")),
        ("MinCount", 1.into()),
        ("MaxCount", 1.into()),
        ("NetworkInterfaces", Value::List(vec![interface])),
        ("BlockDeviceMappings", Value::List(vec![device])),
        ("MetadataOptions", metadata),
        ("UserData", Value::Str(of.user_data.clone())),
        ("ClientToken", of.token()),
    ];
    vec![of.create_call(Operation::Ec2(Ec2::RunInstances), object("Instances.0"), args)]
}

fn settle(of: &Context<'_>) -> Vec<Step> {
    let start = match of.before.get("instance_state").and_then(Value::as_str) {
        Some("stopped") => vec![start(of)],
        Some("stopping") => vec![stopped(of), start(of)],
        Some(_) | None => Vec::new(),
    };
    let accept = vec![state("running", true), state("terminated", false), state("shutting-down", false)];
    start.into_iter().chain([of.wait_for(accept, RUNNING)]).collect()
}

fn update(of: &Context<'_>, changes: &[AttributeChange], stays_stopped: bool) -> Vec<Step> {
    let mut steps = Vec::new();
    if is_changed(changes, "instance_type") {
        steps.extend(change_type(of, stays_stopped));
    }
    if is_changed(changes, "vpc_security_group_ids") {
        let args = [("InstanceId", of.id()), ("Groups", of.get("vpc_security_group_ids"))];
        steps.push(call(Operation::Ec2(Ec2::ModifyInstanceAttribute), args));
    }
    if is_changed(changes, "root_block_device") {
        steps.extend(resize_volume(of));
    }
    steps
}

/// Until the volume is resized, reads show the old size.
fn resize_volume(of: &Context<'_>) -> [Step; 2] {
    let volume = |map: &ValueMap, path: &str| {
        map.get("root_block_device").and_then(|list| list.at(path)).cloned().unwrap_or_default()
    };
    let (id, size) = (volume(of.before, "0.volume_id"), volume(of.after, "0.volume_size"));
    let args = [("VolumeId", id.clone()), ("Size", size.clone())];
    let read = Call::new(Ec2::DescribeVolumes, [("VolumeIds", text_list(id))]);
    let resized = Expect::Equals { path: intern::text("Volumes.0.Size"), value: size };
    let accept = vec![Accept { expect: resized, success: true }];
    [call(Operation::Ec2(Ec2::ModifyVolume), args), wait(read, accept, Save::Nothing, VOLUME_RESIZED)]
}

/// Stops the server, changes its type and starts it. If AWS refuses the new type, it is started with the old one.
fn change_type(of: &Context<'_>, stays_stopped: bool) -> Vec<Step> {
    let become_ = |kind: Value| {
        call(Operation::Ec2(Ec2::ModifyInstanceAttribute), [("InstanceId", of.id()), ("InstanceType", kind)])
    };
    let (old, new) = (of.old("instance_type"), of.get("instance_type"));
    if stays_stopped {
        return vec![become_(new)];
    }
    let running = || of.wait_for(vec![state("running", true), state("terminated", false)], RUNNING);
    let name = |kind: &Value| kind.as_str().unwrap_or_default().to_owned();
    let (old_name, new_name) = (name(&old), name(&new));
    let back = |steps| WayBack {
        steps,
        done: intern::text(&format!("instance_type stays {old_name} instead of {new_name}, and the server runs again")),
        left: intern::text(&format!(
            "instance_type was to change from {old_name} to {new_name}, and the server may be stopped now: the next \
             `aloka apply` starts it"
        )),
    };
    vec![
        call(Operation::Ec2(Ec2::StopInstances), [("InstanceIds", text_list(of.id()))]),
        stopped(of),
        with_way_back(become_(new), back(vec![start(of), running()])),
        with_way_back(start(of), back(vec![become_(old), start(of), running()])),
        running(),
    ]
}

/// What an earlier run began to terminate is only waited for.
fn delete(of: &Context<'_>, phase: Option<&Phase>) -> Vec<Step> {
    let delete = (phase != Some(&Phase::Deleting))
        .then(|| call(Operation::Ec2(Ec2::TerminateInstances), [("InstanceIds", text_list(of.id()))]));
    let gone = vec![state("terminated", true), absent("Instances.0")];
    delete.into_iter().chain([wait(of.read().0, gone, Save::Nothing, TERMINATED)]).collect()
}
