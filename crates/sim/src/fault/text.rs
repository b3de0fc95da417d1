//! Faults as people write them, `WHERE=WHAT`: `ec2:CreateNatGateway#1=lost-reply`. What is printed reads back as the same; the
//! service may be left out where no other one has an operation of that name.
//!
//! `WHERE` is `OPERATION#N`, the Nth call of an operation; `call#N`, the Nth call of any; `write#N`, the Nth write of
//! the state; each the first if `#N` is left out. `effect#N` is the effect that a trace gives this number. `WHAT` is
//! one of [`WORDS`], two of them with an error code behind a colon.

use std::fmt;
use std::str::FromStr;

use aloka_core::api::Operation;
use aloka_core::variables::suggest;

use super::{FAIL_LATER, Fault, FaultPlan, When};

/// Every fault, as it is written.
pub(super) const WORDS: [&str; 16] = [
    "crash-before",
    "crash-after",
    "crash-answered",
    "lost-reply",
    "throttled",
    "server-error",
    "server-error-acted",
    "not-found",
    "expired-credentials",
    "refused:CODE",
    "failed:CODE",
    "store-failed",
    "store-unsure",
    "overtaken",
    "stop",
    "abandon",
];

/// Why a text is no plan of faults.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FaultError {
    /// There is no `=`.
    #[error("`{0}` lacks an equals sign: write WHERE=WHAT, such as CreateNatGateway#1=lost-reply")]
    NoWhat(String),
    /// The part before `#` is neither an operation nor one of three words.
    #[error(
        "`{name}` is no operation that aloka sends{}; WHERE is OPERATION#N, call#N, write#N or effect#N",
        did_you_mean(.nearest.as_deref())
    )]
    Where {
        /// The part.
        name: String,
        /// What may be meant.
        nearest: Option<String>,
    },
    /// The part after `#` is no number, or zero where the first is 1.
    #[error("`{number}` is no number of {what}: {first}")]
    Number {
        /// The part.
        number: String,
        /// What is counted.
        what: &'static str,
        /// From where.
        first: &'static str,
    },
    /// The part after `=` is no fault.
    #[error("`{name}` is no fault{}; WHAT is one of {}", did_you_mean(.nearest.as_deref()), WORDS.join(", "))]
    What {
        /// The part.
        name: String,
        /// What may be meant.
        nearest: Option<String>,
    },
    /// An error code is missing, or no code.
    #[error("`{code}` is no error code: write {word}:CODE, such as {word}:{example}")]
    Code {
        /// The part.
        code: String,
        /// The word before the colon.
        word: &'static str,
        /// A code.
        example: &'static str,
    },
    /// This fault cannot happen there.
    #[error("`{what}` cannot happen at `{place}`: {why}")]
    Misfit {
        /// The fault.
        what: String,
        /// Where it was to strike.
        place: String,
        /// What is possible.
        why: String,
    },
}

fn did_you_mean(nearest: Option<&str>) -> String {
    nearest.map(|nearest| format!("; did you mean {nearest}?")).unwrap_or_default()
}

/// Entries, separated by commas.
impl fmt::Display for FaultPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (when, fault)) in self.0.iter().enumerate() {
            let comma = if index > 0 { "," } else { "" };
            write!(f, "{comma}{when}={fault}")?;
        }
        Ok(())
    }
}

impl FromStr for FaultPlan {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        if text.trim().is_empty() {
            return Ok(Self::none());
        }
        text.split(',').map(|entry| entry_of(entry.trim())).collect::<Result<_, _>>().map(Self)
    }
}

fn entry_of(entry: &str) -> Result<(When, Fault), FaultError> {
    let (place, what) = entry.split_once('=').ok_or_else(|| FaultError::NoWhat(entry.to_owned()))?;
    let (when, fault): (When, Fault) = (place.trim().parse()?, what.trim().parse()?);
    match why_not(&when, &fault) {
        None => Ok((when, fault)),
        Some(why) => Err(FaultError::Misfit { what: fault.to_string(), place: when.to_string(), why }),
    }
}

/// Why this fault can never strike there, if so.
fn why_not(when: &When, fault: &Fault) -> Option<String> {
    let fails_later = || FAIL_LATER.map(Operation::name).join(", ");
    match (fault, when) {
        (Fault::CrashBefore | Fault::CrashAfter | Fault::CrashAnswered | Fault::Stop | Fault::Abandon, _) => None,
        (Fault::StoreFailed | Fault::StoreUnsure | Fault::Overtaken, When::Write { .. } | When::Effect(_)) => None,
        (Fault::StoreFailed | Fault::StoreUnsure | Fault::Overtaken, When::Call { .. }) => {
            Some("a call does not write the state; use write#N".to_owned())
        }
        (Fault::Failed { .. }, When::Call { operation: Some(operation), .. }) if FAIL_LATER.contains(operation) => None,
        (Fault::Failed { .. }, _) => Some(format!("only {} can fail after AWS accepted them", fails_later())),
        (
            Fault::LostReply
            | Fault::Throttled
            | Fault::ServerError { .. }
            | Fault::NotFound
            | Fault::Credentials
            | Fault::Refused { .. },
            When::Write { .. },
        ) => Some("a write of the state is not sent to AWS; use store-failed".to_owned()),
        (
            Fault::LostReply
            | Fault::Throttled
            | Fault::ServerError { .. }
            | Fault::NotFound
            | Fault::Credentials
            | Fault::Refused { .. },
            When::Call { .. } | When::Effect(_),
        ) => None,
    }
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Effect(effect) => write!(f, "effect#{effect}"),
            Self::Call { operation: None, nth } => write!(f, "call#{nth}"),
            Self::Call { operation: Some(operation), nth } => write!(f, "{operation}#{nth}"),
            Self::Write { nth } => write!(f, "write#{nth}"),
        }
    }
}

