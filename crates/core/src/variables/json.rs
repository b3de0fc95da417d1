//! Variables files in JSON, parsed by hand as no library tells the place of every value.

use std::collections::BTreeSet;

use super::literal::{Entry, Fault, Kind, Literal, MAX_NESTING, NESTING_HINT, Parsed};

/// The deepest nesting of a configuration in JSON; the HCL parser has the same limit.
const CONFIGURATION_NESTING: usize = 64;

/// Parses a variables file in JSON: one object. Texts are taken as they are, without templates.
pub(super) fn parse_file(text: &str, base: usize) -> Result<Parsed, Fault> {
    parse(text, base, MAX_NESTING)
}

/// The same for a file of Terraform's configuration, which nests deeper.
pub(super) fn parse_configuration(text: &str, base: usize) -> Result<Parsed, Fault> {
    parse(text, base, CONFIGURATION_NESTING)
}

fn parse(text: &str, base: usize, nesting: usize) -> Result<Parsed, Fault> {
    let mut parser = Parser { text, at: base, nesting };
    parser.blanks();
    let start = parser.at;
    let value = parser.value(0)?;
    parser.blanks();
    if parser.at < text.len() {
        return Err(parser.fault("nothing may follow the closing brace"));
    }
    match value.kind {
        // A property called `//` is a comment, as in Terraform's JSON syntax.
        Kind::Object(entries) => {
            Ok(Parsed { entries: entries.into_iter().filter(|entry| entry.name != "//").collect(), faults: Vec::new() })
        }
        Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) | Kind::List(_) | Kind::Invalid => {
            Err(Fault::new(start..value.span.end, "a variables file in JSON must hold one object")
                .hint(r#"write {"environment": "dev"}"#))
        }
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    /// So deep may values be nested.
    nesting: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// A fault at the present character.
    fn fault(&self, summary: &str) -> Fault {
        let width = self.text.get(self.at..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
        if width == 0 {
            let summary = format!("{summary}, but the file ends here");
            return Fault::new(self.at..self.at, summary).hint("check that the file is complete");
        }
        Fault::new(self.at..self.at + width, summary)
    }

    /// Takes `byte`, or tells what was expected.
    fn take(&mut self, byte: u8, summary: &str) -> Result<(), Fault> {
        if self.peek() != Some(byte) {
            return Err(self.fault(summary));
        }
        self.at += 1;
        Ok(())
    }

    fn value(&mut self, depth: usize) -> Result<Literal, Fault> {
        let start = self.at;
        let kind = match self.peek() {
            Some(b'{' | b'[') if depth >= self.nesting => {
                let fault = self.fault(&format!("values may be nested {} deep at most", self.nesting));
                return Err(fault.hint(NESTING_HINT));
            }
            Some(b'{') => self.object(depth)?,
            Some(b'[') => self.list(depth)?,
            Some(b'"') => Kind::Text(self.string()?),
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(b'a'..=b'z') => self.word()?,
            Some(_) | None => {
                return Err(self
                    .fault("a value was expected")
                    .hint("a text in double quotes, a number, true, false, null, a list [...] or an object {...}"));
            }
        };
        Ok(Literal { span: start..self.at, kind })
    }

    fn word(&mut self) -> Result<Kind, Fault> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let length = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
        let kind = match rest.get(..length) {
            Some("true") => Kind::Bool(true),
            Some("false") => Kind::Bool(false),
            Some("null") => Kind::Null,
            Some(_) | None => {
                return Err(Fault::new(self.at..self.at + length, "a value was expected")
                    .hint("a text must stand in double quotes"));
            }
        };
        self.at += length;
        Ok(kind)
    }

    fn number(&mut self) -> Result<Kind, Fault> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let length = rest.find(|c: char| !matches!(c, '0'..='9' | '+' | '-' | '.' | 'e' | 'E')).unwrap_or(rest.len());
        let number = rest.get(..length).unwrap_or_default();
        if serde_json::from_str::<serde_json::Number>(number).is_err() {
            return Err(Fault::new(self.at..self.at + length, "this is not a number as JSON writes it"));
        }
        self.at += length;
        Ok(Kind::Number(number.to_owned()))
    }

    fn string(&mut self) -> Result<String, Fault> {
        let start = self.at;
        self.at += 1;
        loop {
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => self.at += 2,
                Some(b'\n') | None => {
                    let line_end = self.at.min(self.text.len());
                    return Err(Fault::new(start..line_end, "this text is not closed")
                        .hint("close it with a double quote on the same line"));
                }
                Some(_) => self.at += 1,
            }
        }
        self.at += 1;
        let quoted = self.text.get(start..self.at).unwrap_or_default();
        serde_json::from_str(quoted).map_err(|_| {
            Fault::new(start..self.at, "this text holds a wrong escape or a control character")
                .hint(r#"write a backslash as \\, a double quote as \", a tab as \t"#)
        })
    }

    fn list(&mut self, depth: usize) -> Result<Kind, Fault> {
        let mut items = Vec::new();
        self.at += 1;
        self.blanks();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Kind::List(items));
        }
        loop {
            self.blanks();
            items.push(self.value(depth + 1)?);
            self.blanks();
            if self.peek() == Some(b',') {
                self.at += 1;
            } else {
                self.take(b']', "a comma or a closing bracket was expected")?;
                return Ok(Kind::List(items));
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<Kind, Fault> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut names = BTreeSet::new();
        self.at += 1;
        self.blanks();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Kind::Object(entries));
        }
        loop {
            self.blanks();
            let start = self.at;
            if self.peek() != Some(b'"') {
                return Err(self.fault("a name in double quotes was expected"));
            }
            let name = self.string()?;
            let name_span = start..self.at;
            if !names.insert(name.clone()) && name != "//" {
                return Err(Fault::new(name_span, "this name is set twice").hint("remove one of the two"));
            }
            self.blanks();
            self.take(b':', "a colon was expected")?;
            self.blanks();
            let value = self.value(depth + 1)?;
            entries.push(Entry { name, name_span, value });
            self.blanks();
            if self.peek() == Some(b',') {
                self.at += 1;
            } else {
                self.take(b'}', "a comma or a closing brace was expected")?;
                return Ok(Kind::Object(entries));
            }
        }
    }
}
