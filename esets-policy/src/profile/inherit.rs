//! `parent_id`: every section with what its chain of parents says.

use super::layer::Layer;
use crate::config::{Cause, Config, ConfigError, Rule, Value, excerpt};

/// One layer per section, in the order of the file; sections of a circle stay alone.
pub(crate) fn layers(config: &Config, problems: &mut Vec<ConfigError>) -> Vec<Layer> {
    let parents = parents(config, problems);
    let mut layers: Vec<Option<Layer>> = vec![None; config.sections().len()];
    let mut places = vec![None; layers.len()];
    for start in 0..layers.len() {
        let chain = unresolved_chain(start, &parents, &mut places, |circle| {
            problems.push(loop_error(config, circle));
        });
        // Parents first, without recursion: a chain may be as long as the file.
        for at in chain.into_iter().rev() {
            let parent = parents.get(at).copied().flatten();
            let parent = parent.and_then(|parent| layers.get(parent)?.as_ref());
            let layer = config.sections().get(at).map(|section| Layer::new(section, parent));
            if let Some(slot) = layers.get_mut(at) {
                *slot = layer;
            }
        }
    }
    layers.into_iter().map(Option::unwrap_or_default).collect()
}

/// The section that each `parent_id` names.
fn parents(config: &Config, problems: &mut Vec<ConfigError>) -> Vec<Option<usize>> {
    let mut parents = Vec::new();
    for section in config.sections() {
        let parent = section.setting("parent_id").and_then(|setting| match &setting.value {
            Value::Text(name) if !name.is_empty() => Some((name, &setting.rule)),
            _ => None,
        });
        let found = parent.and_then(|(name, _)| config.position(name));
        if let (Some((name, rule)), None) = (parent, found) {
            // Only in a short file is the search for what was meant worth its time.
            let few = config.sections().get(..SEARCHED).is_none();
            let known = config.sections().iter().filter(|_| few).map(|known| known.name.as_ref());
            let nearest = crate::config::nearest(name, known).map(str::to_owned);
            problems.push(error(rule, Cause::UnknownParent(excerpt(name)), nearest));
        }
        parents.push(found);
    }
    parents
}

/// The sections from `start` upwards that were in no chain yet. `places` remembers where in which
/// chain, named by its start, a section was.
fn unresolved_chain(
    start: usize,
    parents: &[Option<usize>],
    places: &mut [Option<(usize, usize)>],
    mut circle: impl FnMut(&[usize]),
) -> Vec<usize> {
    let mut chain = Vec::new();
    let mut next = Some(start);
    while let Some((at, place)) = next.and_then(|at| Some((at, places.get_mut(at)?))) {
        match place {
            Some((here, first)) if *here == start => {
                circle(chain.get(*first..).unwrap_or_default());
                break;
            }
            Some(_) => break,
            None => *place = Some((start, chain.len())),
        }
        chain.push(at);
        next = parents.get(at).copied().flatten();
    }
    chain
}

fn loop_error(config: &Config, circle: &[usize]) -> ConfigError {
    let sections = || circle.iter().filter_map(|at| config.sections().get(*at));
    let mut names: Vec<String> =
        sections().take(SHOWN).map(|section| excerpt(&section.name)).collect();
    if circle.len() > SHOWN {
        names.push("…".to_owned());
    }
    names.extend(names.first().cloned());
    let rule = sections().find_map(|section| section.setting("parent_id"));
    let rule = rule.map_or_else(|| Rule::default_of("parent_id"), |setting| setting.rule.clone());
    error(&rule, Cause::Loop { chain: names.join(" -> ") }, None)
}

pub(super) fn error(rule: &Rule, cause: Cause, nearest: Option<String>) -> ConfigError {
    ConfigError { file: rule.file.clone(), line: rule.line, cause, nearest }
}

/// Sections of a circle that a message shows.
const SHOWN: usize = 20;
/// From so many sections on, the name of a missing parent is not compared with theirs.
const SEARCHED: usize = 200;
