//! What AWS offers in a Region: zones, instance types, images, database versions and classes. As of October 2026.

use crate::rng::Rng;

/// A machine architecture, as AWS writes it.
pub(crate) const X86: &str = "x86_64";
const ARM: &str = "arm64";

/// Families of instance types, whether they are for ARM, and whether the zone without newer hardware has them.
const FAMILIES: [(&str, bool, bool); 20] = [
    ("t2", false, true),
    ("t3", false, false),
    ("t3a", false, false),
    ("t4g", true, false),
    ("m4", false, true),
    ("m5", false, false),
    ("m5a", false, false),
    ("m6a", false, false),
    ("m6g", true, false),
    ("m6i", false, false),
    ("m7a", false, false),
    ("m7g", true, false),
    ("m7i", false, false),
    ("c5", false, false),
    ("c6g", true, false),
    ("c6i", false, false),
    ("c7g", true, false),
    ("r5", false, false),
    ("r6g", true, false),
    ("r6i", false, false),
];

/// Sizes, and the vCPUs of an instance that has one.
const SIZES: [(&str, u32); 10] = [
    ("nano", 2),
    ("micro", 2),
    ("small", 2),
    ("medium", 2),
    ("large", 2),
    ("xlarge", 4),
    ("2xlarge", 8),
    ("4xlarge", 16),
    ("8xlarge", 32),
    ("16xlarge", 64),
];

/// An instance type.
#[derive(Clone, Copy, Debug)]
pub(crate) struct InstanceType {
    pub(crate) architecture: &'static str,
    pub(crate) vcpus: u32,
    everywhere: bool,
}

/// The instance type called `name`.
pub(crate) fn instance_type(name: &str) -> Option<InstanceType> {
    let (family, size) = name.split_once('.')?;
    let (_, arm, everywhere) = *FAMILIES.iter().find(|(known, ..)| *known == family)?;
    let (_, vcpus) = *SIZES.iter().find(|(known, _)| *known == size)?;
    let burstable = family.starts_with('t');
    let small = matches!(size, "nano" | "micro" | "small");
    let large = matches!(size, "4xlarge" | "8xlarge" | "16xlarge");
    if (burstable && large) || (!burstable && small) || (size == "medium" && !burstable && !arm) {
        return None;
    }
    Some(InstanceType { architecture: if arm { ARM } else { X86 }, vcpus, everywhere })
}

/// Every instance type.
pub(crate) fn instance_types() -> impl Iterator<Item = String> {
    let names = FAMILIES.iter().flat_map(|(family, ..)| SIZES.iter().map(move |(size, _)| format!("{family}.{size}")));
    names.filter(|name| instance_type(name).is_some())
}

impl InstanceType {
    /// True if the zone has it. One zone of us-east-1 (`use1-az3`) lacks most of what came after 2016.
    pub(crate) fn is_offered(self, zone: &str) -> bool {
        self.everywhere || zone != "us-east-1e"
    }
}

/// Types that an account on the Free plan may have: those with `FreeTierEligible` (moto's data of a real account, October 2026).
pub(crate) const FREE_PLAN_TYPES: [&str; 8] =
    ["c7i-flex.large", "m7i-flex.large", "t3.micro", "t3.small", "t4g.micro", "t4g.small", "t8i.micro", "t8i.small"];

/// Classes of databases that an account on the Free plan may have (logs of real runs).
pub(crate) const FREE_PLAN_CLASSES: [&str; 2] = ["db.t3.micro", "db.t4g.micro"];

/// The zones of a Region.
pub(crate) fn zones(region: &str) -> Vec<String> {
    let letters: &[char] = if region == "us-east-1" { &['a', 'b', 'c', 'd', 'e', 'f'] } else { &['a', 'b', 'c'] };
    letters.iter().map(|letter| format!("{region}{letter}")).collect()
}

/// A zone as `DescribeAvailabilityZones` tells of it.
#[derive(Clone, Debug)]
pub(crate) struct Zone {
    pub(crate) name: String,
    pub(crate) id: String,
    /// `availability-zone`, `local-zone`, `wavelength-zone`
    pub(crate) kind: &'static str,
    /// `opt-in-not-required`, `opted-in`
    pub(crate) opt_in: &'static str,
    pub(crate) group: String,
}

