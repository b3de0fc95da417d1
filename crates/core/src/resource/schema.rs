//! The types of attributes that Terraform's AWS provider does not declare as strings.

use Type::{Bool, Map, Number as Num, Texts};

/// Type of an attribute, as the provider's schema has it.
#[derive(Clone, Copy, Debug)]
pub enum Type {
    /// A text; or whatever the names say, with texts in it.
    Text,
    /// A truth value.
    Bool,
    /// A number.
    Number,
    /// A list or a set of blocks with these attributes; what is not among them is [`Type::Text`].
    Blocks(&'static [(&'static str, Self)]),
    /// A list or a set of texts.
    Texts,
    /// A map of texts.
    Map,
}

/// The types of attributes that are not strings, by name.
pub type Types = &'static [(&'static str, Type)];

/// Those of a rule of a security group.
pub const GROUP_RULE: Types = &[
    ("cidr_blocks", Texts),
    ("from_port", Num),
    ("ipv6_cidr_blocks", Texts),
    ("prefix_list_ids", Texts),
    ("security_groups", Texts),
    ("self", Bool),
    ("to_port", Num),
];

/// Those of a volume of an instance.
pub(super) const VOLUME: Types = &[
    ("delete_on_termination", Bool),
    ("encrypted", Bool),
    ("iops", Num),
    ("tags", Map),
    ("tags_all", Map),
    ("throughput", Num),
    ("volume_size", Num),
];
