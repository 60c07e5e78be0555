//! Where the signatures come from: the compiled database, sources compiled in memory, or the
//! database that every build carries.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use esets_policy::config::LAYOUT;
use esets_policy::core::signature::{Loaded, Manifest, Rejected, Rejection, SourceFile};
use esets_policy::core::{Database, DatabaseBuilder};

use crate::command::arguments::DatabaseArguments;
use crate::messages::Messages;
use crate::progress::Progress;
use crate::rules;
use crate::worker::{Scan, Setup};

/// The signatures that the workers use.
#[derive(Debug)]
pub(crate) struct Signatures {
    /// The compiled database; `None` for the embedded one.
    pub(crate) file: Option<File>,
    pub(crate) database: Database,
    /// Compiled YARA rules, if there are any.
    rules: Option<File>,
}

impl Signatures {
    /// Those that the caller names, else those of `base_dir` if the configuration names one, else
    /// the installed ones, else those that every build carries. What is wrong with single
    /// signatures is told; they cost themselves only.
    ///
    /// # Errors
    /// What is wrong with the database, a message for a person.
    pub(crate) fn load(
        arguments: &DatabaseArguments,
        base_dir: Option<&Path>,
        messages: &mut Messages,
    ) -> Result<Self, String> {
        let folder = arguments.base_dir.as_deref().or(base_dir);
        let mut rules: Vec<_> = folder.map(rules::sources).unwrap_or_default();
        if !cfg!(feature = "yara") {
            for path in rules.drain(..) {
                messages.say(&format!("{}: not used: {}", path.display(), rules::LEFT_OUT));
            }
        }
        for path in &arguments.yara {
            rules.extend(if path.is_dir() { rules::sources(path) } else { vec![path.clone()] });
        }
        let mut signatures = Self::chosen(arguments, folder, !rules.is_empty(), messages)?;
        if !rules.is_empty() {
            signatures.rules = Some(rules::compile(&rules, messages)?);
        } else if signatures.database.counts().total() == 0 {
            return Err("the database holds no signatures".into());
        }
        Ok(signatures)
    }

    fn chosen(
        arguments: &DatabaseArguments,
        folder: Option<&Path>,
        has_rules: bool,
        messages: &mut Messages,
    ) -> Result<Self, String> {
        if let Some(path) = &arguments.database {
            Self::open(path)
        } else if let Some(folder) = folder {
            Self::from_folder(folder, has_rules, arguments.unsigned, messages)
        } else if installed().exists() {
            Self::open(&installed())
        } else {
            Ok(Self { file: None, database: Database::embedded(), rules: None })
        }
    }

    /// A scan with them.
    pub(crate) fn scan(&self, setup: Setup) -> Scan<'_> {
        Scan { setup, database: self.file.as_ref(), rules: self.rules.as_ref() }
    }

    /// A compiled database.
    ///
    /// # Errors
    /// Why it cannot be used, with its path.
    pub(crate) fn open(path: &Path) -> Result<Self, String> {
        let failed = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let (file, _) = esets_sys::open_regular(path).map_err(|error| failed(&error))?;
        let mapping = esets_sys::map(&file).map_err(|error| failed(&error))?;
        let database = Database::from_bytes(Bytes::from_owner(mapping));
        let database = database.map_err(|error| failed(&error))?;
        Ok(Self { file: Some(file), database, rules: None })
    }

    /// The database in a folder, or the sources there.
    fn from_folder(
        folder: &Path,
        has_rules: bool,
        takes_unsigned: bool,
        messages: &mut Messages,
    ) -> Result<Self, String> {
        let compiled = folder.join(COMPILED);
        if compiled.exists() {
            return Self::open(&compiled);
        }
        let sources = sources(folder)?;
        if sources.is_empty() && !has_rules {
            let folder = folder.display();
            return Err(format!("{folder}: neither {COMPILED} nor sources of signatures"));
        }
        Self::compile(&sources, takes_unsigned, messages)
    }

    /// Sources, compiled in memory.
    ///
    /// # Errors
    /// Why there is no place for the result.
    pub(crate) fn compile(
        sources: &[PathBuf],
        takes_unsigned: bool,
        messages: &mut Messages,
    ) -> Result<Self, String> {
        let (bytes, _) = compile("compiled in memory", sources, takes_unsigned, messages);
        let file = esets_sys::memory_file(&bytes).map_err(|error| error.to_string())?;
        let database = Database::from_bytes(bytes).map_err(|error| error.to_string())?;
        Ok(Self { file: Some(file), database, rules: None })
    }
}

/// Compiles sources one after the other, ignore lists first, and tells what is refused.
pub(crate) fn compile(
    version: &str,
    sources: &[PathBuf],
    takes_unsigned: bool,
    messages: &mut Messages,
) -> (Vec<u8>, Loaded) {
    let mut builder = DatabaseBuilder::new();
    builder.set_version(version);
    builder.take_unsigned(takes_unsigned);
    let mut all = Loaded::default();
    let mut sources: Vec<&PathBuf> = sources.iter().collect();
    sources.sort_by_key(|path| !SourceFile::new(&path.to_string_lossy(), b"").comes_first());
    let progress = Progress::new(true);
    for path in sources {
        progress.advance(path);
        let name = path.display().to_string();
        match read(path) {
            Ok(bytes) => {
                let source = SourceFile::new(&name, &bytes);
                all.append(match beside(path, &bytes) {
                    Ok(()) => builder.load(&source),
                    Err(cause) => Loaded::refused(&source, cause),
                });
            }
            Err(error) => progress.around(|| messages.say(&format!("{name}: {error}"))),
        }
    }
    // This is most of the work, and the bar goes on turning.
    let bytes = builder.build();
    drop(progress);
    all.rejected.iter().for_each(|rejected| messages.say(&rejected.to_string()));
    if !takes_unsigned && all.rejected.iter().any(Rejected::is_unsigned) {
        messages.say("--unsigned takes containers that nobody signed");
    }
    if !all.rejected.is_empty() {
        let (added, refused) = (all.added, all.rejected.len());
        messages.say(&format!("{added} signatures are used, {refused} are refused"));
    }
    if all.ignored > 0 {
        messages.say(&format!("{} signatures are left out by ignore lists", all.ignored));
    }
    (bytes, all)
}

/// Checks a source against the `.info` of its name, if one lies beside it.
fn beside(path: &Path, content: &[u8]) -> Result<(), Rejection> {
    let Ok(info) = read(&path.with_extension("info")) else { return Ok(()) };
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if SourceFile::new(&name, content).is_container() {
        // It has one of its own.
        return Ok(());
    }
    Manifest::parse(&info)?.check(&name, content)
}

/// The files of a folder that a loader reads, by name.
///
/// # Errors
/// Why the folder cannot be read.
pub(crate) fn sources(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let failed = |error: io::Error| format!("{}: {error}", folder.display());
    let mut sources = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().unwrap_or(OsStr::new("")).to_string_lossy().into_owned();
        if SourceFile::new(&name, b"").loader().is_some() {
            sources.push(path);
        }
    }
    sources.sort();
    Ok(sources)
}

/// The content of a file.
pub(crate) fn read(path: &Path) -> io::Result<Vec<u8>> {
    let (mut file, _) = esets_sys::open_regular(path)?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The name of the compiled database in its folder.
pub(crate) const COMPILED: &str = "em002.dat";
/// Where an update installs it.
fn installed() -> PathBuf {
    Path::new(LAYOUT.base).join(COMPILED)
}
