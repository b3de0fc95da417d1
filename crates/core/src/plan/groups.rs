//! What of the rules of a security group that stands is left as it is, though it is declared otherwise: what a change of it
//! would not protect anything from. Whoever wrote the group's configuration before has it in the form he likes, `tcp 0-65535`
//! from the group itself or less egress than everything, and would put it back at his next apply.
//!
//! | rules | declared | stand | what becomes of them |
//! |---|---|---|---|
//! | from the group itself | all of it | some | stay as they are |
//! | from the group itself | all of it | none | added if aloka made the group |
//! | from the group itself | nothing | some | revoked |
//! | egress | everything | anything | as declared if aloka made the group, else as they are |
//! | any other | | | as declared |

use crate::ownership::Direction;
use crate::rules::{self, Rule};
use crate::value::Value;

/// The list of rules that a group should have, with what stays as it stands, and what to say of that: what stays instead of
/// what is declared. `own` is the group's identifier.
pub fn desired(
    attribute: &str,
    declared: &Value,
    present: &Value,
    own: Option<&str>,
    is_made_by_us: bool,
) -> (Value, Option<String>) {
    if attribute == Direction::Egress.attribute() {
        if is_made_by_us {
            return (declared.clone(), None);
        }
        let (missing, extra) = rules::difference(&rules::explode(declared, own), &rules::explode(present, own));
        let is_same = missing.is_empty() && extra.is_empty();
        let note = (!is_same).then(|| format!("egress stays as it is, {}", listed(present, own)));
        return (present.clone(), note);
    }
    let of_itself = |list: &Value| narrowed(list, own, Rule::is_from_itself);
    let (declared_self, present_self) = (of_itself(declared), of_itself(present));
    let (wanted, stands) = (rules::explode(&declared_self, own), rules::explode(&present_self, own));
    if wanted.is_empty() || (stands.is_empty() && is_made_by_us) {
        return (declared.clone(), None);
    }
    let (missing, _) = rules::difference(&wanted, &stands);
    let note =
        (!missing.is_empty()).then(|| format!("ingress from itself stays as it is, {}", listed(&present_self, own)));
    let rest = narrowed(declared, own, |rule| !rule.is_from_itself());
    let entries = [rest, present_self].into_iter().flat_map(|list| list.as_list().unwrap_or_default().to_vec());
    (Value::List(entries.collect()), note)
}

/// The entries with those of their single rules alone that fit; those without any are left out.
fn narrowed(list: &Value, own: Option<&str>, fits: impl Fn(&Rule) -> bool) -> Value {
    let entries = list.as_list().unwrap_or_default().iter();
    let entries = entries.map(|entry| rules::narrowed(entry, own, &fits));
    let is_some = |entry: &Value| !rules::explode(&Value::List(vec![entry.clone()]), own).is_empty();
    Value::List(entries.filter(is_some).collect())
}

fn listed(list: &Value, own: Option<&str>) -> String {
    let entries = list.as_list().unwrap_or_default().iter();
    let entries: Vec<String> = entries.map(|entry| rules::describe(entry, own)).collect();
    if entries.is_empty() { "nothing".to_owned() } else { entries.join(", ") }
}
