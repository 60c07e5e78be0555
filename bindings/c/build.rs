//! Names the shared library for its linker, and keeps libgcc_s.so out of what it needs.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    if env::var("CARGO_CFG_TARGET_OS").as_deref() != Ok("linux") {
        return Ok(());
    }
    println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,{SONAME}");
    if let Some(archive) = unwinder() {
        let folder = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
        // The linker looks for libgcc_s.so, finds a script, and reads the archive that it names.
        fs::write(folder.join("libgcc_s.so"), format!("INPUT({})\n", archive.display()))?;
        println!("cargo::rustc-cdylib-link-arg=-L{}", folder.display());
    }
    Ok(())
}

/// The static unwinder of the C compiler, if it has one.
fn unwinder() -> Option<PathBuf> {
    let compiler = env::var("CC").unwrap_or_else(|_| "cc".to_string());
    let output = Command::new(compiler).arg("-print-file-name=libgcc_eh.a").output().ok()?;
    let path = String::from_utf8(output.stdout).ok()?;
    let path = Path::new(path.trim());
    path.is_absolute().then(|| path.to_path_buf())
}

/// The number changes when a program that was linked before would no longer work.
const SONAME: &str = "libesets.so.0";