/// The zones of a Region that are listed, and the local and wavelength zones if the account has opted in to them.
pub(crate) fn listed_zones(region: &str, with_local: bool) -> Vec<Zone> {
    let own = zones(region).into_iter().map(|name| Zone {
        id: zone_id(region, &name),
        name,
        kind: "availability-zone",
        opt_in: "opt-in-not-required",
        group: region.to_owned(),
    });
    let local = [("local-zone", "bos-1", "a"), ("wavelength-zone", "wl1", "-bos-wlz-1")];
    let local = local.into_iter().filter(|_| with_local).map(|(kind, place, rest)| Zone {
        name: format!("{region}-{place}{rest}"),
        id: format!("{region}-{place}-az1"),
        kind,
        opt_in: "opted-in",
        group: format!("{region}-{place}"),
    });
    // The order of the answer is not fixed.
    local.chain(own).collect()
}

/// The identifier of a zone: `use1-az6`. Which letter is which zone differs from account to account in us-east-1.
pub(crate) fn zone_id(region: &str, zone: &str) -> String {
    const US_EAST_1: [u8; 6] = [6, 1, 2, 4, 3, 5];
    let letter = zone.strip_prefix(region).and_then(|rest| rest.bytes().next()).unwrap_or(b'a');
    let index = letter.saturating_sub(b'a');
    let number = match region {
        "us-east-1" => US_EAST_1.get(usize::from(index)).copied().unwrap_or(index),
        _ => index + 1,
    };
    let short: String = region
        .split('-')
        .enumerate()
        .map(|(part, word)| match (part, word) {
            (0, word) => word.to_owned(),
            (_, "northeast") => "ne".to_owned(),
            (_, "northwest") => "nw".to_owned(),
            (_, "southeast") => "se".to_owned(),
            (_, "southwest") => "sw".to_owned(),
            (_, word) => word.chars().take(1).collect(),
        })
        .collect();
    format!("{short}-az{number}")
}

/// An image.
#[derive(Clone, Debug)]
pub(crate) struct Image {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) architecture: &'static str,
    pub(crate) root_size: i64,
    pub(crate) root_type: &'static str,
    /// True if it asks for instance metadata version 2.
    pub(crate) needs_tokens: bool,
}

/// The device every one of these images boots from.
pub(crate) const ROOT_DEVICE: &str = "/dev/xvda";

/// Where the public parameters of the images are.
pub(crate) const IMAGE_PARAMETERS: &str = "/aws/service/ami-amazon-linux-latest/";

/// Aliases of Amazon Linux images, and the first one's identifier in us-east-1 where it is known.
const ALIASES: [(&str, Option<&str>); 12] = [
    ("al2023-ami-kernel-6.1-arm64", None),
    ("al2023-ami-kernel-6.1-x86_64", Some("ami-03c3da4cfa8e8943a")),
    ("al2023-ami-kernel-default-arm64", None),
    ("al2023-ami-kernel-default-x86_64", Some("ami-0d27e0fb3bac4d724")),
    ("al2023-ami-minimal-kernel-default-arm64", None),
    ("al2023-ami-minimal-kernel-default-x86_64", None),
    ("amzn2-ami-hvm-arm64-gp2", None),
    ("amzn2-ami-hvm-x86_64-ebs", None),
    ("amzn2-ami-hvm-x86_64-gp2", Some("ami-0f8848d57eb4fe2d2")),
    ("amzn2-ami-kernel-5.10-hvm-arm64-gp2", None),
    ("amzn2-ami-kernel-5.10-hvm-x86_64-gp2", Some("ami-0fb23f2d720767b7a")),
    ("amzn2-ami-kernel-default-hvm-x86_64-gp2", None),
];

/// The image that release `release` of an alias is in a Region; releases count from zero.
pub(crate) fn image(region: &str, alias: &str, release: u64) -> Option<Image> {
    let (_, known) = ALIASES.iter().find(|(name, _)| *name == alias)?;
    let id = match known.filter(|_| region == "us-east-1" && release == 0) {
        Some(id) => id.to_owned(),
        // Images are the same for every account, so no seed.
        None => format!("ami-0{}", Rng::stream(0, &format!("{region}/{alias}"), release).text("0123456789abcdef", 16)),
    };
    let al2023 = alias.starts_with("al2023");
    let minimal = alias.contains("minimal");
    Some(Image {
        id,
        name: format!("{alias}-2026.{:02}.{:02}", 10 + release / 4 % 3, 1 + release % 4 * 7),
        architecture: if alias.contains(ARM) { ARM } else { X86 },
        root_size: if minimal { 2 } else { 8 },
        root_type: if al2023 { "gp3" } else { "gp2" },
        needs_tokens: al2023,
    })
}

