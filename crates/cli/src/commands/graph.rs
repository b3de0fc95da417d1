//! `aloka graph`: what depends on what in the declared stack. Asks nobody.

use aloka_core::render::{Text, graph_dot, graph_mermaid};
use aloka_core::stack::{stack, zones_needed};
use aloka_core::state::{Choices, Image};
use aloka_core::variables::Needs;

use crate::args::{GraphArgs, GraphNotation};
use crate::config;
use crate::error::CommandResult;
use crate::io::Io;

/// Runs the command.
pub fn run(io: &mut Io, args: &GraphArgs) -> CommandResult {
    let (config, _) = config::load(&args.variables.given, Needs { password: false })?;
    let variables = &config.variables;
    // What AWS would be asked for decides no dependency, so anything stands for it.
    let zones = (0..zones_needed(variables)).map(|slot| format!("zone-{slot}")).collect();
    let image = Image {
        id: "ami-0".to_owned(),
        chosen_for: variables.app_ami_family.to_string(),
        root_device_name: "/dev/xvda".to_owned(),
        root_volume_gib: None,
    };
    let choices = Choices {
        availability_zones: zones,
        image: Some(image),
        db_engine_version: Some("15.4".to_owned()),
        ..Choices::default()
    };
    let declared = stack(variables, &choices, config.user_data.as_deref());
    let nodes: Vec<(String, Vec<String>)> = declared
        .resources
        .iter()
        .map(|(address, resource)| {
            (address.to_string(), resource.dependencies().iter().map(ToString::to_string).collect())
        })
        .collect();
    io.out_text(&Text::ours(&match args.notation {
        GraphNotation::Dot => graph_dot(&nodes),
        GraphNotation::Mermaid => graph_mermaid(&nodes),
    }));
    Ok(0)
}
