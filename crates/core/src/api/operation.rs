//! The table of operations: service, parameters, idempotency, rate limit, IAM actions.
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
//! | `RouteTable` | RouteTableId, VpcId, OwnerId, Routes [{DestinationCidrBlock, GatewayId?, NatGatewayId?, State, Origin}], Associations [{RouteTableAssociationId, RouteTableId, SubnetId?, Main, State}], Tags |
//! | `NetworkInterface` | NetworkInterfaceId, SubnetId, VpcId, AvailabilityZone, Status (`available`, `in-use`, and others between), Description?, InterfaceType (`interface`, `nat_gateway` or another), RequesterManaged, OwnerId, PrivateIpAddress, Groups [{GroupId, GroupName?}], Attachment? {AttachmentId, InstanceId?, InstanceOwnerId, DeleteOnTermination, Status}, Association? {PublicIp, AllocationId?}, Tags |
//! | `VpcEndpoint` | VpcEndpointId, VpcEndpointType (`Interface`, `Gateway` or another), VpcId, ServiceName?, State (`available` and others; as AWS writes them, also with a capital), OwnerId, Tags |
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
//! | `DBSubnetGroup` | DBSubnetGroupName, DBSubnetGroupDescription, VpcId, SubnetGroupStatus, SubnetIds \[text\], DBSubnetGroupArn |
//! | `DBInstance` | DBInstanceIdentifier, DbiResourceId, DBInstanceArn, DBInstanceClass, DBInstanceStatus, Engine, EngineVersion, MasterUsername, DBName, AllocatedStorage, MaxAllocatedStorage?, StorageType, StorageEncrypted, MultiAZ, PubliclyAccessible, AutoMinorVersionUpgrade, BackupRetentionPeriod, DeletionProtection, CopyTagsToSnapshot, EnabledCloudwatchLogsExports \[text\], sorted, PreferredMaintenanceWindow, AvailabilityZone?, DBSubnetGroupName, VpcId, VpcSecurityGroups \[{VpcSecurityGroupId, Status}\], Endpoint? {Address, Port, HostedZoneId?}, PendingModifiedValues {}, MasterUserSecret? {SecretArn, SecretStatus, KmsKeyId}, Tags |
//! | `DBSnapshot` | DBSnapshotIdentifier, DBInstanceIdentifier, DbiResourceId?, SnapshotType, Status (`creating`, `available` and others) |
//!
//! `?` marks a field that may be absent. Instances are a flat list, without reservations. The tags of `DescribeTags` are
//! a list of their own, `{ResourceId, ResourceType, Key, Value}` each, as a filter may let some tags of an object pass and
//! others not.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An AWS service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Service {
    /// Elastic Compute Cloud, with VPC.
    Ec2,
    /// Relational Database Service.
    Rds,
    /// Systems Manager, for public parameters.
    Ssm,
    /// Security Token Service.
    Sts,
}

impl Service {
    /// The prefix of IAM actions and printed calls.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Ec2 => "ec2",
            Self::Rds => "rds",
            Self::Ssm => "ssm",
            Self::Sts => "sts",
        }
    }
}

/// How a call whose outcome is unknown is made good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Idempotency {
    /// Changes nothing.
    Read,
    /// Sent again with the same client token, AWS answers with the same object.
    ClientToken,
    /// A name makes the object unique: read it, then decide.
    NaturalKey,
    /// Only our tags tell: wait until a creation would be visible, look it up by tag, adopt or create.
    Tagged,
    /// Sent again; the answer "already so" is success.
    Idempotent,
}

/// A token bucket that AWS keeps per account and Region (aws-behaviour.md, 1.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Bucket {
    /// EC2 Describe and Get calls.
    Ec2Read,
    /// EC2 reads of instances, security groups and volumes. AWS allows fewer of those that are neither filtered nor
    /// paginated, and does not say that to name identifiers is to filter.
    Ec2List,
    /// EC2 calls that change something.
    Ec2Write,
    /// RunInstances and StartInstances.
    Ec2Launch,
    /// TerminateInstances.
    Ec2Terminate,
    /// CreateNatGateway and DeleteNatGateway.
    Ec2Nat,
    /// CreateTags and DeleteTags.
    Ec2Tags,
    /// RDS reads. AWS publishes no figures; ours are cautious.
    RdsRead,
    /// RDS calls that change something. AWS publishes no figures; ours are cautious.
    RdsWrite,
    /// SSM and STS calls. Cautious.
    Other,
}

