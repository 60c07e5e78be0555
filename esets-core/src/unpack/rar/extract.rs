//! Drives `rars` through the members of an archive: it writes, the engine takes what was written.

use std::cell::RefCell;
use std::io::{self, Read, Write};

use rars::{
    Archive, ArchiveMember, ArchiveMemberDetail, ArchiveReadOptions, Error, ErrorKind,
    ExtractedEntryMeta, ExtractionDecision, ExtractionErrorAction, ExtractionOutcome,
};

use super::{options, reason_of};
use crate::budget::Stop;
use crate::children::Children;
use crate::decode::{Failing, Sink};
use crate::object::Member;
use crate::unpack::UnpackError;
use crate::verdict::Reason;

/// The members of one archive, or of the volumes of one, decoded in as few passes as possible.
pub(super) struct Extraction {
    archives: Vec<Archive>,
    /// What opened the headers.
    password: Option<Vec<u8>>,
}

impl Extraction {
    pub(super) fn new(archives: Vec<Archive>, password: Option<Vec<u8>>) -> Self {
        Self { archives, password }
    }

    pub(super) fn run(self, children: &mut Children<'_>) -> Result<(), UnpackError> {
        if self.archives.len() > 1
            && let Ok(members) = rars::volume_members(&self.archives)
        {
            let _workspace = children.lease(workspace(&members))?;
            return Pass::over(&self, members, children, |pass, options| {
                pass.volumes(&self.archives, options)
            });
        }
        for archive in &self.archives {
            let members: Vec<_> = archive.members().collect();
            let _workspace = children.lease(workspace(&members))?;
            Pass::over(&self, members, children, |pass, options| pass.single(archive, options))?;
        }
        Ok(())
    }
}

impl Extraction {
    /// The data of a member that is only stored, or the part of it that is there.
    fn stored(&self, index: usize) -> Option<Stored> {
        let [archive] = &self.archives[..] else { return None };
        let data = match archive {
            Archive::Rar15To40(archive) => {
                let file = archive.files().nth(index)?;
                let is_open = file.is_stored() && !file.is_encrypted();
                is_open.then(|| file.packed_data(archive).ok())?
            }
            Archive::Rar50Plus(archive) => {
                let file = archive.files().nth(index)?;
                let is_open = file.is_stored() && !file.encrypted;
                is_open.then(|| file.packed_data(archive).ok())?
            }
            _ => None,
        };
        data.map(io::Cursor::new)
    }
}

type Stored = io::Cursor<Vec<u8>>;

/// One walk through the members, with one password.
struct Pass<'p, 'c> {
    children: &'p mut Children<'c>,
    members: &'p [ArchiveMember],
    /// Which members need no more decoding.
    done: &'p mut [bool],
    /// The place of the next member.
    next: usize,
    /// The member that is being written.
    current: Option<(usize, Sink)>,
    has_password: bool,
    is_solid: bool,
    /// How members are decoded, and whether one asks for the other way.
    output: Output,
    wants_stream: bool,
    stop: Option<Stop>,
}

/// When the decoder of RAR 5 hands out what it has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Output {
    /// At the end of a member.
    Whole,
    /// As it goes, though not through every filter.
    Stream,
}

