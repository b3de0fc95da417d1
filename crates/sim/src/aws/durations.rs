//! How long AWS takes for what: a table, and how a duration is taken from it.
//!
//! The figures are from logs people published of stacks like this one (small instances, us-east-1); where there was
//! none, from AWS's user guides or from experience, and the source says so. What no row names is done when its call is
//! answered: gateways and their attachment, addresses, route tables and routes, security groups and their rules, and
//! subnet groups of databases, all of them within a second or two in the logs. Nothing here waits.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::rng::Rng;

/// How long things take in an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Durations {
    /// Everything is ready, or gone, at once.
    Instant,
    /// As short as was ever known.
    Shortest,
    /// As long as usual.
    Median,
    /// As long as was ever known, so that what is laid beside it is never slower.
    Longest,
    /// Drawn from the seed between the shortest and the longest known.
    Drawn,
}

/// Something that takes time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transition {
    /// A VPC, from `pending` to `available`.
    VpcCreate,
    /// A subnet, from `pending` to `available`.
    SubnetCreate,
    /// An association of a route table, from `associating` to `associated`.
    RouteTableAssociate,
    /// A NAT gateway, from `pending` to `available`.
    NatCreate,
    /// A NAT gateway, from `pending` to `failed`.
    NatFail,
    /// A NAT gateway, from `deleting` to `deleted`.
    NatDelete,
    /// A gateway endpoint, from `pending` to `available`.
    EndpointCreate,
    /// A gateway endpoint, from `deleting` to gone.
    EndpointDelete,
    /// An instance, from `pending` to `running`.
    InstanceStart,
    /// An instance, from `stopping` to `stopped`.
    InstanceStop,
    /// An instance, from `shutting-down` to `terminated`.
    InstanceTerminate,
    /// A volume, until its new size is there.
    VolumeModify,
    /// A volume, from `optimizing` to `completed`.
    VolumeOptimize,
    /// A database instance, from `creating` to `available`, the first backup included.
    DbCreate,
    /// The same without backups.
    DbCreateWithoutBackup,
    /// A standby for a database instance.
    DbMultiAz,
    /// From the answer to a change until the status of the database instance shows it.
    DbNotice,
    /// A change without restart.
    DbModify,
    /// A change of class or version, or backups turned on or off: the instance restarts.
    DbRestart,
    /// A new master password.
    DbPassword,
    /// A database instance, in `storage-optimization`.
    DbOptimize,
    /// A database instance, from `deleting` to gone, without a final snapshot.
    DbDelete,
    /// What a final snapshot adds to that.
    DbFinalSnapshot,
}

/// How long a transition takes, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Typical {
    /// What.
    pub transition: Transition,
    /// The shortest known.
    pub min_ms: u64,
    /// As often shorter as longer.
    pub median_ms: u64,
    /// The longest, the rare ones aside.
    pub max_ms: u64,
    /// Once in how many times it takes longer, and how long at most; `(0, 0)` for never.
    pub tail: (u64, u64),
    /// Where the figures are from.
    pub source: &'static str,
}

/// Seconds, as milliseconds.
const fn typical(transition: Transition, (min, median, max): (u64, u64, u64), source: &'static str) -> Typical {
    Typical { transition, min_ms: min * 1000, median_ms: median * 1000, max_ms: max * 1000, tail: (0, 0), source }
}

/// The table.
pub const TABLE: [Typical; 23] = [
    typical(Transition::VpcCreate, (1, 1, 3), "logs: 1 to 3 seconds"),
    typical(Transition::SubnetCreate, (0, 1, 2), "logs: about a second"),
    typical(Transition::RouteTableAssociate, (0, 0, 1), "logs: no more than a second"),
    typical(Transition::NatCreate, (84, 105, 121), "ten logs: 1m24s to 2m01s"),
    typical(Transition::NatFail, (2, 10, 60), "experience"),
    typical(Transition::NatDelete, (37, 61, 79), "18 logs: 37 to 79 seconds"),
    typical(Transition::EndpointCreate, (1, 6, 11), "logs of Terraform runs: 5 to 11 seconds, waits included"),
    typical(Transition::EndpointDelete, (1, 6, 31), "logs of Terraform runs: 5 to 31 seconds, waits included"),
    typical(Transition::InstanceStart, (12, 22, 42), "logs: 12 to 42 seconds"),
    typical(Transition::InstanceStop, (30, 40, 60), "experience: 30 to 60 seconds"),
    Typical {
        tail: (10, 112_000),
        ..typical(Transition::InstanceTerminate, (20, 32, 51), "15 logs: 20 to 51 seconds, and 66 and 112")
    },
    typical(Transition::VolumeModify, (1, 5, 30), "experience"),
    typical(Transition::VolumeOptimize, (60, 300, 3600), "EC2 user guide: minutes to hours, by size"),
    Typical {
        tail: (20, 1_020_000),
        ..typical(
            Transition::DbCreate,
            (302, 390, 512),
            "logs of db.t3.micro with PostgreSQL: 5m02s to 8m32s, sometimes 14 to 17 minutes",
        )
    },
    typical(
        Transition::DbCreateWithoutBackup,
        (196, 245, 296),
        "recorded creations and logs of runs with a retention of 0: 3m16s to 4m55s",
    ),
    typical(Transition::DbMultiAz, (420, 860, 1250), "events of RDS in logs: 7m, 14m19s and 20m50s"),
    typical(Transition::DbNotice, (0, 5, 30), "experience: why waiters pause before they first look"),
    typical(Transition::DbModify, (30, 75, 150), "experience: one to two minutes"),
    typical(Transition::DbRestart, (300, 480, 900), "experience: 5 to 15 minutes"),
    typical(Transition::DbPassword, (30, 40, 60), "experience"),
    typical(Transition::DbOptimize, (300, 600, 1800), "RDS user guide: minutes to hours, by size"),
    Typical {
        tail: (20, 385_000),
        ..typical(Transition::DbDelete, (111, 180, 285), "logs, without a final snapshot: 1m51s to 4m45s, once 6m25s")
    },
    typical(Transition::DbFinalSnapshot, (60, 120, 300), "experience"),
];

