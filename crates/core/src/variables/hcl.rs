//! Variables files in HCL, and values of the command line that are HCL expressions. Only literal values are taken:
//! there is nothing that a variable, a function or a template could refer to.

use std::ops::Range;

use hcl_edit::Span;
use hcl_edit::expr::{Expression, ObjectKey};
use hcl_edit::structure::{Body, Structure};
use hcl_edit::template::Element;

use super::literal::{Entry, Fault, Kind, Literal, NESTING_HINT, Parsed};
use super::scan::scan;

/// The blocks and attributes of any file of Terraform's, unjudged.
pub(super) fn parse_body(text: &str, base: usize) -> Result<Body, Fault> {
    let body = text.get(base..).unwrap_or_default();
    hcl_edit::parser::parse_body(body).map_err(|error| syntax_fault(&error, text, base))
}

/// Parses a variables file, which begins at byte `base` of `text`.
pub(super) fn parse_file(text: &str, base: usize) -> Result<Parsed, Fault> {
    let body = text.get(base..).unwrap_or_default();
    scan(text, base)?;
    let body = hcl_edit::parser::parse_body(body).map_err(|error| syntax_fault(&error, text, base))?;
    let mut reader = Reader::new(base);
    let mut entries = Vec::new();
    for structure in &body {
        match structure {
            Structure::Attribute(attribute) => {
                let name_span = reader.span(attribute.key.span());
                let value = reader.literal(&attribute.value);
                entries.push(Entry { name: attribute.key.as_str().to_owned(), name_span, value });
            }
            Structure::Block(block) => {
                let span = reader.span(block.ident.span());
                reader.faults.push(
                    Fault::new(span, "a block may not stand in a variables file")
                        .hint("write name = value; an object value needs the equals sign too"),
                );
            }
        }
    }
    Ok(Parsed { entries, faults: reader.faults })
}

/// Parses the value of a variable, which begins at byte `base` of `text`.
pub(super) fn parse_expression(text: &str, base: usize) -> Result<(Literal, Vec<Fault>), Fault> {
    scan(text, base)?;
    let expression = text.get(base..).unwrap_or_default();
    let blank = expression.len() - expression.trim_start().len();
    let base = base + blank;
    let expression =
        hcl_edit::parser::parse_expr(expression.trim()).map_err(|error| syntax_fault(&error, text, base))?;
    let mut reader = Reader::new(base);
    let literal = reader.literal(&expression);
    Ok((literal, reader.faults))
}

/// The library's error in our words. Its own message lists every character that could have followed.
fn syntax_fault(error: &hcl_edit::parser::Error, text: &str, base: usize) -> Fault {
    let start = text.floor_char_boundary((base + error.location().offset()).min(text.len()));
    let rest = text.get(start..).unwrap_or_default();
    let next = rest.chars().next();
    let word = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-')).unwrap_or(rest.len());
    let span = start..start + word.max(next.map_or(0, char::len_utf8));
    let message = error.message();
    if message.contains("found redefined") {
        return Fault::new(span, "this name is set twice").hint("remove one of the two");
    }
    if message.contains("nested levels") || message.contains("chained binary operators") {
        return Fault::new(span, "values are nested too deep").hint(NESTING_HINT);
    }
    if next == Some('\'') {
        return Fault::new(span, "a text must stand in double quotes").hint("replace ' by \"");
    }
    if message.starts_with("invalid expression") {
        return Fault::new(span, "a value was expected")
            .hint("a text in double quotes, a number, true, false, null, a list [...] or an object {...}");
    }
    if message.starts_with("invalid structure") {
        return Fault::new(span, "an equals sign was expected").hint("write name = value");
    }
    if message.starts_with("invalid escape") || message.starts_with("invalid unicode") {
        // The parser has gone past the escape.
        let escape = text.get(base..start).and_then(|before| before.rfind('\\'));
        let span = escape.map_or(span, |at| base + at..start);
        return Fault::new(span, "this escape is not known").hint(r"write a backslash as \\");
    }
    if message.starts_with("expected newline or eof") {
        return Fault::new(span, "the line should end here").hint("write one name = value per line");
    }
    // What is left is short and names characters only; a cause could quote the text, so it is cut off.
    let message = message.split(';').next().unwrap_or_default().replace('\n', "line end");
    Fault::new(span, format!("this cannot be read: {message}"))
}

