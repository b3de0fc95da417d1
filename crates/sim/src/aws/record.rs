//! Objects of EC2 as the calls on them see them: found by identifier or listed by filter, with tags.

use std::collections::BTreeMap;
use std::sync::Arc;

use aloka_core::api::Request;
use aloka_core::time::Instant;
use aloka_core::value::{Value, ValueMap};
use serde::{Deserialize, Serialize};

use crate::aws::ec2::filter::Filters;
use crate::aws::error::Answer;
use crate::aws::error::IdFormat;
use crate::aws::{Account, ObjectKind};
use crate::rng::fnv128;
use crate::rules::{Refusal, token as rule};

/// Tags by key, all of them texts; the same map as in the request that set them and in replies.
pub(crate) type Tags = ValueMap;

/// Identifiers and names, which objects and replies have in common.
pub(crate) type Text = Arc<str>;

/// What every object has.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Meta {
    pub(crate) id: Text,
    pub(crate) created: Instant,
    /// From when on calls find it.
    pub(crate) visible: Instant,
    pub(crate) tags: Tags,
}

/// An object of EC2 with an identifier.
pub(crate) trait Record: Sized + 'static {
    /// How its identifiers look.
    const FORMAT: IdFormat;
    /// The parameter that lists identifiers, and the list in the reply.
    const LIST: (&'static str, &'static str);
    /// The filters it knows, besides those on tags; the first is that on its identifier.
    const FILTERS: &'static [&'static str];

    /// What it is to a customer.
    const KIND: ObjectKind;

    fn table(account: &Account) -> &BTreeMap<Text, Self>;
    fn table_mut(account: &mut Account) -> &mut BTreeMap<Text, Self>;
    fn meta(&self) -> &Meta;
    fn meta_mut(&mut self) -> &mut Meta;
    /// True if a customer would find it, and pay for it or trip over it: not what is only listed still, nor what comes with
    /// another object by itself.
    fn counts(&self, _now: Instant) -> bool {
        true
    }

    /// Values of IAM's condition keys that describe it.
    fn iam_keys(&self, _account: &Account) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    /// All that the filters can let pass, in the order of the table; `None` if every object has to be looked at.
    fn candidates<'a>(account: &'a Account, filters: &Filters) -> Option<Vec<&'a Self>> {
        let ids = filters.plain(Self::FILTERS.first()?)?;
        Some(ids.iter().filter_map(|id| Self::table(account).get(id)).collect())
    }

    /// Its values under one of its filters; a filter matches if one of them does.
    fn filtered(&self, account: &Account, now: Instant, filter: &str) -> Vec<Text>;
    /// The object as replies have it.
    fn describe(&self, account: &Account, now: Instant) -> Value;
}

/// The most characters of a client token.
const TOKEN_LIMIT: usize = 64;

/// A client token that was used.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Token {
    /// Hash of the request's arguments.
    pub(crate) arguments: Text,
    /// What the call made.
    pub(crate) ids: Vec<Text>,
}

/// A map without the fields that are null: AWS leaves out what is not there. Fields in the order of their names need not be
/// sorted.
pub(crate) fn object<const N: usize>(fields: [(&str, Value); N]) -> Value {
    Value::map(fields.into_iter().filter(|(_, value)| !value.is_null()))
}

/// As [`object`], for what many objects have in common.
pub(crate) fn common_object<const N: usize>(fields: [(&str, Value); N]) -> Value {
    Value::common_map(fields.into_iter().filter(|(_, value)| !value.is_null()))
}

/// Tags as replies have them.
pub(crate) fn tags_value(tags: &Tags) -> Value {
    Value::Map(tags.clone())
}

impl Account {
    /// The object called `id`.
    ///
    /// # Errors
    /// `.Malformed`, or `.NotFound` if it is not there or not yet visible.
    pub(crate) fn get<R: Record>(&self, now: Instant, id: &str) -> Result<&R, Refusal> {
        R::FORMAT.check(id)?;
        R::table(self).get(id).filter(|record| self.knows(now, record.meta())).ok_or_else(|| R::FORMAT.missing(id))
    }

    /// As [`Account::get`], to change it.
    pub(crate) fn get_mut<R: Record>(&mut self, now: Instant, id: &str) -> Result<&mut R, Refusal> {
        R::FORMAT.check(id)?;
        self.get::<R>(now, id)?;
        R::table_mut(self).get_mut(id).ok_or_else(|| R::FORMAT.missing(id))
    }

    /// Answers a Describe call: the objects with the identifiers asked for, or all; of these, those the filters let
    /// pass. An identifier that is not there fails the call, a filter nothing passes does not.
    pub(crate) fn list<R: Record>(&self, now: Instant, request: &Request) -> Answer {
        let (parameter, list) = R::LIST;
        let filters = Filters::of(request, R::FILTERS)?;
        let passes = |record: &&R| filters.pass(&record.meta().tags, |filter| record.filtered(self, now, filter));
        let ids = request.texts(parameter);
        let asked: Vec<&R> = if ids.is_empty() {
            let candidates = R::candidates(self, &filters).unwrap_or_else(|| R::table(self).values().collect());
            candidates.into_iter().filter(|record| record.meta().visible <= now).collect()
        } else {
            ids.iter().map(|id| self.get(now, id)).collect::<Result<_, _>>()?
        };
        let found = asked.into_iter().filter(passes).map(|record| record.describe(self, now));
        Ok(object([(list, Value::List(found.collect()))]))
    }

    /// The object as replies have it, visible or not.
    pub(crate) fn described<R: Record>(&self, now: Instant, id: &str) -> Value {
        self.held::<R>(id).map_or(Value::Null, |record| record.describe(self, now))
    }

    /// What an earlier call with this request's client token made, if there was one.
    ///
    /// # Errors
    /// It is no token, or that call had other arguments.
    pub(crate) fn made_by_token(&self, request: &Request) -> Result<Option<Vec<Text>>, Refusal> {
        let token = request.text("ClientToken");
        if token.len() > TOKEN_LIMIT || !token.is_ascii() {
            return Err(rule::FORM.refuse([]));
        }
        match self.tokens.get(&token_key(request)) {
            None => Ok(None),
            Some(token) if token.arguments == arguments_hash(request) => Ok(Some(token.ids.clone())),
            Some(_) => Err(rule::MISMATCH.refuse([])),
        }
    }

    /// Remembers what the call made.
    pub(crate) fn remember_token(&mut self, request: &Request, ids: Vec<Text>) {
        self.tokens.insert(token_key(request), Token { arguments: arguments_hash(request), ids });
    }
}

fn token_key(request: &Request) -> Text {
    format!("{}/{}", request.operation(), request.text("ClientToken")).into()
}

fn arguments_hash(request: &Request) -> Text {
    let mut text = String::new();
    for (name, value) in &request.0.args {
        text.push_str(&format!("{name}={value};"));
    }
    format!("{:032x}", fnv128(text.as_bytes())).into()
}
