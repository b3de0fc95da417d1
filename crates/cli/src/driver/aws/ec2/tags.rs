//! Tags of EC2 objects that exist.

use aloka_core::api::Reply;
use aloka_core::value::Value;
use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::{ResourceType, Tag, TagDescription};

use crate::driver::aws::convert::{ec2_tags, filters};
use crate::driver::aws::error::api_error;
use crate::driver::aws::input::Input;
use crate::driver::aws::reply::{done, list, object, text};

pub(in crate::driver::aws) async fn describe_tags(client: &Client, input: &Input<'_>) -> Reply {
    let call = client.describe_tags().set_filters(filters(input)?);
    let tags = call.into_paginator().items().send().try_collect().await.map_err(api_error)?;
    Ok(object([("Tags", list(&tags, tag))]))
}

/// The value may well be empty.
fn tag(tag: &TagDescription) -> Value {
    object([
        ("ResourceId", text(tag.resource_id())),
        ("ResourceType", text(tag.resource_type().map(ResourceType::as_str))),
        ("Key", text(tag.key())),
        ("Value", tag.value().unwrap_or_default().into()),
    ])
}

pub(in crate::driver::aws) async fn create_tags(client: &Client, input: &Input<'_>) -> Reply {
    let call = client.create_tags().set_resources(input.texts("Resources")?).set_tags(ec2_tags(input)?);
    call.send().await.map_err(api_error)?;
    done()
}

/// Deletes by key alone, whatever the value.
pub(in crate::driver::aws) async fn delete_tags(client: &Client, input: &Input<'_>) -> Reply {
    let keys = input.texts("TagKeys")?;
    let tags = keys.map(|keys| keys.into_iter().map(|key| Tag::builder().key(key).build()).collect());
    let call = client.delete_tags().set_resources(input.texts("Resources")?).set_tags(tags);
    call.send().await.map_err(api_error)?;
    done()
}
