//! How fast the simulated account and the planner are.
//!
//!     just bench
//!
//! Measured are the middle of several rounds of a second each: calls of the simulated API, as a life of a stack sends
//! them; deployments, planned and applied in virtual time; runs of a forecast; and the time to make a plan. On Linux a
//! second is one of processor time, so that it does not matter what else the machine does.

use std::time::{Duration, Instant};

use aloka_core::api::{Reply, Request};
use aloka_core::plan::Mode;
use aloka_core::time::Instant as VirtualInstant;
use aloka_core::variables::Variables;
use aloka_sim::aws::{Account, Durations, Options};
use aloka_sim::fault::FaultPlan;
use aloka_sim::rehearsal::RehearsalOptions;
use aloka_sim::rehearsal::forecast::Forecast;
use aloka_sim::world::{Unwatched, Watch};
use aloka_tests::{Bench, LINEAGE, clock, inputs, secrets, variables};

const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(1);

/// How often `work` can be done in a second, the middle of the rounds; each time it tells how much it did.
fn per_second(mut work: impl FnMut() -> usize) -> f64 {
    work();
    let origin = Instant::now();
    let mut rates: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let (start, mut done) = (clock(origin), 0_u32);
            while clock(origin) - start < ROUND {
                done += u32::try_from(work()).expect("few");
            }
            f64::from(done) / (clock(origin) - start).as_secs_f64()
        })
        .collect();
    rates.sort_by(f64::total_cmp);
    rates[ROUNDS / 2]
}

/// Every call that AWS got, with its time and whether it was answered.
#[derive(Default)]
struct Recorder(Vec<(VirtualInstant, Request, bool)>);

impl Watch for Recorder {
    fn after_call(&mut self, now: VirtualInstant, _account: &mut Account, request: &Request, reply: &Reply) {
        self.0.push((now, request.clone(), reply.is_ok()));
    }
}

/// The whole life of the stack: plan and apply, nothing to do, destroy.
fn life(vars: &Variables) -> Bench {
    let mut bench = Bench::new(1, Durations::Median);
    bench.apply(vars, Mode::Apply);
    assert!(bench.plan(vars, Mode::Apply).expect("a plan").plan.is_empty());
    bench.apply(vars, Mode::Destroy);
    assert!(bench.world.account.is_empty(bench.world.now()));
    bench
}

fn main() {
    let vars = variables("");
    let tell = |what: &str, rate: f64, unit: &str, of: &str| println!("{what:<38} {rate:>12.0} {unit}   {of}");

    // The account gives the same identifiers to the same calls, so that they can be sent again as they were.
    let mut recorder = Recorder::default();
    let mut bench = Bench::new(1, Durations::Median);
    for mode in [Mode::Apply, Mode::Destroy] {
        let planned = bench.plan(&vars, mode).expect("a plan");
        bench.run(&planned, &mut recorder);
    }
    let (calls, secrets) = (recorder.0, secrets());
    let rate = per_second(|| {
        let mut account = Account::new(Options { seed: 1, ..Options::default() });
        for (now, request, answered) in &calls {
            assert_eq!(account.call(*now, request, &secrets).is_ok(), *answered, "{request}");
        }
        calls.len()
    });
    tell("simulated API, calls of a life", rate, "calls/s", &format!("({} calls, apply and destroy)", calls.len()));

    let empty = Bench::new(1, Durations::Median);
    let mut planning = empty.clone();
    let planned = planning.plan(&vars, Mode::Apply).expect("a plan");
    let rate = per_second(|| {
        planning.clone().run(&planned, &mut Unwatched);
        1
    });
    tell("apply", rate, "runs/s ", &format!("({} nodes)", planned.plan.nodes.len()));
    let rate = per_second(|| {
        life(&vars);
        1
    });
    tell("plan, apply, plan, plan, destroy", rate, "lives/s", "");

    let asked = inputs(vars.clone(), Mode::Apply, &empty.state());
    let options = RehearsalOptions {
        seed: 1,
        keep: false,
        durations: Durations::Drawn,
        region: vars.aws_region.clone(),
        lineage: LINEAGE.to_owned(),
        faults: FaultPlan::none(),
        long_trace: false,
    };
    let forecast = Forecast::prepare(&asked, &secrets, &options).expect("plans");
    let mut seed = 0;
    let rate = per_second(|| {
        seed += 1;
        assert_eq!(forecast.run(&secrets, seed).destroy.failure, None);
        1
    });
    tell("run of a forecast", rate, "runs/s ", "(apply and destroy, durations drawn)");

    let mut standing = Bench::new(1, Durations::Median);
    standing.apply(&vars, Mode::Apply);
    for (what, bench) in [("plan from nothing", &empty), ("plan, nothing to do", &standing)] {
        let rate = per_second(|| usize::from(bench.clone().plan(&vars, Mode::Apply).is_ok()));
        tell(what, 1e6 / rate, "µs     ", "reads included, password hash not");
    }
}
