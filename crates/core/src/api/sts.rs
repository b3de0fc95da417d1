//! Operations of the Security Token Service.

use super::error::Codes;
use super::operation::{RateLimit, Service, operations};

/// Reads. AWS publishes no figures; ours are cautious.
pub const READ: RateLimit = RateLimit::new(Service::Sts, 0, 40, 10);

pub(super) const CODES: Codes = Codes { by_words: &[], by_code: &[] };

operations! {
    /// Operations of the Security Token Service.
    Sts {
        /// `{Account, Arn, UserId}`
        GetCallerIdentity: Read, READ, [];
    }
}
