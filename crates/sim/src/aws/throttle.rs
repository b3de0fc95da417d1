//! Rate limits: token buckets of the account.
//!
//! Figures are from "Request throttling for the Amazon EC2 API" and the quota pages of Systems Manager and STS. RDS
//! publishes none; those here are an assumption, so that its refusal is met at all. Editions of EC2's page disagree on
//! whether the calls of a category share a bucket: here they do, which is the stricter reading, as is that a call that
//! names identifiers is not filtered. As the page says, a bucket is filled up once a second.

use std::collections::BTreeMap;

use aloka_core::api::{Ec2, Operation, Rds, Request, Service, Ssm, Sts};
use aloka_core::time::Instant;
use serde::{Deserialize, Serialize};

use crate::rules::{Refusal, access as rule};

/// How much is left in the buckets that were drawn from.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Throttle(BTreeMap<String, Level>);

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Level {
    tokens: u64,
    /// The second, counted from the start, up to which it was filled up.
    second: u64,
}

/// A bucket: its name, what it holds at most, what is added every second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Bucket {
    name: &'static str,
    most: u64,
    refill: u64,
}

const fn bucket(name: &'static str, most: u64, refill: u64) -> Bucket {
    Bucket { name, most, refill }
}

const NON_MUTATING: Bucket = bucket("non-mutating", 100, 20);
const UNFILTERED: Bucket = bucket("unfiltered", 50, 10);
const MUTATING: Bucket = bucket("mutating", 50, 5);
const RESOURCE_INTENSIVE: Bucket = bucket("resource-intensive", 50, 5);
const RDS_READ: Bucket = bucket("rds read", 60, 12);
const RDS_WRITE: Bucket = bucket("rds write", 30, 3);

/// The bucket that each request draws one token from.
fn requests(request: &Request) -> Bucket {
    let unless_filtered = if request.arg("Filters").is_null() { UNFILTERED } else { NON_MUTATING };
    match request.operation() {
        Operation::Sts(Sts::GetCallerIdentity) => bucket("sts", 600, 600),
        Operation::Ssm(Ssm::GetParameter) => bucket("ssm:GetParameter", 40, 40),
        Operation::Ec2(Ec2::DescribeInstances)
        | Operation::Ec2(Ec2::DescribeNetworkInterfaces)
        | Operation::Ec2(Ec2::DescribeSecurityGroups)
        | Operation::Ec2(Ec2::DescribeVolumes) => unless_filtered,
        Operation::Ec2(Ec2::DescribeAvailabilityZones)
        | Operation::Ec2(Ec2::DescribeInstanceTypeOfferings)
        | Operation::Ec2(Ec2::DescribeImages)
        | Operation::Ec2(Ec2::DescribeVpcs)
        | Operation::Ec2(Ec2::DescribeVpcAttribute)
        | Operation::Ec2(Ec2::DescribeSubnets)
        | Operation::Ec2(Ec2::DescribeInternetGateways)
        | Operation::Ec2(Ec2::DescribeAddresses)
        | Operation::Ec2(Ec2::DescribeNatGateways)
        | Operation::Ec2(Ec2::DescribeRouteTables)
        | Operation::Ec2(Ec2::DescribeVpcEndpoints)
        | Operation::Ec2(Ec2::DescribeVpcPeeringConnections)
        | Operation::Ec2(Ec2::DescribeVpnGateways)
        | Operation::Ec2(Ec2::DescribeNetworkAcls)
        | Operation::Ec2(Ec2::DescribeEgressOnlyInternetGateways)
        | Operation::Ec2(Ec2::DescribeTags) => NON_MUTATING,
        Operation::Ec2(Ec2::AuthorizeSecurityGroupIngress) | Operation::Ec2(Ec2::RevokeSecurityGroupIngress) => {
            RESOURCE_INTENSIVE
        }
        Operation::Ec2(Ec2::CreateVpc)
        | Operation::Ec2(Ec2::ModifyVpcAttribute)
        | Operation::Ec2(Ec2::DeleteVpc)
        | Operation::Ec2(Ec2::CreateSubnet)
        | Operation::Ec2(Ec2::DeleteSubnet)
        | Operation::Ec2(Ec2::CreateInternetGateway)
        | Operation::Ec2(Ec2::AttachInternetGateway)
        | Operation::Ec2(Ec2::DetachInternetGateway)
        | Operation::Ec2(Ec2::DeleteInternetGateway)
        | Operation::Ec2(Ec2::AllocateAddress)
        | Operation::Ec2(Ec2::ReleaseAddress)
        | Operation::Ec2(Ec2::CreateVpcEndpoint)
        | Operation::Ec2(Ec2::ModifyVpcEndpoint)
        | Operation::Ec2(Ec2::DeleteVpcEndpoints)
        | Operation::Ec2(Ec2::CreateRouteTable)
        | Operation::Ec2(Ec2::DeleteRouteTable)
        | Operation::Ec2(Ec2::CreateRoute)
        | Operation::Ec2(Ec2::ReplaceRoute)
        | Operation::Ec2(Ec2::DeleteRoute)
        | Operation::Ec2(Ec2::AssociateRouteTable)
        | Operation::Ec2(Ec2::ReplaceRouteTableAssociation)
        | Operation::Ec2(Ec2::DisassociateRouteTable)
        | Operation::Ec2(Ec2::CreateSecurityGroup)
        | Operation::Ec2(Ec2::DeleteSecurityGroup)
        | Operation::Ec2(Ec2::AuthorizeSecurityGroupEgress)
        | Operation::Ec2(Ec2::RevokeSecurityGroupEgress)
        | Operation::Ec2(Ec2::ModifyInstanceAttribute)
        | Operation::Ec2(Ec2::StopInstances)
        | Operation::Ec2(Ec2::ModifyVolume) => MUTATING,
        Operation::Ec2(Ec2::CreateNatGateway) => bucket("CreateNatGateway", 10, 1),
        Operation::Ec2(Ec2::DeleteNatGateway) => bucket("DeleteNatGateway", 10, 1),
        Operation::Ec2(Ec2::CreateTags) => bucket("CreateTags", 100, 10),
        Operation::Ec2(Ec2::DeleteTags) => bucket("DeleteTags", 100, 10),
        Operation::Ec2(Ec2::RunInstances) => bucket("RunInstances", 5, 2),
        Operation::Ec2(Ec2::StartInstances) => bucket("StartInstances", 5, 2),
        Operation::Ec2(Ec2::TerminateInstances) => bucket("TerminateInstances", 100, 5),
        Operation::Rds(Rds::DescribeDBSubnetGroups)
        | Operation::Rds(Rds::DescribeDBInstances)
        | Operation::Rds(Rds::DescribeDBSnapshots)
        | Operation::Rds(Rds::DescribeDBEngineVersions)
        | Operation::Rds(Rds::ListTagsForResource) => RDS_READ,
        Operation::Rds(Rds::CreateDBSubnetGroup)
        | Operation::Rds(Rds::ModifyDBSubnetGroup)
        | Operation::Rds(Rds::DeleteDBSubnetGroup)
        | Operation::Rds(Rds::CreateDBInstance)
        | Operation::Rds(Rds::ModifyDBInstance)
        | Operation::Rds(Rds::DeleteDBInstance)
        | Operation::Rds(Rds::AddTagsToResource)
        | Operation::Rds(Rds::RemoveTagsFromResource) => RDS_WRITE,
    }
}

