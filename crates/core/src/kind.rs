//! The kinds of resources of the stack, by their Terraform types. What each is stands in [`crate::resource`].

use std::fmt;

use serde::{Deserialize, Serialize};

/// A type of resource in the stack. Ordered as the Terraform type names are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Kind {
    /// `aws_db_instance`
    DbInstance,
    /// `aws_db_subnet_group`
    DbSubnetGroup,
    /// `aws_default_security_group`
    DefaultSecurityGroup,
    /// `aws_eip`
    Eip,
    /// `aws_instance`
    Instance,
    /// `aws_internet_gateway`
    InternetGateway,
    /// `aws_nat_gateway`
    NatGateway,
    /// `aws_route`
    Route,
    /// `aws_route_table`
    RouteTable,
    /// `aws_route_table_association`
    RouteTableAssociation,
    /// `aws_security_group`
    SecurityGroup,
    /// `aws_subnet`
    Subnet,
    /// `aws_vpc`
    Vpc,
    /// `aws_vpc_endpoint`
    VpcEndpoint,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 14] = [
        Self::DbInstance,
        Self::DbSubnetGroup,
        Self::DefaultSecurityGroup,
        Self::Eip,
        Self::Instance,
        Self::InternetGateway,
        Self::NatGateway,
        Self::Route,
        Self::RouteTable,
        Self::RouteTableAssociation,
        Self::SecurityGroup,
        Self::Subnet,
        Self::Vpc,
        Self::VpcEndpoint,
    ];

    /// Every kind, in the order in which a stack is made.
    pub const AS_MADE: [Self; 14] = [
        Self::Vpc,
        Self::DefaultSecurityGroup,
        Self::Subnet,
        Self::InternetGateway,
        Self::Eip,
        Self::NatGateway,
        Self::RouteTable,
        Self::Route,
        Self::RouteTableAssociation,
        Self::VpcEndpoint,
        Self::SecurityGroup,
        Self::Instance,
        Self::DbInstance,
        Self::DbSubnetGroup,
    ];

    /// The Terraform resource type.
    pub const fn terraform_type(self) -> &'static str {
        match self {
            Self::DbInstance => "aws_db_instance",
            Self::DbSubnetGroup => "aws_db_subnet_group",
            Self::DefaultSecurityGroup => "aws_default_security_group",
            Self::Eip => "aws_eip",
            Self::Instance => "aws_instance",
            Self::InternetGateway => "aws_internet_gateway",
            Self::NatGateway => "aws_nat_gateway",
            Self::Route => "aws_route",
            Self::RouteTable => "aws_route_table",
            Self::RouteTableAssociation => "aws_route_table_association",
            Self::SecurityGroup => "aws_security_group",
            Self::Subnet => "aws_subnet",
            Self::Vpc => "aws_vpc",
            Self::VpcEndpoint => "aws_vpc_endpoint",
        }
    }

    /// The kind of a Terraform resource type.
    pub fn from_terraform_type(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.terraform_type() == text)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.terraform_type())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_ordered_as_their_types_and_found_by_them() {
        assert!(Kind::ALL.is_sorted_by_key(|kind| kind.terraform_type()));
        let mut as_made = Kind::AS_MADE;
        as_made.sort_unstable();
        assert_eq!(as_made, Kind::ALL);
        for kind in Kind::ALL {
            assert_eq!(Kind::from_terraform_type(kind.terraform_type()), Some(kind));
        }
    }
}
