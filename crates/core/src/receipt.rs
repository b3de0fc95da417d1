//! Receipts: what a run sent, what was answered, and when, fit to be shown to others.
//!
//! A receipt is one line of JSON for how it began, one for each call and its answer, and one for how it ended; a call that
//! changes something has a line of its own when it is sent, so that a receipt of a run that was killed tells of it as well.
//! Of the account it tells only what is of the stack: every object that is not is left out and counted, and identifiers, account numbers,
//! addresses and host names are written as names that say what they are of, the same ones all through a receipt. A
//! secret has no way into one, as requests only name secrets, and of user data there is its digest.

mod names;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::api::{Call, ErrorClass, Operation, Reply, Request};
use crate::engine::{News, Notice};
use crate::identity::sha256;
use crate::plan::Node;
use crate::state::State;
use crate::time::Instant;
use crate::value::Value;

pub use self::names::{Names, OTHERS, identity, is_public, made, named};

/// The form of receipts that this release writes, and the only one that it reads.
pub const FORMAT_VERSION: u32 = 1;

/// A line of a receipt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// How it began: the first line.
    Receipt(Header),
    /// A call that changes something is about to be sent.
    Sent(Sent),
    /// A call and its answer.
    Call(Exchange),
    /// How it ended: the last line, if the run came to its end.
    End(End),
}

/// How a run began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// See [`FORMAT_VERSION`].
    pub format_version: u32,
    /// The release of aloka.
    pub aloka: String,
    /// The command, as `apply`.
    pub command: String,
    /// `aws`, `emulator` for another endpoint, or `sim`.
    pub cloud: String,
    /// The Region.
    pub region: String,
    /// When, as RFC 3339.
    pub began: String,
}

impl Header {
    /// When the run began, in seconds since 1970; `None` if the text is no time of that form.
    pub fn began_seconds(&self) -> Option<u64> {
        if !self.began.ends_with('Z') {
            return None;
        }
        let began: jiff::Timestamp = self.began.parse().ok()?;
        u64::try_from(began.as_second()).ok()
    }
}

/// A call that changes something, written before its answer is known: who was killed meanwhile never knew it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sent {
    /// When it was sent, in milliseconds since the run began.
    pub at_ms: u64,
    /// The object it was sent for.
    pub address: String,
    /// The operation.
    pub operation: Operation,
    /// Which sending of this call: 1 for the first.
    pub attempt: u32,
    /// The arguments.
    pub arguments: Value,
}

/// A call, its answer, and when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exchange {
    /// When it was sent, in milliseconds since the run began.
    pub at_ms: u64,
    /// How long the answer took.
    pub took_ms: u64,
    /// The object it was sent for.
    pub address: String,
    /// The operation.
    pub operation: Operation,
    /// Which sending of this call: 1 for the first.
    pub attempt: u32,
    /// The arguments.
    pub arguments: Value,
    /// What was answered.
    pub answer: Answer,
}

impl Exchange {
    /// True if it is of the same sending of the same call.
    fn answers(&self, sent: &Sent) -> bool {
        (self.at_ms, self.operation, self.attempt) == (sent.at_ms, sent.operation, sent.attempt)
            && self.address == sent.address
    }
}

/// What was answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// A reply.
    Reply(Value),
    /// A refusal, or no answer.
    Error {
        /// The code.
        code: String,
        /// The message.
        message: String,
        /// True if AWS answered; false if no answer came.
        answered: bool,
    },
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct End {
    /// When, in milliseconds since it began.
    pub at_ms: u64,
    /// `done`, `failed`, `stopped` or `store-failed`.
    pub outcome: String,
}

impl Line {
    /// The line, without its end.
    pub fn to_json(&self) -> String {
        // Numbers, texts and values: serialising them has no way to fail.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// A receipt that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Receipt {
    /// How it began.
    pub header: Header,
    /// The calls, in the order of their answers.
    pub exchanges: Vec<Exchange>,
    /// Calls that change something and whose answer it does not tell, in the order of their sending: what became of them
    /// nobody knows.
    pub unanswered: Vec<Sent>,
    /// How it ended; `None` if the run was killed.
    pub end: Option<End>,
}

/// Reads a receipt. A last line that was cut off by the end of its run is passed over.
///
/// # Errors
/// What is wrong with it, and in which line.
pub fn read(text: &str) -> Result<Receipt, String> {
    let mut lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()).peekable();
    let mut header = None;
    let (mut exchanges, mut unanswered, mut end) = (Vec::new(), Vec::<Sent>::new(), None);
    while let Some((index, line)) = lines.next() {
        let number = index + 1;
        if index == 0 {
            check_version(line)?;
        }
        let parsed = match serde_json::from_str::<Line>(line) {
            Ok(parsed) => parsed,
            Err(_) if index > 0 && lines.peek().is_none() && !text.ends_with('\n') => break,
            Err(error) => return Err(format!("line {number} is not a line of a receipt: {error}")),
        };
        match (parsed, &header, &end) {
            (Line::Receipt(first), None, _) => header = Some(first),
            (Line::Sent(sent), Some(_), None) => unanswered.push(sent),
            (Line::Call(exchange), Some(_), None) => {
                unanswered.retain(|sent| !exchange.answers(sent));
                exchanges.push(exchange);
            }
            (Line::End(last), Some(_), None) => end = Some(last),
            (Line::Receipt(_) | Line::Sent(_) | Line::Call(_) | Line::End(_), _, _) => {
                return Err(format!("line {number} is out of its place: a receipt has one beginning and one end"));
            }
        }
    }
    let header = header.ok_or("it is empty")?;
    Ok(Receipt { header, exchanges, unanswered, end })
}

