//! What is sent: the files that were named, and all in the folders that were.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use super::super::error::SttCliError;

/// Deepest nesting of folders; also the most names of a path.
pub(super) const MAX_DEPTH: usize = 64;

/// A file to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Source {
    /// Where it lies here.
    pub(super) file: PathBuf,
    /// Its names for the receiver.
    pub(super) path: Vec<String>,
    pub(super) size: u64,
    pub(super) stamp: Vec<u64>,
}

impl Source {
    /// For messages.
    pub(super) fn name(&self) -> String {
        self.path.join("/")
    }

    /// Whether the file is still what was offered.
    pub(super) fn is_unchanged(&self) -> io::Result<bool> {
        let metadata = fs::metadata(&self.file)?;
        Ok(metadata.len() == self.size && stamp(&metadata)? == self.stamp)
    }
}

/// What is sent, and what isn't.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    pub(super) sources: Vec<Source>,
    /// Links, folders without files, sockets and the like.
    pub(super) passed_over: Vec<PathBuf>,
}

/// Everything that the arguments name, in the order of their names. Links are followed where they
/// were named and passed over within folders.
pub(super) fn gather(named: &[PathBuf]) -> Result<Gathered, SttCliError> {
    let mut found = Gathered::default();
    for path in named {
        let metadata = fs::metadata(path).map_err(SttCliError::file(path))?;
        // `.` and `..` have a name too.
        let whole = fs::canonicalize(path).map_err(SttCliError::file(path))?;
        let name = name_of(path.file_name().or_else(|| whole.file_name()), path)?;
        if metadata.is_dir() {
            walk(path, &[name], &mut found)?;
        } else if metadata.is_file() {
            let source = source(path.clone(), vec![name], &metadata)?;
            found.sources.push(source);
        } else {
            return Err(SttCliError::Usage(format!(
                "{} is neither a file nor a folder",
                path.display()
            )));
        }
    }
    let mut names: Vec<_> = found.sources.iter().map(|source| &source.path).collect();
    names.sort_unstable();
    if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(SttCliError::Usage(format!(
            "two files would both be called {}: send them one after the other, into different folders",
            twice[0].join("/")
        )));
    }
    Ok(found)
}

fn walk(folder: &Path, names: &[String], found: &mut Gathered) -> Result<(), SttCliError> {
    if names.len() >= MAX_DEPTH {
        return Err(SttCliError::Usage(format!(
            "{}: folders nest deeper than {MAX_DEPTH}",
            folder.display()
        )));
    }
    let mut entries: Vec<_> = fs::read_dir(folder)
        .and_then(Iterator::collect)
        .map_err(SttCliError::file(folder))?;
    entries.sort_unstable_by_key(fs::DirEntry::file_name);
    if entries.is_empty() {
        found.passed_over.push(folder.to_owned());
    }
    for entry in entries {
        let path = entry.path();
        let metadata = fs::symlink_metadata(&path).map_err(SttCliError::file(&path))?;
        if !metadata.is_dir() && !metadata.is_file() {
            found.passed_over.push(path);
            continue;
        }
        let name = name_of(Some(&entry.file_name()), &path)?;
        let names = [names, &[name]].concat();
        if metadata.is_dir() {
            walk(&path, &names, found)?;
        } else {
            found.sources.push(source(path, names, &metadata)?);
        }
    }
    Ok(())
}

fn name_of(name: Option<&std::ffi::OsStr>, path: &Path) -> Result<String, SttCliError> {
    name.and_then(|name| name.to_str())
        .map(str::to_owned)
        .ok_or_else(|| {
            SttCliError::Usage(format!(
                "{} has no name in UTF-8 to send it under: rename it",
                path.display()
            ))
        })
}

fn source(
    file: PathBuf,
    path: Vec<String>,
    metadata: &fs::Metadata,
) -> Result<Source, SttCliError> {
    let stamp = stamp(metadata).map_err(SttCliError::file(&file))?;
    Ok(Source {
        file,
        path,
        size: metadata.len(),
        stamp,
    })
}

fn stamp(metadata: &fs::Metadata) -> io::Result<Vec<u64>> {
    // Before 1970 is as good a state of a file as any.
    let since = metadata
        .modified()?
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Ok(vec![since.as_secs(), u64::from(since.subsec_nanos())])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_with_all_in_them_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("d/e")).unwrap();
        fs::create_dir(at("d/empty")).unwrap();
        for (name, text) in [("d/z", "zz"), ("d/e/f", "f"), ("a", "")] {
            fs::write(at(name), text).unwrap();
        }
        #[cfg(unix)]
        std::os::unix::fs::symlink("/etc/hostname", at("d/link")).unwrap();
        let Gathered {
            sources: found,
            passed_over,
        } = gather(&[at("d"), at("a")]).unwrap();
        // Nothing is left out in silence.
        let mut expected = vec![at("d/empty")];
        if cfg!(unix) {
            expected.push(at("d/link"));
        }
        assert_eq!(passed_over, expected);
        let names: Vec<_> = found
            .iter()
            .map(|source| (source.name(), source.size))
            .collect();
        assert_eq!(
            names,
            [
                ("d/e/f".to_owned(), 1),
                ("d/z".to_owned(), 2),
                ("a".to_owned(), 0)
            ]
        );
        assert!(found.iter().all(|source| source.is_unchanged().unwrap()));
        fs::write(at("a"), "more").unwrap();
        assert!(!found[2].is_unchanged().unwrap());
    }

    #[test]
    fn two_of_one_name_and_none_at_all_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("d")).unwrap();
        fs::write(at("d/a"), "").unwrap();
        fs::write(at("a"), "").unwrap();
        let twice = gather(&[at("a"), at("d/a")]).unwrap_err().to_string();
        assert!(twice.contains("both be called a"), "{twice}");
        let none = gather(&[at("none")]).unwrap_err().to_string();
        assert!(none.contains("none"), "{none}");
    }
}
