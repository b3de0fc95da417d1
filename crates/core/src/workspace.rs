//! Names of workspaces, as Terraform has them: each has a state of its own in one backend.

/// The workspace of a directory that chose none.
pub const DEFAULT: &str = "default";
/// Longer names are no names of directories.
const LENGTH_MAX: usize = 255;

/// True if Terraform allows the name (it stands in a URL as it is) and it names a directory beside others: `..`, which
/// Terraform takes, leads elsewhere.
pub fn is_valid(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~$&+=:@".contains(&byte);
    !matches!(name, "" | "." | "..") && name.len() <= LENGTH_MAX && name.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Those that are not allowed but for the first three were refused by Terraform 1.11.4, the others taken.
    #[test]
    fn a_name_is_one_of_terraforms_and_leads_nowhere_else() {
        for name in [
            "default",
            "prod",
            "eu-west-1",
            "a.b",
            "...",
            ".hidden",
            "~x",
            "a$b&c+d=e:f@g",
            "-x",
            "1",
            &"x".repeat(255),
        ] {
            assert!(is_valid(name), "{name}");
        }
        for name in [
            "",
            ".",
            "..",
            "a/b",
            "/",
            "../x",
            "a\\b",
            "a b",
            " a",
            "a\n",
            "a\0",
            "é",
            "a?b",
            "a;b",
            "a,b",
            "a*",
            "a'b",
            "a(b",
            "a%2fb",
            "a#b",
            "a\u{202e}b",
            &"x".repeat(256),
        ] {
            assert!(!is_valid(name), "{name:?}");
        }
    }
}
