//! Names instead of what would tell whose account it is: `<aws_vpc.this>`, `<rtbassoc#1>`, `<account#1>`.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use crate::api::{Ec2, Operation, Rds, Ssm, Sts};
use crate::identity::LINEAGE_TAG;
use crate::kind::Kind;
use crate::resource;
use crate::state::State;
use crate::value::{Value, ValueMap};

/// Hexadecimal digits of an identifier of EC2, old and new.
const ID_DIGITS: [usize; 2] = [8, 17];
/// Hexadecimal digits of the parts of a UUID.
const UUID_DIGITS: [usize; 5] = [8, 4, 4, 4, 12];
/// Letters and digits of RDS's own identifier of a database.
const DBI_LETTERS: usize = 26;
/// Digits of an account number.
const ACCOUNT_DIGITS: usize = 12;
/// Identifiers of what AWS and others publish for everybody: they tell nothing of an account.
const PUBLIC_PREFIXES: [&str; 1] = ["ami"];

/// What is written in the place of what.
#[derive(Clone, Debug, Default)]
pub struct Names {
    known: BTreeMap<String, String>,
    counts: BTreeMap<String, u32>,
    lineage: String,
}

/// The names in a text, as [`Names::text`] writes them, each with its marks.
pub fn named(text: &str) -> impl Iterator<Item = &str> {
    text.split('<').skip(1).filter_map(|part| part.split_once('>')).map(|(name, _)| name)
}

impl Names {
    /// The names of what the state records.
    pub fn of(state: &State) -> Self {
        let mut names = Self { lineage: state.lineage.to_string(), ..Self::default() };
        if !names.lineage.is_empty() {
            names.known.insert(names.lineage.clone(), "<lineage>".to_owned());
        }
        names.learn(state);
        names
    }

    /// Those of what it records by now as well. An object keeps the name that it has.
    pub fn learn(&mut self, state: &State) {
        for (target, resource) in state.objects() {
            // Databases are known by names, and Terraform's identifier of one is another.
            let id = resource.attributes.get(target.address.kind.key_attribute()).and_then(Value::as_str);
            if let Some(id) = id.filter(|id| !id.is_empty()) {
                self.bind(id, &target.to_string());
            }
        }
    }

    /// Two objects of one address have different names.
    fn bind(&mut self, id: &str, address: &str) {
        // An identifier that is made of others, as that of a route, would never be met as a word.
        if !self.known.contains_key(id) && words(id).count() == 1 {
            let name = self.numbered(address);
            self.known.insert(id.to_owned(), name);
        }
    }

    fn numbered(&mut self, what: &str) -> String {
        let count = self.counts.entry(what.to_owned()).or_default();
        *count += 1;
        match *count {
            1 if what.contains('.') => format!("<{what}>"),
            number => format!("<{what}#{number}>"),
        }
    }

    /// A reply to a call that was sent for the object at `address`, without objects that are not of the stack.
    pub fn reply(&mut self, address: &str, operation: Operation, reply: &Value) -> Value {
        if let Some(field) = made_by(operation)
            && let Some(id) = find(reply, field)
        {
            self.bind(id, address);
        }
        // AWS made the group that every VPC has: it is looked for, and is the stack's if the VPC is.
        if let (Operation::Ec2(Ec2::DescribeSecurityGroups), Some([group])) =
            (operation, reply.get("SecurityGroups").as_list())
            && address.contains(Kind::DefaultSecurityGroup.terraform_type())
            && group.get("VpcId").as_str().is_some_and(|vpc| self.known.contains_key(vpc))
            && let Some(id) = group.get("GroupId").as_str()
        {
            self.bind(id, address);
        }
        // A database is looked for by the name that it was to have; that it is the stack's is what its tags tell.
        if let (Operation::Rds(Rds::DescribeDBInstances), Some([Value::Map(item)])) =
            (operation, reply.get("DBInstances").as_list())
            && address.contains(Kind::DbInstance.terraform_type())
            && !address.ends_with(".any")
            && self.is_ours(operation, item)
            && let Some(id) = item.get("DBInstanceIdentifier").and_then(Value::as_str)
        {
            self.bind(id, address);
        }
        // Who asks is nobody's business but for the account.
        if operation == Operation::Sts(Sts::GetCallerIdentity) {
            return Value::map([("Account", self.value(reply.get("Account")))]);
        }
        match (operation.is_mutating() || is_public(operation), reply) {
            (false, Value::Map(map)) => {
                Value::Map(map.iter().map(|(key, value)| (key.clone(), self.items(operation, value))).collect())
            }
            (_, reply) => self.value(reply),
        }
    }

