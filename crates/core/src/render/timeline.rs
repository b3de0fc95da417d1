//! When each step of a run began and ended, as bars of characters.

use std::time::Duration;

use super::{Style, Text};
use crate::time::Human;

/// Labels take at most this share of the width: one in so many columns.
const LABEL_SHARE: usize = 2;
/// Narrower is not readable.
const WIDTH_MIN: usize = 40;

/// One step of a run. Times are milliseconds from the start of the run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// What it was.
    pub label: String,
    /// When it began.
    pub start_ms: u64,
    /// When it ended.
    pub end_ms: u64,
    /// From when to when it waited for AWS to get something ready; in order, not overlapping.
    pub waits_ms: Vec<(u64, u64)>,
    /// When it ends in all but a few of many runs, if there were many.
    pub late_ms: Option<u64>,
    /// True if it is on the critical path: the run would be shorter if it were.
    pub critical: bool,
}

/// The characters of a bar.
struct Marks {
    calls: char,
    waits: char,
}

const CRITICAL: Marks = Marks { calls: '#', waits: '+' };
const OTHER: Marks = Marks { calls: '=', waits: '-' };
const LATE: char = '.';

/// A line for each span, in order of time. On the critical path, `#` is work and `+` is waiting for AWS; elsewhere `=`
/// and `-`. Dots reach to [`Span::late_ms`]. Lines are `width` columns wide at most, but for very narrow widths.
pub fn timeline_text(spans: &[Span], width: usize) -> Text {
    let mut text = Text::new();
    let mut spans: Vec<&Span> = spans.iter().collect();
    spans.sort_by(|a, b| (a.start_ms, a.end_ms, &a.label).cmp(&(b.start_ms, b.end_ms, &b.label)));
    let total = spans.iter().map(|span| last(span)).max().unwrap_or(0);
    let human = |ms: u64| Human(Duration::from_millis(ms)).to_string();
    let width = width.max(WIDTH_MIN);
    let time_width = spans.iter().map(|span| human(duration(span)).chars().count()).max().unwrap_or(0);
    let label_max = width / LABEL_SHARE;
    let label_width = spans.iter().map(|span| span.label.chars().count()).max().unwrap_or(0).min(label_max);
    // Label, blank, bar between two rules, blank, time.
    let bar_width = width.saturating_sub(label_width + time_width + 4).max(8);
    for span in &spans {
        let style = if span.critical { Style::Replace } else { Style::Plain };
        let from = column(span.start_ms, total, bar_width).min(bar_width - 1);
        let to = column(span.end_ms.max(span.start_ms), total, bar_width).max(from + 1);
        let late = span.late_ms.map_or(to, |late| column(late, total, bar_width).max(to));
        text.line([
            (Style::Plain, format!("{:<label_width$} |{}", shortened(&span.label, label_width), " ".repeat(from))),
            (style, bar(span, (from, to), total, bar_width)),
            (Style::Note, std::iter::repeat_n(LATE, late - to).collect()),
            (Style::Plain, format!("{}| {:>time_width$}", " ".repeat(bar_width - late), human(duration(span)))),
        ]);
    }
    let end = spans.iter().map(|span| span.end_ms.max(span.start_ms)).max().unwrap_or(0);
    text.line([(Style::Bold, format!("total {}", human(end))), (Style::Plain, legend(&spans))]);
    text
}

/// The bar, from one column up to another.
fn bar(span: &Span, (from, to): (usize, usize), total: u64, width: usize) -> String {
    let marks = if span.critical { CRITICAL } else { OTHER };
    // A column is waiting if all of it is, and never the first: work is seen however short it is.
    let waits = |at: usize| {
        let covers = |(start, end): &(u64, u64)| {
            let begins_in = column(start.saturating_sub(1), total, width);
            let first = if *start == 0 { 0 } else { begins_in + 1 };
            (first.max(from + 1)..column(*end, total, width)).contains(&at)
        };
        span.waits_ms.iter().any(covers)
    };
    (from..to).map(|at| if waits(at) { marks.waits } else { marks.calls }).collect()
}

/// What the characters mean, of those that are there.
fn legend(spans: &[&Span]) -> String {
    let any = |is: fn(&Span) -> bool| spans.iter().any(|span| is(span));
    let parts = [
        (any(|span| span.critical), "# critical path"),
        (any(|span| span.critical && !span.waits_ms.is_empty()), "+ waiting there"),
        (any(|span| !span.critical), "= the rest"),
        (any(|span| !span.critical && !span.waits_ms.is_empty()), "- waiting"),
        (any(|span| span.late_ms.is_some()), ". to the 90th percentile"),
    ];
    let parts: Vec<&str> = parts.into_iter().filter_map(|(there, part)| there.then_some(part)).collect();
    if parts.is_empty() { String::new() } else { format!(" ({})", parts.join(", ")) }
}

/// The last moment of a span that is drawn.
fn last(span: &Span) -> u64 {
    span.end_ms.max(span.start_ms).max(span.late_ms.unwrap_or(0))
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
        Span { label: label.to_owned(), start_ms, end_ms, critical, ..Span::default() }
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
    fn waiting_and_lateness_look_different_from_work() {
        let spans = [
            Span { waits_ms: vec![(1_000, 9_000)], late_ms: Some(20_000), ..span("a", 0, 10_000, true) },
            Span { waits_ms: vec![(4_000, 6_000), (7_000, 8_000)], ..span("b", 2_000, 10_000, false) },
        ];
        // Two columns a second.
        let expected = "\
a |##++++++++++++++++##....................| 10s
b |    ====----==--====                    |  8s
total 10s (# critical path, + waiting there, = the rest, - waiting, . to the 90th percentile)
";
        assert_eq!(timeline_text(&spans, 48).plain(), expected);
    }

    #[test]
    fn any_spans_fit_the_width() {
        let extremes = [0, 1, 999, 60_000, u64::MAX / 2, u64::MAX];
        let mut spans = Vec::new();
        for start in extremes {
            for end in extremes {
                let mut span = span(&"x".repeat(spans.len() * 3), start, end, start < end);
                span.waits_ms = vec![(start, end / 2), (end / 2, end)];
                span.late_ms = (end > 5).then_some(start);
                spans.push(span);
            }
        }
        for width in [0, 1, 40, 80, 200] {
            for count in 0..=spans.len() {
                let text = timeline_text(&spans[..count], width).plain();
                let (legend, lines): (Vec<_>, Vec<_>) = text.lines().partition(|line| line.starts_with("total "));
                assert_eq!((legend.len(), lines.len()), (1, count));
                for line in lines {
                    assert!(line.chars().count() <= width.max(72), "{width}: {line}");
                }
            }
        }
    }
}
