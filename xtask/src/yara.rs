//! `cargo xtask yara`: what must hold of the opt-in YARA rules.

use crate::{Chore, Outcome, cargo, run};

pub(crate) static CHORE: Chore = Chore {
    name: "yara",
    about: "build and test with the feature yara, which takes long",
    run: |_| yara(),
};

/// Apart from `cargo xtask test`: `yara-x` brings a compiler of its own, whose build takes longer
/// than everything else together.
fn yara() -> Outcome {
    let packages = ["--package", "esets-yara", "--package", "esets-cli"];
    let features = ["--features", "esets-cli/yara"];
    for (chore, rest) in [("clippy", &["--all-targets", "--", "-D", "warnings"][..]), ("test", &[])]
    {
        run(cargo(&[chore]).args(packages).args(features).args(rest))?;
    }
    Ok(())
}
