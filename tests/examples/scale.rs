//! Plans, applies in virtual time and plans again a stack with many servers, and tells what it took: on Linux, processor
//! time, so that it does not matter what else the machine does.
//!
//!     cargo run --release -p aloka-tests --example scale -- 10000

use std::time::Instant;

use aloka_core::plan::Mode;
use aloka_sim::aws::{Durations, Quotas};
use aloka_sim::world::Unwatched;
use aloka_tests::{Bench, clock, variables};

/// The most memory the process ever held, in MiB; Linux only.
fn peak_mib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? / 1024)
}

fn main() {
    let count: u32 = std::env::args().nth(1).and_then(|count| count.parse().ok()).unwrap_or(10_000);
    let vars = variables(&format!(
        "vpc_cidr = \"10.0.0.0/16\"\npublic_subnet_cidrs = [\"10.0.0.0/18\", \"10.0.64.0/18\"]\n\
         private_subnet_cidrs = [\"10.0.128.0/24\", \"10.0.129.0/24\"]\napp_instance_count = {count}\n"
    ));
    let mut bench = Bench::new(1, Durations::Median);
    // AWS would allow 5000 network interfaces.
    bench.world.account = bench.world.account.with_quotas(Quotas::unlimited());
    let origin = Instant::now();
    let mut start = clock(origin);
    let mut tell = |what: &str| {
        let peak = peak_mib().map_or_else(|| "?".to_owned(), |mib| mib.to_string());
        println!("{what:<22} {:>7.2} s   peak so far {peak} MiB", (clock(origin) - start).as_secs_f64());
        start = clock(origin);
    };
    let planned = bench.plan(&vars, Mode::Apply).expect("a plan");
    tell("plan from nothing");
    let end = bench.run(&planned, &mut Unwatched);
    drop(planned);
    tell("apply");
    let again = bench.plan(&vars, Mode::Apply).expect("a plan");
    tell("plan, nothing to do");
    assert!(again.plan.is_empty(), "{end:?}");
    let calls: u64 = bench.world.calls().values().sum();
    println!("{count} servers, {calls} calls, {} writes of the state", bench.store.writes());
}
