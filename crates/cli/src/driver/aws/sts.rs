//! Security Token Service: who calls.

use aloka_core::api::Reply;
use aws_sdk_sts::Client;

use super::error::api_error;
use super::input::Input;
use super::reply::{object, present, text};

pub(super) async fn get_caller_identity(client: &Client, _input: &Input<'_>) -> Reply {
    let output = client.get_caller_identity().send().await.map_err(api_error)?;
    Ok(object([
        ("Account", present(output.account(), "Account")?.into()),
        ("Arn", text(output.arn())),
        ("UserId", text(output.user_id())),
    ]))
}
