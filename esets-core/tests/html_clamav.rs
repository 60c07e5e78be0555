//! The views of HTML: ClamAV leaves those that it makes in a folder, and ours must be the same.
//!
//! Their digests are signatures that our views must match. What the two are known to write
//! differently stands in `docs/clamav-differences.md` and is not generated here.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test may panic"
)]
#![expect(clippy::disallowed_types, reason = "the oracle is a program")]

mod clamav;

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use clamav::{Random, compare, hex};
use esets_core::signature::{SourceFile, compile};
use esets_core::{Database, Limit, Limits, Object, Reason, Scanner};
use sha2::Digest as _;

/// The views that `clamscan` leaves of a page: (name, content).
fn their_views(folder: &Path, page: &[u8]) -> Vec<(String, Vec<u8>)> {
    let _ = std::fs::remove_dir_all(folder);
    let left = folder.join("left");
    std::fs::create_dir_all(&left).unwrap();
    std::fs::write(folder.join("a.ndb"), "Nothing:0:*:deadbeefdeadbeef\n").unwrap();
    std::fs::write(folder.join("page"), page).unwrap();
    let status = Command::new("clamscan")
        .arg("--database")
        .arg(folder.join("a.ndb"))
        .args(["--leave-temps", "--quiet", "--bytecode=no"])
        .arg(format!("--tempdir={}", left.display()))
        .arg(folder.join("page"))
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(0));
    let mut views = Vec::new();
    collect(&left, &mut views);
    views
}

fn collect(folder: &Path, views: &mut Vec<(String, Vec<u8>)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_string();
        if path.is_dir() {
            collect(&path, views);
        } else if ["nocomment.html", "notags.html", "javascript"].contains(&&*name) {
            views.push((name, std::fs::read(path).unwrap()));
        }
    }
}

fn scanner(sources: &[(&str, &str)]) -> Scanner {
    let files = sources.iter().map(|(name, lines)| SourceFile::new(name, lines.as_bytes()));
    let (bytes, loaded) = compile("", files);
    assert_eq!(loaded.rejected, []);
    Scanner::new(Database::from_bytes(bytes).unwrap())
}

fn names(scanner: &Scanner, page: &[u8]) -> Vec<String> {
    let verdict = scanner.scan(&Object::new(page));
    let mut names: Vec<_> = verdict.threats().map(|(_, threat)| threat.name.clone()).collect();
    names.sort();
    names.dedup();
    names
}

/// Views are made if a signature may lie in one.
const ASKS: (&str, &str) = ("a.ndb", "Asks:3:*:deadbeefdeadbeef\n");

fn same_views(case: &str, page: &[u8], count: usize) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(case);
    let views = their_views(&folder, page);
    assert_eq!(views.len(), count, "{case}");
    for (name, view) in views {
        let digest = hex(&md5::Md5::digest(&view));
        let line = format!("{digest}:{}:Same\n", view.len());
        let ours = names(&scanner(&[ASKS, ("a.hdb", &line)]), page);
        let (page, view) = (page.escape_ascii(), view.escape_ascii());
        assert_eq!(ours, ["Same"], "{case} {name}\nof {page}\nis {view}");
    }
}

/// Pages of pieces; every piece is met with every other before long.
fn page(random: &mut Random, pieces: &[&str], (head, tail): (&str, &str)) -> Vec<u8> {
    let mut page = head.to_string();
    for _ in 0..400 {
        page += random.pick(pieces);
    }
    (page + tail).into_bytes()
}

const HEAD: (&str, &str) = ("<html><body>", "</body></html>");

#[test]
fn text_and_tags() {
    let pieces = [
        "Word",
        " ",
        "  ",
        "\r\n",
        "\t",
        "<b>",
        "</B>",
        "<p Class=Red>",
        "<!-- Note -->",
        "<br/>",
        "<a HREF=\"Http://Host/Path\">",
        "</a>",
        "<img alt='x Y' src = 'A.Gif' >",
        "<td nowrap>",
        "<div style=\"A : B\">",
        "<meta a=\"b\"c=d>",
        "<!DOCTYPE html>",
        "= \"q\" 'r' ",
        ".",
        "1",
        "< i >",
        "<font x  =  y  z>",
    ];
    let page = page(&mut Random(21), &pieces, HEAD);
    same_views("html-tags", &page, 2);
}

#[test]
fn references() {
    let pieces = [
        "x",
        " ",
        "&lt;",
        "&GT;",
        "&amp;",
        "&#65;",
        "&#x6a;",
        "&#106 ",
        "&#300;",
        "&alpha;",
        "&eacute;",
        "&bogus;",
        "& ",
        "&#0;",
        "&#65536;",
        "&quot;",
        "<a x=\"&#66;&lt;\">",
        "<a x=&#66;y>",
        "<a x='&copy;&nothing;'>",
        "&nbsp;",
    ];
    let page = page(&mut Random(22), &pieces, HEAD);
    same_views("html-references", &page, 2);
}

