//! Policies: read, and decided by.

use serde::{Deserialize, Serialize};

use super::condition::Condition;
use super::context::Context;
use super::document::{Document, Effect, OneOrMany, Statement as Raw, Text};
use super::pattern;

/// Why a document is no policy, or none that can be decided by.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// It is not JSON, or not of the form of a policy.
    #[error("no policy document: {0}")]
    Form(String),
    /// A statement says what IAM would refuse, or what is not modelled.
    #[error("statement {statement}: {what}")]
    Statement {
        /// Its `Sid`, or its number, counted from 1.
        statement: String,
        /// What is wrong.
        what: String,
    },
}

/// What a policy says to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// A statement allows it and none denies it.
    Allowed,
    /// No statement allows it.
    NotAllowed,
    /// A statement denies it.
    Denied,
}

/// An identity-based policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Policy {
    text: String,
    statements: Vec<Statement>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Statement {
    effect: Effect,
    actions: Selection,
    resources: Selection,
    conditions: Vec<Condition>,
}

/// `Action` or `NotAction`, `Resource` or `NotResource`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Selection {
    patterns: Vec<String>,
    negated: bool,
}

impl Selection {
    fn new(name: &str, only: Option<OneOrMany<Text>>, not: Option<OneOrMany<Text>>) -> Result<Self, String> {
        let (list, negated) = match (only, not) {
            (Some(list), None) => (list, false),
            (None, Some(list)) => (list, true),
            (Some(_), Some(_)) => return Err(format!("{name} and Not{name} exclude each other")),
            (None, None) => return Err(format!("{name} or Not{name} is missing")),
        };
        let patterns: Vec<String> = list.0.into_iter().map(|text| text.0).collect();
        if patterns.is_empty() {
            return Err(format!("{name} is empty"));
        }
        if let Some(variable) = patterns.iter().find(|pattern| pattern.contains("${")) {
            return Err(format!("policy variables are not supported: {variable}"));
        }
        Ok(Self { patterns, negated })
    }

    fn has(&self, matches: impl Fn(&str) -> bool) -> bool {
        self.patterns.iter().any(|pattern| matches(pattern)) != self.negated
    }
}

impl Statement {
    fn new(raw: Raw) -> Result<Self, String> {
        let Raw { sid: _, effect, action, not_action, resource, not_resource, condition } = raw;
        let actions = Selection::new("Action", action, not_action)?;
        if let Some(bad) = actions.patterns.iter().find(|action| *action != "*" && !is_action(action)) {
            return Err(format!("{bad} is no action: it must be * or like ec2:CreateVpc"));
        }
        let resources = Selection::new("Resource", resource, not_resource)?;
        if let Some(bad) = resources.patterns.iter().find(|arn| *arn != "*" && !arn.starts_with("arn:")) {
            return Err(format!("{bad} is no resource: it must be * or an ARN"));
        }
        let mut conditions = Vec::new();
        for (operator, keys) in condition.0 {
            for (key, values) in keys.0 {
                let values = values.0.into_iter().map(|text| text.0).collect();
                conditions.push(Condition::new(&operator, &key, values)?);
            }
        }
        Ok(Self { effect, actions, resources, conditions })
    }

    fn applies(&self, action: &str, resource: &str, context: &Context) -> bool {
        let action = action.to_lowercase();
        self.actions.has(|pattern| pattern::matches(&pattern.to_lowercase(), &action))
            && self.resources.has(|pattern| pattern::matches_arn(pattern, resource))
            && self.conditions.iter().all(|condition| condition.is_met(context))
    }
}

/// `service:Name`, with wildcards in the name only.
fn is_action(text: &str) -> bool {
    text.split_once(':').is_some_and(|(service, name)| {
        !service.is_empty()
            && service.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
            && !name.is_empty()
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '*' || c == '?')
    })
}

