//! The bodies of the fuzz targets: what must hold for every input. The targets and the replay on
//! stable Rust call the same functions.

mod capi;
mod output;

use std::io::Read as _;

use esets_core::signature::{LOADERS, SourceFile};
use esets_core::{
    Children, Database, DatabaseBuilder, Format, Limits, Object, Reason, Scanner, Status, Subject,
    UNPACKERS, UnpackError, Unpacker, Verdict,
};

/// A target: its name and what it does with an input.
pub struct Target {
    /// The name of the binary and of its folder in `corpus/`.
    pub name: &'static str,
    /// What must hold.
    pub run: fn(&[u8]),
}

/// Every target but those of the unpackers, which come from `UNPACKERS`.
pub static TARGETS: &[Target] = &[
    Target { name: "capi", run: capi::run },
    Target { name: "clamd", run: clamd },
    Target { name: "config", run: config },
    Target { name: "database", run: database },
    Target { name: "frames", run: frames },
    Target { name: "message", run: message },
    Target { name: "output", run: output::run },
    Target { name: "policy", run: policy },
    Target { name: "rewrite", run: rewrite },
    Target { name: "scan", run: scan },
    Target { name: "signature", run: signature },
];

/// Runs a target by its name: one of [`TARGETS`], `unpack_` and a format, or `signature_` and the
/// first extension of a loader.
pub fn run(name: &str, bytes: &[u8]) {
    if let Some(format) = name.strip_prefix("unpack_") {
        unpack(format, bytes);
    } else if let Some(extension) = name.strip_prefix("signature_") {
        load(extension, bytes);
    } else {
        let targets = TARGETS.iter().filter(|target| target.name == name);
        targets.for_each(|target| (target.run)(bytes));
    }
}

/// The names of all targets.
pub fn names() -> impl Iterator<Item = String> {
    let unpackers = UNPACKERS.iter().map(|unpacker| format!("unpack_{}", unpacker.format().name));
    let targets = TARGETS.iter().map(|target| target.name.to_string());
    targets.chain(loaders().map(|(name, _)| name)).chain(unpackers)
}

/// The targets of the loaders, and the extensions that each reads.
pub fn loaders() -> impl Iterator<Item = (String, &'static [&'static str])> {
    LOADERS.iter().filter_map(|loader| {
        let extensions = loader.extensions();
        Some((format!("signature_{}", extensions.first()?), extensions))
    })
}

/// Any bytes as an object, to every format that recognises them.
pub fn scan(bytes: &[u8]) {
    let scanner = Scanner::new(Database::embedded()).with_limits(limits());
    keeps_its_promises(&scanner.scan(&Object::new(bytes).named("input")), bytes);
}

/// Any bytes to one unpacker, whether it recognises them or not.
pub fn unpack(format: &str, bytes: &[u8]) {
    let Some(forced) = FORCED.iter().find(|forced| forced.format().name == format) else {
        unreachable!("no such format: {format}")
    };
    let scanner =
        Scanner::new(Database::embedded()).with_limits(limits()).with_unpackers(vec![forced]);
    keeps_its_promises(&scanner.scan(&Object::new(bytes).named("input")), bytes);
}

/// Any bytes as a message: every part lies inside it and decodes to an end.
pub fn message(bytes: &[u8]) {
    let message = esets_mime::Message::parse(bytes, &esets_mime::Limits::default());
    for part in message.parts() {
        let mut content = Vec::new();
        // Of two bytes: UTF-16 is read as UTF-8, which may take three, and a uuencoded line may
        // have lost all its letters, which were spaces.
        let most = match part.encoding() {
            esets_mime::Encoding::Uuencode | esets_mime::Encoding::Xxencode => 63,
            _ => 3,
        };
        let bound = bytes.len().div_ceil(2) * most;
        let read = part.decoded().take(bound as u64 + 1).read_to_end(&mut content);
        assert!(read.is_ok_and(|length| length <= bound), "decoding made the part longer");
        let _ = (part.file_name(), part.names(), part.media_types(), part.charset());
    }
    let _ = (message.subject(), message.defects().len());
}

