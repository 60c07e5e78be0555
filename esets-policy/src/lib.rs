//! Context to plan to decision.
