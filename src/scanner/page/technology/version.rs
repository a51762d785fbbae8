//! Selects the version of a technology from its signs: a version in a URL often belongs to other software.
//!
//! WordPress and most other systems append `?ver=` so that browsers reload a changed file. A plugin without a version
//! gets WordPress's version, a bundled library gets the plugin's version or its own, and many sites write a date or a
//! counter.

use super::pattern::Hit;

/// Maximum digits of a version's first number in a query; longer numbers are dates and counters.
const MAX_FIRST_DIGITS: usize = 3;

/// Maximum digits of the other numbers; longer ones are timestamps, as in `1.2.1649080094`.
const MAX_DIGITS: usize = 5;

/// Folders in which extensions keep third-party files.
const BUNDLED_FOLDERS: &[&str] = &[
    "library",
    "libraries",
    "vendor",
    "vendors",
    "packages",
    "bower",
    "bower_components",
    "node_modules",
    "eicons",
    "icons",
    "font",
    "fonts",
    "webfonts",
    "common",
    "third-party",
    "thirdparty",
    "external",
];

/// Where a version was found, the most credible first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Origin {
    /// Stated by the software itself: in a header field, a generator, a comment, a script's settings.
    Stated,
    /// In the path of a URL, including the file name.
    Path,
    /// In the query of a URL.
    Query {
        /// Whether WordPress serves the file: it gives its own version to files without one.
        by_wordpress: bool,
    },
}

/// One version that a sign gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Claim {
    pub(super) version: String,
    pub(super) origin: Origin,
    /// Confidence of the sign, in percent.
    pub(super) confidence: u8,
}

impl Claim {
    pub(super) fn stated(version: String, confidence: u8) -> Self {
        Self {
            version,
            origin: Origin::Stated,
            confidence,
        }
    }
}

/// What a sign that matched a URL shows about a technology's version; `assets` are all URLs of the page.
pub(super) fn claim_of_url(
    name: &str,
    url: &str,
    hit: &Hit,
    confidence: u8,
    assets: &[String],
) -> Option<Claim> {
    let claimed = |version: &str, origin| Claim {
        version: version.to_owned(),
        origin,
        confidence,
    };
    if let Some(version) = version_in_path(url, name) {
        return Some(claimed(version, Origin::Path));
    }
    let version = hit.version.as_deref()?;
    let query = url
        .find('?')
        .filter(|query| hit.version_at.is_some_and(|at| at > *query));
    if query.is_none() {
        return (!is_count(version)).then(|| claimed(version, Origin::Path));
    }
    let end = hit.version_at.unwrap_or_default() + version.len();
    let version = plausible(version, url.get(end..).unwrap_or_default())?;
    if is_of_another(url, version, hit, assets) {
        return None;
    }
    let by_wordpress = url.contains("/wp-content/") || url.contains("/wp-includes/");
    Some(claimed(version, Origin::Query { by_wordpress }))
}

/// The version with the most credible origin and the most certain sign; among these the most frequent one, then the
/// first. A longer version with the same beginning is more precise and replaces it. `default` is the version that
/// WordPress gives to files without one.
pub(super) fn choose(claimed: &[Claim], default: Option<&str>) -> Option<String> {
    let is_default = |claimed: &Claim| {
        claimed.origin == Origin::Query { by_wordpress: true } && Some(claimed.version.as_str()) == default
    };
    let claimed: Vec<&Claim> = claimed.iter().filter(|claimed| !is_default(claimed)).collect();
    let rank = |claimed: &Claim| (claimed.origin, u8::MAX - claimed.confidence);
    let best = claimed.iter().map(|claimed| rank(claimed)).min()?;
    let mut chosen: Option<(usize, &str)> = None;
    for candidate in claimed.iter().filter(|claimed| rank(claimed) == best) {
        let count = claimed
            .iter()
            .filter(|other| rank(other) == best && other.version == candidate.version)
            .count();
        if chosen.is_none_or(|(most, _)| count > most) {
            chosen = Some((count, candidate.version.as_str()));
        }
    }
    let (_, chosen) = chosen?;
    let longer = claimed
        .iter()
        .map(|claimed| claimed.version.as_str())
        .filter(|version| {
            version
                .strip_prefix(chosen)
                .is_some_and(|rest| rest.starts_with('.'))
        });
    longer
        .max_by_key(|version| version.len())
        .or(Some(chosen))
        .map(str::to_owned)
}

/// A version in a query without its build numbers; `None` for dates, counters and hashes.
fn plausible<'v>(version: &'v str, after: &str) -> Option<&'v str> {
    // These digits are the beginning of a hash.
    if after.starts_with(|next: char| next.is_ascii_alphanumeric() || next == '_') {
        return None;
    }
    let first = version.split('.').next().unwrap_or_default();
    if first.len() > MAX_FIRST_DIGITS {
        return None;
    }
    let kept: usize = version
        .split_inclusive('.')
        .take_while(|part| part.trim_end_matches('.').len() <= MAX_DIGITS)
        .map(str::len)
        .sum();
    let version = version[..kept].trim_end_matches('.');
    version.contains('.').then_some(version)
}

