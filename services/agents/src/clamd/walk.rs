//! The files below a path, for SCAN and its kin.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::ops::ControlFlow;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

/// Shows `visit` every regular file below a path, opened, and the path itself if it is no folder;
/// symbolic links inside folders are not followed.
///
/// # Errors
/// Those of `visit`.
pub(super) fn walk(path: &[u8], visit: &mut Visit<'_>) -> io::Result<()> {
    let mut todo = vec![(PathBuf::from(OsStr::from_bytes(path)), 0_u32)];
    while let Some((path, depth)) = todo.pop() {
        let is_named = depth == 0;
        let about = if is_named { fs::metadata(&path) } else { fs::symlink_metadata(&path) };
        let found = match about {
            Ok(about) if about.is_dir() && depth < DEEPEST => match list(&path) {
                Ok(names) => {
                    let deeper = depth.saturating_add(1);
                    todo.extend(names.into_iter().map(|name| (name, deeper)));
                    continue;
                }
                Err(error) => Err(error),
            },
            Ok(_) if is_named => esets_sys::open_regular(&path).map(|(file, _)| file),
            Ok(about) if about.is_file() => esets_sys::open_found(&path).map(|(file, _)| file),
            Ok(_) => continue,
            Err(error) => Err(error),
        };
        if visit(&path, found)?.is_break() {
            return Ok(());
        }
    }
    Ok(())
}

/// What is done with a file, or with the reason why it could not be opened.
type Visit<'v> = dyn FnMut(&Path, io::Result<File>) -> io::Result<ControlFlow<()>> + 'v;

/// The last of them is visited first.
fn list(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let names = fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path()));
    let mut names = names.collect::<io::Result<Vec<_>>>()?;
    names.sort_by(|left, right| right.cmp(left));
    Ok(names)
}

const DEEPEST: u32 = 15;
