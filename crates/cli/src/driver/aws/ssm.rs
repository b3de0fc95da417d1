//! Systems Manager: public parameters.

use aloka_core::api::Reply;
use aws_sdk_ssm::Client;

use super::error::api_error;
use super::input::Input;
use super::reply::{object, present, text};

pub(super) async fn get_parameter(client: &Client, input: &Input<'_>) -> Reply {
    let output = client.get_parameter().set_name(input.text("Name")?).send().await.map_err(api_error)?;
    let parameter = present(output.parameter(), "Parameter")?;
    Ok(object([("Name", text(parameter.name())), ("Value", parameter.value().into())]))
}
