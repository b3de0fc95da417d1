//! Reads scenarios. Knows the language, not what calls do.

use std::collections::BTreeMap;
use std::time::Duration;

use aloka_core::api::Operation;
use serde_json::Value as Json;

use super::{Act, Condition, Scenario, Statement, Test};
use crate::aws::find_rule;

/// What is wrong with a file of scenarios, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {what}")]
pub struct ParseError {
    /// The file.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong.
    pub what: String,
}

/// The scenarios of a file.
///
/// # Errors
/// The first line that is not understood.
pub fn parse(file: &str, text: &str) -> Result<Vec<Scenario>, ParseError> {
    let mut reader = Reader::default();
    for (index, line) in text.lines().enumerate() {
        let number = index + 1;
        reader.line(file, number, line.trim()).map_err(|what| ParseError {
            file: file.to_owned(),
            line: number,
            what,
        })?;
    }
    Ok(reader.scenarios)
}

#[derive(Default)]
struct Reader {
    setups: BTreeMap<String, Vec<Statement>>,
    /// The setup that is being read, if it is not a scenario.
    setup: Option<String>,
    scenarios: Vec<Scenario>,
}

impl Reader {
    fn line(&mut self, file: &str, number: usize, line: &str) -> Result<(), String> {
        if line.is_empty() || line.starts_with('#') {
            return Ok(());
        }
        let (word, rest) = line.split_once(char::is_whitespace).map_or((line, ""), |(word, rest)| (word, rest.trim()));
        match word {
            "setup" => {
                self.setups.insert(rest.to_owned(), Vec::new());
                self.setup = Some(rest.to_owned());
            }
            "scenario" => {
                self.setup = None;
                let place = (file.to_owned(), number);
                let (meets, near, statements) = (Vec::new(), Vec::new(), Vec::new());
                self.scenarios.push(Scenario { name: rest.to_owned(), place, meets, near, statements });
            }
            "meets" | "near" => {
                let rule = find_rule(rest).ok_or_else(|| format!("no rule is called {rest}"))?;
                let scenario = self.scenario()?;
                if word == "meets" { &mut scenario.meets } else { &mut scenario.near }.push(rule);
            }
            "given" => {
                let setup = self.setups.get(rest).ok_or_else(|| format!("no setup is called {rest}"))?.clone();
                self.statements()?.extend(setup);
            }
            _ => {
                let act = act(word, rest)?;
                self.statements()?.push(Statement { line: number, act });
            }
        }
        Ok(())
    }

    fn scenario(&mut self) -> Result<&mut Scenario, String> {
        match (&self.setup, self.scenarios.last_mut()) {
            (None, Some(scenario)) => Ok(scenario),
            (Some(_), _) | (None, None) => Err("this belongs into a scenario".to_owned()),
        }
    }

    fn statements(&mut self) -> Result<&mut Vec<Statement>, String> {
        match &self.setup {
            Some(name) => self.setups.get_mut(name).ok_or_else(|| format!("no setup is called {name}")),
            None => Ok(&mut self.scenario()?.statements),
        }
    }
}

fn act(word: &str, rest: &str) -> Result<Act, String> {
    match word {
        "let" => {
            let (name, path) = rest.split_once('=').ok_or("let NAME = PATH")?;
            Ok(Act::Let { name: name.trim().to_owned(), path: path.trim().to_owned() })
        }
        "expect" => Ok(Act::Expect(condition(rest)?)),
        "wait" => Ok(Act::Wait(duration(rest)?)),
        "until" => {
            let (operation, rest) = operation(rest)?;
            let (arguments, rest) = json(rest)?;
            Ok(Act::Until { operation, arguments, condition: condition(rest)? })
        }
        "set" => {
            let (name, value) = rest.split_once('=').ok_or("set NAME = VALUE")?;
            let (value, _) = json(value.trim())?;
            Ok(Act::Set { name: name.trim().to_owned(), value })
        }
        "fail" => {
            let (operation, rest) = operation(rest)?;
            let (code, message) = rest.split_once(char::is_whitespace).ok_or("fail OPERATION CODE \"MESSAGE\"")?;
            let (message, _) = json(message.trim())?;
            let message = message.as_str().ok_or("the message is a text")?.to_owned();
            Ok(Act::Fail { operation, code: code.to_owned(), message })
        }
        "dry-run" => match call(1, rest)? {
            Act::Call { operation, arguments, refused: Some(code), .. } => {
                Ok(Act::DryRun { operation, arguments, code })
            }
            _ => Err("dry-run OPERATION ARGUMENTS ! CODE".to_owned()),
        },
        "repeat" => {
            let (times, rest) = rest.split_once(char::is_whitespace).ok_or("repeat N CALL")?;
            let times = times.parse().map_err(|_| format!("{times} is not a number"))?;
            call(times, rest)
        }
        _ => call(1, &format!("{word} {rest}")),
    }
}

