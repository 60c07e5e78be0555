//! One thing found in one object.

use serde::{Deserialize, Serialize};

/// One thing found in one object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Detection {
    /// The name that the signature or the heuristic gives it.
    pub name: String,
    /// How bad it is.
    pub class: Class,
    /// What found it.
    pub source: Source,
    /// Where in the object it begins, in bytes, if it has a place.
    pub offset: Option<u64>,
}

impl Detection {
    /// A detection by a heuristic, `Heur.` and its name.
    #[must_use]
    pub fn heuristic(name: &str) -> Self {
        Self {
            name: format!("Heur.{name}"),
            class: Class::Suspicious,
            source: Source::Heuristic,
            offset: None,
        }
    }

    /// A detection by a signature.
    #[must_use]
    pub fn signature<N: Into<String>>(name: N, class: Class) -> Self {
        Self { name: name.into(), class, source: Source::Signature, offset: None }
    }

    /// The same detection at `offset` bytes from the start of the object.
    #[must_use]
    pub fn at(self, offset: u64) -> Self {
        Self { offset: Some(offset), ..self }
    }
}

/// How bad a detection is; policy can treat each class apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Class {
    /// A threat known by a signature.
    Malware,
    /// Legitimate but dangerous in the wrong hands; looked for only when asked.
    PotentiallyUnsafe,
    /// Not malicious, yet rarely wanted; looked for only when asked.
    PotentiallyUnwanted,
    /// Found by a heuristic.
    Suspicious,
}

/// What found a detection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Source {
    /// An entry of [`HEURISTICS`](crate::HEURISTICS).
    Heuristic,
    /// A signature of the database.
    Signature,
}