impl Policy {
    /// Reads a policy document.
    ///
    /// # Errors
    /// A document that IAM would refuse, or that uses what is not modelled.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let document: Document = serde_json::from_str(text).map_err(|error| PolicyError::Form(error.to_string()))?;
        match document.version.as_deref() {
            Some("2012-10-17" | "2008-10-17") | None => {}
            Some(other) => {
                return Err(PolicyError::Form(format!("Version {other} is unknown: use 2012-10-17")));
            }
        }
        if document.statement.0.is_empty() {
            return Err(PolicyError::Form("there is no statement".to_owned()));
        }
        let mut sids: Vec<String> = Vec::new();
        let mut statements = Vec::new();
        for (index, raw) in document.statement.0.into_iter().enumerate() {
            let name = raw.sid.clone().unwrap_or_else(|| (index + 1).to_string());
            let wrong = |what: String| PolicyError::Statement { statement: name.clone(), what };
            if let Some(sid) = &raw.sid {
                if sids.contains(sid) {
                    return Err(wrong(format!("Sid {sid} is there twice")));
                }
                sids.push(sid.clone());
            }
            statements.push(Statement::new(raw).map_err(wrong)?);
        }
        Ok(Self { text: text.to_owned(), statements })
    }

    /// The document it was read from.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What it says to `action` (`ec2:CreateVpc`) on `resource` (an ARN, or `*` for none in particular).
    pub fn decide(&self, action: &str, resource: &str, context: &Context) -> Decision {
        let mut decision = Decision::NotAllowed;
        for statement in self.statements.iter().filter(|statement| statement.applies(action, resource, context)) {
            match statement.effect {
                Effect::Deny => return Decision::Denied,
                Effect::Allow => decision = Decision::Allowed,
            }
        }
        decision
    }
}

impl TryFrom<String> for Policy {
    type Error = PolicyError;

    fn try_from(text: String) -> Result<Self, PolicyError> {
        Self::parse(&text)
    }
}

