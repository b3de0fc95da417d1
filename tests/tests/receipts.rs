//! Receipts: what they tell, what they keep to themselves, and what laying them beside the simulator finds.

use aloka_core::engine::{Executor, Notice, Outcome};
use aloka_core::plan::Planned;
use aloka_core::plan::{Mode, Node};
use aloka_core::receipt::{self, Answer, Header, Line, Receipt, Writer};
use aloka_core::value::Value;
use aloka_sim::aws::{Durations, Options};
use aloka_sim::fault::{Fault, FaultPlan, When};
use aloka_sim::receipt::{Report, Simulated, What, check, measure};
use aloka_sim::world::{RunEnd, Watch};
use aloka_tests::{Bench, PASSWORD, any_tfvars, secrets, variables};
use proptest::prelude::*;

/// Writes a receipt of a run.
struct Scribe {
    writer: Writer,
    text: String,
}

impl Watch for Scribe {
    fn notice(&mut self, nodes: &[Node], notice: &Notice) {
        if let Some(line) = self.writer.notice(nodes, notice) {
            self.text += &(line.to_json() + "\n");
        }
    }
}

/// Carries out the plan to its end; the receipt as it is written.
fn run(bench: &mut Bench, planned: &Planned) -> String {
    let (text, end) = run_until(bench, planned);
    assert_eq!(end, RunEnd::Outcome(Outcome::Done));
    text
}

/// The same, to whatever end.
fn run_until(bench: &mut Bench, planned: &Planned) -> (String, RunEnd) {
    let header = Header {
        format_version: receipt::FORMAT_VERSION,
        aloka: "0".to_owned(),
        command: "apply".to_owned(),
        cloud: "sim".to_owned(),
        region: bench.world.account.options().region.clone(),
        began: "2026-01-01T00:00:00Z".to_owned(),
    };
    let writer = Writer::new(&planned.state, bench.world.now());
    let mut scribe = Scribe { writer, text: Line::Receipt(header).to_json() + "\n" };
    let mut executor = Executor::for_plan(planned, bench.world.now());
    executor.tell_answers();
    let end = bench.world.run(&mut executor, &mut bench.store, &secrets(), &mut scribe);
    if let RunEnd::Outcome(_) = end {
        scribe.text += &(scribe.writer.end(bench.world.now(), "done").to_json() + "\n");
    }
    (scribe.text, end)
}

/// The receipts of a stack that is made, changed and destroyed.
fn life(tfvars: &[String], options: Options) -> Vec<String> {
    let mut bench = Bench::with(options);
    let mut texts = Vec::new();
    let last = tfvars.last().expect("one at least");
    let modes = std::iter::repeat_n(Mode::Apply, tfvars.len()).chain([Mode::Destroy]);
    for (text, mode) in tfvars.iter().chain([last]).zip(modes) {
        // A change that is refused is no change.
        let Ok(planned) = bench.plan(&variables(text), mode) else { continue };
        texts.push(run(&mut bench, &planned));
    }
    texts
}

fn read(texts: &[String]) -> Vec<Receipt> {
    texts.iter().map(|text| receipt::read(text).expect("a receipt")).collect()
}

