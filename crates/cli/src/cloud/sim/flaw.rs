//! A simulated AWS that is not as the simulator has it, for tests of what lays the two side by side.

use aloka_core::api::{ApiError, Reply, Request};
use serde::Deserialize;

/// Set by tests, to JSON. A release does not know it.
const FLAWS: &str = "ALOKA_TEST_FLAWS";

/// How answers to an operation differ.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Flaw {
    /// As `ec2:CreateVpc`.
    operation: String,
    /// Only calls in whose text this stands.
    #[serde(default)]
    asked: String,
    /// What stands in the answer, as JSON text.
    #[serde(default)]
    from: String,
    /// What stands there instead.
    #[serde(default)]
    to: String,
    /// Or the code that the call is refused with, although it was carried out.
    code: Option<String>,
    /// In as many answers at most.
    times: Option<u32>,
}

/// All of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Flaws(Vec<Flaw>);

impl Flaws {
    /// Those that the environment names.
    pub(super) fn of_environment() -> Result<Self, String> {
        let text = std::env::var(FLAWS).ok().filter(|_| cfg!(debug_assertions));
        let flaws = text.map(|text| serde_json::from_str(&text)).transpose();
        flaws.map(|flaws| Self(flaws.unwrap_or_default())).map_err(|error| format!("{FLAWS}: {error}"))
    }

    /// Changes an answer, if one is about it.
    pub(super) fn strike(&mut self, request: &Request, reply: &mut Reply) {
        if self.0.is_empty() {
            return;
        }
        let operation = request.operation().to_string();
        let asks = request.to_string();
        let is_about = |flaw: &&mut Flaw| flaw.operation == operation && asks.contains(&flaw.asked);
        for Flaw { from, to, code, times, .. } in self.0.iter_mut().filter(is_about) {
            let Ok(value) = reply else { return };
            if *times == Some(0) {
                continue;
            }
            let changed = match code {
                Some(code) => Some(Err(ApiError::answered(code, "a flaw that a test planted", Some(400)))),
                None => serde_json::to_string(value)
                    .ok()
                    .filter(|text| text.contains(from.as_str()))
                    .and_then(|text| serde_json::from_str(&text.replace(from.as_str(), to)).ok())
                    .map(Ok),
            };
            if let Some(changed) = changed {
                *reply = changed;
                *times = times.map(|times| times - 1);
            }
        }
    }
}
