//! Agents: each in a process of its own, confined, under an account of its own if it has one.
//!
//! ```text
//! daemon                                        agent (the same program, `--agent`)
//!   Setup ─────────────────────────────────────►
//!   its listening sockets, as descriptors ─────►  takes from itself what it does not need
//!   ◄───────────────────────────────── READY
//!   ◄─────────────────────────────── CONNECT      whenever it wants to ask for a scan
//!   a connection to the daemon ────────────────►
//!   ◄──────────────────────────────── RELOAD
//! ```
//!
//! The daemon keeps the listening sockets, so clients wait, and are not refused, while an agent is
//! started anew. An agent opens no connection itself, and those that it gets may not command.

mod sockets;

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::net::TcpListener;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::{ExitCode, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use esets_agents::remote::Credentials;
use esets_agents::{Agent, Connect, Listener, Post};
use esets_client::DaemonFilter;
use esets_client::frame::encode;
use esets_policy::log::LogClass;
use esets_sys::{Confinement, Duty, Reach, Refusal};
use serde::{Deserialize, Serialize};
use tokio::process::Command;
use tokio::task::AbortHandle;
use tokio::time::sleep;

use crate::session::{Desk, Session};
use crate::settings::AgentSettings;
use crate::worker::{Link, WorkerLink};

use sockets::Sockets;

/// How an agent starts; its sockets follow.
#[derive(Debug, Serialize, Deserialize)]
struct Setup {
    name: String,
    longest: u64,
    /// Certificate, key, certificates of signers, word.
    credentials: Option<(String, String, Option<String>, Option<String>)>,
    /// Whether each of the sockets is one of the network.
    sockets: Vec<bool>,
}

/// The agents that run.
pub(crate) struct Agents {
    desk: Arc<Desk>,
    running: HashMap<&'static str, Running>,
}

/// An agent that runs.
struct Running {
    settings: AgentSettings,
    sockets: Sockets,
    task: AbortHandle,
}

impl Agents {
    pub(crate) fn new(desk: Arc<Desk>) -> Self {
        Self { desk, running: HashMap::new() }
    }

    /// Starts, restarts and stops agents so that those run that the configuration wants.
    ///
    /// # Errors
    /// A socket cannot be opened; it is logged too, and the other agents run.
    pub(crate) fn settle(&mut self) -> Result<(), String> {
        let generation = self.desk.service.current();
        let mut before = std::mem::take(&mut self.running);
        let mut outcome = Ok(());
        for settings in &generation.settings.agents {
            let old = before.remove(settings.name);
            match self.settle_one(settings, old) {
                Ok(running) => drop(self.running.insert(settings.name, running)),
                Err(failed) => {
                    let (error, old) = *failed;
                    self.desk.service.ground.log.say(LogClass::Error, &error);
                    self.running.extend(old.map(|old| (settings.name, old)));
                    outcome = Err(error);
                }
            }
        }
        before.into_values().for_each(|old| old.task.abort());
        outcome
    }

    /// Starts an agent, in the place of an old one if there is one. The sockets that both have stay
    /// open, so that no client is refused.
    fn settle_one(
        &self,
        settings: &AgentSettings,
        old: Option<Running>,
    ) -> Result<Running, Box<(String, Option<Running>)>> {
        let old = match old {
            Some(same) if same.settings == *settings => return Ok(same),
            old => old,
        };
        let sockets = match Sockets::open(settings, old.as_ref().map(|old| &old.sockets)) {
            Ok(sockets) => sockets,
            Err(error) => return Err(Box::new((error, old))),
        };
        if let Some(old) = old {
            old.task.abort();
        }
        let keeper = keep(Arc::clone(&self.desk), settings.clone(), sockets.clone());
        let task = tokio::spawn(keeper).abort_handle();
        Ok(Running { settings: settings.clone(), sockets, task })
    }

    /// Ends all agents.
    pub(crate) fn end(&mut self) {
        self.running.drain().for_each(|(_, agent)| agent.task.abort());
    }
}

/// Keeps an agent alive.
async fn keep(desk: Arc<Desk>, settings: AgentSettings, sockets: Sockets) {
    loop {
        let why = match work(&desk, &settings, &sockets).await {
            Ok(()) => "it hung up".to_owned(),
            Err(error) => error.to_string(),
        };
        let text = format!("the agent {} is started anew: {why}", settings.name);
        desk.service.ground.log.say(LogClass::Error, &text);
        sleep(PAUSE).await;
    }
}

async fn work(desk: &Arc<Desk>, settings: &AgentSettings, sockets: &Sockets) -> io::Result<()> {
    let (mut link, there) = WorkerLink::pair()?;
    let mut command = Command::new(esets_sys::own_program()?);
    command.arg(ARGUMENT).env_clear().current_dir("/").stdin(OwnedFd::from(there));
    command.stdout(Stdio::null()).stderr(Stdio::inherit()).kill_on_drop(true);
    settings.account.inspect(|account| account.apply(&mut command));
    let _child = desk.service.ground.starter.start(command).await?;
    let files = sockets.files()?;
    let kinds = files.iter().map(|(is_network, _)| *is_network).collect();
    let credentials = settings.credentials.clone();
    let setup = Setup {
        name: settings.name.into(),
        longest: settings.longest,
        credentials: credentials.map(|own| (own.certificate, own.key, own.ca, own.token)),
        sockets: kinds,
    };
    link.send_frame(SETUP, &serde_json::to_vec(&setup)?).await?;
    for (_, file) in files {
        link.send(&empty(SOCKET)?, Some(&file)).await?;
    }
    while let Some(frame) = link.receive().await? {
        match frame.kind {
            READY => ready(desk, settings.name, &frame.body)?,
            CONNECT => {
                let (here, there) = UnixStream::pair()?;
                here.set_nonblocking(true)?;
                let stream = tokio::net::UnixStream::from_std(here)?;
                tokio::spawn(Session::new(Arc::clone(desk), stream).guest().serve());
                link.send(&empty(SOCKET)?, Some(&File::from(OwnedFd::from(there)))).await?;
            }
            RELOAD => {
                let service = Arc::clone(&desk.service);
                // What comes of it is in the log.
                tokio::spawn(async move { service.reload().await });
            }
            _ => return Err(io::ErrorKind::InvalidData.into()),
        }
    }
    Ok(())
}

fn ready(desk: &Desk, name: &str, refused: &[u8]) -> io::Result<()> {
    let refused: Vec<String> = serde_json::from_slice(refused)?;
    desk.service.ground.metrics.set_refused(name, &refused);
    for protection in refused {
        let text = format!("the system refuses the agent {name} a protection: {protection}");
        desk.service.ground.log.say(LogClass::Warning, &text);
    }
    desk.service.ground.log.say(LogClass::Info, &format!("the agent {name} serves"));
    Ok(())
}

fn empty(kind: u8) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    encode(kind, &[], &mut bytes).map_err(io::Error::other)?;
    Ok(bytes)
}

