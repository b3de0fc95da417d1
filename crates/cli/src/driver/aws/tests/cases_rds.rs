//! Calls about databases.

use aloka_core::api::{Operation as O, Rds};
use serde_json::{Value, json};

use super::cases::{Case, case};

const GROUP: &str = "<DBSubnetGroup><DBSubnetGroupName>web</DBSubnetGroupName>
    <DBSubnetGroupDescription>private subnets</DBSubnetGroupDescription><VpcId>vpc-1</VpcId>
    <SubnetGroupStatus>Complete</SubnetGroupStatus><Subnets>
    <Subnet><SubnetIdentifier>subnet-1</SubnetIdentifier><SubnetStatus>Active</SubnetStatus></Subnet>
    <Subnet><SubnetIdentifier>subnet-2</SubnetIdentifier><SubnetStatus>Active</SubnetStatus></Subnet></Subnets>
    <DBSubnetGroupArn>arn:aws:rds:us-east-1:111122223333:subgrp:web</DBSubnetGroupArn></DBSubnetGroup>";

fn group() -> Value {
    json!({
        "DBSubnetGroupName": "web", "DBSubnetGroupDescription": "private subnets", "VpcId": "vpc-1",
        "SubnetGroupStatus": "Complete", "SubnetIds": ["subnet-1", "subnet-2"],
        "DBSubnetGroupArn": "arn:aws:rds:us-east-1:111122223333:subgrp:web",
    })
}

/// As it is while it is being created, with changes pending.
const NEW: &str = "<DBInstance><DBInstanceIdentifier>db</DBInstanceIdentifier><DbiResourceId>db-ABC</DbiResourceId>
    <DBInstanceStatus>creating</DBInstanceStatus><Endpoint><Port>5432</Port></Endpoint><PendingModifiedValues>
    <DBInstanceClass>db.t3.small</DBInstanceClass><AllocatedStorage>30</AllocatedStorage>
    <MasterUserPassword>hunter2</MasterUserPassword><MultiAZ>true</MultiAZ><EngineVersion>17.2</EngineVersion>
    <BackupRetentionPeriod>7</BackupRetentionPeriod></PendingModifiedValues></DBInstance>";

fn new() -> Value {
    json!({"DBInstance": {
        "DBInstanceIdentifier": "db", "DbiResourceId": "db-ABC", "DBInstanceStatus": "creating",
        "VpcSecurityGroups": [], "EnabledCloudwatchLogsExports": [], "Tags": {},
        "PendingModifiedValues": {
            "DBInstanceClass": "db.t3.small", "AllocatedStorage": 30, "MultiAZ": true, "EngineVersion": "17.2",
            "BackupRetentionPeriod": 7,
        },
    }})
}

/// With a password that RDS keeps in Secrets Manager.
const MANAGED: &str = "<DBInstance><DBInstanceIdentifier>db</DBInstanceIdentifier><MasterUserSecret>
    <SecretArn>arn:aws:secretsmanager:us-east-1:111122223333:secret:rds!db-1-AbCdEf</SecretArn>
    <SecretStatus>creating</SecretStatus><KmsKeyId>arn:aws:kms:us-east-1:111122223333:key/1</KmsKeyId>
    </MasterUserSecret></DBInstance>";

fn managed() -> Value {
    json!({"DBInstance": {
        "DBInstanceIdentifier": "db", "VpcSecurityGroups": [], "EnabledCloudwatchLogsExports": [], "Tags": {},
        "PendingModifiedValues": {},
        "MasterUserSecret": {
            "SecretArn": "arn:aws:secretsmanager:us-east-1:111122223333:secret:rds!db-1-AbCdEf",
            "SecretStatus": "creating", "KmsKeyId": "arn:aws:kms:us-east-1:111122223333:key/1",
        },
    }})
}

