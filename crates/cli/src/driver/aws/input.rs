//! Reads the arguments of a request, and the objects inside them, as the types the SDK wants.
//!
//! What is not of the wanted type, and what has no place in the call, is an error and never dropped: a call that
//! differs from the planned one must not be sent.

use aloka_core::api::{ApiError, Request};
use aloka_core::secret::Secrets;
use aloka_core::value::{Value, ValueMap};

/// The arguments of a request, or an object within one.
pub(super) struct Input<'a> {
    /// Where this object is, such as `CreateVpc` or `RunInstances.NetworkInterfaces.0`; for messages.
    path: String,
    fields: Vec<(&'a str, &'a Value)>,
    secrets: &'a Secrets,
}

/// What an argument holds; `None` if it is absent.
type Read<T> = Result<Option<T>, ApiError>;

impl<'a> Input<'a> {
    /// The arguments of the request: none unknown to the operation, none missing, none null.
    pub(super) fn of_request(request: &'a Request, secrets: &'a Secrets) -> Result<Self, ApiError> {
        request.0.check().map_err(invalid)?;
        let fields: Vec<_> = request.0.args.iter().map(|(name, value)| (*name, value)).collect();
        match fields.iter().find(|(_, value)| value.is_null()) {
            Some((name, _)) => Err(invalid(format!("{}.{name} is null", request.operation().name()))),
            None => Ok(Self { path: request.operation().name().to_owned(), fields, secrets }),
        }
    }

    /// A text.
    pub(super) fn text(&self, name: &str) -> Read<String> {
        self.typed(name, "a text", |value| value.as_str().map(str::to_owned))
    }

    /// A text that the SDK has an enum for; texts it does not know are sent all the same.
    pub(super) fn word<T: for<'t> From<&'t str>>(&self, name: &str) -> Read<T> {
        self.typed(name, "a text", |value| value.as_str().map(T::from))
    }

    /// A truth value.
    pub(super) fn flag(&self, name: &str) -> Read<bool> {
        self.typed(name, "true or false", Value::as_bool)
    }

    /// A whole number.
    pub(super) fn number(&self, name: &str) -> Read<i32> {
        self.typed(name, "a whole number of 32 bits", |value| value.as_i64().and_then(|n| i32::try_from(n).ok()))
    }

    /// A list of texts.
    pub(super) fn texts(&self, name: &str) -> Read<Vec<String>> {
        self.typed(name, "a list of texts", texts)
    }

    /// A map from text to text.
    pub(super) fn text_map(&self, name: &str) -> Read<Vec<(String, String)>> {
        self.typed(name, "a map of texts", |value| {
            let entries = value.as_map()?.iter();
            entries.map(|(key, value)| Some((key.to_string(), value.as_str()?.to_owned()))).collect()
        })
    }

    /// A map from text to lists of texts.
    pub(super) fn texts_map(&self, name: &str) -> Read<Vec<(String, Vec<String>)>> {
        self.typed(name, "a map of lists of texts", |value| {
            value.as_map()?.iter().map(|(key, value)| Some((key.to_string(), texts(value)?))).collect()
        })
    }

    /// An object with some of the fields `known`, as `build` translates it.
    pub(super) fn object<T>(
        &self,
        name: &str,
        known: &[&str],
        build: impl Fn(&Self) -> Result<T, ApiError>,
    ) -> Read<T> {
        let map = self.typed(name, "an object", Value::as_map)?;
        map.map(|map| build(&self.inner(name.to_owned(), map, known)?)).transpose()
    }

    /// A list of objects with some of the fields `known`, each as `build` translates it.
    pub(super) fn objects<T>(
        &self,
        name: &str,
        known: &[&str],
        build: impl Fn(&Self) -> Result<T, ApiError>,
    ) -> Read<Vec<T>> {
        let maps = self.typed(name, "a list of objects", |value| {
            value.as_list()?.iter().map(Value::as_map).collect::<Option<Vec<_>>>()
        })?;
        let Some(maps) = maps else { return Ok(None) };
        let items = maps.into_iter().enumerate();
        items
            .map(|(index, map)| build(&self.inner(format!("{name}.{index}"), map, known)?))
            .collect::<Result<_, _>>()
            .map(Some)
    }

    /// The secret that the argument names. A secret written out in a request is refused: requests are printed.
    pub(super) fn secret(&self, name: &str) -> Read<String> {
        let key = match self.get(name) {
            None => return Ok(None),
            Some(Value::Secret(key)) => key,
            // Not quoted: it may be the secret.
            Some(_) => return Err(invalid(format!("{}.{name} is not the name of a secret", self.path))),
        };
        match self.secrets.get(key) {
            Some(secret) => Ok(Some(secret.expose().to_owned())),
            None => Err(invalid(format!("{}.{name}: the secret {key} is not known", self.path))),
        }
    }

    /// The error without the secrets of this request, in case an endpoint quotes the request in its answer.
    pub(super) fn without_secrets(&self, mut error: ApiError) -> ApiError {
        for (_, value) in &self.fields {
            let Value::Secret(key) = value else { continue };
            let text = self.secrets.get(key).map_or("", |secret| secret.expose());
            if !text.is_empty() && error.message.contains(text) {
                error.message = error.message.replace(text, "(sensitive)");
            }
        }
        error
    }

    fn inner(&self, name: String, map: &'a ValueMap, known: &[&str]) -> Result<Self, ApiError> {
        let path = format!("{}.{name}", self.path);
        if let Some(unknown) = map.keys().find(|key| !known.contains(&&***key)) {
            return Err(invalid(format!("{path} has no field {unknown}")));
        }
        let fields = map.iter().filter(|(_, value)| !value.is_null()).map(|(key, value)| (&**key, value)).collect();
        Ok(Self { path, fields, secrets: self.secrets })
    }

    fn get(&self, name: &str) -> Option<&'a Value> {
        self.fields.iter().find(|(key, _)| *key == name).map(|(_, value)| *value)
    }

    fn typed<T>(&self, name: &str, wanted: &str, read: impl FnOnce(&'a Value) -> Option<T>) -> Read<T> {
        let Some(value) = self.get(name) else { return Ok(None) };
        match read(value) {
            Some(value) => Ok(Some(value)),
            None => Err(invalid(format!("{}.{name} is {value}, not {wanted}", self.path))),
        }
    }
}

fn texts(value: &Value) -> Option<Vec<String>> {
    value.as_list()?.iter().map(|item| item.as_str().map(str::to_owned)).collect()
}

fn invalid(message: String) -> ApiError {
    ApiError::answered("InvalidParameterValue", message, None)
}
