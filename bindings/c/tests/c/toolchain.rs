//! Compilers and what they build, for the tests of the C interface.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::{env, fs};

use esets_core::signature::{SourceFile, compile as compile_signatures};

/// A way to compile a C program.
#[derive(Clone, Copy)]
pub(crate) struct Compiler {
    pub(crate) program: &'static str,
    pub(crate) flags: &'static [&'static str],
}

/// As a C99 and as a C++11 program, by both families.
pub(crate) const COMPILERS: &[Compiler] = &[
    Compiler { program: "gcc", flags: &["-std=c99"] },
    Compiler { program: "clang", flags: &["-std=c99"] },
    Compiler { program: "g++", flags: &["-x", "c++", "-std=c++11"] },
    Compiler { program: "clang++", flags: &["-x", "c++", "-std=c++11"] },
];

/// With checks of every access and, at the end, for leaks.
pub(crate) const SANITIZERS: &[Compiler] = &[
    Compiler { program: "gcc", flags: &["-std=c99", "-g", "-fsanitize=address,undefined"] },
    Compiler { program: "clang", flags: &["-std=c99", "-g", "-fsanitize=address,undefined"] },
];

/// With what valgrind needs to name a line.
pub(crate) const DEBUG: Compiler = Compiler { program: "gcc", flags: &["-std=c99", "-g"] };

/// The folder of this crate.
pub(crate) fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A folder of one test, with the library under the name that programs look for, and a compiled
/// database with one signature.
pub(crate) fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("capi").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    for name in ["libesets.so", "libesets.so.0"] {
        std::os::unix::fs::symlink(built("libesets.so"), folder.join(name)).unwrap();
    }
    let source =
        SourceFile::new("test.ndb", b"Test.Compiled:0:*:6120636f6d70696c6564206d61726b6572");
    fs::write(folder.join("em002.dat"), compile_signatures("7", [source]).0).unwrap();
    folder
}

/// A library that Cargo built before this test.
pub(crate) fn built(name: &str) -> PathBuf {
    let path = env::current_exe().unwrap().parent().unwrap().join(name);
    assert!(path.exists(), "{} is missing", path.display());
    path
}

/// Compiles and links a program against the shared library in its folder.
pub(crate) fn compile(compiler: Compiler, source: &Path, folder: &Path) -> PathBuf {
    link(compiler, source, folder, &["-L.", "-Wl,-rpath,$ORIGIN", "-Wl,--no-as-needed", "-lesets"])
}

/// Compiles and links a program with what `libraries` says.
pub(crate) fn link<S: AsRef<OsStr>>(
    compiler: Compiler,
    source: &Path,
    folder: &Path,
    libraries: &[S],
) -> PathBuf {
    let program = folder.join(source.file_stem().unwrap());
    let mut command = Command::new(compiler.program);
    command.current_dir(folder).args(compiler.flags).args(WARNINGS).arg("-pthread");
    command.arg("-I").arg(here().join("include")).arg(source);
    command.args(["-x", "none"]).args(libraries).arg("-o").arg(&program);
    succeed(&mut command);
    program
}

/// Runs a command that must work, and returns what it printed.
pub(crate) fn succeed(command: &mut Command) -> String {
    let output = run(command);
    assert!(
        output.status.success(),
        "{command:?}: {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    String::from_utf8(output.stdout).unwrap()
}

/// Runs a command to its end.
pub(crate) fn run(command: &mut Command) -> Output {
    command.env_remove("LD_LIBRARY_PATH");
    command.output().unwrap_or_else(|error| panic!("{command:?} cannot be run: {error}"))
}

/// `program` under valgrind, which ends with 99 if it has anything to say.
pub(crate) fn valgrind(program: &Path) -> Command {
    let mut command = Command::new("valgrind");
    command.args(["--quiet", "--error-exitcode=99", "--leak-check=full"]);
    command.args(["--errors-for-leak-kinds=definite,indirect,possible"]).arg(program);
    command
}

const WARNINGS: &[&str] = &["-Wall", "-Wextra", "-Wpedantic", "-Werror"];
