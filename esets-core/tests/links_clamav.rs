//! Lists for the links of mails (`.pdb`, `.wdb`): ClamAV is the oracle.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test may panic"
)]
#![expect(clippy::disallowed_types, reason = "the oracle is a program")]

mod clamav;

use clamav::compare;
use esets_core::signature::{SourceFile, compile};
use esets_core::{Database, Object, Options, Scanner};

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

fn names(options: Options, object: &[u8]) -> Vec<String> {
    let (bytes, _) = compile("", [SourceFile::new("a.pdb", b"H:bank.example.com\n")]);
    let scanner = Scanner::new(Database::from_bytes(bytes).unwrap()).with_options(options);
    let verdict = scanner.scan(&Object::new(object));
    verdict.threats().map(|(_, threat)| threat.name.clone()).collect()
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