    /// The items of a list that are of the stack, and how many are not.
    fn items(&mut self, operation: Operation, list: &Value) -> Value {
        let Some(items) = list.as_list() else { return self.value(list) };
        let mut kept = Vec::new();
        let mut others = 0_u32;
        for item in items {
            match item.as_map() {
                Some(map) if !self.is_ours(operation, map) => others += 1,
                Some(_) | None => kept.push(self.value(item)),
            }
        }
        if others > 0 {
            kept.push(Value::map([(OTHERS, Value::from(others))]));
        }
        Value::List(kept)
    }

    fn is_ours(&self, operation: Operation, item: &ValueMap) -> bool {
        let text = |key: &str| item.get(key).and_then(Value::as_str);
        let is_tagged = || {
            let tags = item.get("Tags").or_else(|| item.get("TagList"));
            tags.is_some_and(|tags| tags.get(LINEAGE_TAG).as_str() == Some(&*self.lineage)) && !self.lineage.is_empty()
        };
        identity(operation).and_then(text).is_some_and(|id| self.known.contains_key(id)) || is_tagged()
    }

    /// The value with names in its texts.
    pub fn value(&mut self, value: &Value) -> Value {
        match value {
            Value::Str(text) => Value::str(self.text(text)),
            Value::List(items) => Value::List(items.iter().map(|item| self.value(item)).collect()),
            Value::Map(map) => Value::Map(map.iter().map(|(key, value)| (key.clone(), self.value(value))).collect()),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Ref(_) | Value::Secret(_) => value.clone(),
        }
    }

    /// The text with names in it.
    pub fn text(&mut self, text: &str) -> String {
        let mut named = String::with_capacity(text.len());
        // Refusals of IAM name the caller.
        if let Some((before, after)) = text.split_once("arn:").filter(|(_, after)| is_principal(after)) {
            let end = after.find(char::is_whitespace).unwrap_or(after.len());
            let caller =
                self.known.entry(format!("arn:{}", &after[..end])).or_insert_with(|| "<caller>".to_owned()).clone();
            return self.text(before) + &caller + &self.text(&after[end..]);
        }
        for (between, word) in words(text) {
            named.push_str(between);
            match self.name(word) {
                Some(name) => named.push_str(&name),
                None => named.push_str(word),
            }
        }
        named
    }

    fn name(&mut self, word: &str) -> Option<String> {
        // A full stop ends sentences as well.
        let (word, end) = word.strip_suffix('.').map_or((word, ""), |word| (word, "."));
        if let Some(name) = self.known.get(word) {
            return Some(format!("{name}{end}"));
        }
        let what = what(word)?;
        let name = self.numbered(what);
        self.known.insert(word.to_owned(), name.clone());
        Some(name + end)
    }
}

/// The key of the last item of a list that had others: how many.
pub const OTHERS: &str = "$others";

/// True of what follows `arn:` of a user or a role.
fn is_principal(arn: &str) -> bool {
    arn.split(':').nth(1).is_some_and(|service| matches!(service, "iam" | "sts"))
}

/// The words of a text, each with what stands before it; together they are the text.
fn words(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (between, after) = rest.split_at(rest.find(is_word).unwrap_or(rest.len()));
        let (word, after) = after.split_at(after.find(|c| !is_word(c)).unwrap_or(after.len()));
        rest = after;
        Some((between, word))
    })
}

/// True if a UUID is in the word, as in the names of keys and of secrets that AWS makes.
fn holds_uuid(word: &str) -> bool {
    let parts: Vec<&str> = word.split('-').collect();
    let is_hex = |part: &&str| part.bytes().all(|byte| byte.is_ascii_hexdigit());
    parts
        .windows(UUID_DIGITS.len())
        .any(|parts| parts.iter().all(is_hex) && parts.iter().map(|part| part.len()).eq(UUID_DIGITS))
}

