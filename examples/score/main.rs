//! Scores what the reader finds on saved pages against values that others stated, beside other tools' answers.
//!
//! `cargo run --release --example score -- CORPUS [--misses FIELD]`, where CORPUS is a folder with `pages.json` and
//! the pages it names. Each field is counted by one rule for all tools, so columns compare with one another; what
//! a column says absolutely depends on who stated the values.

mod corpus;
mod fields;
mod tools;

use std::path::PathBuf;

use anyhow::{Context, bail};
use corpus::Page;
use fields::{FIELDS, Field};
use sitelog::scanner::page::read_page;
use sitelog::values::Findings;
use tools::TOOLS;

/// Correct, given and expected values of one tool for one field.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    right: usize,
    given: usize,
    found: usize,
    wanted: usize,
}

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let folder = PathBuf::from(arguments.first().context("which corpus? give its folder")?);
    let misses = match arguments.get(1).map(String::as_str) {
        Some("--misses") => Some(arguments.get(2).context("--misses of which field?")?.as_str()),
        Some(other) => bail!("{other} is not known; only --misses FIELD is"),
        None => None,
    };
    let pages = corpus::load(&folder)?;
    let findings: Vec<Findings> = pages.iter().map(|page| read_page(&page.raw).findings).collect();
    if let Some(name) = misses {
        let field = FIELDS.iter().find(|field| field.name == name);
        print_misses(field.context("no such field")?, &pages, &findings);
    } else {
        println!("{} pages; precision / recall in percent", pages.len());
        print_table(&pages, &findings);
    }
    Ok(())
}

fn print_table(pages: &[Page], findings: &[Findings]) {
    print!("{:<22}{:>7}{:>14}", "field", "values", "sitelog");
    for tool in TOOLS {
        print!("{:>16}", tool.name);
    }
    println!();
    for field in FIELDS {
        let ours = tally(field, pages, |page| (field.ours)(&findings[page]));
        print!("{:<22}{:>7}{:>14}", field.name, ours.wanted, shown(ours));
        for tool in TOOLS {
            let answers = |page: usize| (tool.answer)(&pages[page], field.name);
            let cell = if (0..pages.len()).any(|page| answers(page).is_some_and(|list| !list.is_empty())) {
                shown(tally(field, pages, |page| answers(page).unwrap_or_default()))
            } else {
                String::from("-")
            };
            print!("{cell:>16}");
        }
        println!();
    }
}

/// Counts over all pages for which the values are known.
fn tally(field: &Field, pages: &[Page], answers: impl Fn(usize) -> Vec<String>) -> Tally {
    let mut tally = Tally::default();
    for (number, page) in pages.iter().enumerate() {
        let Some(wanted) = (field.wanted)(page) else {
            continue;
        };
        let given = answers(number);
        let is_right = |answer: &&String| wanted.iter().any(|one| (field.same)(one, answer));
        tally.given += given.len();
        tally.right += given.iter().filter(is_right).count();
        if field.one_of {
            // Any of the accepted values will do.
            tally.wanted += usize::from(!wanted.is_empty());
            tally.found += usize::from(given.iter().any(|answer| is_right(&answer)));
        } else {
            tally.wanted += wanted.len();
            let is_found = |one: &&String| given.iter().any(|answer| (field.same)(one, answer));
            tally.found += wanted.iter().filter(is_found).count();
        }
    }
    tally
}

#[expect(clippy::cast_precision_loss, reason = "counts of a corpus are small")]
fn shown(tally: Tally) -> String {
    let percent = |part: usize, whole: usize| 100.0 * part as f64 / whole.max(1) as f64;
    format!(
        "{:.1} / {:.1}",
        percent(tally.right, tally.given),
        percent(tally.found, tally.wanted)
    )
}

fn print_misses(field: &Field, pages: &[Page], findings: &[Findings]) {
    for (page, findings) in pages.iter().zip(findings) {
        let Some(wanted) = (field.wanted)(page) else {
            continue;
        };
        let given = (field.ours)(findings);
        let wrong: Vec<&String> = given
            .iter()
            .filter(|answer| !wanted.iter().any(|one| (field.same)(one, answer)))
            .collect();
        let missed: Vec<&String> = wanted
            .iter()
            .filter(|one| !given.iter().any(|answer| (field.same)(one, answer)))
            .collect();
        let is_good = wrong.is_empty() && (missed.is_empty() || field.one_of && !given.is_empty());
        if !is_good {
            println!("{}\n  missed {missed:?}\n  wrong  {wrong:?}", page.id);
        }
    }
}
