//! Security groups and their rules.

use aloka_core::api::Reply;
use aloka_core::value::Value;
use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::{ResourceType, SecurityGroup, SecurityGroupRule};

use crate::driver::aws::convert::{filters, permission, permissions, tag_map, tag_specifications};
use crate::driver::aws::error::api_error;
use crate::driver::aws::input::Input;
use crate::driver::aws::reply::{done, list, object, present, text};

pub(in crate::driver::aws) async fn create_security_group(client: &Client, input: &Input<'_>) -> Reply {
    let call = client
        .create_security_group()
        .set_group_name(input.text("GroupName")?)
        .set_description(input.text("Description")?)
        .set_vpc_id(input.text("VpcId")?)
        .set_tag_specifications(tag_specifications(input, &[ResourceType::SecurityGroup])?);
    let output = call.send().await.map_err(api_error)?;
    Ok(object([("GroupId", present(output.group_id(), "GroupId")?.into())]))
}

pub(in crate::driver::aws) async fn describe_security_groups(client: &Client, input: &Input<'_>) -> Reply {
    let call = client.describe_security_groups().set_group_ids(input.texts("GroupIds")?).set_filters(filters(input)?);
    let groups = call.into_paginator().items().send().try_collect().await.map_err(api_error)?;
    Ok(object([("SecurityGroups", list(&groups, security_group))]))
}

pub(in crate::driver::aws) async fn delete_security_group(client: &Client, input: &Input<'_>) -> Reply {
    client.delete_security_group().set_group_id(input.text("GroupId")?).send().await.map_err(api_error)?;
    done()
}

pub(in crate::driver::aws) async fn authorize_ingress(client: &Client, input: &Input<'_>) -> Reply {
    let call = client.authorize_security_group_ingress().set_group_id(input.text("GroupId")?);
    let output = call.set_ip_permissions(permissions(input)?).send().await.map_err(api_error)?;
    Ok(object([("SecurityGroupRules", list(output.security_group_rules(), security_group_rule))]))
}

pub(in crate::driver::aws) async fn authorize_egress(client: &Client, input: &Input<'_>) -> Reply {
    let call = client.authorize_security_group_egress().set_group_id(input.text("GroupId")?);
    let output = call.set_ip_permissions(permissions(input)?).send().await.map_err(api_error)?;
    Ok(object([("SecurityGroupRules", list(output.security_group_rules(), security_group_rule))]))
}

pub(in crate::driver::aws) async fn revoke_ingress(client: &Client, input: &Input<'_>) -> Reply {
    let call = client.revoke_security_group_ingress().set_group_id(input.text("GroupId")?);
    call.set_ip_permissions(permissions(input)?).send().await.map_err(api_error)?;
    done()
}

pub(in crate::driver::aws) async fn revoke_egress(client: &Client, input: &Input<'_>) -> Reply {
    let call = client.revoke_security_group_egress().set_group_id(input.text("GroupId")?);
    call.set_ip_permissions(permissions(input)?).send().await.map_err(api_error)?;
    done()
}

fn security_group(group: &SecurityGroup) -> Value {
    object([
        ("GroupId", text(group.group_id())),
        ("GroupName", text(group.group_name())),
        ("Description", text(group.description())),
        ("VpcId", text(group.vpc_id())),
        ("OwnerId", text(group.owner_id())),
        ("SecurityGroupArn", text(group.security_group_arn())),
        ("IpPermissions", list(group.ip_permissions(), permission)),
        ("IpPermissionsEgress", list(group.ip_permissions_egress(), permission)),
        ("Tags", tag_map(group.tags())),
    ])
}

fn security_group_rule(rule: &SecurityGroupRule) -> Value {
    object([
        ("SecurityGroupRuleId", text(rule.security_group_rule_id())),
        ("IsEgress", rule.is_egress().into()),
        ("IpProtocol", text(rule.ip_protocol())),
        ("FromPort", rule.from_port().into()),
        ("ToPort", rule.to_port().into()),
        ("CidrIpv4", text(rule.cidr_ipv4())),
        ("CidrIpv6", text(rule.cidr_ipv6())),
        ("PrefixListId", text(rule.prefix_list_id())),
        ("ReferencedGroupInfo", text(rule.referenced_group_info().and_then(|group| group.group_id()))),
        ("Description", text(rule.description())),
    ])
}
