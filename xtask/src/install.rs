//! `cargo xtask install`: programs, library, header, pkg-config file and manual pages in place.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use crate::{Chore, Outcome, cargo, root, run};

pub(crate) static CHORE: Chore = Chore {
    name: "install",
    about: "[--prefix=DIR] [--destdir=DIR]: build for release and install, by default to /usr/local",
    run: install,
};

fn install(arguments: &[String]) -> Outcome {
    let (mut prefix, mut destdir) = ("/usr/local", "");
    for argument in arguments {
        match argument.split_once('=') {
            Some(("--prefix", folder)) if folder.starts_with('/') => prefix = folder,
            Some(("--destdir", folder)) => destdir = folder,
            _ => return Err(format!("{argument}: --prefix=/DIR or --destdir=DIR is expected")),
        }
    }
    let to = PathBuf::from(format!("{destdir}{prefix}"));
    library(prefix, &to)?;
    programs(&to)
}

/// libesets, shared and static, its header and its pkg-config file.
fn library(prefix: &str, to: &Path) -> Outcome {
    // One kind at a time: together with a Rust library, Cargo does not optimise across crates.
    for kind in ["cdylib", "staticlib"] {
        run(&mut cargo(&[
            "rustc",
            "--release",
            "-p",
            "esets-capi",
            "--lib",
            "--crate-type",
            kind,
        ]))?;
    }
    let full = format!("libesets.so.{VERSION}");
    put(&built("libesets.so"), &to.join("lib").join(&full), 0o755)?;
    link(&full, &to.join("lib/libesets.so.0"))?;
    link("libesets.so.0", &to.join("lib/libesets.so"))?;
    put(&built("libesets.a"), &to.join("lib/libesets.a"), 0o644)?;
    put(&root().join("bindings/c/include/esets.h"), &to.join("include/esets.h"), 0o644)?;
    let template = root().join("bindings/c/esets.pc.in");
    let template = fs::read_to_string(&template).map_err(|error| about(&template, &error))?;
    let filled = template.replace("@PREFIX@", prefix).replace("@VERSION@", VERSION);
    write(&to.join("lib/pkgconfig/esets.pc"), filled.as_bytes(), 0o644)
}

/// The programs, and what `esets man` says of them.
fn programs(to: &Path) -> Outcome {
    run(&mut cargo(&["build", "--release", "-p", "esets-cli", "--bins"]))?;
    for name in ["esets", "esets_cli", "esets_quar", "esets_scan", "esets_set"] {
        put(&built(name), &to.join("bin").join(name), 0o755)?;
    }
    let mut manuals = crate::program(&built("esets").to_string_lossy(), &["man"]);
    run(manuals.arg(to.join("share/man/man1")))
}

fn built(name: &str) -> PathBuf {
    root().join("target/release").join(name)
}

fn put(from: &Path, to: &Path, mode: u32) -> Outcome {
    write(to, &fs::read(from).map_err(|error| about(from, &error))?, mode)
}

/// Writes a file beside its place and renames it: whoever runs or maps the old one keeps it whole.
fn write(to: &Path, bytes: &[u8], mode: u32) -> Outcome {
    let beside = to.with_added_extension("new");
    let written = fs::create_dir_all(to.parent().unwrap_or(Path::new("/")))
        .and_then(|()| fs::write(&beside, bytes))
        .and_then(|()| fs::set_permissions(&beside, fs::Permissions::from_mode(mode)))
        .and_then(|()| fs::rename(&beside, to));
    eprintln!("=== {}", to.display());
    written.map_err(|error| about(to, &error))
}

fn link(target: &str, at: &Path) -> Outcome {
    let beside = at.with_added_extension("new");
    let _ = fs::remove_file(&beside);
    let linked = symlink(target, &beside).and_then(|()| fs::rename(&beside, at));
    linked.map_err(|error| about(at, &error))
}

fn about(path: &Path, error: &std::io::Error) -> String {
    format!("{}: {error}", path.display())
}

const VERSION: &str = env!("CARGO_PKG_VERSION");
