//! Fingerprint sets that a user has loaded: one file each in a folder of the data directory.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::page::{FormatError, Skipped, Technologies, own_technologies};

/// The folder within the data directory.
const FOLDER: &str = "technologies";

/// Why sets cannot be read or stored.
#[derive(Debug, thiserror::Error)]
pub enum FingerprintFilesError {
    /// A file or folder cannot be read or written.
    #[error("cannot read or write {}", path.display())]
    Unusable {
        /// The path.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A file is not a set of fingerprints.
    #[error("{} is not a set of fingerprints", path.display())]
    Format {
        /// The path.
        path: PathBuf,
        /// The cause.
        source: FormatError,
    },
    /// A folder without such files.
    #[error("{} contains no .json files", path.display())]
    Empty {
        /// The path.
        path: PathBuf,
    },
}

/// The result of loading a set.
#[derive(Debug)]
pub struct Loaded {
    /// Its name. Loading another set with this name replaces it.
    pub name: String,
    /// Number of technologies that it contains.
    pub technologies: usize,
    /// Number of patterns and selectors.
    pub signs: usize,
    /// Patterns that are not used, and why.
    pub skipped: Vec<Skipped>,
    /// Technologies that only a browser or further requests could detect.
    pub not_evaluated: usize,
}

/// The built-in set together with all sets that are loaded in a data directory.
pub fn technologies(data_dir: &Path) -> Result<Arc<Technologies>, FingerprintFilesError> {
    let folder = data_dir.join(FOLDER);
    if !folder.is_dir() {
        return Ok(Arc::clone(own_technologies()));
    }
    let mut texts = Vec::new();
    for path in json_files(&folder)? {
        let text = read(&path)?;
        // The error names the file, which the combined set could not do.
        Technologies::combine(std::slice::from_ref(&text))
            .map_err(|source| FingerprintFilesError::Format { path, source })?;
        texts.push(text);
    }
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let set = Technologies::with(&texts)
        .map_err(|source| FingerprintFilesError::Format { path: folder, source })?;
    Ok(Arc::new(set))
}

/// Loads a set: a file, or a folder of files that belong together. It replaces a set of the same name.
pub fn load(data_dir: &Path, source: &Path) -> Result<Loaded, FingerprintFilesError> {
    let files = if source.is_dir() {
        json_files(source)?
    } else {
        vec![source.to_owned()]
    };
    if files.is_empty() {
        return Err(FingerprintFilesError::Empty {
            path: source.to_owned(),
        });
    }
    let mut texts = Vec::new();
    for path in files {
        let text = read(&path)?;
        match Technologies::with(&[&text]) {
            Ok(_) => texts.push(text),
            // A set's folder also contains files without fingerprints, such as the names of groups.
            Err(FormatError::Nothing) if source.is_dir() => {}
            Err(source) => return Err(FingerprintFilesError::Format { path, source }),
        }
    }
    let as_format = |error| FingerprintFilesError::Format {
        path: source.to_owned(),
        source: error,
    };
    if texts.is_empty() {
        return Err(as_format(FormatError::Nothing));
    }
    let text = Technologies::combine(&texts).map_err(as_format)?;
    let set = Technologies::with(&[&text]).map_err(as_format)?;
    let name = name_of(source);
    keep(&data_dir.join(FOLDER), &name, &text)?;
    let own = own_technologies();
    Ok(Loaded {
        name,
        technologies: set.loaded(),
        signs: set.signs() - own.signs(),
        skipped: set.skipped().iter().cloned().chain(set.oversized()).collect(),
        not_evaluated: set.not_evaluated() - own.not_evaluated(),
    })
}

/// Removes a loaded set; returns whether a set of that name existed.
pub fn unload(data_dir: &Path, name: &str) -> Result<bool, FingerprintFilesError> {
    let folder = data_dir.join(FOLDER);
    let known = if folder.is_dir() {
        json_files(&folder)?
    } else {
        Vec::new()
    };
    // Only names listed in the folder are accepted: a name is not a path.
    let Some(path) = known
        .into_iter()
        .find(|path| path.file_stem().is_some_and(|stem| stem == name))
    else {
        return Ok(false);
    };
    fs::remove_file(&path).map_err(|source| FingerprintFilesError::Unusable { path, source })?;
    Ok(true)
}

fn name_of(source: &Path) -> String {
    let whole = source.canonicalize().unwrap_or_else(|_| source.to_owned());
    let name = whole.file_stem().unwrap_or_default().to_string_lossy();
    let plain = name.chars().map(|c| {
        if c.is_alphanumeric() || matches!(c, '-' | '_' | '.') {
            c
        } else {
            '-'
        }
    });
    let plain: String = plain.collect();
    if plain.trim_matches('.').is_empty() {
        "set".to_owned()
    } else {
        plain
    }
}

/// Writes the file under a temporary name and renames it, so that no reader sees an incomplete file.
fn keep(folder: &Path, name: &str, text: &str) -> Result<(), FingerprintFilesError> {
    let path = folder.join(format!("{name}.json"));
    let new = folder.join(format!(".{name}.{}", std::process::id()));
    let unusable = |source| FingerprintFilesError::Unusable {
        path: path.clone(),
        source,
    };
    fs::create_dir_all(folder).map_err(unusable)?;
    fs::write(&new, text).map_err(unusable)?;
    fs::rename(&new, &path).map_err(unusable)
}

fn json_files(folder: &Path) -> Result<Vec<PathBuf>, FingerprintFilesError> {
    let unusable = |source| FingerprintFilesError::Unusable {
        path: folder.to_owned(),
        source,
    };
    let entries = fs::read_dir(folder)
        .map_err(unusable)?
        .collect::<Result<Vec<_>, _>>()
        .map_err(unusable)?;
    let mut files: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).collect();
    files.retain(|path| {
        path.is_file()
            && path
                .extension()
                .is_some_and(|extension| extension.eq_ignore_ascii_case("json"))
    });
    files.sort();
    Ok(files)
}

