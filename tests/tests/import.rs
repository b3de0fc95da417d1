//! Objects are imported one by one, in whatever order somebody types them: it comes to the same, and nothing that is imported is
//! replaced.

use aloka_core::address::Address;
use aloka_core::engine::Outcome;
use aloka_core::kind::Kind;
use aloka_core::plan::{Action, Mode};
use aloka_core::plan::{Planned, Problem};
use aloka_core::session::Inputs;
use aloka_core::session::claim::{import, record_only};
use aloka_core::stack::ANYWHERE;
use aloka_core::state::{State, file};
use aloka_core::value::Value;
use aloka_core::variables::Variables;
use aloka_sim::aws::Durations;
use aloka_sim::rehearsal::{NotPlanned, plan_round};
use aloka_sim::store::MemoryStore;
use aloka_sim::world::{RunEnd, Unwatched};
use aloka_tests::{Bench, LINEAGE, any_tfvars, inputs, secrets, untag, variables};
use proptest::prelude::*;

/// What Terraform's import wants for this object.
fn import_id(state: &State, address: &Address) -> String {
    let text = |name: &str| {
        state
            .attribute(address, name)
            .and_then(Value::as_str)
            .unwrap_or_else(|| panic!("{address} has no {name}"))
            .to_owned()
    };
    match address.kind {
        Kind::Route => format!("{}_{ANYWHERE}", text("route_table_id")),
        Kind::RouteTableAssociation => format!("{}/{}", text("subnet_id"), text("route_table_id")),
        Kind::DbInstance => text("identifier"),
        Kind::DbSubnetGroup => text("name"),
        _ => text("id"),
    }
}

/// `aloka import ADDRESS ID`
fn imported(bench: &mut Bench, variables: &Variables, address: &Address, id: &str) -> Result<(), Vec<Problem>> {
    let state = bench.state();
    let inputs = inputs(variables.clone(), Mode::Apply, &state);
    let password =
        if address.kind == Kind::DbInstance { inputs.password.clone().trusted() } else { inputs.password.clone() };
    let inputs = Inputs { recording: true, password, ..inputs };
    let with = import::add(&state, address, id).map_err(|problem| vec![problem])?;
    let planned = match plan_round(&mut bench.world, &mut bench.store, &secrets(), with, &inputs) {
        Ok(planned) => planned,
        Err(NotPlanned::Problems(problems)) => return Err(problems),
        Err(NotPlanned::Ended(end)) => panic!("{end:?}"),
    };
    import::check(&planned, address, id).map_err(|problem| vec![problem])?;
    assert_eq!(bench.run(&record_only(&planned, &inputs), &mut Unwatched), RunEnd::Outcome(Outcome::Done));
    Ok(())
}

/// A stack that stands without a state, with what there is to import: by whom it was made, its tags tell or do not.
fn stateless(tfvars: &str, seed: u64, is_tagged: bool) -> (Bench, Variables, Vec<(Address, String)>) {
    let mut bench = Bench::new(seed, Durations::Instant);
    let variables = variables(tfvars);
    bench.apply(&variables, Mode::Apply);
    let state = bench.state();
    if !is_tagged {
        untag(&mut bench);
    }
    bench.world.rest(std::time::Duration::from_secs(60));
    let objects = state.resources.keys().map(|address| (address.clone(), import_id(&state, address))).collect();
    bench.store = MemoryStore::holding(State::new(LINEAGE));
    (bench, variables, objects)
}

/// In the order of these numbers.
fn shuffled(objects: &[(Address, String)], order: &[u32]) -> Vec<(Address, String)> {
    let mut numbered: Vec<_> = objects.iter().enumerate().collect();
    numbered.sort_by_key(|(position, _)| (order.get(position % order.len().max(1)).copied(), *position));
    numbered.into_iter().map(|(_, object)| object.clone()).collect()
}

fn to_do(planned: &Planned) -> Vec<String> {
    let changes = planned.plan.changes.iter().filter(|change| change.action != Action::NoOp);
    changes.map(|change| format!("{:?} {} {:?}", change.action, change.target, change.attributes)).collect()
}

