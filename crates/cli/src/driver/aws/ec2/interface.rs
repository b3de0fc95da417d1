//! Network interfaces.

use aloka_core::api::Reply;
use aloka_core::value::Value;
use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::{AttachmentStatus, NetworkInterface, NetworkInterfaceStatus, NetworkInterfaceType};

use crate::driver::aws::convert::{filters, tag_map};
use crate::driver::aws::error::api_error;
use crate::driver::aws::input::Input;
use crate::driver::aws::reply::{list, object, text};

pub(in crate::driver::aws) async fn describe_network_interfaces(client: &Client, input: &Input<'_>) -> Reply {
    let call = client
        .describe_network_interfaces()
        .set_network_interface_ids(input.texts("NetworkInterfaceIds")?)
        .set_filters(filters(input)?);
    let interfaces = call.into_paginator().items().send().try_collect().await.map_err(api_error)?;
    Ok(object([("NetworkInterfaces", list(&interfaces, network_interface))]))
}

fn network_interface(interface: &NetworkInterface) -> Value {
    let groups = list(interface.groups(), |group| {
        object([("GroupId", text(group.group_id())), ("GroupName", text(group.group_name()))])
    });
    let attachment = interface.attachment().map(|attachment| {
        object([
            ("AttachmentId", text(attachment.attachment_id())),
            ("InstanceId", text(attachment.instance_id())),
            ("InstanceOwnerId", text(attachment.instance_owner_id())),
            ("DeleteOnTermination", attachment.delete_on_termination().into()),
            ("Status", text(attachment.status().map(AttachmentStatus::as_str))),
        ])
    });
    let association = interface.association().map(|association| {
        object([("PublicIp", text(association.public_ip())), ("AllocationId", text(association.allocation_id()))])
    });
    object([
        ("NetworkInterfaceId", text(interface.network_interface_id())),
        ("SubnetId", text(interface.subnet_id())),
        ("VpcId", text(interface.vpc_id())),
        ("AvailabilityZone", text(interface.availability_zone())),
        ("Status", text(interface.status().map(NetworkInterfaceStatus::as_str))),
        ("Description", text(interface.description())),
        ("InterfaceType", text(interface.interface_type().map(NetworkInterfaceType::as_str))),
        ("RequesterManaged", interface.requester_managed().into()),
        ("OwnerId", text(interface.owner_id())),
        ("PrivateIpAddress", text(interface.private_ip_address())),
        ("Groups", groups),
        ("Attachment", attachment.into()),
        ("Association", association.into()),
        ("Tags", tag_map(interface.tag_set())),
    ])
}
