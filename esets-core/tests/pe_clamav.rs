//! ClamAV is the oracle for what signatures ask of PE files and of what lies around an object:
//! offsets from the entry point, from sections and in the version resource, keys of the target
//! description.
//!
//! It needs `clamscan`, `zip`, `tar` and `7z` (Debian packages `clamav`, `zip`, `tar`, `7zip`) and
//! fails without them.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test may panic"
)]
#![expect(clippy::disallowed_types, reason = "the oracle is a program")]

mod clamav;
#[path = "clamav/pe.rs"]
mod pe;

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use clamav::{Random, compare, hex};
use pe::{Pe, address};

fn index(random: &mut Random, limit: usize) -> usize {
    usize::try_from(random.below(limit as u64)).unwrap()
}

/// PE files of up to four sections of letters, some with data behind the last.
fn files(random: &mut Random, count: usize) -> Vec<(Vec<u8>, Vec<Vec<u8>>)> {
    let file = |random: &mut Random| {
        let sections: Vec<Vec<u8>> = (0..=random.below(4))
            .map(|_| {
                let size = 0x200 * (1 + random.below(3));
                random.letters("abcdefghijklmnop", size).into_bytes()
            })
            .collect();
        let number = index(random, sections.len());
        let place = u32::try_from(random.below(0x200)).unwrap();
        let (wide, entry) = (random.below(3) == 0, address(number) + place);
        let mut file = Pe { wide, sections: &sections, imports: 0, entry, resources: None }.build();
        if random.below(2) == 0 {
            let size = random.below(300);
            file.extend(random.letters("xyz", size).into_bytes());
        }
        (file, sections)
    };
    (0..count).map(|_| file(random)).collect()
}

/// Where the code begins that runs first.
fn entry_offset(file: &[u8]) -> usize {
    let number = |at: usize| {
        let bytes = file.get(at..at + 4).unwrap();
        usize::try_from(u32::from_le_bytes(bytes.try_into().unwrap())).unwrap()
    };
    let table = 0x58 + usize::from(u16::from_le_bytes([file[0x54], file[0x55]]));
    let section = table + 40 * (number(0x68) / 0x1000 - 1);
    number(section + 20) + number(0x68) % 0x1000
}

#[test]
fn offsets_in_pe_files() {
    let mut random = Random(21);
    let files = files(&mut random, 60);
    let mut ndb = String::new();
    for (number, (file, sections)) in files.iter().enumerate() {
        let headers = file.len() - file.iter().rev().take_while(|byte| **byte >= b'a').count();
        let entry = entry_offset(file);
        for form in 0..9 {
            let section = index(&mut random, sections.len());
            let before: usize = sections.iter().take(section).map(Vec::len).sum();
            let last = headers + sections.iter().rev().skip(1).map(Vec::len).sum::<usize>();
            let away = index(&mut random, 40);
            // Now and then it lies elsewhere than the signature says.
            let off = [0, 0, 0, 1].get(index(&mut random, 4)).unwrap();
            let (place, offset) = match form {
                0 => (entry + away, format!("EP+{}", away + off)),
                1 => (entry - away.min(entry), format!("EP-{}", away.min(entry) + off)),
                2 => {
                    (entry + away, format!("EP+{},{}", away / 2, away - away / 2 - off.min(&away)))
                }
                3 => (headers + before + away, format!("S{section}+{}", away + off)),
                4 => (headers + before + away, format!("S{section}+2,{}", away + off)),
                5 => (last + away, format!("SL+{}", away + off)),
                6 => (headers + before + away, format!("SE{}", section + off)),
                7 => (file.len() - 12 - away, format!("EOF-{}", 12 + away + off)),
                _ => (headers + away, format!("{}", headers + away + off)),
            };
            let Some(bytes) = file.get(place..place + 8) else { continue };
            // ClamAV refuses the places of executables for other targets.
            let target = if form < 7 { 1 } else { [1, 0][index(&mut random, 2)] };
            writeln!(ndb, "N{number}.{form}:{target}:{offset}:{}", hex(bytes)).unwrap();
        }
    }
    let objects: Vec<_> = files.into_iter().map(|(file, _)| file).collect();
    compare("pe-offsets", &[("a.ndb", ndb)], &objects);
}

#[test]
fn keys_of_the_target_description() {
    let mut random = Random(22);
    let files = files(&mut random, 60);
    let mut ldb = String::new();
    for (number, (file, sections)) in files.iter().enumerate() {
        let word = hex(sections.first().unwrap().get(5..17).unwrap());
        let off = index(&mut random, 2);
        let (entry, size, count) =
            (entry_offset(file) + off, file.len() + off, sections.len() + off);
        for (form, key) in [
            format!("EntryPoint:{entry}-{entry}"),
            format!("EntryPoint:{}-{}", entry - 1, entry + 5),
            format!("NumberOfSections:{count}-{count}"),
            format!("NumberOfSections:{count}-7"),
            format!("FileSize:{size}-{size}"),
            format!("FileSize:{}-{}", size.saturating_sub(9), size + 9),
            format!("FileSize:{size}-9999,NumberOfSections:1-2,EntryPoint:0-{entry}"),
        ]
        .iter()
        .enumerate()
        {
            writeln!(ldb, "L{number}.{form};Engine:81-255,{key},Target:1;0;{word}").unwrap();
        }
    }
    let objects: Vec<_> = files.into_iter().map(|(file, _)| file).collect();
    compare("pe-keys", &[("a.ldb", ldb)], &objects);
}

