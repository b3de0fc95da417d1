//! One destroy, and everything that was refused in it.

use aloka_core::api::{ErrorClass, Reply, Request};
use aloka_core::engine::{Executor, Outcome};
use aloka_core::plan::Mode;
use aloka_core::session::sweep::Swept;
use aloka_core::time::Instant;
use aloka_core::variables::Variables;
use aloka_sim::aws::Account;
use aloka_sim::fault::FaultPlan;
use aloka_sim::world::{RunEnd, Watch};
use aloka_tests::{Bench, secrets};

/// Refusals because something is in use, or is at work.
#[derive(Default)]
pub(crate) struct Refusals(pub(crate) Vec<String>);

impl Watch for Refusals {
    fn after_call(&mut self, _now: Instant, _account: &mut Account, request: &Request, reply: &Reply) {
        if let Err(error) = reply
            && error.class == ErrorClass::Conflict
        {
            self.0.push(format!("{request}: {error}"));
        }
    }
}

/// What one run of destroy came to.
pub(crate) struct Destroyed {
    pub(crate) end: RunEnd,
    pub(crate) swept: Option<Swept>,
    pub(crate) refusals: Vec<String>,
}

/// Plans and runs a destroy, without faults.
pub(crate) fn destroy(bench: &mut Bench, variables: &Variables) -> Destroyed {
    bench.world.faults = FaultPlan::none();
    let planned = bench.plan(variables, Mode::Destroy).unwrap_or_else(|problems| panic!("{problems:?}"));
    let mut executor = Executor::for_plan(&planned, bench.world.now());
    let mut refusals = Refusals::default();
    let end = bench.world.run(&mut executor, &mut bench.store, &secrets(), &mut refusals);
    let swept = Swept::of(executor.state(), &executor.replies());
    Destroyed { end, swept, refusals: refusals.0 }
}

/// Destroys, and tells what is not as promised.
pub(crate) fn finishes(bench: &mut Bench, variables: &Variables) -> Result<(), String> {
    let recorded = bench.state().serial > 0;
    let Destroyed { end, swept, refusals } = destroy(bench, variables);
    let left = bench.world.account.objects(bench.world.now());
    let swept_clean = swept.as_ref().is_some_and(|swept| swept.is_clean() && swept.kinds.len() == 12);
    if end != RunEnd::Outcome(Outcome::Done) {
        Err(format!("ended with {end:?}"))
    } else if !left.is_empty() {
        Err(format!("left: {left:?}"))
    } else if !refusals.is_empty() {
        Err(format!("refused: {refusals:?}"))
    } else if recorded && !swept_clean {
        Err(format!("swept: {swept:?}"))
    } else if !bench.state().is_empty() {
        Err(format!("recorded: {:?}", bench.state()))
    } else {
        Ok(())
    }
}