impl Bucket {
    /// Every bucket.
    pub const ALL: [Self; 10] = [
        Self::Ec2Read,
        Self::Ec2List,
        Self::Ec2Write,
        Self::Ec2Launch,
        Self::Ec2Terminate,
        Self::Ec2Nat,
        Self::Ec2Tags,
        Self::RdsRead,
        Self::RdsWrite,
        Self::Other,
    ];

    /// Most calls at once, and calls per second after that: AWS's own figures.
    pub const fn limits(self) -> (u32, u32) {
        match self {
            Self::Ec2Read => (100, 20),
            Self::Ec2List => (50, 10),
            Self::Ec2Write => (50, 5),
            Self::Ec2Launch => (5, 2),
            Self::Ec2Terminate => (100, 5),
            Self::Ec2Nat => (10, 1),
            Self::Ec2Tags => (100, 10),
            Self::RdsRead | Self::Other => (40, 10),
            Self::RdsWrite => (20, 2),
        }
    }
}

/// A parameter of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// AWS's name for it (tags and filters simplified, see [`super`]).
    pub name: &'static str,
    /// A call without it is refused by [`super::Call::check`].
    pub required: bool,
}

struct Spec {
    name: &'static str,
    service: Service,
    idempotency: Idempotency,
    bucket: Bucket,
    parameters: &'static [Parameter],
}

macro_rules! required {
    () => {
        false
    };
    (required) => {
        true
    };
}

