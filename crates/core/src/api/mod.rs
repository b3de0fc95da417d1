//! The closed set of AWS operations aloka sends: requests, replies, errors.
//!
//! Requests and replies have AWS's own names and nesting, with two simplifications: tags are a map from key to value
//! under `Tags` (in requests and in replies), and filters are a map from filter name to the list of accepted values
//! under `Filters`. A reply holds only the fields that the module of its service lists for its object; a field AWS left out
//! is absent. Every list reply is complete: who sends the request follows the pages.

pub mod ec2;
mod error;
pub mod operation;
pub mod rds;
#[cfg(test)]
pub(crate) mod scaling;
pub mod ssm;
pub mod sts;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use self::ec2::Ec2;
pub use self::error::{ApiError, ErrorClass};
pub use self::operation::{Effect, Meaning, Operation, RateLimit, Recognition, Service};
pub use self::rds::Rds;
pub use self::ssm::Ssm;
pub use self::sts::Sts;
use crate::map::SmallMap;
use crate::value::Value;

/// What a caller may need beside the operation's own actions to let RDS keep a password in Secrets Manager.
pub const MANAGED_PASSWORD_ACTIONS: [&str; 3] =
    ["kms:DescribeKey", "secretsmanager:CreateSecret", "secretsmanager:TagResource"];

/// What a caller needs to have a final snapshot made of a database that is deleted, beside the right to delete it.
pub const FINAL_SNAPSHOT_ACTION: &str = "rds:CreateDBSnapshot";

/// The parameter that holds the client token of a creation.
pub const CLIENT_TOKEN: &str = "ClientToken";

/// How long a creation may stay invisible to reads before it counts as not made, milliseconds. AWS names no bound;
/// objects show within seconds.
pub const VISIBILITY_MS: u64 = 30_000;

/// Arguments by AWS parameter name, all of them in the table of [`Operation::parameters`].
pub type Args = SmallMap<&'static str, Value>;

/// A call as planned: arguments may still be references and secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Call {
    /// What is called.
    pub operation: Operation,
    /// With which arguments.
    pub args: Args,
}

/// A call as sent: a [`Call`] with no reference left. Secrets are still named, not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request(pub Call);

/// What AWS answered.
pub type Reply = Result<Value, ApiError>;

/// Operations that planning may send: who prints what a plan needs adds them to its calls.
pub fn reads() -> impl Iterator<Item = Operation> {
    Operation::ALL.iter().copied().filter(|operation| !operation.is_mutating())
}

/// The tags of an object of a reply, or null.
pub fn tags(object: &Value) -> &Value {
    object.get("Tags")
}

impl Call {
    /// A call with these arguments; null arguments are left out.
    ///
    /// # Panics
    /// Never; an argument the operation does not have is refused by [`Call::check`], which a test runs over every
    /// call the planner can make.
    pub fn new(operation: impl Into<Operation>, args: impl IntoIterator<Item = (&'static str, Value)>) -> Self {
        Self { operation: operation.into(), args: args.into_iter().filter(|(_, value)| !value.is_null()).collect() }
    }

    /// The argument, or null.
    pub fn arg(&self, name: &str) -> &Value {
        const NULL: Value = Value::Null;
        self.args.get(name).unwrap_or(&NULL)
    }

    /// The IAM actions it needs: those of its operation, for a password that RDS is to manage those of Secrets Manager (RDS
    /// user guide, "Permissions required for Secrets Manager integration"), and for a final snapshot the one that makes it.
    pub fn iam_actions(&self) -> Vec<String> {
        let managed = self.arg("ManageMasterUserPassword").as_bool() == Some(true);
        let more = MANAGED_PASSWORD_ACTIONS.iter().filter(|_| managed).map(|action| (*action).to_owned());
        let snapshot = !self.arg("FinalDBSnapshotIdentifier").is_null();
        let snapshot = snapshot.then(|| FINAL_SNAPSHOT_ACTION.to_owned());
        self.operation.iam_actions().into_iter().chain(more).chain(snapshot).collect()
    }

    /// True if it sets a secret of the object, or gives it up.
    pub fn is_about_secrets(&self) -> bool {
        let parameters = self.operation.parameters();
        let is_secret = |name: &str| parameters.iter().any(|parameter| parameter.name == name && parameter.secret);
        self.args.keys().any(|name| is_secret(name))
    }

    /// Tells an argument that the operation does not have, or a required one that is missing.
    pub fn check(&self) -> Result<(), String> {
        let parameters = self.operation.parameters();
        if let Some(name) = self.args.keys().find(|name| !parameters.iter().any(|p| p.name == **name)) {
            return Err(format!("{} has no parameter {name}", self.operation));
        }
        match parameters.iter().find(|p| p.required && !self.args.contains_key(p.name)) {
            Some(missing) => Err(format!("{} lacks {}", self.operation, missing.name)),
            None => Ok(()),
        }
    }
}

impl Request {
    /// What is called.
    pub fn operation(&self) -> Operation {
        self.0.operation
    }

    /// The argument, or null.
    pub fn arg(&self, name: &str) -> &Value {
        self.0.arg(name)
    }

    /// The argument as text; empty when it is absent or no text.
    pub fn text(&self, name: &str) -> &str {
        self.arg(name).as_str().unwrap_or_default()
    }

    /// The argument as a list of texts; empty when it is absent.
    pub fn texts(&self, name: &str) -> Vec<Arc<str>> {
        self.arg(name).as_list().unwrap_or_default().iter().filter_map(Value::shared_str).collect()
    }
}

/// `ec2:CreateSubnet CidrBlock="10.0.1.0/24" VpcId=module.vpc.aws_vpc.this[0].id`
impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.operation)?;
        for (name, value) in &self.args {
            write!(f, " {name}={value}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'de> Deserialize<'de> for Call {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Raw {
            operation: Operation,
            args: BTreeMap<String, Value>,
        }
        let Raw { operation, args } = Raw::deserialize(deserializer)?;
        let parameters = operation.parameters();
        let args = args
            .into_iter()
            .map(|(name, value)| {
                let parameter = parameters.iter().find(|p| p.name == name);
                let unknown = || serde::de::Error::custom(format!("{operation} has no parameter {name}"));
                Ok((parameter.ok_or_else(unknown)?.name, value))
            })
            .collect::<Result<_, D::Error>>()?;
        Ok(Self { operation, args })
    }
}
