//! The folders of a file system, walked without recursion and without going in circles.

use std::rc::Rc;

use crate::cursor::Chain;
use crate::verdict::Reason;

/// The way to a folder from the root, each name with a slash behind it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Way(Rc<[u8]>);

impl Way {
    /// The way to `name` in this folder. Of very long ways the beginning is left out: a folder is
    /// nested in a few bytes, so that all the ways together would else grow as their square.
    pub(crate) fn to(&self, name: &[u8]) -> Vec<u8> {
        let kept = LONGEST.saturating_sub(name.len());
        let way = self.0.get(self.0.len().saturating_sub(kept)..).unwrap_or_default();
        [way, name].concat()
    }
}

/// The folders that are still to be walked. Each is entered once, and all of them together hold
/// no more bytes than the image, so that folders that share their content do not cost its square.
#[derive(Debug)]
pub(crate) struct Walk<T> {
    waiting: Vec<(T, Way, Vec<u8>)>,
    met: Chain,
    left: u64,
}

impl<T> Walk<T> {
    /// A walk in an image of `size` bytes from the folder `root`, known by the number `id`.
    pub(crate) fn new(size: u64, id: u64, root: T) -> Self {
        let mut met = Chain::default();
        let _ = met.step(id);
        Self { waiting: vec![(root, Way::default(), Vec::new())], met, left: size }
    }

    /// Adds the folder `name` of the folder at `way`, unless it was met before.
    pub(crate) fn add(&mut self, id: u64, folder: T, way: &Way, name: &[u8]) {
        if self.met.step(id) {
            self.waiting.push((folder, way.clone(), [name, b"/"].concat()));
        }
    }

    /// The next folder, and the way to it.
    pub(crate) fn next(&mut self) -> Option<(T, Way)> {
        let (folder, way, name) = self.waiting.pop()?;
        Some((folder, Way(way.to(&name).into())))
    }

    /// Takes bytes of a folder that are about to be read.
    ///
    /// # Errors
    /// [`Reason::Corrupt`] if the folders hold more than the image.
    pub(crate) fn take(&mut self, bytes: u64) -> Result<(), Reason> {
        let left = self.left.checked_sub(bytes);
        self.left = left.ok_or(Reason::corrupt("folders that overlap"))?;
        Ok(())
    }
}

/// The longest way, as on POSIX systems.
const LONGEST: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_entered_once_and_knows_its_way() {
        let mut walk = Walk::new(100, 1, "root");
        let (_, way) = walk.next().unwrap();
        walk.add(2, "a", &way, b"a");
        walk.add(1, "root", &way, b"loop");
        let (folder, way) = walk.next().unwrap();
        assert_eq!((folder, way.to(b"file")), ("a", b"a/file".to_vec()));
        assert!(walk.next().is_none());
    }

    #[test]
    fn a_way_does_not_grow_for_ever() {
        let way = Way(vec![b'/'; 5000].into());
        assert_eq!(way.to(b"name").len(), LONGEST);
    }

    #[test]
    fn folders_hold_no_more_than_the_image() {
        let mut walk = Walk::new(100, 1, ());
        assert_eq!(walk.take(100), Ok(()));
        assert_eq!(walk.take(1), Err(Reason::corrupt("folders that overlap")));
    }
}
