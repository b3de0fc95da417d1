//! The variables of a story: few enough knobs that a failure can be shrunk to those that matter.

use std::collections::BTreeSet;
use std::fmt::{self, Write};

use aloka_core::variables::Variables;
use aloka_sim::rng::Rng;
use serde::{Deserialize, Serialize};

use crate::{RULES, variables};

const PROJECTS: [&str; 3] = ["aloka", "aloka-2", "web"];
const SIZES: [&str; 3] = ["t3.small", "t3.micro", "t3.medium"];
const CLASSES: [&str; 2] = ["db.t3.micro", "db.t3.small"];
const VERSIONS: [Option<&str>; 4] = [None, Some("15.13"), Some("16.10"), Some("17")];

/// Everything a stack varies in. Numbers of a choice are places in a list, 0 the plainest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Which project name.
    pub project: usize,
    /// Second octet of the VPC's block.
    pub octet: u8,
    /// Public subnets.
    pub publics: usize,
    /// Private subnets.
    pub privates: usize,
    /// Private subnets reach the internet.
    pub nat: bool,
    /// By one gateway.
    pub single: bool,
    /// A gateway endpoint for S3.
    pub endpoint: bool,
    /// Servers.
    pub servers: u32,
    /// Which instance type.
    pub size: usize,
    /// Amazon Linux 2023.
    pub al2023: bool,
    /// Open ports, places in `RULES`; the default ones if there are none.
    pub rules: BTreeSet<usize>,
    /// Root volume, GiB.
    pub volume: Option<u32>,
    /// Which engine version.
    pub version: usize,
    /// Which class of the database.
    pub class: usize,
    /// Storage of the database, GiB.
    pub storage: u32,
    /// A standby.
    pub multi_az: bool,
    /// Days that backups are kept.
    pub retention: u32,
    /// The database is encrypted.
    pub encrypted: bool,
    /// The database is protected from deletion.
    pub protected: bool,
    /// A tag on everything; none if 0.
    pub tag: u32,
    /// Which password.
    pub password: u32,
}

impl Default for Settings {
    /// The seed's own.
    fn default() -> Self {
        Self {
            project: 0,
            octet: 0,
            publics: 2,
            privates: 2,
            nat: true,
            single: true,
            endpoint: false,
            servers: 1,
            size: 0,
            al2023: false,
            rules: BTreeSet::new(),
            volume: None,
            version: 0,
            class: 0,
            storage: 20,
            multi_az: false,
            retention: 7,
            encrypted: true,
            protected: false,
            tag: 0,
            password: 0,
        }
    }
}

/// How many knobs [`Settings::turn`] knows.
const KNOBS: u64 = 20;

impl Settings {
    /// Any.
    pub(super) fn drawn(rng: &mut Rng) -> Self {
        let mut settings = Self { version: index(rng, VERSIONS.len()), ..Self::default() };
        // Most stacks are plain in most ways.
        for _ in 0..rng.below(8) {
            settings.turn(rng);
        }
        settings
    }

    /// The same with up to four things changed.
    pub(super) fn changed(&self, rng: &mut Rng) -> Self {
        let mut settings = self.clone();
        for _ in 0..rng.between(1, 4) {
            settings.turn(rng);
        }
        settings
    }

    fn turn(&mut self, rng: &mut Rng) {
        match rng.below(KNOBS) {
            // What replaces everything is rare.
            0 if rng.one_in(4) => self.project = index(rng, PROJECTS.len()),
            1 if rng.one_in(4) => self.octet = small(rng, 3),
            0 | 1 => {}
            2 => self.publics = 1 + index(rng, 4),
            3 => self.privates = 2 + index(rng, 3),
            4 => self.nat = rng.one_in(2),
            5 => self.single = rng.one_in(2),
            6 => self.servers = u32::from(small(rng, 4)),
            7 => self.size = index(rng, SIZES.len()),
            8 => self.al2023 = rng.one_in(2),
            9 => self.rules = (0..RULES.len()).filter(|_| rng.one_in(3)).collect(),
            10 => self.volume = (!rng.one_in(3)).then(|| 20 + 5 * u32::from(small(rng, 4))),
            11 => self.class = index(rng, CLASSES.len()),
            12 => self.storage = 20 + 10 * u32::from(small(rng, 4)),
            13 => self.multi_az = rng.one_in(2),
            14 => self.retention = u32::from(small(rng, 8)),
            15 => self.encrypted = !rng.one_in(4),
            16 => self.protected = rng.one_in(4),
            17 => self.tag = u32::from(small(rng, 3)),
            18 => self.endpoint = rng.one_in(2),
            _ => self.password = u32::from(small(rng, 3)),
        }
    }

