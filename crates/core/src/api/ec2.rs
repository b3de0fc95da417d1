//! Operations of EC2, with those of VPCs: parameters, effects, rate limits (aws-behaviour.md, 1.7), and what its codes mean.
//!
//! # Reply objects
//! Every reply is a map. What it holds is written beside each operation below; the objects are:
//!
//! | object | fields |
//! |---|---|
//! | `Vpc` | VpcId, CidrBlock, State (`pending`, `available`), IsDefault, InstanceTenancy, DhcpOptionsId, OwnerId, Tags |
//! | `Subnet` | SubnetId, VpcId, CidrBlock, AvailabilityZone, AvailabilityZoneId, State, MapPublicIpOnLaunch, AvailableIpAddressCount, SubnetArn, OwnerId, BlockPublicAccessStates? {InternetGatewayBlockMode (`off`, `block-ingress`, `block-bidirectional`)}, Tags |
//! | `InternetGateway` | InternetGatewayId, Attachments [{VpcId, State}], OwnerId, Tags |
//! | `Address` | AllocationId, PublicIp, Domain, AssociationId?, NetworkInterfaceId?, PrivateIpAddress?, PublicIpv4Pool?, NetworkBorderGroup?, Tags |
//! | `NatGateway` | NatGatewayId, SubnetId, VpcId, State (`pending`, `available`, `failed`, `deleting`, `deleted`), FailureCode?, FailureMessage?, ConnectivityType, NatGatewayAddresses [{AllocationId, AssociationId?, IsPrimary?, NetworkInterfaceId?, PrivateIp?, PublicIp?}], Tags |
//! | `RouteTable` | RouteTableId, VpcId, OwnerId, Routes [{DestinationCidrBlock?, DestinationPrefixListId?, GatewayId?, NatGatewayId?, State, Origin}], Associations [{RouteTableAssociationId, RouteTableId, SubnetId?, Main, State}], Tags |
//! | `NetworkInterface` | NetworkInterfaceId, SubnetId, VpcId, AvailabilityZone, Status (`available`, `in-use`, and others between), Description?, InterfaceType (`interface`, `nat_gateway` or another), RequesterManaged, OwnerId, PrivateIpAddress, Groups [{GroupId, GroupName?}], Attachment? {AttachmentId, InstanceId?, InstanceOwnerId, DeleteOnTermination, Status}, Association? {PublicIp, AllocationId?}, Tags |
//! | `VpcEndpoint` | VpcEndpointId, VpcEndpointType (`Interface`, `Gateway` or another), VpcId, ServiceName?, State (`available` and others; as AWS writes them, also with a capital), RouteTableIds, PrivateDnsEnabled?, RequesterManaged?, OwnerId, Tags |
//! | `VpcPeeringConnection` | VpcPeeringConnectionId, RequesterVpcInfo {VpcId?, OwnerId}, AccepterVpcInfo {VpcId?, OwnerId}, Status? {Code (`active`, `pending-acceptance`, `deleted` and others)}, Tags |
//! | `VpnGateway` | VpnGatewayId, Type, State (`available`, `deleted` and others), VpcAttachments [{VpcId, State (`attached`, `detached` and between)}], Tags |
//! | `NetworkAcl` | NetworkAclId, VpcId, IsDefault, OwnerId, Tags |
//! | `EgressOnlyInternetGateway` | EgressOnlyInternetGatewayId, Attachments [{VpcId, State}], Tags |
//! | `SecurityGroup` | GroupId, GroupName, Description, VpcId, OwnerId, SecurityGroupArn?, IpPermissions \[P\], IpPermissionsEgress \[P\], Tags |
//! | `P` (permission) | IpProtocol, FromPort?, ToPort?, IpRanges [{CidrIp, Description?}], Ipv6Ranges [{CidrIpv6, Description?}], UserIdGroupPairs [{GroupId, Description?}], PrefixListIds [{PrefixListId, Description?}] |
//! | `SecurityGroupRule` | SecurityGroupRuleId, IsEgress, IpProtocol, FromPort and ToPort (-1 if the protocol has none), CidrIpv4?, CidrIpv6?, PrefixListId?, ReferencedGroupInfo? (the group's identifier), Description? |
//! | `Instance` | InstanceId, ImageId, InstanceType, State (`pending`, `running`, `shutting-down`, `terminated`, `stopping`, `stopped`), StateReason? {Code, Message}, SubnetId?, VpcId?, PrivateIpAddress?, PrivateDnsName?, PublicIpAddress?, PublicDnsName?, AvailabilityZone, SecurityGroups [{GroupId, GroupName}], NetworkInterfaces [{NetworkInterfaceId, DeviceIndex?}], RootDeviceName, BlockDeviceMappings [{DeviceName, VolumeId, DeleteOnTermination}], MetadataOptions {HttpTokens, HttpPutResponseHopLimit, HttpEndpoint}, ClientToken?, Tags |
//! | `Volume` | VolumeId, Size, VolumeType, Encrypted, State, InstanceId?, Device?, ModificationState?, Tags |
//! | `Image` | ImageId, Name, Architecture, RootDeviceName, RootVolumeSize, State |
//!
//! `?` marks a field that may be absent. Instances are a flat list, without reservations. The tags of `DescribeTags` are
//! a list of their own, `{ResourceId, ResourceType, Key, Value}` each, as a filter may let some tags of an object pass and
//! others not.

