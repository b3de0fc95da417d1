//! Commands that a message proposes: a reader pastes them into a shell, so each word is quoted for it, and nothing goes
//! into one but what has the form of an identifier, an address or a file name. What has not is described instead.

use std::borrow::Cow;
use std::fmt;

use crate::address::Address;
use crate::printable::is_harmful;

/// Longer texts are no identifiers.
const ID_MAX: usize = 255;

/// A word as a POSIX shell reads it back.
pub fn quote(word: &str) -> Cow<'_, str> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"@%+=:,./_-".contains(&byte);
    if !word.is_empty() && word.bytes().all(plain) {
        Cow::Borrowed(word)
    } else {
        Cow::Owned(format!("'{}'", word.replace('\'', "'\\''")))
    }
}

/// True if the text has the form of an identifier: of an object of AWS, its name or ARN, a lock, a version.
pub fn is_id(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/".contains(&byte);
    text.len() <= ID_MAX && text.as_bytes().first().is_some_and(u8::is_ascii_alphanumeric) && text.bytes().all(allowed)
}

/// True if the text has the form of an address of Terraform's, of a module or in it: names with dots between them, each
/// with an index or a key, or without one. Keys with unusual characters are left out.
pub fn is_address(text: &str) -> bool {
    let is_name = |name: &str| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
        name.bytes().all(allowed)
            && name.bytes().next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
    };
    let mut rest = text;
    loop {
        let end = rest.find(['.', '[']).unwrap_or(rest.len());
        let (name, mut tail) = rest.split_at(end);
        if !is_name(name) {
            return false;
        }
        if let Some(inside) = tail.strip_prefix('[') {
            let Some(after) = after_key(inside) else { return false };
            tail = after;
        }
        match tail.strip_prefix('.') {
            Some(next) => rest = next,
            None => return tail.is_empty(),
        }
    }
}

/// What follows `0]` or `"key"]`.
fn after_key(text: &str) -> Option<&str> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b" @%+=:,./_-".contains(&byte);
    let (key, after) = match text.strip_prefix('"') {
        Some(quoted) => quoted.split_once("\"]")?,
        None => text.split_once(']').filter(|(digits, _)| digits.bytes().all(|byte| byte.is_ascii_digit()))?,
    };
    (!key.is_empty() && key.bytes().all(allowed)).then_some(after)
}

/// One command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command(String);

impl Command {
    /// Words of ours.
    pub fn new(words: &'static str) -> Self {
        Self(words.to_owned())
    }

    fn word(mut self, word: &str) -> Self {
        self.0.push(' ');
        self.0.push_str(&quote(word));
        self
    }

    /// With an identifier; `None` if it does not have the form of one.
    pub fn id(self, id: &str) -> Option<Self> {
        is_id(id).then(|| self.word(id))
    }

    /// With an address.
    #[must_use]
    pub fn address(self, address: &Address) -> Self {
        self.word(&address.to_string())
    }

    /// With the address of something that is not of this stack, or of a module; `None` if it is too unusual.
    pub fn recorded(self, address: &str) -> Option<Self> {
        is_address(address).then(|| self.word(address))
    }

    /// With an option of ours and what it is set to; `None` if that cannot be written in a line.
    pub fn value(mut self, option: &'static str, value: &str) -> Option<Self> {
        let is_good = !value.is_empty() && !value.starts_with('-') && !value.contains(is_harmful);
        self.0.push_str(&format!(" {option}"));
        is_good.then(|| self.word(value))
    }

