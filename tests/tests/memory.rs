//! Memory: what a server more takes while it is planned, applied and planned again, simulated account included.
//!
//! Alone in its process, because the allocator counts for all threads.

use aloka_core::plan::Mode;
use aloka_sim::aws::Durations;
use aloka_sim::world::Unwatched;
use aloka_tests::{Bench, variables};
use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// The most bytes held at once in each of the three steps.
fn peaks(count: u32) -> [usize; 3] {
    let vars = variables(&format!(
        "vpc_cidr = \"10.0.0.0/16\"\npublic_subnet_cidrs = [\"10.0.0.0/18\", \"10.0.64.0/18\"]\n\
         private_subnet_cidrs = [\"10.0.128.0/24\", \"10.0.129.0/24\"]\napp_instance_count = {count}\n"
    ));
    let mut bench = Bench::new(7, Durations::Median);
    let peak = || {
        let peak = ALLOCATOR.peak_usage();
        ALLOCATOR.reset_peak_usage();
        peak
    };
    ALLOCATOR.reset_peak_usage();
    let planned = bench.plan(&vars, Mode::Apply).expect("a plan");
    let plan = peak();
    let _end = bench.run(&planned, &mut Unwatched);
    drop(planned);
    let apply = peak();
    let again = bench.plan(&vars, Mode::Apply).expect("a plan");
    assert!(again.plan.is_empty());
    [plan, apply, peak()]
}

#[test]
fn a_server_takes_a_few_kilobytes() {
    // What is there once, such as shared names, counts in neither: the first run makes it, the difference cancels it.
    peaks(10);
    let (small, large) = (peaks(500), peaks(1000));
    let bounds = [("plan", 4_400), ("apply", 7_000), ("plan, nothing to do", 9_300)];
    for ((what, bound), (small, large)) in bounds.into_iter().zip(small.into_iter().zip(large)) {
        let each = large.saturating_sub(small) / 500;
        println!("{what}: {each} bytes");
        assert!(each > 0, "{what}: {small} bytes with 500 servers, {large} with 1000: nothing is counted");
        assert!(each <= bound, "{what}: {each} bytes a server, {bound} are allowed");
    }
}
