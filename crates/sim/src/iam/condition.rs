//! Condition operators.

use super::context::{Arity, Context, arity};
use super::pattern;

/// One line of a `Condition` block: an operator, a key and the values it is held against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Condition {
    operator: Operator,
    key: String,
    values: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Operator {
    set: Option<Set>,
    base: Base,
    if_exists: bool,
}

/// How an operator deals with a key that has several values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Set {
    All,
    Any,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Base {
    StringEquals,
    StringNotEquals,
    StringLike,
    StringNotLike,
    ArnLike,
    ArnNotLike,
    Bool,
    Null,
}

/// `ArnEquals` is another name of `ArnLike` (IAM user guide, ARN condition operators).
const OPERATORS: [(&str, Base); 10] = [
    ("StringEquals", Base::StringEquals),
    ("StringNotEquals", Base::StringNotEquals),
    ("StringLike", Base::StringLike),
    ("StringNotLike", Base::StringNotLike),
    ("ArnEquals", Base::ArnLike),
    ("ArnNotEquals", Base::ArnNotLike),
    ("ArnLike", Base::ArnLike),
    ("ArnNotLike", Base::ArnNotLike),
    ("Bool", Base::Bool),
    ("Null", Base::Null),
];

impl Operator {
    fn parse(text: &str) -> Result<Self, String> {
        let (set, rest) = match text.split_once(':') {
            Some(("ForAllValues", rest)) => (Some(Set::All), rest),
            Some(("ForAnyValue", rest)) => (Some(Set::Any), rest),
            Some(_) | None => (None, text),
        };
        let (name, if_exists) = rest.strip_suffix("IfExists").map_or((rest, false), |name| (name, true));
        let base = OPERATORS.iter().find(|(known, _)| *known == name).map(|(_, base)| *base);
        let base = base.filter(|base| *base != Base::Null || (set.is_none() && !if_exists)).ok_or_else(|| {
            let known: Vec<&str> = OPERATORS.iter().map(|(name, _)| *name).collect();
            format!(
                "condition operator {text} is not supported (supported: {}; with ForAllValues:, ForAnyValue: and \
                 IfExists)",
                known.join(", ")
            )
        })?;
        Ok(Self { set, base, if_exists })
    }
}

impl Base {
    fn is_negated(self) -> bool {
        matches!(self, Self::StringNotEquals | Self::StringNotLike | Self::ArnNotLike)
    }

    /// True if one value of the request agrees with one value of the policy, negation aside.
    fn agrees(self, wanted: &str, value: &str) -> bool {
        match self {
            Self::StringEquals | Self::StringNotEquals => wanted == value,
            Self::StringLike | Self::StringNotLike => pattern::matches(wanted, value),
            Self::ArnLike | Self::ArnNotLike => pattern::matches_arn(wanted, value),
            Self::Bool | Self::Null => wanted.eq_ignore_ascii_case(value),
        }
    }
}

impl Condition {
    /// A condition, if all of it is modelled.
    ///
    /// # Errors
    /// What is not.
    pub(super) fn new(operator: &str, key: &str, values: Vec<String>) -> Result<Self, String> {
        let parsed = Operator::parse(operator)?;
        let arity = arity(key).ok_or_else(|| format!("condition key {key} is not modelled"))?;
        if arity == Arity::Many && parsed.set.is_none() && parsed.base != Base::Null {
            return Err(format!(
                "condition key {key} has several values: {operator} needs ForAllValues: or ForAnyValue: before it"
            ));
        }
        if values.is_empty() {
            return Err(format!("condition {operator} {key} has no values"));
        }
        for value in &values {
            if value.contains("${") {
                return Err(format!("condition {operator} {key}: policy variables are not supported: {value}"));
            }
            if matches!(parsed.base, Base::Bool | Base::Null)
                && !["true", "false"].iter().any(|known| known.eq_ignore_ascii_case(value))
            {
                return Err(format!("condition {operator} {key} takes true or false, not {value}"));
            }
        }
        Ok(Self { operator: parsed, key: key.to_owned(), values })
    }

