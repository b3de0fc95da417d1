//! Account and Region: those that a state's objects are in, and those this run talks to.
//!
//! In another place everything would look gone. So the two are compared before anything else is read.

use std::collections::BTreeMap;

use super::Problem;
use crate::resource::Place;
use crate::state::State;
use crate::value::Value;

/// Where the objects of a state are, as far as it says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recorded {
    /// The account.
    pub account: Option<String>,
    /// The Region.
    pub region: Option<String>,
}

/// What a state says of where its objects are: its section, or else the ARNs and owners of objects at addresses of the
/// stack. What is recorded of others does not count, nor does a field that is empty, as emulators leave them.
///
/// # Errors
/// Objects in several places: whichever were taken, the others would look gone.
pub fn recorded(state: &State) -> Result<Recorded, Problem> {
    let mut accounts: BTreeMap<&str, String> = BTreeMap::new();
    let mut regions: BTreeMap<&str, String> = BTreeMap::new();
    for (target, resource) in state.objects() {
        let text = |name: &str| resource.attributes.get(name).and_then(Value::as_str).unwrap_or_default();
        // arn:aws:ec2:us-east-1:123456789012:vpc/vpc-0123
        let mut parts = text("arn").split(':').skip(3);
        let (region, account) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        for (is_region, value) in [(true, region), (false, account), (false, text("owner_id"))] {
            let found = if is_region { &mut regions } else { &mut accounts };
            if !value.is_empty() {
                found.entry(value).or_insert_with(|| target.to_string());
            }
        }
    }
    let one = |what: &str, section: &Option<String>, found: &BTreeMap<&str, String>| {
        if let Some(section) = section {
            return Ok(Some(section.clone()));
        }
        let mut values = found.iter();
        match (values.next(), values.next()) {
            (None, _) => Ok(None),
            (Some((value, _)), None) => Ok(Some((*value).to_owned())),
            (Some((first, at)), Some((second, other))) => Err(Problem::Impossible {
                summary: format!(
                    "the state records objects in several {what}s: {at} in {first}, {other} in {second}; nothing is planned \
                     from it"
                ),
                hint: format!(
                    "keep one {what} in this state: move the others to a state of their own with `aloka state rm`"
                ),
            }),
        }
    };
    let account = one("account", &state.private.account, &accounts)?;
    let region = one("Region", &state.private.region, &regions)?;
    Ok(Recorded { account, region })
}

/// Compares where the objects are with where this run is. `here` is the caller's account, if known, and the Region asked for.
///
/// # Errors
/// They differ, and the state records something.
pub fn check(state: &State, here: &Place) -> Result<(), Problem> {
    if state.is_empty() {
        return Ok(());
    }
    let there = recorded(state)?;
    let differs = |there: &Option<String>, here: &str| there.as_deref().is_some_and(|there| there != here);
    let account = here.account.as_deref();
    let other_account = account.is_some_and(|account| differs(&there.account, account));
    let other_region = differs(&there.region, &here.region);
    if !other_account && !other_region {
        return Ok(());
    }
    let named = |account: Option<&str>, region: &str| match account {
        Some(account) => format!("account {account}, Region {region}"),
        None => format!("Region {region}"),
    };
    let region = there.region.as_deref().unwrap_or(&here.region);
    let mut hints = Vec::new();
    if other_region {
        hints.push(format!("set aws_region = \"{region}\""));
    }
    if let (true, Some(account)) = (other_account, &there.account) {
        hints.push(format!("use credentials of account {account} (aws_profile, or AWS_PROFILE)"));
    }
    Err(Problem::Impossible {
        summary: format!(
            "the state records objects in {}, but this run is in {}",
            named(there.account.as_deref(), region),
            named(account, &here.region)
        ),
        hint: format!("{}, or work in another directory", hints.join(" and ")),
    })
}

