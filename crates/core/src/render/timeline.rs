//! When each step of a run began and ended, as bars of characters.

use std::time::Duration;

use super::{Style, Text};
use crate::time::Human;

/// Labels take at most this share of the width: one in so many columns.
const LABEL_SHARE: usize = 2;
/// Narrower is not readable.
const WIDTH_MIN: usize = 40;

/// One step of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// What it was.
    pub label: String,
    /// When it began, milliseconds from the start of the run.
    pub start_ms: u64,
    /// When it ended.
    pub end_ms: u64,
    /// True if it is on the critical path: the run would be shorter if it were.
    pub critical: bool,
}

/// A line for each span, in order of time: `#` marks the critical path, `=` the rest. Lines are `width` columns wide
/// at most, but for very narrow widths.
pub fn timeline_text(spans: &[Span], width: usize) -> Text {
    let mut text = Text::new();
    let mut spans: Vec<&Span> = spans.iter().collect();
    spans.sort_by(|a, b| (a.start_ms, a.end_ms, &a.label).cmp(&(b.start_ms, b.end_ms, &b.label)));
    let total = spans.iter().map(|span| span.end_ms.max(span.start_ms)).max().unwrap_or(0);
    let human = |ms: u64| Human(Duration::from_millis(ms)).to_string();
    let width = width.max(WIDTH_MIN);
    let time_width = spans.iter().map(|span| human(duration(span)).chars().count()).max().unwrap_or(0);
    let label_max = width / LABEL_SHARE;
    let label_width = spans.iter().map(|span| span.label.chars().count()).max().unwrap_or(0).min(label_max);
    // Label, blank, bar between two rules, blank, time.
    let bar_width = width.saturating_sub(label_width + time_width + 4).max(8);
    for span in spans {
        let (mark, style) = if span.critical { ('#', Style::Replace) } else { ('=', Style::Plain) };
        let from = column(span.start_ms, total, bar_width).min(bar_width - 1);
        let to = column(span.end_ms.max(span.start_ms), total, bar_width).max(from + 1);
        let bar: String = std::iter::repeat_n(mark, to - from).collect();
        text.line([
            (Style::Plain, format!("{:<label_width$} |{}", shortened(&span.label, label_width), " ".repeat(from))),
            (style, bar),
            (Style::Plain, format!("{}| {:>time_width$}", " ".repeat(bar_width - to), human(duration(span)))),
        ]);
    }
    let legend = if text.is_empty() { "" } else { " (# critical path, = the rest)" };
    text.line([(Style::Bold, format!("total {}", human(total))), (Style::Plain, legend.to_owned())]);
    text
}

fn duration(span: &Span) -> u64 {
    span.end_ms.saturating_sub(span.start_ms)
}

/// Where `at` of `total` lies in `width` columns.
fn column(at: u64, total: u64, width: usize) -> usize {
    if total == 0 {
        return 0;
    }
    let exact = u128::from(at) * (width as u128) / u128::from(total);
    usize::try_from(exact).map_or(width, |column| column.min(width))
}

/// The label, or its end: that is where addresses differ.
fn shortened(label: &str, width: usize) -> String {
    let length = label.chars().count();
    if length <= width {
        return label.to_owned();
    }
    let keep = width.saturating_sub(2);
    format!("..{}", label.chars().skip(length - keep).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(label: &str, start_ms: u64, end_ms: u64, critical: bool) -> Span {
        Span { label: label.to_owned(), start_ms, end_ms, critical }
    }

    #[test]
    fn shows_bars_in_order_of_time() {
        let spans = [
            span("aws_db_instance.postgres", 10_000, 400_000, true),
            span("aws_vpc.this[0]", 0, 10_000, true),
            span("aws_eip.nat[0]", 0, 1_000, false),
        ];
        let expected = "\
aws_eip.nat[0]           |=                          |    1s
aws_vpc.this[0]          |#                          |   10s
aws_db_instance.postgres |###########################| 6m30s
total 6m40s (# critical path, = the rest)
";
        assert_eq!(timeline_text(&spans, 60).plain(), expected);
    }

    #[test]
    fn any_spans_fit_the_width() {
        let extremes = [0, 1, 999, 60_000, u64::MAX / 2, u64::MAX];
        let mut spans = Vec::new();
        for start in extremes {
            for end in extremes {
                spans.push(span(&"x".repeat(spans.len() * 3), start, end, start < end));
            }
        }
        for width in [0, 1, 40, 80, 200] {
            for count in 0..=spans.len() {
                for line in timeline_text(&spans[..count], width).plain().lines() {
                    assert!(line.chars().count() <= width.max(72), "{width}: {line}");
                }
            }
        }
    }
}
