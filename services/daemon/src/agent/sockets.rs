//! The sockets that an agent listens on. The daemon opens and keeps them.

use std::fs::File;
use std::io;
use std::net::TcpListener;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::path::PathBuf;
use std::sync::Arc;

use crate::listen::Socket;
use crate::settings::AgentSettings;

/// The sockets of an agent, with what they are bound to.
#[derive(Clone, Debug)]
pub(super) struct Sockets {
    network: Option<((String, u16), Arc<TcpListener>)>,
    local: Option<(PathBuf, Arc<Socket>)>,
}

impl Sockets {
    /// Opens what an agent wants, and takes over what it had `before` and wants still.
    pub(super) fn open(settings: &AgentSettings, before: Option<&Self>) -> Result<Self, String> {
        let network = before.and_then(|before| before.network.clone());
        let local = before.and_then(|before| before.local.clone());
        let network = match &settings.port {
            Some(wanted) => match network.filter(|(bound, _)| bound == wanted) {
                Some(same) => Some(same),
                None => Some((wanted.clone(), Arc::new(bind(settings.name, wanted)?))),
            },
            None => None,
        };
        let local = match &settings.socket {
            Some(wanted) => match local.filter(|(bound, _)| bound == wanted) {
                Some(same) => Some(same),
                None => Some((wanted.clone(), Arc::new(Socket::bind(wanted)?))),
            },
            None => None,
        };
        Ok(Self { network, local })
    }

    /// The sockets for the agent, and whether each is one of the network.
    pub(super) fn files(&self) -> io::Result<Vec<(bool, File)>> {
        let network = self.network.iter().map(|(_, socket)| (true, socket.as_fd()));
        let local = self.local.iter().map(|(_, socket)| (false, socket.listener.as_fd()));
        let owned = |(is_network, socket): (bool, BorrowedFd<'_>)| {
            Ok((is_network, File::from(socket.try_clone_to_owned()?)))
        };
        network.chain(local).map(owned).collect()
    }
}

fn bind(name: &str, (address, port): &(String, u16)) -> Result<TcpListener, String> {
    let opened = TcpListener::bind((address.as_str(), *port));
    opened.map_err(|error| format!("[{name}] {address}:{port}: {error}"))
}
