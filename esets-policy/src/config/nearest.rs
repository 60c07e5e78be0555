//! The known name that a misspelt one most likely meant.

/// The name nearest to `wrong`, unless even that one is too far away to be meant.
///
/// Letters of the wrong case cost nothing; a swapped pair, a wrong, missing or extra letter each
/// cost one, and one in four letters (at least two) may be wrong.
pub(crate) fn nearest<'n>(
    wrong: &str,
    names: impl IntoIterator<Item = &'n str>,
) -> Option<&'n str> {
    let wrong = wrong.to_ascii_lowercase();
    if wrong.len() > LONGEST {
        return None;
    }
    let allowed = (wrong.len() / 4).max(2);
    names
        .into_iter()
        .filter(|name| name.len().abs_diff(wrong.len()) <= allowed)
        .map(|name| (distance(wrong.as_bytes(), name.to_ascii_lowercase().as_bytes()), name))
        .filter(|(distance, name)| *distance <= allowed && *distance < name.len())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// Optimal string alignment distance, three rows at a time.
fn distance(left: &[u8], right: &[u8]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=right.len()).collect();
    let mut previous = None;
    for (row, letter) in left.iter().enumerate() {
        let mut current = vec![row.saturating_add(1)];
        for (column, other) in right.iter().enumerate() {
            let at =
                |cells: &[usize], column: usize| cells.get(column).copied().unwrap_or(usize::MAX);
            let next = column.saturating_add(1);
            let replaced = at(&above, column).saturating_add(usize::from(letter != other));
            let removed = at(&above, next).saturating_add(1);
            let added = at(&current, column).saturating_add(1);
            let mut best = replaced.min(removed).min(added);
            let neighbour = column.checked_sub(1);
            if previous == Some(other) && neighbour.and_then(|n| right.get(n)) == Some(letter) {
                let swapped = neighbour.map_or(usize::MAX, |n| at(&before, n));
                best = best.min(swapped.saturating_add(1));
            }
            current.push(best);
        }
        before = std::mem::replace(&mut above, current);
        previous = Some(letter);
    }
    above.last().copied().unwrap_or_default()
}

/// Longer than any name there is; keeps the cost of a hostile line small.
const LONGEST: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_distance_counts_the_slips_of_a_hand() {
        for (left, right, expected) in [
            ("", "", 0),
            ("", "abc", 3),
            ("abc", "abc", 0),
            ("acb", "abc", 1),
            ("abcd", "abc", 1),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(distance(left.as_bytes(), right.as_bytes()), expected, "{left} {right}");
        }
    }

    #[test]
    fn the_nearest_name_is_near() {
        let names = ["action_av", "action_as", "listen_port"];
        assert_eq!(nearest("acton_av", names), Some("action_av"));
        assert_eq!(nearest("LISTEN_PROT", names), Some("listen_port"));
        assert_eq!(nearest("colour", names), None);
        assert_eq!(nearest(&"x".repeat(1 << 20), names), None);
    }
}
