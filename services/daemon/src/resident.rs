//! The life of the daemon: start, accept, signals, stop.

use std::fs;
use std::io;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use esets_policy::log::LogClass;
use tokio::net::UnixListener;
use tokio::runtime::Builder;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::agent::Agents;
use crate::arguments::Arguments;
use crate::generation::{Generation, Ground};
use crate::listen::Socket;
use crate::log::Log;
use crate::metrics::Metrics;
use crate::service::Service;
use crate::session::{Desk, Session};
use crate::settings::{default_path, load};
use crate::status;
use crate::systemd;
use crate::worker::Starter;

/// Runs the daemon until it is told to stop.
pub(crate) fn run(arguments: &Arguments) -> Result<(), String> {
    let inherited = Socket::inherited();
    esets_sys::raise_open_files();
    let failed = |error: io::Error| error.to_string();
    let mut builder = Builder::new_multi_thread();
    // The workers need the processors; what this process does between two of them is little, and
    // every thread more of it costs wakes.
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    let runtime = builder.worker_threads(cores.div_ceil(PROCESSORS)).enable_all().build();
    let runtime = runtime.map_err(failed)?;
    let outcome = runtime.block_on(live(arguments, inherited));
    runtime.shutdown_timeout(Duration::from_secs(1));
    outcome
}

async fn live(arguments: &Arguments, inherited: Option<Socket>) -> Result<(), String> {
    let config = arguments.config.clone().unwrap_or_else(default_path);
    let first = load(&config, arguments.config.is_some())?;
    let socket = match inherited {
        Some(socket) => socket,
        None => Socket::bind(&first.settings.socket)?,
    };
    let ground = Ground {
        config,
        config_is_given: arguments.config.is_some(),
        starter: Arc::new(Starter::new().map_err(|error| error.to_string())?),
        log: Arc::new(Log::new(first.settings.log)),
        metrics: Arc::new(Metrics::new()),
        faults: faults(arguments),
    };
    let generation = Generation::load(&ground, None).await?;
    let service = Arc::new(Service::new(ground, generation));
    let _pid_file = arguments.pid_file.as_deref().map(PidFile::write).transpose()?;
    let memory = Arc::new(AtomicU64::new(CONTENT_MEMORY));
    let desk = Arc::new(Desk { service, memory, stop: Notify::new() });
    desk.service
        .ground
        .log
        .say(LogClass::Info, &format!("{} starts", status::version(&desk.service)));
    let mut agents = Agents::new(Arc::clone(&desk));
    agents.settle()?;
    let ended = serve(&desk, &socket, &mut agents).await.map_err(|error| error.to_string());
    desk.service.ground.log.say(LogClass::Info, "the daemon stops");
    ended
}

/// Accepts clients and obeys signals until one of them stops the daemon.
async fn serve(desk: &Arc<Desk>, socket: &Socket, agents: &mut Agents) -> io::Result<()> {
    let listener = socket.listener.try_clone()?;
    listener.set_nonblocking(true)?;
    let listener = UnixListener::from_std(listener)?;
    let mut signals = Signals::new()?;
    let mut sessions = JoinSet::new();
    let mut reloads = desk.service.reloads();
    systemd::notify("READY=1");
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    sessions.spawn(Session::new(Arc::clone(desk), stream).serve());
                }
                // No descriptors are left; clients wait until some are.
                Err(error) => {
                    desk.service.ground.log.say(LogClass::Error, &format!("no client: {error}"));
                    sleep(Duration::from_millis(100)).await;
                }
            },
            Some(_) = sessions.join_next() => {}
            wish = signals.next() => match wish {
                Wish::Reload => reload(desk),
                Wish::Reopen => reopen(desk),
                Wish::Stop => break,
            },
            Ok(()) = reloads.changed() => {
                // What is wrong is in the log; the other agents go on.
                let _ = agents.settle();
            }
            () = desk.stop.notified() => break,
        }
    }
    systemd::notify("STOPPING=1");
    drop(listener);
    agents.end();
    finish(desk, sessions).await;
    Ok(())
}

/// Lets requests that were begun come to their end, and not wait for idle clients.
async fn finish(desk: &Desk, mut sessions: JoinSet<()>) {
    desk.service.stop();
    let done = async { while sessions.join_next().await.is_some() {} };
    let _ = timeout(LAST_ANSWERS, done).await;
}

fn reload(desk: &Arc<Desk>) {
    let service = Arc::clone(&desk.service);
    tokio::spawn(async move {
        systemd::notify("RELOADING=1");
        // What is wrong is in the log.
        let _ = service.reload().await;
        systemd::notify("READY=1");
    });
}

fn reopen(desk: &Desk) {
    let log = &desk.service.ground.log;
    log.reopen(None);
    status::status(&desk.service).lines().for_each(|line| log.say(LogClass::Info, line));
}

/// What a signal asks for.
enum Wish {
    Reload,
    Reopen,
    Stop,
}

struct Signals {
    hangup: Signal,
    user: Signal,
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            user: signal(SignalKind::user_defined1())?,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) -> Wish {
        tokio::select! {
            _ = self.hangup.recv() => Wish::Reload,
            _ = self.user.recv() => Wish::Reopen,
            _ = self.terminate.recv() => Wish::Stop,
            _ = self.interrupt.recv() => Wish::Stop,
        }
    }
}

/// A file with the number of the process, as long as it runs.
struct PidFile(PathBuf);

impl PidFile {
    fn write(path: &Path) -> Result<Self, String> {
        let written = fs::write(path, format!("{}\n", std::process::id()));
        written.map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Self(path.to_path_buf()))
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        // At the end of the program there is nobody left to tell.
        let _ = fs::remove_file(&self.0);
    }
}

#[cfg(debug_assertions)]
fn faults(arguments: &Arguments) -> bool {
    arguments.test_faults
}

#[cfg(not(debug_assertions))]
fn faults(_arguments: &Arguments) -> bool {
    false
}

/// Processors whose workers one thread of the daemon keeps busy.
const PROCESSORS: usize = 4;
/// Bytes of contents that may be on their way in, of all clients together.
const CONTENT_MEMORY: u64 = 1 << 30;
/// How long a daemon that stops waits for requests that were begun.
const LAST_ANSWERS: Duration = Duration::from_secs(30);
