//! From the rows of a table to domains.

use super::cells::Row;
use super::column::{Plan, Reads, domains_in};
use super::dialect::{DELIMITERS, Dialect};
use super::encoding;
use super::unreadable::UnreadableList;
use super::{BatchList, ChosenBy, ChosenColumn, MAX_COLUMNS, unnamed};
use crate::values::carried::CarriedCells;

/// Rows by which the column is chosen.
const SAMPLE: usize = 100;

/// Reads a table: CSV of any dialect, or plain lines.
pub(super) fn read(list: &mut BatchList, text: &str, wanted: Option<&str>) -> Result<(), UnreadableList> {
    let dialect = Dialect::of(text);
    let sample = dialect.rows(text).take(SAMPLE).map(|row| Ok(row?.shortened()));
    let sample: Vec<Row<'_>> = sample.collect::<Result<_, _>>()?;
    let plan = Plan::of(&sample, wanted)?;
    drop(sample);
    let mut titles = Vec::new();
    for (number, row) in dialect.rows(text).enumerate() {
        let row = row?;
        if list.is_hopeless() || row.cells.len() > MAX_COLUMNS {
            list.is_too_wide |= row.cells.len() > MAX_COLUMNS;
            break;
        }
        match plan.header {
            _ if row.is_blank() => {}
            Some(header) if number < header => titles.push(row.line),
            Some(header) if number == header => {
                row.cells.iter().try_for_each(|name| list.name_column(name))?;
            }
            _ => {
                while list.columns.len() < row.cells.len() {
                    list.name_column("")?;
                }
                list.read_row(&row, &plan);
            }
        }
    }
    list.describe(&plan, &titles);
    list.conclude();
    Ok(())
}

impl BatchList {
    fn read_row(&mut self, row: &Row<'_>, plan: &Plan) {
        let (accepted, reported) = (self.accepted.len(), self.reported());
        let cell = row.cell(plan.column);
        match plan.reads {
            Reads::Addresses => self.read_addresses(row.line, cell),
            Reads::Column => self.read_cell(row.line, cell),
            Reads::EveryCell => {
                for (number, cell) in row.cells.iter().enumerate().filter(|(_, cell)| !cell.is_empty()) {
                    if number == plan.column || plan.expected.contains(&number) {
                        self.read_cell(row.line, cell);
                    } else {
                        for domain in domains_in(cell) {
                            self.accept(row.line, domain);
                        }
                    }
                }
                if self.reported() == reported {
                    self.read_cell(row.line, cell);
                }
            }
        }
        // A row of domains alone has nothing beside them.
        let holds_more = |cell: &str| !cell.is_empty() && domains_in(cell).is_empty();
        let is_carried = self.accepted.len() > accepted
            && self.columns.len() > 1
            && (plan.reads != Reads::EveryCell || row.cells.iter().any(|cell| holds_more(cell)));
        if is_carried {
            let cells = CarriedCells::of_cells(row.cells.iter().map(|cell| &**cell));
            self.carry(accepted, &cells);
        }
        self.report_swallowed_lines(row, plan);
    }

    /// Names the lines within a quoted cell that look like rows of their own: a quote that is missing elsewhere has
    /// put them there.
    fn report_swallowed_lines(&mut self, row: &Row<'_>, plan: &Plan) {
        for (number, first_line) in row.tall.iter().filter(|(number, _)| *number != plan.column) {
            let lines: Vec<(u32, &str)> = (*first_line..)
                .zip(encoding::lines(row.cell(*number)))
                .skip(1)
                .collect();
            let holds_domain = |line: &str| {
                line.split(DELIMITERS.map(char::from))
                    .any(|cell| !domains_in(cell).is_empty())
            };
            let is_row = |line: &str| line.contains(DELIMITERS.map(char::from)) && holds_domain(line);
            if !lines.iter().any(|(_, line)| is_row(line)) {
                continue;
            }
            for (line, text) in lines.into_iter().filter(|(_, line)| holds_domain(line)) {
                let error = format!(
                    "the line is inside the quoted cell that starts on line {first_line}; a quote is missing or there is one too many"
                );
                self.reject_as("invalid_domain", line, text, error);
            }
        }
    }

    /// Says which column was taken, and what is above the header.
    fn describe(&mut self, plan: &Plan, titles: &[u32]) {
        let is_plain = plan.header.is_none() && self.columns.len() <= 1;
        if !is_plain || plan.chosen_by != ChosenBy::Content {
            let name = self.columns.get(plan.column).cloned();
            self.column = Some(ChosenColumn {
                number: u32::try_from(plan.column + 1).ok(),
                name: name.unwrap_or_else(|| unnamed(plan.column + 1)),
                chosen_by: plan.chosen_by,
            });
        }
        let lines = match titles {
            [] => return,
            [line] => format!("Line {line} is"),
            [first, .., last] => format!("Lines {first} to {last} are"),
        };
        self.notes.push(format!("{lines} above the header and ignored."));
    }
}
