//! Whose an object is: what the stack can declare, exactly; and the table of every case, as docs/STATE_FORMAT.md has it.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::sync::Arc;

use aloka_core::address::Address;
use aloka_core::declarable::is_declarable;
use aloka_core::kind::Kind;
use aloka_core::ownership::{Foreign, Owner, Ownership, Unclaimed};
use aloka_core::stack::stack;
use aloka_core::state::{Choices, State, Target, file};
use aloka_tests::{any_tfvars, variables};
use proptest::prelude::*;

/// The stack of these variables, with zones as they would be chosen.
fn declared(tfvars: &str) -> BTreeSet<Address> {
    let zones = ('a'..='z').map(|letter| format!("us-east-1{letter}")).collect();
    let choices = Choices { availability_zones: zones, ..Choices::default() };
    stack(&variables(tfvars), &choices, None).resources.into_keys().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever valid variables declare is declarable.
    #[test]
    fn what_is_declared_is_declarable(tfvars in any_tfvars()) {
        for address in declared(&tfvars) {
            prop_assert!(is_declarable(&address), "{address}");
        }
    }
}

fn cidrs(count: u32, from: u32) -> String {
    let blocks: Vec<String> = (from..from + count).map(|block| format!("\"10.0.{block}.0/24\"")).collect();
    blocks.join(", ")
}

/// Whatever is declarable is declared by some valid variables: by these few, all of it, and nothing else of all that an
/// address can say up to beyond every bound.
#[test]
fn what_is_declarable_is_declared_by_some_variables() {
    let subnets = |public: u32, private: u32, more: &str| {
        format!(
            "public_subnet_cidrs = [{}]\nprivate_subnet_cidrs = [{}]\n{more}",
            cidrs(public, 0),
            cidrs(private, public)
        )
    };
    let zones: Vec<String> = ('a'..='z').map(|letter| format!("\"us-east-1{letter}\"")).collect();
    let zones = format!("availability_zones = [{}]\nsingle_nat_gateway = false\n", zones.join(", "));
    let everything: BTreeSet<Address> = [
        subnets(198, 2, ""),
        subnets(0, 200, "enable_nat_gateway = false\napp_instance_count = 0\n"),
        subnets(26, 26, &zones),
        "public_subnet_cidrs = [\"10.0.0.0/17\"]\nprivate_subnet_cidrs = [\"10.0.128.0/24\", \"10.0.129.0/24\"]\n\
         app_instance_count = 20000\n"
            .to_owned(),
        String::new(),
    ]
    .iter()
    .flat_map(|tfvars| declared(tfvars))
    .collect();
    let names: BTreeSet<Arc<str>> = everything.iter().map(|address| address.name.clone()).collect();
    let names: Vec<Arc<str>> = names.into_iter().chain(["other", "database"].map(Arc::from)).collect();
    let indices: Vec<Option<u32>> = std::iter::once(None).chain((0..20_005).map(Some)).collect();
    for kind in Kind::ALL {
        for name in &names {
            for in_vpc_module in [false, true] {
                for index in &indices {
                    let address = Address { in_vpc_module, kind, name: name.clone(), index: *index };
                    assert_eq!(is_declarable(&address), everything.contains(&address), "{address}");
                }
            }
        }
    }
}

const OURS: &str = "11111111-1111-4111-8111-111111111111";
const THEIRS: &str = "22222222-2222-4222-8222-222222222222";

/// How the state was written.
#[derive(Clone, Copy)]
enum Form {
    /// By Terraform: without a section.
    Terraform,
    /// By release 0.1, whose section had no claims.
    First,
    /// By this release, without a claim for the object.
    Unclaimed,
    /// By this release, with one.
    Claimed,
}

const FORMS: [Form; 4] = [Form::Terraform, Form::First, Form::Unclaimed, Form::Claimed];

struct Case {
    declarable: bool,
    tag: Option<&'static str>,
    elsewhere: bool,
    deposed: bool,
}

impl Case {
    fn all() -> Vec<Self> {
        let mut all = Vec::new();
        for declarable in [true, false] {
            for tag in [Some(OURS), None, Some(THEIRS)] {
                for elsewhere in [false, true] {
                    for deposed in [false, true] {
                        all.push(Self { declarable, tag, elsewhere, deposed });
                    }
                }
            }
        }
        all
    }

