//! What the account costs: at this rate, per month, and so far.
//!
//! Prices are the on-demand list of us-east-1 in US dollars, without traffic, snapshots, taxes and free tiers. Nothing
//! in the replies tells since when an object exists, so what was spent is found by looking: a [`Meter`] is shown the
//! account at instants of a run, and charges for the time between two looks what was billed at the first of them.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use aloka_core::time::Instant;
use aloka_core::value::Value;

use super::World;

/// The Region the prices are of.
const PRICES_OF: &str = "us-east-1";
/// Hours of a month, as AWS's calculators have it.
const HOURS: u64 = 730;
const HOUR: Duration = Duration::from_secs(3600);

/// Micro-dollars for an hour of an instance, Linux: the size's share of its family's `nano`, which doubles from size
/// to size (Amazon EC2 On-Demand Pricing; t3.micro and t3.small 0.0104 and 0.0208).
const INSTANCES: [(&str, u64); 2] = [("t3", 5_200), ("t4g", 4_200)];
const SIZES: [(&str, u64); 7] =
    [("nano", 1), ("micro", 2), ("small", 4), ("medium", 8), ("large", 16), ("xlarge", 32), ("2xlarge", 64)];
/// Micro-dollars for an hour of a database with PostgreSQL in one zone (Amazon RDS for PostgreSQL pricing); a standby
/// costs as much again, and so does its storage.
const DATABASES: [(&str, u64); 6] = [
    ("db.t3.micro", 18_000),
    ("db.t3.small", 36_000),
    ("db.t3.medium", 72_000),
    ("db.t4g.micro", 16_000),
    ("db.t4g.small", 32_000),
    ("db.t4g.medium", 65_000),
];
/// Micro-dollars for an hour of a NAT gateway, traffic excluded (Amazon VPC pricing).
const NAT: u64 = 45_000;
/// Micro-dollars for an hour of a public IPv4 address, in use or idle (since February 2024).
const ADDRESS: u64 = 5_000;
/// Micro-dollars for a GiB-month of a volume (Amazon EBS pricing).
const VOLUMES: [(&str, u64); 2] = [("gp3", 80_000), ("gp2", 100_000)];
/// Micro-dollars for a GiB-month of a database's storage in one zone, gp2 and gp3 alike.
const STORAGE: u64 = 115_000;

/// US dollars, to the millionth of a micro-dollar.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Usd {
    /// 10^-12 dollars.
    pub pico: u128,
}

impl Usd {
    fn micro(micro: u64) -> Self {
        Self { pico: u128::from(micro) * 1_000_000 }
    }

    /// The price of `duration` at this price for an hour.
    fn of_hour(self, duration: Duration) -> Self {
        Self { pico: self.pico * duration.as_millis() / HOUR.as_millis() }
    }

    fn times(self, count: u64) -> Self {
        Self { pico: self.pico * u128::from(count) }
    }
}

impl std::iter::Sum for Usd {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        Self { pico: amounts.map(|amount| amount.pico).sum() }
    }
}

impl fmt::Display for Usd {
    /// Dollars and cents, with four digits below a dollar.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DOLLAR: u128 = 1_000_000_000_000;
        let (digits, unit) = if self.pico < DOLLAR { (4, DOLLAR / 10_000) } else { (2, DOLLAR / 100) };
        let rounded = (self.pico + unit / 2) / unit;
        let per_dollar = DOLLAR / unit;
        write!(f, "{}.{:0digits$} USD", rounded / per_dollar, rounded % per_dollar)
    }
}

/// Something that is billed, at its price.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Charge {
    /// The object's identifier or name.
    pub id: String,
    /// What of it.
    pub line: Line,
    /// Its price for an hour; `None` if it is not known here.
    pub hourly: Option<Usd>,
}

/// The sorts of charges, as a bill has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Line {
    /// A running instance.
    Instance,
    /// A volume.
    Volume,
    /// A public address: an Elastic IP address, or that of an instance.
    PublicAddress,
    /// A NAT gateway.
    NatGateway,
    /// A database instance.
    Database,
    /// A database's storage.
    DatabaseStorage,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Instance => "instance",
            Self::Volume => "volume",
            Self::PublicAddress => "public address",
            Self::NatGateway => "NAT gateway",
            Self::Database => "database",
            Self::DatabaseStorage => "database storage",
        })
    }
}

impl Line {
    /// What `time` is billed as: EC2 by the second and a minute at least, RDS by the second and ten minutes at least,
    /// NAT gateways by the hour begun.
    fn billed(self, time: Duration) -> Duration {
        let seconds = |time: Duration| time.as_millis().div_ceil(1000).try_into().map_or(time, Duration::from_secs);
        match self {
            Self::Instance => seconds(time).max(Duration::from_secs(60)),
            Self::Database => seconds(time).max(Duration::from_secs(600)),
            Self::NatGateway => {
                let hours = time.as_millis().div_ceil(HOUR.as_millis()).max(1);
                u32::try_from(hours).map_or(time, |hours| HOUR * hours)
            }
            Self::Volume | Self::PublicAddress | Self::DatabaseStorage => seconds(time),
        }
    }
}

/// An instance is billed while it runs, with its public address.
pub(super) fn instance(id: &str, state: &str, instance: &Value) -> Vec<Charge> {
    if state != "running" {
        return Vec::new();
    }
    let kind = instance.get("InstanceType").as_str().unwrap_or_default();
    let price =
        kind.split_once('.').and_then(|(family, size)| Some((known(&INSTANCES, family)?, known(&SIZES, size)?)));
    let hourly = price.map(|(nano, share)| Usd::micro(nano).times(share));
    let own = Charge { id: id.to_owned(), line: Line::Instance, hourly };
    let public = instance.get("PublicIpAddress").as_str().map(|_| address(id));
    std::iter::once(own).chain(public).collect()
}