/// The bucket that calls on instances draw from by the instance, and how much this one draws.
fn resources(request: &Request) -> Option<(Bucket, u64)> {
    let operation = request.operation();
    let named = || u64::try_from(request.texts("InstanceIds").len()).unwrap_or(u64::MAX);
    if operation == Operation::Ec2(Ec2::RunInstances) {
        let most = request.arg("MaxCount").as_i64().and_then(|count| u64::try_from(count).ok()).unwrap_or(1);
        Some((bucket("RunInstances instances", 1000, 2), most))
    } else if operation == Operation::Ec2(Ec2::StartInstances) {
        Some((bucket("StartInstances instances", 1000, 2), named()))
    } else if operation == Operation::Ec2(Ec2::StopInstances) {
        Some((bucket("StopInstances instances", 1000, 20), named()))
    } else if operation == Operation::Ec2(Ec2::TerminateInstances) {
        Some((bucket("TerminateInstances instances", 1000, 20), named()))
    } else {
        None
    }
}

impl Throttle {
    /// Counts a call.
    ///
    /// # Errors
    /// There were too many.
    pub(crate) fn count(&mut self, now: Instant, request: &Request) -> Result<(), Refusal> {
        let mut within = self.take(now, requests(request), 1);
        if within && let Some((bucket, tokens)) = resources(request) {
            within = self.take(now, bucket, tokens);
        }
        if within { Ok(()) } else { Err(refusal(request.operation().service())) }
    }

    fn take(&mut self, now: Instant, bucket: Bucket, tokens: u64) -> bool {
        let second = now.0 / 1000;
        let full = Level { tokens: bucket.most, second };
        let level = self.0.entry(bucket.name.to_owned()).or_insert(full);
        let added = second.saturating_sub(level.second).saturating_mul(bucket.refill);
        level.tokens = level.tokens.saturating_add(added).min(bucket.most);
        level.second = level.second.max(second);
        match level.tokens.checked_sub(tokens) {
            Some(left) => {
                level.tokens = left;
                true
            }
            None => false,
        }
    }
}

