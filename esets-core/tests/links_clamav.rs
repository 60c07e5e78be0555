//! Lists for the links of mails (`.pdb`, `.wdb`, `.gdb`): ClamAV is the oracle.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::string_slice,
    clippy::format_push_string,
    clippy::unwrap_used,
    reason = "a test may panic"
)]
#![expect(clippy::disallowed_types, reason = "the oracle is a program")]

mod clamav;

use clamav::{compare, hex};
use esets_core::signature::{SourceFile, compile};
use esets_core::{Database, Object, Options, Scanner};
use sha2::{Digest as _, Sha256};

const NOTHING: &str = "Nothing:0:*:deadbeefdeadbeef\n";

fn mail(page: &str) -> Vec<u8> {
    let head = "From: a@b.example\nTo: c@d.example\nSubject: x\nMIME-Version: 1.0\n";
    format!("{head}Content-Type: text/html\n\n<html><body>{page}</body></html>\n").into_bytes()
}

fn link(target: &str, shown: &str) -> String {
    format!("<a href=\"{target}\">{shown}</a>")
}

/// Links to `evil.example` and `bank.example.com`, showing all sorts of things.
fn links() -> Vec<Vec<u8>> {
    let evil = "http://evil.example/";
    let shown = [
        "http://www.bank.example.com/",
        "www.bank.example.com",
        "bank.example.com",
        "Bank.Example.Com",
        "Visit bank.example.com now",
        "log in at http://www.bank.example.com/ now",
        "bank",
        "notbank.example.com",
        "bank.example.com.de",
        "https://www.bank.example.com/",
        "<b>http://www.bank.example.com/</b>",
        "<img src=\"http://www.bank.example.com/a.gif\">",
        "ww<b></b>w.bank.example.com",
        "http://www.bank.example.com:80/",
        "http://www.BANK.example.",
        "secure.login.bank.example.com",
        "bank.example.com/foo?x",
        "\"www.bank.example.com\"",
        " www . bank . example . com ",
        "a@bank.example.com",
        "http://other.example/",
        "click here",
    ];
    let targets = [
        "http://www.bank.example.com/",
        "http://bank.example.com/x",
        "https://evil.test/",
        "http://bank.example.com.evil.test/",
        "http://1.2.3.4/",
        "http://user@evil.test/",
        "http://www.bank.example.com@evil.test/",
        "http://www.bank.example.com%00@evil.test/",
        "http://0x1.2.3.4/",
        "mailto:a@evil.test",
        "ftp://evil.test/",
        "evil.test",
        "//evil.test",
        "#x",
        "javascript:x",
        "http://evil.test:80/",
        "http://mail.bank.example.com/",
    ];
    let of_shown = shown.iter().map(|shown| link(&evil.replace("example", "test"), shown));
    let of_target = targets.iter().map(|target| link(target, "http://www.bank.example.com/"));
    let twice = of_shown.clone().take(2).collect::<String>();
    of_shown.chain(of_target).chain([twice]).map(|page| mail(&page)).collect()
}

#[test]
fn protected_hosts() {
    for (case, rule) in
        [("links-h", "H:bank.example.com\n"), ("links-www", "H:www.bank.example.com:17-\n")]
    {
        compare(case, &[("a.pdb", rule.into()), ("a.ndb", NOTHING.into())], &links());
    }
}

#[test]
fn protecting_expressions() {
    let rules = [
        "R:.+evil\\.test:.+\\.bank\\.example\\.com([/?].*)?\n",
        "R:.+:.+\\.bank\\.example\\.com([/?].*)?\n",
    ];
    for (number, rule) in rules.iter().enumerate() {
        let case = format!("links-r{number}");
        let sources = [("a.pdb", (*rule).into()), ("a.ndb", NOTHING.into())];
        // ClamAV asks them about all that is shown, and about names of users before hosts.
        let theirs = clamav::differences(&case, &sources, &links());
        let theirs: Vec<_> = theirs.iter().filter(|line| line.starts_with("only ClamAV")).collect();
        assert!(theirs.is_empty(), "{theirs:?}");
    }
}

