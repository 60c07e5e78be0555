//! What of its letters a regular expression cannot match without.

use regex_syntax::hir::{Class, Hir, HirKind};

/// For each list, whatever the expression matches holds one of its runs, in lower case.
pub(super) fn grams(hir: &Hir) -> Vec<Vec<[u8; GRAM]>> {
    let mut lists = Vec::new();
    walk(hir, &mut lists);
    lists
}

fn walk(hir: &Hir, lists: &mut Vec<Vec<[u8; GRAM]>>) {
    match hir.kind() {
        HirKind::Alternation(branches) => {
            let list: Option<Vec<_>> = branches
                .iter()
                .map(|branch| grams(branch).into_iter().min_by_key(Vec::len))
                .collect();
            lists.extend(list.map(|lists| lists.concat()));
        }
        HirKind::Capture(capture) => walk(&capture.sub, lists),
        HirKind::Concat(parts) => {
            let mut run = Vec::new();
            for part in parts {
                match letters(part) {
                    Some(letters) => run.extend(letters),
                    None => {
                        end(&mut run, lists);
                        walk(part, lists);
                    }
                }
            }
            end(&mut run, lists);
        }
        HirKind::Repetition(repetition) if repetition.min > 0 => walk(&repetition.sub, lists),
        HirKind::Literal(_) => end(&mut letters(hir).unwrap_or_default(), lists),
        _ => {}
    }
}

/// One list for each place in a run of letters.
fn end(run: &mut Vec<u8>, lists: &mut Vec<Vec<[u8; GRAM]>>) {
    lists.extend(run.array_windows().map(|gram| vec![*gram]));
    run.clear();
}

/// The letters of a part that is nothing else, in either case.
fn letters(part: &Hir) -> Option<Vec<u8>> {
    match part.kind() {
        HirKind::Literal(literal) => Some(literal.0.to_ascii_lowercase()),
        HirKind::Class(Class::Bytes(class)) => match class.ranges() {
            [upper, lower]
                if upper.len() == 1
                    && lower.len() == 1
                    && upper.start().to_ascii_lowercase() == lower.start() =>
            {
                Some(vec![lower.start()])
            }
            _ => None,
        },
        _ => None,
    }
}

/// The length of a run.
pub(crate) const GRAM: usize = 3;
