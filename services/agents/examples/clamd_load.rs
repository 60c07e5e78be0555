//! Sends mails to a server that speaks clamd's protocol, from many connections at a time, and
//! prints how long the answers took.
//!
//! ```sh
//! clamd_load SOCKET COUNT CLIENTS fresh|same
//! ```

#![expect(clippy::print_stdout, reason = "it is a program")]

use std::error::Error;
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [socket, count, clients, kind] = arguments.as_slice() else {
        return Err("clamd_load SOCKET COUNT CLIENTS fresh|same".into());
    };
    let (count, clients) = (count.parse::<u32>()?, clients.parse::<u32>()?);
    let next = AtomicU32::new(0);
    // No mail of an earlier run comes again.
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    let base = u64::try_from(since.as_nanos())?;
    let begun = Instant::now();
    let mut times = thread::scope(|scope| {
        let threads = (0..clients)
            .map(|_| scope.spawn(|| work(socket, count, (kind == "fresh").then_some(base), &next)));
        let threads: Vec<_> = threads.collect();
        let mut times = Vec::new();
        for thread in threads {
            times.extend(thread.join().map_err(|_| "a thread panicked")??);
        }
        Outcome::Ok(times)
    })?;
    let seconds = begun.elapsed().as_secs_f64();
    times.sort();
    let at = |percent: usize| times.get(times.len().saturating_mul(percent) / 100).copied();
    let (half, most) = (at(50).unwrap_or_default(), at(99).unwrap_or_default());
    println!("{:.0} per second, p50 {half:?}, p99 {most:?}", f64::from(count) / seconds);
    Ok(())
}

fn work(socket: &str, count: u32, base: Option<u64>, next: &AtomicU32) -> Outcome<Vec<Duration>> {
    let mut times = Vec::new();
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= count {
            return Ok(times);
        }
        let mail = mail(base.map_or(0, |base| base.wrapping_add(number.into())));
        let begun = Instant::now();
        let mut stream = UnixStream::connect(socket)?;
        let length = u32::try_from(mail.len())?.to_be_bytes();
        stream.write_all(&[b"zINSTREAM\0", &length[..], &mail, &[0; 4]].concat())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        if !answer.starts_with("stream: OK") {
            return Err(answer.into());
        }
        times.push(begun.elapsed());
    }
}

/// A mail of 5 kB: text, and an attachment in Base64.
fn mail(number: u64) -> Vec<u8> {
    let mut text = format!(
        "From: a@example.org\r\nTo: b@example.org\r\nSubject: {number}\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n"
    );
    for line in 0..30_u32 {
        text.push_str(&format!("Line {line} of mail {number}, about nothing in particular.\r\n"));
    }
    text.push_str("--b\r\nContent-Type: application/octet-stream; name=a.bin\r\n");
    text.push_str("Content-Transfer-Encoding: base64\r\n\r\n");
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    for _ in 0..40 {
        for _ in 0..72 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let place = usize::try_from(state >> 58).unwrap_or(0);
            text.extend(ALPHABET.chars().nth(place));
        }
        text.push_str("\r\n");
    }
    text.push_str("--b--\r\n");
    text.into_bytes()
}

const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