/// The same object alone and in containers, some in others.
fn packed(folder: &Path) -> Vec<Vec<u8>> {
    let _ = std::fs::remove_dir_all(folder);
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(folder.join("a"), "what is in here is needed for the case").unwrap();
    let line = "zip -q z.zip a; tar cf t.tar a; 7z a -bso0 s.7z a; gzip -k -n a
        zip -q -0 tz.zip t.tar; tar cf zt.tar z.zip; 7z a -bso0 zs.7z z.zip; gzip -k -n z.zip
        tar cf ztt.tar zt.tar; zip -q -0 ztz.zip zt.tar; tar cf tzt.tar tz.zip";
    let shell = Command::new("sh").args(["-ec", line]).current_dir(folder).status();
    assert!(shell.expect("a shell").success());
    let names = "a z.zip t.tar s.7z a.gz tz.zip zt.tar zs.7z z.zip.gz ztt.tar ztz.zip tzt.tar";
    names.split(' ').map(|name| std::fs::read(folder.join(name)).unwrap()).collect()
}

#[test]
fn what_lies_around_an_object() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("around-packed");
    let objects = packed(&folder);
    let (mut ldb, word) = (String::new(), hex(b"in here is needed"));
    let kinds = ["ANY", "ZIP", "POSIX_TAR", "7Z", "GZ"];
    for kind in kinds {
        writeln!(ldb, "C.{kind};Engine:81-255,Container:CL_TYPE_{kind},Target:0;0;{word}").unwrap();
        for outer in kinds.iter().skip(1).filter(|_| kind != "ANY") {
            writeln!(
                ldb,
                "I.{outer}.{kind};Engine:81-255,Intermediates:CL_TYPE_{outer}>CL_TYPE_{kind},\
                 Target:0;0;{word}"
            )
            .unwrap();
        }
    }
    ldb += &format!(
        "I3;Engine:81-255,Intermediates:CL_TYPE_ZIP>CL_TYPE_POSIX_TAR>CL_TYPE_ZIP,Target:0;0;{word}\n"
    );
    compare("around", &[("a.ldb", ldb)], &objects);
}

fn wide(text: &str) -> Vec<u8> {
    text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect()
}

/// A block of a version resource: its length, that of its value, whether that is text, its key,
/// what is in it; all at multiples of four.
fn block(key: &str, value: &[u8], is_text: u16, inner: &[Vec<u8>]) -> Vec<u8> {
    let pad = |bytes: &mut Vec<u8>| bytes.resize(bytes.len().next_multiple_of(4), 0);
    let mut body = vec![0; 6];
    body.extend(wide(key));
    pad(&mut body);
    body.extend(value);
    for inner in inner {
        pad(&mut body);
        body.extend(inner);
    }
    let count = if is_text == 1 { value.len() / 2 } else { value.len() };
    let head = [body.len(), count, usize::from(is_text)];
    for (at, number) in head.into_iter().enumerate() {
        let number = u16::try_from(number).unwrap().to_le_bytes();
        body.iter_mut().skip(at * 2).zip(number).for_each(|(to, from)| *to = from);
    }
    body
}

/// A section of resources, at `address`, of which the version is the only one.
fn resources(address: u32, strings: &[(String, String)]) -> Vec<u8> {
    let string = |(key, value): &(String, String)| block(key, &wide(value), 1, &[]);
    let strings: Vec<_> = strings.iter().map(string).collect();
    let table = block("040904b0", b"", 1, &strings);
    let info = block("StringFileInfo", b"", 1, &[table]);
    let mut fixed = vec![0; 52];
    fixed.splice(..4, 0xfeef_04bd_u32.to_le_bytes());
    let version = block("VS_VERSION_INFO", &fixed, 0, &[info]);
    let mut section = Vec::new();
    for (name, next) in [(16, 0x8000_0018), (1, 0x8000_0030), (0x409, 0x48)] {
        section.extend([0; 12]);
        section.extend([0, 0, 1, 0]);
        section.extend(u32::to_le_bytes(name));
        section.extend(u32::to_le_bytes(next));
    }
    let size = u32::try_from(version.len()).unwrap();
    section.extend([address + 0x58, size, 0, 0].into_iter().flat_map(u32::to_le_bytes));
    section.extend(version);
    section.resize(section.len().next_multiple_of(0x200), 0);
    section
}

#[test]
fn strings_of_the_version_resource() {
    let mut random = Random(23);
    let (mut ndb, mut objects) = (String::new(), Vec::new());
    for number in 0..40 {
        // ClamAV does not look at the last string.
        let names = ["CompanyName", "FileDescription", "InternalName", "Comments", "Last"];
        let string = |name: &&str| {
            let length = 3 + random.below(12);
            (name.to_string(), random.letters("abcdef ", length))
        };
        let strings: Vec<_> = names.iter().map(string).collect();
        let code = random.letters("abc", 0x200).into_bytes();
        let sections = [code, resources(address(1), &strings)];
        for (form, (key, value)) in strings.iter().take(4).enumerate() {
            let (key, value) = (wide(key), wide(value));
            let both =
                [&*key, &vec![0; (6 + key.len()).next_multiple_of(4) - 6 - key.len()], &value];
            let bytes = match random.below(4) {
                0 => both.concat(),
                1 => key,
                2 => value,
                _ => key.get(2..).unwrap().to_vec(),
            };
            writeln!(ndb, "V{number}.{form}:1:VI:{}", hex(&bytes)).unwrap();
        }
        let file = Pe {
            wide: number % 3 == 0,
            sections: &sections,
            imports: 0,
            entry: 0x1000,
            resources: Some(1),
        };
        objects.push(file.build());
    }
    compare("pe-version", &[("a.ndb", ndb)], &objects);
}
