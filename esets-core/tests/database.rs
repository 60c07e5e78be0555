//! Compiled databases: the embedded one, damaged ones, and that equal sources give equal bytes.

use bytes::Bytes;
use esets_core::signature::{Expression, LogicalSignature, SourceFile, Sub, Target, compile};
use esets_core::{
    Class, Database, DatabaseBuilder, DatabaseError, Limit, Object, Options, Reason, Scanner,
    SignatureKind, compile_default,
};
use proptest::prelude::*;

/// The EICAR test file, put together here so that this file is not taken for it.
fn eicar() -> Vec<u8> {
    [&br"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS"[..], b"-TEST-FILE!$H+H*"].concat()
}

fn found(database: &Database, object: &[u8]) -> Vec<String> {
    let scanner = Scanner::new(database.clone());
    let verdict = scanner.scan(&Object::new(object));
    verdict.threats().map(|(_, detection)| detection.name.clone()).collect()
}

fn sample() -> Vec<u8> {
    let bodies = b"A:0:*:6162636465*6768\nB:7:EOF-9,4:(61|6263)6465??{2-5}66\nC:1:EP+0:9090";
    let digests = b"900150983cd24fb0d6963f7d28e17f72:3:Abc\n\
        a9993e364706816aba3e25717850c26c9cd0d89d:*:Abc-1";
    let allowed = b"e2fc714c4727ee9395f324cd2e7f331f:4:Abcd";
    let sources = [("s.ndb", &bodies[..]), ("s.hdb", digests), ("s.fp", allowed)];
    let (bytes, loaded) =
        compile("sample", sources.iter().map(|(name, bytes)| SourceFile::new(name, bytes)));
    assert_eq!((loaded.added, loaded.rejected.len()), (6, 0));
    bytes
}

#[test]
fn the_embedded_database_is_what_its_sources_compile_to() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/database/default.dat");
    let (bytes, loaded) = compile_default();
    assert_eq!(loaded.rejected, []);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, &bytes).unwrap();
    }
    let committed = std::fs::read(path).unwrap();
    assert!(committed == bytes, "default.dat is not current: run `cargo xtask database`");
}

#[test]
fn the_embedded_database_is_sound_and_finds_the_test_file() {
    let database = Database::embedded();
    assert_eq!(database.verify(), Ok(()));
    assert_eq!(database.counts().total(), 5);
    assert_eq!(found(&database, &eicar()), ["Eicar test file"]);
    let inside = [b"before ", &eicar()[..], b" behind"].concat();
    assert_eq!(found(&database, &inside), ["Eicar test file"]);
    assert_eq!(found(&database, &eicar()[1..]), [""; 0]);
}

#[test]
fn no_file_of_the_repository_holds_the_test_file_in_the_clear() {
    let (compiled, _) = compile_default();
    let head = &eicar()[..24];
    assert!(!compiled.windows(head.len()).any(|window| window == head));
}

#[test]
fn unwanted_and_unsafe_markers_are_found_when_asked_for() {
    let text = include_str!("../signatures/README.md");
    let names = |options: Options| {
        let scanner = Scanner::new(Database::embedded()).with_options(options);
        let verdict = scanner.scan(&Object::new(text.as_bytes()));
        let names = verdict.threats().map(|(_, detection)| detection.name.clone());
        let mut names: Vec<_> = names.collect();
        names.sort();
        names.join(" ")
    };
    let mut options = Options::default();
    assert_eq!(names(options.clone()), "ESETS.Test.Marker");
    options.unwanted_applications = true;
    assert_eq!(names(options.clone()), "ESETS.Test.Marker PUA.ESETS.Test.Marker");
    options.unsafe_applications = true;
    let all = "ESETS.Test.Marker PUA.ESETS.Test.Marker PUsA.ESETS.Test.Marker";
    assert_eq!(names(options), all);
}

#[test]
fn equal_sources_give_equal_bytes_and_the_counts_stand_in_them() {
    assert_eq!(sample(), sample());
    let database = Database::from_bytes(sample()).unwrap();
    assert_eq!(database.version(), "sample");
    let counts: Vec<_> =
        database.counts().iter().map(|(kind, count)| (kind.name(), count)).collect();
    assert_eq!(counts, [("allowed", 1), ("body", 3), ("digest", 2)]);
    assert_eq!(database.counts().of(SignatureKind::Body), 3);
}

