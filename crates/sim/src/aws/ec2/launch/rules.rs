//! `RunInstances`: what it refuses, and what an instance starts with.

use crate::rules::macros::rules;

rules! {
    COUNT: "launch.count" Refusal [Ec2::RunInstances] "InvalidParameterValue" => "Value ({}) for parameter {} is invalid.";
        "a launch is of at least one instance"; [Experience];
    COUNT_ORDER: "launch.count-order" Refusal [Ec2::RunInstances] "InvalidParameterValue" => "Value ({}) for parameter MinCount is invalid. It is above MaxCount.";
        "a launch does not ask for more instances than it allows"; [Experience];
    AS_MANY: "launch.as-many-as-fit" Default [Ec2::RunInstances];
        "a launch is of as many instances as the subnet has addresses for, between the least and the most asked for"; [ServiceModel];
    FREE_ADDRESSES: "launch.free-addresses" Refusal [Ec2::RunInstances] "InsufficientFreeAddressesInSubnet" => "There are not enough free addresses in subnet to satisfy the requested number of instances.";
        "a subnet has addresses for the least number of instances asked for"; [ErrorCodes];
    TYPE: "launch.type" Refusal [Ec2::RunInstances, Ec2::ModifyInstanceAttribute] "InvalidParameterValue" => "Invalid value '{}' for InstanceType.";
        "an instance is of a type that exists"; [PublicLogs];
    ARCHITECTURE: "launch.architecture" Refusal [Ec2::RunInstances] "InvalidParameterValue" => "The architecture '{}' of the specified instance type does not match the architecture '{}' of the specified AMI. Specify an instance type and an AMI that have matching architectures, and try again.";
        "type and image are of one architecture; the code may also be Unsupported"; [PublicLogs];
    OFFERED: "launch.offered-in-zone" Refusal [Ec2::RunInstances, Ec2::ModifyInstanceAttribute] "Unsupported" => "Your requested instance type ({}) is not supported in your requested Availability Zone ({}). Please retry your request by not specifying an Availability Zone or choosing {}.";
        "the zone offers the type: us-east-1e has little that came after 2016; of a change of type AWS may say so only at the start"; [PublicLogs, Moto];
    FREE_PLAN: "launch.free-plan" Refusal [Ec2::RunInstances] "InvalidParameterCombination" => "The specified instance type is not eligible for Free Tier. For a list of Free Tier instance types, run 'describe-instance-types' with the filter 'free-tier-eligible=true'.";
        "an account on the Free plan launches small types only; a dry run does not see it"; [PublicLogs];
    FREE_PLAN_RESIZE: "launch.free-plan-resize" Refusal [Ec2::ModifyInstanceAttribute] "FreeTierRestrictionError" => "This instance size isn't available with free plan accounts.";
        "an account on the Free plan gives an instance no other type either; the words are those of RDS"; [PublicLogs];
    ONE_INTERFACE: "launch.one-interface" Unmodelled [Ec2::RunInstances] "InvalidParameterValue" => "Exactly one network interface is supported here";
        "a launch names the network interface, and no second one"; [Simulator];
    DEVICE_INDEX: "launch.device-index" Refusal [Ec2::RunInstances] "InvalidParameterValue" => "The primary network interface must have device index 0";
        "a network interface has a device index, the primary one 0; the code is assumed"; [ServiceModel];
    SUBNET: "launch.subnet" Refusal [Ec2::RunInstances] "VPCIdNotSpecified" => "No default VPC for this user. GroupName is only supported for EC2-Classic and default VPC.";
        "in an account without default VPC a launch names a subnet"; [ErrorCodes];
    DEFAULT_GROUP: "launch.default-group" Default [Ec2::RunInstances];
        "an interface without groups has the VPC's own"; [UserGuide];
    PUBLIC_ADDRESS: "launch.public-address" Default [Ec2::RunInstances];
        "an instance has no public address unless the launch or the subnet asks for one; subnets here do not"; [UserGuide];
    USER_DATA: "launch.user-data" Limit [Ec2::RunInstances] "InvalidParameterValue" => "User data is limited to 16384 bytes";
        "user data has at most 16384 bytes before it is encoded; the code may also be InvalidUserData.Malformed"; [UserGuide, PublicLogs];
    VCPUS: "launch.vcpus" Quota [Ec2::RunInstances, Ec2::StartInstances] "VcpuLimitExceeded" => "You have requested more vCPU capacity than your current vCPU limit of {} allows for the instance bucket that the specified instance type belongs to. Please visit http://aws.amazon.com/contact-us/ec2-request to request an adjustment to this limit.";
        "instances that are not stopped have so many vCPUs in all as AWS allows the account; here there is no limit until it is set"; [PublicLogs, ErrorCodes];
    ROOT_DEVICE: "launch.root-device" Unmodelled [Ec2::RunInstances] "InvalidBlockDeviceMapping" => "Only the root device {} is supported here, not {}";
        "a launch describes the root volume only"; [Simulator];
    ONE_MAPPING: "launch.device-once" Refusal [Ec2::RunInstances] "InvalidBlockDeviceMapping" => "The device '{}' is used in more than one block-device mapping";
        "a launch describes a device once"; [Experience];
    ROOT_SIZE: "launch.root-size" Refusal [Ec2::RunInstances] "InvalidBlockDeviceMapping" => "Volume of size {}GB is smaller than snapshot '{}', expect size>= {}GB";
        "a root volume is not smaller than the image's snapshot"; [PublicLogs];
    ROOT_DEFAULTS: "launch.root-defaults" Default [Ec2::RunInstances];
        "a root volume has the image's size and type, is not encrypted, and goes with its instance"; [UserGuide, Experience];
    TOKENS: "launch.metadata-tokens" Refusal [Ec2::RunInstances] "InvalidParameterValue" => "Invalid value '{}' for HttpTokens.";
        "metadata tokens are optional or required"; [ServiceModel];
    ENDPOINT: "launch.metadata-endpoint" Refusal [Ec2::RunInstances] "InvalidParameterValue" => "Invalid value '{}' for HttpEndpoint.";
        "the metadata endpoint is enabled or disabled"; [ServiceModel];
    HOPS: "launch.metadata-hops" Refusal [Ec2::RunInstances] "InvalidParameterValue" => "Invalid value '{}' for HttpPutResponseHopLimit.";
        "the answer to a metadata token request makes 1 to 64 hops"; [ServiceModel];
    METADATA: "launch.metadata-by-image" Default [Ec2::RunInstances];
        "metadata options left out follow the image: Amazon Linux 2023 requires tokens and allows 2 hops, Amazon Linux 2 requires none and allows 1; the endpoint is enabled"; [Recorded, ServiceModel, UserGuide];
    TAGS: "launch.tags" Default [Ec2::RunInstances];
        "the tags of a launch are those of the instance and of its volume, not of its interface"; [ServiceModel];
}
