//! `cargo xtask replay SIGNATURES FOLDER...`: the alerts of `clamscan` and of `esets_scan` with the
//! same signatures over the same files, and where they differ.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::{Chore, Outcome, cargo, program, root, run};

pub(crate) static CHORE: Chore = Chore {
    name: "replay",
    about: "SIGNATURES FOLDER...: compare alerts with those of clamscan",
    run: |words| match words {
        [signatures, folders @ ..] if !folders.is_empty() => replay(signatures, folders),
        _ => Err("replay SIGNATURES FOLDER...".into()),
    },
};

/// The names of alerts for each file.
type Alerts = BTreeMap<String, BTreeSet<String>>;

fn replay(signatures: &str, folders: &[String]) -> Outcome {
    let compiled = compiled(signatures)?;
    let theirs = theirs(signatures, folders)?;
    let ours = ours(&compiled, folders)?;
    let files: BTreeSet<&String> = theirs.keys().chain(ours.keys()).collect();
    let of = |alerts: &Alerts, file: &String| alerts.get(file).cloned().unwrap_or_default();
    let mut same = 0_usize;
    println!("| file | clamscan alone | here alone |\n|---|---|---|");
    for file in &files {
        let (peer, here) = (of(&theirs, file), of(&ours, file));
        if peer == here {
            same = same.saturating_add(1);
            continue;
        }
        let list = |one: &BTreeSet<String>, other| {
            one.difference(other).cloned().collect::<Vec<_>>().join(", ")
        };
        println!("| {file} | {} | {} |", list(&peer, &here), list(&here, &peer));
    }
    println!("\n{} files with alerts of clamscan, {} with ours", theirs.len(), ours.len());
    println!("{same} of {} with the same alerts", files.len());
    Ok(())
}

fn compiled(signatures: &str) -> Result<PathBuf, String> {
    run(&mut cargo(&["build", "--quiet", "--bin", "esets", "--bin", "esets_scan"]))?;
    let target = root().join("target/replay.dat");
    let esets = root().join("target/debug/esets");
    let mut compile = program(&esets.to_string_lossy(), &["signature", "compile", "--output"]);
    let output = compile.arg(&target).arg(signatures).output();
    output.map_err(|error| error.to_string())?; // Lines that are refused are no failure here.
    if target.exists() { Ok(target) } else { Err(format!("{signatures} cannot be compiled")) }
}

/// `PATH: NAME.UNOFFICIAL FOUND`.
fn theirs(signatures: &str, folders: &[String]) -> Result<Alerts, String> {
    let mut scan =
        program("clamscan", &["--allmatch", "--infected", "--no-summary", "--recursive"]);
    scan.args(["--bytecode=no", "--database", signatures]).args(folders);
    let mut alerts = Alerts::new();
    for line in lines(&mut scan)? {
        let Some((file, name)) = line.trim_end_matches(" FOUND").rsplit_once(": ") else {
            continue;
        };
        let name = name.trim_end_matches(".UNOFFICIAL");
        if line.ends_with(" FOUND") && !name.starts_with("Heuristics.") {
            alerts.entry(file.into()).or_default().insert(name.into());
        }
    }
    Ok(alerts)
}

/// `name="PATH » …", threat="NAME", …`.
fn ours(database: &PathBuf, folders: &[String]) -> Result<Alerts, String> {
    let scanner = root().join("target/debug/esets_scan");
    let mut scan = program(&scanner.to_string_lossy(), &["--no-heur", "--database"]);
    scan.arg(database).args(folders).env("LC_ALL", "C.UTF-8");
    let mut alerts = Alerts::new();
    for line in lines(&mut scan)? {
        let Some(rest) = line.strip_prefix("name=\"") else { continue };
        let Some((path, rest)) = rest.split_once("\", threat=\"") else { continue };
        let threat = rest.split('"').next().unwrap_or_default();
        let file = path.split(" » ").next().unwrap_or_default();
        if !threat.is_empty() {
            alerts.entry(file.into()).or_default().insert(threat.into());
        }
    }
    Ok(alerts)
}

fn lines(command: &mut std::process::Command) -> Result<Vec<String>, String> {
    let output = command.output().map_err(|error| error.to_string())?;
    Ok(String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect())
}
