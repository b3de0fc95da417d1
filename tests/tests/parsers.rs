//! What the fuzzers promise (`aloka_tests::parsers`), for those who have none: every text the tool writes, cut at every
//! byte, flipped, doubled, swapped and grown at random, and texts made to be too deep, too long or too large.

use std::fs;
use std::path::{Path, PathBuf};

use aloka_tests::parsers;
use proptest::prelude::*;

/// A parser and what must hold of it.
type Judge = fn(&[u8]);

const PARSERS: [(&str, Judge); 6] = [
    ("tfvars", parsers::tfvars),
    ("configuration", parsers::configuration),
    ("state", parsers::state),
    ("plan", parsers::plan),
    ("lock", parsers::lock),
    ("trace", parsers::trace),
];

/// Texts the parsers take, and what fuzzing found: the corpus of the fuzzers.
fn corpus(name: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(name);
    let mut found: Vec<_> = fs::read_dir(&folder)
        .expect("the corpus")
        .map(|entry| entry.expect("listed").path())
        .map(|path| (path.clone(), fs::read(&path).expect("read")))
        .collect();
    found.sort();
    assert!(!found.is_empty(), "{} is empty", folder.display());
    found
}

/// The larger texts of a corpus are for the fuzzers.
fn small(name: &str) -> Vec<Vec<u8>> {
    corpus(name).into_iter().map(|(_, bytes)| bytes).filter(|bytes| bytes.len() <= 4096).collect()
}

#[test]
fn the_corpus() {
    for (name, judge) in PARSERS {
        for (path, bytes) in corpus(name) {
            println!("{}", path.display());
            judge(&bytes);
        }
    }
}

#[test]
fn cut_at_every_byte() {
    for (name, judge) in PARSERS {
        for bytes in small(name) {
            (0..bytes.len()).for_each(|end| judge(&bytes[..end]));
        }
    }
}

/// What a text is changed by. Positions are taken modulo its length.
#[derive(Clone, Debug)]
enum Change {
    Flip(usize, u8),
    Cut(usize, usize),
    /// Copies a part to another place.
    Copy(usize, usize, usize),
    Insert(usize, &'static str),
    /// Replaces the digits from there on.
    Number(usize, &'static str),
}

fn change() -> impl Strategy<Value = Change> {
    let piece = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        "\"",
        "\\",
        ",",
        ":",
        "=",
        "null",
        "true",
        "\u{0}",
        "\u{feff}",
        "\u{202e}",
        "\\u0000",
        "\\ud800",
        "${",
        "%{",
        "<<EOT\n",
        "/*",
        "#",
        "\n",
        "-",
        "!",
        "(",
        "é",
        "$ref",
        "$secret",
        "\"$ref\":[\"x\"]",
    ]);
    let number = prop::sample::select(vec![
        "0",
        "-1",
        "18446744073709551615",
        "18446744073709551616",
        "4294967295",
        "4294967296",
        "1e999",
        "0.1e-400",
        "99999999999999999999999999999999999999",
        "1.7976931348623157e308",
    ]);
    prop_oneof![
        3 => (any::<usize>(), 1_u8..).prop_map(|(at, bits)| Change::Flip(at, bits)),
        2 => (any::<usize>(), 1_usize..200).prop_map(|(at, length)| Change::Cut(at, length)),
        2 => (any::<usize>(), 1_usize..300, any::<usize>()).prop_map(|(at, length, to)| Change::Copy(at, length, to)),
        3 => (any::<usize>(), piece).prop_map(|(at, piece)| Change::Insert(at, piece)),
        2 => (any::<usize>(), number).prop_map(|(at, number)| Change::Number(at, number)),
    ]
}

