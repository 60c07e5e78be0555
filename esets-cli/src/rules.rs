//! YARA rules, in a build with the feature `yara`. The program compiles them; a worker gets the
//! result as an open file.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

#[cfg(feature = "yara")]
pub(crate) use built::{compile, open};
#[cfg(not(feature = "yara"))]
pub(crate) use left_out::{compile, open};

/// The files with rules in a folder, sorted.
pub(crate) fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = folder.read_dir().into_iter().flatten().flatten();
    let mut sources: Vec<_> = entries.map(|entry| entry.path()).filter(|path| is(path)).collect();
    sources.sort();
    sources
}

/// What a build without YARA says about rules.
pub(crate) const LEFT_OUT: &str = "this program was built without YARA (the feature \"yara\")";

fn is(path: &Path) -> bool {
    let extension = path.extension().unwrap_or(OsStr::new(""));
    ["yar", "yara"].iter().any(|known| extension.eq_ignore_ascii_case(known))
}

#[cfg(feature = "yara")]
mod built {
    use std::fs::File;
    use std::io::{self, Read, Seek};
    use std::path::PathBuf;
    use std::sync::Arc;

    use esets_policy::core::RuleSet;
    use esets_yara::{Compiled, Rules, SourceFile};

    use crate::messages::Messages;

    /// Rules for the workers, as a file; what does not compile is told and costs itself only.
    ///
    /// # Errors
    /// If there is no rule, or no place for them.
    pub(crate) fn compile(paths: &[PathBuf], messages: &mut Messages) -> Result<File, String> {
        let mut sources = Vec::new();
        for path in paths {
            match read(path) {
                Ok(bytes) => sources.push((path, bytes)),
                Err(error) => messages.say(&format!("{}: {error}", path.display())),
            }
        }
        let sources = sources.iter().map(|(path, bytes)| SourceFile { path, bytes });
        let Compiled { rules, rejected } = esets_yara::compile(&sources.collect::<Vec<_>>());
        rejected.iter().for_each(|rejected| messages.say(&rejected.to_string()));
        if rules.count() == 0 {
            return Err("there is no YARA rule that can be used".into());
        }
        let bytes = rules.to_bytes().map_err(|error| error.to_string())?;
        esets_sys::memory_file(&bytes).map_err(|error| error.to_string())
    }

    /// The rules in such a file.
    pub(crate) fn open(mut file: File) -> io::Result<Arc<dyn RuleSet>> {
        let mut bytes = Vec::new();
        file.rewind()?;
        file.read_to_end(&mut bytes)?;
        Ok(Arc::new(Rules::from_bytes(&bytes).map_err(io::Error::other)?))
    }

    fn read(path: &std::path::Path) -> io::Result<Vec<u8>> {
        let (mut file, _) = esets_sys::open_regular(path)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

#[cfg(not(feature = "yara"))]
mod left_out {
    use std::fs::File;
    use std::io;
    use std::path::PathBuf;
    use std::sync::Arc;

    use esets_policy::core::RuleSet;

    use crate::messages::Messages;

    pub(crate) fn compile(paths: &[PathBuf], _: &mut Messages) -> Result<File, String> {
        let first = paths.first().map(|path| path.display().to_string()).unwrap_or_default();
        Err(format!("{first}: {}", super::LEFT_OUT))
    }

    pub(crate) fn open(_: File) -> io::Result<Arc<dyn RuleSet>> {
        Err(io::ErrorKind::Unsupported.into())
    }
}
