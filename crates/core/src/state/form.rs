//! What a file is that is no state of format 4: known by name, with the way from there to a state.
//!
//! Nothing is unpacked, decrypted or converted here: who holds the key or the tool does that. And nothing of it is ever taken for
//! a state that records nothing.

use std::collections::BTreeSet;
use std::fmt;

use serde::Deserialize as _;
use serde::de::IgnoredAny;

/// What begins a file in UTF-8 for some editors; JSON has no place for it.
pub const BYTE_ORDER_MARK: &str = "\u{feff}";

/// What a file is, and the way on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Form {
    /// What it is: `gzip-compressed`.
    pub what: &'static str,
    /// What to do about it, one line.
    pub way: &'static str,
}

/// `it is gzip-compressed`
impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "it is {}, not a state as it is", self.what)
    }
}

/// How a form is told.
enum Sign {
    /// The file begins with one of these.
    Begins(&'static [&'static [u8]]),
    /// The text begins with one of these, spaces aside and in whatever case.
    Word(&'static [&'static str]),
    /// A line begins with each of these.
    Lines(&'static [&'static str]),
    /// It is a JSON object with all of these keys.
    Keys(&'static [&'static str]),
}

const PULL: &str = "the state itself is where the stack was deployed from, in the backend, or in a backup: `terraform state pull` prints \
                    it where Terraform is set up";
const DECRYPT: &str = "decrypt it with the tool and the key that it was encrypted with, then try again";
const UNPACK: &str = "unpack it, and see that what comes out is the state, then try again";

macro_rules! forms {
    ($($sign:expr => $what:literal, $way:expr;)*) => {
        &[$(($sign, Form { what: $what, way: $way })),*]
    };
}

use Sign::{Begins, Keys, Lines, Word};

/// Forms that the bytes tell.
const BYTES: &[(Sign, Form)] = forms! {
    Begins(&[b"\xff\xfe\0\0", b"\0\0\xfe\xff"]) => "text in UTF-32", "turn it into UTF-8, with: iconv -f UTF-32 -t UTF-8";
    Begins(&[b"\xff\xfe", b"{\0", b"\r\0", b"\n\0", b" \0"]) => "text in UTF-16, as PowerShell writes it",
        "turn it into UTF-8, with: iconv -f UTF-16LE -t UTF-8";
    Begins(&[b"\xfe\xff", b"\0{", b"\0\r", b"\0\n", b"\0 "]) => "text in UTF-16, high bytes first",
        "turn it into UTF-8, with: iconv -f UTF-16BE -t UTF-8";
    Begins(&[b"\x1f\x8b"]) => "compressed by gzip", UNPACK;
    Begins(&[b"BZh"]) => "compressed by bzip2", UNPACK;
    Begins(&[b"\xfd7zXZ\0"]) => "compressed by xz", UNPACK;
    Begins(&[b"\x28\xb5\x2f\xfd"]) => "compressed by zstd", UNPACK;
    Begins(&[b"7z\xbc\xaf\x27\x1c"]) => "a 7z archive", UNPACK;
    Begins(&[b"PK\x03\x04", b"PK\x05\x06"]) => "a zip archive, as a saved plan of Terraform is one", PULL;
    Begins(&[b"\0GITCRYPT\0"]) => "encrypted by git-crypt", "unlock the repository with: git-crypt unlock";
    Begins(&[b"age-encryption.org/", b"-----BEGIN AGE ENCRYPTED FILE-----"]) => "encrypted by age", DECRYPT;
    Begins(&[b"-----BEGIN PGP MESSAGE-----", b"\x84", b"\x85\x01", b"\x85\x02", b"\x85\x03", b"\x85\x04", b"\x8c\x0d"]) =>
        "encrypted by GnuPG", DECRYPT;
    Begins(&[b"Salted__", b"U2FsdGVkX1"]) => "encrypted by openssl", DECRYPT;
    Begins(&[b"$ANSIBLE_VAULT"]) => "encrypted by ansible-vault", DECRYPT;
    Begins(&[b"tfstate"]) => "a state of Terraform 0.1 or 0.2", PULL;
    Begins(&[b"SQLite format 3"]) => "an SQLite database", PULL;
};