/// The agent's side: serves until the daemon ends it.
pub(crate) fn serve() -> ExitCode {
    esets_sys::die_with_parent();
    match act() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("esets_daemon: agent: {error}");
            ExitCode::FAILURE
        }
    }
}

fn act() -> io::Result<()> {
    let socket = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    let mut link = Link::new(socket, LONGEST);
    let setup = link.receive()?.ok_or(io::ErrorKind::UnexpectedEof)?;
    let setup: Setup = serde_json::from_slice(&setup.body)?;
    let agent = esets_agents::find(&setup.name).ok_or(io::ErrorKind::NotFound)?;
    let mut listeners = Vec::new();
    for is_network in &setup.sockets {
        let socket = OwnedFd::from(socket_from(&mut link)?);
        listeners.push(match is_network {
            true => Listener::Tcp(TcpListener::from(socket)),
            false => Listener::Unix(UnixListener::from(socket)),
        });
    }
    esets_sys::raise_open_files();
    let refused = confine(agent);
    let refused: Vec<_> = refused.iter().map(ToString::to_string).collect();
    link.send_json(READY, &refused)?;
    let link = Arc::new(Mutex::new(link));
    let connections = Arc::clone(&link);
    let connect: Connect = Arc::new(move || {
        let mut link = connections.lock().unwrap_or_else(PoisonError::into_inner);
        link.send(CONNECT, &[])?;
        Ok(UnixStream::from(OwnedFd::from(socket_from(&mut link)?)))
    });
    let to_daemon = Arc::clone(&connect);
    let filter = DaemonFilter::over(move || to_daemon());
    let reload = Box::new(move || {
        // Without the daemon there is nothing to reload.
        let _ = link.lock().unwrap_or_else(PoisonError::into_inner).send(RELOAD, &[]);
    });
    let own = |(certificate, key, ca, token)| Credentials { certificate, key, ca, token };
    let (longest, credentials) = (setup.longest, setup.credentials.map(own));
    (agent.run)(Post { listeners, filter, connect, reload, longest, credentials })
}

/// Takes from this process what it does not need, and returns what it could not take.
fn confine(agent: &Agent) -> Vec<Refusal> {
    let (reach, duty) = match agent.reads_files {
        true => (Reach::Reading, Duty::ServeFiles),
        false => (Reach::Nothing, Duty::Serve),
    };
    let mut refused = esets_sys::limit_reach(reach);
    refused.extend(esets_sys::confine(&Confinement { memory: MEMORY, seconds: None, duty }));
    refused
}

/// The next descriptor.
fn socket_from(link: &mut Link) -> io::Result<File> {
    link.receive()?.ok_or(io::ErrorKind::UnexpectedEof)?;
    link.take_file().ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// The argument that makes an agent of this program.
pub(crate) const ARGUMENT: &str = "--agent";
const SETUP: u8 = 1;
const SOCKET: u8 = 2;
const READY: u8 = 129;
const CONNECT: u8 = 130;
const RELOAD: u8 = 131;
const LONGEST: u32 = 4 << 20;
/// Bytes of address space: stacks and heaps of a thousand threads, and what they hold.
const MEMORY: u64 = 8 << 30;
const PAUSE: Duration = Duration::from_millis(500);
