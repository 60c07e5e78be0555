//! `cargo xtask fuzz`: a short run of the fuzz targets, without `cargo fuzz`.

use std::fs;
use std::path::Path;

use crate::{Chore, Outcome, cargo, root, run};

pub(crate) static CHORE: Chore = Chore {
    name: "fuzz",
    about: "fuzz for a moment: [SECONDS [TARGET...]]",
    run: |words| {
        let (seconds, targets) =
            words.split_first().map_or(("120", &[][..]), |(first, rest)| (first.as_str(), rest));
        let seconds = seconds.parse().map_err(|_| format!("{seconds}: expected seconds"))?;
        let targets: Vec<_> = targets.iter().map(String::as_str).collect();
        fuzz(seconds, if targets.is_empty() { BROADEST } else { &targets })
    },
};

/// Two minutes of what reaches most of the code.
pub(crate) fn smoke() -> Outcome {
    fuzz(120, BROADEST)
}

/// Runs each target for its share of `seconds`, from its corpus and what the tests scan.
fn fuzz(seconds: u64, targets: &[&str]) -> Outcome {
    build(targets)?;
    let share = seconds / u64::try_from(targets.len()).unwrap_or(1).max(1);
    for target in targets {
        let fuzz = root().join("fuzz");
        let found = fuzz.join("target/corpus").join(target);
        fs::create_dir_all(&found).map_err(|error| format!("{}: {error}", found.display()))?;
        let built = fuzz.join("target").join(TRIPLE).join("release").join(target);
        let mut command = crate::program(&built.to_string_lossy(), &[]);
        command.arg(found).args(seeds(target));
        if target.starts_with("signature") {
            let words = fuzz.join("dictionaries/signature.dict");
            command.arg(format!("-dict={}", words.display()));
        }
        command.arg(format!("-max_total_time={share}")).arg("-timeout=25");
        command.args(["-rss_limit_mb=2048", "-max_len=65536", "-verbosity=0"]);
        command.arg(format!("-artifact_prefix={}/", fuzz.join("target").display()));
        run(&mut command)?;
    }
    Ok(())
}

/// Instruments as `cargo fuzz` does. With a target named, the programs of the build itself are
/// not instrumented.
fn build(targets: &[&str]) -> Outcome {
    let mut command = cargo(&["build", "--quiet", "--release", "--features", "libfuzzer"]);
    command.arg("--manifest-path").arg(root().join("fuzz/Cargo.toml"));
    command.args(["--target", TRIPLE]).env("RUSTFLAGS", INSTRUMENTED);
    for target in targets {
        command.args(["--bin", target]);
    }
    run(&mut command)
}

/// Folders that hold inputs for a target.
fn seeds(target: &str) -> Vec<std::path::PathBuf> {
    let format = target.strip_prefix("unpack_").unwrap_or_default();
    let folders = [
        root().join("fuzz/corpus").join(target),
        root().join("testdata/unpack").join(format),
        root().join("examples/mails"),
    ];
    folders.into_iter().filter(|folder| Path::new(folder).is_dir()).collect()
}

/// Those that reach most of the code.
const BROADEST: &[&str] = &["scan", "message", "rewrite", "database", "signature"];
const TRIPLE: &str = "x86_64-unknown-linux-gnu";
const INSTRUMENTED: &str = "--cfg fuzzing -Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares \
    -Ccodegen-units=1 -Cdebug-assertions";
