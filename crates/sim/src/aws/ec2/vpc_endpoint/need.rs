//! What calls about endpoints need.

use aloka_core::api::{Ec2, Operation};

use crate::iam::{Ask, Asks, ResourceType as T};

pub(crate) const NEEDS: &[Asks] = &[
    (
        Operation::Ec2(Ec2::CreateVpcEndpoint),
        &[Ask::New(T::VpcEndpoint), Ask::Named(T::Vpc, "VpcId"), Ask::Each(T::RouteTable, "RouteTableIds")],
    ),
    (Operation::Ec2(Ec2::DescribeVpcEndpoints), &[Ask::Any]),
    (
        Operation::Ec2(Ec2::ModifyVpcEndpoint),
        &[
            Ask::Named(T::VpcEndpoint, "VpcEndpointId"),
            Ask::Each(T::RouteTable, "AddRouteTableIds"),
            Ask::Each(T::RouteTable, "RemoveRouteTableIds"),
        ],
    ),
    (Operation::Ec2(Ec2::DeleteVpcEndpoints), &[Ask::Each(T::VpcEndpoint, "VpcEndpointIds")]),
];