fn text(state: &State) -> String {
    file::write(&State { serial: 0, ..state.clone() })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// All of a stack, in two orders: the same state, and a plan that has nothing to do but to tag what bears no tags.
    #[test]
    fn the_order_of_imports_is_of_no_consequence(
        tfvars in any_tfvars(), seed in any::<u64>(), is_tagged in any::<bool>(),
        order in prop::collection::vec(any::<u32>(), 40),
    ) {
        let (bench, variables, objects) = stateless(&tfvars, seed, is_tagged);
        let mut ends = Vec::new();
        for order in [objects.clone(), shuffled(&objects, &order)] {
            let mut bench = bench.clone();
            for (address, id) in &order {
                imported(&mut bench, &variables, address, id)
                    .map_err(|problems| TestCaseError::fail(format!("{address} {id}: {problems:?}")))?;
            }
            let planned = bench.plan(&variables, Mode::Apply).map_err(|p| TestCaseError::fail(format!("{p:?}")))?;
            for change in planned.plan.changes.iter().filter(|change| change.action != Action::NoOp) {
                let is_tags = change.attributes.iter().all(|attribute| &*attribute.name == "tags");
                prop_assert!(change.action == Action::Update && is_tags && !is_tagged, "{:?}", to_do(&planned));
            }
            ends.push(text(&bench.state()));
        }
        prop_assert_eq!(&ends[0], &ends[1]);
    }

    /// A part of it: what is missing is made, or is to be imported as it is there; what is imported stays what it is.
    #[test]
    fn what_is_imported_is_never_replaced(
        tfvars in any_tfvars(), seed in any::<u64>(), is_tagged in any::<bool>(),
        order in prop::collection::vec(any::<u32>(), 40), share in 1_usize..100,
    ) {
        let (mut bench, variables, objects) = stateless(&tfvars, seed, is_tagged);
        let order = shuffled(&objects, &order);
        let (part, rest) = order.split_at((order.len() * share).div_ceil(100));
        for (address, id) in part {
            imported(&mut bench, &variables, address, id)
                .map_err(|problems| TestCaseError::fail(format!("{address} {id}: {problems:?}")))?;
        }
        match bench.plan(&variables, Mode::Apply) {
            Ok(planned) => {
                for change in planned.plan.changes.iter().filter(|change| change.action != Action::NoOp) {
                    let address = &change.target.address;
                    let expected = if rest.iter().any(|(other, _)| other == address) { Action::Create } else { Action::Update };
                    prop_assert_eq!(change.action, expected, "{}: {:?}", address, to_do(&planned));
                }
            }
            Err(problems) => for problem in problems {
                let Problem::Impossible { summary, hint } = problem else {
                    return Err(TestCaseError::fail(format!("{problem:?}")));
                };
                prop_assert!(hint.contains("aloka import "), "{summary}: {hint}");
                prop_assert!(rest.iter().any(|(address, _)| hint.contains(&address.to_string())), "{summary}: {hint}");
            },
        }
    }
}

/// Zones, image and version are those of what is imported, whatever AWS offers first.
#[test]
fn choices_are_those_of_what_is_imported() {
    let tfvars = "availability_zones = [\"us-east-1c\", \"us-east-1b\"]\napp_ami_id = \"ami-0d27e0fb3bac4d724\"\n\
                  db_engine_version = \"15.15\"\n";
    let (mut bench, _, mut objects) = stateless(tfvars, 5, true);
    // The variables do not say so.
    let variables = variables("");
    // First what tells nothing of them.
    objects.sort_by_key(|(address, _)| (address.kind != Kind::Vpc, address.kind == Kind::Subnet));
    for (address, id) in &objects {
        imported(&mut bench, &variables, address, id).unwrap_or_else(|problems| panic!("{address} {id}: {problems:?}"));
    }
    let planned = bench.plan(&variables, Mode::Apply).expect("a plan");
    assert!(to_do(&planned).iter().all(|change| change.starts_with("Update ")), "{:?}", to_do(&planned));
    let choices = &planned.state.private.choices;
    assert_eq!(choices.availability_zones, ["us-east-1c", "us-east-1b"]);
    assert_eq!(choices.image.as_ref().map(|image| &*image.id), Some("ami-0d27e0fb3bac4d724"));
    assert_eq!(choices.db_engine_version.as_deref(), Some("15.15"));
}

/// The object at one address tells that another one cannot be at the other, whichever is imported first.
#[test]
fn an_import_that_would_replace_what_is_imported_is_refused() {
    let (bench, variables, objects) = stateless("", 6, false);
    let id = |name: &str| objects.iter().find(|(address, _)| address.to_string() == name).expect("there").1.clone();
    // The server is in the first of them, and is said to be in the second.
    let swapped = "public_subnet_cidrs = [\"10.0.2.0/24\", \"10.0.1.0/24\"]";
    let (server, subnet): (Address, Address) = (
        "aws_instance.app".parse().expect("an address"),
        "module.vpc.aws_subnet.public[0]".parse().expect("an address"),
    );
    let other = aloka_tests::variables(swapped);
    for order in [[&server, &subnet], [&subnet, &server]] {
        let mut bench = bench.clone();
        let ids = |address: &Address| {
            id(if *address == server { "aws_instance.app" } else { "module.vpc.aws_subnet.public[1]" })
        };
        imported(&mut bench, &other, order[0], &ids(order[0])).expect("the first");
        let problems = imported(&mut bench, &other, order[1], &ids(order[1])).expect_err("the second");
        let text = format!("{problems:?}");
        assert!(text.contains("cannot be ") && text.contains("subnet_id"), "{text}");
    }
    drop(variables);
}

/// What is there for each zone may be imported before the subnet that alone is in the zone.
#[test]
fn zones_of_subnets_that_are_still_to_be_imported_are_not_ruled_out() {
    let tfvars = "public_subnet_cidrs = [\"10.0.1.0/24\", \"10.0.2.0/24\", \"10.0.3.0/24\", \"10.0.4.0/24\"]\n\
                  private_subnet_cidrs = [\"10.0.11.0/24\", \"10.0.12.0/24\", \"10.0.13.0/24\"]\nsingle_nat_gateway = false\n";
    let (bench, variables, objects) = stateless(tfvars, 7, true);
    let subnets = || objects.iter().filter(|(address, _)| address.kind == Kind::Subnet);
    assert_eq!(subnets().count(), 7);
    for (last, _) in subnets() {
        let mut bench = bench.clone();
        let mut objects = objects.clone();
        // The VPC first, then the other subnets, this one last.
        objects.sort_by_key(|(address, _)| (address == last, address.kind != Kind::Vpc, address.kind != Kind::Subnet));
        for (address, id) in &objects {
            imported(&mut bench, &variables, address, id)
                .unwrap_or_else(|problems| panic!("{last} last, {address} {id}: {problems:?}"));
        }
        let planned = bench.plan(&variables, Mode::Apply).expect("a plan");
        assert_eq!(to_do(&planned), [""; 0], "{last} last");
    }
}
