//! What looks like credentials in a text that is to leave this machine. A guess: it errs towards the alarm.

/// What [`found`] calls a key of AWS.
const AWS_KEY: &str = "an AWS access key";
/// What [`found`] calls a private key.
const PRIVATE_KEY: &str = "a private key";
/// What [`found`] calls a file of password hashes.
const SHADOW: &str = "password hashes";
/// What [`found`] calls the token of a service.
const TOKEN: &str = "an access token";

/// How tokens of well-known services begin, and how many characters follow at least.
const TOKENS: [(&str, usize); 8] = [
    ("ghp_", 30),
    ("gho_", 30),
    ("ghs_", 30),
    ("github_pat_", 30),
    ("glpat-", 20),
    ("xoxb-", 20),
    ("xoxp-", 20),
    ("hvs.", 20),
];
/// How access key IDs of AWS begin: of a user, of a session. As many characters follow.
const AWS_KEY_IDS: [&str; 2] = ["AKIA", "ASIA"];
const AWS_KEY_ID_REST: usize = 16;
/// The length of a secret access key.
const AWS_SECRET: usize = 40;
/// Fields of a line of `/etc/shadow`.
const SHADOW_FIELDS: usize = 9;

/// What the text seems to hold, if it is anything that should not be shown to others; never a part of the text itself.
pub fn found(text: &str) -> Option<&'static str> {
    let lower = text.to_ascii_lowercase();
    if is_private_key(&lower) {
        Some(PRIVATE_KEY)
    } else if lower.contains("aws_secret_access_key") || lower.contains("secretaccesskey") || is_aws_key(text) {
        Some(AWS_KEY)
    } else if text.lines().any(is_shadow) {
        Some(SHADOW)
    } else if words(text).any(is_token) || lower.contains("client-key-data:") || lower.contains("_authtoken=") {
        Some(TOKEN)
    } else {
        None
    }
}

/// `-----BEGIN RSA PRIVATE KEY-----` and its like.
fn is_private_key(lower: &str) -> bool {
    lower.lines().any(|line| line.split("-----begin ").skip(1).any(|rest| rest.contains("private key")))
}

/// An access key ID, and something that may be its secret.
fn is_aws_key(text: &str) -> bool {
    let is_id = |word: &str| {
        let rest = AWS_KEY_IDS.iter().find_map(|start| word.strip_prefix(start));
        rest.is_some_and(|rest| {
            rest.len() == AWS_KEY_ID_REST && rest.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
        })
    };
    let is_secret = |word: &str| word.len() == AWS_SECRET && word.bytes().any(|b| !b.is_ascii_hexdigit());
    let of_secret = |c: char| !(c.is_ascii_alphanumeric() || c == '/' || c == '+');
    words(text).any(is_id) && text.split(of_secret).any(is_secret)
}

/// A line such as `root:$6$…:19000:0:99999:7:::`; `*` and `!` are accounts without a password.
fn is_shadow(line: &str) -> bool {
    let fields: Vec<&str> = line.trim().split(':').collect();
    let [name, hash, changed, ..] = fields[..] else { return false };
    let is_number = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    fields.len() == SHADOW_FIELDS && !name.is_empty() && hash.starts_with(['$', '*', '!']) && is_number(changed)
}

fn is_token(word: &str) -> bool {
    TOKENS.iter().any(|(start, rest)| word.strip_prefix(start).is_some_and(|after| after.len() >= *rest))
}

/// Runs of the characters that tokens consist of.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::boot::DEFAULT_USER_DATA;

    #[test]
    fn what_looks_like_a_secret_is_found_and_scripts_are_not() {
        let id = format!("AKIA{}", "CANARYCANARY0000");
        let secret = "abcdEFGH/1234+abcdEFGH/1234+abcdEFGH/123";
        let table = [
            (format!("-----BEGIN {} PRIVATE KEY-----\nMII\n", "OPENSSH"), Some(PRIVATE_KEY)),
            ("-----BEGIN PRIVATE KEY-----".to_owned(), Some(PRIVATE_KEY)),
            ("-----BEGIN PGP PRIVATE KEY BLOCK-----".to_owned(), Some(PRIVATE_KEY)),
            (format!("[default]\naws_access_key_id = {id}\naws_secret_access_key = x\n"), Some(AWS_KEY)),
            (format!("export AWS_SECRET_ACCESS_KEY={secret}"), Some(AWS_KEY)),
            (format!("{{\"AccessKeyId\": \"{id}\", \"SecretAccessKey\": \"{secret}\"}}"), Some(AWS_KEY)),
            (format!("login {id} {secret}"), Some(AWS_KEY)),
            (format!("user,{},{secret}", id.replace("AKIA", "ASIA")), Some(AWS_KEY)),
            ("root:$6$salt$hash:19000:0:99999:7:::\n".to_owned(), Some(SHADOW)),
            ("daemon:*:19000:0:99999:7:::\n".to_owned(), Some(SHADOW)),
            (format!("git clone https://ghp_{}@github.com/a/b", "a1".repeat(18)), Some(TOKEN)),
            ("  client-key-data: LS0t".to_owned(), Some(TOKEN)),
            // Close, and nothing of the kind.
            (DEFAULT_USER_DATA.to_owned(), None),
            ("-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----".to_owned(), None),
            ("-----BEGIN PUBLIC KEY-----".to_owned(), None),
            (format!("# the key {id} was removed"), None),
            (format!("echo {} {}", "AKIAcanary", secret), None),
            (format!("git checkout {} # {id}", "0123456789abcdef0123456789abcdef01234567"), None),
            ("root:x:0:0:root:/root:/bin/bash".to_owned(), None),
            ("a:$b:c:d:e:f:g:h:i".to_owned(), None),
            ("docker run -p 80:80 -v a:b ghp_short".to_owned(), None),
            (String::new(), None),
        ];
        for (text, expected) in table {
            assert_eq!(found(&text), expected, "{text}");
        }
    }
}
