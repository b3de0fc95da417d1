//! The table of variables. An entry is all that is written of a variable: its field, how it is read and checked by itself,
//! and what `aloka variables`, `aloka init -example` and docs/VARIABLES.md say of it. Rules between variables are in
//! [`super::validate`].

use std::collections::BTreeMap;

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};

use super::read::Reader;
use super::report::Spot;
use super::validate::{application, database, names, network, tags};
use super::{AmiFamily, IngressRule};
use crate::declarable::INSTANCES_MAX;
use crate::secret::Secret;

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

/// Makes of the table below the variables as they are handed out, as they are read, and as they are told. An entry is:
///
/// ```text
/// /// What the field holds.
/// field: its type = how the Reader reads and checks it(arguments),
///     "type, as Terraform writes it" = "default, as an expression", "what it is for";
/// ```
macro_rules! variables {
    (@default) => { None };
    (@default $default:literal) => { Some($default) };
    ($(
        $( $(#[$doc:meta])+ $field:ident: $type:ty = )?
        $( [secret] $secret:ident = )?
        $read:ident($($argument:expr),*), $type_text:literal $(= $default:literal)?, $description:literal;
    )+) => {
        /// The variables of the stack, complete and valid. The database password is not among them: see
        /// [`Evaluated`](super::Evaluated).
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        pub struct Variables {
            $($( $(#[$doc])+ pub $field: $type, )?)+
        }

        /// What could be read of the variables: `None` stands for one whose problem is reported. A rule that refuses a
        /// variable takes it out, so that the rules after it leave it alone.
        pub(super) struct Read {
            $(
                $( pub(super) $field: Option<Spot<$type>>, )?
                $( pub(super) $secret: Option<Spot<Option<Secret>>>, )?
            )+
        }

        impl Read {
            /// Reads every variable, and checks each by itself.
            pub(super) fn every(reader: &mut Reader<'_>) -> Self {
                Self { $( $($field)? $($secret)?: reader.$read(stringify!($($field)? $($secret)?) $(, $argument)*), )+ }
            }

            /// The variables, if none was refused.
            pub(super) fn complete(self) -> Option<Variables> {
                Some(Variables { $($( $field: self.$field?.value, )?)+ })
            }
        }

        const DEFINITIONS: &[Definition] = &[$(
            Definition {
                name: stringify!($($field)? $($secret)?),
                type_text: $type_text,
                default: variables!(@default $($default)?),
                description: $description,
                sensitive: !stringify!($($secret)?).is_empty(),
            },
        )+];
    };
}

variables! {
    /// Region of everything, such as `us-east-1`.
    aws_region: String = text(names::region),
        "string" = r#""us-east-1""#, "AWS region of everything";
    /// Named profile of the AWS configuration files; `None` uses the default chain.
    aws_profile: Option<String> = text(names::profile),
        "string" = "null",
        "named profile of the AWS configuration files, used before credentials in the environment; null uses the default credential chain";
    /// Name of the environment, part of the database identifier.
    environment: String = text(names::part),
        "string" = r#""dev""#, "name of the environment, part of the database identifier";
    /// Name of the project, the first part of every name.
    project_name: String = text(names::first_part),
        "string" = r#""aloka""#, "name of the project, the first part of every name";
    /// Addresses of the network, /16 to /28, without host bits.
    vpc_cidr: Ipv4Net = text(network::block),
        "string" = r#""10.0.0.0/16""#, "addresses of the VPC, /16 to /28";
    /// Public subnets, spread over the zones in order.
    public_subnet_cidrs: Vec<Ipv4Net> = by(network::subnets),
        "list(string)" = r#"["10.0.1.0/24", "10.0.2.0/24"]"#,
        "public subnets, spread over the availability zones in order";
    /// Private subnets, spread over the zones in order.
    private_subnet_cidrs: Vec<Ipv4Net> = by(network::subnets),
        "list(string)" = r#"["10.0.10.0/24", "10.0.11.0/24"]"#,
        "private subnets, spread over the availability zones in order; at least two";
    /// Zones to use; empty means chosen once and recorded.
    availability_zones: Vec<String> = by(network::few_zones),
        "list(string)" = "[]", "availability zones to use; empty: chosen once and recorded";
    /// True if private subnets reach the internet.
    enable_nat_gateway: bool = flag(),
        "bool" = "true", "let private subnets reach the internet through a NAT gateway";
    /// True for one NAT gateway, false for one per zone.
    single_nat_gateway: bool = flag(),
        "bool" = "true", "one NAT gateway for all zones; false: one per zone";
    /// True if the route tables lead to S3 by a gateway endpoint.
    enable_s3_endpoint: bool = flag(),
        "bool" = "false", "let all subnets reach S3 in this region through a gateway endpoint, which costs nothing";
    /// True if the security group that comes with the VPC is emptied, so that nothing is reachable through it.
    manage_default_security_group: bool = flag(),
        "bool" = "true", "empty the security group that comes with the VPC, so that nothing is reachable through it";
    /// Instance type, such as `t3.small`.
    app_instance_type: String = text(application::instance_type),
        "string" = r#""t3.small""#, "EC2 instance type of the application";
    /// Number of instances; 0 is allowed.
    app_instance_count: u32 = whole((0, INSTANCES_MAX), ""),
        "number" = "1", "number of application instances, 0 to 20000";
    /// Operating system of the instances when `app_ami_id` is `None`.
    app_ami_family: AmiFamily = text(application::family),
        "string" = r#""amazon-linux-2""#,
        "operating system, amazon-linux-2 or al2023; its newest image is looked up once and recorded";
    /// A fixed image.
    app_ami_id: Option<String> = text(application::image),
        "string" = "null", "a fixed image; app_ami_family is then not used";
    /// Who may reach the instances, on which ports.
    app_ingress: Vec<IngressRule> = by(application::ingress),
        "list(object({ port = optional(number), from_port = optional(number), to_port = optional(number), \
         protocol = optional(string, \"tcp\"), cidr_blocks = optional(list(string), [\"0.0.0.0/0\"]), \
         description = optional(string, \"\") }))"
            = r#"[{ port = 80, description = "HTTP" }, { port = 443, description = "HTTPS" }]"#,
        "ports on which the application may be reached, and from where";
    /// Path of a file with user data; `None` uses the built-in script.
    app_user_data: Option<String> = text(application::user_data),
        "string" = "null", "path of a file with user data; null: install Docker and Docker Compose";
    /// Release of Docker Compose that the built-in script installs; `None` for the one built in.
    app_docker_compose_version: Option<String> = text(application::release),
        "string" = "null",
        "release of Docker Compose that the built-in user data installs on new servers, such as 2.29.7; null: the one that this release of aloka knows";
    /// SHA-256 of that release by architecture, `x86_64` and `aarch64`; empty for the one built in.
    app_docker_compose_sha256: BTreeMap<String, String> = by(application::digests),
        "map(string)" = "{}",
        "SHA-256 of that release's docker-compose-linux-x86_64 and docker-compose-linux-aarch64, under x86_64 and aarch64; the servers install nothing else";
    /// Hops that an answer of the metadata service lives, on new servers.
    app_metadata_hop_limit: u32 = whole((1, 64), ""), // EC2 API, InstanceMetadataOptionsRequest
        "number" = "1",
        "how many hops an answer of the instance metadata service lives, 1 to 64, on new servers; 1 keeps it from containers, 2 lets containers of a bridge network have it";
    /// Size of the root volume in GiB; `None` takes the image's.
    app_root_volume_gib: Option<u32> = whole((8, 16_384), " GiB"), // An Amazon Linux image, and the largest gp2 volume (EBS User Guide)
        "number" = "null", "size of the root volume in GiB, 8 to 16384; null: the image's";
    /// PostgreSQL version `15` or `15.4`; `None` means chosen once and recorded.
    db_engine_version: Option<String> = text(database::engine_version),
        "string" = "null",
        "PostgreSQL version, such as 15 or 15.4; null: 15.4 or the nearest newer 15.x on offer, chosen once and recorded";
    /// Database instance class, such as `db.t3.micro`.
    db_instance_class: String = text(database::instance_class),
        "string" = r#""db.t3.micro""#, "RDS instance class of the database";
    /// Storage of the database in GiB; `None` leaves that of a database that is there.
    db_allocated_storage: Option<u32> = whole(database::STORAGE, " GiB"),
        "number" = "null", "storage of the database in GiB, 20 to 65536; null: 20 when it is made, then as it is";
    /// Storage in GiB that RDS may grow it to, 0 for none; `None` leaves that to the owner of a database that is there.
    db_max_allocated_storage: Option<u32> = whole((0, database::STORAGE.1), " GiB"),
        "number" = "null",
        "GiB that RDS may grow the storage to by itself, at least a tenth more than it has; 0: not at all; null: not at all when it is made, then as its owner sets it";
    /// An existing subnet group that the database is in; `None` means one of the stack's own.
    db_subnet_group_name: Option<String> = text(database::subnet_group),
        "string" = "null", "an existing DB subnet group that the database is in; null: one of the stack's own";
    /// Name of the database inside the server.
    db_name: String = text(database::database_name),
        "string" = r#""alokadb""#, "name of the database inside the server";
    /// Name of the master user.
    db_username: String = text(database::user_name),
        "string" = r#""postgres""#, "name of the master user";
    // `Variables` does not hold the password: `evaluate` returns it among the secrets.
    [secret] db_password = secret(),
        "string", "password of the master user, 8 to 128 characters; best given as TF_VAR_db_password";
    /// True if RDS makes the master user's password and keeps it in Secrets Manager; the user then gives no `db_password`.
    db_manage_master_user_password: bool = flag(),
        "bool" = "false",
        "let RDS make the master user's password and keep it in Secrets Manager; db_password is then not given";
    /// True for a standby in a second zone; `None` leaves that to the owner of a database that is there.
    db_multi_az: Option<bool> = flag(),
        "bool" = "null",
        "keep a standby of the database in a second zone; null: none when it is made, then as its owner sets it";
    /// Days that automated backups are kept, 0 for none; `None` leaves that to the owner of a database that is there.
    db_backup_retention_days: Option<u32> = whole((0, 35), " days"),
        "number" = "null",
        "days that automated backups are kept, 0 to 35; 0: no backups; null: none when it is made, then as its owner sets it";
    /// True if AWS refuses to delete the database.
    db_deletion_protection: Option<bool> = flag(),
        "bool" = "null", "let AWS refuse to delete the database; null: off when it is made, then as its owner sets it";
    /// True if the database is deleted without a final snapshot; `None` leaves that to the state of one that is there.
    db_skip_final_snapshot: Option<bool> = flag(),
        "bool" = "null",
        "delete the database without a final snapshot of it; null: without one when it is made, then as the state records it";
    /// Name of the final snapshot; `None` leaves it to the state of a database that is there.
    db_final_snapshot_identifier: Option<String> = text(database::snapshot),
        "string" = "null",
        "name of the final snapshot, which has to be free; null: the one that the state records, or one that aloka chooses";
    /// True if the automated backups go with the database; `None` leaves that to the state of one that is there.
    db_delete_automated_backups: Option<bool> = flag(),
        "bool" = "null",
        "delete the automated backups with the database; null: true when it is made, then as the state records it";
    /// True if tags are copied to snapshots; `None` leaves that to the owner of a database that is there.
    db_copy_tags_to_snapshot: Option<bool> = flag(),
        "bool" = "null",
        "copy the database's tags to its snapshots; null: on when it is made, then as its owner sets it";
    /// Logs that RDS sends to CloudWatch, sorted; `None` leaves them to the owner of a database that is there.
    db_enabled_cloudwatch_logs_exports: Option<Vec<String>> = by(database::logs),
        "list(string)" = "null",
        "logs of the database that RDS sends to CloudWatch, of postgresql, upgrade and iam-db-auth-error; null: the first two when it is made, then as its owner sets it";
    /// True if storage is encrypted; cannot be changed later without a replacement.
    db_storage_encrypted: bool = flag(),
        "bool" = "true", "encrypt the database's storage; a change replaces the database";
    /// Tags put on everything, beside those that aloka sets.
    tags: BTreeMap<String, String> = by(tags::tags),
        "map(string)" = "{}", "tags put on everything";
}

/// Every variable, grouped by tier.
pub fn definitions() -> &'static [Definition] {
    DEFINITIONS
}

/// The variable called `name`.
pub(super) fn find(name: &str) -> Option<&'static Definition> {
    DEFINITIONS.iter().find(|definition| definition.name == name)
}
