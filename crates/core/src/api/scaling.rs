//! A service that is there to show that the engine knows none: one of its operations has the name of another service's.

use super::operation::{RateLimit, Service, operations};

/// All calls.
pub(crate) const ANY: RateLimit = RateLimit::new(Service::Scaling, 0, 3, 1);

operations! {
    /// Operations of the service.
    Scaling {
        /// `{Groups: [Group]}`
        DescribeTags: Read, ANY, [Filters];
        /// `{}`
        CreateGroup: Create(NaturalKey), ANY, [GroupName(required), Key(secret)];
        /// `{}`; here what it deletes is gone afterwards, where EC2's is a change of an object.
        DeleteTags: Remove, ANY, [GroupName(required)] {
            "ScalingActivityInProgress" lost => Done,
            "GroupUnknown" => NotYet,
        };
    }
}