fn made() -> Vec<String> {
    life(&["db_backup_retention_days = 7\n".to_owned()], Options { durations: Durations::Drawn, ..Options::default() })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// The simulator would have done whatever a simulator did.
    #[test]
    fn nothing_is_invented(before in any_tfvars(), seed in any::<u64>()) {
        let texts = life(&[before], Options { seed, durations: Durations::Drawn, ..Options::default() });
        let report = check(&read(&texts));
        prop_assert!(report.findings.is_empty(), "{:#?}", report.findings);
        prop_assert!(report.checked > 30, "{report:?}");
        prop_assert!(report.unchecked.is_empty(), "{report:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    /// A call whose answer was lost was carried out or not: what is seen later tells.
    #[test]
    fn nothing_is_invented_of_lost_answers(
        seed in any::<u64>(),
        effects in proptest::collection::vec(20_u64..140, 1..4),
        kind in 0_usize..3,
    ) {
        let fault = [Fault::LostReply, Fault::ServerError { acted: true }, Fault::ServerError { acted: false }];
        let mut bench = Bench::with(Options { seed, durations: Durations::Drawn, ..Options::default() });
        let variables = variables("");
        let planned = bench.plan(&variables, Mode::Apply).expect("a plan");
        let first = bench.world.effects();
        let strikes = effects.iter().map(|effect| (When::Effect(first + effect - 20), fault[kind].clone()));
        bench.world.faults = FaultPlan(strikes.collect());
        let made = run(&mut bench, &planned);
        let report = check(&read(&[made]));
        prop_assert!(report.findings.is_empty(), "{:#?}", report.findings);
    }
}

/// What the check makes of the receipts of a stack that has so many servers, one number after the other, and is destroyed, while
/// each of these runs is struck once: at an effect, counted from its beginning, by a fault of [`STRIKES`].
fn struck(seed: u64, counts: &[u32], strikes: &[(u64, usize)]) -> Report {
    let mut bench = Bench::with(Options { seed, durations: Durations::Drawn, ..Options::default() });
    let mut texts = Vec::new();
    let last = counts.last().expect("one at least");
    let steps = counts.iter().map(|count| (count, Mode::Apply)).chain([(last, Mode::Destroy)]);
    for ((count, mode), (effect, fault)) in steps.zip(strikes) {
        let variables = variables(&format!("app_instance_count = {count}\n"));
        let mut strike = vec![(*effect, STRIKES[*fault].clone())];
        loop {
            bench.world.faults = FaultPlan::none();
            let planned = bench.plan(&variables, mode).expect("a plan");
            let first = bench.world.effects();
            bench.world.faults =
                FaultPlan(strike.drain(..).map(|(effect, fault)| (When::Effect(first + effect), fault)).collect());
            let (text, end) = run_until(&mut bench, &planned);
            texts.push(text);
            if end != RunEnd::Crashed {
                assert_eq!(end, RunEnd::Outcome(Outcome::Done));
                break;
            }
        }
    }
    check(&read(&texts))
}

const STRIKES: [Fault; 6] = [
    Fault::CrashBefore,
    Fault::CrashAfter,
    Fault::CrashAnswered,
    Fault::LostReply,
    Fault::ServerError { acted: true },
    Fault::ServerError { acted: false },
];

/// The only reasons for which a call of such a run is not laid beside the account.
fn is_unchecked_for_a_reason(report: &Report) -> bool {
    report.unchecked.keys().all(|why| ["no answer came", "AWS was busy"].contains(why))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whoever goes on after a run that was killed does what the account expects, whatever the servers are called by then.
    #[test]
    fn nothing_is_invented_of_runs_that_were_killed(
        seed in any::<u64>(),
        counts in proptest::collection::vec(0_u32..=3, 1..4),
        strikes in proptest::collection::vec((0_u64..160, 0_usize..STRIKES.len()), 4),
    ) {
        let report = struck(seed, &counts, &strikes);
        prop_assert!(report.findings.is_empty(), "{:#?}", report.findings);
        prop_assert!(is_unchecked_for_a_reason(&report), "{report:?}");
    }
}

#[test]
fn what_several_lost_answers_explain_together_is_no_finding() {
    // Two subnets that one call names; two associations that hold one table; volumes that show after the run was killed; a
    // server that is not the one that had its address before.
    let cases = [
        (6_894_492_304_232_420_514, vec![1, 0, 1], [(12, 2), (48, 1), (105, 3), (138, 3)]),
        (241_823_403_866_806, vec![3, 3, 3], [(66, 0), (91, 4), (110, 4), (2, 1)]),
        (11_668_359_698_049_995_681, vec![0, 2], [(113, 1), (147, 2), (89, 2), (110, 3)]),
        (7_210_038_183_377_634_550, vec![0, 1, 3], [(7, 5), (15, 5), (125, 5), (5, 1)]),
        (4_215_841_451, vec![1, 0, 3], [(72, 2), (86, 2), (0, 2), (29, 2)]),
    ];
    for (seed, counts, strikes) in cases {
        let report = struck(seed, &counts, &strikes);
        assert_eq!(report.findings, [], "{seed}");
        assert!(is_unchecked_for_a_reason(&report), "{seed}: {report:?}");
    }
}

#[test]
fn what_aws_has_ready_at_once_is_no_finding() {
    // Subnets that the reply to their creation says are available.
    let options = |seed| Options { seed, durations: Durations::Shortest, ..Options::default() };
    for seed in 0..4 {
        let report = check(&read(&life(&[String::new()], options(seed))));
        assert_eq!(report.findings, [], "{seed}");
    }
}

#[test]
fn servers_are_followed_whatever_they_are_called() {
    let steps =
        [(1, "t3.small"), (2, "t3.small"), (1, "t3.small"), (1, "t3.medium"), (3, "t3.medium"), (1, "t3.small")];
    let tfvars = steps.map(|(count, of)| format!("app_instance_count = {count}\napp_instance_type = \"{of}\"\n"));
    let texts = life(&tfvars, Options { durations: Durations::Drawn, ..Options::default() });
    assert_eq!(texts.len(), steps.len() + 1);
    let report = check(&read(&texts));
    assert_eq!((report.findings, report.unchecked.len()), (Vec::new(), 0));
}

#[test]
fn what_was_sent_and_not_answered_is_known_to_be_so() {
    let text = made().remove(0);
    let whole = receipt::read(&text).expect("a receipt");
    assert_eq!(whole.unanswered, [], "every call was answered");
    let lines: Vec<&str> = text.lines().collect();
    for count in 1..lines.len() {
        let cut = receipt::read(&(lines[..count].join("\n") + "\n")).expect("a receipt");
        let sent = lines[..count].iter().filter(|line| line.starts_with("{\"sent\":")).count();
        let answered = cut.exchanges.iter().filter(|exchange| exchange.operation.is_mutating()).count();
        assert_eq!(cut.unanswered.len(), sent - answered, "{count} lines");
    }
}

#[test]
fn a_change_of_size_and_of_the_network_is_followed() {
    let tfvars = [
        "",
        "app_instance_type = \"t3.medium\"\npublic_subnet_cidrs = [\"10.0.1.0/24\", \"10.0.2.0/24\", \"10.0.3.0/24\"]\n",
    ];
    let texts = life(&tfvars.map(str::to_owned), Options { durations: Durations::Drawn, ..Options::default() });
    assert_eq!(texts.len(), 3);
    let report = check(&read(&texts));
    assert_eq!(report.findings, [], "{report:#?}");
}

#[test]
fn what_was_measured_is_what_it_took() {
    let receipts = read(&made());
    let measured: Vec<_> = receipts.iter().flat_map(measure).collect();
    assert_eq!(measured.len(), 6, "gateway, server, database, made and deleted: {measured:#?}");
    for measured in measured {
        let longest = std::time::Duration::from_millis(Simulated::of(&measured.transitions).longest_ms);
        let shown = measured.no_longer_than.expect("the end was seen");
        assert!(measured.longer_than <= longest && shown > measured.longer_than, "{measured:?}");
    }
}

/// Edits the first call of this operation whose answer is a reply.
fn edited(texts: &[String], operation: &str, edit: impl Fn(&mut Value) -> bool) -> Vec<Receipt> {
    let mut receipts = read(texts);
    let found = receipts.iter_mut().flat_map(|receipt| &mut receipt.exchanges).any(|exchange| {
        exchange.operation.to_string() == operation
            && match &mut exchange.answer {
                Answer::Reply(reply) => edit(reply),
                Answer::Error { .. } => false,
            }
    });
    assert!(found, "{operation} was not edited");
    receipts
}

/// Replaces texts wherever they stand in a reply.
fn replace(value: &mut Value, from: &str, to: &str) -> bool {
    let text = serde_json::to_string(value).expect("JSON");
    let new = text.replace(from, to);
    let changed = new != text;
    *value = serde_json::from_str(&new).expect("JSON");
    changed
}

#[test]
fn planted_differences_are_reported_and_nothing_else() {
    let texts = made();
    assert_eq!(check(&read(&texts)).findings, [], "nothing is there before");
    let replies: [(&str, &str, &str, &str); 7] = [
        // A state that is never shown.
        ("ec2:DescribeNatGateways", r#""State":"available""#, r#""State":"ready""#, "State"),
        // A default.
        ("ec2:CreateSubnet", r#""MapPublicIpOnLaunch":false"#, r#""MapPublicIpOnLaunch":true"#, "MapPublicIpOnLaunch"),
        // A field that is not there.
        ("ec2:CreateVpc", r#""CidrBlock":"10.0.0.0/16""#, r#""Cidr":"10.0.0.0/16""#, "CidrBlock"),
        // A name that is another object's.
        ("ec2:CreateSubnet", r"<module.vpc.aws_vpc.this[0]>", r"<module.vpc.aws_internet_gateway.this[0]>", "VpcId"),
        // A value of another type.
        ("rds:CreateDBInstance", r#""AllocatedStorage":20"#, r#""AllocatedStorage":"20""#, "AllocatedStorage"),
        // Another form of an identifier's neighbourhood.
        ("rds:CreateDBInstance", r#""MultiAZ":false"#, r#""MultiAZ":true"#, "MultiAZ"),
        ("ec2:RunInstances", r#""InstanceType":"t3.small""#, r#""InstanceType":"t3.large""#, "InstanceType"),
    ];
    for (operation, from, to, path) in replies {
        let receipts = edited(&texts, operation, |reply| replace(reply, from, to));
        let findings = check(&receipts).findings;
        let about = |what: &What| matches!(what, What::Value { path: found, .. } if found.contains(path));
        assert!(findings.iter().any(|finding| about(&finding.what)), "{operation} {to}: {findings:#?}");
        let strange: Vec<_> = findings.iter().filter(|finding| finding.operation.to_string() != operation).collect();
        assert!(strange.is_empty(), "{operation} {to}: {strange:#?}");
    }
}

#[test]
fn refusals_that_the_simulator_does_not_know_are_reported() {
    let texts = made();
    let refused = |operation: &str, code: &str| {
        let mut receipts = read(&texts);
        let exchanges = receipts.iter_mut().flat_map(|receipt| &mut receipt.exchanges);
        let mut exchanges = exchanges.filter(|exchange| exchange.operation.to_string() == operation);
        let exchange = exchanges.next().expect("the call");
        exchange.answer = Answer::Error { code: code.to_owned(), message: "no".to_owned(), answered: true };
        check(&receipts).findings
    };
    for (operation, code) in
        [("ec2:CreateTags", "TagPolicyViolation"), ("rds:DeleteDBInstance", "InvalidParameterCombination")]
    {
        let findings = refused(operation, code);
        let expected = What::Refused { code: code.to_owned(), simulated: "ok".to_owned() };
        assert!(findings.iter().any(|finding| finding.what == expected), "{operation}: {findings:#?}");
    }
    // A refusal that only time explains is no finding.
    let findings = refused("ec2:DeleteSubnet", "DependencyViolation");
    assert!(!findings.iter().any(|finding| matches!(finding.what, What::Refused { .. })), "{findings:#?}");
}

#[test]
fn calls_that_the_simulator_refuses_are_reported() {
    let texts = made();
    let mut receipts = read(&texts);
    for exchange in receipts.iter_mut().flat_map(|receipt| &mut receipt.exchanges) {
        if exchange.operation.to_string() == "rds:CreateDBInstance" {
            replace(&mut exchange.arguments, r#""AllocatedStorage":20"#, r#""AllocatedStorage":7"#);
        }
    }
    let findings = check(&receipts).findings;
    let by_rule = |what: &What| matches!(what, What::Accepted { rule, .. } if rule.starts_with("db-instance.storage"));
    assert!(findings.iter().any(|finding| by_rule(&finding.what)), "{findings:#?}");
}

#[test]
fn durations_that_nobody_knows_are_reported() {
    let texts = made();
    let mut receipts = read(&texts);
    let mut begun = None;
    for exchange in &mut receipts[0].exchanges {
        if exchange.operation.to_string() == "rds:CreateDBInstance" {
            begun = Some(exchange.at_ms);
        } else if begun.is_some() && exchange.operation.to_string() == "rds:DescribeDBInstances" {
            exchange.at_ms += 1_800_000;
        }
    }
    let findings = check(&receipts).findings;
    assert!(findings.iter().any(|finding| matches!(finding.what, What::Duration { .. })), "{findings:#?}");
    assert!(findings.iter().all(|finding| matches!(finding.what, What::Duration { .. })), "{findings:#?}");
}

#[test]
fn nothing_tells_whose_account_it_is() {
    let account_id = "987654321098".to_owned();
    let options = Options { account_id, durations: Durations::Drawn, ..Options::default() };
    for text in life(&[String::new()], options) {
        assert!(!text.contains("987654321098"), "an account number");
        assert!(!text.contains(PASSWORD), "a password");
        assert!(!text.contains("amazonaws.com") && !text.contains(".internal"), "a host name");
        let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '.');
        for word in words {
            let is_id = word.rsplit_once('-').is_some_and(|(prefix, digits)| {
                digits.len() == 17 && digits.bytes().all(|b| b.is_ascii_hexdigit()) && prefix != "ami"
            });
            assert!(!is_id, "an identifier: {word}");
            let public = word.parse::<std::net::Ipv4Addr>().is_ok_and(|ip| !ip.is_private() && !ip.is_unspecified());
            assert!(!public, "an address: {word}");
        }
    }
}

#[test]
fn a_receipt_that_was_cut_off_is_read_and_another_form_is_refused() {
    let text = made().remove(0);
    let whole = receipt::read(&text).expect("a receipt");
    let cut = &text[..text.len() - 30];
    let read = receipt::read(cut).expect("a receipt");
    assert_eq!((read.exchanges.len(), read.end), (whole.exchanges.len(), None));
    let newer = text.replacen("\"format_version\":1", "\"format_version\":2", 1);
    assert_eq!(receipt::read(&newer).expect_err("newer"), "it has format version 2, and this release reads 1");
    assert!(receipt::read("{}\n").expect_err("none").starts_with("it is not a receipt"));
    assert!(receipt::read("").is_err());
    let twice = format!("{text}{text}");
    assert!(receipt::read(&twice).expect_err("two").contains("out of its place"));
}
