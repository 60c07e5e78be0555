//! The daemon's log: the system's (`/dev/log`), a file, or standard error.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use esets_policy::log::LogClass;
use esets_policy::template::escape;

/// Where messages go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    File(PathBuf),
    Stderr,
    /// The system's log, under the facility with this number.
    System(u8),
}

/// The log. It never waits and never fails: what it cannot write is counted, and told later.
#[derive(Debug)]
pub(crate) struct Log(Mutex<Inner>);

#[derive(Debug)]
struct Inner {
    target: Target,
    file: Option<File>,
    system: Option<UnixDatagram>,
    bucket: Bucket,
}

impl Log {
    pub(crate) fn new(target: Target) -> Self {
        let mut inner = Inner { target, file: None, system: None, bucket: Bucket::new() };
        inner.reopen();
        Self(Mutex::new(inner))
    }

    /// Opens the log anew, perhaps elsewhere: after a reload, and after it was rotated.
    pub(crate) fn reopen(&self, target: Option<Target>) {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        inner.target = target.unwrap_or_else(|| inner.target.clone());
        inner.reopen();
    }

    /// Logs a text of one line.
    pub(crate) fn say(&self, class: LogClass, text: &str) {
        self.write(class, &format!("{}: {}", class.word(), escape(text.as_bytes())));
    }

    /// Logs a line as it is.
    pub(crate) fn write(&self, class: LogClass, line: &str) {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match inner.bucket.take() {
            Taken::Full => return,
            Taken::After(0) => {}
            Taken::After(lost) => {
                let text = format!("warning: {lost} messages were not logged");
                if !inner.put(LogClass::Warning, &text) {
                    inner.bucket.lost = inner.bucket.lost.saturating_add(lost);
                }
            }
        }
        if !inner.put(class, line) {
            inner.bucket.lost = inner.bucket.lost.saturating_add(1);
        }
    }
}

impl Inner {
    fn reopen(&mut self) {
        (self.file, self.system) = (None, None);
        match &self.target {
            Target::File(path) => {
                let mut options = OpenOptions::new();
                match options.create(true).append(true).mode(0o640).open(path) {
                    Ok(file) => self.file = Some(file),
                    Err(error) => complain(&format!("{}: {error}", path.display())),
                }
            }
            Target::System(_) => self.system = connect().ok(),
            Target::Stderr => {}
        }
    }

    fn put(&mut self, class: LogClass, line: &str) -> bool {
        match self.target {
            Target::System(facility) => self.put_system(facility, class, line),
            Target::File(_) => self.file.as_mut().is_some_and(|file| {
                let line = format!("{} esets_daemon[{}]: {line}\n", now(), std::process::id());
                file.write_all(line.as_bytes()).is_ok()
            }),
            Target::Stderr => {
                complain(line);
                true
            }
        }
    }

    /// Without a system log, messages go to standard error.
    fn put_system(&mut self, facility: u8, class: LogClass, line: &str) -> bool {
        let priority = facility.wrapping_mul(8).wrapping_add(severity(class));
        let line = format!("<{priority}>esets_daemon[{}]: {line}", std::process::id());
        for _ in 0..2 {
            let Some(system) = &self.system else {
                self.system = connect().ok();
                continue;
            };
            match system.send(line.as_bytes()) {
                Ok(_) => return true,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return false,
                // The system's log was started anew.
                Err(_) => self.system = connect().ok(),
            }
        }
        complain(&line);
        true
    }
}

fn connect() -> io::Result<UnixDatagram> {
    let socket = UnixDatagram::unbound()?;
    socket.connect("/dev/log")?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

fn complain(line: &str) {
    // There is nowhere left to say that this failed.
    let _ = writeln!(io::stderr().lock(), "esets_daemon: {line}");
}

/// Seconds since 1970, to the millisecond: what every tool can read.
fn now() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("{}.{:03}", since.as_secs(), since.subsec_millis())
}

fn severity(class: LogClass) -> u8 {
    match class {
        LogClass::Error => 3,
        LogClass::Warning => 4,
        LogClass::Summ | LogClass::Part => 5,
        LogClass::Info => 6,
        _ => 7,
    }
}

/// The number of a facility by the name that `syslog_facility` holds.
pub(crate) fn facility(name: &str) -> Option<u8> {
    let found = FACILITIES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    found.map(|(_, number)| *number)
}

const FACILITIES: &[(&str, u8)] = &[
    ("auth", 4),
    ("authpriv", 10),
    ("cron", 9),
    ("daemon", 3),
    ("ftp", 11),
    ("local0", 16),
    ("local1", 17),
    ("local2", 18),
    ("local3", 19),
    ("local4", 20),
    ("local5", 21),
    ("local6", 22),
    ("local7", 23),
    ("lpr", 6),
    ("mail", 2),
    ("news", 7),
    ("syslog", 5),
    ("user", 1),
    ("uucp", 8),
];

/// A bucket of permits that fills with time.
#[derive(Debug)]
struct Bucket {
    permits: u32,
    filled: Instant,
    lost: u64,
}

enum Taken {
    /// A permit, after so many were refused.
    After(u64),
    Full,
}

impl Bucket {
    fn new() -> Self {
        Self { permits: BURST, filled: Instant::now(), lost: 0 }
    }

    fn take(&mut self) -> Taken {
        let elapsed = self.filled.elapsed().as_millis();
        let more = u32::try_from(elapsed).unwrap_or(u32::MAX).saturating_mul(RATE) / 1000;
        if more > 0 {
            self.permits = self.permits.saturating_add(more).min(BURST);
            self.filled = Instant::now();
        }
        match self.permits.checked_sub(1) {
            Some(left) => {
                self.permits = left;
                Taken::After(std::mem::take(&mut self.lost))
            }
            None => {
                self.lost = self.lost.saturating_add(1);
                Taken::Full
            }
        }
    }
}

/// Messages at once.
const BURST: u32 = 2000;
/// Messages in a second.
const RATE: u32 = 500;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_cut_and_the_lost_messages_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let log = Log::new(Target::File(path.clone()));
        for number in 0..BURST * 2 {
            log.say(LogClass::Info, &number.to_string());
        }
        let lines = std::fs::read_to_string(&path).unwrap().lines().count();
        assert!((2000..3900).contains(&lines), "{lines}");
        std::thread::sleep(std::time::Duration::from_millis(20));
        log.say(LogClass::Info, "again\nand again");
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains("messages were not logged"));
        assert!(text.ends_with("info: again\\u{a}and again\n"), "{text}");
    }

    #[test]
    fn a_rotated_file_is_left_when_the_log_is_opened_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let log = Log::new(Target::File(path.clone()));
        log.say(LogClass::Info, "one");
        std::fs::rename(&path, folder.path().join("log.1")).unwrap();
        log.reopen(None);
        log.say(LogClass::Info, "two");
        assert!(std::fs::read_to_string(&path).unwrap().contains("info: two"));
    }
}