use super::error::{Codes, ErrorClass};
use super::operation::{RateLimit, Service, operations};

/// Describe and Get calls.
pub const READ: RateLimit = RateLimit::new(Service::Ec2, 0, 100, 20);
/// Reads of instances, security groups and volumes. AWS allows fewer of those that are neither filtered nor paginated, and
/// does not say that to name identifiers is to filter.
pub const LIST: RateLimit = RateLimit::new(Service::Ec2, 1, 50, 10);
/// Calls that change something.
pub const WRITE: RateLimit = RateLimit::new(Service::Ec2, 2, 50, 5);
/// RunInstances and StartInstances.
pub const LAUNCH: RateLimit = RateLimit::new(Service::Ec2, 3, 5, 2);
/// TerminateInstances.
pub const TERMINATE: RateLimit = RateLimit::new(Service::Ec2, 4, 100, 5);
/// CreateNatGateway and DeleteNatGateway.
pub const NAT: RateLimit = RateLimit::new(Service::Ec2, 5, 10, 1);
/// CreateTags and DeleteTags.
pub const TAGS: RateLimit = RateLimit::new(Service::Ec2, 6, 100, 10);

/// What a creation with tags needs besides its own action.
pub(super) const TAGGING_ACTIONS: &[&str] = &["ec2:CreateTags"];

