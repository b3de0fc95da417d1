//! What calls about databases need.

use aloka_core::api::{Operation, Rds};

use crate::aws::rds::need as rds;
use crate::iam::{Ask, Asks, Needs, ResourceType as T, condition};

pub(crate) const NEEDS: &[Asks] = &[
    (Operation::Rds(Rds::CreateDBInstance), &[Ask::By(create_db), Ask::By(rds::role)]),
    (Operation::Rds(Rds::DescribeDBInstances), &[Ask::By(|needs| rds::read(needs, T::Db, "DBInstanceIdentifier"))]),
    (Operation::Rds(Rds::ModifyDBInstance), &[Ask::Named(T::Db, "DBInstanceIdentifier"), Ask::By(managed_password)]),
    (Operation::Rds(Rds::DeleteDBInstance), &[Ask::Named(T::Db, "DBInstanceIdentifier"), Ask::By(final_snapshot)]),
];

fn create_db(needs: &mut Needs<'_>) {
    let request = needs.request;
    let mut keys = vec![
        ("rds:DatabaseClass", request.text("DBInstanceClass").to_owned()),
        ("rds:DatabaseEngine", request.text("Engine").to_owned()),
    ];
    keys.extend(condition("rds:DatabaseName", request.arg("DBName")));
    for (key, parameter) in [
        ("rds:MultiAz", "MultiAZ"),
        ("rds:StorageEncrypted", "StorageEncrypted"),
        ("rds:PubliclyAccessible", "PubliclyAccessible"),
        ("rds:ManageMasterUserPassword", "ManageMasterUserPassword"),
    ] {
        keys.push((key, request.arg(parameter).as_bool().unwrap_or(false).to_string()));
    }
    let name = request.text("DBInstanceIdentifier").to_ascii_lowercase();
    needs.create_named(T::Db, &name, keys);
    needs.named(T::DbSubnetGroup, "DBSubnetGroupName");
    // No group is asked for, so the defaults of the version are used.
    let major = needs.objects.engine_major(request.arg("EngineVersion").as_str());
    needs.existing(T::DbParameterGroup, &format!("default.postgres{major}"));
    needs.existing(T::DbOptionGroup, &format!("default:postgres-{major}"));
    managed_password(needs);
}

/// A final snapshot is an action of its own, on the snapshot and on the database.
fn final_snapshot(needs: &mut Needs<'_>) {
    if needs.request.arg("SkipFinalSnapshot").as_bool() == Some(true) {
        return;
    }
    for (kind, parameter) in [(T::DbSnapshot, "FinalDBSnapshotIdentifier"), (T::Db, "DBInstanceIdentifier")] {
        needs.named_for("rds:CreateDBSnapshot", kind, parameter);
    }
}

/// What RDS does in Secrets Manager in the name of the caller (RDS user guide, "Permissions required for Secrets
/// Manager integration").
fn managed_password(needs: &mut Needs<'_>) {
    if needs.request.arg("ManageMasterUserPassword").as_bool() != Some(true) {
        return;
    }
    let (region, account) = (needs.objects.region().to_owned(), needs.objects.account_id().to_owned());
    let secret = format!("arn:aws:secretsmanager:{region}:{account}:secret:rds!db-*");
    needs.push_action("kms:DescribeKey", format!("arn:aws:kms:{region}:{account}:key/*"), needs.plain());
    for action in ["secretsmanager:CreateSecret", "secretsmanager:TagResource"] {
        needs.push_action(action, secret.clone(), needs.plain());
    }
}
