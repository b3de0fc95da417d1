//! The rules for valid variables: each is checked here, so that AWS never has to.
//!
//! A rule looks only at what could be read; a variable that was already reported is left out of the others' rules.

mod application;
mod database;
mod names;
mod network;
mod production;
mod snapshot;
mod storage;
mod strength;
mod tags;

use crate::secret::Secrets;

use super::read::Reader;
use super::{Needs, Variables};
use crate::declarable::INSTANCES_MAX;

/// Reads and checks every variable. `None` if anything is wrong, which is then in the reader's report.
/// `ignored` are variables of the environment that name no variable.
pub(super) fn variables(reader: &mut Reader<'_>, needs: Needs, ignored: &[String]) -> Option<(Variables, Secrets)> {
    let region = names::region(reader);
    let names = names::check(reader);
    let count = reader.whole("app_instance_count", 0, INSTANCES_MAX, "");
    let application = application::check(reader);
    let network = network::check(reader, region.as_deref(), count.as_ref());
    let database = database::check(reader, needs, ignored, names.as_ref());
    let tags = tags::check(reader);
    let (aws_region, names, app_instance_count) = (region?, names?, count?.value);
    let (network, application, database, tags) = (network?, application?, database?, tags?);
    let names::Names { aws_profile, environment, project_name } = names;
    let network::Network {
        vpc_cidr,
        public_subnet_cidrs,
        private_subnet_cidrs,
        availability_zones,
        enable_nat_gateway,
        single_nat_gateway,
        manage_default_security_group,
    } = network;
    let application::Application {
        app_instance_type,
        app_ami_family,
        app_ami_id,
        app_ingress,
        app_user_data,
        app_docker_compose_version,
        app_docker_compose_sha256,
        app_metadata_hop_limit,
        app_root_volume_gib,
    } = application;
    let database::Database {
        db_engine_version,
        db_instance_class,
        db_allocated_storage,
        db_max_allocated_storage,
        db_subnet_group_name,
        db_name,
        db_username,
        db_manage_master_user_password,
        db_multi_az,
        db_backup_retention_days,
        db_deletion_protection,
        db_skip_final_snapshot,
        db_final_snapshot_identifier,
        db_delete_automated_backups,
        db_copy_tags_to_snapshot,
        db_enabled_cloudwatch_logs_exports,
        db_storage_encrypted,
        secrets,
    } = database;
    let variables = Variables {
        aws_region,
        aws_profile,
        environment,
        project_name,
        vpc_cidr,
        public_subnet_cidrs,
        private_subnet_cidrs,
        availability_zones,
        enable_nat_gateway,
        single_nat_gateway,
        manage_default_security_group,
        app_instance_type,
        app_instance_count,
        app_ami_family,
        app_ami_id,
        app_ingress,
        app_user_data,
        app_docker_compose_version,
        app_docker_compose_sha256,
        app_metadata_hop_limit,
        app_root_volume_gib,
        db_engine_version,
        db_instance_class,
        db_allocated_storage,
        db_max_allocated_storage,
        db_subnet_group_name,
        db_name,
        db_username,
        db_manage_master_user_password,
        db_multi_az,
        db_backup_retention_days,
        db_deletion_protection,
        db_skip_final_snapshot,
        db_final_snapshot_identifier,
        db_delete_automated_backups,
        db_copy_tags_to_snapshot,
        db_enabled_cloudwatch_logs_exports,
        db_storage_encrypted,
        tags,
    };
    production::warn(reader, &variables);
    Some((variables, secrets))
}