/// Whether a version in a path is actually a counter: `app-1649080094.js`.
fn is_count(version: &str) -> bool {
    version.len() > MAX_FIRST_DIGITS && version.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether the version in a file's query belongs to something other than the technology that the file shows.
fn is_of_another(url: &str, version: &str, hit: &Hit, assets: &[String]) -> bool {
    let Some(file) = ExtensionFile::of(url) else {
        return false;
    };
    let is_sign_of_extension = ["/plugins/", "/themes/"]
        .iter()
        .any(|folder| url[hit.matched.clone()].contains(folder));
    if is_sign_of_extension {
        return file.is_bundled();
    }
    // If a library has the same version as the extension's own files, it was stamped with the extension's version. A
    // file with the version in its name states its own.
    let own = assets
        .iter()
        .filter_map(|asset| Some((ExtensionFile::of(asset)?, asset)));
    own.filter(|(other, _)| other.extension == file.extension && !other.is_bundled())
        .any(|(other, asset)| {
            other.stem() != file.stem()
                && !other.path.contains(version)
                && version_in_query(asset) == Some(version)
        })
}

/// A file of a plugin or theme.
struct ExtensionFile<'u> {
    extension: &'u str,
    /// Path within the extension.
    path: &'u str,
}

impl<'u> ExtensionFile<'u> {
    fn of(url: &'u str) -> Option<Self> {
        let path = url.split(['?', '#']).next()?;
        let folders = ["/plugins/", "/themes/"];
        let within = folders
            .iter()
            .find_map(|folder| Some(path.split_once(folder)?.1))?;
        let (extension, path) = within.split_once('/')?;
        Some(Self { extension, path })
    }

    /// Whether it is in a folder of libraries: `lib/eicons/`, not the `lib/js/` of an extension's own scripts.
    fn is_in_library(&self) -> bool {
        let mut folders = self.path.split('/').zip(self.path.split('/').skip(1));
        folders.any(|(folder, inner)| ["lib", "libs"].contains(&folder) && !["js", "css"].contains(&inner))
    }

    fn file_name(&self) -> &'u str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    /// The file's name up to the first dot or dash.
    fn stem(&self) -> &'u str {
        self.file_name().split(['.', '-']).next().unwrap_or_default()
    }

    /// Whether the extension includes the file but the file was not written for it.
    fn is_bundled(&self) -> bool {
        let name = self.file_name().to_ascii_lowercase();
        let mut folders = self.path.split('/').rev().skip(1);
        let parent = folders.clone().next().unwrap_or_default();
        // `select2/select2.css`, `genericons/genericons.css`.
        let is_packaged = !parent.is_empty()
            && !parent.eq_ignore_ascii_case(self.extension)
            && name
                .split('.')
                .next()
                .is_some_and(|stem| stem.eq_ignore_ascii_case(parent));
        is_packaged
            || name.starts_with("jquery.")
            || name.starts_with("font")
            || name.contains("icons.")
            || name.contains("icons-")
            || folders.any(|folder| {
                BUNDLED_FOLDERS
                    .iter()
                    .any(|known| folder.eq_ignore_ascii_case(known))
            })
            || self.is_in_library()
    }
}

/// The value of `ver`, `v` or `version` in a query.
fn version_in_query(url: &str) -> Option<&str> {
    let (_, query) = url.split_once('?')?;
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|(name, _)| ["ver", "v", "version"].contains(name))
        .map(|(_, value)| value)
}

/// The version in a path that names the technology: `/swiper/4.4.1/`, `/swiper@4.4.1/`, `swiper-4.4.1.min.js`.
fn version_in_path<'u>(url: &'u str, name: &str) -> Option<&'u str> {
    let key = key(name);
    let path = url.split(['?', '#']).next()?;
    let mut segments = path.split('/').peekable();
    while let Some(segment) = segments.next() {
        // Files of jQuery plugins have this prefix.
        let bare = segment
            .strip_prefix("jquery.")
            .filter(|_| !key.starts_with("jquery"));
        let segment = bare.unwrap_or(segment);
        if is_called(segment, &key)
            && let Some(version) = segments.peek().and_then(|next| leading_version(next, true))
        {
            return Some(version);
        }
        for (at, separator) in segment.match_indices(['@', '-', '_', '.']) {
            if is_called(&segment[..at], &key)
                && let Some(version) = leading_version(&segment[at + separator.len()..], false)
            {
                return Some(version);
            }
        }
    }
    None
}

/// Letters and digits of a name in lower case, without the `js` that some names end with.
fn key(name: &str) -> String {
    let mut key: String = name
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|character| character.to_ascii_lowercase())
        .collect();
    if key.len() > 3 && key.ends_with("js") {
        key.truncate(key.len() - 2);
    }
    key
}

fn is_called(segment: &str, wanted: &str) -> bool {
    // Longer segments are not names, and not worth a copy.
    !segment.is_empty() && segment.len() <= wanted.len() + 8 && key(segment) == wanted
}