    /// What a stack that went through all of `earlier` can still become: AWS makes no storage smaller and takes no subnet
    /// from a database that stands in it, which a plan refuses. The last word takes the protection off, as the stack is
    /// destroyed in the end.
    pub(super) fn reachable_from(mut self, earlier: &[Self]) -> Self {
        self.storage = earlier.iter().map(|settings| settings.storage).fold(self.storage, u32::max);
        let volume = earlier.iter().filter_map(|settings| settings.volume).max();
        self.volume = self.volume.map(|own| own.max(volume.unwrap_or(0)));
        self.privates = earlier.iter().map(|settings| settings.privates).fold(self.privates, usize::max);
        self.protected = false;
        self
    }

    /// The variables.
    ///
    /// # Panics
    /// If they are not valid: a bug in this module.
    pub fn variables(&self) -> Variables {
        variables(&self.text())
    }

    /// The password they come with.
    pub fn password(&self) -> String {
        format!("{}-{}", crate::PASSWORD, self.password)
    }

    /// What the state records of the password.
    pub fn password_hash(&self) -> String {
        format!("argon2id$test-{}", self.password)
    }

    fn text(&self) -> String {
        let octet = self.octet;
        // One gateway for each zone needs a public subnet in each.
        let publics = if self.nat && !self.single { self.publics.max(self.privates) } else { self.publics };
        let cidrs = |from: usize, count: usize| {
            (from..from + count).map(|third| format!("\"10.{octet}.{third}.0/24\"")).collect::<Vec<_>>().join(", ")
        };
        let choice = |list: &[&'static str], place: usize| list.get(place).copied().unwrap_or_default();
        let mut text = format!(
            "project_name = \"{}\"\nvpc_cidr = \"10.{octet}.0.0/16\"\npublic_subnet_cidrs = [{}]\n\
             private_subnet_cidrs = [{}]\nenable_nat_gateway = {}\nsingle_nat_gateway = {}\nenable_s3_endpoint = {}\napp_instance_count = {}\n\
             app_instance_type = \"{}\"\napp_ami_family = \"{}\"\ndb_instance_class = \"{}\"\n\
             db_allocated_storage = {}\ndb_multi_az = {}\ndb_backup_retention_days = {}\ndb_storage_encrypted = {}\n\
             db_deletion_protection = {}\n",
            choice(&PROJECTS, self.project),
            cidrs(1, publics),
            cidrs(100, self.privates),
            self.nat,
            self.single,
            self.endpoint,
            self.servers,
            choice(&SIZES, self.size),
            if self.al2023 { "al2023" } else { "amazon-linux-2" },
            choice(&CLASSES, self.class),
            self.storage,
            self.multi_az,
            self.retention,
            self.encrypted,
            self.protected,
        );
        // Writing into a String cannot fail.
        if !self.rules.is_empty() {
            let rules: Vec<String> = self.rules.iter().map(|rule| format!("{{ {} }}", choice(&RULES, *rule))).collect();
            let _infallible = writeln!(text, "app_ingress = [{}]", rules.join(", "));
        }
        if let Some(version) = VERSIONS.get(self.version).copied().flatten() {
            let _infallible = writeln!(text, "db_engine_version = \"{version}\"");
        }
        if let Some(volume) = self.volume {
            let _infallible = writeln!(text, "app_root_volume_gib = {volume}");
        }
        if self.tag > 0 {
            let _infallible = writeln!(text, "tags = {{ Team = \"{}\" }}", self.tag);
        }
        text
    }

    /// Simpler ones, the simplest first: all plain, then one thing plain.
    pub(super) fn simpler(&self) -> Vec<Self> {
        let plain = Self::default();
        let mut simpler = vec![plain.clone()];
        macro_rules! one_plain {
            ($($field:ident)*) => {
                $(simpler.push(Self { $field: plain.$field.clone(), ..self.clone() });)*
            };
        }
        one_plain!(project octet publics privates nat single endpoint servers size al2023 rules volume version class storage);
        one_plain!(multi_az retention encrypted protected tag password);
        simpler.retain(|settings| settings != self);
        simpler.dedup();
        simpler
    }
}

/// What is not plain.
impl fmt::Display for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = Self::default().text();
        let text = self.text();
        let mut other: Vec<&str> = text.lines().filter(|line| !plain.lines().any(|plain| plain == *line)).collect();
        let password = format!("password {}", self.password);
        if self.password > 0 {
            other.push(&password);
        }
        f.write_str(if other.is_empty() { "the defaults" } else { "" })?;
        f.write_str(&other.join(", "))
    }
}

fn index(rng: &mut Rng, length: usize) -> usize {
    usize::from(small(rng, u8::try_from(length).unwrap_or(u8::MAX)))
}

/// A number below `bound`.
pub(super) fn small(rng: &mut Rng, bound: u8) -> u8 {
    u8::try_from(rng.below(u64::from(bound))).unwrap_or_default()
}
