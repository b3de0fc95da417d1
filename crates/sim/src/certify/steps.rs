//! The steps of a certification, as data.

/// The database's address, for what keeps it.
pub const DATABASE: &str = "aws_db_instance.postgres";

/// Variables and their values.
pub type Settings = &'static [(&'static str, &'static str)];

/// What a step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Plans. There has to be something to do, or nothing.
    Plan {
        /// True if there is; the plan is then saved.
        changes: bool,
    },
    /// Makes AWS as the variables say.
    Apply,
    /// Carries out the plan that was saved last.
    Saved {
        /// True if something was done since, so that it has to be refused.
        is_stale: bool,
    },
    /// Makes AWS as the variables say behind the back of the state, which is put back as it was: drift.
    Elsewhere,
    /// Destroys.
    Destroy {
        /// True to keep the database and what it needs; otherwise it is named.
        keeps_database: bool,
    },
}

/// One step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// What it shows; part of a file name.
    pub name: &'static str,
    /// What is done.
    pub act: Act,
    /// Variables besides those that all steps have. A saved plan has its own.
    pub settings: &'static [Settings],
    /// The process is killed in the midst of it, and it is for the next step to go on.
    pub is_killed: bool,
    /// True if the password is another one from here on.
    pub new_password: bool,
}

impl Step {
    /// The variables of [`Step::settings`], one after the other.
    pub fn variables(&self) -> impl Iterator<Item = (&str, &str)> {
        self.settings.iter().flat_map(|settings| settings.iter().copied())
    }
}

const fn step(name: &'static str, act: Act, settings: &'static [Settings]) -> Step {
    Step { name, act, settings, is_killed: false, new_password: false }
}

const fn killed(name: &'static str, act: Act, settings: &'static [Settings]) -> Step {
    Step { is_killed: true, ..step(name, act, settings) }
}

const IN_PLACE: Settings = &[
    ("tags", "{ Certified = \"changed\" }"),
    ("app_ingress", "[{ port = 443 }, { port = 8443, cidr_blocks = [\"10.9.0.0/16\"] }]"),
    ("db_copy_tags_to_snapshot", "false"),
    ("db_max_allocated_storage", "40"),
    ("db_enabled_cloudwatch_logs_exports", "[\"postgresql\"]"),
];
const LARGER_VOLUME: Settings = &[("app_root_volume_gib", "10")];
const LARGER_SERVER: Settings = &[("app_instance_type", "t3.small")];
/// From here on the first public subnet is another one, with all that is in it: server and NAT gateway.
const OTHER_SUBNET: Settings = &[("public_subnet_cidrs", "[\"10.0.21.0/24\", \"10.0.2.0/24\"]")];
const MORE: Settings = &[
    ("public_subnet_cidrs", "[\"10.0.21.0/24\", \"10.0.2.0/24\", \"10.0.3.0/24\"]"),
    ("private_subnet_cidrs", "[\"10.0.10.0/24\", \"10.0.11.0/24\", \"10.0.12.0/24\"]"),
    ("single_nat_gateway", "false"),
    ("app_instance_count", "2"),
];
/// Another class that accounts on AWS's Free plan may have, too.
const OTHER_CLASS: Settings = &[("db_instance_class", "db.t4g.micro")];
/// Storage never shrinks, and backups that end are lost: once they are there, both stay until the database goes.
const LARGER_DATABASE: Settings = &[("db_allocated_storage", "25")];
const BACKUPS: Settings = &[("db_backup_retention_days", "1")];
/// What somebody else may do to what stands then.
const DRIFTED: Settings = &[
    ("tags", "{ Certified = \"elsewhere\" }"),
    ("app_ingress", "[{ port = 443 }, { port = 9443 }]"),
    ("app_instance_type", "t3.small"),
];
const GONE: Settings = &[("app_instance_count", "0"), ("enable_nat_gateway", "false")];

/// What stands from the changes of the database on.
const CHANGED: &[Settings] = &[OTHER_SUBNET, OTHER_CLASS, LARGER_DATABASE, BACKUPS];

const PLAN: Act = Act::Plan { changes: true };
const EMPTY: Act = Act::Plan { changes: false };
const SAVED: Act = Act::Saved { is_stale: false };
const STALE: Act = Act::Saved { is_stale: true };
pub(super) const DESTROY: Act = Act::Destroy { keeps_database: false };

/// The steps, in order. The last ones leave nothing; what comes before them is put right by a destroy by name, whichever it
/// was that failed.
pub const STEPS: [Step; 35] = [
    step("plan", PLAN, &[]),
    step("create", Act::Apply, &[]),
    step("created", EMPTY, &[]),
    step("save-plan", PLAN, &[IN_PLACE]),
    step("change-in-place-as-saved", SAVED, &[]),
    step("changed-in-place", EMPTY, &[IN_PLACE]),
    step("save-plan-too-early", PLAN, &[LARGER_VOLUME, LARGER_SERVER]),
    step("grow-volume", Act::Apply, &[LARGER_VOLUME]),
    step("refuse-stale-plan", STALE, &[]),
    step("restart-server", Act::Apply, &[LARGER_VOLUME, LARGER_SERVER]),
    step("restarted-server", EMPTY, &[LARGER_VOLUME, LARGER_SERVER]),
    step("replace", Act::Apply, &[OTHER_SUBNET]),
    step("replaced", EMPTY, &[OTHER_SUBNET]),
    step("add", Act::Apply, &[MORE]),
    step("added", EMPTY, &[MORE]),
    step("remove", Act::Apply, &[OTHER_SUBNET]),
    Step { new_password: true, ..step("new-password", Act::Apply, &[OTHER_SUBNET]) },
    step("new-password-kept", EMPTY, &[OTHER_SUBNET]),
    step("change-database-class", Act::Apply, &[OTHER_SUBNET, OTHER_CLASS]),
    step("grow-database", Act::Apply, &[OTHER_SUBNET, OTHER_CLASS, LARGER_DATABASE]),
    step("begin-backups", Act::Apply, CHANGED),
    step("changed-database", EMPTY, CHANGED),
    step("drift", Act::Elsewhere, &[OTHER_SUBNET, OTHER_CLASS, LARGER_DATABASE, BACKUPS, DRIFTED]),
    step("drift-put-right", Act::Apply, CHANGED),
    step("drift-gone", Act::Elsewhere, &[OTHER_SUBNET, OTHER_CLASS, LARGER_DATABASE, BACKUPS, GONE]),
    step("gone-put-right", Act::Apply, CHANGED),
    step("put-right", EMPTY, CHANGED),
    step("destroy-but-database", Act::Destroy { keeps_database: true }, CHANGED),
    killed("create-killed", Act::Apply, CHANGED),
    killed("create-killed-again", Act::Apply, CHANGED),
    step("create-resumed", Act::Apply, CHANGED),
    step("resumed", EMPTY, CHANGED),
    killed("destroy-killed", DESTROY, CHANGED),
    step("destroy", DESTROY, CHANGED),
    step("sweep", DESTROY, CHANGED),
];
