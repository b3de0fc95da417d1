use aloka_core::api::Ec2;
use aloka_core::variables::definitions;

use super::steps::DESTROY;
use super::*;

fn base() -> Vec<(String, String)> {
    [("project_name", "certify"), ("app_instance_type", "t3.micro")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
}

#[test]
fn every_step_ends_as_it_has_to_and_costs_something() {
    let usual = foretell(&STEPS, &base(), Durations::Median).expect("every step");
    let longest = foretell(&STEPS, &base(), Durations::Longest).expect("every step");
    assert!(usual.time < longest.time, "{usual:?}\n{longest:?}");
    assert!(usual.bill.total() <= longest.bill.total() && usual.bill.total().pico > 0, "{usual:?}\n{longest:?}");
    for (step, sent) in STEPS.iter().zip(&usual.sent) {
        // What is killed here goes on to its end, and leaves nothing to the next.
        let is_idle = matches!(step.act, Act::Plan { .. } | Act::Saved { is_stale: true })
            || matches!(step.name, "create-killed-again" | "create-resumed" | "destroy" | "sweep");
        assert_eq!(*sent == 0, is_idle, "{}: {sent}", step.name);
    }
}

#[test]
fn names_of_steps_are_unique_and_nothing_is_left_at_the_end() {
    let names: BTreeSet<_> = STEPS.iter().map(|step| step.name).collect();
    assert_eq!(names.len(), STEPS.len());
    assert_eq!(STEPS.last().map(|step| step.act), Some(DESTROY));
}

/// Operations that change something and that no step sends, with the reason.
const NOT_SENT: [(Operation, &str); 4] = [
    (Operation::Ec2(Ec2::CreateVpcEndpoint), NO_ENDPOINT),
    (Operation::Ec2(Ec2::ModifyVpcEndpoint), NO_ENDPOINT),
    (Operation::Ec2(Ec2::DeleteVpcEndpoints), NO_ENDPOINT),
    (
        Operation::Ec2(Ec2::AuthorizeSecurityGroupEgress),
        "no variable changes what may leave: only what somebody else took away is put back so",
    ),
];
const NO_ENDPOINT: &str =
    "the emulators on which certifications are tried cannot delete an endpoint that has route tables";

#[test]
fn every_operation_is_sent_but_those_that_a_reason_is_given_for() {
    let sent = foretell(&STEPS, &base(), Durations::Instant).expect("every step").operations;
    let left_out: Vec<_> =
        Operation::ALL.iter().filter(|operation| operation.is_mutating() && !sent.contains(operation)).collect();
    let given: Vec<_> = NOT_SENT.iter().map(|(operation, _)| operation).collect();
    assert_eq!(left_out, given);
}

/// Variables that no step changes, with the reason.
const NOT_CHANGED: [(&str, &str); 26] = [
    ("aws_region", "all steps have it from the command line"),
    ("aws_profile", "all steps have it from the command line"),
    ("environment", "part of the names: another one is another stack"),
    ("project_name", "all steps have it from the command line"),
    ("vpc_cidr", "everything would be replaced, which the end and the beginning show"),
    ("availability_zones", "not every zone has room, and which do is another matter in every account"),
    ("enable_s3_endpoint", NO_ENDPOINT),
    ("manage_default_security_group", "ends what is kept of the group, and sends nothing"),
    ("app_ami_family", "is for new servers; another subnet makes one as well"),
    ("app_ami_id", "is for new servers; another subnet makes one as well"),
    ("app_user_data", "is for new servers; another subnet makes one as well"),
    ("app_docker_compose_version", "is for new servers; another subnet makes one as well"),
    ("app_docker_compose_sha256", "is for new servers; another subnet makes one as well"),
    ("app_metadata_hop_limit", "is for new servers; another subnet makes one as well"),
    ("db_engine_version", "which versions there are changes from month to month, and there is no way back"),
    ("db_subnet_group_name", "names a group that somebody else made"),
    ("db_name", "replaces the database, which the end and the beginning show"),
    ("db_username", "replaces the database, which the end and the beginning show"),
    ("db_password", "not a variable's value, but Step::new_password"),
    (
        "db_manage_master_user_password",
        "needs rights to Secrets Manager and KMS that may not be there, and is paid by the month",
    ),
    ("db_multi_az", "takes up to 21 minutes, and comes to nothing where there is no room for a standby"),
    ("db_deletion_protection", "what fails before it is off again could not be destroyed"),
    ("db_skip_final_snapshot", "true in all steps: a snapshot would be left, and costs money"),
    ("db_final_snapshot_identifier", "a snapshot would be left, and costs money"),
    ("db_delete_automated_backups", "true in all steps: backups would be left, and cost money"),
    ("db_storage_encrypted", "replaces the database, which the end and the beginning show"),
];

#[test]
fn every_variable_is_changed_but_those_that_a_reason_is_given_for() {
    let changed: BTreeSet<_> = STEPS.iter().flat_map(Step::variables).map(|(name, _)| name).collect();
    let names = definitions().iter().map(|definition| definition.name);
    let left_out: Vec<_> = names.filter(|name| !changed.contains(name)).collect();
    let given: Vec<_> = NOT_CHANGED.iter().map(|(name, _)| *name).collect();
    assert_eq!(left_out, given);
}
