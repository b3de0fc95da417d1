//! IAM: may this call be made? Policies as documents, the permissions a call needs, and AWS's words of refusal.
//!
//! Only identity-based policies are known: what is not allowed by a statement is denied, and a denial wins. A policy
//! that uses what is not modelled here is refused when it is read, so that nothing is allowed by misunderstanding.
//! Which call needs which permissions follows the Service Authorization Reference, and owes nothing to what the planner
//! prints: it is there to check it.

mod condition;
mod context;
mod document;
mod need;
mod pattern;
mod policy;
mod refusal;

pub use self::context::Context;
pub(crate) use self::need::{Ask, Asks, CREATE_ROLE, Needs, condition};
pub use self::need::{Facts, Need, Objects, ResourceType};
pub use self::policy::{Decision, Policy, PolicyError};
pub(crate) use self::refusal::refusal;
