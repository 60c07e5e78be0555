//! The daemon's numbers over HTTP, for Prometheus: `GET /metrics`, and nothing else.

pub mod proto;

use std::io;
use std::time::{Duration, Instant};

use esets_client::{Client, Command};

use crate::door::{self, Staff};
use crate::{Agent, Connect, Post, Stream};

use proto::{Answer, Head};

/// The row of the table.
pub static AGENT: Agent = Agent {
    name: "metrics",
    reads_files: false,
    about: "the daemon's numbers over HTTP, for Prometheus",
    run,
};

fn run(mut post: Post) -> io::Result<()> {
    let listeners = std::mem::take(&mut post.listeners);
    door::serve(listeners, STAFF, move |stream| {
        // A client that breaks the connection has nobody to tell it to.
        let _ = serve(stream, &post.connect);
    })
}

/// Answers one request.
fn serve(mut stream: Stream, connect: &Connect) -> io::Result<()> {
    let Some(asked) = listen(&mut stream)? else { return Ok(()) };
    let (answer, has_body) = match asked {
        Ok(request) if request.is_for_metrics() => (numbers(connect), !request.is_head),
        Ok(request) => (Answer::missing(), !request.is_head),
        Err(problem) => (Answer::refusal(problem), true),
    };
    stream.set_patience(PATIENCE)?;
    stream.send(&answer.bytes(has_body))?;
    stream.linger();
    Ok(())
}

/// The request, or what is wrong with it; `None` if the client hung up or is too slow.
fn listen(stream: &mut Stream) -> io::Result<Option<Result<proto::Request, proto::Problem>>> {
    let begun = Instant::now();
    let (mut head, mut buffer) = (Head::default(), [0; 1 << 10]);
    loop {
        match head.request() {
            Ok(None) => {}
            Ok(Some(request)) => return Ok(Some(Ok(request))),
            Err(problem) => return Ok(Some(Err(problem))),
        }
        // Not the wait for each byte is limited but that for the whole.
        let left = PATIENCE.saturating_sub(begun.elapsed());
        if left.is_zero() {
            return Ok(None);
        }
        stream.set_patience(left)?;
        let (count, _) = stream.receive(&mut buffer)?;
        if count == 0 {
            return Ok(None);
        }
        head.feed(buffer.get(..count).unwrap_or_default());
    }
}

fn numbers(connect: &Connect) -> Answer {
    let asked = connect().map_err(esets_client::ClientError::Connect);
    let text = asked.and_then(Client::over).and_then(|mut client| {
        client.set_patience(Some(PATIENCE))?;
        client.control(Command::Metrics)
    });
    text.map_or_else(|_| Answer::silence(), Answer::numbers)
}

const STAFF: Staff = Staff { most: 16, most_waiting: 2, stack: 256 << 10 };
/// How long a request may take to come, and its answer to be taken.
const PATIENCE: Duration = Duration::from_secs(10);