impl FromStr for When {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        let (name, number) = text.split_once('#').map_or((text, None), |(name, number)| (name, Some(number)));
        let nth = |what| match number {
            None => Ok(1),
            Some(number) => number.parse().ok().filter(|nth| *nth > 0).ok_or_else(|| FaultError::Number {
                number: number.to_owned(),
                what,
                first: "the first is 1",
            }),
        };
        match name {
            "call" => return Ok(Self::Call { operation: None, nth: nth("a call")? }),
            "write" => return Ok(Self::Write { nth: nth("a write")? }),
            "effect" => {
                let number = number.unwrap_or_default();
                let unknown = || FaultError::Number {
                    number: number.to_owned(),
                    what: "an effect",
                    first: "they are numbered from 0, as in a trace",
                };
                return number.parse().map(Self::Effect).map_err(|_| unknown());
            }
            _ => {}
        }
        let own_name = name.split_once(':').map_or(name, |(_, name)| name);
        // The service may be left out where no other one has an operation of that name.
        let fits = |operation: &&Operation| operation.to_string() == name || operation.name() == name;
        let mut named = Operation::ALL.iter().filter(fits);
        match (named.next(), named.next()) {
            (Some(operation), None) => Ok(Self::Call { operation: Some(*operation), nth: nth("a call")? }),
            (Some(one), Some(_)) => Err(FaultError::Where { name: name.to_owned(), nearest: Some(one.to_string()) }),
            (None, _) => {
                let names = Operation::ALL.iter().map(|operation| operation.name()).chain(["call", "write", "effect"]);
                let nearest = suggest::nearest(own_name, names).map(str::to_owned);
                Err(FaultError::Where { name: name.to_owned(), nearest })
            }
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CrashBefore => f.write_str("crash-before"),
            Self::CrashAfter => f.write_str("crash-after"),
            Self::CrashAnswered => f.write_str("crash-answered"),
            Self::LostReply => f.write_str("lost-reply"),
            Self::Throttled => f.write_str("throttled"),
            Self::ServerError { acted: true } => f.write_str("server-error-acted"),
            Self::ServerError { acted: false } => f.write_str("server-error"),
            Self::NotFound => f.write_str("not-found"),
            Self::Credentials => f.write_str("expired-credentials"),
            Self::Refused { code } => write!(f, "refused:{code}"),
            Self::Failed { code } => write!(f, "failed:{code}"),
            Self::StoreFailed => f.write_str("store-failed"),
            Self::StoreUnsure => f.write_str("store-unsure"),
            Self::Overtaken => f.write_str("overtaken"),
            Self::Stop => f.write_str("stop"),
            Self::Abandon => f.write_str("abandon"),
        }
    }
}

impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        let (word, code) = text.split_once(':').map_or((text, None), |(word, code)| (word, Some(code)));
        let code_of = |word, example| {
            let code = code.unwrap_or_default();
            let is_code =
                !code.is_empty() && code.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'));
            is_code.then(|| code.to_owned()).ok_or_else(|| FaultError::Code { code: code.to_owned(), word, example })
        };
        let fault = match word {
            "refused" => return Ok(Self::Refused { code: code_of("refused", "InsufficientInstanceCapacity")? }),
            "failed" => return Ok(Self::Failed { code: code_of("failed", "InsufficientFreeAddressesInSubnet")? }),
            "crash-before" => Self::CrashBefore,
            "crash-after" => Self::CrashAfter,
            "crash-answered" => Self::CrashAnswered,
            "lost-reply" => Self::LostReply,
            "throttled" => Self::Throttled,
            "server-error" => Self::ServerError { acted: false },
            "server-error-acted" => Self::ServerError { acted: true },
            "not-found" => Self::NotFound,
            "expired-credentials" => Self::Credentials,
            "store-failed" => Self::StoreFailed,
            "store-unsure" => Self::StoreUnsure,
            "overtaken" => Self::Overtaken,
            "stop" => Self::Stop,
            "abandon" => Self::Abandon,
            _ => return Err(unknown(text)),
        };
        if code.is_some() { Err(unknown(text)) } else { Ok(fault) }
    }
}

