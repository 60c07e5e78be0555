//! Patterns of paths: `*` stands for any bytes, `?` for one.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// A pattern of `--exclude`. With a slash it means a path, without one the name of a file or
/// folder; what lies inside is meant as well.
#[derive(Clone, Debug)]
pub(crate) struct Glob(Vec<u8>);

impl Glob {
    pub(crate) fn new(pattern: &OsStr) -> Self {
        let pattern = pattern.as_bytes();
        Self(pattern.strip_suffix(b"/").unwrap_or(pattern).to_vec())
    }

    /// Whether the pattern means the path. The folders above were asked before.
    pub(crate) fn matches(&self, path: &Path) -> bool {
        if self.0.contains(&b'/') {
            matches(&self.0, path.as_os_str().as_bytes())
        } else {
            path.file_name().is_some_and(|name| matches(&self.0, name.as_bytes()))
        }
    }
}

/// Goes back to the last `*` only, so the time is at most the product of the lengths.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0_usize, 0_usize);
    let mut star: Option<(usize, usize)> = None;
    while let Some(byte) = text.get(t) {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p = p.saturating_add(1);
                continue;
            }
            Some(expected) if *expected == b'?' || expected == byte => {
                p = p.saturating_add(1);
                t = t.saturating_add(1);
                continue;
            }
            _ => {}
        }
        let Some((at, swallowed)) = star else { return false };
        t = swallowed.saturating_add(1);
        star = Some((at, t));
        p = at.saturating_add(1);
    }
    pattern.get(p..).unwrap_or_default().iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_paths_are_matched() {
        let matches =
            |pattern: &str, path: &str| Glob::new(pattern.as_ref()).matches(path.as_ref());
        assert!(matches("/Volumes/WIP*", "/Volumes/WIP 2"));
        assert!(matches("/srv/mail/", "/srv/mail"));
        assert!(matches(".git", "/srv/project/.git"));
        assert!(matches("*.??g", "/srv/picture.png"));
        assert!(!matches("/srv/*.log", "/srv/mail/x.logs"));
        assert!(!matches("a*b*c", "a-b-b"));
    }
}
