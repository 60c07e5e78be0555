//! The daemon's protocol over TLS: who is let in, and who is not.

#![expect(clippy::unwrap_used, reason = "a test ends where it fails")]

mod running;

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use esets_client::{
    Client, ClientError, Command as Ask, Content, Credentials, FromClient, Hello, Remote, VERSION,
};
use running::{Daemon, verdict};
use tempfile::TempDir;

const TOKEN: &str = "open sesame, please";

/// Makes what a lab of two authorities needs: `ca` and `other`, and signed by `ca` (`server`,
/// `client`) or by the other (`stranger`) what they may need.
fn certificates() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let script = r#"
        set -e
        new="-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
        for ca in ca other; do
            openssl req -x509 $new -keyout $ca.key -out $ca.pem -days 2 -subj /CN=$ca
        done
        printf 'subjectAltName=DNS:localhost\n' > names
        sign() {
            openssl req $new -keyout $1.key -out $1.csr -subj /CN=$1
            openssl x509 -req -in $1.csr -CA $2.pem -CAkey $2.key -CAcreateserial -days 2 \
                -extfile names -out $1.pem
        }
        sign server ca; sign client ca; sign stranger other
    "#;
    let made = Command::new("sh").args(["-c", script]).current_dir(folder.path()).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    fs::write(folder.path().join("token"), format!("{TOKEN}\n")).unwrap();
    folder
}

