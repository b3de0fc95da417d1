//! `aloka variables`: every variable with its type, default and meaning, for people, machines and the documentation.

use aloka_core::render::{Style, Text};
use aloka_core::variables::{Definition, definitions};
use serde_json::json;

use crate::args::VariablesArgs;
use crate::error::CommandResult;
use crate::io::Io;
use crate::view::human;

/// Runs the command.
pub fn run(io: &mut Io, args: &VariablesArgs) -> CommandResult {
    if args.json {
        io.out_json_pretty(&json!({ "format_version": "1.0", "variables": definitions() }));
    } else if args.markdown {
        io.out_raw(&page());
    } else {
        human::show(io, &text());
    }
    Ok(0)
}

/// What stands for a default that there is not.
fn default(definition: &Definition) -> String {
    definition.default.map_or_else(|| format!("none: set TF_VAR_{}", definition.name), str::to_owned)
}

fn text() -> Text {
    let mut text = Text::new();
    for (index, definition) in definitions().iter().enumerate() {
        if index > 0 {
            text.blank();
        }
        text.say(Style::Bold, definition.name);
        text.say(Style::Plain, format!("  {}", definition.description));
        text.say(Style::Plain, format!("  type:    {}", definition.type_text));
        text.say(Style::Plain, format!("  default: {}", default(definition)));
    }
    text
}

/// The page docs/VARIABLES.md.
fn page() -> String {
    let mut page = String::from(
        "# Variables\n\n\
         Every variable of the stack, as `aloka variables` lists them; `aloka init -example` writes them into an example\n\
         `terraform.tfvars`. In rising precedence they are set by `TF_VAR_name` in the environment, by `terraform.tfvars` and\n\
         `*.auto.tfvars`, by `-var` and `-var-file`.\n\n\
         | variable | type | default | meaning |\n|---|---|---|---|\n",
    );
    let cell = |text: &str| text.replace('|', "\\|");
    for definition in definitions() {
        let default = definition.default.map_or_else(|| "none".to_owned(), |default| format!("`{}`", cell(default)));
        let Definition { name, type_text, description, .. } = definition;
        page.push_str(&format!("| `{name}` | `{}` | {default} | {} |\n", cell(type_text), cell(description)));
    }
    page
}
