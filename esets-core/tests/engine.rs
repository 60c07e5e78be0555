//! The engine with unpackers made for the purpose: limits, stops, faults, polyglots.

use std::io::{self, Read};

use esets_core::{
    Children, Database, Format, Interrupt, Interruption, Limits, Magic, Object, Options, Reason,
    Records, Scanner, Session, Status, Subject, UnpackError, Unpacker, Verdict,
};

type Unpack = fn(&Subject<'_>, &mut Children<'_>) -> Result<(), UnpackError>;

/// An unpacker for objects that begin with `<`; what it offers is up to the test.
struct Container(Unpack);

const FORMAT: Format = Format {
    name: "container",
    about: "made for tests",
    extensions: &[],
    magic: &[Magic::start(b"<")],
    specification: &[],
    limitations: &[],
};

static CONTAINER: Format = FORMAT;

impl Unpacker for Container {
    fn format(&self) -> &'static Format {
        &CONTAINER
    }

    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        (self.0)(subject, children)
    }
}

fn scanner(limits: Limits, unpack: Unpack) -> Scanner {
    let mut options = Options::default();
    options.records = Records::All;
    let unpacker = Box::leak(Box::new(Container(unpack)));
    Scanner::new(Database::embedded())
        .with_limits(limits)
        .with_options(options)
        .with_unpacker(unpacker)
}

fn scan_with(limits: Limits, unpack: Unpack) -> Verdict {
    scanner(limits, unpack).scan(&Object::new(b"<").named("box"))
}

fn print(verdict: &Verdict) -> String {
    verdict.to_string()
}

#[test]
fn a_bomb_is_cut_at_the_object_size_and_the_next_member_is_scanned() {
    let limits = Limits { object_size: 1 << 20, ..Limits::default() };
    let verdict = scan_with(limits, |_, children| {
        children.stream("zeros", &mut io::repeat(0))?;
        Ok(children.slice("next", b"still scanned")?)
    });
    let expected =
        "box [container] 1\n  zeros [] 1048576 ?limit reached: ObjectSize\n  next [] 13\n";
    assert_eq!(print(&verdict), expected);
    assert_eq!(verdict.status(), Status::NotScanned);
}

#[test]
fn a_stop_is_sticky_even_for_an_unpacker_that_drops_it() {
    let limits = Limits { objects: 3, ..Limits::default() };
    let verdict = scan_with(limits, |_, children| {
        for _ in 0..1000 {
            let _ = children.slice("member", b"x");
        }
        Ok(())
    });
    assert_eq!(
        print(&verdict),
        "box [container] 1\n  member [] 1\n  member [] 1\n  member [] 1 ?limit reached: Objects\n"
    );
}

#[test]
fn memory_is_given_back_between_members_and_refused_beyond_the_limit() {
    let limits = Limits { memory: 1 << 20, ..Limits::default() };
    let verdict = scan_with(limits, |_, children| {
        for _ in 0..8 {
            children.stream("half", &mut io::repeat(0).take(500_000))?;
        }
        Ok(children.stream("more", &mut io::repeat(0).take(3 << 20))?)
    });
    let text = print(&verdict);
    assert_eq!(text.matches("half [] 500000\n").count(), 8, "{text}");
    assert!(text.contains("?limit reached: Memory"), "{text}");
}

#[test]
fn the_ratio_stops_the_scan_once_past_its_floor() {
    let verdict =
        scan_with(Limits { object_size: 40 << 20, ..Limits::default() }, |_, children| {
            for _ in 0..9 {
                children.stream("zeros", &mut io::repeat(0))?;
            }
            Ok(())
        });
    let text = print(&verdict);
    assert_eq!(text.lines().count(), 3, "{text}");
    assert!(text.ends_with("?limit reached: Ratio\n"), "{text}");
}

#[test]
fn a_panic_costs_one_object() {
    fn burst(subject: &Subject<'_>, children: &mut Children<'_>) -> Result<(), UnpackError> {
        children.slice("before", b"scanned")?;
        if subject.depth() == 0 {
            children.slice("inner", b"<!")?;
            return Ok(children.slice("after", b"scanned")?);
        }
        panic!("index out of bounds")
    }
    let text = print(&scan_with(Limits::default(), burst));
    assert_eq!(
        text,
        "box [container] 1\n  before [] 7\n  \
         inner [container] 2 ?fault: container: index out of bounds\n    before [] 7\n  \
         after [] 7\n"
    );
}