impl Transition {
    /// Its row in [`TABLE`].
    pub fn typical(self) -> Typical {
        let unknown = Typical { median_ms: 0, ..typical(self, (0, 0, 0), "none") };
        TABLE.into_iter().find(|row| row.transition == self).unwrap_or(unknown)
    }

    /// The name of its sub-stream.
    pub(crate) const fn stream(self) -> &'static str {
        match self {
            Self::VpcCreate => "duration/vpc-create",
            Self::SubnetCreate => "duration/subnet-create",
            Self::RouteTableAssociate => "duration/route-table-associate",
            Self::NatCreate => "duration/nat-create",
            Self::NatFail => "duration/nat-fail",
            Self::NatDelete => "duration/nat-delete",
            Self::EndpointCreate => "duration/endpoint-create",
            Self::EndpointDelete => "duration/endpoint-delete",
            Self::InstanceStart => "duration/instance-start",
            Self::InstanceStop => "duration/instance-stop",
            Self::InstanceTerminate => "duration/instance-terminate",
            Self::VolumeModify => "duration/volume-modify",
            Self::VolumeOptimize => "duration/volume-optimize",
            Self::DbCreate => "duration/db-create",
            Self::DbCreateWithoutBackup => "duration/db-create-without-backup",
            Self::DbMultiAz => "duration/db-multi-az",
            Self::DbNotice => "duration/db-notice",
            Self::DbModify => "duration/db-modify",
            Self::DbRestart => "duration/db-restart",
            Self::DbPassword => "duration/db-password",
            Self::DbOptimize => "duration/db-optimize",
            Self::DbDelete => "duration/db-delete",
            Self::DbFinalSnapshot => "duration/db-final-snapshot",
        }
    }
}

impl Typical {
    /// The longest known, the rare ones included, in milliseconds.
    pub fn longest_ms(&self) -> u64 {
        self.max_ms.max(self.tail.1)
    }

    /// A duration: with even chance between the shortest and the median or beyond it, there between the median and the
    /// longest or, as often as [`Typical::tail`] says, between the longest and the end of the tail.
    pub fn draw(&self, rng: &mut Rng) -> Duration {
        let (one_in, longest) = self.tail;
        let lot = rng.below(one_in.max(1) * 2);
        Duration::from_millis(if lot < one_in.max(1) {
            rng.between(self.min_ms, self.median_ms)
        } else if one_in > 0 && lot < one_in + 2 {
            rng.between(self.max_ms, longest)
        } else {
            rng.between(self.median_ms, self.max_ms)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DRAWS: usize = 20_000;

    fn drawn(row: &Typical) -> Vec<u64> {
        let draw = |ordinal| row.draw(&mut Rng::stream(1, row.transition.stream(), ordinal)).as_millis();
        let mut drawn: Vec<_> = (0..).take(DRAWS).map(|n| u64::try_from(draw(n)).expect("milliseconds")).collect();
        drawn.sort_unstable();
        drawn
    }

    #[test]
    fn rows_are_in_order_and_have_a_source() {
        for row in TABLE {
            assert_eq!(row.transition.typical(), row, "one row for each");
            assert!(row.min_ms <= row.median_ms && row.median_ms <= row.max_ms && row.max_ms > 0, "{row:?}");
            assert!(row.tail == (0, 0) || (row.tail.0 >= 4 && row.tail.1 > row.max_ms), "{row:?}: a tail is rare");
            assert!(!row.source.is_empty(), "{row:?}");
        }
    }

    /// Of 20,000 draws, a share has a standard error of 0.35 % at most: what is asked for allows five of them.
    #[test]
    fn draws_have_the_ends_the_median_and_the_tail_of_their_row() {
        for row in TABLE {
            let drawn = drawn(&row);
            let share = |of: &dyn Fn(u64) -> bool| drawn.iter().filter(|ms| of(**ms)).count() as f64 / DRAWS as f64;
            let (one_in, end) = row.tail;
            let longest = row.max_ms.max(end);
            assert!(drawn[0] >= row.min_ms && drawn[DRAWS - 1] <= longest, "{row:?}");
            // A hundredth of the range from either end was reached.
            let near = (longest - row.min_ms) / 100;
            assert!(drawn[0] <= row.min_ms + near && drawn[DRAWS - 1] >= longest - near, "{row:?}: {drawn:?}");
            // One side includes the median itself, which may be an end.
            let (below, above) = (share(&|ms| ms < row.median_ms), share(&|ms| ms > row.median_ms));
            assert!(below < 0.52 && above < 0.52 && above > 0.48, "{row:?}: {below} below, {above} above");
            let rare = share(&|ms| ms > row.max_ms);
            let wanted = if one_in == 0 { 0.0 } else { 1.0 / one_in as f64 };
            assert!((rare - wanted).abs() < 0.01, "{row:?}: {rare} in the tail");
        }
    }
}
