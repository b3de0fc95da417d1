//! Internet gateways, elastic addresses and NAT gateways.

use aloka_core::api::Reply;
use aloka_core::value::Value;
use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::{
    Address, AttachmentStatus, ConnectivityType, DomainType, InternetGateway, NatGateway, NatGatewayState, ResourceType,
};

use crate::driver::aws::convert::{filters, tag_map, tag_specifications};
use crate::driver::aws::error::api_error;
use crate::driver::aws::input::Input;
use crate::driver::aws::reply::{done, list, object, present, text};

pub(in crate::driver::aws) async fn create_internet_gateway(client: &Client, input: &Input<'_>) -> Reply {
    let tags = tag_specifications(input, &[ResourceType::InternetGateway])?;
    let output = client.create_internet_gateway().set_tag_specifications(tags).send().await.map_err(api_error)?;
    let gateway = present(output.internet_gateway(), "InternetGateway")?;
    Ok(object([("InternetGateway", internet_gateway(gateway))]))
}

pub(in crate::driver::aws) async fn describe_internet_gateways(client: &Client, input: &Input<'_>) -> Reply {
    let call = client
        .describe_internet_gateways()
        .set_internet_gateway_ids(input.texts("InternetGatewayIds")?)
        .set_filters(filters(input)?);
    let gateways = call.into_paginator().items().send().try_collect().await.map_err(api_error)?;
    Ok(object([("InternetGateways", list(&gateways, internet_gateway))]))
}

pub(in crate::driver::aws) async fn attach_internet_gateway(client: &Client, input: &Input<'_>) -> Reply {
    let call = client
        .attach_internet_gateway()
        .set_internet_gateway_id(input.text("InternetGatewayId")?)
        .set_vpc_id(input.text("VpcId")?);
    call.send().await.map_err(api_error)?;
    done()
}

pub(in crate::driver::aws) async fn detach_internet_gateway(client: &Client, input: &Input<'_>) -> Reply {
    let call = client
        .detach_internet_gateway()
        .set_internet_gateway_id(input.text("InternetGatewayId")?)
        .set_vpc_id(input.text("VpcId")?);
    call.send().await.map_err(api_error)?;
    done()
}

pub(in crate::driver::aws) async fn delete_internet_gateway(client: &Client, input: &Input<'_>) -> Reply {
    let call = client.delete_internet_gateway().set_internet_gateway_id(input.text("InternetGatewayId")?);
    call.send().await.map_err(api_error)?;
    done()
}

pub(in crate::driver::aws) async fn allocate_address(client: &Client, input: &Input<'_>) -> Reply {
    let call = client
        .allocate_address()
        .set_domain(input.word("Domain")?)
        .set_tag_specifications(tag_specifications(input, &[ResourceType::ElasticIp])?);
    let output = call.send().await.map_err(api_error)?;
    Ok(object([
        ("AllocationId", present(output.allocation_id(), "AllocationId")?.into()),
        ("PublicIp", text(output.public_ip())),
        ("Domain", text(output.domain().map(DomainType::as_str))),
        ("PublicIpv4Pool", text(output.public_ipv4_pool())),
        ("NetworkBorderGroup", text(output.network_border_group())),
    ]))
}

pub(in crate::driver::aws) async fn describe_addresses(client: &Client, input: &Input<'_>) -> Reply {
    let call =
        client.describe_addresses().set_allocation_ids(input.texts("AllocationIds")?).set_filters(filters(input)?);
    let output = call.send().await.map_err(api_error)?;
    Ok(object([("Addresses", list(output.addresses(), address))]))
}

pub(in crate::driver::aws) async fn release_address(client: &Client, input: &Input<'_>) -> Reply {
    client.release_address().set_allocation_id(input.text("AllocationId")?).send().await.map_err(api_error)?;
    done()
}

pub(in crate::driver::aws) async fn create_nat_gateway(client: &Client, input: &Input<'_>) -> Reply {
    let call = client
        .create_nat_gateway()
        .set_subnet_id(input.text("SubnetId")?)
        .set_allocation_id(input.text("AllocationId")?)
        .set_connectivity_type(input.word("ConnectivityType")?)
        .set_client_token(input.text("ClientToken")?)
        .set_tag_specifications(tag_specifications(input, &[ResourceType::Natgateway])?);
    let output = call.send().await.map_err(api_error)?;
    Ok(object([("NatGateway", nat_gateway(present(output.nat_gateway(), "NatGateway")?))]))
}

pub(in crate::driver::aws) async fn describe_nat_gateways(client: &Client, input: &Input<'_>) -> Reply {
    let call =
        client.describe_nat_gateways().set_nat_gateway_ids(input.texts("NatGatewayIds")?).set_filter(filters(input)?);
    let gateways = call.into_paginator().items().send().try_collect().await.map_err(api_error)?;
    Ok(object([("NatGateways", list(&gateways, nat_gateway))]))
}

pub(in crate::driver::aws) async fn delete_nat_gateway(client: &Client, input: &Input<'_>) -> Reply {
    let call = client.delete_nat_gateway().set_nat_gateway_id(input.text("NatGatewayId")?);
    let output = call.send().await.map_err(api_error)?;
    Ok(object([("NatGatewayId", text(output.nat_gateway_id()))]))
}

fn internet_gateway(gateway: &InternetGateway) -> Value {
    let attachments = list(gateway.attachments(), |attachment| {
        object([
            ("VpcId", text(attachment.vpc_id())),
            ("State", text(attachment.state().map(AttachmentStatus::as_str))),
        ])
    });
    object([
        ("InternetGatewayId", text(gateway.internet_gateway_id())),
        ("Attachments", attachments),
        ("OwnerId", text(gateway.owner_id())),
        ("Tags", tag_map(gateway.tags())),
    ])
}

fn address(address: &Address) -> Value {
    object([
        ("AllocationId", text(address.allocation_id())),
        ("PublicIp", text(address.public_ip())),
        ("Domain", text(address.domain().map(DomainType::as_str))),
        ("AssociationId", text(address.association_id())),
        ("NetworkInterfaceId", text(address.network_interface_id())),
        ("PrivateIpAddress", text(address.private_ip_address())),
        ("PublicIpv4Pool", text(address.public_ipv4_pool())),
        ("NetworkBorderGroup", text(address.network_border_group())),
        ("Tags", tag_map(address.tags())),
    ])
}

fn nat_gateway(gateway: &NatGateway) -> Value {
    let addresses = list(gateway.nat_gateway_addresses(), |address| {
        object([
            ("AllocationId", text(address.allocation_id())),
            ("AssociationId", text(address.association_id())),
            ("IsPrimary", address.is_primary().into()),
            ("NetworkInterfaceId", text(address.network_interface_id())),
            ("PrivateIp", text(address.private_ip())),
            ("PublicIp", text(address.public_ip())),
        ])
    });
    object([
        ("NatGatewayId", text(gateway.nat_gateway_id())),
        ("SubnetId", text(gateway.subnet_id())),
        ("VpcId", text(gateway.vpc_id())),
        ("State", text(gateway.state().map(NatGatewayState::as_str))),
        ("FailureCode", text(gateway.failure_code())),
        ("FailureMessage", text(gateway.failure_message())),
        ("ConnectivityType", text(gateway.connectivity_type().map(ConnectivityType::as_str))),
        ("NatGatewayAddresses", addresses),
        ("Tags", tag_map(gateway.tags())),
    ])
}
