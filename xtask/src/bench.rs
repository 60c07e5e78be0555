//! `cargo xtask bench NAME [ARGUMENT...]`: measures our programs side by side with others.

use crate::{Chore, Outcome, cargo, program, root, run};

pub(crate) static CHORE: Chore = Chore {
    name: "bench",
    about: "daemon [FOLDER [MAILS]]: esets_daemon beside clamd, with the signatures in FOLDER; \
            peer [DATABASE [FILES]]: clamscan and the scanner, into docs/performance.md",
    run: bench,
};

fn bench(arguments: &[String]) -> Outcome {
    match arguments {
        [name, rest @ ..] if name == "daemon" => {
            let packages = ["-p", "esets-daemon", "-p", "esets-agents", "-p", "esets-cli"];
            let build = [&["build", "--release", "--bins", "--examples"][..], &packages].concat();
            run(&mut cargo(&build))?;
            let mut script = program("bash", &["testdata/bench/daemon.sh"]);
            run(script.args(rest).env("BUILD", root().join("target/release")))
        }
        _ => crate::peer::bench(arguments).unwrap_or_else(|| {
            Err("bench daemon [FOLDER [MAILS]] or bench peer [DATABASE [FILES]]".into())
        }),
    }
}
