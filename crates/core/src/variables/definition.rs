//! The table of variables: names, types, defaults, descriptions.

use serde::Serialize;

/// A declared variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Definition {
    /// Name.
    pub name: &'static str,
    /// Type, as Terraform writes it.
    #[serde(rename = "type")]
    pub type_text: &'static str,
    /// Default, as an expression of a variables file; `None` if a value must be given.
    pub default: Option<&'static str>,
    /// What it is for.
    pub description: &'static str,
    /// True if the value is never shown or stored.
    pub sensitive: bool,
}

const fn variable(
    name: &'static str,
    type_text: &'static str,
    default: &'static str,
    description: &'static str,
) -> Definition {
    Definition { name, type_text, default: Some(default), description, sensitive: false }
}

/// Type of `app_ingress`.
const INGRESS_TYPE: &str = "list(object({ port = optional(number), from_port = optional(number), \
     to_port = optional(number), protocol = optional(string, \"tcp\"), \
     cidr_blocks = optional(list(string), [\"0.0.0.0/0\"]), description = optional(string, \"\") }))";

/// Default of `app_ingress`.
const INGRESS_DEFAULT: &str = r#"[{ port = 80, description = "HTTP" }, { port = 443, description = "HTTPS" }]"#;

#[rustfmt::skip]
const DEFINITIONS: &[Definition] = &[
    variable("aws_region", "string", r#""us-east-1""#, "AWS region of everything"),
    variable("aws_profile", "string", "null", "named profile of the AWS configuration files, used before credentials in the environment; null uses the default credential chain"),
    variable("environment", "string", r#""dev""#, "name of the environment, part of the database identifier"),
    variable("project_name", "string", r#""aloka""#, "name of the project, the first part of every name"),
    variable("vpc_cidr", "string", r#""10.0.0.0/16""#, "addresses of the VPC, /16 to /28"),
    variable("public_subnet_cidrs", "list(string)", r#"["10.0.1.0/24", "10.0.2.0/24"]"#, "public subnets, spread over the availability zones in order"),
    variable("private_subnet_cidrs", "list(string)", r#"["10.0.10.0/24", "10.0.11.0/24"]"#, "private subnets, spread over the availability zones in order; at least two"),
    variable("availability_zones", "list(string)", "[]", "availability zones to use; empty: chosen once and recorded"),
    variable("enable_nat_gateway", "bool", "true", "let private subnets reach the internet through a NAT gateway"),
    variable("single_nat_gateway", "bool", "true", "one NAT gateway for all zones; false: one per zone"),
    variable("manage_default_security_group", "bool", "true", "empty the security group that comes with the VPC, so that nothing is reachable through it"),
    variable("app_instance_type", "string", r#""t3.small""#, "EC2 instance type of the application"),
    variable("app_instance_count", "number", "1", "number of application instances, 0 to 20000"),
    variable("app_ami_family", "string", r#""amazon-linux-2""#, "operating system, amazon-linux-2 or al2023; its newest image is looked up once and recorded"),
    variable("app_ami_id", "string", "null", "a fixed image; app_ami_family is then not used"),
    variable("app_ingress", INGRESS_TYPE, INGRESS_DEFAULT, "ports on which the application may be reached, and from where"),
    variable("app_user_data", "string", "null", "path of a file with user data; null: install Docker and Docker Compose"),
    variable("app_docker_compose_version", "string", "null", "release of Docker Compose that the built-in user data installs on new servers, such as 2.29.7; null: the one that this release of aloka knows"),
    variable("app_docker_compose_sha256", "map(string)", "{}", "SHA-256 of that release's docker-compose-linux-x86_64 and docker-compose-linux-aarch64, under x86_64 and aarch64; the servers install nothing else"),
    variable("app_metadata_hop_limit", "number", "1", "how many hops an answer of the instance metadata service lives, 1 to 64, on new servers; 1 keeps it from containers, 2 lets containers of a bridge network have it"),
    variable("app_root_volume_gib", "number", "null", "size of the root volume in GiB, 8 to 16384; null: the image's"),
    variable("db_engine_version", "string", "null", "PostgreSQL version, such as 15 or 15.4; null: 15.4 or the nearest newer 15.x on offer, chosen once and recorded"),
    variable("db_instance_class", "string", r#""db.t3.micro""#, "RDS instance class of the database"),
    variable("db_allocated_storage", "number", "null", "storage of the database in GiB, 20 to 65536; null: 20 when it is made, then as it is"),
    variable("db_max_allocated_storage", "number", "null", "GiB that RDS may grow the storage to by itself, at least a tenth more than it has; 0: not at all; null: not at all when it is made, then as its owner sets it"),
    variable("db_subnet_group_name", "string", "null", "an existing DB subnet group that the database is in; null: one of the stack's own"),
    variable("db_name", "string", r#""alokadb""#, "name of the database inside the server"),
    variable("db_username", "string", r#""postgres""#, "name of the master user"),
    Definition {
        name: "db_password",
        type_text: "string",
        default: None,
        description: "password of the master user, 8 to 128 characters; best given as TF_VAR_db_password",
        sensitive: true,
    },
    variable("db_manage_master_user_password", "bool", "false", "let RDS make the master user's password and keep it in Secrets Manager; db_password is then not given"),
    variable("db_multi_az", "bool", "null", "keep a standby of the database in a second zone; null: none when it is made, then as its owner sets it"),
    variable("db_backup_retention_days", "number", "null", "days that automated backups are kept, 0 to 35; 0: no backups; null: none when it is made, then as its owner sets it"),
    variable("db_deletion_protection", "bool", "null", "let AWS refuse to delete the database; null: off when it is made, then as its owner sets it"),
    variable("db_skip_final_snapshot", "bool", "null", "delete the database without a final snapshot of it; null: without one when it is made, then as the state records it"),
    variable("db_final_snapshot_identifier", "string", "null", "name of the final snapshot, which has to be free; null: the one that the state records, or one that aloka chooses"),
    variable("db_delete_automated_backups", "bool", "null", "delete the automated backups with the database; null: true when it is made, then as the state records it"),
    variable("db_copy_tags_to_snapshot", "bool", "null", "copy the database's tags to its snapshots; null: on when it is made, then as its owner sets it"),
    variable("db_enabled_cloudwatch_logs_exports", "list(string)", "null", "logs of the database that RDS sends to CloudWatch, of postgresql, upgrade and iam-db-auth-error; null: the first two when it is made, then as its owner sets it"),
    variable("db_storage_encrypted", "bool", "true", "encrypt the database's storage; a change replaces the database"),
    variable("tags", "map(string)", "{}", "tags put on everything"),
];

/// Every variable, grouped by tier.
pub fn definitions() -> &'static [Definition] {
    DEFINITIONS
}

/// The variable called `name`.
pub(super) fn find(name: &str) -> Option<&'static Definition> {
    DEFINITIONS.iter().find(|definition| definition.name == name)
}
