//! The options for what a scan fetches in addition to pages and sitemaps.

use clap::builder::PossibleValuesParser;
use clap::builder::TypedValueParser;

use crate::values::WantedScan;
use crate::values::site_files::SiteFile;

/// Options of every command that scans.
#[derive(Debug, clap::Args)]
pub(super) struct ExtraFiles {
    /// Also fetches these files of each domain; separate several with commas
    #[arg(long, value_name = "FILES", value_delimiter = ',', value_parser = codes())]
    files: Vec<SiteFile>,
    /// Fetches and checks up to N sitemap URLs of each domain, 0 to 100
    #[arg(long, value_name = "N")]
    sitemap_sample: Option<i64>,
}

impl ExtraFiles {
    /// Together with the number of pages.
    pub(super) fn with(&self, max_pages: Option<i64>) -> WantedScan {
        WantedScan {
            max_pages,
            files: self.files.iter().copied().collect(),
            sitemap_sample: self.sitemap_sample,
        }
    }
}

fn codes() -> impl TypedValueParser<Value = SiteFile> {
    let known = SiteFile::ALL.iter().map(|file| file.as_str());
    PossibleValuesParser::new(known).try_map(|code| code.parse::<SiteFile>())
}
