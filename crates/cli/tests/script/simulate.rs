//! The rehearsal needs nothing and leaves nothing; what goes wrong in it is asked for.

use serde_json::Value;

use crate::support::{Dir, PASSWORD};

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn works_in_an_empty_directory_without_a_password() {
    let dir = Dir::new().without("TF_VAR_db_password").without("ALOKA_CLOUD");
    let ran = dir.run(&["simulate"]).expect(0).says("db_endpoint");
    assert_eq!(dir.files(), [], "nothing is left behind");
    assert_eq!(dir.run(&["simulate"]).expect(0).stdout, ran.stdout, "the same seed gives the same run");
    let drawn = dir.run(&["simulate", "-seed=1"]).expect(0).stdout;
    assert_ne!(drawn, ran.stdout);
    assert_eq!(dir.run(&["simulate", "--seed", "1"]).expect(0).stdout, drawn);
}

#[test]
fn reports_as_json_too() {
    let dir = Dir::new();
    let ran = dir.run(&["simulate", "-json", "-seed", "7"]).expect(0);
    let report = json(&ran.stdout);
    assert_eq!(report["seed"], 7);
    assert_eq!(report["runs"].as_array().map(Vec::len), Some(2), "apply and destroy");
    assert_eq!(report["faults_missed"], Value::Array(Vec::new()));
}

#[test]
fn the_timeline_comes_alone() {
    let dir = Dir::new();
    let ran = dir.run(&["simulate", "-timeline", "-seed=3"]).expect(0).says("aws_db_instance.postgres").says("#+");
    let lines: Vec<&str> = ran.stdout.lines().collect();
    let (last, bars) = lines.split_last().expect("lines");
    assert!(last.starts_with("total ") && last.contains("# critical path, + waiting there"), "{last}");
    assert!(bars.len() > 20 && bars.iter().all(|line| line.contains('|') && line.chars().count() <= 100), "{bars:?}");
    dir.run(&["simulate", "-timeline", "-json"]).expect(1).complains("cannot be used with");
}

#[test]
fn many_runs_tell_how_long_it_takes() {
    let dir = Dir::new();
    let args = ["simulate", "-runs=60", "-seed=9"];
    let ran = dir.run(&args).expect(0).says("60 runs of 22 resources").says("seeds 9 to 68").says("Terraform guide");
    assert_eq!(dir.run(&args).expect(0).stdout, ran.stdout);
    assert_eq!(dir.files(), [], "nothing is left behind");
    let report = json(&dir.run(&[&args[..], &["-json"]].concat()).expect(0).stdout);
    let (apply, destroy) = (&report["apply"], &report["destroy"]);
    let time = |stage: &Value, key: &str| stage["seconds"][key].as_f64().expect("a number");
    for stage in [apply, destroy] {
        let times = ["min", "median", "p90", "p99", "max"].map(|key| time(stage, key));
        assert!(times.is_sorted() && times[0] > 60.0, "{times:?}");
        assert_eq!(stage["runs"], 60);
    }
    // The median run is a rehearsal with its seed.
    let seed = apply["median_seed"].to_string();
    let one = json(&dir.run(&["simulate", "-json", "-seed", &seed]).expect(0).stdout);
    assert_eq!(one["apply"]["seconds"], apply["seconds"]["median"]);
    let critical: Vec<&Value> =
        one["apply"]["timeline"].as_array().expect("spans").iter().filter(|span| span["critical"] == true).collect();
    assert_eq!(critical.len(), apply["critical_path"].as_array().map_or(0, Vec::len));
    let guide = report["comparison"]["estimates"].as_array().expect("estimates");
    let total = guide.iter().find(|estimate| estimate["what"] == "total").expect("a total");
    assert_eq!((&total["terraform_minutes"][1], &total["aloka"]), (&Value::from(20), &apply["seconds"]));
    dir.run(&["simulate", "-runs=60", "-seed=9", "-timeline"]).expect(0).says(". to the 90th percentile");
}

#[test]
fn runs_that_make_no_sense_are_refused() {
    let dir = Dir::new();
    for (args, text) in [
        (&["-runs=0"][..], "0 is not in 1..=1000000"),
        (&["-runs=5", "-keep"], "cannot be used with"),
        (&["-runs=5", "-seed=18446744073709551615"], "no 5 seeds"),
        (&["-until=3"], "--replay"),
        (&["-replay=x", "-seed=3"], "cannot be used with"),
    ] {
        dir.run(&[&["simulate"], args].concat()).expect(1).complains(text);
    }
}

