//! Drivers: what stands between the engine's requests and a real cloud.

#[cfg(feature = "aws")]
pub mod aws;