/// `v?N.N(.N)*` at the start of a text, without the `v`; it must also be the end of the text if it is a `whole`
/// segment.
fn leading_version(text: &str, whole: bool) -> Option<&str> {
    let text = text.strip_prefix('v').unwrap_or(text);
    let end = text
        .find(|character: char| !character.is_ascii_digit() && character != '.')
        .unwrap_or(text.len());
    let (version, after) = text.split_at(end);
    // `3.6.0.min.js`
    let version = version.trim_end_matches('.');
    let mut parts = version.split('.');
    let first = parts.next().unwrap_or_default();
    // `01.2016` is a month.
    let is_number = !first.is_empty() && (first.len() == 1 || !first.starts_with('0'));
    let is_version = is_number
        && first.len() <= MAX_FIRST_DIGITS
        && version.contains('.')
        && parts.all(|part| (1..=MAX_DIGITS).contains(&part.len()));
    let is_ended = if whole {
        after.is_empty() || after.starts_with('-')
    } else {
        text.len() == version.len() || text[version.len()..].starts_with(['.', '-', '_'])
    };
    (is_version && is_ended).then_some(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(version: &str, by_wordpress: bool) -> Claim {
        Claim {
            version: version.to_owned(),
            origin: Origin::Query { by_wordpress },
            confidence: 100,
        }
    }

    #[test]
    fn paths_tell_the_version_of_what_they_name() {
        for (url, name, wanted) in [
            (
                "//ajax.googleapis.com/ajax/libs/mootools/1.5.2/mootools-yui-compressed.js",
                "MooTools",
                Some("1.5.2"),
            ),
            (
                "//cdnjs.cloudflare.com/ajax/libs/Swiper/4.4.1/js/swiper.min.js",
                "Swiper",
                Some("4.4.1"),
            ),
            (
                "/assets/jquery/colorbox/1.6.1/jquery.colorbox-min.js",
                "Colorbox",
                Some("1.6.1"),
            ),
            (
                "//code.jquery.com/mobile/jquerymobile/1.4.5/a.js",
                "jQuery Mobile",
                Some("1.4.5"),
            ),
            ("/js/jquery.colorbox-1.3.19.min.js", "Colorbox", Some("1.3.19")),
            (
                "//cdn.test/npm/chart.js@2.9.4/dist/Chart.min.js",
                "Chart.js",
                Some("2.9.4"),
            ),
            ("//cdn.test/npm/swiper@v8.4.5", "Swiper", Some("8.4.5")),
            (
                "/libs/bootstrap/4.0.0-beta.2/css/bootstrap.css",
                "Bootstrap",
                Some("4.0.0"),
            ),
            ("/jquery/colorbox/1.6.1/jquery.colorbox.js", "jQuery", None),
            ("/swiper/20120725/swiper.js", "Swiper", None),
            ("/swiper/4/swiper.js", "Swiper", None),
            ("/libraries/modernizr-01.2016.js", "Modernizr", None),
            ("/myswiper/4.4.1/x.js", "Swiper", None),
            ("/js/swiper.js?ver=/swiper/4.4.1/", "Swiper", None),
        ] {
            assert_eq!(version_in_path(url, name), wanted, "{url}");
        }
    }

    #[test]
    fn a_version_in_a_query_is_no_date_count_or_hash() {
        for (version, after, wanted) in [
            ("3.7.1", "", Some("3.7.1")),
            ("100.1", "&a=b", Some("100.1")),
            ("1.2.1649080094", "", Some("1.2")),
            ("1.1649080094", "", None),
            ("950373202059279415", "", None),
            ("20120725", "", None),
            ("2023.1", "", None),
            ("1", "", None),
            ("3.4", "fe", None),
        ] {
            assert_eq!(plausible(version, after), wanted, "{version}{after}");
        }
    }

    #[test]
    fn what_the_software_states_beats_what_urls_carry() {
        let claimed = [
            query("5.6.2", true),
            query("5.6.2", true),
            Claim::stated("3.18.3".to_owned(), 60),
        ];
        assert_eq!(choose(&claimed, None).as_deref(), Some("3.18.3"));
        let claimed = [query("1.0", false), query("2.0", false), query("2.0", false)];
        assert_eq!(choose(&claimed, None).as_deref(), Some("2.0"));
        let claimed = [
            Claim::stated("6.4".to_owned(), 100),
            query("6.4.2", true),
            query("6.45", true),
        ];
        assert_eq!(choose(&claimed, None).as_deref(), Some("6.4.2"));
    }

    #[test]
    fn the_version_of_wordpress_is_not_that_of_its_extensions() {
        let claimed = [query("6.4.2", true), query("6.4.2", true), query("1.3", true)];
        assert_eq!(choose(&claimed, Some("6.4.2")).as_deref(), Some("1.3"));
        assert_eq!(choose(&claimed[..2], Some("6.4.2")), None);
        assert_eq!(
            choose(&[query("6.4.2", false)], Some("6.4.2")).as_deref(),
            Some("6.4.2")
        );
    }
}
