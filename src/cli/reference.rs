//! The command line as a page of documentation: `docs/cli.md`.

use std::fmt::Write;
use std::process::ExitCode;

use clap::CommandFactory;

use super::{Cli, print_lines};

/// Said before the commands; what holds for all of them.
const PREFACE: &str = "\
# The command line

`sitelog reference` generates this page from the program's help. A test fails when the page is out of date.
";

/// The help of the program and of each command, as Markdown.
pub fn reference() -> String {
    let mut program = Cli::command();
    program.build();
    let mut page = PREFACE.to_owned();
    push(&mut page, "sitelog", &mut program);
    page
}

pub(super) fn run() -> anyhow::Result<ExitCode> {
    print_lines(reference().trim_end())?;
    Ok(ExitCode::SUCCESS)
}

fn push(page: &mut String, name: &str, command: &mut clap::Command) {
    let help = command.render_long_help().to_string();
    let lines: Vec<&str> = help.trim_end().lines().map(str::trim_end).collect();
    write!(page, "\n## `{name}`\n\n```text\n{}\n```\n", lines.join("\n"))
        .expect("a String takes what is written");
    let is_documented = |command: &&mut clap::Command| !command.is_hide_set() && command.get_name() != "help";
    for action in command.get_subcommands_mut().filter(is_documented) {
        let name = format!("{name} {}", action.get_name());
        // The program's own section has the options of every command.
        *action = action.clone().mut_args(|arg| {
            let is_of_all = ["config", "set"].contains(&arg.get_id().as_str());
            if is_of_all { arg.hide(true) } else { arg }
        });
        push(page, &name, action);
    }
}