impl Output {
    fn of(self, options: ArchiveReadOptions<'_>, workspace: u64) -> ArchiveReadOptions<'_> {
        let options = options.with_max_reader_workspace_bytes(workspace);
        match self {
            Self::Whole => options,
            Self::Stream => options.with_rar50_buffered_decode_limit(0),
        }
    }
}

impl<'c> Pass<'_, 'c> {
    /// Runs `decode` without a password, then with each that is known, until every member is
    /// done; then says why the others are not.
    fn over(
        extraction: &Extraction,
        members: Vec<ArchiveMember>,
        children: &mut Children<'c>,
        decode: impl Fn(&mut Pass<'_, 'c>, ArchiveReadOptions<'_>) -> Result<(), Error>,
    ) -> Result<(), UnpackError> {
        let mut done: Vec<bool> = members.iter().map(has_no_content).collect();
        let mut passwords = vec![extraction.password.clone()];
        passwords.extend(children.passwords().map(|password| Some(password.to_vec())));
        let is_solid = extraction.archives.iter().any(Archive::is_solid);
        let mut failure = Reason::Encrypted;
        let mut retries = 0;
        let mut output = Output::Whole;
        let mut passwords = passwords.iter();
        let mut password = passwords.next();
        while let Some(word) = password.filter(|_| done.contains(&false)) {
            let options = output.of(options(word.as_deref()), workspace(&members));
            let mut pass = Pass {
                children,
                members: &members,
                done: &mut done,
                next: 0,
                current: None,
                has_password: word.is_some(),
                is_solid,
                output,
                wants_stream: false,
                stop: None,
            };
            let outcome = decode(&mut pass, options);
            let reason = pass.end(outcome)?;
            if pass.wants_stream {
                output = Output::Stream;
                continue;
            }
            let is_encrypted = matches!(reason, None | Some(Reason::Encrypted));
            failure = reason.unwrap_or(Reason::Encrypted);
            // One member that cannot be decoded does not cost the others.
            match () {
                () if is_encrypted => password = passwords.next(),
                () if is_solid || retries >= MAX_RETRIES => break,
                () => retries = u32::saturating_add(retries, 1),
            }
        }
        let left = members.iter().zip(&done).enumerate().filter(|(_, (_, done))| !**done);
        for (count, (index, (member, _))) in left.enumerate() {
            let (member, reason) = (described(member), why_not(member, &failure));
            match (count < MAX_PIECES).then(|| extraction.stored(index)).flatten() {
                Some(data) => {
                    let end = io::Error::other(Reason::Truncated);
                    children.stream(member, &mut data.chain(Failing::new(end)))?;
                }
                None => children.skip(member, reason)?,
            }
        }
        Ok(())
    }

    fn single(&mut self, archive: &Archive, options: ArchiveReadOptions<'_>) -> Result<(), Error> {
        let pass = RefCell::new(self);
        let outcome = archive.extract_with_control_and_errors(
            options,
            |member| pass.borrow_mut().decide(member),
            |member, error| pass.borrow_mut().failed(member, error),
        )?;
        match outcome {
            ExtractionOutcome::Stopped => Err(Error::NeedPassword),
            ExtractionOutcome::Complete => Ok(()),
        }
    }

    fn volumes(
        &mut self,
        archives: &[Archive],
        options: ArchiveReadOptions<'_>,
    ) -> Result<(), Error> {
        rars::extract_volumes_to_with_options(archives, options, |meta| self.open(meta))
    }

    /// What to do with the next member.
    fn decide(&mut self, member: &ArchiveMember) -> Result<ExtractionDecision, Error> {
        let index = self.advance()?;
        let meta = &member.meta;
        if meta.is_directory || meta.is_redirection {
            return Ok(ExtractionDecision::Skip);
        }
        let is_closed = meta.is_encrypted && !self.has_password;
        let is_split = meta.is_split_before || meta.is_split_after;
        let is_done = self.done.get(index).copied().unwrap_or(true);
        if !self.is_solid && (is_done || is_closed || is_split) {
            return Ok(ExtractionDecision::Skip);
        }
        if is_closed {
            return Ok(ExtractionDecision::Stop);
        }
        Ok(ExtractionDecision::Extract(self.writer(index, is_done)))
    }

    /// Where the next member of a set of volumes goes. Redirections are passed over in silence.
    fn open(&mut self, meta: &ExtractedEntryMeta) -> Result<Box<dyn Write>, Error> {
        let mut index = self.advance()?;
        while self.members.get(index).is_some_and(|member| member.meta.is_redirection) {
            index = self.advance()?;
        }
        let is_done = meta.is_directory || self.done.get(index).copied().unwrap_or(true);
        Ok(self.writer(index, is_done))
    }

    fn writer(&mut self, index: usize, is_done: bool) -> Box<dyn Write> {
        let drain = if self.is_solid { self.children.unpackable() } else { 0 };
        let sink = self.children.sink().draining(drain);
        if !is_done {
            self.current = Some((index, sink.clone()));
        }
        Box::new(sink)
    }

    /// Finishes the member before and steps to the next.
    fn advance(&mut self) -> Result<usize, Error> {
        self.finish(None)?;
        let index = self.next;
        self.next = index.saturating_add(1);
        Ok(index)
    }

    /// Offers what was written of the current member.
    fn finish(&mut self, cut: Option<Reason>) -> Result<(), Error> {
        let Some((index, sink)) = self.current.take() else { return Ok(()) };
        let Some(member) = self.members.get(index) else { return Ok(()) };
        if let Some(done) = self.done.get_mut(index) {
            *done = true;
        }
        self.children.written(described(member), &sink, cut).map_err(|stop| {
            self.stop = Some(stop);
            Error::Cancelled
        })
    }

    /// A member that stands by itself cannot be decoded, or not to its end.
    fn failed(
        &mut self,
        member: &ArchiveMember,
        error: &Error,
    ) -> Result<ExtractionErrorAction, Error> {
        let is_piece = member.meta.is_stored && self.is_empty();
        if is_piece || is_about_password(member, error) || self.would_rather_stream(error) {
            self.current = None;
        } else {
            self.finish(Some(reason_of(error)))?;
        }
        Ok(ExtractionErrorAction::Continue)
    }

    /// Whether nothing of the current member came out that might come out the other way.
    fn would_rather_stream(&mut self, error: &Error) -> bool {
        let is_damage =
            matches!(error.kind(), ErrorKind::InvalidArchive | ErrorKind::ChecksumMismatch);
        let would = self.output == Output::Whole && self.is_empty() && is_damage;
        self.wants_stream |= would;
        would
    }

    /// Whether a member has been begun and nothing of it written.
    fn is_empty(&self) -> bool {
        self.current.as_ref().is_some_and(|(_, sink)| sink.is_empty())
    }

    /// Ends the pass: the reason why the rest was not reached, if it was not.
    fn end(&mut self, outcome: Result<(), Error>) -> Result<Option<Reason>, Stop> {
        let Err(error) = outcome else {
            _ = self.finish(None);
            return self.stop.map_or(Ok(None), Err);
        };
        let at = self.current.as_ref().map(|(index, _)| *index);
        let member = at.and_then(|index| self.members.get(index));
        let reason = match member {
            Some(member) if is_about_password(member, &error) => Reason::Encrypted,
            _ => reason_of(&error),
        };
        if reason == Reason::Encrypted || self.would_rather_stream(&error) {
            self.current = None;
        }
        _ = self.finish(Some(reason.clone()));
        self.stop.map_or(Ok(Some(reason)), Err)
    }
}

/// A wrong password shows in what comes out.
fn is_about_password(member: &ArchiveMember, error: &Error) -> bool {
    member.meta.is_encrypted
        && matches!(
            error.kind(),
            ErrorKind::PasswordRequired
                | ErrorKind::BadPassword
                | ErrorKind::ChecksumMismatch
                | ErrorKind::InvalidArchive
        )
}

fn has_no_content(member: &ArchiveMember) -> bool {
    member.meta.is_directory || member.meta.is_redirection
}

fn why_not(member: &ArchiveMember, failure: &Reason) -> Reason {
    let meta = &member.meta;
    match failure {
        _ if meta.is_split_before || meta.is_split_after => Reason::Truncated,
        Reason::Encrypted if !meta.is_encrypted => Reason::corrupt("member before"),
        failure => failure.clone(),
    }
}

fn described(member: &ArchiveMember) -> Member<'_> {
    let meta = &member.meta;
    Member {
        encrypted: meta.is_encrypted,
        packed_size: Some(meta.packed_size),
        size: Some(meta.unpacked_size),
        ..Member::named(meta.name.as_slice())
    }
}