#[test]
fn allowed_pairs() {
    let rules = [
        "M:evil.test:bank.example.com\n",
        "M:evil.test:www.bank.example.com\n",
        "M:test:example.com\n",
        "X:.+evil\\.test([/?].*)?:.+\\.bank\\.example\\.com([/?].*)?:17-\n",
        "X:.+\\.test([/?].*)?:.+\\.bank\\.example\\.com([/?].*)?\n",
    ];
    for (number, rule) in rules.iter().enumerate() {
        let sources = [
            ("a.pdb", "H:bank.example.com\n".to_string()),
            ("a.wdb", (*rule).into()),
            ("a.ndb", NOTHING.into()),
        ];
        // A pair of `M` is for hosts under the real one in ClamAV.
        let mut mails = links();
        mails.retain(|mail| !mail.windows(9).any(|part| part == b".com.evil"));
        compare(&format!("links-w{number}"), &sources, &mails);
    }
}

/// Addresses that are listed, in the spellings of Safe Browsing.
#[test]
fn listed_addresses() {
    let targets = [
        "http://evil.test/",
        "http://www.evil.test/a/b.html?x=1",
        "http://evil.test/a/",
        "http://evil.test/a",
        "http://evil.test",
        "http://evil.test:80/",
        "https://evil.test/",
        "http://evil.test/%61/",
        "http://evil.test/a/../",
        "http://a.b.c.d.e.f.evil.test/",
        "http://good.test/",
        "http://other.test/evil.test/",
        "http://hit.test/1",
        "http://hit.test/2",
        "http://hit.test/3",
        "mailto:evil@evil.test",
    ];
    let mut objects: Vec<_> = targets.iter().map(|target| mail(&link(target, "here"))).collect();
    // In text ClamAV sees no addresses with `https`.
    let targets = targets.iter().filter(|target| !target.starts_with("https"));
    objects.extend(targets.clone().map(|target| mail(&format!("see {target} now"))));
    let head = "From: a@b.example\nTo: c@d.example\nSubject: x\nMIME-Version: 1.0\n";
    objects.extend(targets.map(|target| format!("{head}\nsee {target} now\n").into_bytes()));
    let listed = [
        ("S", "evil.test/"),
        ("S1", "evil.test/"),
        ("S2", "evil.test/"),
        ("S", "evil.test/a/"),
        ("S1", "evil.test/a/b.html"),
        ("S", "www.evil.test/a/b.html?x=1"),
        ("S", "test/"),
    ];
    for (number, (kind, address)) in listed.iter().enumerate() {
        let digest = hex(&Sha256::digest(address));
        let mut lines = format!("{kind}:P:{}\n{kind}:F:{digest}\n", &digest[..8]);
        let good = hex(&Sha256::digest("good.test/"));
        lines += &format!("S:P:{}\nS:F:{good}\nS:W:{good}\n", &good[..8]);
        let hit = hex(&Sha256::digest("hit.test/"));
        lines += &format!("S:P:{}\nS:F:{hit}\n", &hit[..8]);
        let sources = [("a.gdb", lines), ("a.ndb", NOTHING.into())];
        let differences = clamav::differences(&format!("links-s{number}"), &sources, &objects);
        assert!(differences.is_empty(), "{kind}:{address}\n{}", differences.join("\n"));
    }
}

fn names(options: Options, object: &[u8]) -> Vec<String> {
    let (bytes, _) = compile("", [SourceFile::new("a.pdb", b"H:bank.example.com\n")]);
    let scanner = Scanner::new(Database::from_bytes(bytes).unwrap()).with_options(options);
    let verdict = scanner.scan(&Object::new(object));
    // A body is read with and without its last line end.
    let mut names: Vec<_> = verdict.threats().map(|(_, threat)| threat.name.clone()).collect();
    names.dedup();
    names
}

#[test]
fn what_clamav_does_not_see_through() {
    let spoofed = ["Heuristics.Phishing.Email.SpoofedDomain"];
    for page in [
        link("http://evil.test/", "http://www.b&#97;nk.example.com/"),
        link("http:\\\\evil.test", "www.bank.example.com"),
        link("ht\ntps:evil.test", "http://www.bank.example.com<br>click"),
        link("http://evil.test", "www.ba&shy;nk.example.com"),
        link("http://%65vil.test/", "www.bank.example.com"),
    ] {
        assert_eq!(names(Options::default(), &mail(&page)), spoofed, "{page}");
    }
}

#[test]
fn only_mails_are_judged_and_only_with_heuristics() {
    let page = link("http://evil.test/", "www.bank.example.com");
    let alone = format!("<html>{page}").into_bytes();
    assert_eq!(names(Options::default(), &alone), [""; 0]);
    let mut options = Options::default();
    options.heuristics = false;
    assert_eq!(names(options, &mail(&page)), [""; 0]);
}