#[test]
fn a_panic_in_a_reader_keeps_what_was_read() {
    struct Burst(usize);
    impl Read for Burst {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            assert!(self.0 > 0, "burst");
            self.0 -= 1;
            buffer[0] = b'x';
            Ok(1)
        }
    }
    let verdict =
        scan_with(Limits::default(), |_, children| Ok(children.stream("x", &mut Burst(5))?));
    assert_eq!(print(&verdict), "box [container] 1\n  x [] 5 ?fault: burst\n");
}

/// Each object holds one that is a byte longer.
fn nest(subject: &Subject<'_>, children: &mut Children<'_>) -> Result<(), UnpackError> {
    Ok(children.stream("in", &mut [subject.bytes(), b"."].concat().as_slice())?)
}

#[test]
fn a_container_that_holds_itself_is_opened_once() {
    let verdict = scan_with(Limits::default(), |subject, children| {
        Ok(children.stream("copy.pdf.exe", &mut subject.bytes())?)
    });
    let expected = "box [container] 1\n  copy.pdf.exe [container] 1 !Heur.DoubleExtension\n";
    assert_eq!(print(&verdict), expected);
}

#[test]
fn nesting_ends_at_the_depth_and_says_so() {
    let limits = Limits { depth: 3, ..Limits::default() };
    let verdict = scan_with(limits, nest);
    assert_eq!(
        print(&verdict),
        "box [container] 1\n  in [container] 2\n    in [container] 3\n      \
         in [container] 4 ?limit reached: Depth\n"
    );
}

#[test]
fn an_endless_nesting_ends_whatever_the_caller_allows() {
    let limits = Limits { depth: u16::MAX, ..Limits::default() };
    let verdict = scan_with(limits, nest);
    assert_eq!(verdict.records().len(), usize::from(Limits::MAX_DEPTH) + 1);
    assert_eq!(verdict.status(), Status::NotScanned);
}

#[test]
fn the_same_slice_under_the_same_name_is_scanned_once() {
    let scanner = scanner(Limits::default(), |subject, children| {
        for name in ["a", "a", "b"] {
            children.slice(name, &subject.bytes()[1..])?;
        }
        Ok(())
    });
    let verdict = scanner.scan(&Object::new(b"<same"));
    assert_eq!(print(&verdict), "(no name) [container] 5\n  a [] 4\n  b [] 4\n");
}

#[test]
fn a_reader_says_why_it_ends() {
    let verdict = scan_with(Limits::default(), |_, children| {
        struct Fail(Option<io::Error>);
        impl Read for Fail {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                self.0.take().map_or(Ok(0), Err)
            }
        }
        children.stream("a", &mut Fail(Some(io::Error::other(Reason::Encrypted))))?;
        children.stream("b", &mut Fail(Some(io::ErrorKind::UnexpectedEof.into())))?;
        Ok(children.stream("c", &mut Fail(Some(io::ErrorKind::InvalidData.into())))?)
    });
    assert_eq!(
        print(&verdict),
        "box [container] 1\n  a [] 0 ?encrypted\n  b [] 0 ?truncated\n  \
         c [] 0 ?corrupt: compressed data\n"
    );
}

#[test]
fn clean_members_are_only_counted_unless_all_records_are_asked_for() {
    let unpack: Unpack = |_, children| {
        children.slice("dull", b"x")?;
        children.skip("locked", Reason::Encrypted)?;
        Ok(children.slice("dull", b"y")?)
    };
    let notable = scanner(Limits::default(), unpack).with_options(Options::default());
    let verdict = notable.scan(&Object::new(b"<").named("box"));
    assert_eq!(print(&verdict), "box [container] 1\n  locked [] 0 ?encrypted\n");
    assert_eq!(verdict.objects(), 4);
}