#[test]
fn digests_are_matched_by_size_and_an_allow_list_has_the_last_word() {
    let database = Database::from_bytes(sample()).unwrap();
    assert_eq!(found(&database, b"abc"), ["Abc", "Abc-1"]);
    assert_eq!(found(&database, b"abd"), [""; 0]);
    let source = b"e2fc714c4727ee9395f324cd2e7f331f:4:Abcd";
    let deny = SourceFile::new("a.hdb", source);
    let allow = SourceFile::new("a.fp", source);
    let database = |sources: Vec<SourceFile<'_>>| Database::from_bytes(compile("", sources).0);
    assert_eq!(found(&database(vec![deny]).unwrap(), b"abcd"), ["Abcd"]);
    assert_eq!(found(&database(vec![deny, allow]).unwrap(), b"abcd"), [""; 0]);
}

#[test]
fn what_is_no_database_is_refused() {
    let refusal = |bytes: &[u8]| Database::from_bytes(bytes.to_vec()).unwrap_err();
    assert_eq!(refusal(b""), DatabaseError::Foreign);
    assert_eq!(refusal(b"PK\x03\x04 and so on"), DatabaseError::Foreign);
    let mut newer = sample();
    newer[8] = 99;
    let message = refusal(&newer).to_string();
    assert!(message.starts_with("database format 99, but this version reads"), "{message}");
    let longer = [&sample()[..], b"x"].concat();
    assert_eq!(refusal(&longer), DatabaseError::Damaged("length"));
}

#[test]
fn a_truncated_database_is_refused_at_every_length() {
    let whole = sample();
    for length in 0..whole.len() {
        let cut = Bytes::copy_from_slice(&whole[..length]);
        assert!(Database::from_bytes(cut).is_err(), "{length} of {}", whole.len());
    }
}

#[test]
fn a_flipped_byte_is_noticed_by_verify_and_harms_no_scan() {
    let whole = sample();
    for (at, mask) in (0..whole.len()).flat_map(|at| [(at, 0x01), (at, 0xff)]) {
        let mut flipped = whole.clone();
        flipped[at] ^= mask;
        if let Ok(database) = Database::from_bytes(flipped) {
            assert!(database.verify().is_err(), "byte {at}");
            found(&database, b"abcdefgh abcdefgh");
            found(&database, b"abc");
            let _ = (database.counts(), database.version().len());
        }
    }
}

#[test]
fn an_object_made_to_cost_is_given_up_and_says_so() {
    let body = format!("Costly:0:*:{}(62|63)(62|63)", "61{0-4000}6161".repeat(40));
    let (bytes, loaded) = compile("", [SourceFile::new("a.ndb", body.as_bytes())]);
    assert_eq!(loaded.rejected, []);
    let scanner = Scanner::new(Database::from_bytes(bytes).unwrap());
    let verdict = scanner.scan(&Object::new(&[b'a'; 300_000]));
    let reasons: Vec<_> = verdict.reasons().map(|(_, reason)| reason.clone()).collect();
    assert_eq!(reasons, [Reason::Limit(Limit::Comparisons)]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_bytes_behind_a_sound_table_are_safe(
        noise in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..40),
    ) {
        let mut bytes = sample();
        let front = 56_usize.strict_add(usize::from(bytes[12]).strict_mul(20));
        for (index, byte) in noise {
            *index.get_mut(bytes.split_at_mut(front).1) = byte;
        }
        let database = Database::from_bytes(bytes).unwrap();
        found(&database, b"abcdefgh abcdefgh");
        found(&database, b"abc");
    }
}

/// The loader refuses this; a caller's own signature or a forged database may have it.
#[test]
fn a_regular_expression_that_waits_for_itself_is_not_found() {
    let sub = Sub::parse("0/abc/").unwrap();
    let mut builder = DatabaseBuilder::new();
    let any = Sub::parse("616263646566").unwrap();
    let signature = LogicalSignature {
        name: "Test.Loop",
        class: Class::Malware,
        target: Target::Any,
        conditions: Vec::new(),
        expression: Expression::All(vec![Expression::Sub(1), Expression::Sub(0)]),
        subs: vec![sub, any],
    };
    builder.add_logical(&signature).unwrap();
    let database = Database::from_bytes(Bytes::from(builder.build())).unwrap();
    assert_eq!(found(&database, b"abcdef"), Vec::<String>::new());
}
