//! The Python module over the library, tested by its own tests.

use std::process::Command;

use crate::daemon;
use crate::toolchain::{folder, here, succeed};

#[test]
fn the_python_module_passes_its_tests() {
    let folder = folder("python");
    let module = here().join("../python");
    let mut command = Command::new("python3");
    command.args(["-W", "error", "-m", "unittest", "--verbose", "test_esets"]);
    command.env("PYTHONPATH", &module).env("PYTHONDONTWRITEBYTECODE", "1");
    command.env("ESETS_LIBRARY", folder.join("libesets.so.0"));
    daemon::play(&folder.join("sock"));
    command.env("ESETS_TEST_SOCKET", folder.join("sock"));
    succeed(command.current_dir(module.join("tests")));
}
