//! Where requests go that are signed with the user's credentials, and who says so: the environment, the command line, or
//! the working directory. Places that are not AWS's are told; one that only the directory names wants a yes outside of it.
//!
//! Whether a place may be spoken to without TLS is decided here, too, for every request of every service.

use std::collections::BTreeMap;
use std::fs;

use aloka_core::endpoint::Endpoint;
use aloka_core::variables::backend;

use crate::error::CommandError;
use crate::trust::{self, Trust, Yes};

/// Names the endpoint of every service, as for every AWS tool; with `_S3` and the like, of one.
const ENDPOINT_VARIABLE: &str = "AWS_ENDPOINT_URL";
/// True if none of them counts.
const IGNORE_VARIABLE: &str = "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS";
/// Hosts besides this machine that may be spoken to without TLS, separated by commas.
const HTTP_VARIABLE: &str = "ALOKA_HTTP_HOSTS";
/// Settings of `-backend-config` that name an endpoint, with their service.
const GIVEN: [(&str, &str); 3] = [("endpoint", "s3"), ("dynamodb_endpoint", "dynamodb"), ("sts_endpoint", "sts")];

/// What the environment says of endpoints.
#[derive(Clone, Debug, Default)]
pub(crate) struct Environment {
    /// Endpoint by the name of the variable that names it.
    endpoints: BTreeMap<String, String>,
    /// Hosts that may be spoken to without TLS.
    http: Vec<String>,
}

impl Environment {
    /// That of this process.
    pub(crate) fn read() -> Self {
        let text = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let is_ignored = text(IGNORE_VARIABLE).is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let named = |name: &String| name.starts_with(ENDPOINT_VARIABLE) && !is_ignored;
        let variables = std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
        let endpoints = variables
            .filter(|(name, value)| named(name) && !value.is_empty())
            .map(|(name, value)| (name, value.to_string_lossy().into_owned()))
            .collect();
        let http = text(HTTP_VARIABLE).unwrap_or_default();
        let http = http.split(',').map(|host| host.trim().to_ascii_lowercase()).filter(|host| !host.is_empty());
        Self { endpoints, http: http.collect() }
    }

    /// The endpoint of a service, with the name of the variable that names it.
    fn endpoint(&self, service: &str) -> Option<(&str, &str)> {
        let own = format!("{ENDPOINT_VARIABLE}_{}", service.to_ascii_uppercase());
        let (name, url) =
            self.endpoints.get_key_value(&own).or_else(|| self.endpoints.get_key_value(ENDPOINT_VARIABLE))?;
        Some((name, url))
    }

    /// What is wrong with sending credentials there, if anything is: whoever is on the way could read the answers and
    /// write others.
    pub(crate) fn unencrypted(&self, endpoint: &Endpoint) -> Option<String> {
        let allowed = || self.http.iter().any(|host| host == endpoint.host());
        let plain = !endpoint.is_tls() && !endpoint.is_loopback() && !endpoint.hands_out_credentials() && !allowed();
        plain.then(|| {
            format!("{endpoint} is not this machine, and without https whoever is on the way reads and writes along")
        })
    }
}

/// What to do about an endpoint without TLS.
pub(crate) fn encrypt(endpoint: &Endpoint) -> String {
    format!(
        "use https; if the way there is safe, name the host in the environment: {HTTP_VARIABLE}={}",
        endpoint.host()
    )
}

/// A place that requests go to, and who says so.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Going {
    endpoint: Endpoint,
    said: String,
}

/// Lines about the places that requests of these services go to, if they are not AWS's: the environment says so, which is
/// the user's own word.
///
/// # Errors
/// One may not be spoken to without TLS, or is no URL.
pub(crate) fn of_environment(what: &str, services: &[&str]) -> Result<Vec<String>, CommandError> {
    let environment = Environment::read();
    let mut going = BTreeMap::new();
    for service in services {
        if let Some((name, url)) = environment.endpoint(service) {
            go(&mut going, service, parse(url, name)?, format!("as {name} says"));
        }
    }
    tell(what, going, &environment)
}

