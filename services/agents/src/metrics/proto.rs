//! As much of HTTP/1.1 (RFC 9112) as one question needs, as a state machine: bytes in, one request
//! out; no I/O. A connection serves one request.

/// The head of a request while it comes in.
///
/// ```
/// use esets_agents::metrics::proto::Head;
///
/// let mut head = Head::default();
/// head.feed(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n");
/// assert_eq!(head.request(), Ok(None));
/// head.feed(b"\r\n");
/// assert!(head.request().unwrap().unwrap().is_for_metrics());
/// ```
#[derive(Clone, Debug, Default)]
pub struct Head {
    bytes: Vec<u8>,
    /// Bytes that hold no end of the head.
    searched: usize,
}

/// A request, without its headers, none of which changes the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Whether only the head of the answer is wanted.
    pub is_head: bool,
    path: Vec<u8>,
}

/// Why a request gets no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// It is not HTTP/1.0 or HTTP/1.1.
    Malformed,
    /// It is neither GET nor HEAD.
    Method,
    /// Its head is longer than [`LONGEST`].
    TooLong,
}

impl Head {
    /// Takes bytes from the client; what is beyond [`LONGEST`] is not kept.
    pub fn feed(&mut self, bytes: &[u8]) {
        let room = LONGEST.saturating_add(1).saturating_sub(self.bytes.len());
        self.bytes.extend(bytes.iter().take(room));
    }

    /// The request, once its head is complete; bytes after it are ignored.
    ///
    /// # Errors
    /// It is not one that can be answered. No more bytes change that.
    pub fn request(&mut self) -> Result<Option<Request>, Problem> {
        // The end may lie across what was searched and what is new.
        let from = self.searched.saturating_sub(END.len());
        let new = self.bytes.get(from..).unwrap_or_default();
        if !new.windows(END.len()).any(|window| window == END) {
            self.searched = self.bytes.len();
            return if self.bytes.len() > LONGEST { Err(Problem::TooLong) } else { Ok(None) };
        }
        let line = self.bytes.split(|byte| *byte == b'\r').next().unwrap_or_default();
        request_line(line).map(Some)
    }
}

/// `method SP request-target SP HTTP-version`, RFC 9112 section 3.
fn request_line(line: &[u8]) -> Result<Request, Problem> {
    let mut words = line.split(|byte| *byte == b' ');
    let (Some(method), Some(target), Some(version), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(Problem::Malformed);
    };
    let is_target = target.first() == Some(&b'/') && target.iter().all(u8::is_ascii_graphic);
    if !is_target || ![&b"HTTP/1.1"[..], b"HTTP/1.0"].contains(&version) {
        return Err(Problem::Malformed);
    }
    let is_head = match method {
        b"GET" => false,
        b"HEAD" => true,
        _ => return Err(Problem::Method),
    };
    let path = target.split(|byte| *byte == b'?').next().unwrap_or_default().to_vec();
    Ok(Request { is_head, path })
}

impl Request {
    /// Whether the numbers are asked for.
    #[must_use]
    pub fn is_for_metrics(&self) -> bool {
        self.path == b"/metrics"
    }
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Answer {
    status: &'static str,
    more: &'static str,
    kind: &'static str,
    body: String,
}

impl Answer {
    /// The numbers, in the text format of Prometheus, version 0.0.4.
    #[must_use]
    pub fn numbers(body: String) -> Self {
        let kind = "text/plain; version=0.0.4; charset=utf-8";
        Self { status: "200 OK", more: "", kind, body }
    }

    /// There is only one path.
    #[must_use]
    pub fn missing() -> Self {
        Self::plain("404 Not Found", "the numbers are at /metrics\n")
    }

    /// The daemon says nothing.
    #[must_use]
    pub fn silence() -> Self {
        Self::plain("503 Service Unavailable", "the daemon does not answer\n")
    }

