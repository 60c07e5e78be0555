//! Looks up the sections and the imports of an executable among the digests of a database.
//!
//! Nothing is hashed unless some signature asks for that digest of a section of that size.

use std::collections::HashMap;
use std::ops::Range;

use md5::Md5;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use super::Database;
use super::digests::Digests;
use super::format::Section;
use super::search::add;
use crate::executable::{Executable, ExecutableKind};
use crate::heuristic::Findings;
use crate::session::{Interrupt, Interruption};
use crate::subject::Subject;
use crate::verdict::{Limit, Reason};

/// Adds to `findings` what the signatures say of the sections and the imports of `subject`.
pub(super) fn search(
    database: &Database,
    subject: &Subject<'_>,
    interrupt: &dyn Interrupt,
    findings: &mut Findings,
) -> Result<(), Interruption> {
    let asks = |section: &Section| !database.section(*section).is_empty();
    let of_sections = HASHES.iter().any(|(section, _)| asks(section));
    let of_imports = asks(&Section::ImportsMd5);
    if !of_sections && !of_imports {
        return Ok(());
    }
    let executable = subject.executable().filter(|it| ExecutableKind::is_pe(it.kind));
    let Some(executable) = executable else { return Ok(()) };
    if of_imports {
        imports(database, executable, findings);
    }
    if of_sections { sections(database, executable, subject, interrupt, findings) } else { Ok(()) }
}

fn imports(database: &Database, executable: &Executable, findings: &mut Findings) {
    let digests = Digests::read(database.section(Section::ImportsMd5));
    let Some((digests, digest)) = digests.zip(executable.import_hash) else { return };
    for name in digests.find(&digest, executable.import_text) {
        add(database, name, None, findings);
    }
}

fn sections(
    database: &Database,
    executable: &Executable,
    subject: &Subject<'_>,
    interrupt: &dyn Interrupt,
    findings: &mut Findings,
) -> Result<(), Interruption> {
    for (section, hash) in HASHES {
        let Some(digests) = Digests::read(database.section(*section)) else { continue };
        let mut hashing = Hashing::of(subject.bytes(), *hash);
        for section in executable.sections.iter().filter(|section| section.size > 0) {
            if !digests.may_hold(section.size) {
                continue;
            }
            if let Some(interruption) = interrupt.check() {
                return Err(interruption);
            }
            let Some(digest) = hashing.digest(section.bytes(subject.bytes())) else {
                findings.not_scanned(Reason::Limit(Limit::Comparisons));
                return Ok(());
            };
            for name in digests.find(&digest, section.size) {
                add(database, name, Some(section.offset), findings);
            }
        }
    }
    Ok(())
}

type Hash = fn(&[u8]) -> Vec<u8>;

static HASHES: &[(Section, Hash)] = &[
    (Section::PartMd5, |bytes| Md5::digest(bytes).to_vec()),
    (Section::PartSha1, |bytes| Sha1::digest(bytes).to_vec()),
    (Section::PartSha256, |bytes| Sha256::digest(bytes).to_vec()),
];

/// Hashes ranges of a file, each once: hundreds of sections may lie on the same bytes.
struct Hashing {
    known: HashMap<Range<*const u8>, Vec<u8>>,
    left: usize,
    hash: Hash,
}

impl Hashing {
    fn of(file: &[u8], hash: Hash) -> Self {
        Self { known: HashMap::new(), left: file.len().saturating_mul(MOST_TIMES), hash }
    }

    /// The digest; `None` once the file was hashed [`MOST_TIMES`] over.
    fn digest(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        if let Some(digest) = self.known.get(&bytes.as_ptr_range()) {
            return Some(digest.clone());
        }
        self.left = self.left.checked_sub(bytes.len())?;
        let digest = (self.hash)(bytes);
        self.known.insert(bytes.as_ptr_range(), digest.clone());
        Some(digest)
    }
}

/// Sections of one file may overlap, but not without end.
const MOST_TIMES: usize = 8;
