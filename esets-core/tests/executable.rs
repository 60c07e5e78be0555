//! What is read of executables, and that no bytes make the reader fail.

use esets_core::{Database, Executable, ExecutableKind, Object, Scanner};
use proptest::prelude::*;

/// A PE32 file with one section `.text` of 512 bytes and its entry point in it, and `tail`.
fn small_pe(tail: &[u8]) -> Vec<u8> {
    let mut file = vec![0; 0x200];
    let mut put = |at: usize, bytes: &[u8]| {
        file.iter_mut().skip(at).zip(bytes).for_each(|(to, from)| *to = *from);
    };
    put(0, b"MZ");
    put(0x3c, &0x40_u32.to_le_bytes());
    put(0x40, b"PE\0\0\x4c\x01\x01\0");
    put(0x54, &0xe0_u16.to_le_bytes()); // size of the optional header
    put(0x58, &0x10b_u16.to_le_bytes());
    for (at, value) in [
        (0x68, 0x1010_u32), // entry point
        (0x74, 0x40_0000),  // image base
        (0x78, 0x1000),     // section alignment
        (0x7c, 0x200),      // file alignment
        (0x90, 0x2000),     // image size
        (0x94, 0x200),      // header size
        (0xb4, 16),         // directories
        (0x140, 0x123),     // virtual size
        (0x144, 0x1000),
        (0x148, 0x200),
        (0x14c, 0x200),
    ] {
        put(at, &value.to_le_bytes());
    }
    put(0x138, b".text");
    file.resize(0x400, 0x90);
    file.extend_from_slice(tail);
    file
}

#[test]
fn a_pe_file_is_placed_as_the_loader_places_it() {
    let file = small_pe(b"overlay");
    let executable = Executable::parse(&file).unwrap();
    assert_eq!(executable.kind, ExecutableKind::Pe32);
    assert_eq!(executable.image_base, 0x40_0000);
    let entry = executable.entry_point.unwrap();
    assert_eq!((entry.rva, entry.offset), (0x1010, Some(0x210)));
    let [section] = &executable.sections[..] else { panic!("one section") };
    assert_eq!(section.name, b".text");
    assert_eq!((section.rva, section.virtual_size), (0x1000, 0x1000));
    assert_eq!((section.offset, section.size), (0x200, 0x200));
    assert_eq!(section.stated_virtual_size, 0x123);
    assert_eq!(executable.overlay, Some(0x400));
    assert_eq!(executable.import_hash, None);
}

#[test]
fn a_section_behind_the_end_has_no_bytes() {
    let mut file = small_pe(b"");
    file.truncate(0x280);
    let executable = Executable::parse(&file).unwrap();
    assert_eq!(executable.sections[0].size, 0x80);
    assert_eq!(executable.sections[0].bytes(&file).len(), 0x80);
    assert_eq!(executable.overlay, None);
}

#[test]
fn the_test_itself_is_an_executable() {
    let file = std::fs::read(std::env::current_exe().unwrap()).unwrap();
    let executable = Executable::parse(&file).unwrap();
    assert!(executable.kind.is_elf() || executable.kind.is_macho() || executable.kind.is_pe());
    assert!(executable.entry_point.unwrap().offset.is_some());
    assert!(executable.sections.iter().any(|section| section.name.ends_with(b"text")));
    assert!(!executable.imports.is_empty());
    assert_eq!(executable.overlay, None);
}

/// A small program whose code can be written to, as that of packers.
fn small_stub(code: &[u8]) -> Vec<u8> {
    let mut file = small_pe(b"");
    file.iter_mut()
        .skip(0x15c)
        .zip(0xe000_0020_u32.to_le_bytes())
        .for_each(|(to, from)| *to = from);
    file.iter_mut().skip(0x210).zip(code).for_each(|(to, from)| *to = *from);
    file
}

#[test]
fn a_stub_that_never_ends_is_not_clean() {
    let scanner = Scanner::new(Database::embedded());
    let stub = small_stub(b"\xeb\xfe");
    let verdict = scanner.scan(&Object::new(&stub).named("stub"));
    let expected = "stub [packed,pe] 1024 ?unsupported: a packer that takes too long\n";
    assert_eq!(verdict.to_string(), expected);
}

#[test]
fn a_stub_that_does_nothing_unpacks_nothing() {
    let scanner = Scanner::new(Database::embedded());
    for code in [&b"\xc3"[..], b"\xcc", b"\x0f\x0b", b"\xf7\xf1", b"\xa1\0\0\0\0", b"\x0f\x05"] {
        let verdict = scanner.scan(&Object::new(&small_stub(code)).named("stub"));
        assert_eq!(verdict.to_string(), "stub [packed,pe] 1024\n");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_damage_makes_the_reader_fail(
        changes in prop::collection::vec((0_usize..0x400, any::<u8>()), 0..12),
        length in 0_usize..0x420,
    ) {
        let mut file = small_pe(b"some bytes behind the last section");
        for (at, byte) in changes {
            file[at] = byte;
        }
        file.truncate(length);
        if let Some(executable) = Executable::parse(&file) {
            for section in &executable.sections {
                prop_assert_eq!(section.bytes(&file).len() as u64, section.size);
            }
        }
    }

    #[test]
    fn no_bytes_behind_a_magic_make_the_reader_fail(
        magic in prop::sample::select(vec![
            &b"MZ"[..], b"\x7fELF\x01\x01", b"\x7fELF\x02\x01", b"\x7fELF\x02\x02",
            b"\xcf\xfa\xed\xfe", b"\xfe\xed\xfa\xce", b"\xca\xfe\xba\xbe",
        ]),
        rest in prop::collection::vec(any::<u8>(), 0..2048),
    ) {
        let file = [magic, &rest].concat();
        let _ = Executable::parse(&file);
    }

    #[test]
    fn no_code_makes_the_machine_fail(code in prop::collection::vec(any::<u8>(), 0..240)) {
        let verdict = Scanner::new(Database::embedded()).scan(&Object::new(&small_stub(&code)));
        prop_assert!(!verdict.to_string().contains("fault"), "{}", verdict);
    }
}