pub(super) const CODES: Codes = Codes {
    by_words: &[
        // Usually of somebody without credentials; here of an owner whose address or interface AWS still holds for a NAT
        // gateway or a database,
        ("AuthFailure", "permission to access the specified resource", ErrorClass::Conflict),
        // and of an image that its owner does not share.
        ("AuthFailure", "Not authorized for images", ErrorClass::Refused),
    ],
    by_code: &[
        ("InsufficientInstanceCapacity", ErrorClass::Capacity),
        ("InsufficientAddressCapacity", ErrorClass::Capacity),
        ("InsufficientHostCapacity", ErrorClass::Capacity),
        // Not of the caller but of the object: no policy allows it (an instance that is protected).
        ("OperationNotPermitted", ErrorClass::Refused),
        ("VcpuLimitExceeded", ErrorClass::Quota),
        ("RulesPerSecurityGroupLimitExceeded", ErrorClass::Quota),
        ("DependencyViolation", ErrorClass::Conflict),
        ("InvalidGroup.InUse", ErrorClass::Conflict),
        ("InvalidIPAddress.InUse", ErrorClass::Conflict),
        ("InvalidNetworkInterface.InUse", ErrorClass::Conflict),
        ("IncorrectInstanceState", ErrorClass::Conflict),
        ("IncorrectModificationState", ErrorClass::Conflict),
        ("IncorrectState", ErrorClass::Conflict),
        ("Resource.AlreadyAssociated", ErrorClass::AlreadyExists),
        ("InvalidGroup.Duplicate", ErrorClass::AlreadyExists),
        ("InvalidPermission.Duplicate", ErrorClass::AlreadyExists),
        ("RouteAlreadyExists", ErrorClass::AlreadyExists),
        ("InvalidSubnet.Conflict", ErrorClass::AlreadyExists),
        // Of a client token.
        ("IdempotentParameterMismatch", ErrorClass::AlreadyExists),
        ("IdempotentInstanceTerminated", ErrorClass::AlreadyExists),
        ("Gateway.NotAttached", ErrorClass::NotFound),
        ("NatGatewayNotFound", ErrorClass::NotFound),
    ],
};

