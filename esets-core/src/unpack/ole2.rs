//! OLE2, the compound file of Office 97 to 2003 and many others: \[MS-CFB\].

use crate::budget::Lease;
use crate::children::Children;
use crate::decode::compound::{Compound, MAGIC, Node, Tree};
use crate::object::Member;
use crate::subject::Subject;
use crate::verdict::Reason;

use super::{Format, Magic, UnpackError, Unpacker, hwp5, msg, msi};

/// Every stream, under its path.
pub(super) struct Ole2;

static FORMAT: Format = Format {
    name: "ole2",
    about: "OLE2 compound file: Office 97-2003 documents and much else",
    extensions: &["doc", "dot", "ole", "pot", "pps", "ppt", "vsd", "xla", "xls", "xlt"],
    magic: &[Magic::start(MAGIC), Magic::at(24, b"\x3E\x00\x03\x00\xFE\xFF\x09\x00")],
    specification: &["[MS-CFB]: Compound File Binary File Format"],
    limitations: &["sectors that belong to no stream are not offered as members"],
};

impl Unpacker for Ole2 {
    fn format(&self) -> &'static Format {
        &FORMAT
    }

    fn carved_by(&self) -> &'static [Magic] {
        CARVED
    }

    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let (compound, _lease) = open(subject, children)?;
        if Kind::of(&compound) == Kind::Plain {
            offer(&compound, children, |tree, node| compound.path(tree, node))?;
        }
        if let Some(damage) = compound.damage() {
            children.not_scanned(damage.clone());
        }
        Ok(())
    }
}

/// Which unpacker offers the streams: exactly one, or nesting would double them at each level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Hwp,
    Installer,
    Message,
    Plain,
}

impl Kind {
    pub(super) fn of(compound: &Compound<'_>) -> Self {
        if msg::is_message(compound) {
            Self::Message
        } else if msi::is_installer(compound) {
            Self::Installer
        } else if hwp5::is_document(compound) {
            Self::Hwp
        } else {
            Self::Plain
        }
    }

    /// Whether the object is a compound file of this kind.
    pub(super) fn recognises(self, subject: &Subject<'_>) -> bool {
        is_compound(subject, |compound| Self::of(compound) == self)
    }
}

/// Offers every stream under the name that `name` gives it.
pub(super) fn offer(
    compound: &Compound<'_>,
    children: &mut Children<'_>,
    mut name: impl FnMut(&Tree, &Node<'_>) -> String,
) -> Result<(), UnpackError> {
    let tree = compound.tree();
    for node in compound.nodes().filter(Node::is_stream) {
        if tree.parent(node.index).is_none() {
            children.defect("stream outside the directory tree");
        }
        children.stream(member(&node, &name(&tree, &node)), &mut compound.stream(&node))?;
    }
    Ok(())
}

/// What the directory says of a stream.
pub(super) fn member<'m>(node: &Node<'_>, name: &'m str) -> Member<'m> {
    Member { index: Some(node.index.into()), size: Some(node.size), ..Member::from(name) }
}

/// Whether the object is a compound file in which `test` holds.
pub(super) fn is_compound(subject: &Subject<'_>, test: impl FnOnce(&Compound<'_>) -> bool) -> bool {
    let bytes = subject.bytes();
    FORMAT.matches(bytes) && Compound::open(bytes).is_ok_and(|compound| test(&compound))
}

/// A compound file opened within the budget.
pub(super) fn open<'a>(
    subject: &Subject<'a>,
    children: &mut Children<'_>,
) -> Result<(Compound<'a>, Lease), Reason> {
    let bytes = subject.bytes();
    let lease = children.lease(Compound::footprint(bytes))?;
    Ok((Compound::open(bytes)?, lease))
}

static CARVED: &[Magic] = &[Magic::start(MAGIC)];