/// Why a destroy that found nothing must not empty the state; `None` if it may.
pub fn unknown(state: &State, here: &Place) -> Option<Problem> {
    let there = recorded(state).ok()?;
    let recorded = state.objects().count();
    let is_known = there.region.is_some() && (there.account.is_some() || here.account.is_none());
    if is_known || recorded == 0 {
        return None;
    }
    Some(Problem::Impossible {
        summary: format!(
            "none of the {recorded} objects that the state records is in Region {}, and the state does not say in which account \
             and Region they are: they may be elsewhere, so nothing is forgotten",
            here.region
        ),
        hint: "set aws_region and the credentials to where they are; if they are gone, forget them: aloka state rm ADDRESS"
            .to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::file;

    fn state(section: &str, resources: &[(&str, &str)]) -> State {
        let entry = |(name, attributes): &(&str, &str)| {
            format!(
                r#"{{"mode":"managed","type":"aws_security_group","name":"{name}","instances":[{{"attributes":{attributes}}}]}}"#
            )
        };
        let entries: Vec<String> = resources.iter().map(entry).collect();
        let text = format!(r#"{{"version":4,"serial":1,"lineage":"l","resources":[{}]{section}}}"#, entries.join(","));
        file::read(&text).expect("a state")
    }

    fn arn(region: &str, account: &str) -> String {
        format!(r#"{{"id":"sg-1","arn":"arn:aws:ec2:{region}:{account}:security-group/sg-1"}}"#)
    }

    #[test]
    fn the_section_counts_then_arns_and_owners_of_the_stack() {
        const SECTION: &str = r#","aloka":{"format_version":1,"account":"1","region":"eu-west-1"}"#;
        let here = |account: &str, region: &str| Place { account: Some(account.to_owned()), region: region.to_owned() };
        let (west, east) = (arn("eu-west-1", "1"), arn("us-east-1", "1"));
        let (no_account, no_region) = (arn("eu-west-1", ""), arn("", "1"));
        let owner = r#"{"id":"sg-1","owner_id":"2"}"#;
        // Section, objects, this run's account and Region, and what is said of it.
        type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], (&'a str, &'a str), Option<&'a str>);
        let table: [Case<'_>; 12] = [
            (SECTION, &[("app", &east)], ("1", "eu-west-1"), None),
            (SECTION, &[("app", &east)], ("1", "us-east-1"), Some("set aws_region = \"eu-west-1\"")),
            (SECTION, &[("app", &west)], ("2", "eu-west-1"), Some("credentials of account 1")),
            (SECTION, &[], ("2", "us-east-1"), None),
            ("", &[("app", &west)], ("1", "eu-west-1"), None),
            ("", &[("app", &west)], ("1", "us-east-1"), Some("eu-west-1")),
            ("", &[("app", &west)], ("2", "us-east-1"), Some("account 1, Region eu-west-1")),
            ("", &[("app", &no_account)], ("2", "eu-west-1"), None),
            ("", &[("app", &no_region)], ("1", "us-east-1"), None),
            ("", &[("app", owner)], ("1", "us-east-1"), Some("credentials of account 2")),
            ("", &[("redis", &west)], ("2", "us-east-1"), None),
            ("", &[("app", &west), ("db", &east)], ("1", "us-east-1"), Some("aws_security_group.app in eu-west-1")),
        ];
        for (section, resources, (account, region), expected) in table {
            let state = state(section, resources);
            let said = check(&state, &here(account, region)).err().map(|problem| match problem {
                Problem::Impossible { summary, hint } => format!("{summary} {hint}"),
                Problem::Elsewhere { summary, commands: _ } => summary,
                Problem::Read { call, .. } => call,
            });
            match expected {
                None => assert_eq!(said, None, "{section} {resources:?}"),
                Some(expected) => {
                    assert!(said.as_deref().is_some_and(|said| said.contains(expected)), "{resources:?}: {said:?}");
                }
            }
        }
    }

    #[test]
    fn a_state_that_does_not_say_where_it_is_is_not_emptied() {
        let here = Place { account: Some("1".to_owned()), region: "us-east-1".to_owned() };
        assert!(unknown(&state("", &[("app", r#"{"id":"sg-1"}"#)]), &here).is_some());
        assert!(unknown(&state("", &[("app", &arn("us-east-1", ""))]), &here).is_some());
        assert!(unknown(&state("", &[("app", &arn("us-east-1", "1"))]), &here).is_none());
        assert!(unknown(&state("", &[("redis", r#"{"id":"sg-1"}"#)]), &here).is_none());
    }
}