impl From<Policy> for String {
    fn from(policy: Policy) -> Self {
        policy.text
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;

    const VPC: &str = "arn:aws:ec2:us-east-1:123456789012:vpc/vpc-1";

    fn policy(statements: &Json) -> Policy {
        let text = json!({ "Version": "2012-10-17", "Statement": statements }).to_string();
        Policy::parse(&text).unwrap_or_else(|error| panic!("{error}"))
    }

    fn decide(statements: &Json, action: &str, resource: &str) -> Decision {
        policy(statements).decide(action, resource, &Context::new())
    }

    #[test]
    fn what_nobody_allows_is_not_allowed() {
        let allow = json!({ "Effect": "Allow", "Action": "ec2:DeleteVpc", "Resource": VPC });
        assert_eq!(decide(&allow, "ec2:DeleteVpc", VPC), Decision::Allowed);
        assert_eq!(decide(&allow, "EC2:deletevpc", VPC), Decision::Allowed);
        assert_eq!(decide(&allow, "ec2:DeleteVpcs", VPC), Decision::NotAllowed);
        assert_eq!(decide(&allow, "ec2:DeleteVpc", &VPC.replace("vpc-1", "vpc-2")), Decision::NotAllowed);
        assert_eq!(decide(&allow, "rds:DeleteVpc", VPC), Decision::NotAllowed);
    }

    #[test]
    fn a_denial_wins_wherever_it_stands() {
        let allow = json!({ "Effect": "Allow", "Action": ["ec2:*", "rds:*"], "Resource": "*" });
        let deny = json!({ "Effect": "Deny", "Action": "ec2:Delete*", "Resource": VPC });
        for statements in [json!([allow, deny]), json!([deny, allow])] {
            assert_eq!(decide(&statements, "ec2:DeleteVpc", VPC), Decision::Denied);
            assert_eq!(decide(&statements, "ec2:DeleteVpc", "*"), Decision::Allowed);
            assert_eq!(decide(&statements, "ec2:CreateVpc", VPC), Decision::Allowed);
        }
    }

    #[test]
    fn what_is_left_out() {
        let allow = json!({ "Effect": "Allow", "NotAction": ["ec2:Delete*"], "NotResource": "arn:aws:rds:*:*:*" });
        assert_eq!(decide(&allow, "ec2:CreateVpc", VPC), Decision::Allowed);
        assert_eq!(decide(&allow, "ec2:DeleteVpc", VPC), Decision::NotAllowed);
        assert_eq!(decide(&allow, "ec2:CreateVpc", "arn:aws:rds:us-east-1:1:db:x"), Decision::NotAllowed);
    }

    #[test]
    fn every_condition_must_be_met() {
        let allow = json!({
            "Effect": "Allow", "Action": "*", "Resource": "*",
            "Condition": {
                "StringEquals": { "aws:ResourceTag/a": ["1", "2"], "aws:ResourceTag/b": "3" },
                "Null": { "aws:TagKeys": true },
            },
        });
        let policy = policy(&allow);
        let good = Context::new().with("aws:ResourceTag/a", "2").with("aws:ResourceTag/b", "3");
        let decide = |context: &Context| policy.decide("ec2:DeleteVpc", VPC, context);
        assert_eq!(decide(&good), Decision::Allowed);
        assert_eq!(decide(&good.with("aws:TagKeys", "a")), Decision::NotAllowed);
        assert_eq!(decide(&Context::new().with("aws:ResourceTag/a", "2")), Decision::NotAllowed);
    }

    #[test]
    fn saved_and_read_back() {
        let policy = policy(&json!({ "Sid": "A", "Effect": "Allow", "Action": "*", "Resource": "*" }));
        let saved = serde_json::to_string(&policy).expect("JSON");
        assert_eq!(serde_json::from_str::<Policy>(&saved).expect("a policy"), policy);
        assert!(serde_json::from_str::<Policy>("\"{}\"").is_err());
    }

    /// Nothing that is not understood is passed over.
    #[test]
    fn what_is_not_understood_is_refused() {
        let statement = |more: &str| format!(r#"{{"Statement":{{"Effect":"Allow",{more}}}}}"#);
        let action = r#""Action":"ec2:CreateVpc""#;
        let resource = r#""Resource":"*""#;
        for (text, why) in [
            ("[]".to_owned(), "no policy document"),
            ("{}".to_owned(), "Statement"),
            (r#"{"Statement":[]}"#.to_owned(), "no statement"),
            (r#"{"Version":"2013","Statement":[]}"#.to_owned(), "Version 2013"),
            (r#"{"Statement":[],"Statements":[]}"#.to_owned(), "Statements"),
            (statement(resource), "Action or NotAction is missing"),
            (statement(action), "Resource or NotResource is missing"),
            (statement(&format!(r#"{action},{resource},"Principal":"*""#)), "Principal"),
            (statement(&format!(r#"{action},{resource},"Effect":"Deny""#)), "duplicate"),
            (statement(&format!(r#"{action},"NotAction":"*",{resource}"#)), "exclude each other"),
            (statement(&format!(r#""Action":[],{resource}"#)), "Action is empty"),
            (statement(&format!(r#""Action":"CreateVpc",{resource}"#)), "CreateVpc is no action"),
            (statement(&format!(r#""Action":"e*:CreateVpc",{resource}"#)), "no action"),
            (statement(&format!(r#"{action},"Resource":"vpc-1""#)), "vpc-1 is no resource"),
            (statement(&format!(r#"{action},"Resource":"arn:aws:ec2:::${{aws:username}}""#)), "policy variables"),
            (
                statement(&format!(r#"{action},{resource},"Condition":{{"IpAddress":{{"aws:SourceIp":"1.2.3.4"}}}}"#)),
                "IpAddress",
            ),
            (
                statement(&format!(r#"{action},{resource},"Condition":{{"Null":{{"ec2:Vpc":true,"ec2:Vpc":false}}}}"#)),
                "ec2:Vpc is there twice",
            ),
            (
                r#"{"Statement":[{"Sid":"A","Effect":"Allow","Action":"*","Resource":"*"},
                    {"Sid":"A","Effect":"Deny","Action":"*","Resource":"*"}]}"#
                    .to_owned(),
                "Sid A",
            ),
            (r#"{"Statement":{"Effect":"allow","Action":"*","Resource":"*"}}"#.to_owned(), "allow"),
        ] {
            let error = Policy::parse(&text).expect_err(&text).to_string();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
