//! Endpoints of VPCs.

use aloka_core::api::{ApiError, Reply};
use aloka_core::value::Value;
use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::{ResourceType, State, UnsuccessfulItem, VpcEndpoint, VpcEndpointType};

use crate::driver::aws::convert::{filters, tag_map, tag_specifications};
use crate::driver::aws::error::api_error;
use crate::driver::aws::input::Input;
use crate::driver::aws::reply::{done, list, object, present, text};

pub(in crate::driver::aws) async fn create_vpc_endpoint(client: &Client, input: &Input<'_>) -> Reply {
    let call = client
        .create_vpc_endpoint()
        .set_vpc_id(input.text("VpcId")?)
        .set_service_name(input.text("ServiceName")?)
        .set_vpc_endpoint_type(input.word("VpcEndpointType")?)
        .set_route_table_ids(input.texts("RouteTableIds")?)
        .set_client_token(input.text("ClientToken")?)
        .set_tag_specifications(tag_specifications(input, &[ResourceType::VpcEndpoint])?);
    let output = call.send().await.map_err(api_error)?;
    Ok(object([("VpcEndpoint", vpc_endpoint(present(output.vpc_endpoint(), "VpcEndpoint")?))]))
}

pub(in crate::driver::aws) async fn describe_vpc_endpoints(client: &Client, input: &Input<'_>) -> Reply {
    let call = client
        .describe_vpc_endpoints()
        .set_vpc_endpoint_ids(input.texts("VpcEndpointIds")?)
        .set_filters(filters(input)?);
    let endpoints = call.into_paginator().items().send().try_collect().await.map_err(api_error)?;
    Ok(object([("VpcEndpoints", list(&endpoints, vpc_endpoint))]))
}

pub(in crate::driver::aws) async fn modify_vpc_endpoint(client: &Client, input: &Input<'_>) -> Reply {
    let call = client
        .modify_vpc_endpoint()
        .set_vpc_endpoint_id(input.text("VpcEndpointId")?)
        .set_add_route_table_ids(input.texts("AddRouteTableIds")?)
        .set_remove_route_table_ids(input.texts("RemoveRouteTableIds")?);
    call.send().await.map_err(api_error)?;
    done()
}

/// AWS answers that all went well, and lists what did not: the first of it is the error.
pub(in crate::driver::aws) async fn delete_vpc_endpoints(client: &Client, input: &Input<'_>) -> Reply {
    let call = client.delete_vpc_endpoints().set_vpc_endpoint_ids(input.texts("VpcEndpointIds")?);
    let output = call.send().await.map_err(api_error)?;
    match output.unsuccessful().first() {
        Some(item) => Err(unsuccessful(item)),
        None => done(),
    }
}

fn unsuccessful(item: &UnsuccessfulItem) -> ApiError {
    let (code, message) = item.error().map_or((None, None), |error| (error.code(), error.message()));
    let message = message.map_or_else(|| "AWS does not say why".to_owned(), str::to_owned);
    ApiError::answered(code.unwrap_or("Unsuccessful"), message, None)
}

fn vpc_endpoint(endpoint: &VpcEndpoint) -> Value {
    object([
        ("VpcEndpointId", text(endpoint.vpc_endpoint_id())),
        ("VpcEndpointType", text(endpoint.vpc_endpoint_type().map(VpcEndpointType::as_str))),
        ("VpcId", text(endpoint.vpc_id())),
        ("ServiceName", text(endpoint.service_name())),
        ("State", text(endpoint.state().map(State::as_str))),
        ("RouteTableIds", Value::list(endpoint.route_table_ids())),
        ("PrivateDnsEnabled", endpoint.private_dns_enabled().into()),
        ("RequesterManaged", endpoint.requester_managed().into()),
        ("OwnerId", text(endpoint.owner_id())),
        ("Tags", tag_map(endpoint.tags())),
    ])
}
