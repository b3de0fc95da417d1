//! Route tables, their routes and associations.

use aloka_core::api::Reply;
use aloka_core::value::Value;
use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::{ResourceType, RouteOrigin, RouteState, RouteTable, RouteTableAssociationStateCode};

use crate::driver::aws::convert::{filters, tag_map, tag_specifications};
use crate::driver::aws::error::api_error;
use crate::driver::aws::input::Input;
use crate::driver::aws::reply::{done, list, object, present, text};

pub(in crate::driver::aws) async fn create_route_table(client: &Client, input: &Input<'_>) -> Reply {
    let call = client
        .create_route_table()
        .set_vpc_id(input.text("VpcId")?)
        .set_client_token(input.text("ClientToken")?)
        .set_tag_specifications(tag_specifications(input, &[ResourceType::RouteTable])?);
    let output = call.send().await.map_err(api_error)?;
    Ok(object([("RouteTable", route_table(present(output.route_table(), "RouteTable")?))]))
}

pub(in crate::driver::aws) async fn describe_route_tables(client: &Client, input: &Input<'_>) -> Reply {
    let call =
        client.describe_route_tables().set_route_table_ids(input.texts("RouteTableIds")?).set_filters(filters(input)?);
    let tables = call.into_paginator().items().send().try_collect().await.map_err(api_error)?;
    Ok(object([("RouteTables", list(&tables, route_table))]))
}

pub(in crate::driver::aws) async fn delete_route_table(client: &Client, input: &Input<'_>) -> Reply {
    client.delete_route_table().set_route_table_id(input.text("RouteTableId")?).send().await.map_err(api_error)?;
    done()
}

pub(in crate::driver::aws) async fn create_route(client: &Client, input: &Input<'_>) -> Reply {
    let call = client
        .create_route()
        .set_route_table_id(input.text("RouteTableId")?)
        .set_destination_cidr_block(input.text("DestinationCidrBlock")?)
        .set_gateway_id(input.text("GatewayId")?)
        .set_nat_gateway_id(input.text("NatGatewayId")?);
    call.send().await.map_err(api_error)?;
    done()
}

pub(in crate::driver::aws) async fn replace_route(client: &Client, input: &Input<'_>) -> Reply {
    let call = client
        .replace_route()
        .set_route_table_id(input.text("RouteTableId")?)
        .set_destination_cidr_block(input.text("DestinationCidrBlock")?)
        .set_gateway_id(input.text("GatewayId")?)
        .set_nat_gateway_id(input.text("NatGatewayId")?);
    call.send().await.map_err(api_error)?;
    done()
}

pub(in crate::driver::aws) async fn delete_route(client: &Client, input: &Input<'_>) -> Reply {
    let call = client
        .delete_route()
        .set_route_table_id(input.text("RouteTableId")?)
        .set_destination_cidr_block(input.text("DestinationCidrBlock")?);
    call.send().await.map_err(api_error)?;
    done()
}

pub(in crate::driver::aws) async fn associate_route_table(client: &Client, input: &Input<'_>) -> Reply {
    let call = client
        .associate_route_table()
        .set_route_table_id(input.text("RouteTableId")?)
        .set_subnet_id(input.text("SubnetId")?);
    let output = call.send().await.map_err(api_error)?;
    Ok(object([("AssociationId", present(output.association_id(), "AssociationId")?.into())]))
}

pub(in crate::driver::aws) async fn replace_route_table_association(client: &Client, input: &Input<'_>) -> Reply {
    let call = client
        .replace_route_table_association()
        .set_association_id(input.text("AssociationId")?)
        .set_route_table_id(input.text("RouteTableId")?);
    let output = call.send().await.map_err(api_error)?;
    Ok(object([("NewAssociationId", present(output.new_association_id(), "NewAssociationId")?.into())]))
}

pub(in crate::driver::aws) async fn disassociate_route_table(client: &Client, input: &Input<'_>) -> Reply {
    let call = client.disassociate_route_table().set_association_id(input.text("AssociationId")?);
    call.send().await.map_err(api_error)?;
    done()
}

fn route_table(table: &RouteTable) -> Value {
    let routes = list(table.routes(), |route| {
        object([
            ("DestinationCidrBlock", text(route.destination_cidr_block())),
            ("DestinationPrefixListId", text(route.destination_prefix_list_id())),
            ("GatewayId", text(route.gateway_id())),
            ("NatGatewayId", text(route.nat_gateway_id())),
            ("State", text(route.state().map(RouteState::as_str))),
            ("Origin", text(route.origin().map(RouteOrigin::as_str))),
        ])
    });
    let associations = list(table.associations(), |association| {
        let state = association.association_state().and_then(|state| state.state());
        object([
            ("RouteTableAssociationId", text(association.route_table_association_id())),
            ("RouteTableId", text(association.route_table_id())),
            ("SubnetId", text(association.subnet_id())),
            ("Main", association.main().into()),
            ("State", text(state.map(RouteTableAssociationStateCode::as_str))),
        ])
    });
    object([
        ("RouteTableId", text(table.route_table_id())),
        ("VpcId", text(table.vpc_id())),
        ("OwnerId", text(table.owner_id())),
        ("Routes", routes),
        ("Associations", associations),
        ("Tags", tag_map(table.tags())),
    ])
}
