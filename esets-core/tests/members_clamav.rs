//! ClamAV is the oracle for signatures of what a container says of its members: `.cdb`, `.zmd`,
//! over containers that real tools make.
//!
//! It needs `clamscan` and the packers (Debian packages `clamav`, `zip`, `7zip`, `arj`, `gcab`,
//! `cpio`, `tar`) and fails without them.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test may panic"
)]
#![expect(clippy::disallowed_types, reason = "the oracle is a program")]

mod clamav;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use clamav::{Random, compare};

/// What is packed: names and contents, of which the sizes differ.
fn files(random: &mut Random) -> Vec<(&'static str, Vec<u8>)> {
    let names = ["readme.txt", "setup.EXE", "in/photo.jpg", "in/deep/letter.doc", "a[1].b-c"];
    let content = |random: &mut Random| {
        let length = 40 + random.below(400);
        random.letters("abcdef ghi.", length).into_bytes()
    };
    names.into_iter().map(|name| (name, content(random))).collect()
}

/// A shell line of a packer for each kind of container.
static PACKERS: &[(&str, &str)] = &[
    ("zip", "zip -q out readme.txt setup.EXE in/photo.jpg in/deep/letter.doc 'a[1].b-c'"),
    ("zip", "zip -q -0 out setup.EXE in/photo.jpg"),
    ("zip", "zip -q -P secret out readme.txt in/photo.jpg"),
    ("7z", "7z a -bso0 out in/photo.jpg setup.EXE readme.txt"),
    ("7z", "7z a -bso0 -psecret out setup.EXE"),
    ("arj", "arj a -i1 -e1 out readme.txt setup.EXE in/photo.jpg >&2"),
    ("cab", "gcab -c out.cab readme.txt setup.EXE 'a[1].b-c'"),
    ("tar", "tar cf out.tar readme.txt setup.EXE in/photo.jpg in/deep/letter.doc"),
    ("tar", "tar --format=v7 -cf out.tar in/photo.jpg setup.EXE"),
    ("cpio", "ls readme.txt setup.EXE in/photo.jpg | cpio --quiet -o -H newc > out.cpio"),
    ("cpio", "ls readme.txt in/deep/letter.doc | cpio --quiet -o -H odc > out.cpio"),
];

/// The containers that real packers make of the files.
fn containers(folder: &Path, random: &mut Random) -> Vec<Vec<u8>> {
    let mut containers = Vec::new();
    for (extension, line) in PACKERS {
        let _ = std::fs::remove_dir_all(folder);
        for (name, content) in files(random) {
            let path = folder.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        let mut shell = Command::new("sh");
        shell.args(["-c", line]).current_dir(folder).stderr(Stdio::null());
        assert!(shell.status().expect("a shell").success(), "{line}");
        let out: PathBuf = folder.join(format!("out.{extension}"));
        containers.push(std::fs::read(out).unwrap());
    }
    containers.extend((0..3).map(|_| mail(&files(random))));
    containers
}

fn mail(files: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut mail = "From: a@example.org\r\nTo: b@example.org\r\nSubject: files\r\n\
        MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"line\"\r\n\r\n"
        .to_owned();
    // ClamAV writes `_` for brackets in the names of parts.
    for (name, content) in files.iter().filter(|(name, _)| !name.contains('[')) {
        let name = name.rsplit('/').next().unwrap();
        let text = base64(content);
        mail += &format!(
            "--line\r\nContent-Type: application/octet-stream; name=\"{name}\"\r\n\
             Content-Disposition: attachment; filename=\"{name}\"\r\n\
             Content-Transfer-Encoding: base64\r\n\r\n{text}\r\n"
        );
    }
    mail += "--line--\r\n";
    mail.into_bytes()
}

fn base64(bytes: &[u8]) -> String {
    let digit = |bits: u32| {
        let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        char::from(*digits.get(usize::try_from(bits & 63).unwrap()).unwrap())
    };
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or_default());
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        let digits = [18, 12, 6, 0].map(|shift| digit(bits >> shift));
        text.extend(digits.iter().take(chunk.len() + 1));
        text.extend(std::iter::repeat_n('=', 3 - chunk.len()));
    }
    text
}

/// Lines of `.cdb` that ask for what containers of the corpus may say.
fn lines(random: &mut Random, containers: &[Vec<u8>]) -> String {
    let types = ["*", "ZIP", "7Z", "ARJ", "MSCAB", "POSIX_TAR", "OLD_TAR", "CPIO_NEWC", "MAIL"];
    let names = [
        "*",
        "*",
        r"\.EXE$",
        "(?i)setup",
        r"(exe|jpg|doc)$",
        "^readme",
        r"^in[/\\]",
        r"o.*[0-9]?\.[a-t]{3}$",
        r"a\[1\]\.b-c",
        r"photo|letter",
        r"p\hoto",
    ];
    let sizes = ["*", "*", "*", "0", "40-200", "200-0", "0-100", "43", "100-100"];
    let mut lines = String::new();
    for number in 0..400 {
        let kind = match random.pick(&types) {
            "*" => "*".to_owned(),
            kind => format!("CL_TYPE_{kind}"),
        };
        let whole = containers.get(usize::try_from(random.below(14)).unwrap()).unwrap().len();
        let whole = match random.below(6) {
            0 => whole.to_string(),
            1 => format!("{}-{}", whole - 10, whole + 500),
            _ => "*".to_owned(),
        };
        let name = random.pick(&names);
        let (packed, size) = (random.pick(&sizes), random.pick(&sizes));
        let position = random.pick(&["*", "*", "*", "0", "1", "2", "1-2", "2-0"]);
        let encrypted = random.pick(&["*", "*", "*", "0", "1"]);
        // ClamAV reads a checksum but asks for none.
        let parts = [name, packed, size, encrypted, position, "*"].join(":");
        lines += &format!("C{number}:{kind}:{whole}:{parts}:*\n");
    }
    lines
}

#[test]
fn members_of_containers_are_found_as_clamav_finds_them() {
    let mut random = Random(5);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("members-packed");
    let containers = containers(&folder, &mut random);
    let lines = lines(&mut random, &containers);
    let old = "Z1:0:EXE$:*:*:*:*:2:*\nZ2:*:*:*:*:*:*:1:*\nZ3:1:photo:*:*:*:*:*:*\n".to_owned();
    compare("members", &[("a.cdb", lines), ("a.zmd", old)], &containers);
}