#[test]
fn faults_are_got_over_by_plain_runs() {
    let dir = Dir::new();
    let faults = ["-fault", "CreateNatGateway=failed:InsufficientFreeAddressesInSubnet", "-fault=write#9=crash-after"];
    let ran = dir.run(&[&["simulate"], &faults[..]].concat()).expect(0);
    let ran = ran.says("struck: write#9=crash-after").says("I4  Crash-safety").says("Every promise was held");
    ran.says("struck: ec2:CreateNatGateway#1=failed:InsufficientFreeAddressesInSubnet");
    let report = json(&dir.run(&[&["simulate", "-json"], &faults[..]].concat()).expect(0).stdout);
    let runs = report["runs"].as_array().expect("runs");
    assert_eq!((runs[0]["done"].as_bool(), runs.last().expect("one")["done"].as_bool()), (Some(false), Some(true)));
    dir.run(&["simulate", "-fault=CreateDBInstance=failed:incompatible-network"])
        .expect(0)
        .says("-allow-data-loss=aloka-dev-db is needed");
}

#[test]
fn faults_that_cannot_be_are_refused_and_those_that_do_not_strike_are_told() {
    let dir = Dir::new();
    for (fault, text) in [
        ("CreateNatGatway=lost-reply", "did you mean CreateNatGateway?"),
        ("CreateVpc=lost-answer", "WHAT is one of crash-before"),
        ("CreateVpc", "lacks an equals sign"),
        ("write#1=lost-reply", "use store-failed"),
    ] {
        dir.run(&["simulate", "-fault", fault]).expect(1).complains(fault).complains(text);
    }
    dir.run(&["simulate", "-fault=CreateVpc#2=stop"])
        .expect(1)
        .says("CreateVpc#2=stop did not strike: CreateVpc was called once");
}

#[test]
fn a_trace_replays_and_a_change_in_it_is_found() {
    let dir = Dir::new();
    dir.run(&["simulate", "-seed=7", "-fault=CreateSubnet#2=crash-after", "-trace=traces/run.jsonl"])
        .expect(0)
        .complains("the trace is in traces/run.jsonl");
    let path = dir.path().join("traces/run.jsonl");
    let trace = std::fs::read_to_string(&path).expect("written");
    assert!(!trace.contains(PASSWORD), "the password is in the trace");
    let header = json(trace.lines().next().expect("a header"));
    assert_eq!((&header["seed"], &header["faults"]), (&Value::from(7), &Value::from("ec2:CreateSubnet#2=crash-after")));

    // Where it was recorded does not matter, and there is no password any more.
    let other = Dir::new().without("TF_VAR_db_password").file("terraform.tfvars", "project_name = \"other\"\n");
    let replay = |path: &str, args: &[&str]| other.run(&[&["simulate", "-replay", path], args].concat());
    let name = path.to_str().expect("UTF-8");
    let events = trace.lines().count() - 1;
    replay(name, &[]).expect(0).says(&format!("All {events} events came out the same")).says("The account is empty");
    replay(name, &["-until=200"]).expect(0).says("Replay of 200 of").says("module.vpc.aws_vpc.this[0]");
    let state = json(&replay(name, &["-until=200", "-json"]).expect(0).stdout);
    assert_eq!((state["same"].as_bool(), state["events"].as_array().map(Vec::len)), (Some(true), Some(200)));
    replay(name, &["-until=1000000"]).expect(1).complains("there is no event 1000000");

    let changed = trace.replacen("ec2:CreateVpc ->", "ec2:CreateVpc =>", 1);
    let line = changed.lines().position(|line| line.contains("ec2:CreateVpc =>")).expect("changed") + 1;
    let other = Dir::new().file("changed.jsonl", &changed).file("cut.jsonl", &trace[..trace.len() / 2]);
    other
        .run(&["simulate", "-replay=changed.jsonl"])
        .expect(1)
        .complains(&format!("changed.jsonl, line {line}: the replay differs"))
        .complains("recorded: {")
        .complains("replayed: {");
    other.run(&["simulate", "-replay=cut.jsonl"]).expect(1).complains("cut.jsonl cannot be replayed: ");
    other.run(&["simulate", "-replay=missing.jsonl"]).expect(1).complains("cannot read missing.jsonl");
    let foreign = Dir::new().file("x.json", "{\"version\": 4}\n");
    foreign.run(&["simulate", "-replay=x.json"]).expect(1).complains("it is no trace of aloka");
    foreign.run(&["simulate", "-replay=x.json", "-var", "project_name=y"]).expect(1).complains("have no effect");
}

#[test]
fn a_stack_that_is_kept_leaves_its_trace() {
    let dir = Dir::new();
    dir.run(&["simulate", "-keep"]).expect(0).complains(".aloka/rehearsal.jsonl");
    dir.run(&["simulate", "-replay=.aloka/rehearsal.jsonl"])
        .expect(0)
        .says("In the account at")
        .says("aws_db_instance");
}
