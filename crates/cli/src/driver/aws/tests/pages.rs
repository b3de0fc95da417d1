//! Lists that come in pages.

use aloka_core::api::{Call, Ec2, Operation, Rds, Request, Service};
use aloka_core::secret::Secrets;
use aloka_core::value::Value;
use aws_sdk_ec2::Client;
use aws_sdk_ec2::error::ErrorMetadata;
use aws_sdk_ec2::operation::describe_vpcs::{DescribeVpcsError, DescribeVpcsOutput};
use aws_sdk_ec2::types::Vpc;
use aws_smithy_mocks::{RuleMode, mock, mock_client};

use super::cases::cases;
use super::wire::{Answer, Wire, run};
use super::{request, secrets};

/// Operations whose answers AWS cuts into pages.
const PAGED: [Operation; 20] = [
    Operation::Ec2(Ec2::DescribeInstanceTypeOfferings),
    Operation::Ec2(Ec2::DescribeImages),
    Operation::Ec2(Ec2::DescribeVpcs),
    Operation::Ec2(Ec2::DescribeSubnets),
    Operation::Ec2(Ec2::DescribeInternetGateways),
    Operation::Ec2(Ec2::DescribeNatGateways),
    Operation::Ec2(Ec2::DescribeRouteTables),
    Operation::Ec2(Ec2::DescribeNetworkInterfaces),
    Operation::Ec2(Ec2::DescribeVpcEndpoints),
    Operation::Ec2(Ec2::DescribeVpcPeeringConnections),
    Operation::Ec2(Ec2::DescribeNetworkAcls),
    Operation::Ec2(Ec2::DescribeEgressOnlyInternetGateways),
    Operation::Ec2(Ec2::DescribeTags),
    Operation::Ec2(Ec2::DescribeSecurityGroups),
    Operation::Ec2(Ec2::DescribeInstances),
    Operation::Ec2(Ec2::DescribeVolumes),
    Operation::Rds(Rds::DescribeDBSubnetGroups),
    Operation::Rds(Rds::DescribeDBInstances),
    Operation::Rds(Rds::DescribeDBSnapshots),
    Operation::Rds(Rds::DescribeDBEngineVersions),
];

#[test]
fn pages_are_followed_to_the_end() {
    run(async {
        for mut case in cases().into_iter().filter(|case| PAGED.contains(&case.operation)) {
            let whole = case.answer.clone();
            let token = match case.operation.service() {
                Service::Ec2 => "nextToken",
                Service::Rds | Service::Ssm | Service::Sts => "Marker",
            };
            // The first page has everything, the second nothing, the third everything again.
            let mut page = |body: &str, next: &str| {
                case.answer = format!("{body}<{token}>{next}</{token}>").into();
                Answer::of(&case)
            };
            let wire = Wire::new([page(&whole, "two"), page("", "three"), page(&whole, "")]);
            let reply = wire.client().await.send(&request(&case), &secrets()).await.expect("three pages");

            let twice = |list: &serde_json::Value| {
                let items = list.as_array().expect("a list");
                serde_json::Value::from([items.clone(), items.clone()].concat())
            };
            let expected = case.reply.as_object().expect("an object").iter();
            let expected: serde_json::Map<_, _> = expected.map(|(name, list)| (name.clone(), twice(list))).collect();
            assert_eq!(reply, Value::from(serde_json::Value::from(expected)), "{}", case.operation);

            let name = if token == "Marker" { "Marker" } else { "NextToken" };
            let seen = wire.seen();
            assert_eq!(seen.len(), 3, "{}", case.operation);
            for (page, next) in seen.iter().zip([None, Some("two"), Some("three")]) {
                let mut sent: Vec<_> = case.sent.iter().map(|&line| line.to_owned()).collect();
                sent.extend(next.map(|next| format!("{name}={next}")));
                sent.sort();
                assert_eq!(page.parameters, sent, "{}", case.operation);
            }
        }
    });
}

/// Half a list would look as if the rest had been deleted.
#[test]
fn a_page_that_fails_fails_the_list() {
    run(async {
        for mut case in cases().into_iter().filter(|case| PAGED.contains(&case.operation)) {
            case.answer = format!("{0}<nextToken>two</nextToken><Marker>two</Marker>", case.answer).into();
            let failed = "<R><Errors><Error><Code>RequestLimitExceeded</Code></Error></Errors></R>".to_owned();
            let wire = Wire::new([Answer::of(&case), Answer::Http(503, failed), Answer::of(&case)]);
            let reply = wire.client().await.send(&request(&case), &secrets()).await;
            reply.expect_err("the second page failed");
            assert_eq!(wire.seen().len(), 2, "{}", case.operation);
        }
    });
}

/// The same by the types of the SDK, without any XML.
#[test]
fn typed_pages_are_followed_and_typed_errors_kept() {
    let vpc = |id: &str| Vpc::builder().vpc_id(id).build();
    let first = mock!(Client::describe_vpcs)
        .match_requests(|input| input.next_token().is_none() && input.max_results().is_none())
        .then_output(move || DescribeVpcsOutput::builder().vpcs(vpc("vpc-1")).next_token("two").build());
    let second = mock!(Client::describe_vpcs)
        .match_requests(|input| input.next_token() == Some("two"))
        .then_output(move || DescribeVpcsOutput::builder().vpcs(vpc("vpc-2")).build());
    let failed = mock!(Client::describe_vpcs).then_error(|| {
        DescribeVpcsError::generic(ErrorMetadata::builder().code("InvalidVpcID.NotFound").message("gone").build())
    });
    run(async {
        let mut client = Wire::new([]).client().await;
        client.ec2 = mock_client!(aws_sdk_ec2, RuleMode::Sequential, &[&first, &second, &failed]);
        let request = Request(Call::new(Ec2::DescribeVpcs, []));
        let reply = client.send(&request, &Secrets::default()).await.expect("two pages");
        assert_eq!(reply.at("Vpcs.0.VpcId"), Some(&Value::str("vpc-1")));
        assert_eq!(reply.at("Vpcs.1.VpcId"), Some(&Value::str("vpc-2")));
        assert_eq!(reply.at("Vpcs.2"), None);
        assert_eq!((first.num_calls(), second.num_calls(), failed.num_calls()), (1, 1, 0));

        let error = client.send(&request, &Secrets::default()).await.expect_err("gone");
        assert_eq!((&*error.code, &*error.message), ("InvalidVpcID.NotFound", "gone"));
    });
}
