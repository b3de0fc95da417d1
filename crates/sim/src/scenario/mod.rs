//! Scenarios: short lists of calls with what AWS answers to them, in one small language.
//!
//! Each shows what meets a rule of the [table](crate::rules), or what comes close and does not; some show a sequence. The
//! same scenarios run on the simulated account and, through the driver of the command line tool, on emulators of AWS; where
//! those answer otherwise, the [differences](difference) are listed, with who is right.
//!
//! # Language
//! One statement a line; `#` begins a comment. Arguments are JSON, and `$name` in a text is what was kept under that name.
//! The text `$x*255` is 255 times the letter x.
//!
//! ```text
//! setup network                            # statements that scenarios can begin with
//!   ec2:CreateVpc {"CidrBlock": "10.0.0.0/16"}
//!   let vpc = Vpc.VpcId                    # keep a text of the last answer
//! scenario a subnet beyond its VPC
//! meets subnet.in-vpc                      # or: near RULE; several are allowed
//! given network
//!   ec2:CreateSubnet {"VpcId": "$vpc", "CidrBlock": "10.1.0.0/24"} ! InvalidSubnet.Range
//! scenario a new VPC
//!   ec2:CreateVpc {"CidrBlock": "10.0.0.0/16"}
//!   expect Vpc.State == "pending"          # also: !=, is absent, is present, has N
//!   wait 3s
//!   until ec2:DescribeVpcs {} Vpcs.0.State == "available"
//!   repeat 5 ec2:AllocateAddress {"Domain": "vpc"}    # $i counts from 0
//!   set quota.addresses = 5                # the simulated account only, as every `set` and `fail`
//!   fail ec2:CreateNatGateway InternalError "it did not work"      # accepted, and failed later
//!   fail ec2:RunInstances InsufficientInstanceCapacity "no room"   # refused: AWS's code for want of room
//!   set policy = {"Version": "2012-10-17", "Statement": []}
//!   set other.endpoint = {"vpc": "$vpc", "tags": {}}           # what other people have; so too other.interface
//!   dry-run ec2:CreateVpc {"CidrBlock": "10.0.0.0/16"} ! DryRunOperation
//! ```
//!
//! `Tags` and `ClientToken` are filled in where an operation needs them and none are given. A call without `!` must
//! succeed.

pub mod difference;
mod library;
mod parse;
mod run;

use std::time::Duration;

use aloka_core::api::Operation;
use serde_json::Value as Json;

pub use self::library::{LIBRARY, Library, library};
pub use self::parse::{ParseError, parse};
pub use self::run::{Cloud, Failed, Ran, Setting, SimulatedCloud, run};
use crate::rules::Rule;

/// A list of statements with a name.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Its name; no two scenarios share one.
    pub name: String,
    /// The file it stands in, and the line of its heading.
    pub place: (String, usize),
    /// The rules it meets.
    pub meets: Vec<&'static Rule>,
    /// The rules it comes close to without meeting them.
    pub near: Vec<&'static Rule>,
    /// What happens, in order.
    pub statements: Vec<Statement>,
}

impl Scenario {
    /// True if an emulator can run it: nothing in it is asked of the simulated account alone.
    pub fn is_portable(&self) -> bool {
        self.statements.iter().all(|statement| match statement.act {
            Act::Call { .. } | Act::Let { .. } | Act::Expect(_) | Act::Wait(_) | Act::Until { .. } => true,
            Act::Set { .. } | Act::Fail { .. } | Act::DryRun { .. } => false,
        })
    }
}

/// One line of a scenario.
#[derive(Clone, Debug)]
pub struct Statement {
    /// Its line in the file.
    pub line: usize,
    /// What it does.
    pub act: Act,
}

/// What a statement does.
#[derive(Clone, Debug)]
pub enum Act {
    /// A call, `times` over.
    Call {
        /// How often.
        times: usize,
        /// The operation.
        operation: Operation,
        /// Its arguments, with `$name` in texts.
        arguments: Json,
        /// The code of the refusal that is expected of the last one; `None` if all must succeed.
        refused: Option<String>,
    },
    /// Asks whether a call would be carried out.
    DryRun {
        /// The operation.
        operation: Operation,
        /// Its arguments.
        arguments: Json,
        /// The code it is answered with.
        code: String,
    },
    /// Keeps the text at `path` of the last answer.
    Let {
        /// Under this name.
        name: String,
        /// Path in the answer.
        path: String,
    },
    /// Holds the last answer against a condition.
    Expect(Condition),
    /// Lets time pass.
    Wait(Duration),
    /// Repeats a read until its answer fulfils a condition; as long as the cloud has patience: a day of virtual time.
    Until {
        /// The operation.
        operation: Operation,
        /// Its arguments.
        arguments: Json,
        /// What to wait for.
        condition: Condition,
    },
    /// Changes something about the simulated account.
    Set {
        /// What, such as `quota.vpcs`.
        name: String,
        /// To what.
        value: Json,
    },
    /// Makes the next such call fail after it was accepted, or refuses it for want of room.
    Fail {
        /// The operation.
        operation: Operation,
        /// The failure code.
        code: String,
        /// The failure message.
        message: String,
    },
}

/// What an answer should be.
#[derive(Clone, Debug)]
pub struct Condition {
    /// Path in the answer.
    pub path: String,
    /// What should be there.
    pub test: Test,
}

/// What should be at a path.
#[derive(Clone, Debug)]
pub enum Test {
    /// This value.
    Equals(Json),
    /// Another value.
    Differs(Json),
    /// Nothing.
    Absent,
    /// Something.
    Present,
    /// A list or map of so many.
    Has(usize),
}
