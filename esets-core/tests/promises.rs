//! What must hold for any bytes at all, and for any mixture of the cases.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test ends where it fails"
)]

#[expect(dead_code, reason = "positions are the other test's")]
mod corpus;

use std::sync::LazyLock;

use proptest::prelude::*;

use corpus::Case;

static CASES: LazyLock<Vec<Case>> =
    LazyLock::new(|| corpus::formats().iter().flat_map(|format| corpus::cases(format)).collect());

/// A case with some of its bytes overwritten, and another case's end behind it.
fn mixture() -> impl Strategy<Value = Vec<u8>> {
    let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8);
    let parts = (any::<prop::sample::Index>(), any::<prop::sample::Index>());
    let cuts = (any::<prop::sample::Index>(), any::<prop::sample::Index>());
    (parts, cuts, changes).prop_map(|((first, second), (end, start), changes)| {
        let (first, second) = (&first.get(&CASES).bytes, &second.get(&CASES).bytes);
        let kept = &first[..end.index(first.len() + 1)];
        let mut bytes = [kept, &second[start.index(second.len() + 1)..]].concat();
        for (at, value) in changes {
            let length = bytes.len();
            if length > 0 {
                bytes[at.index(length)] = value;
            }
        }
        bytes
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_break_a_promise(bytes in prop::collection::vec(any::<u8>(), 0..2048)) {
        corpus::scan(&corpus::scanner(), "any", &bytes).map_err(TestCaseError::fail)?;
    }

    #[test]
    fn no_mixture_of_cases_breaks_a_promise(bytes in mixture()) {
        corpus::scan(&corpus::scanner(), "mixture", &bytes).map_err(TestCaseError::fail)?;
    }
}
