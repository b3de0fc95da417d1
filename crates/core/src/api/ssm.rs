//! Operations of Systems Manager, for public parameters.

use super::error::{Codes, ErrorClass};
use super::operation::{RateLimit, Service, operations};

/// Reads. AWS publishes no figures; ours are cautious.
pub const READ: RateLimit = RateLimit::new(Service::Ssm, 0, 40, 10);

pub(super) const CODES: Codes = Codes { by_words: &[], by_code: &[("ParameterNotFound", ErrorClass::NotFound)] };

operations! {
    /// Operations of Systems Manager, for public parameters.
    Ssm {
        /// `{Name, Value}`
        GetParameter: Read, READ, [Name(required)];
    }
}
