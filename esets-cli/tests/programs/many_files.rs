//! Many files: in order, in parallel, and within what a caller reads.

use crate::harness::{Folder, SUSPICION, SUSPICIOUS};

#[test]
fn many_processes_answer_in_the_order_of_the_files() {
    let folder = Folder::new();
    for number in 0..300 {
        folder.file(format!("{number:04}"), vec![b'x'; number * 100]);
    }
    let one = folder.scan(&["--jobs=1", "--log-all", "."]);
    let many = folder.scan(&["--jobs=8", "--log-all", "."]);
    assert_eq!(one.results(), many.results());
    assert_eq!(many.results().len(), 300);
    assert!(many.results()[299].starts_with("name=\"./0299\""));
    assert!(many.out.contains("\nTotal:             files - 300, objects 300\n"), "{}", many.out);
}

#[test]
fn more_files_than_a_caller_reads_still_show_the_threat() {
    let folder = Folder::new();
    let long = "n".repeat(200);
    for number in 0..700 {
        folder.file(format!("{number:04}{long}"), "x");
    }
    folder.file(format!("zzz/{SUSPICIOUS}"), "x");
    let ended = folder.cli(&["--subdir", "--jobs=2", "."]);
    assert_eq!(ended.code, 3);
    assert!(ended.out.len() < 200 << 10, "{}", ended.out.len());
    let first = format!(
        "./zzz/{SUSPICIOUS}: action=\"rejected\"\n./zzz/{SUSPICIOUS}: virus=\"{SUSPICION}\"\n"
    );
    assert!(ended.out.starts_with(&first), "{}", &ended.out[..500]);
    assert!(ended.out.ends_with(" more answers are left out\n"));
}

#[test]
fn more_threats_than_a_caller_reads_are_all_counted() {
    let folder = Folder::new();
    let long = "n".repeat(200);
    for number in 0..500 {
        folder.file(format!("{number:04}{long}.pdf.exe"), "x");
    }
    let ended = folder.cli(&["--subdir", "--jobs=2", "."]);
    assert_eq!(ended.code, 3);
    assert!(ended.out.len() < 200 << 10);
    let shown = ended.out.matches("action=").count();
    let left_out = ended.out.lines().last().unwrap().split(' ').next().unwrap();
    assert_eq!(shown + left_out.parse::<usize>().unwrap(), 500);
}

#[test]
fn messages_do_not_drown_the_answers() {
    let folder = Folder::new();
    let missing: Vec<String> = (0..1000).map(|number| format!("{number:0200}")).collect();
    let paths: Vec<&str> = missing.iter().map(String::as_str).collect();
    let ended = folder.cli(&paths);
    assert_eq!(ended.code, 100);
    assert!(ended.err.len() < 40 << 10, "{}", ended.err.len());
    assert!(ended.err.ends_with("esets_cli: further messages are left out\n"));
}

#[test]
fn exclusions_and_extensions_choose_files() {
    let folder = Folder::new();
    for name in ["a.txt", "b.exe", "skip/c.txt", "deep/.git/d.txt"] {
        folder.file(name, "x");
    }
    let names = |arguments: &[&str]| {
        let ended = folder.scan(&[&["--log-all"], arguments, &["."]].concat());
        let name = |line: &&str| line.split('"').nth(1).unwrap().to_owned();
        ended.results().iter().map(name).collect::<Vec<_>>()
    };
    assert_eq!(names(&["--exclude=./skip", "--exclude=.git"]), ["./a.txt", "./b.exe"]);
    assert_eq!(names(&["--ext=EXE:com"]), ["./b.exe"]);
    assert_eq!(names(&["--ext-exclude=txt"]), ["./b.exe"]);
}