    /// With the name of a file; `None` if it cannot be written in a line.
    pub fn file(self, path: &str) -> Option<Self> {
        let is_good = !path.is_empty() && !path.contains(is_harmful);
        let here = if path.starts_with('-') { "./" } else { "" };
        is_good.then(|| self.word(&format!("{here}{path}")))
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A flag that names an address, `-exclude=ADDRESS`.
pub fn flag_at(flag: &'static str, address: &Address) -> String {
    quote(&format!("{flag}={address}")).into_owned()
}

/// A flag that names an identifier, `-allow-data-loss=ID`, in words if it does not have the form of one.
pub fn flag(flag: &'static str, id: &str) -> String {
    if is_id(id) {
        format!("{flag}={id}")
    } else {
        format!("{flag}=ID, with what is named above for ID, quoted for your shell")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What a POSIX shell makes of a line of plain and single-quoted words; `None` if it would do more than read them.
    fn read_by_a_shell(line: &str) -> Option<Vec<String>> {
        let (mut words, mut word) = (Vec::new(), None::<String>);
        let mut chars = line.chars();
        while let Some(c) = chars.next() {
            match c {
                ' ' => words.extend(word.take()),
                '\'' => {
                    let word = word.get_or_insert_default();
                    loop {
                        match chars.next()? {
                            '\'' => break,
                            c => word.push(c),
                        }
                    }
                }
                '\\' => word.get_or_insert_default().push(chars.next()?),
                c if c.is_ascii_alphanumeric() || "@%+=:,./_-".contains(c) => word.get_or_insert_default().push(c),
                _ => return None,
            }
        }
        words.extend(word);
        Some(words)
    }

    proptest! {
        #[test]
        fn any_word_is_read_back_as_it_is(words in proptest::collection::vec("\\PC{0,6}|[$`'\"\\\\!;&| ~*?\n]{0,6}", 1..5)) {
            let line = words.iter().map(|word| quote(word)).collect::<Vec<_>>().join(" ");
            prop_assert_eq!(read_by_a_shell(&line), Some(words));
        }

        #[test]
        fn any_text_makes_a_command_of_one_more_word_or_none(text in "\\PC{0,20}|[a-z$`'\"\\\\;.\\[\\]0-9 -]{0,20}|[\\x00-\\x7f]{0,9}") {
            let command = || Command::new("aloka x");
            let made = [command().id(&text), command().recorded(&text), command().file(&text), Command::new("aloka").value("x", &text)];
            for made in made.into_iter().flatten() {
                let made = made.to_string();
                prop_assert!(!made.contains(is_harmful), "{made:?}");
                let words = read_by_a_shell(&made).unwrap_or_default();
                prop_assert_eq!(words.len(), 3, "{}", made);
                let here = ["./", &text].concat();
                prop_assert!(words[2] == text || words[2] == here, "{}", made);
                prop_assert!(!words[2].starts_with('-'), "{}", made);
            }
        }
    }

    #[test]
    fn the_forms_of_identifiers_and_addresses() {
        let ids = [
            "vpc-0a1b",
            "aloka-dev-db",
            "e56561b6-cc55-e362-5fe9-07948dc0c55e",
            "arn:aws:rds:us-east-1:1:db:x",
            "1.2_3",
        ];
        for id in ids {
            assert!(is_id(id), "{id}");
            assert_eq!(flag("-f", id), format!("-f={id}"));
        }
        let long = "x".repeat(ID_MAX + 1);
        for text in ["", "-rf", "x$(touch y)", "x y", "x;y", "x\ny", "x'", "ä", "x\u{200b}", &long] {
            assert!(!is_id(text), "{text}");
            assert!(text.is_empty() || !flag("-f", text).contains(text), "{text}");
        }
        for address in
            ["module.vpc", "module.a[\"b c\"].module.d[0].aws_vpc.this", "aws_instance.app[9]", "data.aws_ami.x"]
        {
            assert!(is_address(address), "{address}");
        }
        for text in [
            "",
            "a..b",
            "a.",
            ".a",
            "a[",
            "a[]",
            "a[x]",
            "a[0]b",
            "a['b']",
            "a[\"$(x)\"]",
            "a[\"b\"c\"]",
            "-a.b",
            "a b.c",
        ] {
            assert!(!is_address(text), "{text}");
        }
    }

    #[test]
    fn a_word_is_quoted_where_it_has_to_be() {
        let address: Address = "module.vpc.aws_vpc.this[0]".parse().expect("an address");
        let command = Command::new("aloka import").address(&address).id("vpc-1").expect("an identifier");
        assert_eq!(command.to_string(), "aloka import 'module.vpc.aws_vpc.this[0]' vpc-1");
        assert_eq!(flag_at("-exclude", &address), "'-exclude=module.vpc.aws_vpc.this[0]'");
        let command = Command::new("aloka apply");
        assert_eq!(command.clone().file("a b").expect("a file").to_string(), "aloka apply 'a b'");
        assert_eq!(command.clone().file("-x").expect("a file").to_string(), "aloka apply ./-x");
        assert_eq!(command.file("a\x1bb"), None);
    }
}
