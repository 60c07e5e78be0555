//! Mail messages as hostile input: RFC 5322, MIME (RFC 2045 to 2049, 2183, 2231) and what mail
//! programs make of messages that keep to none of them.
//!
//! Parsing never fails and copies no content. What can be read in several ways becomes several
//! parts, and every doubt is listed as a [`Defect`], so that a scanner can look at the union.
//!
//! ```
//! use esets_mime::{Limits, Message};
//!
//! let raw = b"Subject: =?utf-8?q?caf=C3=A9?=\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n\
//!     --x\r\nContent-Disposition: attachment; filename=\"a.bin\"\r\n\
//!     Content-Transfer-Encoding: base64\r\n\r\naGVsbG8=\r\n--x--\r\n";
//! let message = Message::parse(raw, &Limits::default());
//! assert_eq!(message.subject().as_deref(), Some("café"));
//! let attachment = message.leaves().next().unwrap();
//! assert_eq!(attachment.file_name().as_deref(), Some("a.bin"));
//! assert_eq!(attachment.decoded().to_vec(1 << 20), b"hello");
//! ```
//!
//! A leaf may be a message, or hold files without MIME, once it is decoded: ask
//! [`looks_like_message`] and [`inline::blocks`].

mod boundary;
mod bytes;
pub mod charset;
mod defect;
mod describe;
pub mod encoded_word;
mod field;
mod header;
pub mod inline;
mod limits;
pub mod mbox;
mod message;
mod parameter;
mod parse;
mod part;
mod reading;
mod recognise;
mod rewrite;
mod transfer;
mod value;

pub use defect::{Defect, Limit};
pub use describe::{MediaType, Partial};
pub use field::Field;
pub use limits::Limits;
pub use message::Message;
pub use part::{Kind, Part};
pub use recognise::looks_like_message;
pub use rewrite::Rewriter;
pub use transfer::{Decoded, Encoding};