/// What a word is that would tell of an account.
fn what(word: &str) -> Option<&str> {
    if word.len() == ACCOUNT_DIGITS && word.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some("account");
    }
    if let Ok(address) = word.parse::<Ipv4Addr>() {
        let tells =
            !(address.is_private() || address.is_loopback() || address.is_unspecified() || address.is_link_local());
        return tells.then_some("ip");
    }
    if [".amazonaws.com", ".amazonaws.com.cn", ".internal"].iter().any(|end| word.ends_with(end)) {
        return Some("host");
    }
    if holds_uuid(word) {
        return Some("uuid");
    }
    let (prefix, digits) = word.rsplit_once('-')?;
    let is_resource_id =
        digits.len() == DBI_LETTERS && digits.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    if prefix == "db" && is_resource_id {
        return Some("dbi");
    }
    let is_id = ID_DIGITS.contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
        && !prefix.is_empty()
        && prefix.bytes().all(|byte| byte.is_ascii_lowercase())
        && !PUBLIC_PREFIXES.contains(&prefix);
    is_id.then_some(prefix)
}

/// The first text under this key, however deep.
fn find<'v>(value: &'v Value, key: &str) -> Option<&'v str> {
    match value {
        Value::Map(map) => {
            map.get(key).and_then(Value::as_str).or_else(|| map.values().find_map(|value| find(value, key)))
        }
        Value::List(items) => items.iter().find_map(|item| find(item, key)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Str(_) | Value::Ref(_) | Value::Secret(_) => None,
    }
}

/// The field that identifies what a call makes.
fn made_by(operation: Operation) -> Option<&'static str> {
    let mut rows = Kind::ALL.into_iter().flat_map(|kind| kind.definition().made_by);
    rows.find(|(other, _)| *other == operation).map(|(_, field)| *field)
}

/// What the answer to a call that makes an object calls it: an identifier, or in a receipt a name.
pub fn made(operation: Operation, reply: &Value) -> Option<&str> {
    find(reply, made_by(operation)?)
}

/// The field that identifies an item of the list that a read answers; `None` where items are never of a stack.
pub fn identity(operation: Operation) -> Option<&'static str> {
    let mut listings = resource::listings().into_iter();
    listings.find(|listing| listing.operation == operation).map(|listing| listing.id)
}

/// True of a read whose answer is the same for everybody, or tells who asks.
pub fn is_public(operation: Operation) -> bool {
    matches!(
        operation,
        Operation::Sts(Sts::GetCallerIdentity)
            | Operation::Ssm(Ssm::GetParameter)
            | Operation::Ec2(Ec2::DescribeAvailabilityZones)
            | Operation::Ec2(Ec2::DescribeInstanceTypeOfferings)
            | Operation::Ec2(Ec2::DescribeImages)
            | Operation::Rds(Rds::DescribeDBEngineVersions)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_that_is_found_by_the_name_it_was_to_have_is_named_if_it_is_ours() {
        let database = |lineage: &str| {
            let tags = Value::map([(LINEAGE_TAG, Value::str(lineage))]);
            let fields = [("DBInstanceIdentifier", Value::str("web-dev-db")), ("Tags", tags)];
            Value::map([("DBInstances", Value::List(vec![Value::map(fields)]))])
        };
        let found = |address: &str, lineage: &str| {
            let mut names = Names::of(&State::new("ours"));
            let reply = names.reply(address, Operation::Rds(Rds::DescribeDBInstances), &database(lineage));
            let name = reply.at("DBInstances.0.DBInstanceIdentifier").and_then(Value::as_str).map(str::to_owned);
            (name, names.text("web-dev-db"))
        };
        let address = "aws_db_instance.postgres";
        let named = format!("<{address}>");
        assert_eq!(found(address, "ours"), (Some(named.clone()), named));
        assert_eq!(found(address, "another"), (None, "web-dev-db".to_owned()));
        assert_eq!(found("aws_db_instance.any", "ours"), (Some("web-dev-db".to_owned()), "web-dev-db".to_owned()));
    }
}
