//! Lines that are wider than the terminal, broken between words with a hanging indent. What a reader copies stays whole:
//! a command, what stands between backticks, and a word that is wider than the terminal.

use aloka_core::render::{Style, Text};

/// Continued lines are indented by this much more than the first.
const HANGING: usize = 2;
/// Narrower terminals get the lines as they are.
const LEAST: usize = 20;

/// The text with no line wider than `width`, as far as it can be broken.
pub(super) fn wrap(text: &Text, width: usize) -> Text {
    let mut wrapped = Text::new();
    for line in text.lines() {
        let length: usize = line.iter().map(|(_, span)| span.chars().count()).sum();
        let whole: String = line.iter().map(|(_, span)| span.as_str()).collect();
        if length <= width || width < LEAST || stays_whole(&whole) {
            wrapped.line(line.iter().map(|(style, span)| (*style, span)));
        } else {
            break_line(&mut wrapped, line, &whole, width);
        }
    }
    wrapped
}

/// True for a command to copy, which stands indented on a line of its own, and for a line of a file with what points at it.
fn stays_whole(line: &str) -> bool {
    let text = line.trim_start();
    let is_source = text.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start().starts_with('|');
    let is_command = ["aloka ", "aws ", "terraform "].iter().any(|command| text.starts_with(command));
    is_source || (is_command && line.starts_with("  "))
}

fn break_line(wrapped: &mut Text, line: &[(Style, String)], whole: &str, width: usize) {
    let styles: Vec<Style> = line.iter().flat_map(|(style, span)| span.chars().map(|_| *style)).collect();
    let chars: Vec<char> = whole.chars().collect();
    let leading = chars.iter().take_while(|c| **c == ' ').count();
    let indent = (leading + HANGING).min(width / 2);
    let mut spans: Vec<(Style, String)> = Vec::new();
    let mut column = 0;
    let mut is_first = true;
    for (start, end) in units(&chars, leading) {
        let gap = gap_before(&chars, start);
        if !is_first && column + gap + (end - start) > width {
            wrapped.line(std::mem::take(&mut spans));
            spans.push((Style::Plain, " ".repeat(indent)));
            column = indent;
        } else {
            spans.push((Style::Plain, " ".repeat(gap)));
            column += gap;
        }
        for at in start..end {
            let (style, c) = (styles.get(at).copied().unwrap_or(Style::Plain), chars.get(at).copied().unwrap_or(' '));
            match spans.last_mut() {
                Some((last, span)) if *last == style => span.push(c),
                _ => spans.push((style, c.to_string())),
            }
        }
        column += end - start;
        is_first = false;
    }
    wrapped.line(spans);
}

/// How many spaces stand before this character.
fn gap_before(chars: &[char], start: usize) -> usize {
    chars.get(..start).unwrap_or_default().iter().rev().take_while(|c| **c == ' ').count()
}

/// The pieces that are not broken, from the character `from` on.
fn units(chars: &[char], from: usize) -> Vec<(usize, usize)> {
    let mut units = Vec::new();
    let mut start: Option<usize> = None;
    let mut quoted = false;
    for (at, c) in chars.iter().enumerate().skip(from) {
        if *c == '`' {
            quoted = !quoted;
        }
        if *c == ' ' && !quoted {
            units.extend(start.take().map(|start| (start, at)));
            continue;
        }
        if start.is_none() {
            start = Some(at);
            let before: String = chars.get(..at).unwrap_or_default().iter().collect();
            let rest: String = chars.get(at..).unwrap_or_default().iter().collect();
            if before.ends_with(": ") && rest.starts_with("aloka ") {
                break;
            }
        }
    }
    units.extend(start.map(|start| (start, chars.len())));
    units
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrapped(text: &str, width: usize) -> Vec<String> {
        wrap(&Text::ours(text), width).plain().lines().map(str::to_owned).collect()
    }

    #[test]
    fn lines_are_broken_between_words() {
        assert_eq!(wrapped("short", 20), ["short"]);
        assert_eq!(wrapped("  one two three four five six", 20), ["  one two three four", "    five six"]);
        assert_eq!(wrapped("a    b cccccccccccccccc dd", 20), ["a    b", "  cccccccccccccccc", "  dd"]);
        let long = "x".repeat(30);
        assert_eq!(wrapped(&format!("see {long} there"), 20), ["see", &format!("  {long}"), "  there"]);
    }

    #[test]
    fn what_is_copied_stays_whole() {
        let command = "    aloka apply -allow-data-loss=aloka-dev-db";
        assert_eq!(wrapped(command, 30), [command]);
        assert_eq!(
            wrapped("hint: if so, add it to: aloka apply -allow-data-loss=x", 30),
            ["hint: if so, add it to:", "  aloka apply -allow-data-loss=x"]
        );
        assert_eq!(
            wrapped("remove it with `aws ec2 x -y` now, please", 30),
            ["remove it with `aws ec2 x -y`", "  now, please"]
        );
        let sentence = "aloka is ready: nothing has to be downloaded";
        assert_eq!(wrapped(sentence, 30), ["aloka is ready: nothing has to", "  be downloaded"]);
        let source = " 12 | vpc_cidr = \"10.0.0.0/33\" # a remark";
        assert_eq!(wrapped(source, 20), [source]);
    }

    #[test]
    fn styles_stay_and_nothing_is_lost() {
        let mut text = Text::new();
        text.line([(Style::Warning, "warning:"), (Style::Plain, " of many words that are told to somebody")]);
        let wrapped = wrap(&text, 24);
        assert_eq!(
            wrapped.lines()[0].iter().find(|(_, span)| span == "warning:").map(|(style, _)| *style),
            Some(Style::Warning)
        );
        let words = |text: &Text| text.plain().split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(words(&wrapped), words(&text));
        assert!(wrapped.plain().lines().all(|line| line.chars().count() <= 24), "{}", wrapped.plain());
    }
}