/// Any bytes as a configuration: an answer, and the same when written out and read again.
pub fn config(bytes: &[u8]) {
    let _ = esets_policy::config::Config::parse("fuzz.cfg", bytes);
}

/// Any bytes to the clamd agent: events, no more bytes in them than came, then an end.
pub fn clamd(bytes: &[u8]) {
    use esets_agents::clamd::proto::{Event, Incoming};

    let mut incoming = Incoming::default();
    let mut left = bytes.len();
    for piece in bytes.chunks(7) {
        incoming.feed(piece);
        while let Ok(Some(event)) = incoming.event() {
            let Event::Chunk(chunk) = event else { continue };
            left = left.checked_sub(chunk.len()).expect("a chunk came twice");
        }
    }
}

/// Any bytes to the daemon behind a client's greeting, and to a client: events, then an end.
pub fn frames(bytes: &[u8]) {
    use esets_client::{FromClient, FromDaemon, Hello, Incoming, VERSION, frame::Decoder};

    let mut stream = Vec::new();
    let _ = FromClient::Hello(Hello { version: VERSION, token: None }).encode(&mut stream);
    stream.extend_from_slice(bytes);
    let mut incoming = Incoming::new();
    let mut decoder = Decoder::new(1 << 20);
    for piece in stream.chunks(7) {
        incoming.feed(piece);
        decoder.feed(piece);
        while let Ok(Some(_)) = incoming.event() {}
        while let Ok(Some(frame)) = decoder.frame() {
            let Ok(message) = FromDaemon::decode(&frame) else { continue };
            let mut again = Vec::new();
            message.encode(&mut again).expect("what was read can be written");
        }
    }
}

/// Any bytes as a compiled database, and the embedded one with some bytes changed: refused, or
/// used without harm.
pub fn database(bytes: &[u8]) {
    let mut changed = EMBEDDED.clone();
    for change in bytes.chunks_exact(4) {
        let at = usize::from(u16::from_le_bytes([change[0], change[1]])) % changed.len();
        changed[at] ^= change[2];
    }
    for file in [bytes.to_vec(), changed] {
        let Ok(database) = Database::from_bytes(file) else { continue };
        let _ = (database.verify(), database.version().len(), database.counts());
        let scanner = Scanner::new(database).with_limits(limits());
        keeps_its_promises(&scanner.scan(&Object::new(bytes).named("input.pdf.exe")), bytes);
    }
}

/// Any bytes as a source of signatures, of the format that the first byte picks: taken or rejected,
/// and what is taken compiles to a database that opens.
pub fn signature(bytes: &[u8]) {
    let Some((pick, source)) = bytes.split_first() else { return };
    let extensions: Vec<_> = LOADERS.iter().flat_map(|loader| loader.extensions()).collect();
    let extension = extensions[usize::from(*pick) % extensions.len()];
    load(extension, source);
}

/// Any bytes as a source of signatures with this extension, unsigned ones too. An object that is
/// the source itself, alone and in an archive, is then searched for what was taken.
pub fn load(extension: &str, source: &[u8]) {
    let name = format!("fuzz.{extension}");
    let mut builder = DatabaseBuilder::new();
    builder.take_unsigned(true);
    let loaded = builder.load(&SourceFile::new(&name, source));
    loaded.rejected.iter().for_each(|rejected| assert!(!rejected.to_string().is_empty()));
    let database = Database::from_bytes(builder.build()).expect("what we compile opens");
    database.verify().expect("what we compile is whole");
    let scanner = Scanner::new(database).with_limits(limits());
    keeps_its_promises(&scanner.scan(&Object::new(source)), source);
    let archive = archive(source);
    keeps_its_promises(&scanner.scan(&Object::new(&archive)), &archive);
}