/// Forms that the text tells, once it is known that it is text and no state.
const TEXT: &[(Sign, Form)] = forms! {
    Begins(&[b"version https://git-lfs.github.com/", b"version https://hawser.github.com/"]) => "a pointer of Git LFS",
        "fetch what it stands for with: git lfs pull";
    Begins(&[b"/annex/objects/", b"../.git/annex/", b".git/annex/"]) => "a pointer of git-annex",
        "fetch what it stands for with: git annex get";
    Lines(&["<<<<<<< ", ">>>>>>> "]) => "two states that git merged, with its marks between them",
        "a state cannot be merged: take the one that was written last, whole, with: git checkout --ours or git checkout --theirs";
    Keys(&["encrypted_data"]) => "encrypted by OpenTofu",
        "aloka cannot decrypt it: `tofu state pull` prints the state where the key is";
    Keys(&["sops"]) => "encrypted by sops", "decrypt it first, with: sops decrypt";
    Keys(&["kind", "format_version", "aloka_version"]) => "a saved plan of aloka", "apply it with: aloka apply FILE";
    Keys(&["format_version", "planned_values"]) => "a plan as JSON, of `show -json`", PULL;
    Keys(&["format_version", "resource_changes"]) => "a plan as JSON, of `show -json`", PULL;
    Keys(&["format_version", "values"]) => "a state as JSON, of `show -json`: it has no addresses of providers, no lineage and no serial",
        PULL;
    Keys(&["ID", "Operation", "Who"]) => "a lock, not what it locks", PULL;
    Keys(&["account", "format_version"]) => "a simulated account", PULL;
    Keys(&["Error"]) => "an error message of a server", PULL;
    Keys(&["message"]) => "an error message of a server", PULL;
    Word(&["<!doctype html", "<html"]) => "a web page, as a server sends it to who is not logged in", PULL;
    Word(&["<?xml", "<error"]) => "XML, as S3 answers a request that it refuses", PULL;
    Word(&["---", "version:", "{% ", "- "]) => "YAML", PULL;
    Word(&["terraform {", "terraform{", "resource \"", "variable \"", "module \"", "provider \"", "output \"", "#"]) =>
        "a configuration of Terraform", PULL;
    Word(&["data."]) => "a list of addresses", PULL;
};

/// What a file of these bytes is, if that can be told without reading it as text.
pub fn of_bytes(bytes: &[u8]) -> Option<Form> {
    find(BYTES, bytes)
}

/// What a text is that is no state.
pub fn of_text(text: &str) -> Option<Form> {
    find(TEXT, text.trim_start().as_bytes())
}

fn find(forms: &[(Sign, Form)], bytes: &[u8]) -> Option<Form> {
    let mut keys = None;
    let found = forms.iter().find(|(sign, _)| match sign {
        Begins(heads) => heads.iter().any(|head| bytes.starts_with(head)),
        Word(words) => words
            .iter()
            .any(|word| bytes.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word.as_bytes()))),
        Lines(heads) => heads.iter().all(|head| {
            let mut lines = bytes.split(|byte| *byte == b'\n');
            lines.any(|line| line.starts_with(head.as_bytes()))
        }),
        Keys(names) => {
            let keys = keys.get_or_insert_with(|| keys_of(bytes));
            names.iter().all(|name| keys.contains(*name))
        }
    });
    found.map(|(_, form)| *form)
}

/// The keys of a JSON object; none if it is no such thing.
fn keys_of(bytes: &[u8]) -> BTreeSet<String> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let object = std::collections::BTreeMap::<String, IgnoredAny>::deserialize(&mut deserializer);
    object.map(|object| object.into_keys().collect()).unwrap_or_default()
}

/// What to do about a state of a format that this release does not read.
pub fn way_from_version(version: u64) -> &'static str {
    match version {
        1..=3 => {
            "let Terraform rewrite it as format 4, which changes nothing in AWS: run `terraform apply -refresh-only` with \
             Terraform 1.x and the configuration it belongs to"
        }
        _ => "use the release of aloka or of Terraform that wrote it",
    }
}
