//! Files with which a site tells others how to contact and use it: security.txt, ads.txt, humans.txt, llms.txt.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::failure::{UnknownCode, codes};

codes! {
    /// A file that a scan reads on request. Codes are never renamed; new ones may be added.
    SiteFile {
        /// Contacts for security problems (RFC 9116).
        SecurityTxt => "security_txt",
        /// Who may sell the site's advertising space (IAB Tech Lab).
        AdsTxt => "ads_txt",
        /// Who made the site (humanstxt.org).
        HumansTxt => "humans_txt",
        /// What the site is, for language models (llmstxt.org).
        LlmsTxt => "llms_txt",
        /// The site's icon, as browsers show it in a tab.
        Icon => "icon",
        /// The logo that the home page shows or names.
        Logo => "logo",
    }
}

impl SiteFile {
    /// The paths it may have, the proper one first. Pictures have none: the home page says where they are.
    pub fn paths(self) -> &'static [&'static str] {
        match self {
            Self::SecurityTxt => &["/.well-known/security.txt", "/security.txt"],
            Self::AdsTxt => &["/ads.txt"],
            Self::HumansTxt => &["/humans.txt"],
            Self::LlmsTxt => &["/llms.txt"],
            Self::Icon | Self::Logo => &[],
        }
    }

    /// The usual name.
    pub fn label(self) -> &'static str {
        match self {
            Self::SecurityTxt => "security.txt",
            Self::AdsTxt => "ads.txt",
            Self::HumansTxt => "humans.txt",
            Self::LlmsTxt => "llms.txt",
            Self::Icon => "Icon",
            Self::Logo => "Logo",
        }
    }
}

/// The answer for a requested file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileAnswer {
    /// The file.
    pub file: SiteFile,
    /// Whether the file exists. None if unknown: then the known value is kept.
    pub is_there: Option<bool>,
    /// Where it was read, or asked for last.
    #[serde(default)]
    pub url: String,
    /// The result as text: a status, or why there is none.
    #[serde(default)]
    pub why: String,
}

/// Contacts for security problems (RFC 9116).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SecurityTxt {
    /// Where it was read.
    pub url: String,
    /// Addresses, the preferred one first.
    pub contact: Vec<String>,
    /// Until when it holds, if that can be read.
    pub expires: Option<DateTime<Utc>>,
    /// Whether it had expired at the time of the scan; none if it does not say.
    pub is_expired: Option<bool>,
    /// Encryption keys.
    pub encryption: Vec<String>,
    /// How reports are handled.
    pub policy: Vec<String>,
    /// Language tags.
    pub preferred_languages: Vec<String>,
    /// Where the file says that it belongs.
    pub canonical: Vec<String>,
    /// Open positions.
    pub hiring: Vec<String>,
    /// Acknowledgments.
    pub acknowledgments: Vec<String>,
    /// Advisories that machines read.
    pub csaf: Vec<String>,
    /// Whether it is in a PGP signature, which is not checked.
    pub is_signed: bool,
    /// Where it differs from RFC 9116.
    pub problems: Vec<String>,
}

/// Who may sell the site's advertising space.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AdsTxt {
    /// Where it was read.
    pub url: String,
    /// Distinct accounts that the owner controls (`DIRECT`).
    pub direct: u64,
    /// Distinct accounts of others (`RESELLER`).
    pub reseller: u64,
    /// `OWNERDOMAIN`: the domain of the site's owner.
    pub owner_domain: Option<String>,
    /// `MANAGERDOMAIN`: the domain of the company that manages its advertising, with a country if one is named.
    pub manager_domains: Vec<String>,
    /// Number of unknown lines.
    pub invalid_lines: u64,
    /// Whether it was cut off.
    pub is_cut: bool,
}

/// Who made the site.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct HumansTxt {
    /// Where it was read.
    pub url: String,
    /// Its first lines.
    pub first_lines: Vec<String>,
}

/// What the site is, for language models.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LlmsTxt {
    /// Where it was read.
    pub url: String,
    /// Its first heading.
    pub title: Option<String>,
    /// The quotation under it.
    pub summary: Option<String>,
    /// Links in what was read.
    pub links: u64,
    /// Whether it was cut off.
    pub is_cut: bool,
}

/// Some of the files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<SiteFile>", into = "Vec<SiteFile>")]
pub struct SiteFileSet(u8);

impl SiteFileSet {
    /// Whether the file is among them.
    pub fn contains(self, file: SiteFile) -> bool {
        self.0 & Self::bit(file) != 0
    }

    /// Whether there is none among them.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Those of both.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// In the order in which they are read.
    pub fn iter(self) -> impl Iterator<Item = SiteFile> {
        SiteFile::ALL
            .iter()
            .copied()
            .filter(move |file| self.contains(*file))
    }

    fn bit(file: SiteFile) -> u8 {
        match file {
            SiteFile::SecurityTxt => 1,
            SiteFile::AdsTxt => 2,
            SiteFile::HumansTxt => 4,
            SiteFile::LlmsTxt => 8,
            SiteFile::Icon => 16,
            SiteFile::Logo => 32,
        }
    }
}

impl FromIterator<SiteFile> for SiteFileSet {
    fn from_iter<Files: IntoIterator<Item = SiteFile>>(files: Files) -> Self {
        Self(files.into_iter().fold(0, |set, file| set | Self::bit(file)))
    }
}

impl From<Vec<SiteFile>> for SiteFileSet {
    fn from(files: Vec<SiteFile>) -> Self {
        files.into_iter().collect()
    }
}

impl From<SiteFileSet> for Vec<SiteFile> {
    fn from(set: SiteFileSet) -> Self {
        set.iter().collect()
    }
}

impl FromStr for SiteFileSet {
    type Err = UnknownCode;

    /// Codes with commas between them.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let codes = text.split(',').map(str::trim).filter(|code| !code.is_empty());
        codes.map(str::parse).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_set_is_a_list_of_codes_each_once_and_in_one_order() {
        let set: SiteFileSet = "llms_txt, security_txt,llms_txt,".parse().unwrap();
        assert_eq!(json!(set), json!(["security_txt", "llms_txt"]));
        assert_eq!(
            serde_json::from_value::<SiteFileSet>(json!(["llms_txt", "security_txt"])).unwrap(),
            set
        );
        assert!(set.contains(SiteFile::LlmsTxt) && !set.contains(SiteFile::AdsTxt));
        assert_eq!(
            SiteFile::ALL
                .iter()
                .copied()
                .collect::<SiteFileSet>()
                .iter()
                .count(),
            SiteFile::ALL.len()
        );
        assert_eq!(
            "ads_txt,robots".parse::<SiteFileSet>(),
            Err(UnknownCode("robots".to_owned()))
        );
    }
}
