//! `sitelog man`: the help as manual pages.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::CommandFactory;
use clap_mangen::Man;

use super::{Cli, output};

/// Writes a manual page for each command.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The folder, created if missing. Default: prints the page of sitelog itself
    dir: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let mut program = Cli::command().disable_help_subcommand(true);
    program.build();
    match &args.dir {
        Some(dir) => {
            std::fs::create_dir_all(dir).with_context(|| format!("cannot create {}", dir.display()))?;
            write(dir, &program)?;
        }
        None => output::file().write_all(&page(&program)?)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn write(dir: &Path, command: &clap::Command) -> anyhow::Result<()> {
    let path = dir.join(Man::new(command.clone()).get_filename());
    std::fs::write(&path, page(command)?).with_context(|| format!("cannot write {}", path.display()))?;
    let shown = |command: &&clap::Command| !command.is_hide_set();
    command
        .get_subcommands()
        .filter(shown)
        .try_for_each(|command| write(dir, command))
}

fn page(command: &clap::Command) -> std::io::Result<Vec<u8>> {
    let mut page = Vec::new();
    Man::new(command.clone()).render(&mut page)?;
    Ok(page)
}
