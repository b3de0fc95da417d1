//! Tags of EC2 objects that exist.

use aloka_core::api::Reply;
use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::Tag;

use crate::driver::aws::convert::ec2_tags;
use crate::driver::aws::error::api_error;
use crate::driver::aws::input::Input;
use crate::driver::aws::reply::done;

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
