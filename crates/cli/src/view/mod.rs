//! What people and machines see of a run. A view is told what happened and never drives.

pub mod failure;
pub mod forecast;
pub mod guide;
pub mod human;
pub mod json;
pub mod live;
pub mod progress;
pub mod rehearsal;
pub mod reporter;
pub mod story;
