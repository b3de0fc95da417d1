//! What other people have on a VPC: peering connections, VPN gateways, network ACLs, egress-only internet
//! gateways.

use aloka_core::api::Reply;
use aloka_core::value::Value;
use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::{
    AttachmentStatus, EgressOnlyInternetGateway, GatewayType, NetworkAcl, VpcPeeringConnection,
    VpcPeeringConnectionStateReasonCode, VpcPeeringConnectionVpcInfo, VpnGateway, VpnState,
};

use crate::driver::aws::convert::{filters, tag_map};
use crate::driver::aws::error::api_error;
use crate::driver::aws::input::Input;
use crate::driver::aws::reply::{list, object, text};

pub(in crate::driver::aws) async fn describe_vpc_peering_connections(client: &Client, input: &Input<'_>) -> Reply {
    let call = client.describe_vpc_peering_connections().set_filters(filters(input)?);
    let connections = call.into_paginator().items().send().try_collect().await.map_err(api_error)?;
    Ok(object([("VpcPeeringConnections", list(&connections, vpc_peering_connection))]))
}

/// AWS does not cut this list into pages.
pub(in crate::driver::aws) async fn describe_vpn_gateways(client: &Client, input: &Input<'_>) -> Reply {
    let output = client.describe_vpn_gateways().set_filters(filters(input)?).send().await.map_err(api_error)?;
    Ok(object([("VpnGateways", list(output.vpn_gateways(), vpn_gateway))]))
}

pub(in crate::driver::aws) async fn describe_network_acls(client: &Client, input: &Input<'_>) -> Reply {
    let call = client.describe_network_acls().set_filters(filters(input)?);
    let acls = call.into_paginator().items().send().try_collect().await.map_err(api_error)?;
    Ok(object([("NetworkAcls", list(&acls, network_acl))]))
}

pub(in crate::driver::aws) async fn describe_egress_only_internet_gateways(
    client: &Client,
    input: &Input<'_>,
) -> Reply {
    let call = client.describe_egress_only_internet_gateways().set_filters(filters(input)?);
    let gateways = call.into_paginator().items().send().try_collect().await.map_err(api_error)?;
    Ok(object([("EgressOnlyInternetGateways", list(&gateways, egress_only_internet_gateway))]))
}

fn vpc_peering_connection(connection: &VpcPeeringConnection) -> Value {
    let end = |info: &VpcPeeringConnectionVpcInfo| {
        object([("VpcId", text(info.vpc_id())), ("OwnerId", text(info.owner_id()))])
    };
    let status = connection
        .status()
        .map(|status| object([("Code", text(status.code().map(VpcPeeringConnectionStateReasonCode::as_str)))]));
    object([
        ("VpcPeeringConnectionId", text(connection.vpc_peering_connection_id())),
        ("RequesterVpcInfo", connection.requester_vpc_info().map(end).into()),
        ("AccepterVpcInfo", connection.accepter_vpc_info().map(end).into()),
        ("Status", status.into()),
        ("Tags", tag_map(connection.tags())),
    ])
}

fn vpn_gateway(gateway: &VpnGateway) -> Value {
    let attachments = list(gateway.vpc_attachments(), |attachment| {
        object([
            ("VpcId", text(attachment.vpc_id())),
            ("State", text(attachment.state().map(AttachmentStatus::as_str))),
        ])
    });
    object([
        ("VpnGatewayId", text(gateway.vpn_gateway_id())),
        ("Type", text(gateway.r#type().map(GatewayType::as_str))),
        ("State", text(gateway.state().map(VpnState::as_str))),
        ("VpcAttachments", attachments),
        ("Tags", tag_map(gateway.tags())),
    ])
}

fn network_acl(acl: &NetworkAcl) -> Value {
    object([
        ("NetworkAclId", text(acl.network_acl_id())),
        ("VpcId", text(acl.vpc_id())),
        ("IsDefault", acl.is_default().into()),
        ("OwnerId", text(acl.owner_id())),
        ("Tags", tag_map(acl.tags())),
    ])
}

fn egress_only_internet_gateway(gateway: &EgressOnlyInternetGateway) -> Value {
    let attachments = list(gateway.attachments(), |attachment| {
        object([
            ("VpcId", text(attachment.vpc_id())),
            ("State", text(attachment.state().map(AttachmentStatus::as_str))),
        ])
    });
    object([
        ("EgressOnlyInternetGatewayId", text(gateway.egress_only_internet_gateway_id())),
        ("Attachments", attachments),
        ("Tags", tag_map(gateway.tags())),
    ])
}
