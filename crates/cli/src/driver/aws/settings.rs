//! Settings of the environment and of a profile that the SDK would take as they are: it panics at some that are broken, and
//! passes others by, so that requests go elsewhere than was said. Here each is either usable or an error that names it.

use aloka_core::endpoint::Endpoint;
use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;

use super::named_endpoint;

/// Services whose endpoint may be configured, by the SDK's name of them.
const SERVICES: [&str; 6] = ["EC2", "RDS", "SSM", "STS", "S3", "DynamoDB"];
/// Ways to send a request again that other SDKs know. Here the one called standard stands for all: it is for looking up
/// credentials alone.
const RETRY_MODES: [&str; 3] = ["legacy", "standard", "adaptive"];
/// Parts of a key, each by its variable. What a profile says of them is looked at when it is used.
const KEYS: [&str; 3] = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];

/// A setting that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{setting} {problem}")]
pub struct SettingError {
    /// What it is called, and where it stands.
    pub setting: String,
    /// What is wrong with it. Of a key, nothing is shown.
    pub problem: String,
    /// What to do, one line.
    pub hint: String,
}

/// Tells what is set under a name, if it is set to something.
type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// What the environment says, and beneath it the profile.
pub(super) struct Sources<'a> {
    /// The variables of the environment.
    pub(super) variable: Lookup<'a>,
    /// The name of the profile, and its properties.
    pub(super) profile: (&'a str, Lookup<'a>),
}

impl Sources<'_> {
    /// The value, and what it is called.
    fn find(&self, variable: &str, property: &str) -> Option<(String, String)> {
        let (name, profile) = &self.profile;
        (self.variable)(variable)
            .map(|value| (value, variable.to_owned()))
            .or_else(|| profile(property).map(|value| (value, format!("{property} of the AWS profile `{name}`"))))
    }
}