/// Tells a receipt of another release from what is none.
fn check_version(line: &str) -> Result<(), String> {
    #[derive(Deserialize)]
    struct Version {
        format_version: u32,
    }
    #[derive(Deserialize)]
    struct First {
        receipt: Version,
    }
    match serde_json::from_str::<First>(line) {
        Ok(First { receipt: Version { format_version: FORMAT_VERSION } }) => Ok(()),
        Ok(First { receipt: Version { format_version } }) => {
            Err(format!("it has format version {format_version}, and this release reads {FORMAT_VERSION}"))
        }
        Err(_) => Err("it is not a receipt: its first line does not begin with {\"receipt\":".to_owned()),
    }
}

/// Writes down what the executors of a run send and hear.
#[derive(Clone, Debug)]
pub struct Writer {
    names: Names,
    /// Calls under way, by node: one at a time.
    sent: BTreeMap<usize, (Instant, Request, u32)>,
    began: Instant,
}

impl Writer {
    /// For a run that begins now with this state.
    pub fn new(state: &State, began: Instant) -> Self {
        Self { names: Names::of(state), sent: BTreeMap::new(), began }
    }

    /// The state knows more by now.
    pub fn learn(&mut self, state: &State) {
        self.names.learn(state);
    }

    /// Other nodes are run from here on.
    pub fn next_graph(&mut self) {
        self.sent.clear();
    }

    /// What is to be written of this notice.
    pub fn notice(&mut self, nodes: &[Node], notice: &Notice) -> Option<Line> {
        match &notice.news {
            News::Sent { request, attempt } => {
                self.sent.insert(notice.node, (notice.at, request.clone(), *attempt));
                let operation = request.operation();
                operation.is_mutating().then(|| {
                    Line::Sent(Sent {
                        at_ms: millis(self.began, notice.at),
                        address: address(nodes, notice),
                        operation,
                        attempt: *attempt,
                        arguments: self.names.value(&arguments(&request.0)),
                    })
                })
            }
            News::Answered { reply } => {
                let (at, request, attempt) = self.sent.remove(&notice.node)?;
                Some(Line::Call(self.exchange(address(nodes, notice), (at, notice.at), &request, attempt, reply)))
            }
            News::Started
            | News::Waiting { .. }
            | News::Retry { .. }
            | News::Adopted { .. }
            | News::Finished { .. }
            | News::Failed { .. }
            | News::Skipped => None,
        }
    }

    /// The last line.
    pub fn end(&self, at: Instant, outcome: &str) -> Line {
        Line::End(End { at_ms: millis(self.began, at), outcome: outcome.to_owned() })
    }

    fn exchange(
        &mut self,
        address: String,
        (sent, answered): (Instant, Instant),
        request: &Request,
        attempt: u32,
        reply: &Reply,
    ) -> Exchange {
        let operation = request.operation();
        let answer = match reply {
            Ok(value) => Answer::Reply(self.names.reply(&address, operation, value)),
            Err(error) => Answer::Error {
                code: error.code.clone(),
                message: self.names.text(&error.message),
                answered: error.class != ErrorClass::Unknown || !matches!(&*error.code, "Timeout" | "ConnectionError"),
            },
        };
        let arguments = self.names.value(&arguments(&request.0));
        let at_ms = millis(self.began, sent);
        let took_ms = millis(sent, answered);
        Exchange { at_ms, took_ms, address, operation, attempt, arguments, answer }
    }
}

/// The object of a notice.
fn address(nodes: &[Node], notice: &Notice) -> String {
    nodes.get(notice.node).map(|node| node.target.to_string()).unwrap_or_default()
}

fn millis(from: Instant, to: Instant) -> u64 {
    u64::try_from(to.since(from).as_millis()).unwrap_or(u64::MAX)
}

/// What was sent, but for the user data: of that, how long it is and its digest.
fn arguments(call: &Call) -> Value {
    Value::map(call.args.iter().map(|(name, value)| match (*name, value.as_str()) {
        ("UserData", Some(text)) => {
            let bytes = u64::try_from(text.len()).unwrap_or(u64::MAX);
            (*name, Value::map([("bytes", Value::from(bytes)), ("sha256", Value::str(sha256(text)))]))
        }
        _ => (*name, value.clone()),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beginnings_are_read() {
        let seconds = |began: &str| {
            let text = |text: &str| text.to_owned();
            let (aloka, command, cloud, region) = (text("0"), text("apply"), text("aws"), text("us-east-1"));
            Header { format_version: 1, aloka, command, cloud, region, began: text(began) }.began_seconds()
        };
        for (began, expected) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2000-02-29T12:00:01Z", Some(951_825_601)),
            ("2026-11-29T11:10:00Z", Some(1_795_950_600)),
            ("2026-11-29 11:10:00Z", Some(1_795_950_600)),
            ("2026-13-29T11:10:00Z", None),
            ("2026-11-29T24:10:00Z", None),
            ("", None),
        ] {
            assert_eq!(seconds(began), expected, "{began}");
        }
    }
}
