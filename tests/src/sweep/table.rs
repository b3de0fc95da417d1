//! The table by plan and trouble, as Markdown.

use std::fmt;

use super::{CASES, Trouble};

/// How many schedules of each plan and trouble there were, and how many of them went wrong.
#[derive(Clone, Debug, Default)]
pub struct Table {
    cells: Vec<(String, usize, bool)>,
}

impl Table {
    /// Counts a schedule.
    pub fn count(&mut self, case: &str, trouble: usize, is_good: bool) {
        self.cells.push((case.to_owned(), trouble, is_good));
    }

    fn cell(&self, case: &str, trouble: usize) -> (usize, usize) {
        let here = self.cells.iter().filter(|(name, index, _)| name == case && *index == trouble);
        here.fold((0, 0), |(all, bad), (_, _, is_good)| (all + 1, bad + usize::from(!is_good)))
    }
}

/// Plans as rows, troubles as columns that are named by their numbers: their names are in a list above.
impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let troubles = Trouble::all();
        let width = CASES.iter().map(|case| case.name.len()).max().unwrap_or_default();
        for (index, trouble) in troubles.iter().enumerate() {
            writeln!(f, "{}. {}: `{}`", index + 1, trouble.name, trouble.fault)?;
        }
        write!(f, "\n| {:width$} |", "plan")?;
        (0..troubles.len()).try_for_each(|index| write!(f, " {:>3} |", index + 1))?;
        write!(f, "  all |\n|-{:-<width$}-|", "")?;
        troubles.iter().try_for_each(|_| write!(f, "----:|"))?;
        writeln!(f, "-----:|")?;
        let mut sums = vec![(0, 0); troubles.len() + 1];
        for case in &CASES {
            write!(f, "| {:width$} |", case.name)?;
            let cells: Vec<_> = (0..troubles.len()).map(|index| self.cell(case.name, index)).collect();
            let all = cells.iter().fold((0, 0), |sum, cell| (sum.0 + cell.0, sum.1 + cell.1));
            for ((count, bad), sum) in cells.into_iter().chain([all]).zip(&mut sums) {
                *sum = (sum.0 + count, sum.1 + bad);
                write_cell(f, count, bad)?;
            }
            writeln!(f)?;
        }
        write!(f, "| {:width$} |", "all")?;
        for (count, bad) in sums {
            write_cell(f, count, bad)?;
        }
        writeln!(f)
    }
}

fn write_cell(f: &mut fmt::Formatter<'_>, count: usize, bad: usize) -> fmt::Result {
    match bad {
        0 => write!(f, " {count:>3} |"),
        bad => write!(f, " {bad} of {count} wrong |"),
    }
}
