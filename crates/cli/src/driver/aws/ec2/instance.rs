//! Instances, their volumes, images and types.

use aloka_core::api::{ApiError, Reply};
use aloka_core::value::Value;
use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::{
    ArchitectureValues, AttributeValue, BlockDeviceMapping, EbsBlockDevice, HttpTokensState, Image, ImageState,
    Instance, InstanceMetadataEndpointState, InstanceMetadataOptionsRequest, InstanceNetworkInterfaceAttachment,
    InstanceNetworkInterfaceSpecification, InstanceStateName, InstanceType, Reservation, ResourceType, Volume,
    VolumeState, VolumeType,
};

use crate::driver::aws::convert::{filters, tag_map, tag_specifications};
use crate::driver::aws::error::api_error;
use crate::driver::aws::input::Input;
use crate::driver::aws::reply::{done, list, object, present, text};

pub(in crate::driver::aws) async fn describe_instance_type_offerings(client: &Client, input: &Input<'_>) -> Reply {
    let call = client
        .describe_instance_type_offerings()
        .set_location_type(input.word("LocationType")?)
        .set_filters(filters(input)?);
    let offerings = call.into_paginator().items().send().try_collect().await.map_err(api_error)?;
    let offerings = list(&offerings, |offering| {
        object([
            ("InstanceType", text(offering.instance_type().map(InstanceType::as_str))),
            ("Location", text(offering.location())),
        ])
    });
    Ok(object([("InstanceTypeOfferings", offerings)]))
}

pub(in crate::driver::aws) async fn describe_images(client: &Client, input: &Input<'_>) -> Reply {
    let call = client.describe_images().set_image_ids(input.texts("ImageIds")?);
    let images = call.into_paginator().items().send().try_collect().await.map_err(api_error)?;
    Ok(object([("Images", list(&images, image))]))
}

pub(in crate::driver::aws) async fn run_instances(client: &Client, input: &Input<'_>) -> Reply {
    let call = client
        .run_instances()
        .set_image_id(input.text("ImageId")?)
        .set_instance_type(input.word("InstanceType")?)
        .set_min_count(input.number("MinCount")?)
        .set_max_count(input.number("MaxCount")?)
        .set_network_interfaces(network_interfaces(input)?)
        .set_block_device_mappings(block_devices(input)?)
        .set_metadata_options(metadata_options(input)?)
        .set_user_data(input.text("UserData")?.map(aws_smithy_types::base64::encode))
        .set_client_token(input.text("ClientToken")?)
        .set_tag_specifications(tag_specifications(input, &[ResourceType::Instance, ResourceType::Volume])?);
    let output = call.send().await.map_err(api_error)?;
    present(output.instances().first(), "Instances")?;
    Ok(object([("Instances", list(output.instances(), instance))]))
}

pub(in crate::driver::aws) async fn describe_instances(client: &Client, input: &Input<'_>) -> Reply {
    let call = client.describe_instances().set_instance_ids(input.texts("InstanceIds")?).set_filters(filters(input)?);
    let reservations: Vec<Reservation> = call.into_paginator().items().send().try_collect().await.map_err(api_error)?;
    Ok(object([("Instances", list(reservations.iter().flat_map(Reservation::instances), instance))]))
}

pub(in crate::driver::aws) async fn modify_instance_attribute(client: &Client, input: &Input<'_>) -> Reply {
    let instance_type = input.text("InstanceType")?;
    let call = client
        .modify_instance_attribute()
        .set_instance_id(input.text("InstanceId")?)
        .set_instance_type(instance_type.map(|value| AttributeValue::builder().value(value).build()))
        .set_groups(input.texts("Groups")?);
    call.send().await.map_err(api_error)?;
    done()
}

pub(in crate::driver::aws) async fn stop_instances(client: &Client, input: &Input<'_>) -> Reply {
    client.stop_instances().set_instance_ids(input.texts("InstanceIds")?).send().await.map_err(api_error)?;
    done()
}

pub(in crate::driver::aws) async fn start_instances(client: &Client, input: &Input<'_>) -> Reply {
    client.start_instances().set_instance_ids(input.texts("InstanceIds")?).send().await.map_err(api_error)?;
    done()
}

pub(in crate::driver::aws) async fn terminate_instances(client: &Client, input: &Input<'_>) -> Reply {
    client.terminate_instances().set_instance_ids(input.texts("InstanceIds")?).send().await.map_err(api_error)?;
    done()
}

pub(in crate::driver::aws) async fn describe_volumes(client: &Client, input: &Input<'_>) -> Reply {
    let call = client.describe_volumes().set_volume_ids(input.texts("VolumeIds")?).set_filters(filters(input)?);
    let volumes = call.into_paginator().items().send().try_collect().await.map_err(api_error)?;
    Ok(object([("Volumes", list(&volumes, volume))]))
}

pub(in crate::driver::aws) async fn modify_volume(client: &Client, input: &Input<'_>) -> Reply {
    let call = client.modify_volume().set_volume_id(input.text("VolumeId")?).set_size(input.number("Size")?);
    call.send().await.map_err(api_error)?;
    done()
}

fn network_interfaces(input: &Input<'_>) -> Result<Option<Vec<InstanceNetworkInterfaceSpecification>>, ApiError> {
    let known = ["DeviceIndex", "SubnetId", "Groups", "AssociatePublicIpAddress", "DeleteOnTermination"];
    input.objects("NetworkInterfaces", &known, |input| {
        Ok(InstanceNetworkInterfaceSpecification::builder()
            .set_device_index(input.number("DeviceIndex")?)
            .set_subnet_id(input.text("SubnetId")?)
            .set_groups(input.texts("Groups")?)
            .set_associate_public_ip_address(input.flag("AssociatePublicIpAddress")?)
            .set_delete_on_termination(input.flag("DeleteOnTermination")?)
            .build())
    })
}

