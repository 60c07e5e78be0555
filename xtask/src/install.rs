//! `cargo xtask install`: programs, library, header, pkg-config file and manual pages in place.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use crate::{Chore, Outcome, cargo, root, run};

pub(crate) static CHORE: Chore = Chore {
    name: "install",
    about: "[--prefix=DIR] [--destdir=DIR] [--profile=NAME]: build and install, to /usr/local",
    run: install,
};

/// What is installed where, and how it is built.
struct Install<'a> {
    prefix: &'a str,
    to: PathBuf,
    profile: &'a str,
}

fn install(arguments: &[String]) -> Outcome {
    let (mut prefix, mut destdir, mut profile) = ("/usr/local", "", "release");
    for argument in arguments {
        match argument.split_once('=') {
            Some(("--prefix", folder)) if folder.starts_with('/') => prefix = folder,
            Some(("--destdir", folder)) => destdir = folder,
            Some(("--profile", name)) => profile = name,
            _ => {
                let expected = "--prefix=/DIR, --destdir=DIR or --profile=NAME is expected";
                return Err(format!("{argument}: {expected}"));
            }
        }
    }
    let to = PathBuf::from(format!("{destdir}{prefix}"));
    let install = Install { prefix, to, profile };
    install.library()?;
    install.programs()?;
    install.manuals()
}

impl Install<'_> {
    /// libesets, shared and static, its header and its pkg-config file.
    fn library(&self) -> Outcome {
        let to = &self.to;
        self.build_library()?;
        let full = format!("libesets.so.{VERSION}");
        put(&self.built("libesets.so"), &to.join("lib").join(&full), 0o755)?;
        link(&full, &to.join("lib/libesets.so.0"))?;
        link("libesets.so.0", &to.join("lib/libesets.so"))?;
        put(&self.built("libesets.a"), &to.join("lib/libesets.a"), 0o644)?;
        put(&root().join("bindings/c/include/esets.h"), &to.join("include/esets.h"), 0o644)?;
        let template = root().join("bindings/c/esets.pc.in");
        let template = fs::read_to_string(&template).map_err(|error| about(&template, &error))?;
        let filled = template.replace("@PREFIX@", self.prefix).replace("@VERSION@", VERSION);
        write(&to.join("lib/pkgconfig/esets.pc"), filled.as_bytes(), 0o644)
    }

    fn build_library(&self) -> Outcome {
        let profile = self.profile;
        if profile != "release" {
            return run(&mut cargo(&["build", "--profile", profile, "-p", "esets-capi", "--lib"]));
        }
        // One kind at a time: together with a Rust library, Cargo does not optimise across crates.
        ["cdylib", "staticlib"].iter().try_for_each(|kind| {
            let build = ["rustc", "--release", "-p", "esets-capi", "--lib", "--crate-type", kind];
            run(&mut cargo(&build))
        })
    }

    fn programs(&self) -> Outcome {
        for (package, folder, names) in PROGRAMS {
            run(&mut cargo(&["build", "--profile", self.profile, "-p", package, "--bins"]))?;
            for name in *names {
                put(&self.built(name), &self.to.join(folder).join(name), 0o755)?;
            }
        }
        Ok(())
    }

    /// What `esets man` says of the programs, each page in the folder of its section.
    fn manuals(&self) -> Outcome {
        let pages = esets_commands::command::manuals().map_err(|error| error.to_string())?;
        for (name, page) in pages {
            let section = name.rsplit('.').next().unwrap_or("1");
            let folder = self.to.join("share/man").join(format!("man{section}"));
            write(&folder.join(&name), &page, 0o644)?;
        }
        Ok(())
    }

    fn built(&self, name: &str) -> PathBuf {
        let folder = if self.profile == "dev" { "debug" } else { self.profile };
        root().join("target").join(folder).join(name)
    }
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

/// The package of each program, the folder under the prefix, and the names.
const PROGRAMS: &[(&str, &str, &[&str])] = &[
    ("esets-cli", "bin", &["esets", "esets_cli", "esets_quar", "esets_scan", "esets_set"]),
    ("esets-daemon", "sbin", &["esets_daemon"]),
];

const VERSION: &str = env!("CARGO_PKG_VERSION");
