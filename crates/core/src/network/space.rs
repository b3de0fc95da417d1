//! Sets of IPv4 addresses, and areas: which addresses on which traffic.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::Ipv4Addr;

use ipnet::{Ipv4Net, Ipv4Subnets};
use serde::{Serialize, Serializer};

use super::Source;
use super::ranges::{Ranges, set_algebra};
use super::traffic::Traffic;

/// Addresses that no packet from the internet carries (IANA special-purpose registry: private, shared, loopback,
/// link-local, "this network", multicast, reserved). The documentation blocks are not among them, on purpose.
const NOT_INTERNET: [(Ipv4Addr, u8); 8] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(224, 0, 0, 0), 3),
];

/// More CIDR blocks than this are cut short in text.
const SHOWN: usize = 4;

/// A set of IPv4 addresses. Equal sets are equal values.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ipv4Set(Ranges);

set_algebra!(Ipv4Set);

impl Ipv4Set {
    /// Every address.
    pub fn all() -> Self {
        Self(Ranges::new([(0, u32::MAX)]))
    }

    /// Every address a packet from the internet can come from.
    pub fn internet() -> Self {
        let special = NOT_INTERNET.iter().filter_map(|&(start, length)| Ipv4Net::new(start, length).ok());
        Self::all().minus(&Self::of(special))
    }

    /// The addresses in any of `nets`; host bits are ignored, as AWS ignores them.
    pub fn of(nets: impl IntoIterator<Item = Ipv4Net>) -> Self {
        Self(Ranges::new(nets.into_iter().map(|net| (net.network().to_bits(), net.broadcast().to_bits()))))
    }

    /// True if `address` is in it.
    pub fn contains(&self, address: Ipv4Addr) -> bool {
        self.0.contains(address.to_bits())
    }

    /// Blocks that hold these addresses and, of the internet, no others: `128.0.0.0/1` and not the dozen blocks that
    /// are left of it without private and reserved addresses.
    fn internet_blocks(&self) -> Vec<Ipv4Net> {
        let internet = Self::internet();
        let mut blocks = Self::all().minus(&internet).union(self).blocks();
        blocks.retain(|&block| !Self::of([block]).intersect(&internet).is_empty());
        blocks
    }

    /// [`Self::internet_blocks`] as text, cut short.
    pub(super) fn internet_text(&self) -> String {
        text(&self.internet_blocks())
    }

    /// Serializes [`Self::internet_blocks`].
    pub(super) fn serialize_internet<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.internet_blocks())
    }

    /// The fewest CIDR blocks that hold exactly these addresses.
    pub fn blocks(&self) -> Vec<Ipv4Net> {
        let subnets = |(low, high)| Ipv4Subnets::new(Ipv4Addr::from_bits(low), Ipv4Addr::from_bits(high), 0);
        self.0.iter().flat_map(subnets).collect()
    }
}

/// `10.0.0.0/16, 192.0.2.0/24`; long lists are cut short.
impl fmt::Display for Ipv4Set {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&text(&self.blocks()))
    }
}

fn text(blocks: &[Ipv4Net]) -> String {
    let shown: Vec<_> = blocks.iter().take(SHOWN).map(Ipv4Net::to_string).collect();
    match blocks.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more blocks", shown.join(", ")),
    }
}

impl Serialize for Ipv4Set {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.blocks())
    }
}

/// For each service, a set of addresses. Invariant: no two entries share a service, none is empty, and services with
/// the same addresses are in one entry, so that equal areas are equal values however the rules were cut.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Area(BTreeMap<Ipv4Set, Traffic>);

impl Area {
    /// The union of rectangles: all of these addresses on all of this traffic.
    pub(super) fn of(parts: &[(Ipv4Set, Traffic)]) -> Self {
        let cuts = parts.iter().flat_map(|(_, traffic)| traffic.cuts()).collect();
        Self::build(&cuts, |service| {
            let matching = parts.iter().filter(|(_, traffic)| traffic.has(service));
            matching.fold(Ipv4Set::default(), |sum, (addresses, _)| sum.union(addresses))
        })
    }

    /// What is in this and not in `other`.
    pub(super) fn minus(&self, other: &Self) -> Self {
        let cuts = self.0.values().chain(other.0.values()).flat_map(Traffic::cuts).collect();
        Self::build(&cuts, |service| self.at(service).minus(&other.at(service)))
    }

