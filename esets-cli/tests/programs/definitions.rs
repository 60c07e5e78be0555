//! Help, manual pages, completions and documents come from the definitions.

use std::env;
use std::fs;
use std::path::Path;

use crate::harness::Folder;

#[test]
fn help_and_version_are_no_errors() {
    let folder = Folder::new();
    for ended in [folder.scan(&["--help"]), folder.cli(&["--help"]), folder.esets(&["--help"])] {
        assert_eq!((ended.code, ended.err.as_str()), (0, ""));
        assert!(ended.out.contains("Usage: esets"), "{}", ended.out);
    }
    let version = format!("esets_cli (ESETS) {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(folder.cli(&["--version"]).out, version);
}

#[test]
fn every_program_and_command_has_a_manual_page_with_its_exit_codes() {
    let folder = Folder::new();
    assert_eq!(folder.esets(&["man", "pages"]).code, 0);
    for name in ["esets_cli", "esets_quar", "esets_scan", "esets_set", "esets", "esets-config"] {
        let page = folder.path().join("pages").join(format!("{name}.1"));
        let text = fs::read_to_string(page).unwrap();
        for heading in [".SH NAME", ".SH SYNOPSIS", ".SH \"EXIT STATUS\"", ".TP\n100\n"] {
            assert!(text.contains(heading), "{name}: {heading}");
        }
    }
}

#[test]
fn the_configuration_has_a_manual_page_and_a_default_without_mistakes() {
    let folder = Folder::new();
    assert_eq!(folder.esets(&["man", "pages"]).code, 0);
    let page = fs::read_to_string(folder.path().join("pages/esets.cfg.5")).unwrap();
    assert!(page.contains("action_av_infected"), "{page}");
    let default = folder.esets(&["config", "default"]);
    folder.file("esets.cfg", default.out);
    assert_eq!(folder.esets(&["config", "check", "esets.cfg"]).code, 0);
}

#[test]
fn shells_complete_the_programs() {
    let folder = Folder::new();
    for shell in ["bash", "fish", "zsh"] {
        let ended = folder.esets(&["completions", shell]);
        assert_eq!(ended.code, 0);
        for word in ["esets_cli", "esets_scan", "max-object-size", "no-symlink"] {
            assert!(ended.out.contains(word), "{shell}: {word}");
        }
    }
    assert_eq!(folder.esets(&["completions", "csh"]).code, 100);
}

#[test]
fn formats_lists_the_table() {
    let ended = Folder::new().esets(&["formats"]);
    assert_eq!(ended.out.lines().count(), esets_policy::core::UNPACKERS.len());
}

#[test]
fn a_configuration_is_shown_as_it_is_read() {
    let folder = Folder::new();
    folder.file("esets.cfg", "[cli]\n# why\naction_av_infected = \"discard\"\n");
    let ended = folder.esets(&["config", "show", "esets.cfg"]);
    assert_eq!(ended.out, "[cli]\naction_av_infected = discard  # line 3\n");
    let checked = folder.esets(&["config", "check", "esets.cfg"]);
    assert_eq!((checked.code, checked.out.as_str()), (0, "esets.cfg: no mistakes\n"));
}

/// `UPDATE=1` writes the page, as `cargo xtask docs` does.
#[test]
fn the_page_of_exit_codes_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("docs/exit-codes.md");
    if env::var_os("UPDATE").is_some() {
        fs::write(&path, esets_commands::exit::page()).unwrap();
    }
    assert_eq!(fs::read_to_string(path).unwrap(), esets_commands::exit::page());
}