    /// True if the condition is met.
    pub(super) fn is_met(&self, context: &Context) -> bool {
        let Operator { set, base, if_exists } = self.operator;
        let present = context.get(&self.key);
        if base == Base::Null {
            let absent = present.is_none().to_string();
            return self.values.iter().any(|wanted| base.agrees(wanted, &absent));
        }
        let passes = |value: &String| self.values.iter().any(|wanted| base.agrees(wanted, value)) != base.is_negated();
        match (present, set) {
            (Some(values), Some(Set::Any)) => values.iter().any(passes),
            (Some(values), Some(Set::All) | None) => values.iter().all(passes),
            // What is not there is in no conflict; and differs from everything.
            (None, Some(Set::All)) => true,
            (None, Some(Set::Any)) => if_exists,
            (None, None) => if_exists || base.is_negated(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn met(operator: &str, key: &str, wanted: &[&str], values: &[&str]) -> bool {
        let wanted = wanted.iter().map(|v| (*v).to_owned()).collect();
        let condition = Condition::new(operator, key, wanted).unwrap_or_else(|error| panic!("{error}"));
        let context = values.iter().fold(Context::new(), |context, value| context.with(key, *value));
        condition.is_met(&context)
    }

    /// (operator, policy values, request values, met); `aws:TagKeys` for sets, a tag for the rest.
    #[test]
    fn operators() {
        let arn = "arn:aws:ec2:us-east-1:1:vpc/vpc-1";
        let cases: [(&str, &[&str], &[&str], bool); 44] = [
            ("StringEquals", &["a"], &["a"], true),
            ("StringEquals", &["b", "a"], &["a"], true),
            ("StringEquals", &["a"], &["A"], false),
            ("StringEquals", &["a*"], &["ab"], false),
            ("StringEquals", &["a"], &[], false),
            ("StringEqualsIfExists", &["a"], &[], true),
            ("StringEqualsIfExists", &["a"], &["b"], false),
            ("StringNotEquals", &["a"], &["b"], true),
            ("StringNotEquals", &["a"], &[], true),
            ("StringNotEquals", &["b", "a"], &["a"], false),
            ("StringLike", &["a*"], &["ab"], true),
            ("StringLike", &["a?"], &["a"], false),
            ("StringLike", &["*"], &[], false),
            ("StringNotLike", &["a*"], &["b"], true),
            ("StringNotLike", &["a*"], &["ab"], false),
            ("ArnLike", &["arn:aws:ec2:*:*:vpc/*"], &[arn], true),
            ("ArnEquals", &["arn:aws:ec2:*:*:vpc/*"], &[arn], true),
            ("ArnLike", &["arn:aws:ec2:*:*:subnet/*"], &[arn], false),
            ("ArnLike", &["arn:aws:ec2:*:*:vpc/*"], &[], false),
            ("ArnNotLike", &["arn:aws:ec2:*:*:subnet/*"], &[arn], true),
            ("Bool", &["true"], &["true"], true),
            ("Bool", &["True"], &["true"], true),
            ("Bool", &["true"], &["false"], false),
            ("Bool", &["false"], &[], false),
            ("BoolIfExists", &["false"], &[], true),
            ("Null", &["true"], &[], true),
            ("Null", &["true"], &["a"], false),
            ("Null", &["false"], &["a"], true),
            ("Null", &["false"], &[], false),
            ("ForAllValues:StringEquals", &["a", "b"], &["a"], true),
            ("ForAllValues:StringEquals", &["a", "b"], &["a", "b"], true),
            ("ForAllValues:StringEquals", &["a", "b"], &["a", "c"], false),
            ("ForAllValues:StringEquals", &["a"], &[], true),
            ("ForAnyValue:StringEquals", &["a"], &["c", "a"], true),
            ("ForAnyValue:StringEquals", &["a"], &["c"], false),
            ("ForAnyValue:StringEquals", &["a"], &[], false),
            ("ForAnyValue:StringLike", &["a*"], &["c", "ab"], true),
            ("ForAllValues:StringLike", &["a*"], &["c", "ab"], false),
            ("ForAllValues:StringNotEquals", &["a"], &["b", "c"], true),
            ("ForAllValues:StringNotEquals", &["a"], &["b", "a"], false),
            ("ForAnyValue:StringNotEquals", &["a"], &["b", "a"], true),
            ("ForAnyValue:StringNotEquals", &["a"], &["a"], false),
            ("ForAnyValue:StringEqualsIfExists", &["a"], &[], true),
            ("ForAllValues:StringLike", &["a*"], &["a", "ab"], true),
        ];
        for (operator, wanted, values, expected) in cases {
            let key = if operator.starts_with("For") { "aws:TagKeys" } else { "aws:ResourceTag/x" };
            assert_eq!(met(operator, key, wanted, values), expected, "{operator} {wanted:?} {values:?}");
        }
    }

    #[test]
    fn what_is_not_modelled_is_refused() {
        let refused = |operator: &str, key: &str, value: &str| {
            Condition::new(operator, key, vec![value.to_owned()]).expect_err(operator)
        };
        assert!(
            refused("NumericLessThan", "ec2:VolumeSize", "8").contains("operator NumericLessThan is not supported")
        );
        assert!(refused("stringequals", "ec2:Region", "x").contains("not supported"));
        assert!(refused("NullIfExists", "ec2:Region", "true").contains("not supported"));
        assert!(refused("ForSomeValues:StringEquals", "aws:TagKeys", "a").contains("not supported"));
        assert!(refused("StringEquals", "aws:SourceIp", "1.2.3.4").contains("key aws:SourceIp is not modelled"));
        assert!(refused("StringEquals", "aws:TagKeys", "a").contains("ForAllValues:"));
        assert!(refused("StringEquals", "ec2:Region", "${aws:username}").contains("policy variables"));
        assert!(refused("Bool", "rds:MultiAz", "yes").contains("true or false"));
        assert!(Condition::new("StringEquals", "ec2:Region", Vec::new()).is_err());
        assert!(Condition::new("Null", "aws:TagKeys", vec!["true".to_owned()]).is_ok());
    }
}
