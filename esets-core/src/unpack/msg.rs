//! Outlook messages, nested ones included: \[MS-OXMSG\] over \[MS-CFB\].

use std::collections::HashMap;

use crate::children::Children;
use crate::decode::compound::{Compound, Node, Tree};
use crate::decode::utf16_le;
use crate::subject::Subject;

use super::ole2::{self, Kind};
use super::{Format, UnpackError, Unpacker};

/// Every property stream; the content of an attachment under the attachment's name.
pub(super) struct Msg;

static FORMAT: Format = Format {
    name: "msg",
    about: "Outlook message",
    extensions: &["msg", "oft"],
    magic: &[],
    specification: &["[MS-OXMSG]: Outlook Item (.msg) File Format", "[MS-OXPROPS]"],
    limitations: &["attachments that are only a reference to a file are not followed"],
};

impl Unpacker for Msg {
    fn format(&self) -> &'static Format {
        &FORMAT
    }

    fn recognises(&self, subject: &Subject<'_>) -> bool {
        Kind::Message.recognises(subject)
    }

    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let (compound, _lease) = ole2::open(subject, children)?;
        let names = file_names(&compound);
        ole2::offer(&compound, children, |tree, node| {
            let storage = tree.parent(node.index);
            let is_content = property(node).is_some_and(|id| id == ATTACH_DATA);
            let name = storage.filter(|_| is_content).and_then(|storage| names.get(&storage));
            name.map_or_else(|| compound.path(tree, node), |name| name.text.clone())
        })
    }
}

/// Whether the compound file is a message: it has the property stream of one.
pub(super) fn is_message(compound: &Compound<'_>) -> bool {
    compound.has("__properties_version1.0")
}

/// A file name and how good it is.
struct Name {
    text: String,
    rank: usize,
}

/// The best file name in each storage that holds one.
fn file_names(compound: &Compound<'_>) -> HashMap<u32, Name> {
    let tree: Tree = compound.tree();
    let mut names: HashMap<u32, Name> = HashMap::new();
    for node in compound.nodes().filter(Node::is_stream) {
        let rank = property(&node).and_then(|id| NAMES.iter().position(|name| *name == id));
        let (Some(rank), Some(storage)) = (rank, tree.parent(node.index)) else { continue };
        if names.get(&storage).is_some_and(|best| best.rank <= rank) {
            continue;
        }
        let text = text(&node.name(), &compound.head(&node, MAX_NAME));
        if !text.is_empty() {
            names.insert(storage, Name { text, rank });
        }
    }
    names
}

/// The identifier of the property that a stream holds, without its type.
fn property(node: &Node<'_>) -> Option<u16> {
    let name = node.name();
    let tag = name.strip_prefix("__substg1.0_").or_else(|| name.strip_prefix("__SUBSTG1.0_"))?;
    u16::from_str_radix(tag.get(..4)?, 16).ok()
}

/// A string property's text: UTF-16 in type 001F, else an 8-bit character set.
fn text(stream: &str, bytes: &[u8]) -> String {
    if stream.to_ascii_uppercase().ends_with("001F") {
        utf16_le(bytes).trim_end_matches('\0').to_owned()
    } else {
        String::from_utf8_lossy(bytes).trim_end_matches('\0').to_owned()
    }
}

/// PidTagAttachDataBinary.
const ATTACH_DATA: u16 = 0x3701;
/// PidTagAttachLongFilename, PidTagAttachFilename, PidTagDisplayName: the best first.
const NAMES: &[u16] = &[0x3707, 0x3704, 0x3001];
const MAX_NAME: usize = 1024;
