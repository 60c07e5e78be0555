//! Who sends what to whom, as far as an agent knows.

use std::net::IpAddr;

/// What an agent knows about an object besides its bytes.
///
/// Addresses are bare (`alice@example.org`), without angle brackets and display names.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Context<'a> {
    /// The agent, as its section is called: `smtp`, `cli`.
    pub agent: &'a str,
    /// The address that the object comes from.
    pub client: Option<IpAddr>,
    /// The address that it goes to or was fetched from.
    pub server: Option<IpAddr>,
    /// The sender of a message; empty for the null sender.
    pub sender: Option<&'a str>,
    /// The recipients of a message.
    pub recipients: &'a [&'a str],
    /// The user that asks for the object.
    pub user: Option<&'a str>,
    /// Whether the object is a message that the agent can change.
    pub may_modify: bool,
}

impl<'a> Context<'a> {
    /// The context of an agent that knows nothing else.
    pub fn new(agent: &'a str) -> Self {
        Self { agent, ..Self::default() }
    }

    /// The same with the address that the object comes from.
    #[must_use]
    pub fn client(self, client: IpAddr) -> Self {
        Self { client: Some(client), ..self }
    }

    /// The same with the address that the object goes to or was fetched from.
    #[must_use]
    pub fn server(self, server: IpAddr) -> Self {
        Self { server: Some(server), ..self }
    }

    /// The same with the sender of a message.
    #[must_use]
    pub fn sender(self, sender: &'a str) -> Self {
        Self { sender: Some(sender), ..self }
    }

    /// The same with the recipients of a message.
    #[must_use]
    pub fn recipients(self, recipients: &'a [&'a str]) -> Self {
        Self { recipients, ..self }
    }

    /// The same with the user that asks for the object.
    #[must_use]
    pub fn user(self, user: &'a str) -> Self {
        Self { user: Some(user), ..self }
    }

    /// The same for a message that the agent can change.
    #[must_use]
    pub fn modifiable(self) -> Self {
        Self { may_modify: true, ..self }
    }
}
