//! What a scan costs does not depend on how many signatures there are: the same allocations when a
//! database of a thousand or a million is opened and objects are scanned, nearly the same work.
//!
//! Work is the number of instructions that `valgrind` (Debian package of this name) counts.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "instructions are counted by a program that runs this one, told by its environment"
)]
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test may panic"
)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use allocation_counter::measure;
use esets_core::signature::{SourceFile, compile};
use esets_core::{Database, Object, Scanner};
use libtest_mimic::{Arguments, Failed, Trial};

fn main() -> ExitCode {
    if let Some(path) = std::env::var_os("SCALE_DATABASE") {
        let rounds = std::env::var("SCALE_ROUNDS").unwrap().parse().unwrap();
        let scanner = Scanner::new(Database::from_bytes(std::fs::read(path).unwrap()).unwrap());
        let objects = match std::env::var_os("SCALE_OBJECT") {
            Some(path) => vec![std::fs::read(path).unwrap()],
            None => objects(),
        };
        (0..rounds).for_each(|_| scan_all(&scanner, &objects));
        return ExitCode::SUCCESS;
    }
    let trials = vec![Trial::test("scale", scale), Trial::test("attacks", attacks)];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// The same numbers in every run (Knuth's MMIX generator).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u32 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u32::try_from(self.0 >> 33).unwrap()
    }

    fn hex(&mut self, bytes: usize) -> String {
        (0..bytes).map(|_| format!("{:02x}", self.next() >> 5 & 0xff)).collect()
    }
}

/// Signatures as lines: two kinds of digests, patterns, logical signatures.
type Sources = [String; 4];

/// So many signatures: 95 % digests, the rest patterns and logical signatures, as in public sets.
fn sources(count: u32) -> Sources {
    let mut random = Random(u64::from(count));
    let [mut hdb, mut hsb, mut ndb, mut ldb] = [const { String::new() }; 4];
    for number in 0..count {
        // No object has such a size: digesting what may be listed is work that has to be done.
        let size = 10_000 + random.next() % 500_000;
        match number % 40 {
            0 => writeln!(ndb, "B{number}:0:*:{}", random.hex(16)),
            1 => writeln!(
                ldb,
                "L{number};Engine:51-255,Target:0;0&1;{};{}",
                random.hex(12),
                random.hex(9)
            ),
            even if even % 2 == 0 => writeln!(hdb, "{}:{size}:M{number}", random.hex(16)),
            _ => writeln!(hsb, "{}:{size}:S{number}", random.hex(32)),
        }
        .unwrap();
    }
    [hdb, hsb, ndb, ldb]
}

fn database(sources: &Sources) -> Vec<u8> {
    let named = ["a.hdb", "a.hsb", "a.ndb", "a.ldb"].into_iter().zip(sources);
    let (bytes, loaded) = compile("", named.map(|(name, it)| SourceFile::new(name, it.as_bytes())));
    assert_eq!(loaded.rejected, []);
    bytes
}

/// Texts, and bytes of every kind, of many sizes.
fn objects() -> Vec<Vec<u8>> {
    let mut random = Random(1);
    let words = ["the ", "of ", "signature ", "<b>", "http://", "0x8b45, ", "\r\n", "Subject: "];
    let text = |random: &mut Random, size: usize| {
        let mut text = String::new();
        while text.len() < size {
            text += words[random.next() as usize % words.len()];
        }
        text.into_bytes()
    };
    let binary = |random: &mut Random, size: usize| {
        (0..size).map(|_| (random.next() & random.next() & 0xff).try_into().unwrap()).collect()
    };
    let mut objects = Vec::new();
    for size in (0..40).map(|step| 200 + step * 173) {
        objects.push(text(&mut random, size));
        objects.push(binary(&mut random, size));
    }
    objects
}

fn scan_all(scanner: &Scanner, objects: &[Vec<u8>]) {
    for object in objects {
        assert_eq!(scanner.scan(&Object::new(object)).threats().count(), 0);
    }
}

