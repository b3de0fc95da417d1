//! The swarm: random stories of a stack, judged by their own lights.
//!
//! A story is drawn from one seed: variables, commands, faults, a meddler, a second operator, somebody else's objects.
//! While it is played, what must never happen is watched for; when everything is healed, plain re-runs must reach the
//! world of a stack that nothing ever happened to. A failure is shrunk and told. Nothing here may use what the planner
//! thinks to judge what the planner does; what the plan says is asked only where the promise is about the plan.

mod books;
mod desk;
pub mod meddler;
mod neighbour;
mod play;
mod settings;
pub mod shrink;
pub mod story;

pub use self::books::{Class, Finding};
pub use self::play::{Manner, Played, RUNS_MAX, play};
pub use self::settings::Settings;
pub use self::shrink::{Caught, caught};
pub use self::story::Story;
