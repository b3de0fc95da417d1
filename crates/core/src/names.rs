//! What AWS takes for a name.

/// Longest name of a snapshot (RDS API, DeleteDBInstance).
const MAX_SNAPSHOT_NAME: usize = 255;

/// What is wrong with the name of a final snapshot, after "it is NAME, "; `None` if RDS takes it (RDS API, DeleteDBInstance).
pub fn snapshot_name_fault(name: &str) -> Option<String> {
    if name.len() > MAX_SNAPSHOT_NAME {
        Some(format!("which is {} characters long, but may be {MAX_SNAPSHOT_NAME}", name.len()))
    } else if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        Some("but it must begin with a letter".to_owned())
    } else if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        Some("but it may only hold letters, digits and hyphens".to_owned())
    } else if name.ends_with('-') || name.contains("--") {
        Some("but it may neither end with a hyphen nor hold two in a row".to_owned())
    } else {
        None
    }
}
