//! What several formats share: algorithms and containers inside containers.

pub(crate) mod compound;
