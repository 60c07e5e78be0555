//! Starts processes from a thread that has left the network, under an account of their own.

use std::io;
use std::sync::mpsc;
use std::thread;

use tokio::process::{Child, Command};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

/// The account that workers run under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) user: u32,
    pub(crate) group: u32,
}

impl Account {
    /// The account of this name; `None` if this process is not root and has no choice.
    pub(crate) fn choose(name: &str) -> Result<Option<Self>, String> {
        if nix::unistd::geteuid().is_root() { Self::find(name).map(Some) } else { Ok(None) }
    }

    fn find(name: &str) -> Result<Self, String> {
        match nix::unistd::User::from_name(name) {
            Ok(Some(user)) if user.uid.is_root() => {
                Err(format!("workers and agents cannot run as {name:?}, which is root"))
            }
            Ok(Some(user)) => Ok(Self { user: user.uid.as_raw(), group: user.gid.as_raw() }),
            Ok(None) => Err(format!("there is no account {name:?}")),
            Err(error) => Err(format!("account {name:?}: {error}")),
        }
    }

    /// Makes a program run under this account, without further groups.
    pub(crate) fn apply(self, command: &mut Command) {
        command.uid(self.user).gid(self.group);
    }
}

/// The thread that starts processes. They end with it, and it ends with the daemon.
#[derive(Debug)]
pub(crate) struct Starter {
    requests: mpsc::Sender<(Command, oneshot::Sender<io::Result<Child>>)>,
    /// Protections that the system refuses to all its processes.
    pub(crate) refused: Vec<String>,
}

impl Starter {
    /// Starts the thread; called from inside the runtime that will wait for the processes.
    pub(crate) fn new() -> io::Result<Self> {
        let (requests, queue) = mpsc::channel::<(Command, oneshot::Sender<io::Result<Child>>)>();
        let (ready, refused) = mpsc::channel();
        let runtime = Handle::current();
        thread::Builder::new().name("starter".into()).spawn(move || {
            let refused: Vec<_> =
                esets_sys::leave_network().iter().map(ToString::to_string).collect();
            let _ = ready.send(refused);
            let _runtime = runtime.enter();
            for (mut command, reply) in queue {
                let _ = reply.send(command.spawn());
            }
        })?;
        let refused = refused.recv().map_err(io::Error::other)?;
        Ok(Self { requests, refused })
    }

    pub(crate) async fn start(&self, command: Command) -> io::Result<Child> {
        let (reply, child) = oneshot::channel();
        self.requests.send((command, reply)).map_err(io::Error::other)?;
        child.await.map_err(io::Error::other)?
    }
}