fn changed(mut bytes: Vec<u8>, changes: &[Change]) -> Vec<u8> {
    for change in changes {
        let length = bytes.len().max(1);
        let insert = |bytes: &mut Vec<u8>, at: usize, what: Vec<u8>| {
            let at = (at % length).min(bytes.len());
            drop(bytes.splice(at..at, what));
        };
        match change {
            Change::Flip(at, bits) => {
                if let Some(byte) = bytes.get_mut(at % length) {
                    *byte ^= bits;
                }
            }
            Change::Cut(at, count) => {
                let at = (at % length).min(bytes.len());
                bytes.drain(at..(at + count).min(bytes.len()));
            }
            Change::Copy(at, count, to) => {
                let at = (at % length).min(bytes.len());
                let part = bytes[at..(at + count).min(bytes.len())].to_vec();
                insert(&mut bytes, *to, part);
            }
            Change::Insert(at, piece) => insert(&mut bytes, *at, piece.as_bytes().to_vec()),
            Change::Number(at, number) => {
                let from = at % length;
                let Some(begin) = bytes.iter().skip(from).position(u8::is_ascii_digit).map(|more| from + more) else {
                    continue;
                };
                let digits = bytes[begin..].iter().take_while(|byte| byte.is_ascii_digit()).count();
                drop(bytes.splice(begin..begin + digits, number.bytes()));
            }
        }
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn changed_at_random(parser in 0..PARSERS.len(), pick in any::<usize>(), changes in prop::collection::vec(change(), 1..8)) {
        let (name, judge) = PARSERS[parser];
        let texts = small(name);
        judge(&changed(texts[pick % texts.len()].clone(), &changes));
    }
}

/// Deeper than any stack: every way to nest, in every format.
#[test]
fn nothing_nests_too_deep() {
    const DEPTH: usize = 20_000;
    const OPENINGS: [&str; 22] = [
        "[",
        "{",
        "(",
        "{a=",
        "[[{",
        "!",
        "-",
        "- ",
        "\"${",
        "\"%{",
        "${",
        "%{if ",
        "<<A\n",
        "a.",
        "a[",
        "f(",
        "a?",
        "a?b:",
        "1+",
        "for x in ",
        "{\"a\":",
        "[{\"a\":",
    ];
    for opening in OPENINGS {
        let deep = opening.repeat(DEPTH);
        let closed = |close: &str| format!("{deep}{}", close.repeat(DEPTH));
        let texts = [deep.clone(), closed("]"), closed("}"), closed(")"), closed("}\""), format!("{deep}1")];
        for text in &texts {
            for form in
                ["\0tags = ", "\0", "\u{1}{\"tags\": ", "\u{1}", "\u{2}tags=", "\u{3}app_ingress=", "\u{3}vpc_cidr="]
            {
                parsers::tfvars(format!("{form}{text}").as_bytes());
            }
            for form in [
                "\0",
                "\0variable \"tags\" {\ndefault = ",
                "\0backend ",
                "\u{1}{\"variable\": ",
                "\u{1}{\"resource\": ",
            ] {
                parsers::configuration(format!("{form}{text}").as_bytes());
            }
        }
    }
    for opening in ["[", "{\"a\":", "[{\"a\":"] {
        let deep = opening.repeat(DEPTH);
        parsers::lock(deep.as_bytes());
        parsers::lock(format!("{{\"ID\": {deep}").as_bytes());
        for key in ["resources", "outputs", "aloka", "check_results", "else"] {
            parsers::state(format!("{{\"version\": 4, \"{key}\": {deep}").as_bytes());
        }
        let ours =
            r#"{"version":4,"resources":[{"mode":"managed","type":"aws_vpc","name":"x","instances":[{"attributes":"#;
        parsers::state(format!("{ours}{deep}").as_bytes());
        parsers::plan(format!("{{\"kind\": \"aloka plan\", \"format_version\": 1, \"plan\": {deep}").as_bytes());
        parsers::trace(format!("{{\"aloka_trace\": 1, \"x\": {deep}").as_bytes());
    }
    // Closed as well, so that nothing but the depth is wrong.
    for depth in [100, 126, 127, 128, 129, 10_000] {
        let (open, close) = ("[".repeat(depth), "]".repeat(depth));
        parsers::state(format!("{{\"version\": 4, \"resources\": [{{\"x\": {open}{close}}}]}}").as_bytes());
        let outputs = format!("{{\"version\": 4, \"outputs\": {{\"x\": {{\"value\": {open}{close}}}}}}}");
        parsers::state(outputs.as_bytes());
    }
}

/// Long names, values and lines, and many of each.
#[test]
fn nothing_is_too_long() {
    let long = "x".repeat(3 << 20);
    parsers::tfvars(format!("\0vpc_cidr = \"{long}\"").as_bytes());
    let below = &long[..1_000_000];
    for text in [
        format!("\0vpc_cidr = \"{below}\""),
        format!("\0{below} = 1"),
        format!("\0{below}"),
        format!("\u{1}{{\"{below}\": 1}}"),
        format!("\u{1}{{\"project_name\": \"{below}\"}}"),
        format!("\u{3}environment={below}"),
        format!("\0app_instance_count = {}", "9".repeat(1_000_000)),
        format!("\u{1}{{\"app_instance_count\": 1{}}}", "0".repeat(1_000_000)),
        format!("\0tags = {{ {} }}", (0..20_000).map(|n| format!("a{n} = 1\n")).collect::<String>()),
        format!("\0{}", "vpc_cidr = 1\n".repeat(50_000)),
    ] {
        parsers::tfvars(text.as_bytes());
    }
    let huge = "7".repeat(100_000);
    parsers::state(format!("{{\"version\": {huge}}}").as_bytes());
    parsers::state(format!("{{\"version\": 4, \"serial\": {huge}}}").as_bytes());
    parsers::state(format!("{{\"version\": 4, \"lineage\": \"{long}\"}}").as_bytes());
    parsers::lock(format!("{{\"ID\": \"{long}\"}}").as_bytes());
    parsers::trace(format!("{{\"aloka_trace\": {huge}}}").as_bytes());
    parsers::plan(format!("{{\"kind\": \"{long}\", \"format_version\": 1}}").as_bytes());
}
