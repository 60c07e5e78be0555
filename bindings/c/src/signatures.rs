//! Where signatures come from: a compiled database, which is mapped, or sources compiled in memory.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use esets_core::signature::{Loaded, SourceFile};
use esets_core::{Database, DatabaseBuilder};

use crate::result::{ESETS_ERROR_DATABASE, Failure};

/// What a path holds.
pub(crate) struct Opened {
    pub(crate) database: Database,
    /// What of the sources is not used, one line each.
    pub(crate) warnings: String,
}

/// Opens a compiled database, a source, or a folder with the one or the others.
pub(crate) fn open(path: &Path) -> Result<Opened, Failure> {
    let about = fs::metadata(path).map_err(|error| Failure::about(path, error))?;
    let opened = if about.is_dir() {
        open_folder(path)
    } else if is_source(path) {
        compile(&[path.to_path_buf()])
    } else {
        open_compiled(path)
    }?;
    if opened.database.counts().total() == 0 {
        let text = format!("{}: no signatures\n{}", path.display(), opened.warnings);
        return Err(Failure::with_text(ESETS_ERROR_DATABASE, text.trim_end()));
    }
    Ok(opened)
}

fn open_folder(folder: &Path) -> Result<Opened, Failure> {
    let compiled = folder.join(COMPILED);
    if compiled.exists() {
        return open_compiled(&compiled);
    }
    let mut sources = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| Failure::about(folder, error))? {
        sources.push(entry.map_err(|error| Failure::about(folder, error))?.path());
    }
    sources.retain(|path| is_source(path));
    sources.sort();
    if sources.is_empty() {
        let text = format!("{}: neither {COMPILED} nor sources of signatures", folder.display());
        return Err(Failure::with_text(ESETS_ERROR_DATABASE, text));
    }
    compile(&sources)
}

fn open_compiled(path: &Path) -> Result<Opened, Failure> {
    let about = |error| Failure::about(path, error);
    let (file, _) = esets_sys::open_regular(path).map_err(about)?;
    let mapping = match esets_sys::map(&file) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            let text = format!("{}: {error}", path.display());
            return Err(Failure::with_text(ESETS_ERROR_DATABASE, text));
        }
        mapping => mapping.map_err(about)?,
    };
    let database = Database::from_bytes(Bytes::from_owner(mapping)).map_err(|error| {
        Failure::with_text(ESETS_ERROR_DATABASE, format!("{}: {error}", path.display()))
    })?;
    Ok(Opened { database, warnings: String::new() })
}

fn compile(sources: &[PathBuf]) -> Result<Opened, Failure> {
    let mut builder = DatabaseBuilder::new();
    builder.set_version("compiled in memory");
    let mut loaded = Loaded::default();
    for path in sources {
        let bytes = read(path).map_err(|error| Failure::about(path, error))?;
        let name = path.display().to_string();
        loaded.append(builder.load(&SourceFile::new(&name, &bytes)));
    }
    let database = Database::from_bytes(builder.build())
        .map_err(|error| Failure::with_text(ESETS_ERROR_DATABASE, error))?;
    let warnings = loaded.rejected.iter().map(|rejected| format!("{rejected}\n")).collect();
    Ok(Opened { database, warnings })
}

fn is_source(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    SourceFile::new(&name, b"").loader().is_some()
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let (mut file, _) = esets_sys::open_regular(path)?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The name of the compiled database in its folder.
const COMPILED: &str = "em002.dat";