#[test]
fn an_interrupt_ends_the_scan_inside_an_endless_member() {
    struct After(std::cell::Cell<u32>);
    impl Interrupt for After {
        fn check(&self) -> Option<Interruption> {
            self.0.set(self.0.get() + 1);
            (self.0.get() > 10).then_some(Interruption::Time)
        }
    }
    let scanner =
        scanner(Limits::default(), |_, children| Ok(children.stream("zeros", &mut io::repeat(0))?));
    let interrupt = After(0.into());
    let mut session = Session { interrupt: &interrupt, ..Session::default() };
    let verdict = scanner.scan_with(&Object::new(b"<").named("box"), &mut session);
    let text = print(&verdict);
    assert!(text.ends_with("?limit reached: Time\n"), "{text}");
}

#[test]
fn a_verdict_survives_the_way_through_json() {
    let verdict = scan_with(Limits::default(), |_, children| {
        children.skip(esets_core::Member::named(&b"caf\xe9"[..]), Reason::Encrypted)?;
        children.slice("invoice.pdf.exe", b"MZ")?;
        Err(Reason::corrupt("directory").into())
    });
    let json = serde_json::to_string(&verdict).unwrap();
    assert_eq!(serde_json::from_str::<Verdict>(&json).unwrap(), verdict);
    assert_eq!(verdict.status(), Status::Infected);
}

#[test]
fn pieces_are_offered_joined_at_the_end_of_their_container() {
    let verdict = scan_with(Limits::default(), |subject, children| {
        if subject.depth() > 0 {
            return Ok(());
        }
        children.stream("a.bin.002", &mut &b"second"[..])?;
        children.slice("a.bin.001", b"<first ")?;
        Ok(children.slice("b.bin.001", b"alone")?)
    });
    assert_eq!(
        print(&verdict),
        "box [container] 1\n  a.bin.002 [] 6\n  a.bin.001 [container] 7\n  \
         b.bin.001 [] 5\n  a.bin [container] 13\n"
    );
}

#[test]
fn a_format_is_found_inside_other_data_and_a_false_trace_leaves_none() {
    struct Carved;
    static CARVED: Format = Format { name: "carved", magic: &[Magic::start(b"<<<")], ..FORMAT };
    impl Unpacker for Carved {
        fn format(&self) -> &'static Format {
            &CARVED
        }

        fn carved_by(&self) -> &'static [Magic] {
            CARVED.magic
        }

        fn unpack(
            &self,
            subject: &Subject<'_>,
            children: &mut Children<'_>,
        ) -> Result<(), UnpackError> {
            match subject.bytes().get(3..6) {
                Some(b"yes") => Ok(children.slice("member", b"found")?),
                _ => Err(Reason::corrupt("header").into()),
            }
        }
    }
    let mut options = Options::default();
    options.records = Records::All;
    let scanner =
        Scanner::new(Database::embedded()).with_options(options).with_unpackers(vec![&Carved]);
    let verdict = scanner.scan(&Object::new(b"picture <<<no <<<yes").named("x.png"));
    assert_eq!(print(&verdict), "x.png [] 20\n  @14 [carved] 6\n    member [] 5\n");
}

#[test]
fn what_is_left_of_a_carved_object_is_not_carved_again() {
    struct Chained;
    static CHAINED: Format = Format { name: "chained", magic: &[Magic::start(b"<<<")], ..FORMAT };
    impl Unpacker for Chained {
        fn format(&self) -> &'static Format {
            &CHAINED
        }

        fn carved_by(&self) -> &'static [Magic] {
            CHAINED.magic
        }

        fn unpack(
            &self,
            subject: &Subject<'_>,
            children: &mut Children<'_>,
        ) -> Result<(), UnpackError> {
            Ok(children.slice("overlay", &subject.bytes()[4..])?)
        }
    }
    let scanner = Scanner::new(Database::embedded()).with_unpackers(vec![&Chained]);
    let object = b".<<<a.".repeat(20);
    let verdict = scanner.scan(&Object::new(&object));
    assert!(verdict.objects() < 50, "{} objects", verdict.objects());
}

#[test]
fn the_same_container_is_opened_twice_at_most_however_many_ways_lead_to_it() {
    let verdict = scanner(Limits::default(), |subject, children| {
        let inner = subject.bytes().get(1..).unwrap_or_default();
        children.stream("one way", &mut &inner[..])?;
        Ok(children.stream("another", &mut &inner[..])?)
    })
    .scan(&Object::new(&[b'<'; 20]).named("box"));
    assert_eq!(verdict.status(), Status::Clean);
    assert!(verdict.objects() <= 1 + 4 * 20, "{} objects", verdict.objects());
}