    /// The entries as sources: addresses and the traffic they have in common.
    pub(super) fn sources(self, source: fn(Ipv4Set) -> Source) -> impl Iterator<Item = (Source, Traffic)> {
        self.0.into_iter().map(move |(addresses, traffic)| (source(addresses), traffic))
    }

    /// The traffic on which every one of `addresses` is in the area.
    pub(super) fn common(&self, addresses: &Ipv4Set) -> Traffic {
        let covering = self.0.iter().filter(|(set, _)| set.covers(addresses));
        covering.fold(Traffic::default(), |sum, (_, traffic)| sum.union(traffic))
    }

    fn at(&self, service: u32) -> Ipv4Set {
        self.0.iter().find(|(_, traffic)| traffic.has(service)).map(|(set, _)| set.clone()).unwrap_or_default()
    }

    /// Between two neighbouring cuts all services have the same addresses, so one of them speaks for all.
    fn build(cuts: &BTreeSet<u32>, addresses: impl Fn(u32) -> Ipv4Set) -> Self {
        let mut entries: BTreeMap<Ipv4Set, Traffic> = BTreeMap::new();
        for (&low, &end) in cuts.iter().zip(cuts.iter().skip(1)) {
            let set = addresses(low);
            if !set.is_empty() {
                let traffic = entries.entry(set).or_default();
                *traffic = traffic.union(&Traffic::services(low, end));
            }
        }
        Self(entries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(blocks: &[&str]) -> Ipv4Set {
        Ipv4Set::of(blocks.iter().map(|block| block.parse().expect("a block")))
    }

    #[test]
    fn the_internet_is_neither_private_nor_reserved() {
        for address in ["10.1.2.3", "172.31.0.1", "192.168.0.1", "127.0.0.1", "169.254.169.254", "255.255.255.255"] {
            assert!(!Ipv4Set::internet().contains(address.parse().expect(address)), "{address}");
        }
        for address in ["203.0.113.7", "8.8.8.8", "172.32.0.1", "223.255.255.255", "1.0.0.0"] {
            assert!(Ipv4Set::internet().contains(address.parse().expect(address)), "{address}");
        }
    }

    #[test]
    fn blocks_are_minimal_and_exact() {
        assert_eq!(set(&["10.0.0.0/25", "10.0.0.128/25"]).to_string(), "10.0.0.0/24");
        assert_eq!(set(&["10.0.0.77/24"]).to_string(), "10.0.0.0/24");
        assert_eq!(Ipv4Set::all().to_string(), "0.0.0.0/0");
        assert_eq!(set(&["10.0.0.0/24"]).minus(&set(&["10.0.0.0/26"])).to_string(), "10.0.0.64/26, 10.0.0.128/25");
    }

    #[test]
    fn parts_of_the_internet_read_as_rules_write_them() {
        for blocks in [&["128.0.0.0/1"][..], &["198.51.100.0/24", "203.0.113.7/32"], &["0.0.0.0/2"]] {
            assert_eq!(set(blocks).intersect(&Ipv4Set::internet()).internet_text(), blocks.join(", "));
        }
    }

    #[test]
    fn an_area_does_not_depend_on_how_it_was_cut() {
        let (ten, half) = (set(&["10.0.0.0/8"]), set(&["10.0.0.0/9"]));
        let whole = Area::of(&[(ten.clone(), Traffic::tcp(1, 10))]);
        let cut = Area::of(&[
            (ten.clone(), Traffic::tcp(1, 6)),
            (ten.minus(&half), Traffic::tcp(7, 10)),
            (half.clone(), Traffic::tcp(5, 10)),
        ]);
        assert_eq!(whole, cut);
        let rest = whole.minus(&Area::of(&[(half.clone(), Traffic::tcp(1, 5))]));
        let expected = Area::of(&[(ten.minus(&half), Traffic::tcp(1, 5)), (ten.clone(), Traffic::tcp(6, 10))]);
        assert_eq!(rest, expected);
        assert_eq!(rest.common(&ten), Traffic::tcp(6, 10));
        assert_eq!(rest.common(&ten.minus(&half)), Traffic::tcp(1, 10));
    }
}