fn refusal(service: Service) -> Refusal {
    let rule = match service {
        Service::Ec2 => &rule::RATE_EC2,
        Service::Rds | Service::Sts => &rule::RATE_RDS,
        Service::Ssm => &rule::RATE_SSM,
    };
    rule.refuse([])
}

#[cfg(test)]
mod tests {
    use aloka_core::api::{ApiError, Call, ErrorClass};
    use aloka_core::value::Value;

    use super::*;

    fn request(operation: Operation, args: impl IntoIterator<Item = (&'static str, Value)>) -> Request {
        Request(Call::new(operation, args))
    }

    /// How many of `wanted` calls are let through at `ms`.
    fn passed(throttle: &mut Throttle, ms: u64, wanted: u64, request: &Request) -> u64 {
        (0..wanted).map(|_| u64::from(throttle.count(Instant(ms), request).is_ok())).sum()
    }

    #[test]
    fn a_burst_then_the_rate_once_a_second() {
        let run = request(Operation::Ec2(Ec2::RunInstances), [("MaxCount", 1.into())]);
        let mut throttle = Throttle::default();
        assert_eq!(passed(&mut throttle, 300, 9, &run), 5);
        assert_eq!(passed(&mut throttle, 999, 9, &run), 0);
        assert_eq!(passed(&mut throttle, 1000, 9, &run), 2);
        assert_eq!(passed(&mut throttle, 1999, 9, &run), 0);
        // Never more than it holds.
        assert_eq!(passed(&mut throttle, 100_000, 9, &run), 5);
        assert_eq!(passed(&mut throttle, 100_000, 9, &request(Operation::Ec2(Ec2::StartInstances), [])), 5);
    }

    #[test]
    fn instances_are_counted_too() {
        let run = |count: i64| request(Operation::Ec2(Ec2::RunInstances), [("MaxCount", count.into())]);
        let mut throttle = Throttle::default();
        assert_eq!(passed(&mut throttle, 0, 1, &run(1001)), 0);
        assert_eq!(passed(&mut throttle, 0, 1, &run(999)), 1);
        assert_eq!(passed(&mut throttle, 0, 2, &run(1)), 1);
        assert_eq!(passed(&mut throttle, 1000, 1, &run(3)), 0);
        assert_eq!(passed(&mut throttle, 2000, 1, &run(4)), 1);
        let ids: Vec<String> = (0..600).map(|n| format!("i-{n:017x}")).collect();
        let terminate = request(Operation::Ec2(Ec2::TerminateInstances), [("InstanceIds", Value::list(&ids))]);
        assert_eq!(passed(&mut throttle, 0, 2, &terminate), 1);
    }

    #[test]
    fn what_is_not_filtered_has_a_smaller_bucket() {
        let filters = Value::map([("vpc-id", Value::list(["vpc-1"]))]);
        let mut throttle = Throttle::default();
        let by_id = request(Operation::Ec2(Ec2::DescribeInstances), [("InstanceIds", Value::list(["i-1"]))]);
        assert_eq!(passed(&mut throttle, 0, 200, &request(Operation::Ec2(Ec2::DescribeVolumes), [])), 50);
        assert_eq!(passed(&mut throttle, 0, 200, &by_id), 0);
        assert_eq!(
            passed(&mut throttle, 0, 200, &request(Operation::Ec2(Ec2::DescribeVolumes), [("Filters", filters)])),
            100
        );
        assert_eq!(passed(&mut throttle, 0, 1, &request(Operation::Ec2(Ec2::DescribeVpcs), [])), 0);
    }

    #[test]
    fn each_service_has_its_refusal() {
        for (operation, code) in [
            (Operation::Ec2(Ec2::CreateVpc), "RequestLimitExceeded"),
            (Operation::Rds(Rds::CreateDBInstance), "Throttling"),
            (Operation::Ssm(Ssm::GetParameter), "ThrottlingException"),
            (Operation::Sts(Sts::GetCallerIdentity), "Throttling"),
        ] {
            let mut throttle = Throttle::default();
            let calls = (0..1000).map(|_| throttle.count(Instant::ZERO, &request(operation, [])));
            let error = ApiError::from(calls.filter_map(Result::err).next().expect("a refusal"));
            assert_eq!((error.code.as_str(), error.class), (code, ErrorClass::Throttled));
        }
    }
}
