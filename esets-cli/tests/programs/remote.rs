//! `esets_cli` and a daemon on another machine: whom it believes, and how files travel.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread::{self, sleep};
use std::time::Duration;

use esets_client::{Answer, Event, FromDaemon, Incoming, VERSION, Welcome};
use esets_policy::core::{Reason, Verdict};
use esets_policy::{Context, Outcome, Plan, Policy};

use crate::harness::Folder;

/// A folder with a file, a certificate for `localhost` and a configuration that believes it.
fn configured() -> Folder {
    let folder = Folder::new();
    folder.file("mail", "the content");
    let script = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
        -keyout ca.key -out ca.pem -days 2 -subj /CN=ca && \
        openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout server.key \
        -out server.csr -subj /CN=server && echo subjectAltName=DNS:localhost >names && \
        openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 \
        -extfile names -out server.pem";
    let made = Command::new("sh").args(["-c", script]).current_dir(folder.path()).output();
    assert!(made.unwrap().status.success());
    folder.file("token", "open sesame, please\n");
    let of = |name: &str| folder.path().join(name).display().to_string();
    let lines = format!("[cli]\ntls_ca = \"{}\"\ntls_token = \"{}\"\n", of("ca.pem"), of("token"));
    folder.file("esets.cfg", lines);
    folder
}

/// OpenSSL's server: what clients say comes out of it, and what goes into it they hear.
struct Server(Child);

impl Server {
    fn start(folder: &Folder, port: u16) -> Self {
        let mut server = Command::new("openssl");
        server.args(["s_server", "-quiet", "-tls1_3", "-cert", "server.pem", "-key", "server.key"]);
        server.args(["-accept", &format!("127.0.0.1:{port}")]).current_dir(folder.path());
        server.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let server = Self(server.spawn().unwrap());
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            sleep(Duration::from_millis(20));
        }
        server
    }

    /// Plays a daemon that discards everything and tells what it got.
    fn play(&mut self) {
        let mut from = self.0.stdout.take().unwrap();
        let mut to = self.0.stdin.take().unwrap();
        thread::spawn(move || {
            let (mut incoming, mut buffer, mut content) = (Incoming::new(), [0; 4096], Vec::new());
            loop {
                let count = from.read(&mut buffer).unwrap_or_default();
                if count == 0 {
                    return;
                }
                incoming.feed(&buffer[..count]);
                while let Some(event) = incoming.event().unwrap() {
                    let mut said = Vec::new();
                    match event {
                        Event::Greeted => welcome().encode(&mut said).unwrap(),
                        Event::Content { bytes, .. } => content.extend(bytes),
                        Event::Complete(id) => answer(id, &content).encode(&mut said).unwrap(),
                        _ => {}
                    }
                    to.write_all(&said).unwrap();
                }
            }
        });
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn welcome() -> FromDaemon {
    FromDaemon::Welcome(Welcome { version: VERSION, daemon: "0".into() })
}

fn answer(id: u32, content: &[u8]) -> FromDaemon {
    let policy = Policy::load("x", b"[global]\naction_av = \"discard\"\n", |_| {
        Ok::<Vec<u8>, String>(Vec::new())
    });
    let Plan::Act(fates) = policy.unwrap().plan(&Context::new("cli")) else { panic!("a scan") };
    let verdict = Verdict::not_scanned(content, Reason::Encrypted);
    let outcome = Outcome::new(Some(verdict), fates);
    FromDaemon::Answer(Box::new(Answer { id, handle: 1, outcome }))
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn a_daemon_on_another_machine_decides_about_content() {
    let (folder, port) = (configured(), free_port());
    let mut server = Server::start(&folder, port);
    server.play();
    let address = format!("--daemon=tcp://localhost:{port}");
    let ended = folder.cli(&["--config=esets.cfg", &address, "--daemon-only", "mail"]);
    assert_eq!((ended.code, ended.err.as_str()), (2, ""), "{}", ended.out);
    assert!(ended.out.starts_with("the content: action=\"discarded\"\n"), "{}", ended.out);
}

#[test]
fn one_that_cannot_be_believed_or_reached_gives_no_answer() {
    let (folder, port) = (configured(), free_port());
    let address = format!("--daemon=tcp://localhost:{port}");
    let cli = |address: &str| folder.cli(&["--config=esets.cfg", address, "--daemon-only", "mail"]);
    let ended = cli(&address);
    assert_eq!(ended.code, 100);
    assert!(ended.err.contains("the daemon cannot be reached"), "{}", ended.err);
    let _server = Server::start(&folder, port);
    let ended = cli(&format!("--daemon=tcp://127.0.0.1:{port}"));
    assert_eq!(ended.code, 100);
    assert!(ended.err.contains("not valid for name"), "{}", ended.err);
    // Without it the file is scanned here, unless that is forbidden.
    let ended =
        folder.cli(&["--config=esets.cfg", &format!("--daemon=tcp://127.0.0.1:{port}"), "mail"]);
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert!(ended.err.contains("scanning without it"), "{}", ended.err);
    for (address, said) in [("--daemon=tcp://localhost", "no port"), ("--daemon=:1", "invalid")] {
        let ended = cli(address);
        assert!(ended.code == 100 && ended.err.contains(said), "{address}: {}", ended.err);
    }
    folder.file("esets.cfg", "");
    let ended = cli(&address);
    assert!(ended.code == 100 && ended.err.contains("[cli] names no tls_ca"), "{}", ended.err);
}
