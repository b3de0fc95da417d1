//! Filters of Describe calls.

use super::macros::rules;

rules! {
    KNOWN: "filter.known" Refusal [DescribeAvailabilityZones, DescribeInstanceTypeOfferings, DescribeVpcs, DescribeSubnets, DescribeInternetGateways, DescribeAddresses, DescribeNatGateways, DescribeRouteTables, DescribeSecurityGroups, DescribeInstances, DescribeVolumes, DescribeVpcEndpoints, DescribeVpcPeeringConnections, DescribeVpnGateways, DescribeNetworkAcls, DescribeEgressOnlyInternetGateways, DescribeTags] "InvalidParameterValue" => "The filter '{}' is invalid";
        "a filter is one of the operation's own, tag-key, or tag: and a key; zones and offerings have their own only, and tags no tag-key"; [PublicLogs, ServiceModel];
    VALUES: "filter.values" Refusal [DescribeAvailabilityZones, DescribeInstanceTypeOfferings, DescribeVpcs, DescribeSubnets, DescribeInternetGateways, DescribeAddresses, DescribeNatGateways, DescribeRouteTables, DescribeSecurityGroups, DescribeInstances, DescribeVolumes, DescribeVpcEndpoints, DescribeVpcPeeringConnections, DescribeVpnGateways, DescribeNetworkAcls, DescribeEgressOnlyInternetGateways, DescribeTags] "InvalidParameterValue" => "The filter '{}' has no values";
        "a filter has a value; what AWS says of one without is not known for sure"; [Experience];
    LIMIT: "filter.value-count" Limit [DescribeAvailabilityZones, DescribeInstanceTypeOfferings, DescribeVpcs, DescribeSubnets, DescribeInternetGateways, DescribeAddresses, DescribeNatGateways, DescribeRouteTables, DescribeSecurityGroups, DescribeInstances, DescribeVolumes, DescribeVpcEndpoints, DescribeVpcPeeringConnections, DescribeVpnGateways, DescribeNetworkAcls, DescribeEgressOnlyInternetGateways, DescribeTags] "FilterLimitExceeded" => "The maximum number of filter values specified on a single call is 200";
        "a call has at most 200 filter values in all"; [ErrorCodes, PublicLogs];
    ALL_OF_ANY: "filter.all-of-any" Default [DescribeVpcs, DescribeSubnets, DescribeInternetGateways, DescribeAddresses, DescribeNatGateways, DescribeRouteTables, DescribeSecurityGroups, DescribeInstances, DescribeVolumes, DescribeVpcEndpoints, DescribeVpcPeeringConnections, DescribeVpnGateways, DescribeNetworkAcls, DescribeEgressOnlyInternetGateways, DescribeTags];
        "an object is listed if every filter accepts it, and a filter accepts it if any of its values does, letter for letter"; [UserGuide];
    WILDCARDS: "filter.wildcards" Default [DescribeVpcs, DescribeSubnets, DescribeInternetGateways, DescribeAddresses, DescribeNatGateways, DescribeRouteTables, DescribeSecurityGroups, DescribeInstances, DescribeVolumes, DescribeVpcEndpoints, DescribeVpcPeeringConnections, DescribeVpnGateways, DescribeNetworkAcls, DescribeEgressOnlyInternetGateways, DescribeTags];
        "in a filter value * stands for any text and ? for any one character"; [UserGuide];
    NOTHING: "filter.nothing-found" Default [DescribeVpcs, DescribeSubnets, DescribeInternetGateways, DescribeAddresses, DescribeNatGateways, DescribeRouteTables, DescribeSecurityGroups, DescribeInstances, DescribeVolumes, DescribeVpcEndpoints, DescribeVpcPeeringConnections, DescribeVpnGateways, DescribeNetworkAcls, DescribeEgressOnlyInternetGateways, DescribeTags];
        "filters that nothing passes are answered with an empty list, where an identifier of nothing is refused"; [Experience];
}