fn section(folder: &Path, port: u16, more: &str) -> String {
    format!(
        "num_proc = 1\n[remote]\nagent_enabled = yes\nlisten_addr = \"127.0.0.1\"\n\
         listen_port = {port}\ntls_certificate = \"{0}/server.pem\"\n{1}",
        folder.display(),
        more.replace("DIR", &folder.display().to_string())
    )
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

const BOTH: &str =
    "tls_key = \"DIR/server.key\"\ntls_ca = \"DIR/ca.pem\"\ntls_token = \"DIR/token\"\n";
const WORD: &str = "tls_key = \"DIR/server.key\"\ntls_token = \"DIR/token\"\n";

fn start(more: &str) -> (Daemon, TempDir, u16) {
    let (folder, port) = (certificates(), free_port());
    let daemon = Daemon::with(&section(folder.path(), port, more));
    daemon.wait_for_log("the agent remote serves");
    (daemon, folder, port)
}

/// Somebody with the certificate of this name, who believes `ca`.
fn somebody(folder: &Path, ca: &str, own: Option<&str>, token: Option<&str>) -> Credentials {
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    let certificate = own.map(|own| (read(&format!("{own}.pem")), read(&format!("{own}.key"))));
    let token = token.map(str::to_owned);
    Credentials { ca: read(&format!("{ca}.pem")), certificate, token }
}

fn connect(host: &str, port: u16, who: &Credentials) -> Result<Client, ClientError> {
    Client::remote(&Remote::new(&format!("tcp://{host}:{port}"), who).unwrap())
}

#[test]
fn whoever_is_let_in_gets_the_same_answers_and_may_not_command() {
    let (daemon, folder, port) = start(BOTH);
    running::install(daemon.folder.path(), "1", "apple");
    assert!(daemon.command("reload").status.success());
    let who = somebody(folder.path(), "ca", Some("client"), Some(TOKEN));
    let mut client = connect("localhost", port, &who).unwrap();
    let found = verdict(&mut client, "a", Content::Bytes(b"a bad-apple"));
    assert!(found.contains("Test.apple"), "{found}");
    // Many pieces, in both ways in which content is handed over.
    let large = [vec![b'x'; 3 << 20], b"bad-apple".to_vec()].concat();
    let path = folder.path().join("large");
    fs::write(&path, &large).unwrap();
    let file = File::open(&path).unwrap();
    let local = daemon.verdict("large", &large);
    assert!(local.contains("Test.apple"), "{local}");
    assert_eq!(verdict(&mut client, "large", Content::Bytes(&large)), local);
    assert_eq!(verdict(&mut client, "large", Content::File(&file)), local);
    let folder_of = File::open(folder.path()).unwrap();
    let request = running::request("folder");
    assert!(matches!(
        client.scan(&request, Content::File(&folder_of)),
        Err(ClientError::Refused(_))
    ));
    for command in [Ask::Stop, Ask::Reload] {
        let refused = client.control(command).unwrap_err().to_string();
        assert!(refused.contains("only root and the daemon's own user"), "{refused}");
    }
    assert!(client.control(Ask::Status).unwrap().contains("\nqueue: 0\n"));
    assert_eq!(verdict(&mut client, "b", Content::Bytes(b"fine")), "b [] 4");
}

#[test]
fn a_request_for_a_descriptor_that_cannot_travel_ends_the_connection() {
    let (_daemon, folder, port) = start(WORD);
    let ask = br#"{"id":1,"source":"descriptor"}"#;
    let mut said = hello(TOKEN);
    esets_client::frame::encode(esets_client::frame::kind::ASK, &[ask], &mut said).unwrap();
    let heard = s_client(folder.path(), port, &["-CAfile", "ca.pem"], &said);
    let heard = String::from_utf8_lossy(&heard.stdout).into_owned();
    assert!(heard.contains("the descriptor of a request is missing"), "{heard}");
}

#[test]
fn who_shows_too_little_is_not_let_in() {
    let (daemon, folder, port) = start(BOTH);
    let folder = folder.path();
    let is_refused = |own: Option<&str>, token: Option<&str>, why: &str| {
        let error = connect("localhost", port, &somebody(folder, "ca", own, token)).unwrap_err();
        assert!(error.to_string().contains(why), "{own:?} {token:?}: {error}");
    };
    is_refused(None, Some(TOKEN), "CertificateRequired");
    is_refused(Some("stranger"), Some(TOKEN), "UnknownCA");
    is_refused(Some("client"), None, "the token is missing or wrong");
    is_refused(Some("client"), Some("open sesame, pleasf"), "the token is missing or wrong");
    is_refused(Some("client"), Some(""), "the token is missing or wrong");
    // The client is as careful: the daemon must be whom it claims to be.
    let who = somebody(folder, "other", Some("client"), Some(TOKEN));
    let error = connect("localhost", port, &who).unwrap_err().to_string();
    assert!(error.contains("invalid peer certificate"), "{error}");
    let who = somebody(folder, "ca", Some("client"), Some(TOKEN));
    let error = connect("127.0.0.1", port, &who).unwrap_err().to_string();
    assert!(error.contains("not valid for name"), "{error}");
    let alone = || daemon.status("connections") == "1";
    running::wait_until(alone, || "strangers reached the daemon".to_owned());
}

fn hello(token: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let hello = Hello { version: VERSION, token: Some(token.to_owned()) };
    FromClient::Hello(hello).encode(&mut bytes).unwrap();
    bytes
}

/// What OpenSSL's client hears when it says these bytes, and what it complains about.
fn s_client(folder: &Path, port: u16, arguments: &[&str], bytes: &[u8]) -> Output {
    let mut client = Command::new("timeout");
    client.args([
        "20",
        "openssl",
        "s_client",
        "-quiet",
        "-no_ign_eof",
        "-connect",
        &format!("localhost:{port}"),
    ]);
    client.args(arguments).current_dir(folder);
    client.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut client = client.spawn().unwrap();
    let mut stdin = client.stdin.take().unwrap();
    let _ = stdin.write_all(bytes);
    let _ = stdin.flush();
    let heard = std::thread::spawn(move || client.wait_with_output().unwrap());
    let begun = Instant::now();
    while !heard.is_finished() && begun.elapsed() < Duration::from_secs(5) {
        std::thread::sleep(Duration::from_millis(20));
    }
    drop(stdin);
    heard.join().unwrap()
}

#[test]
fn openssl_is_heard_and_refused_alike() {
    let (_daemon, folder, port) = start(BOTH);
    let folder = folder.path();
    let ca = ["-CAfile", "ca.pem"];
    let own = ["-CAfile", "ca.pem", "-cert", "client.pem", "-key", "client.key"];
    let said = |output: &Output| {
        let both = [&output.stdout[..], &output.stderr].concat();
        String::from_utf8_lossy(&both).into_owned()
    };
    let heard = said(&s_client(folder, port, &own, &hello(TOKEN)));
    assert!(heard.contains("\"version\":1"), "{heard}");
    let heard = said(&s_client(folder, port, &own, &hello("wrong")));
    assert!(heard.contains("the token is missing or wrong"), "{heard}");
    let heard = said(&s_client(folder, port, &own, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
    assert!(heard.contains("the first frame is too long"), "{heard}");
    let heard = said(&s_client(folder, port, &own, b"\x05\x02\0\0\0{}"));
    assert!(heard.contains("the first frame is not a hello"), "{heard}");
    let heard = said(&s_client(folder, port, &ca, &hello(TOKEN)));
    assert!(heard.contains("alert certificate required"), "{heard}");
    let stranger = ["-cert", "stranger.pem", "-key", "stranger.key"];
    let heard = said(&s_client(folder, port, &stranger, &hello(TOKEN)));
    assert!(heard.contains("alert unknown ca"), "{heard}");
    let old = [&own[..], &["-tls1_2"]].concat();
    let heard = said(&s_client(folder, port, &old, &hello(TOKEN)));
    assert!(heard.contains("alert protocol version"), "{heard}");
}

#[test]
fn who_is_no_client_of_tls_is_sent_away_and_keeps_nobody_out() {
    let (_daemon, folder, port) = start(WORD);
    let send = |bytes: &[u8]| {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(40))).unwrap();
        stream.write_all(bytes).unwrap();
        stream
    };
    let rest = |mut stream: TcpStream| {
        let mut heard = Vec::new();
        let begun = Instant::now();
        // A reset is an end too.
        let ended = stream.read_to_end(&mut heard);
        let waits = ended.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock);
        assert!(!waits, "it was kept for {:?}", begun.elapsed());
        heard
    };
    // In plain text: the frame that would let in over TLS.
    let heard = rest(send(&hello(TOKEN)));
    assert!(!String::from_utf8_lossy(&heard).contains("version"), "{heard:?}");
    rest(send(&[0x16, 3, 1, 0xff, 0xff]));
    rest(send(&[0; 70_000]));
    // Half handshakes, more of them than there are places for strangers.
    let silent: Vec<_> = (0..200).map(|_| send(&[0x16, 3, 1, 2])).collect();
    let who = somebody(folder.path(), "ca", None, Some(TOKEN));
    let mut client = connect("localhost", port, &who).unwrap();
    assert_eq!(verdict(&mut client, "b", Content::Bytes(b"fine")), "b [] 4");
    silent.into_iter().for_each(|stream| drop(rest(stream)));
    // One that is let in may be silent for longer.
    assert_eq!(verdict(&mut client, "b", Content::Bytes(b"good")), "b [] 4");
}