    fn state(&self, form: Form) -> State {
        let name = if self.declarable { "app" } else { "redis" };
        let instance = |id: &str, deposed: &str| format!(r#"{{{deposed}"attributes":{{"id":"{id}"}}}}"#);
        let mut instances = vec![instance("sg-1", "")];
        if self.deposed {
            instances.push(instance("sg-0", r#""deposed":"aaaaaaaa","#));
        }
        let entry = |name: &str, instances: &[String]| {
            format!(
                r#"{{"mode":"managed","type":"aws_security_group","name":"{name}","instances":[{}]}}"#,
                instances.join(",")
            )
        };
        let mut entries = vec![entry(name, &instances)];
        if self.elsewhere {
            entries.push(entry("copy", &[instance(if self.deposed { "sg-0" } else { "sg-1" }, "")]));
        }
        let section = match form {
            Form::Terraform => String::new(),
            Form::First => r#","aloka":{"format_version":1}"#.to_owned(),
            Form::Unclaimed => r#","aloka":{"format_version":2,"claims":{}}"#.to_owned(),
            // The current object's: a deposed one goes with it.
            Form::Claimed => {
                format!(r#","aloka":{{"format_version":2,"claims":{{"aws_security_group.{name}":"sg-1"}}}}"#)
            }
        };
        let entries = entries.join(",");
        let text = format!(r#"{{"version":4,"serial":1,"lineage":"{OURS}","resources":[{entries}]{section}}}"#);
        file::read(&text).expect("a state")
    }

    /// Whose the object is, by the function that everything asks.
    fn owner(&self, form: Form) -> Owner {
        let state = self.state(form);
        let ownership = Ownership::of(&state, |_, _| self.tag.map(Arc::from));
        let name = if self.declarable { "app" } else { "redis" };
        if !self.declarable {
            assert!(state.resources.is_empty() && state.deposed.is_empty(), "it is kept as text");
            return Owner::Foreign(Foreign::NotDeclarable);
        }
        let address: Address = format!("aws_security_group.{name}").parse().expect("an address");
        let deposed = self.deposed.then(|| Arc::from("aaaaaaaa"));
        ownership.owner(&Target { address, deposed })
    }
}

fn word(owner: &Owner) -> &'static str {
    match owner {
        Owner::Foreign(Foreign::NotDeclarable) => "foreign",
        Owner::Foreign(Foreign::Lineage(_)) => "foreign (lineage)",
        Owner::Unclaimed(Unclaimed::NoClaim) => "unclaimed",
        Owner::Unclaimed(Unclaimed::Elsewhere(_)) => "unclaimed (elsewhere)",
        Owner::Ours(_) => "ours",
    }
}

fn table() -> String {
    let mut text = String::from(
        "| declarable | tag names | recorded elsewhere too | object | no section | format 1 | format 2, no claim | format 2, claim |\n\
         |---|---|---|---|---|---|---|---|\n",
    );
    let yes = |fact: bool| if fact { "yes" } else { "no" };
    for case in Case::all() {
        let tag = match case.tag {
            None => "nothing",
            Some(OURS) => "this lineage",
            Some(_) => "another lineage",
        };
        let object = if case.deposed { "deposed" } else { "current" };
        let owners = FORMS.map(|form| word(&case.owner(form)));
        let (declarable, elsewhere) = (yes(case.declarable), yes(case.elsewhere));
        // Writing into a String cannot fail.
        let _infallible = writeln!(text, "| {declarable} | {tag} | {elsewhere} | {object} | {} |", owners.join(" | "));
    }
    text
}

/// Every case, decided by the function and told by the page. ALOKA_WRITE_DOCS=1 writes the page.
#[test]
fn the_table_of_ownership_is_the_page() {
    const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/STATE_FORMAT.md");
    const MARKS: [&str; 2] =
        ["<!-- ownership: written by tests/tests/ownership.rs -->\n", "<!-- end of ownership -->\n"];
    let page = std::fs::read_to_string(PATH).expect("the page");
    let (before, rest) = page.split_once(MARKS[0]).expect("the mark");
    let (told, after) = rest.split_once(MARKS[1]).expect("the other mark");
    let table = table();
    if std::env::var_os("ALOKA_WRITE_DOCS").is_some() {
        std::fs::write(PATH, format!("{before}{}{table}{}{after}", MARKS[0], MARKS[1])).expect("written");
    } else {
        assert_eq!(told, table, "ALOKA_WRITE_DOCS=1 cargo test -p aloka-tests --test ownership");
    }
}

/// What the table must never say, whoever writes the function.
#[test]
fn nothing_becomes_ours_by_its_address() {
    for case in Case::all() {
        for form in FORMS {
            let owner = case.owner(form);
            let claimed = matches!(form, Form::Claimed);
            let is_ours = matches!(owner, Owner::Ours(_));
            assert!(!is_ours || case.tag == Some(OURS) || (claimed && case.tag.is_none()), "{owner}");
            assert!(!is_ours || (case.declarable && !case.elsewhere), "{owner}");
            if case.declarable && case.tag == Some(THEIRS) {
                assert!(matches!(owner, Owner::Foreign(_)), "{owner}");
            }
        }
    }
}