/// A public address is billed from when it is ours, whether anything uses it or not.
pub(super) fn address(id: &str) -> Charge {
    Charge { id: id.to_owned(), line: Line::PublicAddress, hourly: Some(Usd::micro(ADDRESS)) }
}

/// A NAT gateway is billed while it is available.
pub(super) fn nat(id: &str, state: &str) -> Option<Charge> {
    let charge = || Charge { id: id.to_owned(), line: Line::NatGateway, hourly: Some(Usd::micro(NAT)) };
    (state == "available").then(charge)
}

/// A volume is billed as long as it exists, by its size.
pub(super) fn volume(id: &str, volume: &Value) -> Charge {
    let price = known(&VOLUMES, volume.get("VolumeType").as_str().unwrap_or_default());
    let size = volume.get("Size").as_i64().and_then(|size| u64::try_from(size).ok());
    let hourly = price.zip(size).map(|(price, size)| monthly(price, size));
    Charge { id: id.to_owned(), line: Line::Volume, hourly }
}

/// A database is billed with its storage, but not while it is created or deleted (RDS User Guide, instance status).
pub(super) fn database(id: &str, database: &Value) -> Vec<Charge> {
    let status = database.get("DBInstanceStatus").as_str().unwrap_or_default();
    if matches!(status, "creating" | "deleting") {
        return Vec::new();
    }
    let copies = if database.get("MultiAZ").as_bool() == Some(true) { 2 } else { 1 };
    let price = known(&DATABASES, database.get("DBInstanceClass").as_str().unwrap_or_default());
    let size = database.get("AllocatedStorage").as_i64().and_then(|size| u64::try_from(size).ok());
    let storage_type = database.get("StorageType").as_str();
    let storage = size.filter(|_| matches!(storage_type, Some("gp2" | "gp3")));
    let charge = |line, hourly| Charge { id: id.to_owned(), line, hourly };
    vec![
        charge(Line::Database, price.map(|price| Usd::micro(price).times(copies))),
        charge(Line::DatabaseStorage, storage.map(|size| monthly(STORAGE, size).times(copies))),
    ]
}

/// The price for an hour of `count` units at this price for a month, in micro-dollars.
fn monthly(micro: u64, count: u64) -> Usd {
    Usd { pico: Usd::micro(micro).times(count).pico / u128::from(HOURS) }
}

fn known<const N: usize>(prices: &[(&str, u64); N], name: &str) -> Option<u64> {
    prices.iter().find(|(known, _)| *known == name).map(|(_, price)| *price)
}

impl World {
    /// What is billed at this instant.
    pub fn charges(&self) -> &[Charge] {
        &self.charges
    }

    /// What the account costs in a month of 730 hours if it stays as it is.
    pub fn monthly(&self) -> Bill {
        let priced = self.charges.iter().filter_map(|charge| Some((charge.line, charge.hourly?.times(HOURS))));
        let unpriced = self.charges.iter().filter(|charge| charge.hourly.is_none());
        Bill::of(priced, unpriced)
    }
}

/// An amount by sorts of charges.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bill {
    /// What each sort comes to.
    pub lines: BTreeMap<Line, Usd>,
    /// Objects whose price is not known here, and what of them; they are in no sum.
    pub unpriced: Vec<String>,
}

impl Bill {
    fn of<'a>(priced: impl Iterator<Item = (Line, Usd)>, unpriced: impl Iterator<Item = &'a Charge>) -> Self {
        let mut bill = Self::default();
        for (line, amount) in priced {
            let sum = bill.lines.entry(line).or_default();
            *sum = [*sum, amount].into_iter().sum();
        }
        bill.unpriced = unpriced.map(|charge| format!("{} {}", charge.line, charge.id)).collect();
        bill.unpriced.dedup();
        bill
    }

    /// All of it.
    pub fn total(&self) -> Usd {
        self.lines.values().copied().sum()
    }

    /// The amount in words, with what it leaves out. `region` is where the account is.
    pub fn describe(&self, region: &str) -> String {
        let mut text = self.total().to_string();
        if region != PRICES_OF {
            text.push_str(&format!(" at the prices of {PRICES_OF}, which are not those of {region}"));
        }
        if !self.unpriced.is_empty() {
            text.push_str(&format!(", without {} whose price is not known here", self.unpriced.join(", ")));
        }
        text
    }
}

/// Adds up what an account costs while it is looked at.
#[derive(Clone, Debug, Default)]
pub struct Meter {
    last: Option<(Instant, Vec<Charge>)>,
    /// How long each was billed, at each of its prices.
    times: BTreeMap<Charge, Duration>,
}

impl Meter {
    /// Looks at the account at `now`, not earlier than the last time.
    pub fn look(&mut self, now: Instant, world: &World) {
        if let Some((then, charges)) = self.last.replace((now, world.charges.clone())) {
            let passed = now.since(then);
            for charge in charges {
                *self.times.entry(charge).or_default() += passed;
            }
        }
        for charge in &world.charges {
            self.times.entry(charge.clone()).or_default();
        }
    }

    /// What was spent until the last look.
    pub fn spent(&self) -> Bill {
        let priced = self
            .times
            .iter()
            .filter_map(|(charge, time)| Some((charge.line, charge.hourly?.of_hour(charge.line.billed(*time)))));
        Bill::of(priced, self.times.keys().filter(|charge| charge.hourly.is_none()))
    }
}
