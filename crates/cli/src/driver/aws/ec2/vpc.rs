//! Availability zones, VPCs and subnets.

use aloka_core::api::Reply;
use aloka_core::value::Value;
use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::{
    AttributeBooleanValue, AvailabilityZoneOptInStatus, AvailabilityZoneState, BlockPublicAccessMode, ResourceType,
    Subnet, SubnetState, Tenancy, Vpc, VpcState,
};

use crate::driver::aws::convert::{filters, tag_map, tag_specifications};
use crate::driver::aws::error::api_error;
use crate::driver::aws::input::Input;
use crate::driver::aws::reply::{done, list, object, present, text};

pub(in crate::driver::aws) async fn describe_availability_zones(client: &Client, input: &Input<'_>) -> Reply {
    let call = client.describe_availability_zones().set_filters(filters(input)?);
    let output = call.send().await.map_err(api_error)?;
    let zones = list(output.availability_zones(), |zone| {
        object([
            ("ZoneName", text(zone.zone_name())),
            ("ZoneId", text(zone.zone_id())),
            ("State", text(zone.state().map(AvailabilityZoneState::as_str))),
            ("ZoneType", text(zone.zone_type())),
            ("OptInStatus", text(zone.opt_in_status().map(AvailabilityZoneOptInStatus::as_str))),
        ])
    });
    Ok(object([("AvailabilityZones", zones)]))
}

pub(in crate::driver::aws) async fn create_vpc(client: &Client, input: &Input<'_>) -> Reply {
    let call = client
        .create_vpc()
        .set_cidr_block(input.text("CidrBlock")?)
        .set_instance_tenancy(input.word("InstanceTenancy")?)
        .set_tag_specifications(tag_specifications(input, &[ResourceType::Vpc])?);
    let output = call.send().await.map_err(api_error)?;
    Ok(object([("Vpc", vpc(present(output.vpc(), "Vpc")?))]))
}

pub(in crate::driver::aws) async fn describe_vpcs(client: &Client, input: &Input<'_>) -> Reply {
    let call = client.describe_vpcs().set_vpc_ids(input.texts("VpcIds")?).set_filters(filters(input)?);
    let vpcs = call.into_paginator().items().send().try_collect().await.map_err(api_error)?;
    Ok(object([("Vpcs", list(&vpcs, vpc))]))
}

pub(in crate::driver::aws) async fn describe_vpc_attribute(client: &Client, input: &Input<'_>) -> Reply {
    let call = client.describe_vpc_attribute().set_vpc_id(input.text("VpcId")?).set_attribute(input.word("Attribute")?);
    let output = call.send().await.map_err(api_error)?;
    let plain = |value: Option<&AttributeBooleanValue>| Value::from(value.and_then(AttributeBooleanValue::value));
    Ok(object([
        ("VpcId", text(output.vpc_id())),
        ("EnableDnsSupport", plain(output.enable_dns_support())),
        ("EnableDnsHostnames", plain(output.enable_dns_hostnames())),
    ]))
}

pub(in crate::driver::aws) async fn modify_vpc_attribute(client: &Client, input: &Input<'_>) -> Reply {
    let wrapped = |value: bool| AttributeBooleanValue::builder().value(value).build();
    let call = client
        .modify_vpc_attribute()
        .set_vpc_id(input.text("VpcId")?)
        .set_enable_dns_support(input.flag("EnableDnsSupport")?.map(wrapped))
        .set_enable_dns_hostnames(input.flag("EnableDnsHostnames")?.map(wrapped));
    call.send().await.map_err(api_error)?;
    done()
}

pub(in crate::driver::aws) async fn delete_vpc(client: &Client, input: &Input<'_>) -> Reply {
    client.delete_vpc().set_vpc_id(input.text("VpcId")?).send().await.map_err(api_error)?;
    done()
}

pub(in crate::driver::aws) async fn create_subnet(client: &Client, input: &Input<'_>) -> Reply {
    let call = client
        .create_subnet()
        .set_vpc_id(input.text("VpcId")?)
        .set_cidr_block(input.text("CidrBlock")?)
        .set_availability_zone(input.text("AvailabilityZone")?)
        .set_tag_specifications(tag_specifications(input, &[ResourceType::Subnet])?);
    let output = call.send().await.map_err(api_error)?;
    Ok(object([("Subnet", subnet(present(output.subnet(), "Subnet")?))]))
}

pub(in crate::driver::aws) async fn describe_subnets(client: &Client, input: &Input<'_>) -> Reply {
    let call = client.describe_subnets().set_subnet_ids(input.texts("SubnetIds")?).set_filters(filters(input)?);
    let subnets = call.into_paginator().items().send().try_collect().await.map_err(api_error)?;
    Ok(object([("Subnets", list(&subnets, subnet))]))
}

pub(in crate::driver::aws) async fn delete_subnet(client: &Client, input: &Input<'_>) -> Reply {
    client.delete_subnet().set_subnet_id(input.text("SubnetId")?).send().await.map_err(api_error)?;
    done()
}

fn vpc(vpc: &Vpc) -> Value {
    object([
        ("VpcId", text(vpc.vpc_id())),
        ("CidrBlock", text(vpc.cidr_block())),
        ("State", text(vpc.state().map(VpcState::as_str))),
        ("IsDefault", vpc.is_default().into()),
        ("InstanceTenancy", text(vpc.instance_tenancy().map(Tenancy::as_str))),
        ("DhcpOptionsId", text(vpc.dhcp_options_id())),
        ("OwnerId", text(vpc.owner_id())),
        ("Tags", tag_map(vpc.tags())),
    ])
}

fn subnet(subnet: &Subnet) -> Value {
    let block = subnet.block_public_access_states().map(|states| {
        let mode = states.internet_gateway_block_mode().map(BlockPublicAccessMode::as_str);
        object([("InternetGatewayBlockMode", text(mode))])
    });
    object([
        ("SubnetId", text(subnet.subnet_id())),
        ("VpcId", text(subnet.vpc_id())),
        ("CidrBlock", text(subnet.cidr_block())),
        ("AvailabilityZone", text(subnet.availability_zone())),
        ("AvailabilityZoneId", text(subnet.availability_zone_id())),
        ("State", text(subnet.state().map(SubnetState::as_str))),
        ("MapPublicIpOnLaunch", subnet.map_public_ip_on_launch().into()),
        ("AvailableIpAddressCount", subnet.available_ip_address_count().into()),
        ("SubnetArn", text(subnet.subnet_arn())),
        ("BlockPublicAccessStates", block.into()),
        ("OwnerId", text(subnet.owner_id())),
        ("Tags", tag_map(subnet.tags())),
    ])
}
