//! Every case of `testdata/unpack/`: its verdict, cut anywhere, with any byte changed.
//!
//! `UPDATE=1` writes the verdicts down; read the difference before it is committed.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test ends where it fails"
)]

mod corpus;

use std::fs;
use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};

use corpus::{Case, positions, scan, scanner};

fn main() -> ExitCode {
    let formats = corpus::formats();
    let cases = formats.iter().flat_map(|format| corpus::cases(format));
    let trials: Vec<Trial> = cases.flat_map(trials).collect();
    assert!(!trials.is_empty(), "the cases are missing");
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn trials(case: Case) -> [Trial; 2] {
    let name = format!("{}/{}", case.format, case.name);
    let case = Arc::new(case);
    let other = Arc::clone(&case);
    [
        Trial::test(format!("{name} is as written down"), move || is_as_written_down(&case)),
        Trial::test(format!("{name} with any byte changed"), move || with_any_byte_changed(&other)),
    ]
}

/// The verdict, the same one again, and the status of every beginning of the object.
fn is_as_written_down(case: &Case) -> Result<(), Failed> {
    let scanner = scanner();
    let verdict = scan(&scanner, &case.name, &case.bytes)?;
    if scan(&scanner, &case.name, &case.bytes)? != verdict {
        return Err("a second scan gives another verdict".into());
    }
    let found = format!("{verdict}\ncut: {}\n", statuses_along(case)?);
    if std::env::var_os("UPDATE").is_some() {
        return Ok(fs::write(&case.golden, found)?);
    }
    let expected = fs::read_to_string(&case.golden)
        .map_err(|error| format!("{}: {error}", case.golden.display()))?;
    if found == expected {
        return Ok(());
    }
    Err(format!("--- expected ---\n{expected}--- found ---\n{found}").into())
}

/// `Clean×12 NotScanned×499 Infected×1`: the statuses of the object cut at growing lengths.
fn statuses_along(case: &Case) -> Result<String, Failed> {
    let scanner = scanner();
    let mut runs: Vec<(String, usize)> = Vec::new();
    for length in positions(case.bytes.len()) {
        let verdict = scan(&scanner, &case.name, &case.bytes[..length])
            .map_err(|broken| format!("cut at {length}: {broken}"))?;
        let status = format!("{:?}", verdict.status());
        match runs.last_mut().filter(|(last, _)| *last == status) {
            Some((_, count)) => *count += 1,
            None => runs.push((status, 1)),
        }
    }
    let runs: Vec<_> = runs.iter().map(|(status, count)| format!("{status}×{count}")).collect();
    Ok(runs.join(" "))
}

/// No promise is broken whatever a byte says.
fn with_any_byte_changed(case: &Case) -> Result<(), Failed> {
    let scanner = scanner();
    let mut bytes = case.bytes.clone();
    for at in positions(bytes.len()) {
        let change = [0xff, 1 << (at / 2 % 8)][at % 2];
        bytes[at] ^= change;
        scan(&scanner, &case.name, &bytes)
            .map_err(|broken| format!("byte {at} changed by {change:#x}: {broken}"))?;
        bytes[at] ^= change;
    }
    Ok(())
}