fn scale() -> Result<(), Failed> {
    let [few, many] = [1_000, 1_000_000].map(|count| {
        let bytes = database(&sources(count));
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("scale-{count}.dat"));
        std::fs::write(&path, &bytes).unwrap();
        (bytes::Bytes::from(bytes), path)
    });
    // What is built once in a process is not of interest.
    scan_all(&Scanner::new(Database::default()), &objects());
    let objects = objects();
    let [of_few, of_many] = [&few.0, &many.0].map(|bytes| {
        measure(|| scan_all(&Scanner::new(Database::from_bytes(bytes.clone()).unwrap()), &objects))
    });
    println!("allocations: {} and {}", of_few.count_total, of_many.count_total);
    println!("bytes: {} and {}", of_few.bytes_max, of_many.bytes_max);
    let calls = of_few.count_total.abs_diff(of_many.count_total);
    if calls * 100 > of_few.count_total || of_few.bytes_max != of_many.bytes_max {
        return Err("a large database allocates more".into());
    }
    let work = [few.1, many.1].map(|path| work(&path, None));
    println!("instructions: {} and {}", work[0], work[1]);
    if work[1] * 10 > work[0] * 12 {
        return Err("a large database makes more work".into());
    }
    Ok(())
}

/// Objects made to cost: none may take more than five times the work of an honest one.
fn attacks() -> Result<(), Failed> {
    let sources = sources(200_000);
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let path = folder.join("attacked.dat");
    std::fs::write(&path, database(&sources)).unwrap();
    let bodies: Vec<Vec<u8>> =
        sources[2].lines().map(|line| unhex(line.rsplit(':').next().unwrap())).collect();
    let spoilt = bodies.iter().flat_map(|body| {
        let mut body = body.clone();
        *body.last_mut().unwrap() ^= 1;
        body
    });
    let honest = objects().concat();
    let attacks: [(&str, Vec<u8>); 6] = [
        ("honest", honest.iter().copied().cycle().take(SIZE).collect()),
        ("zeros", vec![0; SIZE]),
        ("letters", vec![b'a'; SIZE]),
        ("a prefix", bodies[7][..12].iter().copied().cycle().take(SIZE).collect()),
        ("the sources", sources[2].bytes().chain(sources[3].bytes()).take(SIZE).collect()),
        ("spoilt bodies", spoilt.take(SIZE).collect()),
    ];
    let mut costs = Vec::new();
    for (name, object) in &attacks {
        let file = folder.join("attack");
        std::fs::write(&file, object).unwrap();
        let cost = work(&path, Some(&file)) / object.len() as u64;
        println!("{name}: {cost} instructions per byte");
        costs.push((name, cost));
    }
    let least = costs[0].1;
    match costs.iter().find(|(_, cost)| *cost > 5 * least) {
        Some((name, cost)) => Err(format!("{name}: {cost}, honest: {least}").into()),
        None => Ok(()),
    }
}

/// The length of an attack.
const SIZE: usize = 256 << 10;

fn unhex(digits: &str) -> Vec<u8> {
    let pairs = digits.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
    pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

/// How many instructions it takes to scan the objects, or one of a file.
fn work(path: &Path, object: Option<&Path>) -> u64 {
    instructions(path, object, 2) - instructions(path, object, 1)
}

/// How many instructions it takes to open a database and scan the objects so many times.
fn instructions(path: &Path, object: Option<&Path>, rounds: u32) -> u64 {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(std::env::current_exe().unwrap())
        .env("SCALE_DATABASE", path)
        .env("SCALE_ROUNDS", rounds.to_string())
        .envs(object.map(|object| ("SCALE_OBJECT", object)))
        .output()
        .expect("valgrind, of Debian's package of this name");
    let report = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{report}");
    let collected = report.lines().find_map(|line| line.split_once("Collected : "));
    collected.expect("a count").1.trim().parse().expect("a number")
}
