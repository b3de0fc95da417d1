//! The plans that are swept: where each begins, and what is asked for.

use std::time::Duration;

use aloka_core::address::Address;
use aloka_core::api::{Call, Ec2, Operation, Request};
use aloka_core::kind::Kind;
use aloka_core::plan::Mode;
use aloka_core::secret::Secrets;
use aloka_core::value::Value;
use aloka_sim::aws::{Durations, Options};
use aloka_sim::fault::FaultPlan;

use super::stand::{Command, Stand};
use crate::variables;

/// What AWS's changes take to be seen in an account that shows late, at most.
const DELAY_MS: u64 = 10_000;
/// Long enough for everything to be seen, and for what changed to be what it is.
const REST: Duration = Duration::from_secs(3600);

/// What the stack has gone through before.
#[derive(Clone, Copy, Debug)]
enum Before {
    /// It was made with these variables, some time ago.
    Made(&'static str),
    /// A command for these variables was cut short by these faults a moment ago.
    Cut(Mode, &'static str, &'static str),
    /// Somebody terminated the server and opened a port of the database, some time ago.
    Meddled,
}

/// One plan.
#[derive(Clone, Debug)]
pub struct Case {
    /// What the table calls it.
    pub name: &'static str,
    before: &'static [Before],
    mode: Mode,
    tfvars: &'static str,
    new_password: bool,
}

const fn apply(name: &'static str, before: &'static [Before], tfvars: &'static str) -> Case {
    Case { name, before, mode: Mode::Apply, tfvars, new_password: false }
}

const fn destroy(name: &'static str, before: &'static [Before]) -> Case {
    Case { name, before, mode: Mode::Destroy, tfvars: "", new_password: false }
}

use Before::{Cut, Made, Meddled};

const WIDE: &str = "app_instance_count = 3\nsingle_nat_gateway = false\n";
const S3: &str = "enable_s3_endpoint = true\n";
/// The same with a private route table in each zone.
const S3_WIDE: &str = "enable_s3_endpoint = true\nsingle_nat_gateway = false\n";
const RENAMED: &str = "project_name = \"other\"\n";
const MANY: &str = "app_instance_type = \"t3.medium\"\napp_ingress = [{ port = 443 }, { port = 8443 }]\n\
                    app_instance_count = 2\napp_root_volume_gib = 30\ndb_allocated_storage = 40\n\
                    enable_nat_gateway = false\n";

/// What its owner wants kept; who replaces or destroys the database later says nothing of it.
const CAREFUL: &str = "db_skip_final_snapshot = false\ndb_delete_automated_backups = false\ndb_backup_retention_days = 7\n\
                       db_max_allocated_storage = 100\n";

/// Every plan. Cheap plans come first, so that what is wrong is found soon.
pub const CASES: [Case; 34] = [
    apply("nothing to do", &[Made("")], ""),
    apply("change of rules", &[Made("")], "app_ingress = [{ port = 443 }, { port = 8443 }]\n"),
    apply("change of tags", &[Made("")], "tags = { Team = \"b\" }\n"),
    apply("tags taken away", &[Made("tags = { Team = \"b\" }\n")], ""),
    apply("change of the server's type", &[Made("")], "app_instance_type = \"t3.medium\"\n"),
    apply("change of the volume", &[Made("")], "app_root_volume_gib = 30\n"),
    apply(
        "change of the database",
        &[Made("")],
        "db_instance_class = \"db.t3.small\"\ndb_allocated_storage = 40\ndb_backup_retention_days = 7\n",
    ),
    Case { name: "change of the password", before: &[Made("")], mode: Mode::Apply, tfvars: "", new_password: true },
    apply("NAT gateway taken away", &[Made("")], "enable_nat_gateway = false\n"),
    apply("NAT gateway added", &[Made("enable_nat_gateway = false\n")], ""),
    apply("NAT gateway in each zone", &[Made("")], "single_nat_gateway = false\n"),
    apply("S3 endpoint added", &[Made("")], S3),
    apply("S3 endpoint gets a table", &[Made(S3)], S3_WIDE),
    apply("S3 endpoint loses a table, and goes", &[Made(S3_WIDE)], "single_nat_gateway = true\n"),
    apply("one server becomes three", &[Made("")], "app_instance_count = 3\n"),
    apply("three servers become one", &[Made(WIDE)], "single_nat_gateway = false\n"),
    apply("no server is left", &[Made("")], "app_instance_count = 0\n"),
    apply("replace: another image", &[Made("")], "app_ami_family = \"al2023\"\n"),
    apply("many changes", &[Made("")], MANY),
    apply("drift is put right", &[Made(""), Meddled], ""),
    Case {
        name: "drift is recorded",
        before: &[Made(""), Meddled],
        mode: Mode::RefreshOnly,
        tfvars: "",
        new_password: false,
    },
    apply("recover: half a stack", &[Cut(Mode::Apply, "", "CreateDBInstance=crash-after")], ""),
    apply("recover: everything on the wire", &[Cut(Mode::Apply, "", "write#4=crash-answered")], ""),
    apply("recover: what failed", &[Cut(Mode::Apply, "", "CreateNatGateway=failed:InternalError")], ""),
    apply(
        "recover: half a replacement",
        &[Made(""), Cut(Mode::Apply, RENAMED, "CreateSecurityGroup#4=crash-after")],
        RENAMED,
    ),
    destroy("destroy what was half made", &[Cut(Mode::Apply, "", "CreateDBInstance=crash-after")]),
    destroy("destroy what is half destroyed", &[Made(""), Cut(Mode::Destroy, "", "DeleteNatGateway=crash-after")]),
    destroy("destroy", &[Made("")]),
    destroy("destroy, with a final snapshot", &[Made(CAREFUL)]),
    apply("replace: the database, with a final snapshot", &[Made(CAREFUL)], "db_name = \"other\"\n"),
    apply("create", &[], ""),
    apply("create three servers", &[], WIDE),
    apply("replace: new names", &[Made("")], RENAMED),
    apply(
        "replace: another network",
        &[Made("")],
        "vpc_cidr = \"10.9.0.0/16\"\npublic_subnet_cidrs = [\"10.9.1.0/24\", \"10.9.2.0/24\"]\nprivate_subnet_cidrs = [\"10.9.10.0/24\", \"10.9.11.0/24\"]\n",
    ),
];

impl Case {
    /// What is asked for.
    pub fn command(&self) -> Command {
        Command { variables: variables(self.tfvars), mode: self.mode, new_password: self.new_password }
    }