/// While its logs are turned on and off. RDS gives lists in no order.
const LOGS: &str = "<DBInstance><DBInstanceIdentifier>db</DBInstanceIdentifier>
    <CopyTagsToSnapshot>true</CopyTagsToSnapshot><EnabledCloudwatchLogsExports><member>upgrade</member>
    <member>postgresql</member></EnabledCloudwatchLogsExports><PendingModifiedValues><PendingCloudwatchLogsExports>
    <LogTypesToEnable><member>iam-db-auth-error</member></LogTypesToEnable>
    <LogTypesToDisable><member>upgrade</member><member>postgresql</member></LogTypesToDisable>
    </PendingCloudwatchLogsExports></PendingModifiedValues></DBInstance>";

fn logs() -> Value {
    json!({"DBInstance": {
        "DBInstanceIdentifier": "db", "VpcSecurityGroups": [], "Tags": {}, "CopyTagsToSnapshot": true,
        "EnabledCloudwatchLogsExports": ["postgresql", "upgrade"],
        "PendingModifiedValues": {"PendingCloudwatchLogsExports": {
            "LogTypesToEnable": ["iam-db-auth-error"], "LogTypesToDisable": ["postgresql", "upgrade"],
        }},
    }})
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases = vec![
        case(
            O::Rds(Rds::CreateDBSubnetGroup),
            json!({
                "DBSubnetGroupName": "web", "DBSubnetGroupDescription": "private subnets",
                "SubnetIds": ["subnet-1", "subnet-2"], "Tags": {"Name": "web"},
            }),
            &[
                "DBSubnetGroupName=web",
                "DBSubnetGroupDescription=private subnets",
                "SubnetIds.SubnetIdentifier.1=subnet-1",
                "SubnetIds.SubnetIdentifier.2=subnet-2",
                "Tags.Tag.1.Key=Name",
                "Tags.Tag.1.Value=web",
            ],
            GROUP,
            json!({"DBSubnetGroup": group()}),
        ),
        case(
            O::Rds(Rds::DescribeDBSubnetGroups),
            json!({"DBSubnetGroupName": "web"}),
            &["DBSubnetGroupName=web"],
            format!("<DBSubnetGroups>{GROUP}</DBSubnetGroups>"),
            json!({"DBSubnetGroups": [group()]}),
        ),
        case(
            O::Rds(Rds::ModifyDBSubnetGroup),
            json!({"DBSubnetGroupName": "web", "SubnetIds": ["subnet-1", "subnet-2"]}),
            &[
                "DBSubnetGroupName=web",
                "SubnetIds.SubnetIdentifier.1=subnet-1",
                "SubnetIds.SubnetIdentifier.2=subnet-2",
            ],
            GROUP,
            json!({"DBSubnetGroup": group()}),
        ),
        case(
            O::Rds(Rds::DeleteDBSubnetGroup),
            json!({"DBSubnetGroupName": "web"}),
            &["DBSubnetGroupName=web"],
            "",
            json!({}),
        ),
        case(
            O::Rds(Rds::DescribeDBEngineVersions),
            json!({"Engine": "postgres", "EngineVersion": "17"}),
            &["Engine=postgres", "EngineVersion=17"],
            "<DBEngineVersions><DBEngineVersion><Engine>postgres</Engine><EngineVersion>17.2</EngineVersion>
                <Status>available</Status></DBEngineVersion><DBEngineVersion><EngineVersion>17.1</EngineVersion>
                <Status>deprecated</Status></DBEngineVersion></DBEngineVersions>",
            json!({"DBEngineVersions": [
                {"EngineVersion": "17.2", "Status": "available"},
                {"EngineVersion": "17.1", "Status": "deprecated"},
            ]}),
        ),
        case(
            O::Rds(Rds::AddTagsToResource),
            json!({"ResourceName": "arn:aws:rds:us-east-1:111122223333:db:db", "Tags": {"a": "1", "b": ""}}),
            &[
                "ResourceName=arn:aws:rds:us-east-1:111122223333:db:db",
                "Tags.Tag.1.Key=a",
                "Tags.Tag.1.Value=1",
                "Tags.Tag.2.Key=b",
                "Tags.Tag.2.Value=",
            ],
            "",
            json!({}),
        ),
        case(
            O::Rds(Rds::RemoveTagsFromResource),
            json!({"ResourceName": "arn:aws:rds:us-east-1:111122223333:db:db", "TagKeys": ["a", "b"]}),
            &["ResourceName=arn:aws:rds:us-east-1:111122223333:db:db", "TagKeys.member.1=a", "TagKeys.member.2=b"],
            "",
            json!({}),
        ),
        case(
            O::Rds(Rds::ListTagsForResource),
            json!({"ResourceName": "arn:aws:rds:us-east-1:111122223333:db:db"}),
            &["ResourceName=arn:aws:rds:us-east-1:111122223333:db:db"],
            "<TagList><Tag><Key>a</Key><Value>1</Value></Tag><Tag><Key>b</Key><Value></Value></Tag></TagList>",
            json!({"Tags": {"a": "1", "b": ""}}),
        ),
    ];
    cases.extend(instances());
    cases
}

