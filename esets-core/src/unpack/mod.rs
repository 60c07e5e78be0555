//! Unpackers: one file per format, one row each in [`UNPACKERS`].

mod ace;
mod activemime;
mod alz;
mod apm;
mod applesingle;
mod ar;
mod arc;
mod arj;
mod autoit;
mod base64;
mod binhex;
mod brotli;
mod bzip2;
mod cab;
mod chm;
mod compress;
mod cpio;
mod cramfs;
mod dmg;
mod egg;
mod elf;
mod embedded;
mod erofs;
mod exfat;
mod ext;
mod fat;
mod gpt;
mod gzip;
mod hfs;
mod hfsplus;
mod html;
mod hwp3;
mod hwp5;
mod installshield;
mod iscab;
mod iso9660;
mod kwaj;
mod lha;
mod lnk;
mod lz4;
mod lzfu;
mod lzip;
mod lzma;
mod lzop;
mod macbinary;
mod macho;
mod makeself;
mod mbox;
mod mbr;
mod message;
mod msg;
mod msi;
mod nsis;
mod ntfs;
mod officecrypt;
mod ole10native;
mod ole2;
mod onenote;
mod packed;
mod pdf;
mod pe;
mod pgp;
mod pkcs7;
mod ppt;
mod qcow2;
mod rar;
mod rpm;
mod rtf;
mod script;
mod sevenz;
mod shar;
mod shk;
mod sis;
mod squashfs;
mod swf;
mod szdd;
mod tar;
mod tnef;
mod udf;
mod upx;
mod uuencode;
mod vba;
mod vdi;
mod vhd;
mod vhdx;
mod vmdk;
mod warc;
mod wim;
mod xar;
mod xls;
mod xmldocument;
mod xz;
mod zip;
mod zlib;
mod zoo;
pub(crate) mod zstd;

use std::io;

use crate::budget::Stop;
use crate::children::Children;
use crate::cursor::Truncated;
use crate::subject::Subject;
use crate::verdict::Reason;

/// Every unpacker. An object goes to each that recognises it, in this order.
pub static UNPACKERS: &[&dyn Unpacker] = &[
    &ace::Ace,
    &activemime::ActiveMime,
    &alz::Alz,
    &apm::Apm,
    &applesingle::AppleSingle,
    &ar::Ar,
    &arc::Arc,
    &arj::Arj,
    &autoit::AutoIt,
    &base64::Base64,
    &binhex::BinHex,
    &brotli::Brotli,
    &bzip2::Bzip2,
    &cab::Cab,
    &chm::Chm,
    &compress::Compress,
    &cpio::Cpio,
    &cramfs::Cramfs,
    &dmg::Dmg,
    &egg::Egg,
    &elf::Elf,
    &erofs::Erofs,
    &exfat::ExFat,
    &ext::Ext,
    &fat::Fat,
    &xmldocument::FLAT_ODF,
    &xmldocument::FLAT_OPC,
    &gpt::Gpt,
    &gzip::Gzip,
    &hfs::Hfs,
    &hfsplus::HfsPlus,
    &html::Html,
    &hwp3::Hwp3,
    &hwp5::Hwp5,
    &xmldocument::HWP_ML,
    &installshield::InstallShield,
    &iscab::IsCab,
    &iso9660::Iso9660,
    &kwaj::Kwaj,
    &lha::Lha,
    &lnk::Lnk,
    &lz4::Lz4,
    &lzfu::LzFu,
    &lzip::Lzip,
    &lzma::Lzma,
    &lzop::Lzop,
    &macbinary::MacBinary,
    &macho::MachO,
    &makeself::Makeself,
    &mbox::Mbox,
    &mbr::Mbr,
    &message::Message,
    &msg::Msg,
    &msi::Msi,
    &nsis::Nsis,
    &ntfs::Ntfs,
    &officecrypt::OfficeCrypt,
    &ole10native::Ole10Native,
    &ole2::Ole2,
    &onenote::OneNote,
    &packed::Packed,
    &pdf::Pdf,
    &pe::Pe,
    &pgp::Pgp,
    &pkcs7::Pkcs7,
    &ppt::Ppt,
    &qcow2::Qcow2,
    &rar::Rar,
    &sevenz::SevenZ,
    &rpm::Rpm,
    &rtf::Rtf,
    &script::Script,
    &shar::Shar,
    &shk::Shk,
    &sis::Sis,
    &squashfs::Squashfs,
    &swf::Swf,
    &szdd::Szdd,
    &tar::Tar,
    &tnef::Tnef,
    &udf::Udf,
    &upx::Upx,
    &uuencode::Uuencode,
    &vba::Vba,
    &vdi::Vdi,
    &vhd::Vhd,
    &vhdx::Vhdx,
    &vmdk::Vmdk,
    &warc::Warc,
    &wim::Wim,
    &xmldocument::WORD_ML,
    &xar::Xar,
    &xls::Xls,
    &xz::Xz,
    &zip::Zip,
    &zlib::Zlib,
    &zoo::Zoo,
    &zstd::Zstd,
];

