//! VPCs: their block, tenancy and attributes, what comes with one, and what keeps it from being deleted.

use super::macros::rules;

rules! {
    CIDR_FORM: "vpc.cidr-form" Refusal [CreateVpc] "InvalidParameterValue" => "Value ({}) for parameter cidrBlock is invalid. This is not a valid CIDR block.";
        "a VPC's block is an IPv4 address, a slash and a prefix length"; [PublicLogs];
    CIDR_SIZE: "vpc.cidr-size" Refusal [CreateVpc] "InvalidVpc.Range" => "The CIDR '{}' is invalid.";
        "a VPC's block has a prefix length from 16 to 28; the list of error codes calls the error InvalidVpcRange, the API InvalidVpc.Range"; [UserGuide, ErrorCodes, Moto];
    CIDR_MASKED: "vpc.cidr-masked" Default [CreateVpc];
        "the host bits of a VPC's block are cleared, not refused"; [UserGuide, ServiceModel];
    TENANCY: "vpc.tenancy" Refusal [CreateVpc] "InvalidParameterValue" => "Value ({}) for parameter instanceTenancy is invalid. Use default or dedicated.";
        "a VPC's tenancy is default or dedicated; instances have a third one, host"; [ServiceModel, Experience];
    TENANCY_DEFAULT: "vpc.tenancy-default" Default [CreateVpc];
        "a VPC's tenancy is default unless it is asked for another"; [ServiceModel];
    QUOTA: "vpc.quota" Quota [CreateVpc] "VpcLimitExceeded" => "The maximum number of VPCs has been reached.";
        "an account has 5 VPCs in a Region"; [UserGuide, ErrorCodes, PublicLogs];
    STATE: "vpc.state" Transition [CreateVpc];
        "a new VPC is pending, and available after a second or so"; [ServiceModel, PublicLogs];
    DNS_DEFAULT: "vpc.dns-default" Default [CreateVpc, DescribeVpcAttribute];
        "a new VPC has DNS support and no DNS hostnames"; [UserGuide];
    MAIN_TABLE: "vpc.main-table" Default [CreateVpc];
        "a VPC comes with a main route table, which has the local route alone"; [UserGuide];
    DEFAULT_GROUP: "vpc.default-group" Default [CreateVpc];
        "a VPC comes with a security group called default"; [UserGuide];
    ATTRIBUTE_NAME: "vpc.attribute-name" Refusal [DescribeVpcAttribute] "InvalidParameterValue" => "Value ({}) for parameter attribute is invalid. Unknown attribute.";
        "the attributes of a VPC are enableDnsSupport, enableDnsHostnames and enableNetworkAddressUsageMetrics, with these capitals"; [ServiceModel, Experience];
    ATTRIBUTE_METRICS: "vpc.attribute-metrics" Unmodelled [DescribeVpcAttribute] "InvalidParameterValue" => "Value (enableNetworkAddressUsageMetrics) for parameter attribute is not supported here";
        "the attribute enableNetworkAddressUsageMetrics of a VPC is not modelled"; [Simulator];
    ONE_ATTRIBUTE: "vpc.one-attribute" Refusal [ModifyVpcAttribute] "InvalidParameterCombination" => "Fields for multiple attribute types specified";
        "a call changes one attribute of a VPC"; [UserGuide, ServiceModel];
    NO_ATTRIBUTE: "vpc.no-attribute" Refusal [ModifyVpcAttribute] "MissingParameter" => "No attributes specified.";
        "a call that changes a VPC says which attribute"; [ServiceModel, Experience];
    HOSTNAMES_NEED_SUPPORT: "vpc.hostnames-need-support" Refusal [ModifyVpcAttribute] "InvalidParameterCombination" => "DNS hostnames cannot be enabled while DNS support is disabled.";
        "a VPC has DNS hostnames only with DNS support; with which code AWS refuses the rest is not sure"; [UserGuide, Experience];
    ATTRIBUTE_CHANGE: "vpc.attribute-change" Transition [ModifyVpcAttribute];
        "an attribute of a VPC changes at once"; [UserGuide, Experience];
    HAS_INTERFACE: "vpc.has-interface" Refusal [DeleteVpc] "DependencyViolation" => "The vpc '{}' has dependencies and cannot be deleted.";
        "a VPC with a network interface in it stays, and so with a NAT gateway, an instance or a database instance"; [ErrorCodes, UserGuide, PublicLogs];
    HAS_SUBNET: "vpc.has-subnet" Refusal [DeleteVpc] "DependencyViolation" => "The vpc '{}' has dependencies and cannot be deleted.";
        "a VPC with a subnet stays"; [ErrorCodes, UserGuide, PublicLogs];
    HAS_GATEWAY: "vpc.has-gateway" Refusal [DeleteVpc] "DependencyViolation" => "The vpc '{}' has dependencies and cannot be deleted.";
        "a VPC with an internet gateway attached stays"; [ErrorCodes, UserGuide, PublicLogs];
    HAS_GROUP: "vpc.has-group" Refusal [DeleteVpc] "DependencyViolation" => "The vpc '{}' has dependencies and cannot be deleted.";
        "a VPC with a security group besides its default one stays"; [ErrorCodes, UserGuide, PublicLogs];
    HAS_TABLE: "vpc.has-route-table" Refusal [DeleteVpc] "DependencyViolation" => "The vpc '{}' has dependencies and cannot be deleted.";
        "a VPC with a route table besides its main one stays"; [ErrorCodes, UserGuide, PublicLogs];
    TAKES_ALONG: "vpc.takes-along" Transition [DeleteVpc];
        "the main route table and the default security group go with their VPC"; [UserGuide];
}
