//! The boot script that `app_user_data` names, as a plan shows it: which file, how long, which contents.

use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::fingerprint::hex;

/// What a plan sends as user data instead of the built-in script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BootScript {
    /// The file, as `app_user_data` names it.
    pub path: String,
    /// Its length in bytes.
    pub length: usize,
    /// The SHA-256 of its contents, in hexadecimal.
    pub digest: String,
}

impl BootScript {
    /// That of these contents of a file.
    pub fn new(path: &str, contents: &str) -> Self {
        Self { path: path.to_owned(), length: contents.len(), digest: hex(&Sha256::digest(contents.as_bytes())) }
    }
}

/// `boot.sh, 120 bytes, SHA-256 9f86d0…`
impl fmt::Display for BootScript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, length, digest } = self;
        write!(f, "{}, {length} bytes, SHA-256 {digest}", path.escape_debug())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_which_file_and_which_contents() {
        let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(BootScript::new("boot.sh", "abc").to_string(), format!("boot.sh, 3 bytes, SHA-256 {digest}"));
        assert!(BootScript::new("a\u{1b}[31m", "").to_string().starts_with("a\\u{1b}[31m, 0 bytes"));
    }
}
