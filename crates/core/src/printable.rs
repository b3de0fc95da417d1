//! What may be shown, and how the rest is written: names, tags, messages and files are from anybody, and shown as they
//! are, they could move a cursor, reorder a line, hide in it, or begin a line that looks like one of ours.
//!
//! What is written in place of a character is what HCL and JSON write for it. A backslash stays as it is: a text that
//! holds `\n` to begin with looks like one that held a line break, and does no more harm than that.

use std::borrow::Cow;
use std::fmt::Write as _;

/// True if a terminal would act on the character, show it in another place than its own, or show nothing for it:
/// control characters, separators of lines, marks of direction, what Unicode says to ignore, and variation selectors.
pub const fn is_harmful(c: char) -> bool {
    matches!(c,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}'
        | '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// True for what most texts are made of, all of it harmless.
const fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~')
}

/// The text on one line: line breaks and tabs are written `\n`, `\r` and `\t`, other harmful characters `\u001b` or
/// `\U000e0041`.
pub fn line(text: &str) -> Cow<'_, str> {
    escaped(text, is_harmful)
}

/// The text with its line breaks and tabs as they are: for a whole document, of which nothing else shares the screen.
pub fn document(text: &str) -> Cow<'_, str> {
    escaped(text, |c| is_harmful(c) && !matches!(c, '\n' | '\t'))
}

fn escaped(text: &str, harmful: impl Fn(char) -> bool) -> Cow<'_, str> {
    if text.bytes().all(is_plain) || !text.contains(&harmful) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        // Writing to a string does not fail.
        let _infallible = match (c, u32::from(c)) {
            (c, _) if !harmful(c) => out.write_char(c),
            ('\n', _) => out.write_str("\\n"),
            ('\r', _) => out.write_str("\\r"),
            ('\t', _) => out.write_str("\\t"),
            (_, code @ 0..=0xffff) => write!(out, "\\u{code:04x}"),
            (_, code) => write!(out, "\\U{code:08x}"),
        };
    }
    Cow::Owned(out)
}

/// A JSON document with every harmful character written as JSON has it, `\u001b`: parsed, it is what it was.
pub fn json(document: String) -> String {
    let harmful = |c: char| is_harmful(c) && c != '\n';
    if document.bytes().all(|byte| is_plain(byte) || byte == b'\n') || !document.contains(harmful) {
        return document;
    }
    let mut out = String::with_capacity(document.len() + 16);
    for c in document.chars() {
        match c {
            c if !harmful(c) => out.push(c),
            // It stands between values: in a text it is written with a backslash already.
            '\0'..='\u{1f}' => out.push(' '),
            c => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    // Writing to a string does not fail.
                    let _infallible = write!(out, "\\u{unit:04x}");
                }
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value as Json;

    use super::*;

    /// Characters of every kind, harmful ones more often than chance has it.
    fn any_text() -> impl Strategy<Value = String> {
        let harmful = proptest::char::ranges(
            vec![
                '\0'..='\u{a0}',
                '\u{ad}'..='\u{ad}',
                '\u{200b}'..='\u{2070}',
                '\u{fe00}'..='\u{feff}',
                '\u{e0000}'..='\u{e01ef}',
            ]
            .into(),
        );
        let c = prop_oneof![any::<char>(), harmful, proptest::char::range(' ', '~')];
        proptest::collection::vec(c, 0..40).prop_map(|chars| chars.into_iter().collect())
    }

    fn any_json() -> impl Strategy<Value = Json> {
        let leaf = prop_oneof![any_text().prop_map(Json::from), any::<i64>().prop_map(Json::from), Just(Json::Null)];
        leaf.prop_recursive(3, 20, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
                proptest::collection::btree_map(any_text(), inner, 0..4)
                    .prop_map(|map| Json::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_text_is_harmless_and_says_what_it_was(text in any_text()) {
            let shown = line(&text);
            prop_assert!(!shown.contains(is_harmful), "{shown:?}");
            prop_assert_eq!(&line(&shown), &shown, "it is harmless already");
            let mut rest = shown.chars();
            for c in text.chars().filter(|c| !is_harmful(*c)) {
                prop_assert!(rest.any(|shown| shown == c), "{c:?} is gone from {shown:?}");
            }
            let kept: String = document(&text).chars().filter(|c| !matches!(c, '\n' | '\t')).collect();
            prop_assert!(!kept.contains(is_harmful), "{kept:?}");
            let breaks = |text: &str| text.matches(['\n', '\t']).count();
            prop_assert_eq!(breaks(&document(&text)), breaks(&text));
        }

        #[test]
        fn any_json_is_harmless_and_equal(value in any_json()) {
            for text in [value.to_string(), format!("{value:#}")] {
                let shown = json(text.clone());
                prop_assert!(!shown.replace('\n', "").contains(is_harmful), "{shown:?}");
                prop_assert_eq!(shown.matches('\n').count(), text.matches('\n').count());
                let parsed: Option<Json> = serde_json::from_str(&shown).ok();
                prop_assert_eq!(parsed.as_ref(), Some(&value));
            }
        }
    }

    #[test]
    fn what_is_escaped_and_how() {
        let table = [
            ("größe 10.0.0.0/16 `x` \"y\" \\", "größe 10.0.0.0/16 `x` \"y\" \\"),
            ("a\x1b[2J\r\nb\tc", "a\\u001b[2J\\r\\nb\\tc"),
            ("\u{7f}\u{9b}1A", "\\u007f\\u009b1A"),
            ("\u{202e}a\u{2066}b\u{200b}c\u{2028}d\u{feff}", "\\u202ea\\u2066b\\u200bc\\u2028d\\ufeff"),
            ("\u{e0041}\u{fe0f}\u{e0100}", "\\U000e0041\\ufe0f\\U000e0100"),
        ];
        for (text, expected) in table {
            assert_eq!(line(text), expected);
        }
        assert_eq!(document("a\tb\n\x1bc\r"), "a\tb\n\\u001bc\\r");
        assert_eq!(
            json("{\"a\":\t\"\u{e0041}\u{9b}\u{7f}ö\"}\r\n".to_owned()),
            "{\"a\": \"\\udb40\\udc41\\u009b\\u007fö\"} \n"
        );
    }

    /// Nothing that Rust or Unicode calls a control character is left out.
    #[test]
    fn every_control_character_is_harmful() {
        for c in (0..=0x10_ffff).filter_map(char::from_u32).filter(|c| c.is_control()) {
            assert!(is_harmful(c), "{c:?}");
        }
        assert!(!(' '..='~').any(is_harmful));
    }
}