/// Whole statements: what is no script is read in other ways by both.
#[test]
fn scripts() {
    let pieces = [
        "var Alpha=1;",
        "var beta = 'T', gamma;",
        "Alpha = beta;\n",
        "foo( Alpha , gamma );",
        "function Delta(a, B){var c=a;return c+B;}",
        "Beta.member [ 0 ] . other ( Alpha );",
        "if ( x ) { Alpha = 0.5 } else { y = 017 ; }\n",
        "/* c */",
        "t = \"A b\" ;",
        "unescape(\"%41%u0042\");",
        "u = \"a\" + 'b' + \"c\" + Alpha;",
        "s = '\\x41\\n\\u0043';",
        "f = function ( x ) { var q ; q = x ; } ;",
        "new Date ;",
        "\n",
        "for ( var i = 0 ; i < 10 ; i ++ ) g ( i ) ;",
        "w = r / 2 / Alpha;",
        "z = /a B/gi;",
    ];
    for round in 0..4 {
        let page = page(&mut Random(round), &pieces, ("<html><script>", "</script></html>"));
        same_views(&format!("html-scripts-{round}"), &page, 3);
    }
    same_views("html-eval", b"<html><script>eval(unescape(\"%61%28%29\"));</script>", 3);
}

#[test]
fn scripts_and_styles_have_no_white_space() {
    let page = b"<html><STYLE> a  { b: 'c d' } </STYLE><script>A = 'x y' ;\n</SCRIPT> <b> t\
        <Script Language=\"x\">var q; q < 1 &lt; &amp; <!-- r --> s</script></html>";
    same_views("html-raw", page, 3);
}

/// Which view signatures of each target see.
#[test]
fn targets_of_views() {
    let page = "<HTML><BODY><!-- Hidden MARKER --><P  CLASS=\"Foo  Bar\">Hello   World &lt;q&gt; \
        <script>var  Alpha = \"Beta  Gamma\" + \"X\";</script><A HREF=\"Http://X.Y/Z\">Link \
        Text</A></BODY></HTML>\n";
    let mut lines = String::new();
    let texts = [
        "Hidden MARKER",
        "class=\"foo bar\">hello world",
        "hello world q Http://X.Y",
        "n000=\"beta  gammax\"",
        "varalpha=\"betagamma\"+\"x\"",
        "nowhere at all",
    ];
    for (number, text) in texts.iter().enumerate() {
        for target in [3, 7] {
            writeln!(lines, "T{target}N{number}:{target}:*:{}", hex(text.as_bytes())).unwrap();
        }
        // In the page as it is, ClamAV does not look for signatures for any target.
        if number > 0 {
            writeln!(lines, "T0N{number}:0:*:{}", hex(text.as_bytes())).unwrap();
        }
    }
    for (name, offset, text) in [
        ("Start", "0", "<html><body><p"),
        ("Script", "0", "<script>var n"),
        ("End", "EOF-7", "</html>"),
    ] {
        writeln!(lines, "{name}:3:{offset}:{}", hex(text.as_bytes())).unwrap();
    }
    let (class, hidden) = (hex(b"class=\"foo bar\""), hex(b"Hidden MARKER"));
    let (script, size) = (hex(b"n000="), page.len());
    let logical = format!(
        "Across;Engine:51-255,Target:3;0&1;{script};{class}\n\
        Raw;Engine:51-255,Target:3;0&1;{hidden};{class}\n\
        Without;Engine:51-255,Target:3;0&1=0;{class};{hidden}\n\
        SizeOfPage;Engine:51-255,Target:3,FileSize:{size}-{size};0;{class}\n\
        SizeOfView;Engine:51-255,Target:3,FileSize:10-{};0;{class}\n\
        Regex;Engine:81-255,Target:3;1;{class};0/foo bar\">hello/\n",
        size - 1
    );
    let objects = vec![page.as_bytes().to_vec(); 10];
    compare("html-targets", &[("a.ndb", lines), ("a.ldb", logical)], &objects);
}

/// A view that has no room is reported, and the page itself is searched instead.
#[test]
fn views_take_their_memory_from_the_budget() {
    let page = format!("<html>needle{}", " ".repeat(10_000));
    let needle = format!("Needle:3:*:{}\n", hex(b"<html>needle"));
    let scanner = scanner(&[("a.ndb", &needle)]);
    assert_eq!(names(&scanner, page.as_bytes()), ["Needle"]);
    let limits = Limits { memory: 1000, ..Limits::default() };
    let scanner = scanner.with_limits(limits);
    let verdict = scanner.scan(&Object::new(page.as_bytes()));
    assert_eq!(verdict.threats().count(), 1);
    assert!(verdict.reasons().any(|(_, reason)| *reason == Reason::Limit(Limit::Memory)));
}