fn block_devices(input: &Input<'_>) -> Result<Option<Vec<BlockDeviceMapping>>, ApiError> {
    let known = ["DeviceName", "VolumeSize", "VolumeType", "Encrypted", "DeleteOnTermination"];
    input.objects("BlockDeviceMappings", &known, |input| {
        let volume = EbsBlockDevice::builder()
            .set_volume_size(input.number("VolumeSize")?)
            .set_volume_type(input.word("VolumeType")?)
            .set_encrypted(input.flag("Encrypted")?)
            .set_delete_on_termination(input.flag("DeleteOnTermination")?)
            .build();
        Ok(BlockDeviceMapping::builder().set_device_name(input.text("DeviceName")?).ebs(volume).build())
    })
}

fn metadata_options(input: &Input<'_>) -> Result<Option<InstanceMetadataOptionsRequest>, ApiError> {
    let known = ["HttpTokens", "HttpPutResponseHopLimit", "HttpEndpoint"];
    input.object("MetadataOptions", &known, |input| {
        Ok(InstanceMetadataOptionsRequest::builder()
            .set_http_tokens(input.word("HttpTokens")?)
            .set_http_put_response_hop_limit(input.number("HttpPutResponseHopLimit")?)
            .set_http_endpoint(input.word("HttpEndpoint")?)
            .build())
    })
}

fn instance(instance: &Instance) -> Value {
    let state = instance.state().and_then(|state| state.name());
    let reason = instance
        .state_reason()
        .filter(|reason| reason.code().is_some())
        .map(|reason| object([("Code", text(reason.code())), ("Message", text(reason.message()))]));
    let groups = list(instance.security_groups(), |group| {
        object([("GroupId", text(group.group_id())), ("GroupName", text(group.group_name()))])
    });
    let interfaces = list(instance.network_interfaces(), |interface| {
        let index = interface.attachment().and_then(InstanceNetworkInterfaceAttachment::device_index);
        object([("NetworkInterfaceId", text(interface.network_interface_id())), ("DeviceIndex", index.into())])
    });
    let devices = list(instance.block_device_mappings(), |device| {
        object([
            ("DeviceName", text(device.device_name())),
            ("VolumeId", text(device.ebs().and_then(|volume| volume.volume_id()))),
            ("DeleteOnTermination", device.ebs().and_then(|volume| volume.delete_on_termination()).into()),
        ])
    });
    let metadata = instance.metadata_options().map(|options| {
        object([
            ("HttpTokens", text(options.http_tokens().map(HttpTokensState::as_str))),
            ("HttpPutResponseHopLimit", options.http_put_response_hop_limit().into()),
            ("HttpEndpoint", text(options.http_endpoint().map(InstanceMetadataEndpointState::as_str))),
        ])
    });
    object([
        ("InstanceId", text(instance.instance_id())),
        ("ImageId", text(instance.image_id())),
        ("InstanceType", text(instance.instance_type().map(InstanceType::as_str))),
        ("State", text(state.map(InstanceStateName::as_str))),
        ("StateReason", reason.into()),
        ("SubnetId", text(instance.subnet_id())),
        ("VpcId", text(instance.vpc_id())),
        ("PrivateIpAddress", text(instance.private_ip_address())),
        ("PrivateDnsName", text(instance.private_dns_name())),
        ("PublicIpAddress", text(instance.public_ip_address())),
        ("PublicDnsName", text(instance.public_dns_name())),
        ("AvailabilityZone", text(instance.placement().and_then(|placement| placement.availability_zone()))),
        ("SecurityGroups", groups),
        ("NetworkInterfaces", interfaces),
        ("RootDeviceName", text(instance.root_device_name())),
        ("BlockDeviceMappings", devices),
        ("MetadataOptions", metadata.into()),
        ("ClientToken", text(instance.client_token())),
        ("Tags", tag_map(instance.tags())),
    ])
}

/// A volume is on one instance at most, but for io1 and io2, which aloka does not use. `ModificationState` is not
/// part of this answer of EC2.
fn volume(volume: &Volume) -> Value {
    let attachment = volume.attachments().first();
    object([
        ("VolumeId", text(volume.volume_id())),
        ("Size", volume.size().into()),
        ("VolumeType", text(volume.volume_type().map(VolumeType::as_str))),
        ("Encrypted", volume.encrypted().into()),
        ("State", text(volume.state().map(VolumeState::as_str))),
        ("InstanceId", text(attachment.and_then(|attachment| attachment.instance_id()))),
        ("Device", text(attachment.and_then(|attachment| attachment.device()))),
        ("Tags", tag_map(volume.tags())),
    ])
}

fn image(image: &Image) -> Value {
    let root = image.root_device_name();
    let mut devices = image.block_device_mappings().iter();
    let root_volume =
        devices.find(|device| root.is_some() && device.device_name() == root).and_then(|device| device.ebs());
    object([
        ("ImageId", text(image.image_id())),
        ("Name", text(image.name())),
        ("Architecture", text(image.architecture().map(ArchitectureValues::as_str))),
        ("RootDeviceName", text(root)),
        ("RootVolumeSize", root_volume.and_then(EbsBlockDevice::volume_size).into()),
        ("State", text(image.state().map(ImageState::as_str))),
    ])
}