/// Turns expressions into literals, and collects what is none.
pub(super) struct Reader {
    base: usize,
    /// What is no literal.
    pub(super) faults: Vec<Fault>,
}

impl Reader {
    /// For a text that begins at byte `base` of its source.
    pub(super) const fn new(base: usize) -> Self {
        Self { base, faults: Vec::new() }
    }

    /// Bytes of the source.
    pub(super) fn span(&self, span: Option<Range<usize>>) -> Range<usize> {
        let span = span.unwrap_or_default();
        self.base + span.start..self.base + span.end
    }

    fn refuse(&mut self, span: &Range<usize>, summary: &str, hint: &'static str) -> Kind {
        self.faults.push(Fault::new(span.clone(), summary).hint(hint));
        Kind::Invalid
    }

    /// The literal, or [`Kind::Invalid`] with a fault.
    pub(super) fn literal(&mut self, expression: &Expression) -> Literal {
        const WRITE_VALUE: &str = "write the value itself";
        let span = self.span(expression.span());
        let kind = match expression {
            Expression::Null(_) => Kind::Null,
            Expression::Bool(value) => Kind::Bool(*value.value()),
            Expression::Number(number) => {
                let written = number.as_repr().map_or_else(|| number.value().to_string(), |repr| repr.to_string());
                Kind::Number(written.split_whitespace().collect())
            }
            Expression::String(text) => Kind::Text(text.value().clone()),
            Expression::StringTemplate(template) => self.template(&span, template.iter()),
            Expression::HeredocTemplate(heredoc) => self.template(&span, heredoc.template.iter()),
            Expression::Array(array) => Kind::List(array.iter().map(|item| self.literal(item)).collect()),
            Expression::Object(object) => {
                let entries: Vec<_> = object.iter().map(|(key, value)| self.entry(key, value.expr())).collect();
                // An object with a name that cannot be read is reported as such and then left alone.
                entries.into_iter().collect::<Option<_>>().map_or(Kind::Invalid, Kind::Object)
            }
            Expression::Parenthesis(inner) => self.literal(inner.inner()).kind,
            Expression::Variable(_) => {
                self.refuse(&span, "variables may not be used here", "put a text in double quotes")
            }
            Expression::Traversal(_) => self.refuse(&span, "references may not be used here", WRITE_VALUE),
            Expression::FuncCall(_) => self.refuse(&span, "functions may not be called here", WRITE_VALUE),
            Expression::Conditional(_) | Expression::UnaryOp(_) | Expression::BinaryOp(_) | Expression::ForExpr(_) => {
                self.refuse(&span, "expressions may not be used here", WRITE_VALUE)
            }
        };
        Literal { span, kind }
    }

    fn template<'a>(&mut self, span: &Range<usize>, elements: impl Iterator<Item = &'a Element>) -> Kind {
        let mut text = String::new();
        for element in elements {
            match element {
                Element::Literal(literal) => text.push_str(literal),
                Element::Interpolation(_) | Element::Directive(_) => {
                    let hint = "write $${ for a plain ${ and %%{ for a plain %{";
                    return self.refuse(span, "a template may not be used here", hint);
                }
            }
        }
        Kind::Text(text)
    }

    fn entry(&mut self, key: &ObjectKey, value: &Expression) -> Option<Entry> {
        let name_span = self.span(key.span());
        let value = self.literal(value);
        let name = match key {
            ObjectKey::Ident(ident) => ident.as_str().to_owned(),
            ObjectKey::Expression(expression) => match self.literal(expression).kind {
                Kind::Text(text) | Kind::Number(text) => text,
                Kind::Bool(value) => value.to_string(),
                Kind::Invalid => return None,
                Kind::Null | Kind::List(_) | Kind::Object(_) => {
                    self.faults.push(Fault::new(name_span, "a name was expected"));
                    return None;
                }
            },
        };
        Some(Entry { name, name_span, value })
    }
}
