//! The table of calls: arguments, what they are on the wire, an answer as AWS documents it, the reply made of it.

use std::borrow::Cow;

use aloka_core::api::{Operation, Ssm, Sts};
use serde_json::{Value, json};

use super::{cases_ec2, cases_instance, cases_rds};

/// One call.
pub(super) struct Case {
    pub(super) operation: Operation,
    pub(super) args: Value,
    /// `name=value` of every parameter sent.
    pub(super) sent: &'static [&'static str],
    /// What is inside the response element (of EC2), the result element (of RDS and STS), or the JSON (of SSM).
    pub(super) answer: Cow<'static, str>,
    pub(super) reply: Value,
}

pub(super) fn case(
    operation: Operation,
    args: Value,
    sent: &'static [&'static str],
    answer: impl Into<Cow<'static, str>>,
    reply: Value,
) -> Case {
    Case { operation, args, sent, answer: answer.into(), reply }
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases = vec![
        case(
            Operation::Sts(Sts::GetCallerIdentity),
            json!({}),
            &[],
            "<UserId>AIDA1</UserId><Account>111122223333</Account><Arn>arn:aws:iam::111122223333:user/ada</Arn>",
            json!({"Account": "111122223333", "Arn": "arn:aws:iam::111122223333:user/ada", "UserId": "AIDA1"}),
        ),
        case(
            Operation::Ssm(Ssm::GetParameter),
            json!({"Name": "/aws/service/ami"}),
            &["Name=/aws/service/ami"],
            r#"{"Parameter": {"Name": "/aws/service/ami", "Type": "String", "Value": "ami-1", "Version": 7}}"#,
            json!({"Name": "/aws/service/ami", "Value": "ami-1"}),
        ),
    ];
    cases.extend(cases_ec2::cases());
    cases.extend(cases_instance::cases());
    cases.extend(cases_rds::cases());
    cases
}