/// A tar archive (POSIX.1, ustar) of one member.
fn archive(content: &[u8]) -> Vec<u8> {
    let mut block = vec![0; 512];
    let size = format!("{:011o}", content.len());
    for (at, field) in [(0, "member.exe"), (100, "0000644"), (124, &*size), (148, "        ")] {
        block[at..at + field.len()].copy_from_slice(field.as_bytes());
    }
    block[156] = b'0';
    block[257..265].copy_from_slice(b"ustar\x0000");
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block.extend(content);
    block.resize(block.len().next_multiple_of(512) + 1024, 0);
    block
}

/// Any bytes as a message that is changed in every way: it parses again, and no part is outside.
pub fn rewrite(bytes: &[u8]) {
    let message = esets_mime::Message::parse(bytes, &esets_mime::Limits::default());
    let mut rewriter = message.rewrite();
    rewriter.prepend_header("X-Top", "value");
    rewriter.append_header("X-End", "value");
    rewriter.prefix_subject("[prefix]");
    rewriter.footnote("note", "<p>note</p>");
    let place = bytes.first().copied().map_or(0, usize::from);
    rewriter.replace(place, "notice");
    let changed = rewriter.finish();
    let again = esets_mime::Message::parse(&changed, &esets_mime::Limits::default());
    assert!(again.parts().all(|part| part.range().end <= changed.len()));
    assert_eq!(again.rewrite().finish(), changed, "no edit, no change");
}

/// Any bytes as the configuration of a policy that decides on a verdict with everything in it.
pub fn policy(bytes: &[u8]) {
    let Ok(config) = esets_policy::config::Config::parse("fuzz.cfg", bytes) else { return };
    let missing =
        |_: &str| -> std::io::Result<Vec<u8>> { Err(std::io::ErrorKind::NotFound.into()) };
    let Ok(policy) = esets_policy::Policy::from_config(&config, missing) else { return };
    let verdict = Scanner::new(Database::embedded()).scan(&Object::new(b"MZ").named("a.pdf.exe"));
    let context = esets_policy::Context::new("smtp");
    let _ = policy.decide(&verdict, &context).action.to_string();
}

/// The embedded database as bytes.
static EMBEDDED: std::sync::LazyLock<Vec<u8>> =
    std::sync::LazyLock::new(|| esets_core::compile_default().0);

/// What holds for every verdict.
fn keeps_its_promises(verdict: &Verdict, bytes: &[u8]) {
    let faults = verdict.reasons().filter(|(_, reason)| matches!(reason, Reason::Fault(_)));
    assert_eq!(faults.count(), 0, "an unpacker panicked:\n{verdict}");
    assert!(verdict.objects() <= u64::from(limits().objects) + 1, "too many objects");
    assert!(verdict.bytes() <= limits().scan_size.max(bytes.len() as u64), "too many bytes");
    let reasons = verdict.reasons().count() + verdict.threats().count();
    assert_eq!(verdict.status() == Status::Clean, reasons == 0, "clean is earned");
}

/// Small, so that an input that reaches them does so soon.
fn limits() -> Limits {
    Limits {
        depth: 8,
        memory: 32 << 20,
        object_size: 4 << 20,
        objects: 2_000,
        scan_size: 64 << 20,
        ..Limits::default()
    }
}

/// An unpacker that takes the input itself as its own, whatever it looks like.
struct Forced(&'static dyn Unpacker);

static FORCED: std::sync::LazyLock<Vec<Forced>> =
    std::sync::LazyLock::new(|| UNPACKERS.iter().map(|unpacker| Forced(*unpacker)).collect());

impl Unpacker for Forced {
    fn format(&self) -> &'static Format {
        self.0.format()
    }

    fn recognises(&self, subject: &Subject<'_>) -> bool {
        subject.depth() == 0 || self.0.recognises(subject)
    }

    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        self.0.unpack(subject, children)
    }
}
