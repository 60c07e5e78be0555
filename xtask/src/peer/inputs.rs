//! Files to scan: mail and documents are written here, programs are those of this machine.

use std::fs;
use std::path::{Path, PathBuf};

use super::{KINDS, Random, text, walk};

/// Fills `folder` with a folder of each kind, unless it is there.
pub(super) fn generate(folder: &Path) -> Result<PathBuf, String> {
    if folder.join("done").exists() {
        return Ok(folder.to_path_buf());
    }
    for kind in KINDS {
        fs::create_dir_all(folder.join(kind)).map_err(text)?;
    }
    let programs = programs();
    let mut random = Random(7);
    for number in 0..100 {
        let attachment = cut(&programs.0, &mut random, 30_000);
        write(folder, "mail", number, &mail(&mut random, &attachment))?;
        write(folder, "documents", number, &page(&mut random))?;
    }
    for (kind, list) in [("elf", &programs.0), ("pe", &programs.1)] {
        let mut left = 10_000_000_usize;
        for (number, bytes) in list.iter().enumerate() {
            if let Some(rest) = left.checked_sub(bytes.len()) {
                left = rest;
                write(folder, kind, number, bytes)?;
            }
        }
    }
    fs::write(folder.join("done"), "").map_err(text)?;
    Ok(folder.to_path_buf())
}

fn write(folder: &Path, kind: &str, number: usize, bytes: &[u8]) -> Result<(), String> {
    fs::write(folder.join(kind).join(number.to_string()), bytes).map_err(text)
}

/// ELF and PE files of this machine, each once, none larger than 4 MB.
fn programs() -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
    let (mut elf, mut pe) = (Vec::new(), Vec::new());
    let home = std::env::var("HOME").unwrap_or_else(|_| "/root".into());
    let folders = ["/usr/bin", "/usr/lib", "/opt", &home].map(PathBuf::from);
    for path in folders.iter().flat_map(|folder| walk(folder)) {
        let size = fs::metadata(&path).map_or(0, |data| data.len());
        let ends = |end: &str| path.extension().is_some_and(|it| it == end);
        let may_be = ends("exe") || ends("dll") || ends("so") || path.extension().is_none();
        if !(10_000..4_000_000).contains(&size) || !may_be {
            continue;
        }
        let bytes = fs::read(&path).unwrap_or_default();
        if bytes.starts_with(b"\x7fELF") && elf.len() < 400 {
            elf.push(bytes);
        } else if bytes.starts_with(b"MZ") && !pe.contains(&bytes) {
            pe.push(bytes);
        }
    }
    (elf, pe)
}

fn cut(files: &[Vec<u8>], random: &mut Random, length: usize) -> Vec<u8> {
    let Some(file) = files.get(random.next() % files.len().max(1)) else { return Vec::new() };
    let start = random.next() % file.len();
    file[start..].iter().copied().take(length).collect()
}

fn sentence(random: &mut Random) -> String {
    let words = [
        "please",
        "find",
        "the",
        "report",
        "of",
        "last",
        "month",
        "attached",
        "invoice",
        "number",
        "we",
        "thank",
        "you",
        "for",
        "your",
        "order",
        "and",
        "meeting",
        "https://example.org/a",
        "on",
        "Tuesday",
        "regards",
        "account",
        "update",
        "a",
        "to",
        "in",
        "is",
        "not",
        "with",
    ];
    let count = 6 + random.next() % 12;
    let mut text: Vec<&str> = (0..count).map(|_| words[random.next() % words.len()]).collect();
    text.push("\r\n");
    text.join(" ")
}

fn mail(random: &mut Random, attachment: &[u8]) -> Vec<u8> {
    let lines = |random: &mut Random| (0..30).map(|_| sentence(random)).collect::<String>();
    let (plain, html) = (lines(random), lines(random));
    let encoded = base64(attachment);
    format!(
        "From: <a{0}@example.org>\r\nTo: b@example.net\r\nSubject: {0}\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=\"x\"\r\n\r\n--x\r\nContent-Type: text/plain\r\n\r\n\
         {plain}\r\n--x\r\nContent-Type: text/html\r\n\r\n<html><body><p>{html}</p></body></html>\r\n\
         --x\r\nContent-Type: application/octet-stream; name=\"a.bin\"\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n{encoded}\r\n--x--\r\n",
        random.next()
    )
    .into_bytes()
}

fn page(random: &mut Random) -> Vec<u8> {
    let mut page =
        String::from("<!DOCTYPE html>\n<html><head><title>Report</title></head><body>\n");
    for number in 0..400 {
        let text = sentence(random);
        page += &format!("<div class=\"row r{number}\"><a href=\"#{number}\">{text}</a></div>\n");
    }
    page += "<script>var total = 0; for (var i = 0; i < 9; i++) { total += i; }</script></body>";
    page.into_bytes()
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for line in bytes.chunks(57) {
        for group in line.chunks(3) {
            let at = |place: usize| u32::from(group.get(place).copied().unwrap_or_default());
            let bits = at(0) << 16 | at(1) << 8 | at(2);
            for digit in 0..4 {
                let index = (bits >> (18 - 6 * digit) & 63) as usize;
                let is_there = digit as usize <= group.len();
                text.push(if is_there { char::from(DIGITS[index]) } else { '=' });
            }
        }
        text.push_str("\r\n");
    }
    text
}