fn instances() -> Vec<Case> {
    let list = format!(
        "<DBInstances><DBInstance><DBInstanceIdentifier>db</DBInstanceIdentifier><DbiResourceId>db-ABC</DbiResourceId>
            <DBInstanceArn>arn:aws:rds:us-east-1:111122223333:db:db</DBInstanceArn>
            <DBInstanceClass>db.t3.micro</DBInstanceClass><DBInstanceStatus>available</DBInstanceStatus>
            <Engine>postgres</Engine><EngineVersion>17.1</EngineVersion><MasterUsername>app</MasterUsername>
            <DBName>web</DBName><AllocatedStorage>20</AllocatedStorage>
            <MaxAllocatedStorage>100</MaxAllocatedStorage><StorageType>gp3</StorageType>
            <StorageEncrypted>true</StorageEncrypted><MultiAZ>false</MultiAZ>
            <PubliclyAccessible>false</PubliclyAccessible><AutoMinorVersionUpgrade>true</AutoMinorVersionUpgrade>
            <BackupRetentionPeriod>0</BackupRetentionPeriod><DeletionProtection>false</DeletionProtection>
            <CopyTagsToSnapshot>false</CopyTagsToSnapshot><EnabledCloudwatchLogsExports><member>postgresql</member>
            </EnabledCloudwatchLogsExports><AvailabilityZone>us-east-1a</AvailabilityZone>{GROUP}<VpcSecurityGroups><VpcSecurityGroupMembership>
            <VpcSecurityGroupId>sg-1</VpcSecurityGroupId><Status>adding</Status></VpcSecurityGroupMembership>
            <VpcSecurityGroupMembership><VpcSecurityGroupId>sg-2</VpcSecurityGroupId><Status>removing</Status>
            </VpcSecurityGroupMembership></VpcSecurityGroups><Endpoint><Address>db.abc.us-east-1.rds.amazonaws.com</Address><Port>5432</Port>
            <HostedZoneId>Z2R2ITUGPM61AM</HostedZoneId></Endpoint><PendingModifiedValues/>
            <TagList><Tag><Key>Name</Key><Value>db</Value></Tag></TagList></DBInstance></DBInstances>"
    );
    vec![
        case(
            O::Rds(Rds::CreateDBInstance),
            json!({
                "DBInstanceIdentifier": "db", "DBInstanceClass": "db.t3.micro", "Engine": "postgres",
                "EngineVersion": "17.1", "AllocatedStorage": 20, "MaxAllocatedStorage": 100, "StorageType": "gp3",
                "StorageEncrypted": true, "DBName": "web", "MasterUsername": "app", "MasterUserPassword": {"$secret": "db_password"},
                "DBSubnetGroupName": "web", "VpcSecurityGroupIds": ["sg-1", "sg-2"], "PubliclyAccessible": false,
                "MultiAZ": false, "BackupRetentionPeriod": 0, "DeletionProtection": true,
                "AutoMinorVersionUpgrade": false, "CopyTagsToSnapshot": true,
                "EnableCloudwatchLogsExports": ["postgresql", "upgrade"], "Tags": {"Name": "db"},
            }),
            &[
                "DBInstanceIdentifier=db",
                "DBInstanceClass=db.t3.micro",
                "Engine=postgres",
                "EngineVersion=17.1",
                "AllocatedStorage=20",
                "MaxAllocatedStorage=100",
                "StorageType=gp3",
                "StorageEncrypted=true",
                "DBName=web",
                "MasterUsername=app",
                "MasterUserPassword=p4ss&word/=+",
                "DBSubnetGroupName=web",
                "VpcSecurityGroupIds.VpcSecurityGroupId.1=sg-1",
                "VpcSecurityGroupIds.VpcSecurityGroupId.2=sg-2",
                "PubliclyAccessible=false",
                "MultiAZ=false",
                "BackupRetentionPeriod=0",
                "DeletionProtection=true",
                "AutoMinorVersionUpgrade=false",
                "CopyTagsToSnapshot=true",
                "EnableCloudwatchLogsExports.member.1=postgresql",
                "EnableCloudwatchLogsExports.member.2=upgrade",
                "Tags.Tag.1.Key=Name",
                "Tags.Tag.1.Value=db",
            ],
            NEW,
            new(),
        ),
        case(
            O::Rds(Rds::DescribeDBInstances),
            json!({"DBInstanceIdentifier": "db"}),
            &["DBInstanceIdentifier=db"],
            list,
            json!({"DBInstances": [{
                "DBInstanceIdentifier": "db", "DbiResourceId": "db-ABC",
                "DBInstanceArn": "arn:aws:rds:us-east-1:111122223333:db:db", "DBInstanceClass": "db.t3.micro",
                "DBInstanceStatus": "available", "Engine": "postgres", "EngineVersion": "17.1", "MasterUsername": "app",
                "DBName": "web", "AllocatedStorage": 20, "MaxAllocatedStorage": 100, "StorageType": "gp3",
                "StorageEncrypted": true, "MultiAZ": false, "PubliclyAccessible": false, "AutoMinorVersionUpgrade": true,
                "BackupRetentionPeriod": 0, "DeletionProtection": false, "AvailabilityZone": "us-east-1a",
                "CopyTagsToSnapshot": false, "EnabledCloudwatchLogsExports": ["postgresql"],
                "DBSubnetGroupName": "web", "VpcId": "vpc-1", "VpcSecurityGroups": [
                    {"VpcSecurityGroupId": "sg-1", "Status": "adding"},
                    {"VpcSecurityGroupId": "sg-2", "Status": "removing"},
                ],
                "Endpoint": {
                    "Address": "db.abc.us-east-1.rds.amazonaws.com", "Port": 5432, "HostedZoneId": "Z2R2ITUGPM61AM",
                },
                "PendingModifiedValues": {}, "Tags": {"Name": "db"},
            }]}),
        ),
        case(
            O::Rds(Rds::ModifyDBInstance),
            json!({
                "DBInstanceIdentifier": "db", "DBInstanceClass": "db.t3.small", "EngineVersion": "17.2",
                "AllocatedStorage": 30, "MaxAllocatedStorage": 40, "MasterUserPassword": {"$secret": "db_password"}, "VpcSecurityGroupIds": ["sg-2"],
                "PubliclyAccessible": true, "MultiAZ": true, "BackupRetentionPeriod": 7, "DeletionProtection": false,
                "ApplyImmediately": true,
            }),
            &[
                "DBInstanceIdentifier=db",
                "DBInstanceClass=db.t3.small",
                "EngineVersion=17.2",
                "AllocatedStorage=30",
                "MaxAllocatedStorage=40",
                "MasterUserPassword=p4ss&word/=+",
                "VpcSecurityGroupIds.VpcSecurityGroupId.1=sg-2",
                "PubliclyAccessible=true",
                "MultiAZ=true",
                "BackupRetentionPeriod=7",
                "DeletionProtection=false",
                "ApplyImmediately=true",
            ],
            NEW,
            new(),
        ),
        case(
            O::Rds(Rds::CreateDBInstance),
            json!({
                "DBInstanceIdentifier": "db", "DBInstanceClass": "db.t3.micro", "Engine": "postgres",
                "AllocatedStorage": 20, "MasterUsername": "app", "ManageMasterUserPassword": true,
                "DBSubnetGroupName": "web", "VpcSecurityGroupIds": ["sg-1"], "PubliclyAccessible": false, "Tags": {},
            }),
            &[
                "DBInstanceIdentifier=db",
                "DBInstanceClass=db.t3.micro",
                "Engine=postgres",
                "AllocatedStorage=20",
                "MasterUsername=app",
                "ManageMasterUserPassword=true",
                "DBSubnetGroupName=web",
                "VpcSecurityGroupIds.VpcSecurityGroupId.1=sg-1",
                "PubliclyAccessible=false",
                "Tags=",
            ],
            MANAGED,
            managed(),
        ),
        case(
            O::Rds(Rds::ModifyDBInstance),
            json!({"DBInstanceIdentifier": "db", "ManageMasterUserPassword": true, "ApplyImmediately": true}),
            &["DBInstanceIdentifier=db", "ManageMasterUserPassword=true", "ApplyImmediately=true"],
            MANAGED,
            managed(),
        ),
        case(
            O::Rds(Rds::ModifyDBInstance),
            json!({
                "DBInstanceIdentifier": "db", "CopyTagsToSnapshot": true, "CloudwatchLogsExportConfiguration": {
                    "EnableLogTypes": ["iam-db-auth-error"], "DisableLogTypes": ["postgresql", "upgrade"],
                }, "ApplyImmediately": true,
            }),
            &[
                "DBInstanceIdentifier=db",
                "CopyTagsToSnapshot=true",
                "CloudwatchLogsExportConfiguration.EnableLogTypes.member.1=iam-db-auth-error",
                "CloudwatchLogsExportConfiguration.DisableLogTypes.member.1=postgresql",
                "CloudwatchLogsExportConfiguration.DisableLogTypes.member.2=upgrade",
                "ApplyImmediately=true",
            ],
            LOGS,
            logs(),
        ),
        case(
            O::Rds(Rds::DescribeDBSnapshots),
            json!({"SnapshotType": "manual"}),
            &["SnapshotType=manual"],
            "<DBSnapshots><DBSnapshot><DBSnapshotIdentifier>db-final</DBSnapshotIdentifier>
            <DBInstanceIdentifier>db</DBInstanceIdentifier><DbiResourceId>db-ABC</DbiResourceId><Engine>postgres</Engine>
            <SnapshotType>manual</SnapshotType><Status>creating</Status><PercentProgress>0</PercentProgress></DBSnapshot>
            <DBSnapshot><DBSnapshotIdentifier>other</DBSnapshotIdentifier></DBSnapshot></DBSnapshots>",
            json!({"DBSnapshots": [
                {
                    "DBSnapshotIdentifier": "db-final", "DBInstanceIdentifier": "db", "DbiResourceId": "db-ABC",
                    "SnapshotType": "manual", "Status": "creating",
                },
                {"DBSnapshotIdentifier": "other"},
            ]}),
        ),
        case(
            O::Rds(Rds::DescribeDBSnapshots),
            json!({"DBSnapshotIdentifier": "db-final"}),
            &["DBSnapshotIdentifier=db-final"],
            "<DBSnapshots/>",
            json!({"DBSnapshots": []}),
        ),
        case(
            O::Rds(Rds::DeleteDBInstance),
            json!({
                "DBInstanceIdentifier": "db", "SkipFinalSnapshot": false, "FinalDBSnapshotIdentifier": "db-final",
                "DeleteAutomatedBackups": true,
            }),
            &[
                "DBInstanceIdentifier=db",
                "SkipFinalSnapshot=false",
                "FinalDBSnapshotIdentifier=db-final",
                "DeleteAutomatedBackups=true",
            ],
            NEW,
            new(),
        ),
    ]
}
