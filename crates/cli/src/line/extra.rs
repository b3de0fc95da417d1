//! `TF_CLI_ARGS` and `TF_CLI_ARGS_name`: arguments from the environment, put where Terraform puts them.
//!
//! Terraform splits them with go-shellwords: spaces, quotes and backslashes as in a shell, but nothing is run and nothing
//! is replaced. What stands after an unquoted `;`, `&`, `|`, `<` or `>` it drops without a word; here that is refused.

use std::ffi::OsString;

use crate::error::CommandError;

/// What the names of these variables begin with.
pub(crate) const PREFIX: &str = "TF_CLI_ARGS";

/// The arguments that one variable adds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Extra {
    /// Name of the variable.
    pub(super) variable: String,
    /// Its words.
    pub(super) words: Vec<String>,
}

impl Extra {
    /// True if an argument is this flag.
    pub(super) fn has_flag(&self, flag: &str) -> bool {
        let name = |word: &str| word.trim_start_matches('-').split('=').next().unwrap_or_default().to_owned();
        self.words.iter().any(|word| word.starts_with('-') && name(word) == name(flag))
    }
}

/// The variables that count for the command of these words, in the order of the arguments they add: that of the command
/// stands before that of every command.
///
/// # Errors
/// When one cannot be split.
pub(super) fn of_command(
    path: &[String],
    value_of: impl Fn(&str) -> Option<OsString>,
) -> Result<Vec<Extra>, CommandError> {
    let name = path.join("_").replace('-', "_");
    let variables = [format!("{PREFIX}_{name}"), PREFIX.to_owned()];
    let mut extras = Vec::new();
    for variable in variables {
        let Some(value) = value_of(&variable).filter(|value| !value.is_empty()) else { continue };
        let split = value.to_str().ok_or("it is not UTF-8 text").and_then(split);
        let words = split.map_err(|problem| {
            CommandError::user(format!("{variable} cannot be split into arguments: {problem}"))
                .hint("it is split at spaces, as by a shell; put what belongs together between ' and '")
        })?;
        extras.push(Extra { variable, words });
    }
    Ok(extras)
}

/// The words of a text. No word of it is in the message: it may be a secret.
fn split(text: &str) -> Result<Vec<String>, &'static str> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            ' ' | '\t' | '\r' | '\n' => words.extend(word.take()),
            '\\' => word.get_or_insert_default().push(chars.next().ok_or("it ends with a backslash")?),
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next().ok_or("a ' has no second one")? {
                        '\'' => break,
                        c => word.push(c),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next().ok_or("a \" has no second one")? {
                        '"' => break,
                        '\\' => word.push(chars.next().ok_or("a \" has no second one")?),
                        c => word.push(c),
                    }
                }
            }
            '`' => verbatim(word.get_or_insert_default(), c, &mut chars, '`').ok_or("a ` has no second one")?,
            '(' if word.as_ref().is_some_and(|word| word.ends_with('$')) => {
                verbatim(word.get_or_insert_default(), c, &mut chars, ')').ok_or("a $( has no )")?;
            }
            '(' | ')' => return Err("it holds a ( or ) outside of quotes"),
            ';' | '&' | '|' | '<' | '>' => {
                return Err("it holds one of ; & | < > outside of quotes, and no shell reads it");
            }
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(words)
}

/// What a shell would run stays as it stands, its spaces too: nobody runs it.
fn verbatim(word: &mut String, first: char, chars: &mut std::str::Chars<'_>, last: char) -> Option<()> {
    word.push(first);
    loop {
        let c = chars.next()?;
        word.push(c);
        if c == last {
            return Some(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As Terraform 1.11.4 splits them, by what it logs of its arguments.
    #[test]
    fn words_are_split_as_by_terraform() {
        let table: &[(&str, &[&str])] = &[
            ("", &[]),
            ("  -json  ", &["-json"]),
            ("'a b' c", &["a b", "c"]),
            ("''", &[""]),
            ("\"x y\" `id`", &["x y", "`id`"]),
            ("`a b` c", &["`a b`", "c"]),
            ("$(id)", &["$(id)"]),
            ("x\\ y", &["x y"]),
            ("-var='a=b c' -json=\"true\"", &["-var=a=b c", "-json=true"]),
            ("\"a\\\"b\" 'c\\d' $HOME", &["a\"b", "c\\d", "$HOME"]),
            ("-a\n-b\t-c", &["-a", "-b", "-c"]),
        ];
        for (text, words) in table {
            assert_eq!(split(text).expect("valid"), *words, "{text}");
        }
        for text in ["'open", "\"open", "open\\", "`open", "$(open", "(a)", "a)", "a;b", "a > b", "a|b", "a & b"] {
            assert!(split(text).is_err(), "{text}");
        }
        assert_eq!(split("'a;b' \"c>d\"").expect("quoted"), ["a;b", "c>d"]);
    }

    #[test]
    fn each_command_has_a_variable() {
        let all = |name: &str| Some(OsString::from(name));
        let names = |path: &[&str]| {
            let path: Vec<String> = path.iter().map(|word| (*word).to_owned()).collect();
            let extras = of_command(&path, all).expect("valid");
            extras.into_iter().map(|extra| extra.variable).collect::<Vec<_>>()
        };
        assert_eq!(names(&["plan"]), ["TF_CLI_ARGS_plan", "TF_CLI_ARGS"]);
        assert_eq!(names(&["state", "list"]), ["TF_CLI_ARGS_state_list", "TF_CLI_ARGS"]);
        assert_eq!(names(&["force-unlock"]), ["TF_CLI_ARGS_force_unlock", "TF_CLI_ARGS"]);
        assert_eq!(of_command(&["plan".to_owned()], |_| None).expect("none"), []);
    }
}
