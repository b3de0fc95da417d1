//! Identity of resources: the addresses they have in the seed's Terraform configuration.
//!
//! An address never changes while its object lives; names and tags are mere attributes.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::intern;
use crate::kind::Kind;

/// The module of every network resource, as in the seed (`terraform-aws-modules/vpc`).
pub const VPC_MODULE: &str = "module.vpc";

/// Where a resource stands: `module.vpc.aws_subnet.public[0]`, `aws_instance.app`.
///
/// Ordered as Terraform lists a state: root module first, then type, name, index.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    /// True for resources of [`VPC_MODULE`].
    pub in_vpc_module: bool,
    /// The resource type.
    pub kind: Kind,
    /// The name in the configuration.
    pub name: Arc<str>,
    /// The count index, if any.
    pub index: Option<u32>,
}

impl Address {
    /// `module.vpc.KIND.name[index]`
    pub fn vpc(kind: Kind, name: &str, index: u32) -> Self {
        Self { in_vpc_module: true, kind, name: intern::text(name), index: Some(index) }
    }

    /// `KIND.name`
    pub fn root(kind: Kind, name: &str) -> Self {
        Self { in_vpc_module: false, kind, name: intern::text(name), index: None }
    }

    /// `KIND.name[index]`
    pub fn root_at(kind: Kind, name: &str, index: u32) -> Self {
        Self { in_vpc_module: false, kind, name: intern::text(name), index: Some(index) }
    }

    /// The address without its index, as Terraform writes it in `dependencies`.
    pub fn config(&self) -> Self {
        Self { index: None, ..self.clone() }
    }

    /// The address as a tag value. RDS refuses brackets in tag values, so `[0]` is written `/0`.
    pub fn tag_value(&self) -> String {
        let config = self.config();
        self.index.map_or_else(|| config.to_string(), |index| format!("{config}/{index}"))
    }

    /// Reads what [`Address::tag_value`] wrote.
    ///
    /// # Errors
    /// As [`Address::from_str`].
    pub fn from_tag_value(text: &str) -> Result<Self, ParseAddressError> {
        match text.rsplit_once('/') {
            Some((config, index)) => format!("{config}[{index}]").parse(),
            None => text.parse(),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.in_vpc_module {
            write!(f, "{VPC_MODULE}.")?;
        }
        write!(f, "{}.{}", self.kind.terraform_type(), self.name)?;
        match self.index {
            Some(index) => write!(f, "[{index}]"),
            None => Ok(()),
        }
    }
}

/// One object of a resource: the current one, or an old one that a replacement has not destroyed yet.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Target {
    /// The resource.
    pub address: Address,
    /// Terraform's key of a deposed object, eight hexadecimal digits.
    pub deposed: Option<Arc<str>>,
}

impl Target {
    /// The current object of `address`.
    pub fn current(address: Address) -> Self {
        Self { address, deposed: None }
    }
}

/// `aws_instance.app`, `aws_instance.app (deposed object 4e640885)`
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.deposed {
            None => self.address.fmt(f),
            Some(key) => write!(f, "{} (deposed object {key})", self.address),
        }
    }
}

/// Why a text is no address of this stack.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an address of this stack: {reason}")]
pub struct ParseAddressError {
    text: String,
    reason: &'static str,
}

impl FromStr for Address {
    type Err = ParseAddressError;

    fn from_str(text: &str) -> Result<Self, ParseAddressError> {
        let error = |reason| ParseAddressError { text: text.to_owned(), reason };
        let (in_vpc_module, rest) = match text.strip_prefix(VPC_MODULE).and_then(|rest| rest.strip_prefix('.')) {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (kind, rest) = rest.split_once('.').ok_or_else(|| error("expected TYPE.NAME or TYPE.NAME[INDEX]"))?;
        let kind = Kind::from_terraform_type(kind).ok_or_else(|| error("unknown resource type"))?;
        let (name, index) = match rest.split_once('[') {
            None => (rest, None),
            Some((name, index)) => {
                let digits = index.strip_suffix(']').ok_or_else(|| error("the index is not closed by `]`"))?;
                let index = digits.parse().map_err(|_| error("the index is not a number"))?;
                (name, Some(index))
            }
        };
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if name.is_empty() || !name.chars().all(plain) {
            return Err(error("the name is empty or holds other characters than letters, digits, `_` and `-`"));
        }
        Ok(Self { in_vpc_module, kind, name: intern::text(name), index })
    }
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trips_as_text_and_as_tag() {
        for text in ["module.vpc.aws_subnet.public[1]", "aws_instance.app", "aws_instance.app[9999]"] {
            let address: Address = text.parse().expect(text);
            assert_eq!(address.to_string(), text);
            assert_eq!(Address::from_tag_value(&address.tag_value()), Ok(address));
        }
    }

    #[test]
    fn refuses_what_is_not_of_this_stack() {
        for text in ["", "aws_vpc", "aws_bucket.x", "aws_vpc.this[", "aws_vpc.this[x]", "aws_vpc.", "aws_vpc.a b"] {
            assert!(text.parse::<Address>().is_err(), "{text}");
        }
    }
}