#[test]
fn what_would_let_anybody_in_or_nobody_is_a_mistake() {
    let lab = certificates();
    fs::write(lab.path().join("short"), "secret").unwrap();
    for (more, said) in [
        ("tls_key = \"DIR/server.key\"\n", "clients need tls_ca, tls_token or both"),
        ("tls_key = \"DIR/client.key\"\ntls_ca = \"DIR/ca.pem\"\n", "tls_certificate and tls_key"),
        ("tls_key = \"DIR/server.pem\"\ntls_ca = \"DIR/ca.pem\"\n", "tls_key: "),
        ("tls_key = \"DIR/server.key\"\ntls_ca = \"DIR/names\"\n", "no certificate in it"),
        ("tls_key = \"DIR/server.key\"\ntls_token = \"DIR/short\"\n", "less than 16 bytes"),
        ("tls_key = \"DIR/server.key\"\ntls_token = \"DIR/none\"\n", "No such file"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        running::configure(folder.path(), &section(lab.path(), free_port(), more));
        let ended = running::spawn(folder.path()).wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&ended.stderr);
        assert!(!ended.status.success() && text.contains(said), "{said:?} is not in {text:?}");
    }
}

#[test]
fn a_new_certificate_is_used_after_a_reload_and_a_wrong_one_is_not() {
    let (daemon, folder, port) = start(WORD);
    let serial = || {
        let script = format!(
            "openssl s_client -connect localhost:{port} </dev/null 2>/dev/null | \
             openssl x509 -noout -serial"
        );
        let output = Command::new("sh").args(["-c", &script]).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let before = serial();
    assert!(before.starts_with("serial="), "{before}");
    let copy = |from: &str, to: &str| {
        fs::copy(folder.path().join(from), folder.path().join(to)).unwrap();
    };
    copy("client.pem", "server.pem");
    assert!(!daemon.command("reload").status.success());
    assert_eq!(serial(), before);
    copy("client.key", "server.key");
    assert!(daemon.command("reload").status.success());
    running::wait_until(|| !["", &before].contains(&serial().as_str()), || daemon.log());
}
