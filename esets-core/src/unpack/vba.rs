//! Source code of VBA macros, in Office documents and in `vbaProject.bin`: \[MS-OVBA\].

use std::collections::HashMap;

use memchr::memmem;

use crate::children::Children;
use crate::cursor::{Cursor, Truncated};
use crate::decode::compound::{Compound, Node, Tree};
use crate::decode::ovba::Ovba;
use crate::decode::{head, skip, utf16_le};
use crate::subject::Subject;
use crate::verdict::Reason;

use super::ole2;
use super::{Format, UnpackError, Unpacker};

/// The source of every module, under the path of its stream and `.vba`.
pub(super) struct Vba;

static FORMAT: Format = Format {
    name: "vba",
    about: "VBA project: the source code of macros",
    extensions: &["bin"],
    magic: &[],
    specification: &["[MS-OVBA]: Office VBA File Format Structure"],
    limitations: &["compiled code (p-code) is offered as it lies, not disassembled"],
};

impl Unpacker for Vba {
    fn format(&self) -> &'static Format {
        &FORMAT
    }

    fn recognises(&self, subject: &Subject<'_>) -> bool {
        ole2::is_compound(subject, |compound| compound.has("VBA"))
    }

    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let (compound, _lease) = ole2::open(subject, children)?;
        let mut project = Project {
            tree: compound.tree(),
            allowance: (subject.bytes().len() as u64).saturating_mul(4),
            compound,
        };
        for streams in project.storages().values() {
            project.offer(streams, children)?;
        }
        Ok(())
    }
}

/// A compound file with macros.
struct Project<'a> {
    compound: Compound<'a>,
    tree: Tree,
    /// Bytes that may still be read without being offered: streams may overlap without end.
    allowance: u64,
}

impl<'a> Project<'a> {
    /// The streams in each storage called VBA.
    fn storages(&self) -> HashMap<u32, Vec<Node<'a>>> {
        let mut storages: HashMap<u32, Vec<Node<'a>>> = HashMap::new();
        for node in self.compound.nodes().filter(Node::is_stream) {
            let parent = self.tree.parent(node.index);
            let storage = parent.and_then(|parent| self.compound.node(parent));
            if let Some(storage) = storage.filter(|storage| storage.is_named("VBA")) {
                storages.entry(storage.index).or_default().push(node);
            }
        }
        storages
    }

    /// Offers the source in each stream of a storage.
    fn offer(
        &mut self,
        streams: &[Node<'a>],
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let offsets = self.offsets(streams);
        for node in streams.iter().filter(|node| !node.is_named("dir")) {
            let stated = offsets.get(&node.name().to_lowercase()).copied();
            let Some(offset) = self.source(node, stated)? else {
                if stated.is_some() {
                    children.not_scanned(Reason::corrupt("macro source"));
                }
                continue;
            };
            let name = format!("{}.vba", self.compound.path(&self.tree, node));
            let mut stream = self.compound.stream(node);
            skip(&mut stream, offset)?;
            children.stream(name.as_str(), &mut Ovba::new(stream))?;
        }
        Ok(())
    }

    /// Where the source of each module begins in its stream, by the stream's name.
    fn offsets(&mut self, streams: &[Node<'a>]) -> HashMap<String, u64> {
        let mut offsets = HashMap::new();
        for dir in streams.iter().filter(|node| node.is_named("dir")) {
            if self.spend(dir.size).is_err() {
                break;
            }
            let records = head(&mut Ovba::new(self.compound.stream(dir)), MAX_DIR);
            // A directory that breaks off has listed what it has listed.
            let _ = read_dir(&records, &mut offsets);
        }
        offsets
    }

    /// Where the source begins: as stated if there is one, else where one is found.
    fn source(&mut self, node: &Node<'_>, stated: Option<u64>) -> Result<Option<u64>, Reason> {
        if let Some(offset) = stated {
            self.spend(offset)?;
            let mut stream = self.compound.stream(node);
            if skip(&mut stream, offset).is_ok() && head(&mut stream, 1) == [1] {
                return Ok(stated);
            }
        }
        self.spend(node.size.min(MAX_STREAM as u64))?;
        let content = self.compound.head(node, MAX_STREAM);
        let found = memmem::find(&content, ATTRIBUTE).and_then(|at| at.checked_sub(3));
        Ok(found.map(|offset| offset as u64))
    }

    fn spend(&mut self, bytes: u64) -> Result<(), Reason> {
        let left = self.allowance.checked_sub(bytes);
        self.allowance = left.ok_or(Reason::corrupt("macro streams overlap"))?;
        Ok(())
    }
}

/// Reads the records of the `dir` stream.
fn read_dir(records: &[u8], offsets: &mut HashMap<String, u64>) -> Result<(), Truncated> {
    let mut cursor = Cursor::new(records);
    let mut stream = String::new();
    loop {
        let id = cursor.u16_le()?;
        let size = cursor.u32_le()?;
        let mut content = Cursor::new(match id {
            // The one record whose size is not what it says.
            PROJECT_VERSION => cursor.take(6)?,
            _ => cursor.take(usize::try_from(size).unwrap_or(usize::MAX))?,
        });
        match id {
            STREAM_NAME => stream = content.rest().iter().copied().map(char::from).collect(),
            STREAM_NAME_UNICODE => stream = utf16_le(content.rest()),
            MODULE_OFFSET => {
                offsets.insert(stream.to_lowercase(), content.u32_le()?.into());
            }
            _ => {}
        }
    }
}

const PROJECT_VERSION: u16 = 0x0009;
const STREAM_NAME: u16 = 0x001A;
const STREAM_NAME_UNICODE: u16 = 0x0032;
const MODULE_OFFSET: u16 = 0x0031;
/// The flags and literals with which the source of every module begins, three bytes into it.
const ATTRIBUTE: &[u8] = b"\0Attribut";
/// More than a directory of 10,000 modules takes.
const MAX_DIR: usize = 4 << 20;
/// How far a source is looked for in a stream.
const MAX_STREAM: usize = 8 << 20;
