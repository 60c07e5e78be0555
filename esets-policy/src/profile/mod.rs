//! User Specific Configuration: which sections hold for whom, and in which order.
//!
//! The sections of a special configuration file (`user_config`) are identities:
//!
//! | section | holds for |
//! |---|---|
//! | `[alice@example.org]` | messages to this recipient |
//! | `[@example.org]` | messages to recipients of this domain |
//! | `[@.example.org]` | messages to recipients of its sub-domains, at any depth |
//! | `[\|carol@example.net]`, `[\|@example.net]`, `[\|@.example.net]` | messages from there |
//! | `[\|<>]` | messages from the null sender: bounces |
//! | `[alice]` | objects that this user asks for |
//! | `[\|192.0.2.1]`, `[\|192.0.2.0/24]` | objects that come from this client or network |
//! | `[192.0.2.1]`, `[2001:db8::/32]` | objects that go to, or come from, this server or network |
//! | `[black-list]`, if a `parent_id` names it | nobody by itself |
//!
//! Upper and lower case are the same. **A key is taken from the first of these that sets it:**
//!
//! 1. the recipient's address, its domain, then the domains above, the nearest first;
//! 2. the user;
//! 3. the client, then its networks, the smallest first;
//! 4. the server, then its networks, the smallest first;
//! 5. the sender's address, its domain, then the domains above; last, because anybody can write
//!    any sender;
//! 6. the agent's section of `esets.cfg`;
//! 7. `[global]`;
//! 8. the default of the key.
//!
//! Each section of 1 to 5 stands for itself and, behind it, the chain of its `parent_id`s. So a
//! recipient's section with a single key leaves all other keys to the sections after it. Within
//! one section a finer key (`action_av_infected_unwanted`) goes before the coarser one
//! (`action_av_infected`), but a coarser key of a nearer section goes before a finer one of a
//! farther section.
//!
//! A message whose recipients differ is split: each group of recipients gets its own
//! [`Disposition`](crate::Disposition).
//!
//! Everything is put in order when the file is read, so finding the sections of an address takes a
//! bounded number of hash look-ups, however many sections there are.

mod identity;
mod inherit;
mod layer;
mod network;
mod users;

pub(crate) use identity::Identity;
pub(crate) use layer::{Layer, Layers, Who};
pub(crate) use users::Users;

/// The sections found for one context so far, and what finding them cost.
#[derive(Clone, Debug, Default)]
pub(crate) struct Matches<'p> {
    pub(crate) found: Vec<(Who, &'p Layer)>,
    /// Hash look-ups.
    pub(crate) lookups: usize,
}

impl<'p> Matches<'p> {
    /// Counts a look-up and keeps what it found.
    fn add(&mut self, who: Who, layer: Option<&'p Layer>) {
        self.lookups = self.lookups.saturating_add(1);
        self.found.extend(layer.map(|layer| (who, layer)));
    }
}
