//! How long a large special configuration file takes to load, and to be asked.
//!
//! `cargo bench -p esets-policy` prints one line for each number of sections; the time to ask must
//! not grow with it.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench has a clock, prints, and may stop"
)]

use std::fmt::Write;
use std::hint::black_box;
use std::time::{Duration, Instant};

use esets_policy::config::Config;
use esets_policy::{Context, Policy};

fn main() {
    // `cargo test --benches` runs it for its result only.
    let measured = std::env::args().any(|argument| argument == "--bench");
    let sizes: &[u32] = if measured { &[100, 1_000, 10_000, 100_000] } else { &[100] };
    println!("sections     load   plan for 0            1           3 recipients");
    for sections in sizes {
        let file = users(*sections);
        let (policy, load) = (load(&file), time(5, || drop(load(&file))));
        let [none, one, three] = [0, 1, 3].map(|recipients| ask(&policy, recipients).as_nanos());
        println!("{sections:8} {:5} ms {none:8} ns {one:8} ns {three:8} ns", load.as_millis());
    }
}

fn load(users: &str) -> Policy {
    let main = b"[smtp]\nuser_config = \"users\"\n";
    let config = Config::parse("esets.cfg", main).unwrap();
    Policy::from_config(&config, |_| Ok::<_, &str>(users.as_bytes().to_vec())).unwrap()
}

/// Recipients, senders, domains and networks in turn, half of them in groups.
fn users(sections: u32) -> String {
    let mut file = String::from("[black-list]\naction_av = \"reject\"\n");
    for at in 0..sections {
        let (high, low) = (at / 250, at % 250);
        let identity = match at % 5 {
            0 | 1 => format!("user{at}@example.org"),
            2 => format!("|sender{at}@example.net"),
            3 => format!("@domain{at}.example"),
            _ => format!("|10.{}.{}.{low}", high / 250, high % 250),
        };
        let body =
            if at % 2 == 0 { "parent_id = \"black-list\"" } else { "action_av = \"accept\"" };
        writeln!(file, "[{identity}]\n{body}\n").unwrap();
    }
    file
}

/// The time of one plan: all sections found, and what to do before a scan.
fn ask(policy: &Policy, recipients: usize) -> Duration {
    let all = ["user50001@nowhere.example", "nobody@mail.domain3.example", "User50@Example.org"];
    let context = Context::new("smtp")
        .client("10.0.1.4".parse().unwrap())
        .sender("someone@mail.example.com")
        .recipients(all.get(..recipients).unwrap());
    let round = || {
        for _ in 0..10_000 {
            black_box(policy.plan(black_box(&context)));
        }
    };
    time(10, round).div_f64(10_000.0)
}

/// The fastest of some rounds.
fn time(rounds: usize, mut round: impl FnMut()) -> Duration {
    let mut timed = || {
        let start = Instant::now();
        round();
        start.elapsed()
    };
    (0..rounds).map(|_| timed()).min().unwrap()
}