/// The same for the requests of a state in S3, of whose settings `given` were given on the command line just now.
///
/// # Errors
/// Also when the directory alone names a place, and the user did not agree to that.
pub(crate) fn of_state(settings: &backend::S3, given: &[String]) -> Result<Vec<String>, CommandError> {
    let environment = Environment::read();
    let given = |service: &str| {
        let of_service = |text: &&String| {
            let name = text.split('=').next().unwrap_or_default().trim();
            // What is given as `endpoints` stands in the place of all that the directory says.
            name == "endpoints" || GIVEN.iter().any(|(setting, known)| *setting == name && *known == service)
        };
        given.iter().any(|text| of_service(&text))
    };
    let table = settings.dynamodb_table.as_ref().map(|_| "dynamodb");
    let mut going = BTreeMap::new();
    let mut refused = BTreeMap::new();
    for service in ["s3", "sts"].into_iter().chain(table) {
        let named = environment.endpoint(service);
        let Some(url) = settings.endpoints.get(service) else {
            if let Some((name, url)) = named {
                go(&mut going, service, parse(url, name)?, format!("as {name} says"));
            }
            continue;
        };
        let endpoint = parse(url, "the configuration of this directory")?;
        let of_environment = named.filter(|(_, url)| Endpoint::parse(url).as_ref() == Some(&endpoint));
        if let Some((name, _)) = of_environment {
            go(&mut going, service, endpoint, format!("as {name} says"));
        } else if given(service) {
            go(&mut going, service, endpoint, "as -backend-config says".to_owned());
        } else if endpoint.is_amazons(service) {
            // Nobody else's.
        } else if is_agreed(&endpoint)? {
            go(&mut going, service, endpoint, "as this directory says and you agreed".to_owned());
        } else {
            go(&mut refused, service, endpoint, String::new());
        }
    }
    if let Some((Going { endpoint, .. }, services)) = refused.into_iter().next() {
        return Err(wants_a_yes(&endpoint, &services, &environment));
    }
    tell("requests about the state", going, &environment)
}

fn go(going: &mut BTreeMap<Going, Vec<String>>, service: &str, endpoint: Endpoint, said: String) {
    if !endpoint.is_amazons(service) {
        going.entry(Going { endpoint, said }).or_default().push(service.to_owned());
    }
}

fn parse(url: &str, said: &str) -> Result<Endpoint, CommandError> {
    Endpoint::parse(url).ok_or_else(|| {
        CommandError::config(format!("{said} names the endpoint `{url}`, which is not a URL"))
            .hint("write one such as https://s3.example.com, without a user name in it")
    })
}

fn tell(
    what: &str,
    going: BTreeMap<Going, Vec<String>>,
    environment: &Environment,
) -> Result<Vec<String>, CommandError> {
    let line = |(Going { endpoint, said }, services): (Going, Vec<String>)| {
        if let Some(problem) = environment.unencrypted(&endpoint) {
            return Err(CommandError::config(problem).hint(encrypt(&endpoint)));
        }
        Ok(format!("{what} go to {endpoint} ({}), {said}", services.join(", ")))
    };
    going.into_iter().map(line).collect()
}

/// What a line of the user's record says yes to: this endpoint, for this directory.
fn agreement(endpoint: &Endpoint) -> Option<String> {
    let here = fs::canonicalize(".").ok()?;
    Some(format!("{endpoint} {}", here.to_str()?))
}

fn is_agreed(endpoint: &Endpoint) -> Result<bool, CommandError> {
    let Some(agreement) = agreement(endpoint) else { return Ok(false) };
    Ok(Trust::load()?.contains(Yes::Endpoint, &agreement))
}

fn wants_a_yes(endpoint: &Endpoint, services: &[String], environment: &Environment) -> CommandError {
    let message = format!(
        "the configuration of this directory sends requests about the state to {endpoint} ({}), which is not AWS's: they \
         are signed with your credentials, and what is answered is taken for the state",
        services.join(", ")
    );
    let mut error = CommandError::config(message);
    match agreement(endpoint).and_then(|agreement| trust::command(Yes::Endpoint, &agreement)) {
        Some(command) => error = error.hint(format!("if you know that place, say so: {command}")),
        None => {
            error = error.hint("set XDG_CONFIG_HOME to a directory outside of this one, where your yes can be kept");
        }
    }
    let names: Vec<String> = services
        .iter()
        .map(|service| format!("{ENDPOINT_VARIABLE}_{}={endpoint}", service.to_ascii_uppercase()))
        .collect();
    error = error.hint(format!("for a run of its own, as in CI: set {}", names.join(" ")));
    match environment.unencrypted(endpoint) {
        Some(_) => error.hint(encrypt(endpoint)),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_this_machine_and_for_who_hands_out_credentials() {
        let with = |http: &[&str]| Environment {
            http: http.iter().map(|host| (*host).to_owned()).collect(),
            ..Environment::default()
        };
        let is_fine = |url: &str, http: &[&str]| {
            let endpoint = Endpoint::parse(url).expect("a URL");
            with(http).unencrypted(&endpoint).is_none()
        };
        for url in ["http://localhost:4566", "http://[::1]", "https://evil.example", "http://169.254.170.2/v2"] {
            assert!(is_fine(url, &[]), "{url}");
        }
        for url in ["http://s3.us-east-1.amazonaws.com", "http://localstack:4566", "http://169.254.1.1"] {
            assert!(!is_fine(url, &["other"]), "{url}");
        }
        assert!(is_fine("http://localstack:4566", &["minio", "localstack"]));
        assert!(!is_fine("http://evil.localstack", &["localstack"]));
    }
}