/// Every image of a Region up to release `newest`.
pub(crate) fn images(region: &str, newest: u64) -> impl Iterator<Item = Image> {
    let releases = (0..=newest).flat_map(|release| ALIASES.iter().map(move |(alias, _)| (*alias, release)));
    releases.filter_map(move |(alias, release)| image(region, alias, release))
}

/// PostgreSQL versions a database instance can be created with: major, and the first and last minor, oldest first.
/// (18.5 was never offered.)
const POSTGRES: [(u32, u32, u32); 6] = [(13, 23, 23), (14, 18, 24), (15, 13, 19), (16, 9, 15), (17, 5, 11), (18, 1, 6)];

/// Versions of PostgreSQL on offer, oldest first.
pub(crate) fn postgres_versions() -> Vec<String> {
    let minors = POSTGRES.iter().flat_map(|(major, first, last)| (*first..=*last).map(move |minor| (*major, minor)));
    minors.filter(|version| *version != (18, 5)).map(|(major, minor)| format!("{major}.{minor}")).collect()
}

/// The version that `asked` stands for: itself, the newest minor of a major, or without any the newest of version 17.
pub(crate) fn resolve_postgres(asked: Option<&str>) -> Option<String> {
    let asked = asked.unwrap_or("17");
    let matches =
        |version: &String| version == asked || version.split_once('.').is_some_and(|(major, _)| major == asked);
    postgres_versions().into_iter().rfind(matches)
}

/// The major part of a version.
pub(crate) fn major(version: &str) -> &str {
    version.split_once('.').map_or(version, |(major, _)| major)
}

/// What is to be said of a class of database instances for PostgreSQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DbClass {
    Orderable,
    /// It exists, for other engines.
    OtherEngines,
    /// It exists, for older versions than those on offer.
    Old,
    Unknown,
}

/// Sizes of families of classes.
const BURSTABLE: &str = "micro small medium large xlarge 2xlarge";
const FROM_LARGE: &str = "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge";
const TO_24: &str = "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge";
const TO_32: &str = "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge";
const TO_48: &str = "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 48xlarge";

/// Families of classes of database instances in us-east-1 and their sizes (CloudFormation's schema of a DB instance;
/// which of them are old: the RDS user guide, "Supported DB engines for DB instance classes").
const DB_CLASSES: [(&str, DbClass, &str); 46] = [
    ("t3", DbClass::Orderable, BURSTABLE),
    ("t4g", DbClass::Orderable, BURSTABLE),
    ("m5", DbClass::Orderable, TO_24),
    ("m5d", DbClass::Orderable, TO_24),
    ("m6g", DbClass::Orderable, FROM_LARGE),
    ("m6gd", DbClass::Orderable, FROM_LARGE),
    ("m6i", DbClass::Orderable, TO_32),
    ("m6id", DbClass::Orderable, TO_32),
    ("m6idn", DbClass::Orderable, TO_32),
    ("m6in", DbClass::Orderable, TO_32),
    ("m7g", DbClass::Orderable, FROM_LARGE),
    ("m7i", DbClass::Orderable, TO_48),
    ("m8g", DbClass::Orderable, TO_48),
    ("m8gd", DbClass::Orderable, TO_48),
    ("r5", DbClass::Orderable, TO_24),
    ("r5b", DbClass::Orderable, TO_24),
    ("r5d", DbClass::Orderable, TO_24),
    ("r6g", DbClass::Orderable, FROM_LARGE),
    ("r6gd", DbClass::Orderable, FROM_LARGE),
    ("r6i", DbClass::Orderable, TO_32),
    ("r6id", DbClass::Orderable, TO_32),
    ("r6idn", DbClass::Orderable, TO_32),
    ("r6in", DbClass::Orderable, TO_32),
    ("r7g", DbClass::Orderable, FROM_LARGE),
    ("r7i", DbClass::Orderable, TO_48),
    ("r8g", DbClass::Orderable, TO_48),
    ("r8gd", DbClass::Orderable, TO_48),
    ("x2g", DbClass::Orderable, FROM_LARGE),
    ("x2iedn", DbClass::Orderable, "xlarge 2xlarge 4xlarge 8xlarge 16xlarge 24xlarge 32xlarge"),
    ("t1", DbClass::Old, "micro"),
    ("t2", DbClass::Old, BURSTABLE),
    ("m1", DbClass::Old, "small medium large xlarge"),
    ("m2", DbClass::Old, "xlarge 2xlarge 4xlarge"),
    ("m3", DbClass::Old, "medium large xlarge 2xlarge"),
    ("m4", DbClass::Old, "large xlarge 2xlarge 4xlarge 10xlarge 16xlarge"),
    ("r3", DbClass::Old, "large xlarge 2xlarge 4xlarge 8xlarge"),
    ("r4", DbClass::Old, "large xlarge 2xlarge 4xlarge 8xlarge 16xlarge"),
    ("x1", DbClass::OtherEngines, "16xlarge 32xlarge"),
    ("z1d", DbClass::OtherEngines, "large xlarge 2xlarge 3xlarge 6xlarge 12xlarge"),
    ("m8a", DbClass::OtherEngines, FROM_LARGE),
    ("m8i", DbClass::OtherEngines, TO_48),
    ("r8a", DbClass::OtherEngines, FROM_LARGE),
    ("r8i", DbClass::OtherEngines, TO_48),
    ("x1e", DbClass::OtherEngines, "xlarge 2xlarge 4xlarge 8xlarge 16xlarge 32xlarge"),
    ("x2idn", DbClass::OtherEngines, "16xlarge 24xlarge 32xlarge"),
    ("x2iezn", DbClass::OtherEngines, "2xlarge 4xlarge 6xlarge 8xlarge 12xlarge"),
];

