//! What calls about route tables, their routes and their associations need.

use aloka_core::api::{Ec2, Operation};

use crate::iam::{Ask, Asks, Needs, ResourceType as T};

pub(crate) const NEEDS: &[Asks] = &[
    (Operation::Ec2(Ec2::CreateRouteTable), &[Ask::New(T::RouteTable), Ask::Named(T::Vpc, "VpcId")]),
    (Operation::Ec2(Ec2::DescribeRouteTables), &[Ask::Any]),
    (Operation::Ec2(Ec2::DeleteRouteTable), &[Ask::Named(T::RouteTable, "RouteTableId")]),
    (Operation::Ec2(Ec2::CreateRoute), &[Ask::Named(T::RouteTable, "RouteTableId")]),
    (Operation::Ec2(Ec2::ReplaceRoute), &[Ask::Named(T::RouteTable, "RouteTableId")]),
    (Operation::Ec2(Ec2::DeleteRoute), &[Ask::Named(T::RouteTable, "RouteTableId")]),
    (
        Operation::Ec2(Ec2::AssociateRouteTable),
        &[Ask::Named(T::RouteTable, "RouteTableId"), Ask::Named(T::Subnet, "SubnetId")],
    ),
    (
        Operation::Ec2(Ec2::ReplaceRouteTableAssociation),
        &[Ask::Named(T::RouteTable, "RouteTableId"), Ask::By(subnet_of_association)],
    ),
    (Operation::Ec2(Ec2::DisassociateRouteTable), &[Ask::By(table_of_association), Ask::By(subnet_of_association)]),
];

fn table_of_association(needs: &mut Needs<'_>) {
    if let Some((table, _)) = needs.objects.association(needs.request.text("AssociationId")) {
        needs.existing(T::RouteTable, &table);
    }
}

fn subnet_of_association(needs: &mut Needs<'_>) {
    if let Some((_, subnet)) = needs.objects.association(needs.request.text("AssociationId")) {
        needs.existing(T::Subnet, &subnet);
    }
}
