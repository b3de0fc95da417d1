//! What anybody sees of an account through its Describe calls.

use std::collections::BTreeMap;

use aloka_core::api::{Call, Ec2, Operation, Rds, Request};
use aloka_core::value::Value;

use crate::script::Stage;

/// Calls that list everything there is: the operation, its list, an object's identifier, the parameter that asks for
/// one.
pub(crate) const LISTS: [(Operation, &str, &str, &str); 13] = [
    (Operation::Ec2(Ec2::DescribeVpcs), "Vpcs", "VpcId", "VpcIds"),
    (Operation::Ec2(Ec2::DescribeSubnets), "Subnets", "SubnetId", "SubnetIds"),
    (Operation::Ec2(Ec2::DescribeInternetGateways), "InternetGateways", "InternetGatewayId", "InternetGatewayIds"),
    (Operation::Ec2(Ec2::DescribeAddresses), "Addresses", "AllocationId", "AllocationIds"),
    (Operation::Ec2(Ec2::DescribeNatGateways), "NatGateways", "NatGatewayId", "NatGatewayIds"),
    (Operation::Ec2(Ec2::DescribeRouteTables), "RouteTables", "RouteTableId", "RouteTableIds"),
    (Operation::Ec2(Ec2::DescribeVpcEndpoints), "VpcEndpoints", "VpcEndpointId", "VpcEndpointIds"),
    (Operation::Ec2(Ec2::DescribeSecurityGroups), "SecurityGroups", "GroupId", "GroupIds"),
    (Operation::Ec2(Ec2::DescribeInstances), "Instances", "InstanceId", "InstanceIds"),
    (Operation::Ec2(Ec2::DescribeVolumes), "Volumes", "VolumeId", "VolumeIds"),
    (Operation::Rds(Rds::DescribeDBSubnetGroups), "DBSubnetGroups", "DBSubnetGroupName", "DBSubnetGroupName"),
    (Operation::Rds(Rds::DescribeDBInstances), "DBInstances", "DBInstanceIdentifier", "DBInstanceIdentifier"),
    (Operation::Rds(Rds::DescribeDBSnapshots), "DBSnapshots", "DBSnapshotIdentifier", "DBSnapshotIdentifier"),
];

/// Every object, by list and identifier.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct View(BTreeMap<&'static str, BTreeMap<String, Value>>);

/// The text under `key`; empty if there is none.
pub(crate) fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).as_str().unwrap_or_default()
}

/// The items of the list under `key`.
pub(crate) fn items<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).as_list().unwrap_or_default()
}

impl View {
    /// Looks at everything.
    pub(crate) fn of(stage: &mut Stage) -> Result<Self, String> {
        let mut view = Self::default();
        for (operation, list, id, _) in LISTS {
            let reply = stage.send(&Request(Call::new(operation, []))).map_err(|e| format!("{operation}: {e}"))?;
            let found = items(&reply, list);
            let objects: BTreeMap<_, _> = found.iter().map(|o| (text(o, id).to_owned(), o.clone())).collect();
            if objects.len() != found.len() {
                return Err(format!("{operation} lists an identifier twice"));
            }
            view.0.insert(list, objects);
        }
        Ok(view)
    }

    /// The objects of a list with their identifiers.
    pub(crate) fn all(&self, list: &str) -> impl Iterator<Item = (&str, &Value)> + Clone {
        self.0.get(list).into_iter().flatten().map(|(id, object)| (id.as_str(), object))
    }

    /// One object.
    pub(crate) fn get(&self, list: &str, id: &str) -> Option<&Value> {
        self.0.get(list)?.get(id)
    }

    /// Asked for alone, each object is as in the list.
    pub(crate) fn agrees_by_id(&self, stage: &mut Stage) -> Result<(), String> {
        for (operation, list, _, parameter) in LISTS {
            for (id, object) in self.all(list) {
                let asked = if parameter.ends_with('s') { Value::list([id]) } else { Value::str(id) };
                let reply = stage.send(&Request(Call::new(operation, [(parameter, asked)])));
                let reply = reply.map_err(|error| format!("{id} is listed, but asked for alone: {error}"))?;
                if items(&reply, list) != [object.clone()] {
                    return Err(format!("{id} is {object} in the list, and alone {reply}"));
                }
            }
        }
        Ok(())
    }
}