/// Opens one format.
pub trait Unpacker: Sync {
    /// What the format is and how it is recognised.
    fn format(&self) -> &'static Format;

    /// Whether the object is, or may be, of this format. [`Subject::formats`] is still empty.
    fn recognises(&self, subject: &Subject<'_>) -> bool {
        self.format().matches(subject.bytes())
    }

    /// What gives the format away inside other data; empty if it is looked for at the start only.
    fn carved_by(&self) -> &'static [Magic] {
        &[]
    }

    /// Offers every member to `children`, which reads, meters and scans it.
    ///
    /// # Errors
    /// The [`Stop`] that `children` returned, or the reason why the *rest* stays unread; what was
    /// offered before counts.
    fn unpack(&self, subject: &Subject<'_>, children: &mut Children<'_>)
    -> Result<(), UnpackError>;
}

/// A format as documentation, configuration and tests see it.
#[derive(Debug)]
pub struct Format {
    /// One lower-case word, unique; the name in verdicts, options and test folders.
    pub name: &'static str,
    /// What it is, in one line.
    pub about: &'static str,
    /// The usual extensions, lower case, without the dot.
    pub extensions: &'static [&'static str],
    /// Bytes at fixed offsets, any of which is enough; empty if `recognises` does more.
    pub magic: &'static [Magic],
    /// The documents that define it.
    pub specification: &'static [&'static str],
    /// What is not read; empty means that all of it is.
    pub limitations: &'static [&'static str],
}

impl Format {
    /// Whether `bytes` carry one of the magics.
    #[must_use]
    pub fn matches(&self, bytes: &[u8]) -> bool {
        self.magic.iter().any(|magic| magic.matches(bytes))
    }
}

/// Bytes that a format has at a fixed offset.
#[derive(Debug, PartialEq, Eq)]
pub struct Magic {
    /// The offset from the start of the object.
    pub offset: usize,
    /// The bytes there.
    pub bytes: &'static [u8],
}

impl Magic {
    /// Bytes at the very start.
    #[must_use]
    pub const fn start(bytes: &'static [u8]) -> Self {
        Self { offset: 0, bytes }
    }

    /// Bytes at `offset`.
    #[must_use]
    pub const fn at(offset: usize, bytes: &'static [u8]) -> Self {
        Self { offset, bytes }
    }

    /// Whether `object` has them.
    #[must_use]
    pub fn matches(&self, object: &[u8]) -> bool {
        object.get(self.offset..).is_some_and(|rest| rest.starts_with(self.bytes))
    }
}

/// Why an unpacker did not come to the end of its object.
#[derive(Debug)]
#[non_exhaustive]
pub enum UnpackError {
    /// The rest stays unread.
    Reason(Reason),
    /// The scan is over.
    Stop(Stop),
}

impl From<Reason> for UnpackError {
    fn from(reason: Reason) -> Self {
        Self::Reason(reason)
    }
}

impl From<Stop> for UnpackError {
    fn from(stop: Stop) -> Self {
        Self::Stop(stop)
    }
}

impl From<Truncated> for UnpackError {
    fn from(truncated: Truncated) -> Self {
        Self::Reason(truncated.into())
    }
}

impl From<io::Error> for UnpackError {
    fn from(error: io::Error) -> Self {
        Self::Reason(Reason::from_io(&error))
    }
}
