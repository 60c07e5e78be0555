//! Every layout of folders, built as the programs are: the choice is the compiler's.

#![expect(clippy::unwrap_used, reason = "a test ends where it fails")]

use std::fs;
use std::path::Path;
use std::process::Command;

use esets_policy::config::{LAYOUT, LAYOUTS};

/// What a program that was built with this environment puts into a text, or what the compiler says.
fn built(environment: &[(&str, &str)]) -> Result<String, String> {
    let folder = tempfile::tempdir().unwrap();
    let source =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../esets-policy/src/config/layout.rs");
    let program = format!(
        "#![allow(dead_code)]\n#[path = {source:?}] mod layout;\n\
         fn main() {{ print!(\"{{}}\", \
         layout::LAYOUT.expand(\"@ETCDIR@ @BASEDIR@ @BINDIR@ @SBINDIR@\")) }}\n"
    );
    fs::write(folder.path().join("main.rs"), program).unwrap();
    let mut compiler = Command::new("rustc");
    compiler.args(["--edition=2024", "main.rs"]).current_dir(folder.path());
    for name in ["LAYOUT", "BASEDIR", "BINDIR", "ETCDIR", "SBINDIR"] {
        compiler.env_remove(format!("ESETS_{name}"));
    }
    let compiled = compiler.envs(environment.iter().copied()).output().unwrap();
    if !compiled.status.success() {
        return Err(String::from_utf8_lossy(&compiled.stderr).into_owned());
    }
    let said = Command::new(folder.path().join("main")).output().unwrap();
    Ok(String::from_utf8(said.stdout).unwrap())
}

#[test]
fn each_layout_is_what_the_manual_says() {
    for (name, folders) in [
        ("plain", "/etc/esets /var/lib/esets /usr/bin /usr/sbin"),
        (
            "opt",
            "/etc/opt/eset/esets /var/opt/eset/esets/lib /opt/eset/esets/bin /opt/eset/esets/sbin",
        ),
        ("bsd", "/usr/local/etc/esets /var/lib/esets /usr/local/bin /usr/local/sbin"),
        ("solaris", "/etc/opt/esets /var/opt/esets/lib /opt/esets/bin /opt/esets/sbin"),
    ] {
        assert_eq!(built(&[("ESETS_LAYOUT", name)]).as_deref(), Ok(folders), "{name}");
        let layout = LAYOUTS.iter().find(|layout| layout.name == name).unwrap();
        assert_eq!(layout.expand("@ETCDIR@ @BASEDIR@ @BINDIR@ @SBINDIR@"), folders);
    }
    assert_eq!(LAYOUTS.len(), 4);
}

#[test]
fn a_build_chooses_none_or_single_folders_and_no_unknown_layout() {
    assert_eq!(built(&[]), built(&[("ESETS_LAYOUT", "plain")]));
    let single = built(&[("ESETS_LAYOUT", "bsd"), ("ESETS_ETCDIR", "/conf")]);
    assert_eq!(single.unwrap(), "/conf /var/lib/esets /usr/local/bin /usr/local/sbin");
    let wrong = built(&[("ESETS_LAYOUT", "beos")]).unwrap_err();
    assert!(wrong.contains("ESETS_LAYOUT is plain, opt, bsd or solaris"), "{wrong}");
    assert_eq!(LAYOUT.expand("no folder: @ETC@"), "no folder: @ETC@");
}