/// What decoding may take: little for what is only stored or has a small dictionary, so that
/// archives in archives, none of which could be packed much further, do not use up all memory.
fn workspace(members: &[ArchiveMember]) -> u64 {
    members.iter().map(workspace_of).max().unwrap_or(STORED)
}

fn workspace_of(member: &ArchiveMember) -> u64 {
    if member.meta.is_stored || has_no_content(member) {
        return STORED;
    }
    let ArchiveMemberDetail::Rar50Plus { compression_info, .. } = &member.detail else {
        return WORKSPACE;
    };
    if compression_info & RAR7 != 0 {
        return WORKSPACE;
    }
    let dictionary = SMALLEST << (compression_info >> 10 & 15);
    let buffers = dictionary.saturating_add(member.meta.unpacked_size).saturating_mul(2);
    buffers.saturating_add(TABLES).min(WORKSPACE)
}

/// What dictionaries, models and filters may take: 96 MiB.
const WORKSPACE: u64 = 96 << 20;
/// What copying and decrypting may take.
const STORED: u64 = 4 << 20;
/// What a decoder of RAR 5 takes beside its dictionary and what it writes.
const TABLES: u64 = 8 << 20;
/// The smallest dictionary of RAR 5, and what marks the members that RAR 7 packed otherwise.
const SMALLEST: u64 = 128 << 10;
const RAR7: u64 = 0x3f;
/// How many pieces of stored members are looked for, each from the first header on.
const MAX_PIECES: usize = 64;
/// How often the members are walked anew after one that ended the walk.
const MAX_RETRIES: u32 = 32;
