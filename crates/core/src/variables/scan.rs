//! A first look at HCL text: what is left open, and what is nested too deep.
//!
//! The parser takes a text that runs over the end of its line and then complains about a place far below. This looks
//! only at quotes, comments, heredocs and brackets, and tells where the trouble begins.

use super::literal::{Fault, MAX_NAMES, MAX_NESTING, NESTING_HINT, SIZE_HINT};

/// The place of the first open quote, comment or heredoc in `text` from byte `base` on, or of what is one
/// too many: the bracket that nests too deep, or the name beyond the limit.
pub(super) fn scan(text: &str, base: usize) -> Result<(), Fault> {
    let bytes = text.as_bytes();
    let mut at = base;
    let mut depth = 0_usize;
    let mut names = 0_usize;
    while let Some(&byte) = bytes.get(at) {
        let next = bytes.get(at + 1).copied();
        match byte {
            b'"' => at = skip_quoted(bytes, at)?,
            b'#' => at = line_end(bytes, at),
            b'/' if next == Some(b'/') => at = line_end(bytes, at),
            b'/' if next == Some(b'*') => {
                let end = text.get(at + 2..).and_then(|rest| rest.find("*/"));
                at = match end {
                    Some(end) => at + 2 + end + 2,
                    None => {
                        return Err(Fault::new(at..at + 2, "this comment is not closed").hint("close it with */"));
                    }
                };
            }
            b'<' if next == Some(b'<') => at = skip_heredoc(text, at)?,
            b'[' | b'{' | b'(' => {
                depth += 1;
                if depth > MAX_NESTING {
                    let summary = format!("values may be nested {MAX_NESTING} deep at most");
                    return Err(Fault::new(at..at + 1, summary).hint(NESTING_HINT));
                }
                at += 1;
            }
            b'=' | b':' => {
                names += 1;
                if names > MAX_NAMES {
                    let summary = format!("only {MAX_NAMES} names may be set in one place");
                    return Err(Fault::new(at..at + 1, summary).hint(SIZE_HINT));
                }
                at += 1;
            }
            b']' | b'}' | b')' => {
                depth = depth.saturating_sub(1);
                at += 1;
            }
            _ => at += 1,
        }
    }
    Ok(())
}

/// The byte after the last of the line, its line break excluded.
fn line_end(bytes: &[u8], at: usize) -> usize {
    bytes.get(at..).unwrap_or_default().iter().position(|&byte| byte == b'\n').map_or(bytes.len(), |length| at + length)
}

/// The byte after the closing quote.
fn skip_quoted(bytes: &[u8], start: usize) -> Result<usize, Fault> {
    let mut at = start + 1;
    loop {
        match bytes.get(at) {
            Some(b'"') => return Ok(at + 1),
            Some(b'\\') if bytes.get(at + 1) != Some(&b'\n') => at += 2,
            Some(b'\n') | None => {
                let end = line_end(bytes, start).min(bytes.len());
                return Err(Fault::new(start..end, "this text is not closed")
                    .hint("close it with a double quote on the same line"));
            }
            Some(_) => at += 1,
        }
    }
}

/// The byte after the heredoc that begins at `start`; just after `<<` if it is none, which the parser will tell.
fn skip_heredoc(text: &str, start: usize) -> Result<usize, Fault> {
    let Some(marker) = heredoc_marker(text.get(start..).unwrap_or_default()) else {
        return Ok(start + 2);
    };
    let mut at = line_end(text.as_bytes(), start) + 1;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let length = rest.find('\n').unwrap_or(rest.len());
        let line = rest.get(..length).unwrap_or_default().trim_start();
        // The parser ends a heredoc at the marker even if more follows on its line.
        let closes = line.strip_prefix(marker).is_some_and(|after| !after.starts_with(is_marker_char));
        if closes {
            return Ok(at + length);
        }
        at += length + 1;
    }
    Err(Fault::new(start..line_end(text.as_bytes(), start), "this heredoc is not closed")
        .hint("repeat its marker on a line of its own"))
}

/// The marker of the heredoc that `text` begins with.
pub(super) fn heredoc_marker(text: &str) -> Option<&str> {
    let rest = text.strip_prefix("<<")?;
    let rest = rest.strip_prefix('-').unwrap_or(rest);
    let length = rest.find(|c| !is_marker_char(c)).unwrap_or(rest.len());
    rest.get(..length).filter(|marker| !marker.is_empty())
}

fn is_marker_char(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '-'
}
