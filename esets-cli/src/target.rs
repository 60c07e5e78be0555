//! What is to be scanned: the paths of the command line, and what lies in their folders.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use crate::glob::Glob;

/// How folders are walked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Walk {
    /// Whether folders are entered.
    pub(crate) subdir: bool,
    /// Whether symbolic links inside folders are followed.
    pub(crate) follow: bool,
    /// What is left out.
    pub(crate) exclude: Vec<Glob>,
    /// Extensions that are scanned; all if empty.
    pub(crate) extensions: Vec<String>,
    /// Extensions that are left out.
    pub(crate) excluded_extensions: Vec<String>,
}

/// One path to scan, or why it cannot be.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) path: PathBuf,
    /// Whether it may be a symbolic link.
    pub(crate) follow: bool,
    pub(crate) problem: Option<String>,
}

impl Walk {
    /// The targets, folder by folder, each sorted by name; what is not a file is a target too,
    /// because opening it says why it is not scanned.
    pub(crate) fn targets<'w>(
        &'w self,
        paths: &'w [PathBuf],
    ) -> impl Iterator<Item = Target> + Send + 'w {
        paths.iter().flat_map(|path| self.below(path))
    }

    fn below<'w>(&'w self, path: &'w Path) -> Box<dyn Iterator<Item = Target> + Send + 'w> {
        if self.exclude.iter().any(|glob| glob.matches(path)) {
            return Box::new(std::iter::empty());
        }
        if !fs::metadata(path).is_ok_and(|about| about.is_dir()) {
            return Box::new(std::iter::once(Target {
                path: path.into(),
                follow: true,
                problem: None,
            }));
        }
        if !self.subdir {
            let problem = Some("is a directory; --subdir scans what is in it".into());
            return Box::new(std::iter::once(Target { path: path.into(), follow: true, problem }));
        }
        let walk = WalkDir::new(path).follow_links(self.follow).sort_by_file_name();
        let entries = walk.into_iter().filter_entry(|entry| self.enters(entry));
        Box::new(entries.filter_map(|entry| self.target(path, entry)))
    }

    fn enters(&self, entry: &DirEntry) -> bool {
        entry.depth() == 0 || !self.exclude.iter().any(|glob| glob.matches(entry.path()))
    }

    fn target(&self, root: &Path, entry: walkdir::Result<DirEntry>) -> Option<Target> {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                let path = error.path().unwrap_or(root).to_path_buf();
                return Some(Target { path, follow: self.follow, problem: Some(problem(&error)) });
            }
        };
        let kind = entry.file_type();
        // What a link leads to is scanned where it lies.
        if kind.is_dir() || kind.is_symlink() || !self.has_extension(entry.path()) {
            return None;
        }
        Some(Target { path: entry.into_path(), follow: self.follow, problem: None })
    }

    fn has_extension(&self, path: &Path) -> bool {
        let extension = path.extension().unwrap_or(OsStr::new(""));
        let among = |list: &[String]| list.iter().any(|end| extension.eq_ignore_ascii_case(end));
        (self.extensions.is_empty() || among(&self.extensions)) && !among(&self.excluded_extensions)
    }
}

fn problem(error: &walkdir::Error) -> String {
    if let Some(ancestor) = error.loop_ancestor() {
        return format!("is a symbolic link in a circle, to {}", ancestor.display());
    }
    error.io_error().map_or_else(|| error.to_string(), io::Error::to_string)
}