/// Looks up a class of database instances.
pub(crate) fn db_class(name: &str) -> DbClass {
    let Some((family, size)) = name.strip_prefix("db.").and_then(|rest| rest.split_once('.')) else {
        return DbClass::Unknown;
    };
    let found = DB_CLASSES.iter().find(|(known, ..)| *known == family);
    let found = found.filter(|(.., sizes)| sizes.split(' ').any(|known| known == size));
    found.map_or(DbClass::Unknown, |(_, class, _)| *class)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_named_as_aws_names_them() {
        let cases = [
            ("us-east-1", "us-east-1a", "use1-az6"),
            ("us-east-1", "us-east-1e", "use1-az3"),
            ("us-west-2", "us-west-2b", "usw2-az2"),
            ("eu-central-1", "eu-central-1c", "euc1-az3"),
            ("ap-southeast-1", "ap-southeast-1a", "apse1-az1"),
            ("ap-northeast-1", "ap-northeast-1a", "apne1-az1"),
        ];
        for (region, zone, id) in cases {
            assert!(zones(region).contains(&zone.to_owned()));
            assert_eq!(zone_id(region, zone), id);
        }
    }

    #[test]
    fn types_and_classes() {
        for name in ["t3.small", "t3.micro", "t4g.nano", "m5.large", "c7g.medium", "t2.micro"] {
            assert!(instance_type(name).is_some(), "{name}");
        }
        for name in ["t9.big", "t3", "m5.nano", "t3.16xlarge", "t3.", ".small", "m5.medium"] {
            assert!(instance_type(name).is_none(), "{name}");
        }
        assert_eq!(db_class("db.t3.micro"), DbClass::Orderable);
        assert_eq!(db_class("db.t2.micro"), DbClass::Old);
        assert_eq!(db_class("db.z1d.large"), DbClass::OtherEngines);
        for name in ["t3.micro", "db.t3.nano", "db.m5.micro", "db.x", "db.t3.micro.x"] {
            assert_eq!(db_class(name), DbClass::Unknown, "{name}");
        }
    }

    #[test]
    fn versions() {
        let versions = postgres_versions();
        for version in ["13.23", "14.18", "15.13", "15.19", "16.15", "17.11", "18.6"] {
            assert!(versions.contains(&version.to_owned()), "{version}");
        }
        for version in ["15.4", "15.12", "15.20", "18.5", "12.1"] {
            assert!(!versions.contains(&version.to_owned()), "{version}");
            assert_eq!(resolve_postgres(Some(version)), None);
        }
        assert_eq!(resolve_postgres(Some("15")).as_deref(), Some("15.19"));
        assert_eq!(resolve_postgres(Some("15.14")).as_deref(), Some("15.14"));
        assert_eq!(resolve_postgres(Some("1")), None);
    }

    #[test]
    fn images_differ_by_region_alias_and_release() {
        let one = image("us-east-1", "amzn2-ami-hvm-x86_64-gp2", 0).expect("an image");
        assert_eq!(one.id, "ami-0f8848d57eb4fe2d2");
        let mut ids: Vec<String> =
            ["us-east-1", "eu-west-1"].into_iter().flat_map(|region| images(region, 2)).map(|image| image.id).collect();
        let count = ids.len();
        ids.sort();
        ids.dedup();
        assert_eq!((ids.len(), count), (72, 72));
    }
}
