//! What calls about internet gateways need.

use aloka_core::api::{Ec2, Operation};

use crate::iam::{Ask, Asks, ResourceType as T};

pub(crate) const NEEDS: &[Asks] = &[
    (Operation::Ec2(Ec2::CreateInternetGateway), &[Ask::New(T::InternetGateway)]),
    (Operation::Ec2(Ec2::DescribeInternetGateways), &[Ask::Any]),
    (
        Operation::Ec2(Ec2::AttachInternetGateway),
        &[Ask::Named(T::InternetGateway, "InternetGatewayId"), Ask::Named(T::Vpc, "VpcId")],
    ),
    (
        Operation::Ec2(Ec2::DetachInternetGateway),
        &[Ask::Named(T::InternetGateway, "InternetGatewayId"), Ask::Named(T::Vpc, "VpcId")],
    ),
    (Operation::Ec2(Ec2::DeleteInternetGateway), &[Ask::Named(T::InternetGateway, "InternetGatewayId")]),
];