fn unknown(name: &str) -> FaultError {
    FaultError::What { name: name.to_owned(), nearest: suggest::nearest(name, WORDS).map(str::to_owned) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    /// Any entry that can strike somewhere.
    fn any_entry(rng: &mut Rng) -> (When, Fault) {
        let nth = rng.between(1, u64::MAX);
        let operation = rng.pick(Operation::ALL).copied();
        let when = match rng.below(5) {
            0 => When::Effect(rng.any()),
            1 => When::Call { operation: None, nth },
            2 => When::Write { nth },
            _ => When::Call { operation, nth },
        };
        let length = usize::try_from(rng.between(1, 30)).expect("small");
        let code = rng.text("ABCxyz019.-_", length);
        let faults = [
            Fault::CrashBefore,
            Fault::CrashAfter,
            Fault::CrashAnswered,
            Fault::LostReply,
            Fault::Throttled,
            Fault::ServerError { acted: true },
            Fault::ServerError { acted: false },
            Fault::NotFound,
            Fault::Credentials,
            Fault::Refused { code: code.clone() },
            Fault::Failed { code },
            Fault::StoreFailed,
            Fault::StoreUnsure,
            Fault::Overtaken,
            Fault::Stop,
            Fault::Abandon,
        ];
        let fault = rng.pick(&faults).expect("some").clone();
        (when, fault)
    }

    #[test]
    fn what_is_printed_reads_back() {
        let mut rng = Rng::stream(5, "faults as text", 0);
        let (mut read, mut misfits) = (0, 0);
        for _ in 0..5_000 {
            let plan = FaultPlan((0..rng.below(4)).map(|_| any_entry(&mut rng)).collect());
            let text = plan.to_string();
            match text.parse::<FaultPlan>() {
                Ok(again) => {
                    assert_eq!(again, plan, "{text}");
                    read += 1;
                }
                Err(error) => {
                    assert!(matches!(error, FaultError::Misfit { .. }), "{text}: {error}");
                    assert!(plan.0.iter().any(|(when, fault)| why_not(when, fault).is_some()), "{text}");
                    misfits += 1;
                }
            }
        }
        assert!(read > 1_000 && misfits > 500, "{read} read, {misfits} misfits");
    }

    #[test]
    fn every_word_is_read() {
        for word in WORDS {
            let fault: Fault = word.parse().unwrap_or_else(|error| panic!("{word}: {error}"));
            assert_eq!(fault.to_string(), word);
        }
    }

    #[test]
    fn the_number_may_be_left_out() {
        let one = |text: &str| text.parse::<FaultPlan>().map(|plan| plan.to_string());
        assert_eq!(one("CreateVpc=stop").as_deref(), Ok("ec2:CreateVpc#1=stop"));
        assert_eq!(one("ec2:CreateVpc#2=stop").as_deref(), Ok("ec2:CreateVpc#2=stop"));
        assert_eq!(one(" call=stop , write#3 = store-failed").as_deref(), Ok("call#1=stop,write#3=store-failed"));
        assert_eq!(one("").as_deref(), Ok(""));
    }

    #[test]
    fn errors_name_the_part_that_is_wrong() {
        for (text, parts) in [
            ("CreateVpc", vec!["`CreateVpc` lacks an equals sign"]),
            ("CreateVpcs=stop", vec!["`CreateVpcs`", "did you mean CreateVpc?", "call#N"]),
            ("rds:CreateVpc=stop", vec!["`rds:CreateVpc`", "did you mean CreateVpc?"]),
            ("LaunchRocket=stop", vec!["`LaunchRocket` is no operation that aloka sends;"]),
            ("CreateVpc#0=stop", vec!["`0` is no number of a call", "the first is 1"]),
            ("write#x=stop", vec!["`x` is no number of a write"]),
            ("effect=stop", vec!["`` is no number of an effect"]),
            ("CreateVpc=lost-replies", vec!["`lost-replies`", "did you mean lost-reply?", "refused:CODE"]),
            ("CreateVpc=stop:now", vec!["`stop:now` is no fault"]),
            ("CreateVpc=refused", vec!["`` is no error code", "refused:CODE"]),
            ("CreateVpc=refused:no code", vec!["`no code` is no error code"]),
            ("CreateVpc=store-failed", vec!["`store-failed` cannot happen at `ec2:CreateVpc#1`", "write#N"]),
            ("write#1=lost-reply", vec!["cannot happen at `write#1`", "store-failed"]),
            ("CreateVpc=failed:X", vec!["only CreateNatGateway, RunInstances, CreateDBInstance"]),
            ("CreateVpc=stop,,", vec!["`` lacks an equals sign"]),
        ] {
            let error = text.parse::<FaultPlan>().expect_err(text).to_string();
            for part in parts {
                assert!(error.contains(part), "{text}: `{part}` is not in: {error}");
            }
        }
    }
}
