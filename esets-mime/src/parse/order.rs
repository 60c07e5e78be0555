//! The order of the parts: each container before what is in it.

use crate::part::Part;

/// Puts `parts`, which come as they were read, into the order of their tree.
pub(super) fn by_tree(parts: Vec<Part<'_>>) -> Vec<Part<'_>> {
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); parts.len()];
    let mut stack = Vec::new();
    for (index, part) in parts.iter().enumerate().rev() {
        match part.parent.and_then(|parent| children.get_mut(parent)) {
            Some(siblings) => siblings.push(index),
            None => stack.push(index),
        }
    }
    let mut parts: Vec<Option<Part<'_>>> = parts.into_iter().map(Some).collect();
    let mut ordered = Vec::new();
    // Where each container went.
    let mut moved = vec![None; parts.len()];
    while let Some(index) = stack.pop() {
        let Some(mut part) = parts.get_mut(index).and_then(Option::take) else { continue };
        part.parent = part.parent.and_then(|parent| moved.get(parent).copied().flatten());
        if let Some(place) = moved.get_mut(index) {
            *place = Some(ordered.len());
        }
        ordered.push(part);
        stack.extend(children.get_mut(index).map(std::mem::take).unwrap_or_default());
    }
    ordered
}