operations! {
    /// Operations of EC2.
    Ec2 {
        /// `{AvailabilityZones: [{ZoneName, ZoneId, State, ZoneType?, OptInStatus?}]}`
        DescribeAvailabilityZones: Read, READ, [Filters];
        /// `{InstanceTypeOfferings: [{InstanceType, Location}]}`; `LocationType` is `availability-zone`.
        DescribeInstanceTypeOfferings: Read, READ, [LocationType(required), Filters];
        /// `{Images: [Image]}`
        DescribeImages: Read, READ, [ImageIds(required)];

        /// `{Vpc: Vpc}`
        CreateVpc: Create(Tagged), WRITE, [CidrBlock(required), InstanceTenancy, Tags(required)];
        /// `{Vpcs: [Vpc]}`
        DescribeVpcs: Read, READ, [VpcIds, Filters];
        /// `{VpcId, EnableDnsSupport?, EnableDnsHostnames?}`, plain truth values; `Attribute` is `enableDnsSupport` or
        /// `enableDnsHostnames`.
        DescribeVpcAttribute: Read, READ, [VpcId(required), Attribute(required)];
        /// `{}`; one attribute a call.
        ModifyVpcAttribute: Change, WRITE, [VpcId(required), EnableDnsSupport, EnableDnsHostnames];
        /// `{}`
        DeleteVpc: Remove, WRITE, [VpcId(required)];

        /// `{Subnet: Subnet}`
        CreateSubnet: Create(NaturalKey), WRITE, [
            VpcId(required), CidrBlock(required), AvailabilityZone, Tags(required),
        ];
        /// `{Subnets: [Subnet]}`
        DescribeSubnets: Read, READ, [SubnetIds, Filters];
        /// `{}`
        DeleteSubnet: Remove, WRITE, [SubnetId(required)];

        /// `{InternetGateway: InternetGateway}`
        CreateInternetGateway: Create(Tagged), WRITE, [Tags(required)];
        /// `{InternetGateways: [InternetGateway]}`
        DescribeInternetGateways: Read, READ, [InternetGatewayIds, Filters];
        /// `{}`
        AttachInternetGateway: Change, WRITE, [InternetGatewayId(required), VpcId(required)];
        /// `{}`
        DetachInternetGateway: Remove, WRITE, [InternetGatewayId(required), VpcId(required)];
        /// `{}`
        DeleteInternetGateway: Remove, WRITE, [InternetGatewayId(required)];

        /// `{AllocationId, PublicIp, Domain, PublicIpv4Pool?, NetworkBorderGroup?}`
        AllocateAddress: Create(Tagged), WRITE, [Domain(required), Tags(required)];
        /// `{Addresses: [Address]}`
        DescribeAddresses: Read, READ, [AllocationIds, Filters];
        /// `{}`
        ReleaseAddress: Remove, WRITE, [AllocationId(required)];

        /// `{NatGateway: NatGateway}`
        CreateNatGateway: Create(ClientToken), NAT, [
            SubnetId(required), AllocationId(required), ConnectivityType, ClientToken(required), Tags(required),
        ] {
            "IdempotentParameterMismatch" => SpentUnlessFound,
        };
        /// `{NatGateways: [NatGateway]}`
        DescribeNatGateways: Read, READ, [NatGatewayIds, Filters];
        /// `{NatGatewayId}`
        DeleteNatGateway: Remove, NAT, [NatGatewayId(required)];

        /// `{RouteTable: RouteTable}`
        CreateRouteTable: Create(ClientToken), WRITE, [VpcId(required), ClientToken(required), Tags(required)] {
            "IdempotentParameterMismatch" => SpentUnlessFound,
        };
        /// `{RouteTables: [RouteTable]}`
        DescribeRouteTables: Read, READ, [RouteTableIds, Filters];
        /// `{}`
        DeleteRouteTable: Remove, WRITE, [RouteTableId(required)];
        /// `{}`
        CreateRoute: Change, WRITE, [RouteTableId(required), DestinationCidrBlock(required), GatewayId, NatGatewayId];
        /// `{}`
        ReplaceRoute: Change, WRITE, [RouteTableId(required), DestinationCidrBlock(required), GatewayId, NatGatewayId];
        /// `{}`
        DeleteRoute: Remove, WRITE, [RouteTableId(required), DestinationCidrBlock(required)];
        /// `{AssociationId}`
        AssociateRouteTable: Change, WRITE, [RouteTableId(required), SubnetId(required)];
        /// `{NewAssociationId}`
        ReplaceRouteTableAssociation: Change, WRITE, [AssociationId(required), RouteTableId(required)] {
            // What was to be replaced may have been, by the call whose answer was lost.
            "InvalidAssociationID.NotFound" lost => LookUp,
        };
        /// `{}`
        DisassociateRouteTable: Remove, WRITE, [AssociationId(required)];

        /// `{NetworkInterfaces: [NetworkInterface]}`
        DescribeNetworkInterfaces: Read, READ, [NetworkInterfaceIds, Filters];

        /// `{VpcEndpoint: VpcEndpoint}`
        CreateVpcEndpoint: Create(ClientToken), WRITE, [
            VpcId(required), ServiceName(required), VpcEndpointType, RouteTableIds, ClientToken(required), Tags(required),
        ] {
            "IdempotentParameterMismatch" => SpentUnlessFound,
        };
        /// `{VpcEndpoints: [VpcEndpoint]}`
        DescribeVpcEndpoints: Read, READ, [VpcEndpointIds, Filters];
        /// `{}`; tables are added or taken away, not both in one call.
        ModifyVpcEndpoint: Change, WRITE, [VpcEndpointId(required), AddRouteTableIds, RemoveRouteTableIds] {
            // The call whose answer was lost has made the routes, or taken them away.
            "RouteAlreadyExists" lost => Done,
            "InvalidParameter" lost => Done,
        };
        /// `{}`. AWS answers in a list what it does not delete; the first of it is the error here.
        DeleteVpcEndpoints: Remove, WRITE, [VpcEndpointIds(required)];
        /// `{VpcPeeringConnections: [VpcPeeringConnection]}`; they have no filter `vpc-id`, but one for each end.
        DescribeVpcPeeringConnections: Read, READ, [Filters];
        /// `{VpnGateways: [VpnGateway]}`; their filter is `attachment.vpc-id`.
        DescribeVpnGateways: Read, READ, [Filters];
        /// `{NetworkAcls: [NetworkAcl]}`
        DescribeNetworkAcls: Read, READ, [Filters];
        /// `{EgressOnlyInternetGateways: [EgressOnlyInternetGateway]}`; they have no filters but those on tags.
        DescribeEgressOnlyInternetGateways: Read, READ, [Filters];

        /// `{GroupId}`
        CreateSecurityGroup: Create(NaturalKey), WRITE, [
            GroupName(required), Description(required), VpcId(required), Tags(required),
        ];
        /// `{SecurityGroups: [SecurityGroup]}`
        DescribeSecurityGroups: Read, LIST, [GroupIds, Filters];
        /// `{}`
        DeleteSecurityGroup: Remove, WRITE, [GroupId(required)];
        /// `{SecurityGroupRules: [SecurityGroupRule]}`, those added; `IpPermissions` is a list of permissions as in the reply
        /// objects; all or none are added.
        AuthorizeSecurityGroupIngress: Change, WRITE, [GroupId(required), IpPermissions(required)];
        /// `{SecurityGroupRules: [SecurityGroupRule]}`, those added.
        AuthorizeSecurityGroupEgress: Change, WRITE, [GroupId(required), IpPermissions(required)];
        /// `{}`
        RevokeSecurityGroupIngress: Remove, WRITE, [GroupId(required), IpPermissions(required)] {
            // A rule is not gone because its group is not known yet.
            "InvalidGroup.NotFound" => NotYet,
        };
        /// `{}`
        RevokeSecurityGroupEgress: Remove, WRITE, [GroupId(required), IpPermissions(required)] {
            // A rule is not gone because its group is not known yet.
            "InvalidGroup.NotFound" => NotYet,
        };

        /// `{Instances: [Instance]}`. `NetworkInterfaces` is `[{DeviceIndex, SubnetId, Groups [text],
        /// AssociatePublicIpAddress, DeleteOnTermination}]`; `BlockDeviceMappings` is `[{DeviceName, VolumeSize?,
        /// VolumeType, Encrypted, DeleteOnTermination}]`; `MetadataOptions` is `{HttpTokens, HttpPutResponseHopLimit,
        /// HttpEndpoint}`; `UserData` is plain text, which the driver encodes; `Tags` go on the instance and its volumes.
        RunInstances: Create(ClientToken), LAUNCH, [
            ImageId(required), InstanceType(required), MinCount(required), MaxCount(required),
            NetworkInterfaces(required), BlockDeviceMappings, MetadataOptions, UserData, ClientToken(required),
            Tags(required),
        ] {
            "IdempotentInstanceTerminated" => Spent,
            "IdempotentParameterMismatch" => SpentUnlessFound,
        };
        /// `{Instances: [Instance]}`
        DescribeInstances: Read, LIST, [InstanceIds, Filters];
        /// `{}`; one attribute a call: `InstanceType` or `Groups`.
        ModifyInstanceAttribute: Change, WRITE, [InstanceId(required), InstanceType, Groups];
        /// `{}`
        StopInstances: Change, WRITE, [InstanceIds(required)];
        /// `{}`
        StartInstances: Change, LAUNCH, [InstanceIds(required)];
        /// `{}`
        TerminateInstances: Remove, TERMINATE, [InstanceIds(required)];
        /// `{Volumes: [Volume]}`
        DescribeVolumes: Read, LIST, [VolumeIds, Filters];
        /// `{}`
        ModifyVolume: Change, WRITE, [VolumeId(required), Size(required)] {
            // The modification in progress is the one whose answer was lost.
            "IncorrectModificationState" lost => Done,
            "IncorrectState" lost => Done,
        };

        /// `{Tags: [{ResourceId, ResourceType, Key, Value}]}`; filters are `key`, `value`, `resource-id`, `resource-type` and
        /// `tag:KEY`.
        DescribeTags: Read, READ, [Filters];
        /// `{}`
        CreateTags: Change, TAGS, [Resources(required), Tags(required)];
        /// `{}`; `TagKeys` is a list of keys.
        DeleteTags: Change, TAGS, [Resources(required), TagKeys(required)];
    }
}