fn call(times: usize, text: &str) -> Result<Act, String> {
    let (operation, rest) = operation(text)?;
    let (arguments, rest) = json(rest)?;
    let refused = match rest.strip_prefix('!') {
        Some(code) if !code.trim().is_empty() => Some(code.trim().to_owned()),
        None if rest.is_empty() => None,
        Some(_) | None => return Err(format!("expected the end of the line or ! CODE, not {rest}")),
    };
    if !arguments.is_object() {
        return Err("the arguments are not an object".to_owned());
    }
    Ok(Act::Call { times, operation, arguments, refused })
}

fn operation(text: &str) -> Result<(Operation, &str), String> {
    let (name, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let operation = name.parse().map_err(|_| format!("{name} is no operation; they are written as ec2:CreateVpc"))?;
    Ok((operation, rest.trim()))
}

/// The JSON value at the start of a text, and what follows it.
fn json(text: &str) -> Result<(Json, &str), String> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Json>();
    let value = values.next().ok_or("a value is missing")?.map_err(|error| format!("not JSON: {error}"))?;
    Ok((value, text.get(values.byte_offset()..).unwrap_or_default().trim()))
}

fn condition(text: &str) -> Result<Condition, String> {
    let (path, rest) = text.split_once(char::is_whitespace).ok_or("a condition is PATH == VALUE or alike")?;
    let (word, value) = rest.trim().split_once(char::is_whitespace).ok_or("a condition needs a value")?;
    let test = match word {
        "==" => Test::Equals(json(value.trim())?.0),
        "!=" => Test::Differs(json(value.trim())?.0),
        "has" => Test::Has(value.trim().parse().map_err(|_| format!("{value} is not a number"))?),
        "is" if value.trim() == "absent" => Test::Absent,
        "is" if value.trim() == "present" => Test::Present,
        _ => return Err(format!("{word} {value} is no condition")),
    };
    Ok(Condition { path: path.to_owned(), test })
}

/// `90s`, `5m`, `1h`.
fn duration(text: &str) -> Result<Duration, String> {
    let invalid = || format!("{text} is no duration: write 90s, 5m or 1h");
    let (number, factor) = text
        .strip_suffix('s')
        .map(|number| (number, 1))
        .or_else(|| Some((text.strip_suffix('m')?, 60)))
        .or_else(|| Some((text.strip_suffix('h')?, 3600)))
        .ok_or_else(invalid)?;
    number.parse::<u64>().map(|number| Duration::from_secs(number.saturating_mul(factor))).map_err(|_| invalid())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fails(text: &str) -> String {
        parse("x", text).expect_err("an error").to_string()
    }

    #[test]
    fn statements_are_read() {
        let text = "setup s\n  ec2:CreateVpc {\"CidrBlock\": \"10.0.0.0/16\"}\nscenario a\nmeets request.missing-parameter\n\
                    given s\n  repeat 3 ec2:DeleteVpc {} ! MissingParameter\n expect A.0 == 3\n wait 2m\n set quota.vpcs = 3";
        let scenarios = parse("x", text).expect("scenarios");
        let [scenario] = &scenarios[..] else { panic!("{scenarios:?}") };
        assert_eq!((scenario.name.as_str(), scenario.place.1, scenario.statements.len()), ("a", 3, 5));
        assert!(!scenario.is_portable());
        assert!(
            matches!(&scenario.statements[1].act, Act::Call { times: 3, refused: Some(code), .. } if code == "MissingParameter")
        );
        assert!(matches!(scenario.statements[3].act, Act::Wait(wait) if wait.as_secs() == 120));
    }

    #[test]
    fn mistakes_are_told_with_their_line() {
        assert_eq!(fails("scenario a\n\nmeets no.rule"), "x:3: no rule is called no.rule");
        assert_eq!(fails("ec2:CreateVpc {}"), "x:1: this belongs into a scenario");
        assert_eq!(fails("scenario a\nMakeVpc {}"), "x:2: MakeVpc is no operation; they are written as ec2:CreateVpc");
        assert_eq!(fails("scenario a\nec2:CreateVpc {} junk"), "x:2: expected the end of the line or ! CODE, not junk");
        assert_eq!(fails("scenario a\ngiven b"), "x:2: no setup is called b");
        assert!(fails("scenario a\nec2:CreateVpc {\"a\": }").starts_with("x:2: not JSON"));
        assert_eq!(fails("scenario a\nwait 3"), "x:2: 3 is no duration: write 90s, 5m or 1h");
    }
}