    /// The stack as it is before, in an account that shows late or does not.
    ///
    /// # Errors
    /// What went wrong on the way there, which nothing was to disturb but what the case says.
    pub fn start(&self, late: bool) -> Result<Stand, String> {
        let seed = self.name.bytes().fold(7, |seed: u64, byte| seed.wrapping_mul(31) + u64::from(byte));
        let visibility_delay_ms = if late { DELAY_MS } else { 0 };
        let mut stand =
            Stand::new(Options { seed, durations: Durations::Median, visibility_delay_ms, ..Options::default() });
        for before in self.before {
            let command = |mode, tfvars| Command { variables: variables(tfvars), mode, new_password: false };
            match before {
                Made(tfvars) => {
                    let attempt = stand.attempt(&command(Mode::Apply, tfvars), None);
                    if let Some(cut) = attempt.cut {
                        return Err(format!("{}: it could not be made: {cut}", self.name));
                    }
                    stand.world.rest(REST);
                }
                Cut(mode, tfvars, faults) => {
                    let faults: FaultPlan = faults.parse().map_err(|error| format!("{}: {error}", self.name))?;
                    stand.world.faults = faults;
                    let attempt = stand.attempt(&command(*mode, tfvars), None);
                    if attempt.cut.is_none() || !stand.world.faults.0.is_empty() {
                        return Err(format!("{}: `{}` did not cut it short", self.name, stand.world.faults));
                    }
                }
                Meddled => {
                    meddle(&mut stand)?;
                    stand.world.rest(REST);
                }
            }
        }
        Ok(stand)
    }
}

fn meddle(stand: &mut Stand) -> Result<(), String> {
    let state = stand.state();
    let id = |kind, name| {
        state
            .attribute(&Address::root(kind, name), "id")
            .cloned()
            .ok_or_else(|| format!("no {kind} {name} is recorded"))
    };
    let range = Value::map([("CidrIp", Value::str("10.0.0.0/8"))]);
    let rule = Value::map([
        ("IpProtocol", Value::str("tcp")),
        ("FromPort", 5432.into()),
        ("ToPort", 5432.into()),
        ("IpRanges", Value::List(vec![range])),
    ]);
    let calls = [
        Call::new(Ec2::TerminateInstances, [("InstanceIds", Value::List(vec![id(Kind::Instance, "app")?]))]),
        Call::new(
            Operation::Ec2(Ec2::AuthorizeSecurityGroupIngress),
            [("GroupId", id(Kind::SecurityGroup, "db")?), ("IpPermissions", Value::List(vec![rule]))],
        ),
    ];
    let now = stand.world.now();
    for call in calls {
        let reply = stand.world.account.call(now, &Request(call), &Secrets::default());
        reply.map_err(|error| error.to_string())?;
    }
    Ok(())
}