/// Builds the enum and its table.
macro_rules! operations {
    ($($(#[$doc:meta])* $name:ident $service:ident $idempotency:ident $bucket:ident [$($parameter:ident $(($required:ident))?),* $(,)?];)*) => {
        /// An AWS operation aloka may send. There are no others.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Operation {
            $($(#[$doc])* $name,)*
        }

        impl Operation {
            /// Every operation.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            const fn spec(self) -> Spec {
                match self {
                    $(Self::$name => Spec {
                        name: stringify!($name),
                        service: Service::$service,
                        idempotency: Idempotency::$idempotency,
                        bucket: Bucket::$bucket,
                        parameters: const { &[$(
                            Parameter { name: stringify!($parameter), required: required!($($required)?) },
                        )*] },
                    },)*
                }
            }
        }
    };
}

operations! {
    /// `{Account, Arn, UserId}`
    GetCallerIdentity Sts Read Other [];
    /// `{Name, Value}`
    GetParameter Ssm Read Other [Name(required)];
    /// `{AvailabilityZones: [{ZoneName, ZoneId, State, ZoneType?, OptInStatus?}]}`
    DescribeAvailabilityZones Ec2 Read Ec2Read [Filters];
    /// `{InstanceTypeOfferings: [{InstanceType, Location}]}`; `LocationType` is `availability-zone`.
    DescribeInstanceTypeOfferings Ec2 Read Ec2Read [LocationType(required), Filters];
    /// `{Images: [Image]}`
    DescribeImages Ec2 Read Ec2Read [ImageIds(required)];

    /// `{Vpc: Vpc}`
    CreateVpc Ec2 Tagged Ec2Write [CidrBlock(required), InstanceTenancy, Tags(required)];
    /// `{Vpcs: [Vpc]}`
    DescribeVpcs Ec2 Read Ec2Read [VpcIds, Filters];
    /// `{VpcId, EnableDnsSupport?, EnableDnsHostnames?}`, plain truth values; `Attribute` is `enableDnsSupport` or
    /// `enableDnsHostnames`.
    DescribeVpcAttribute Ec2 Read Ec2Read [VpcId(required), Attribute(required)];
    /// `{}`; one attribute a call.
    ModifyVpcAttribute Ec2 Idempotent Ec2Write [VpcId(required), EnableDnsSupport, EnableDnsHostnames];
    /// `{}`
    DeleteVpc Ec2 Idempotent Ec2Write [VpcId(required)];

    /// `{Subnet: Subnet}`
    CreateSubnet Ec2 NaturalKey Ec2Write [VpcId(required), CidrBlock(required), AvailabilityZone, Tags(required)];
    /// `{Subnets: [Subnet]}`
    DescribeSubnets Ec2 Read Ec2Read [SubnetIds, Filters];
    /// `{}`
    DeleteSubnet Ec2 Idempotent Ec2Write [SubnetId(required)];

    /// `{InternetGateway: InternetGateway}`
    CreateInternetGateway Ec2 Tagged Ec2Write [Tags(required)];
    /// `{InternetGateways: [InternetGateway]}`
    DescribeInternetGateways Ec2 Read Ec2Read [InternetGatewayIds, Filters];
    /// `{}`
    AttachInternetGateway Ec2 Idempotent Ec2Write [InternetGatewayId(required), VpcId(required)];
    /// `{}`
    DetachInternetGateway Ec2 Idempotent Ec2Write [InternetGatewayId(required), VpcId(required)];
    /// `{}`
    DeleteInternetGateway Ec2 Idempotent Ec2Write [InternetGatewayId(required)];

    /// `{AllocationId, PublicIp, Domain, PublicIpv4Pool?, NetworkBorderGroup?}`
    AllocateAddress Ec2 Tagged Ec2Write [Domain(required), Tags(required)];
    /// `{Addresses: [Address]}`
    DescribeAddresses Ec2 Read Ec2Read [AllocationIds, Filters];
    /// `{}`
    ReleaseAddress Ec2 Idempotent Ec2Write [AllocationId(required)];

    /// `{NatGateway: NatGateway}`
    CreateNatGateway Ec2 ClientToken Ec2Nat [SubnetId(required), AllocationId(required), ConnectivityType, ClientToken(required), Tags(required)];
    /// `{NatGateways: [NatGateway]}`
    DescribeNatGateways Ec2 Read Ec2Read [NatGatewayIds, Filters];
    /// `{NatGatewayId}`
    DeleteNatGateway Ec2 Idempotent Ec2Nat [NatGatewayId(required)];

    /// `{RouteTable: RouteTable}`
    CreateRouteTable Ec2 ClientToken Ec2Write [VpcId(required), ClientToken(required), Tags(required)];
    /// `{RouteTables: [RouteTable]}`
    DescribeRouteTables Ec2 Read Ec2Read [RouteTableIds, Filters];
    /// `{}`
    DeleteRouteTable Ec2 Idempotent Ec2Write [RouteTableId(required)];
    /// `{}`
    CreateRoute Ec2 Idempotent Ec2Write [RouteTableId(required), DestinationCidrBlock(required), GatewayId, NatGatewayId];
    /// `{}`
    ReplaceRoute Ec2 Idempotent Ec2Write [RouteTableId(required), DestinationCidrBlock(required), GatewayId, NatGatewayId];
    /// `{}`
    DeleteRoute Ec2 Idempotent Ec2Write [RouteTableId(required), DestinationCidrBlock(required)];
    /// `{AssociationId}`
    AssociateRouteTable Ec2 Idempotent Ec2Write [RouteTableId(required), SubnetId(required)];
    /// `{NewAssociationId}`
    ReplaceRouteTableAssociation Ec2 Idempotent Ec2Write [AssociationId(required), RouteTableId(required)];
    /// `{}`
    DisassociateRouteTable Ec2 Idempotent Ec2Write [AssociationId(required)];

    /// `{NetworkInterfaces: [NetworkInterface]}`
    DescribeNetworkInterfaces Ec2 Read Ec2Read [NetworkInterfaceIds, Filters];

    /// `{VpcEndpoints: [VpcEndpoint]}`
    DescribeVpcEndpoints Ec2 Read Ec2Read [Filters];
    /// `{VpcPeeringConnections: [VpcPeeringConnection]}`; they have no filter `vpc-id`, but one for each end.
    DescribeVpcPeeringConnections Ec2 Read Ec2Read [Filters];
    /// `{VpnGateways: [VpnGateway]}`; their filter is `attachment.vpc-id`.
    DescribeVpnGateways Ec2 Read Ec2Read [Filters];
    /// `{NetworkAcls: [NetworkAcl]}`
    DescribeNetworkAcls Ec2 Read Ec2Read [Filters];
    /// `{EgressOnlyInternetGateways: [EgressOnlyInternetGateway]}`; they have no filters but those on tags.
    DescribeEgressOnlyInternetGateways Ec2 Read Ec2Read [Filters];

    /// `{GroupId}`
    CreateSecurityGroup Ec2 NaturalKey Ec2Write [GroupName(required), Description(required), VpcId(required), Tags(required)];
    /// `{SecurityGroups: [SecurityGroup]}`
    DescribeSecurityGroups Ec2 Read Ec2List [GroupIds, Filters];
    /// `{}`
    DeleteSecurityGroup Ec2 Idempotent Ec2Write [GroupId(required)];
    /// `{SecurityGroupRules: [SecurityGroupRule]}`, those added; `IpPermissions` is a list of permissions as in the reply
    /// objects; all or none are added.
    AuthorizeSecurityGroupIngress Ec2 Idempotent Ec2Write [GroupId(required), IpPermissions(required)];
    /// `{SecurityGroupRules: [SecurityGroupRule]}`, those added.
    AuthorizeSecurityGroupEgress Ec2 Idempotent Ec2Write [GroupId(required), IpPermissions(required)];
    /// `{}`
    RevokeSecurityGroupIngress Ec2 Idempotent Ec2Write [GroupId(required), IpPermissions(required)];
    /// `{}`
    RevokeSecurityGroupEgress Ec2 Idempotent Ec2Write [GroupId(required), IpPermissions(required)];

    /// `{Instances: [Instance]}`. `NetworkInterfaces` is `[{DeviceIndex, SubnetId, Groups [text],
    /// AssociatePublicIpAddress, DeleteOnTermination}]`; `BlockDeviceMappings` is `[{DeviceName, VolumeSize?,
    /// VolumeType, Encrypted, DeleteOnTermination}]`; `MetadataOptions` is `{HttpTokens, HttpPutResponseHopLimit,
    /// HttpEndpoint}`; `UserData` is plain text, which the driver encodes; `Tags` go on the instance and its volumes.
    RunInstances Ec2 ClientToken Ec2Launch [
        ImageId(required), InstanceType(required), MinCount(required), MaxCount(required), NetworkInterfaces(required), BlockDeviceMappings, MetadataOptions,
        UserData, ClientToken(required), Tags(required),
    ];
    /// `{Instances: [Instance]}`
    DescribeInstances Ec2 Read Ec2List [InstanceIds, Filters];
    /// `{}`; one attribute a call: `InstanceType` or `Groups`.
    ModifyInstanceAttribute Ec2 Idempotent Ec2Write [InstanceId(required), InstanceType, Groups];
    /// `{}`
    StopInstances Ec2 Idempotent Ec2Write [InstanceIds(required)];
    /// `{}`
    StartInstances Ec2 Idempotent Ec2Launch [InstanceIds(required)];
    /// `{}`
    TerminateInstances Ec2 Idempotent Ec2Terminate [InstanceIds(required)];
    /// `{Volumes: [Volume]}`
    DescribeVolumes Ec2 Read Ec2List [VolumeIds, Filters];
    /// `{}`
    ModifyVolume Ec2 Idempotent Ec2Write [VolumeId(required), Size(required)];

    /// `{Tags: [{ResourceId, ResourceType, Key, Value}]}`; filters are `key`, `value`, `resource-id`, `resource-type` and
    /// `tag:KEY`.
    DescribeTags Ec2 Read Ec2Read [Filters];
    /// `{}`
    CreateTags Ec2 Idempotent Ec2Tags [Resources(required), Tags(required)];
    /// `{}`; `TagKeys` is a list of keys.
    DeleteTags Ec2 Idempotent Ec2Tags [Resources(required), TagKeys(required)];

    /// `{DBSubnetGroup: DBSubnetGroup}`
    CreateDBSubnetGroup Rds NaturalKey RdsWrite [DBSubnetGroupName(required), DBSubnetGroupDescription(required), SubnetIds(required), Tags(required)];
    /// `{DBSubnetGroups: [DBSubnetGroup]}`
    DescribeDBSubnetGroups Rds Read RdsRead [DBSubnetGroupName];
    /// `{DBSubnetGroup: DBSubnetGroup}`
    ModifyDBSubnetGroup Rds Idempotent RdsWrite [DBSubnetGroupName(required), SubnetIds(required)];
    /// `{}`
    DeleteDBSubnetGroup Rds Idempotent RdsWrite [DBSubnetGroupName(required)];

    /// `{DBInstance: DBInstance}`
    CreateDBInstance Rds NaturalKey RdsWrite [
        DBInstanceIdentifier(required), DBInstanceClass(required), Engine(required), EngineVersion, AllocatedStorage(required), MaxAllocatedStorage, StorageType,
        StorageEncrypted, DBName, MasterUsername(required), MasterUserPassword, ManageMasterUserPassword, DBSubnetGroupName(required), VpcSecurityGroupIds(required),
        PubliclyAccessible(required), MultiAZ, BackupRetentionPeriod, DeletionProtection, AutoMinorVersionUpgrade,
        CopyTagsToSnapshot, EnableCloudwatchLogsExports, Tags(required),
    ];
    /// `{DBInstances: [DBInstance]}`
    DescribeDBInstances Rds Read RdsRead [DBInstanceIdentifier];
    /// `{DBInstance: DBInstance}`. `CloudwatchLogsExportConfiguration` is `{EnableLogTypes, DisableLogTypes}`.
    ModifyDBInstance Rds Idempotent RdsWrite [
        DBInstanceIdentifier(required), DBInstanceClass, EngineVersion, AllocatedStorage, MaxAllocatedStorage, MasterUserPassword,
        ManageMasterUserPassword,
        VpcSecurityGroupIds, PubliclyAccessible, MultiAZ, BackupRetentionPeriod, DeletionProtection, CopyTagsToSnapshot,
        CloudwatchLogsExportConfiguration, ApplyImmediately(required),
    ];
    /// `{DBInstance: DBInstance}`
    DeleteDBInstance Rds Idempotent RdsWrite [
        DBInstanceIdentifier(required), SkipFinalSnapshot(required), FinalDBSnapshotIdentifier, DeleteAutomatedBackups,
    ];
    /// `{DBSnapshots: [DBSnapshot]}`; `SnapshotType` is `manual` for those that people ask for, final ones among them.
    DescribeDBSnapshots Rds Read RdsRead [DBSnapshotIdentifier, SnapshotType];
    /// `{DBEngineVersions: [{EngineVersion, Status}]}`
    DescribeDBEngineVersions Rds Read RdsRead [Engine(required), EngineVersion];
    /// `{}`
    AddTagsToResource Rds Idempotent RdsWrite [ResourceName(required), Tags(required)];
    /// `{}`
    RemoveTagsFromResource Rds Idempotent RdsWrite [ResourceName(required), TagKeys(required)];
    /// `{Tags}`
    ListTagsForResource Rds Read RdsRead [ResourceName(required)];
}

impl Operation {
    /// AWS's name for it.
    pub const fn name(self) -> &'static str {
        self.spec().name
    }

    /// The service that answers it.
    pub const fn service(self) -> Service {
        self.spec().service
    }

    /// How an unknown outcome is made good.
    pub const fn idempotency(self) -> Idempotency {
        self.spec().idempotency
    }

    /// True if it may change something.
    pub const fn is_mutating(self) -> bool {
        !matches!(self.idempotency(), Idempotency::Read)
    }

    /// True if it makes an object that would be an orphan if its answer were lost.
    pub const fn is_creating(self) -> bool {
        matches!(self.idempotency(), Idempotency::ClientToken | Idempotency::NaturalKey | Idempotency::Tagged)
    }

    /// The bucket that limits it.
    pub const fn bucket(self) -> Bucket {
        self.spec().bucket
    }

    /// Its parameters.
    pub const fn parameters(self) -> &'static [Parameter] {
        self.spec().parameters
    }

    /// The IAM actions it needs (aws-behaviour.md, 4.2 and 4.3).
    pub fn iam_actions(self) -> Vec<String> {
        let own = self.to_string();
        let tagged = self.parameters().iter().any(|p| p.name == "Tags") && self.is_creating();
        match (tagged, self.service()) {
            (true, Service::Ec2) => vec!["ec2:CreateTags".to_owned(), own],
            // At its first use in an account, RDS makes itself a role in the name of the caller.
            (true, Service::Rds) => {
                vec!["iam:CreateServiceLinkedRole".to_owned(), "rds:AddTagsToResource".to_owned(), own]
            }
            (_, Service::Sts) => Vec::new(),
            (true | false, Service::Ec2 | Service::Rds | Service::Ssm) => vec![own],
        }
    }
}

/// `ec2:CreateVpc`
impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.service().prefix(), self.name())
    }
}

impl Serialize for Operation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Operation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        let name = text.split_once(':').map_or(&*text, |(_, name)| name);
        let known = Self::ALL.iter().copied().find(|operation| operation.name() == name);
        known.ok_or_else(|| serde::de::Error::custom(format!("unknown operation {text}")))
    }
}