fn read(path: &Path) -> Result<String, FingerprintFilesError> {
    let bytes = fs::read(path).map_err(|source| FingerprintFilesError::Unusable {
        path: path.to_owned(),
        source,
    })?;
    Ok(String::from_utf8_lossy(&bytes)
        .trim_start_matches('\u{feff}')
        .to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(set: &Technologies) -> Vec<&str> {
        set.list().into_iter().map(|known| known.name.as_str()).collect()
    }

    #[test]
    fn sets_are_taken_replaced_and_taken_out() {
        let (data, sets) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let file = sets.path().join("mine.json");
        fs::write(
            &file,
            r#"{"Zzz One":{"cats":[1],"html":["<zzz","a(?=b)"]},"Zzz Two":{"js":{"a":""}}}"#,
        )
        .unwrap();
        let loaded = load(data.path(), &file).unwrap();
        assert_eq!(
            (
                loaded.name.as_str(),
                loaded.technologies,
                loaded.signs,
                loaded.skipped.len(),
                loaded.not_evaluated
            ),
            ("mine", 2, 1, 1, 1)
        );
        assert!(names(&technologies(data.path()).unwrap()).contains(&"Zzz One"));
        fs::write(&file, r#"{"Zzz Three":{"html":"<zzz"}}"#).unwrap();
        load(data.path(), &file).unwrap();
        let known = technologies(data.path()).unwrap();
        assert!(names(&known).contains(&"Zzz Three") && !names(&known).contains(&"Zzz One"));
        assert!(unload(data.path(), "mine").unwrap() && !unload(data.path(), "mine").unwrap());
        assert!(!names(&technologies(data.path()).unwrap()).contains(&"Zzz Three"));
    }

    #[test]
    fn a_folder_is_one_set_with_its_categories() {
        let (data, sets) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let folder = sets.path().join("community");
        fs::create_dir(&folder).unwrap();
        for (name, text) in [
            ("a.json", r#"{"Aaa":{"cats":[91],"html":"<aaa"}}"#),
            ("categories.json", r#"{"91":{"name":"Ninety-one","priority":1}}"#),
            ("groups.json", r#"{"91":{"name":"A group"}}"#),
        ] {
            fs::write(folder.join(name), text).unwrap();
        }
        assert_eq!(load(data.path(), &folder).unwrap().name, "community");
        let known = technologies(data.path()).unwrap();
        let found = known
            .list()
            .into_iter()
            .find(|known| known.name == "Aaa")
            .unwrap();
        assert_eq!(found.categories, ["Ninety-one"]);
    }

    #[test]
    fn what_is_no_set_is_refused_and_changes_nothing() {
        let (data, sets) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let file = sets.path().join("x.json");
        for text in ["", "[]", "{}", r#"{"A":{"cats":7,"html":1}}"#] {
            fs::write(&file, text).unwrap();
            assert!(load(data.path(), &file).is_err(), "{text}");
        }
        assert!(matches!(
            load(data.path(), sets.path().join("none").as_path()),
            Err(FingerprintFilesError::Unusable { .. })
        ));
        assert!(!data.path().join(FOLDER).exists());
    }
}