/// How often a request is sent again, if every setting can be used.
///
/// # Errors
/// The first setting that cannot be used.
pub(super) fn check(sources: &Sources<'_>) -> Result<RetryConfig, SettingError> {
    for name in KEYS {
        if (sources.variable)(name).is_some_and(|value| !is_key(&value)) {
            return Err(SettingError {
                setting: name.to_owned(),
                problem: "has a blank, a line break or another character in it that no key has".to_owned(),
                hint: format!("set {name} to the key alone, on one line"),
            });
        }
    }
    let wrong = |(value, setting): &(String, String), wanted: &str| SettingError {
        setting: setting.clone(),
        problem: format!("is `{value}`, which is not {wanted}"),
        hint: format!("set {setting} to {wanted}, or remove it"),
    };
    let mut retries = RetryConfig::standard();
    if let Some(found) = sources.find("AWS_MAX_ATTEMPTS", "max_attempts") {
        match found.0.parse::<u32>() {
            Ok(count @ 1..) => retries = retries.with_max_attempts(count),
            Ok(_) | Err(_) => return Err(wrong(&found, "a whole number from 1 on")),
        }
    }
    if let Some(found) = sources.find("AWS_RETRY_MODE", "retry_mode")
        && !RETRY_MODES.iter().any(|mode| found.0.eq_ignore_ascii_case(mode))
    {
        return Err(wrong(&found, &RETRY_MODES.join(" or ")));
    }
    let is_ignored = sources.find("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "ignore_named_endpoint_urls");
    let is_ignored = is_ignored.is_some_and(|(value, _)| value.eq_ignore_ascii_case("true"));
    let of_service = |service: &str| format!("AWS_ENDPOINT_URL_{}", service.to_ascii_uppercase());
    let mut endpoint = sources.find("AWS_ENDPOINT_URL", "endpoint_url");
    for name in SERVICES.map(of_service) {
        endpoint = endpoint.or_else(|| (sources.variable)(&name).map(|value| (value, name)));
    }
    for (variable, property) in
        [("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint"), ("AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint")]
    {
        let Some(found) = sources.find(variable, property) else { continue };
        match (found.0.to_ascii_lowercase().as_str(), &endpoint) {
            ("true", Some((url, named))) if !is_ignored => {
                let setting = found.1;
                return Err(SettingError {
                    problem: format!("asks for another kind of AWS's endpoints, and {named} names the endpoint {url}"),
                    hint: format!("remove {setting} or {named}: the SDK of AWS does not take both"),
                    setting,
                });
            }
            ("true" | "false", _) => {}
            _ => return Err(wrong(&found, "true or false")),
        }
    }
    Ok(retries)
}

/// Refuses an endpoint that is no URL: the SDK would pass it by, and send the requests to AWS.
///
/// # Errors
/// There is one.
pub(super) fn check_endpoints(config: &SdkConfig) -> Result<(), SettingError> {
    for service in SERVICES {
        let Some(url) = named_endpoint(config, service) else { continue };
        if Endpoint::parse(&url).is_none() {
            return Err(SettingError {
                setting: format!("the endpoint of {service} in the environment or the AWS configuration"),
                problem: format!("is `{url}`, which is not a URL"),
                hint: "write AWS_ENDPOINT_URL, or endpoint_url of the profile, as in http://localhost:4566".to_owned(),
            });
        }
    }
    Ok(())
}

/// True of what can stand in the header of a request, as each part of a key has to.
pub(super) fn is_key(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(variables: &[(&str, &str)], properties: &[(&str, &str)]) -> Result<RetryConfig, String> {
        let of = |pairs: &[(&str, &str)], name: &str| {
            pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        let (variable, property) = (|name: &str| of(variables, name), |name: &str| of(properties, name));
        check(&Sources { variable: &variable, profile: ("prod", &property) }).map_err(|error| {
            let text = format!("{error}; {}", error.hint);
            assert!(text.contains(&error.setting) && !text.contains("CANARY"), "{text}");
            text
        })
    }

    #[test]
    fn what_is_broken_is_named_and_what_is_well_is_taken() {
        assert_eq!(told(&[], &[]), Ok(RetryConfig::standard()));
        let five = RetryConfig::standard().with_max_attempts(5);
        assert_eq!(told(&[("AWS_MAX_ATTEMPTS", "5"), ("AWS_RETRY_MODE", "Legacy")], &[]), Ok(five.clone()));
        assert_eq!(told(&[("AWS_MAX_ATTEMPTS", "5")], &[("max_attempts", "many")]), Ok(five));
        for value in ["0", "-1", "many", "3.5", "99999999999"] {
            let variable = told(&[("AWS_MAX_ATTEMPTS", value)], &[]).expect_err(value);
            assert!(variable.starts_with(&format!("AWS_MAX_ATTEMPTS is `{value}`")), "{variable}");
            let profile = told(&[], &[("max_attempts", value)]).expect_err(value);
            assert!(profile.starts_with("max_attempts of the AWS profile `prod` is"), "{profile}");
        }
        assert!(told(&[("AWS_RETRY_MODE", "twice")], &[]).expect_err("no mode").contains("legacy or standard"));
        for name in ["AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"] {
            assert!(told(&[(name, "1")], &[]).expect_err(name).contains("true or false"));
            for endpoint in ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_RDS"] {
                let both = [(name, "true"), (endpoint, "http://localhost:4566")];
                let error = told(&both, &[]).expect_err(name);
                assert!(error.contains(name) && error.contains(endpoint), "{error}");
                let ignored = [both[0], both[1], ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "TRUE")];
                assert!(told(&ignored, &[]).is_ok() && told(&[(name, "false"), both[1]], &[]).is_ok());
            }
        }
    }

    #[test]
    fn a_key_that_could_not_be_sent_is_named_and_not_shown() {
        for name in KEYS {
            for value in ["CANARY CANARY", "CANARY\rCANARY", "CANARY\nCANARY", "CANARY\u{fc}", "CANARY\0"] {
                assert!(told(&[(name, value)], &[]).expect_err(name).starts_with(name));
            }
            assert!(told(&[(name, "IQoJb3JpZ2luX2VjE/+=")], &[]).is_ok());
        }
    }
}
