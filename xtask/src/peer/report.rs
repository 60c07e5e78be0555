//! The page with the tables.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::databases::Set;
use super::{KINDS, Measure};

type Measured<'m> = (&'m Set, Measure, Measure);

pub(super) fn page(measures: &[Measured<'_>], costs: &[BTreeMap<&'static str, f64>]) -> String {
    let mut page = String::from(
        "# Performance\n\nWritten by `cargo xtask bench peer [DATABASE] [FILES]`: `clamscan` and we on the same files, \
         in seconds of CPU, one thread; the time to open the signatures is taken off. Compare the \
         columns, not runs on different machines. Our memory is what no file holds; the peer's is \
         the most it had.\n",
    );
    for (set, theirs, ours) in measures {
        let _ = writeln!(
            page,
            "\n## {} signatures ({})\n\n| | peer | here | goal | |\n|---|---|---|---|---|",
            set.signatures, set.name
        );
        rows(&mut page, set, theirs, ours);
    }
    let _ = writeln!(page, "\n## Instructions per byte\n\n| part | {} |", KINDS.join(" | "));
    let _ = writeln!(page, "|---|{}", "---|".repeat(KINDS.len()));
    let parts: std::collections::BTreeSet<_> = costs.iter().flat_map(BTreeMap::keys).collect();
    for part in parts {
        let cells = costs.iter().map(|cost| format!("{:.1}", cost.get(part).unwrap_or(&0.0)));
        let _ = writeln!(page, "| {part} | {} |", cells.collect::<Vec<_>>().join(" | "));
    }
    page
}

fn rows(page: &mut String, set: &Set, theirs: &Measure, ours: &Measure) {
    let mark = |is_met| if is_met { "met" } else { "missed" };
    let mut row = |what: &str, peer: String, here: String, goal: &str, is_met: bool| {
        let _ = writeln!(page, "| {what} | {peer} | {here} | {goal} | {} |", mark(is_met));
    };
    let milli = |seconds: f64| format!("{:.3} ms", seconds * 1e3);
    let is_large = set.signatures > 4_000_000;
    let (most, goal) = if is_large { (0.02, "20 ms") } else { (0.01, "10 ms") };
    row("open", milli(theirs.open), milli(ours.open), goal, ours.open <= most);
    let mega = |bytes: f64| format!("{:.1} MB", bytes / 1e6);
    row("memory", mega(theirs.memory), mega(ours.memory), "8 MB", ours.memory <= 8e6);
    let (most, goal) = if is_large { (150, "150 MB") } else { (30, "30 MB") };
    row("file", "-".into(), mega(set.size as f64), goal, set.size <= most * 1_000_000);
    let (digest, logical) = set.each;
    row("a digest", "137 B".into(), format!("{digest} B"), "14 B", digest <= 14);
    row("a logical signature", "6.6 kB".into(), format!("{logical} B"), "400 B", logical <= 400);
    row("200 bytes", milli(theirs.tiny), milli(ours.tiny), "0.020 ms", ours.tiny <= 20e-6);
    for ((kind, goal), (peer, here)) in
        KINDS.iter().zip([20.0, 20.0, 8.0, 30.0]).zip(theirs.rates.iter().zip(&ours.rates))
    {
        let ratio = here / peer;
        let cells = (format!("{peer:.2} MB/s"), format!("{here:.1} MB/s, {ratio:.1} times"));
        row(kind, cells.0, cells.1, &format!("{goal} times"), ratio >= goal);
    }
}