    /// A request that cannot be answered.
    #[must_use]
    pub fn refusal(problem: Problem) -> Self {
        match problem {
            Problem::Malformed => Self::plain("400 Bad Request", "this is not HTTP/1.1\n"),
            Problem::Method => Self {
                more: "Allow: GET, HEAD\r\n",
                ..Self::plain("405 Method Not Allowed", "only GET and HEAD\n")
            },
            Problem::TooLong => Self::plain("431 Request Header Fields Too Large", "too long\n"),
        }
    }

    fn plain(status: &'static str, body: &str) -> Self {
        Self { status, more: "", kind: "text/plain; charset=utf-8", body: body.to_owned() }
    }

    /// The answer as it is sent; to HEAD it has no body.
    #[must_use]
    pub fn bytes(&self, has_body: bool) -> Vec<u8> {
        let Self { status, more, kind, body } = self;
        let length = body.len();
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n{more}\
             Cache-Control: no-store\r\nConnection: close\r\n\r\n"
        );
        [head.as_bytes(), if has_body { body.as_bytes() } else { b"" }].concat()
    }
}

/// The longest head in bytes.
pub const LONGEST: usize = 8 << 10;
const END: &[u8] = b"\r\n\r\n";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(bytes: &[u8]) -> Result<Option<Request>, Problem> {
        let mut head = Head::default();
        head.feed(bytes);
        head.request()
    }

    #[test]
    fn only_two_methods_and_one_protocol_are_spoken() {
        let of = |line: &str| read(format!("{line}\r\nHost: x\r\n\r\n").as_bytes());
        assert!(of("GET /metrics HTTP/1.1").unwrap().unwrap().is_for_metrics());
        assert!(of("GET /metrics?a=b HTTP/1.0").unwrap().unwrap().is_for_metrics());
        assert!(of("HEAD /metrics HTTP/1.1").unwrap().unwrap().is_head);
        assert!(!of("GET /metrics/ HTTP/1.1").unwrap().unwrap().is_for_metrics());
        assert_eq!(of("POST /metrics HTTP/1.1"), Err(Problem::Method));
        for line in
            ["GET /metrics", "GET /metrics HTTP/2.0", "GET  / HTTP/1.1", "", "GET x HTTP/1.1"]
        {
            assert_eq!(of(line), Err(Problem::Malformed), "{line:?}");
        }
        assert_eq!(of("GET /\u{7f} HTTP/1.1"), Err(Problem::Malformed));
        assert_eq!(read(b"\x16\x03\x01\x02\x00\x01\r\n\r\n"), Err(Problem::Malformed));
    }

    #[test]
    fn a_head_without_end_is_too_long_and_not_kept() {
        let mut head = Head::default();
        for _ in 0..100 {
            head.feed(&[b'x'; 1 << 10]);
            let expected =
                if head.bytes.len() > LONGEST { Err(Problem::TooLong) } else { Ok(None) };
            assert_eq!(head.request(), expected);
        }
        assert_eq!(head.bytes.len(), LONGEST + 1);
    }

    #[test]
    fn an_answer_to_head_has_the_length_and_no_body() {
        let text = String::from_utf8(Answer::numbers("a 1\n".into()).bytes(false)).unwrap();
        assert!(text.contains("\r\nContent-Length: 4\r\n") && text.ends_with("\r\n\r\n"), "{text}");
    }

    proptest! {
        #[test]
        fn a_request_is_the_same_however_it_is_cut(
            bytes in prop_oneof![
                prop::collection::vec(any::<u8>(), 0..200),
                "(GET|HEAD|PUT) /[a-z?]{0,9} HTTP/1\\.[0-2]\r\n(A: b\r\n){0,3}\r\n.{0,9}"
                    .prop_map(String::into_bytes),
            ],
            step in 1_usize..40,
        ) {
            let mut head = Head::default();
            let mut last = Ok(None);
            for piece in bytes.chunks(step) {
                head.feed(piece);
                last = head.request();
                if last != Ok(None) {
                    break;
                }
            }
            prop_assert_eq!(last, read(&bytes));
        }
    }
}
