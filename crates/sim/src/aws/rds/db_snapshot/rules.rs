//! Rules of DB snapshots: what a deletion makes of an instance, and what lists it.

use crate::rules::macros::rules;

rules! {
    TAKEN: "db-snapshot.identifier-taken" Refusal [Rds::DeleteDBInstance] "DBSnapshotAlreadyExists" => "Cannot create the snapshot because a snapshot with the identifier {} already exists.";
        "no two snapshots share a name; final ones outlive their instance"; [Recorded, ServiceModel];
    QUOTA: "db-snapshot.quota" Quota [Rds::DeleteDBInstance] "SnapshotQuotaExceeded" => "The request would result in the user exceeding the allowed number of DB snapshots.";
        "an account has 100 snapshots of its own in a Region by default, final ones included"; [ServiceModel, Documentation];
    NOT_FOUND: "db-snapshot.exists" Refusal [Rds::DescribeDBSnapshots] "DBSnapshotNotFound" 404 => "DBSnapshot {} not found.";
        "a call that names a snapshot needs it to exist"; [ServiceModel];
    TYPE: "db-snapshot.type" Unmodelled [Rds::DescribeDBSnapshots] "InvalidParameterValue" => "Snapshots of type {} are not simulated, only manual and automated ones";
        "snapshots are listed that were asked for, or that RDS took; nobody shares one here, and RDS took none"; [Simulator];
    LISTED: "db-snapshot.listed" Transition [Rds::DescribeDBSnapshots];
        "a final snapshot is creating while its instance is deleting, then available, and outlives it"; [UserGuide, Experience];
}
