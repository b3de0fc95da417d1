//! Where values come from: files, the environment, the command line.

use std::fmt;

/// A source of values. In rising precedence: the configuration, the environment, files, the command line.
#[derive(Clone, PartialEq, Eq)]
pub enum Source {
    /// An environment variable. Only names that begin with `TF_VAR_` count, and among them those of unknown variables
    /// are ignored, as Terraform does, so the whole environment may be handed in.
    Environment {
        /// Full name, such as `TF_VAR_vpc_cidr`.
        name: String,
        /// Value.
        value: String,
    },
    /// A file of the directory's Terraform configuration: JSON if its name ends in `.json`, else HCL. The defaults of its
    /// `variable` blocks count; what else is in it does not.
    Configuration {
        /// Path, for messages.
        path: String,
        /// Contents.
        contents: String,
    },
    /// A variables file: JSON if its name ends in `.json`, else HCL.
    File {
        /// Path, for messages.
        path: String,
        /// Contents.
        contents: String,
    },
    /// `-var name=value`.
    CommandLine {
        /// Name of the variable.
        name: String,
        /// Value.
        value: String,
    },
}

/// Without the values, as any of them may be a secret.
impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment { name, value: _ } => f.debug_tuple("Environment").field(name).finish(),
            Self::Configuration { path, contents: _ } => f.debug_tuple("Configuration").field(path).finish(),
            Self::File { path, contents: _ } => f.debug_tuple("File").field(path).finish(),
            Self::CommandLine { name, value: _ } => f.debug_tuple("CommandLine").field(name).finish(),
        }
    }
}

/// The file names among `names` that are loaded without being asked for, in rising precedence: `terraform.tfvars`,
/// `terraform.tfvars.json`, then every `*.auto.tfvars` and `*.auto.tfvars.json` by file name. Names are those of one
/// directory, with or without its path.
pub fn auto_loaded(names: &[String]) -> Vec<String> {
    let base = |name: &str| name.rsplit(['/', '\\']).next().unwrap_or_default().to_owned();
    let rank = |name: &str| match name {
        "terraform.tfvars" => Some(0_u8),
        "terraform.tfvars.json" => Some(1),
        name if name.ends_with(".auto.tfvars") || name.ends_with(".auto.tfvars.json") => Some(2),
        _ => None,
    };
    let mut found: Vec<_> = names
        .iter()
        .filter_map(|name| {
            let base = base(name);
            Some((rank(&base)?, base, name.clone()))
        })
        .collect();
    found.sort();
    found.into_iter().map(|(_, _, name)| name).collect()
}
