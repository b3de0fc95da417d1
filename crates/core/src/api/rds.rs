//! Operations of RDS: parameters, effects, rate limits, and what its codes mean.
//!
//! # Reply objects
//! As [`super::ec2`] has them:
//!
//! | object | fields |
//! |---|---|
//! | `DBSubnetGroup` | DBSubnetGroupName, DBSubnetGroupDescription, VpcId, SubnetGroupStatus, SubnetIds \[text\], DBSubnetGroupArn |
//! | `DBInstance` | DBInstanceIdentifier, DbiResourceId, DBInstanceArn, DBInstanceClass, DBInstanceStatus, Engine, EngineVersion, MasterUsername, DBName, AllocatedStorage, MaxAllocatedStorage?, StorageType, StorageEncrypted, MultiAZ, PubliclyAccessible, AutoMinorVersionUpgrade, BackupRetentionPeriod, DeletionProtection, CopyTagsToSnapshot, EnabledCloudwatchLogsExports \[text\], sorted, PreferredMaintenanceWindow, AvailabilityZone?, DBSubnetGroupName, VpcId, VpcSecurityGroups \[{VpcSecurityGroupId, Status}\], Endpoint? {Address, Port, HostedZoneId?}, PendingModifiedValues {}, MasterUserSecret? {SecretArn, SecretStatus, KmsKeyId}, Tags |
//! | `DBSnapshot` | DBSnapshotIdentifier, DBInstanceIdentifier, DbiResourceId?, SnapshotType, Status (`creating`, `available` and others) |

use super::error::{Codes, ErrorClass};
use super::operation::{RateLimit, Service, operations};

/// Reads. AWS publishes no figures; ours are cautious.
pub const READ: RateLimit = RateLimit::new(Service::Rds, 0, 40, 10);
/// Calls that change something. AWS publishes no figures; ours are cautious.
pub const WRITE: RateLimit = RateLimit::new(Service::Rds, 1, 20, 2);

/// What a creation with tags needs besides its own action. At its first use in an account, RDS makes itself a role in the
/// name of the caller.
pub(super) const TAGGING_ACTIONS: &[&str] = &["iam:CreateServiceLinkedRole", "rds:AddTagsToResource"];

pub(super) const CODES: Codes = Codes {
    by_words: &[
        // RDS learns of EC2's subnets and security groups later than EC2 shows them, and has no code of its own for that.
        ("InvalidParameterValue", "Some input subnets in :[", ErrorClass::NotFound),
        ("InvalidParameterValue", "Invalid security group , groupId=", ErrorClass::NotFound),
    ],
    by_code: &[
        ("InsufficientDBInstanceCapacity", ErrorClass::Capacity),
        ("InstanceQuotaExceeded", ErrorClass::Quota),
        ("StorageQuotaExceeded", ErrorClass::Quota),
        ("InvalidDBSubnetGroupStateFault", ErrorClass::Conflict),
        ("InvalidDBInstanceState", ErrorClass::Conflict),
        ("InvalidDBInstanceStateFault", ErrorClass::Conflict),
        ("DBInstanceAlreadyExists", ErrorClass::AlreadyExists),
        ("DBInstanceAlreadyExistsFault", ErrorClass::AlreadyExists),
        ("DBSnapshotAlreadyExists", ErrorClass::AlreadyExists),
        ("DBSnapshotAlreadyExistsFault", ErrorClass::AlreadyExists),
        ("DBSubnetGroupAlreadyExists", ErrorClass::AlreadyExists),
        ("DBSubnetGroupAlreadyExistsFault", ErrorClass::AlreadyExists),
        ("DBInstanceNotFound", ErrorClass::NotFound),
        ("DBInstanceNotFoundFault", ErrorClass::NotFound),
        ("DBSnapshotNotFound", ErrorClass::NotFound),
        ("DBSnapshotNotFoundFault", ErrorClass::NotFound),
        ("DBSubnetGroupNotFoundFault", ErrorClass::NotFound),
    ],
};

operations! {
    /// Operations of RDS.
    Rds {
        /// `{DBSubnetGroup: DBSubnetGroup}`
        CreateDBSubnetGroup: Create(NaturalKey), WRITE, [
            DBSubnetGroupName(required), DBSubnetGroupDescription(required), SubnetIds(required), Tags(required),
        ];
        /// `{DBSubnetGroups: [DBSubnetGroup]}`
        DescribeDBSubnetGroups: Read, READ, [DBSubnetGroupName];
        /// `{DBSubnetGroup: DBSubnetGroup}`
        ModifyDBSubnetGroup: Change, WRITE, [DBSubnetGroupName(required), SubnetIds(required)];
        /// `{}`
        DeleteDBSubnetGroup: Remove, WRITE, [DBSubnetGroupName(required)];

        /// `{DBInstance: DBInstance}`
        CreateDBInstance: Create(NaturalKey), WRITE, [
            DBInstanceIdentifier(required), DBInstanceClass(required), Engine(required), EngineVersion,
            AllocatedStorage(required), MaxAllocatedStorage, StorageType, StorageEncrypted, DBName,
            MasterUsername(required), MasterUserPassword(secret), ManageMasterUserPassword(secret),
            DBSubnetGroupName(required), VpcSecurityGroupIds(required), PubliclyAccessible(required), MultiAZ,
            BackupRetentionPeriod, DeletionProtection, AutoMinorVersionUpgrade, CopyTagsToSnapshot,
            EnableCloudwatchLogsExports, Tags(required),
        ];
        /// `{DBInstances: [DBInstance]}`
        DescribeDBInstances: Read, READ, [DBInstanceIdentifier];
        /// `{DBInstance: DBInstance}`. `CloudwatchLogsExportConfiguration` is `{EnableLogTypes, DisableLogTypes}`.
        ModifyDBInstance: Change, WRITE, [
            DBInstanceIdentifier(required), DBInstanceClass, EngineVersion, AllocatedStorage, MaxAllocatedStorage,
            MasterUserPassword(secret), ManageMasterUserPassword(secret), VpcSecurityGroupIds, PubliclyAccessible,
            MultiAZ, BackupRetentionPeriod, DeletionProtection, CopyTagsToSnapshot,
            CloudwatchLogsExportConfiguration, ApplyImmediately(required),
        ];
        /// `{DBInstance: DBInstance}`
        DeleteDBInstance: Remove, WRITE, [
            DBInstanceIdentifier(required), SkipFinalSnapshot(required), FinalDBSnapshotIdentifier,
            DeleteAutomatedBackups,
        ];
        /// `{DBSnapshots: [DBSnapshot]}`; `SnapshotType` is `manual` for those that people ask for, final ones among them.
        DescribeDBSnapshots: Read, READ, [DBSnapshotIdentifier, SnapshotType];
        /// `{DBEngineVersions: [{EngineVersion, Status}]}`
        DescribeDBEngineVersions: Read, READ, [Engine(required), EngineVersion];
        /// `{}`
        AddTagsToResource: Change, WRITE, [ResourceName(required), Tags(required)];
        /// `{}`
        RemoveTagsFromResource: Change, WRITE, [ResourceName(required), TagKeys(required)];
        /// `{Tags}`
        ListTagsForResource: Read, READ, [ResourceName(required)];
    }
}
