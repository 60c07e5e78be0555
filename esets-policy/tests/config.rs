//! Properties of the configuration reader: nothing is lost, nothing panics, all is reported.

use esets_policy::config::document::{STRICT_PROFILE, default_file, keys_man, keys_markdown};
use esets_policy::config::lexer::{Content, Quotes, lines};
use esets_policy::config::{Config, FileKind, edit, keys};
use ini::{Ini, ParseOption};
use proptest::prelude::*;

#[test]
fn every_mistake_is_reported_at_once() {
    let file = "\
action_av = \"scan\"
[globul]
[global]
acton_av = \"scan\"
action_av = \"scam\"
listen_port = 2526
syslog_class = \"error
num_proc = 0
num_thrd = 4
num_thrd = 5
[smtp]
listen_prot = 2526
[pop3]
action_av_infected = \u{201D}reject\u{201D}
[pop]
agent_enabled = maybe
";
    let expected = "\
esets.cfg:1: action_av stands before the first section; did you mean [global]?
esets.cfg:2: unknown section [globul]; did you mean global?
esets.cfg:4: unknown key \"acton_av\"; did you mean action_av?
esets.cfg:5: action_av cannot be \"scam\": expected one of \"scan\", \"accept\", \"defer\", \
\"discard\", \"reject\"; did you mean scan?
esets.cfg:6: listen_port has no meaning in section [global]
esets.cfg:7: the closing quote is missing
esets.cfg:8: num_proc cannot be \"0\": expected a whole number from 1 to 1024
esets.cfg:10: num_thrd is set a second time (first in line 9)
esets.cfg:12: unknown key \"listen_prot\"; did you mean listen_port?
esets.cfg:14: warning: typographic quotes are read as \"\", but should be replaced
esets.cfg:15: section [pop] stands a second time (first in line 13)
esets.cfg:16: agent_enabled cannot be \"maybe\": expected yes or no";
    let wrong = Config::parse("esets.cfg", file.as_bytes()).unwrap_err();
    assert_eq!(wrong.to_string(), expected);
    assert_eq!(wrong.errors().count(), 11);
}

#[test]
fn agents_inherit_from_global() {
    let file = b"[global]\naction_av = reject\nnum_proc = 3\n[smtp]\naction_av = \"scan\"\n";
    let config = Config::parse("esets.cfg", file).unwrap();
    let value = |agent, key| config.value(agent, key).map(|value| value.to_string());
    assert_eq!(value("smtp", "action_av").as_deref(), Some("scan"));
    assert_eq!(value("smfi", "action_av").as_deref(), Some("reject"));
    assert_eq!(value("smtp", "num_proc").as_deref(), Some("3"));
    assert_eq!(value("smtp", "action_av_infected").as_deref(), Some("reject"));
    assert_eq!(value("smtp", "num_thrd"), None);
    let rule = &config.setting("pop3", "action_av").unwrap().rule;
    assert_eq!(rule.to_string(), "action_av in [global], esets.cfg:2");
}

/// Files of the editions 2.x to 4.x are read without a word.
#[test]
fn every_parameter_of_the_original_is_accepted_where_it_stood() {
    let table = include_str!("../../testdata/policy/parameters.txt");
    let mut names = std::collections::BTreeSet::new();
    for line in table.lines().filter(|line| !line.starts_with('#')) {
        let (sections, rest) = line[1..].split_once("] ").unwrap();
        let (key, value) = rest.split_once(' ').unwrap();
        for section in sections.split(' ') {
            let name = if section == "user" { "a@example.org" } else { section };
            let file = format!("[{name}]\n{key} = \"{value}\"\n");
            let config = match section {
                "user" => Config::parse_users("users.cfg", file.as_bytes()),
                _ => Config::parse("esets.cfg", file.as_bytes()),
            };
            let config = config.unwrap_or_else(|wrong| panic!("{line}: {wrong}"));
            assert!(config.warnings().is_empty(), "{line}");
            let read = config.sections().first().and_then(|section| section.setting(key)).unwrap();
            let read = read.value.to_string();
            assert!(read == value || ["yes", "no"].contains(&value), "{line}: {read}");
        }
        names.insert(key);
    }
    assert!(names.len() >= 70, "{}", names.len());
    assert!(names.iter().all(|name| keys().any(|key| key.name == *name)));
}

#[test]
fn every_documented_parameter_is_accepted_where_it_belongs() {
    let file = default_file();
    assert!(Config::parse("esets.cfg", file.as_bytes()).unwrap().sections().len() > 20);
    let settled: String = file
        .lines()
        .map(|line| line.strip_prefix(';').filter(|_| !line.ends_with("= ")).unwrap_or(line))
        .flat_map(|line| [line, "\n"])
        .collect();
    let config = Config::parse("esets.cfg", settled.as_bytes()).unwrap();
    for key in keys().filter(|key| !key.default.is_empty()) {
        let mut sections = config.sections().iter();
        assert!(sections.any(|section| section.setting(key.name).is_some()), "{}", key.name);
    }
}

#[test]
fn every_key_is_in_every_document() {
    let (file, table, page) = (default_file(), keys_markdown(), keys_man("0"));
    for key in keys() {
        assert!(table.contains(&format!("| `{}`", key.name)));
        assert!(page.contains(&format!(".B {}\n", key.name)));
        let in_main_file = file.contains(&format!("\n;{} = ", key.name));
        assert_eq!(in_main_file, key.name != "parent_id", "{}", key.name);
    }
    assert!(file.lines().all(|line| line.len() <= 120), "a line of the default file is too long");
}

#[test]
fn the_strict_profile_that_is_documented_is_the_one_that_is_tested() {
    assert_eq!(STRICT_PROFILE, include_str!("../../testdata/policy/strict.cfg"));
    assert!(keys_markdown().contains(STRICT_PROFILE));
}

#[test]
fn editing_a_file_of_users_asks_for_an_identity() {
    let set = |section, key| {
        let edited = edit::set(b"[A@b]\n", FileKind::Users, section, key, "reject");
        edited.map(|file| String::from_utf8(file).unwrap()).map_err(|wrong| wrong.to_string())
    };
    assert_eq!(set("a@B", "action_av").unwrap(), "[A@b]\naction_av = \"reject\"\n");
    assert_eq!(set("|x@y", "action_av").unwrap(), "[A@b]\n\n[|x@y]\naction_av = \"reject\"\n");
    assert!(set("|x", "action_av").unwrap_err().contains("not an identity"));
    assert!(set("", "action_av").unwrap_err().contains("expected a name"));
    assert!(set("a]", "action_av").unwrap_err().contains("no meaning"));
    assert!(set("a@b", "listen_port").unwrap_err().contains("no meaning"));
}

#[test]
fn editing_changes_one_value_and_nothing_else() {
    let set = |file: &str, section, key, value| {
        let edited = edit::set(file.as_bytes(), FileKind::Main, section, key, value);
        edited.map(|edited| String::from_utf8(edited).unwrap()).map_err(|wrong| wrong.to_string())
    };
    let ok = |file: &str, section, key, value| set(file, section, key, value).unwrap();
    assert_eq!(
        ok("# a\n[smtp]\n  listen_port=25 ; b\n", "smtp", "listen_port", "26"),
        "# a\n[smtp]\n  listen_port=26 ; b\n"
    );
    assert_eq!(
        ok("[global]\r\naction_av = \u{201D}scan\u{201D} # c\r\n", "global", "action_av", "REJECT"),
        "[global]\r\naction_av = \"reject\" # c\r\n"
    );
    assert_eq!(
        ok("[pop3]\n;action_av = \"scan\"\n# d\n\n[smtp]\n", "pop", "action_av", "defer"),
        "[pop3]\n;action_av = \"scan\"\naction_av = \"defer\"\n# d\n\n[smtp]\n"
    );
    assert_eq!(
        ok("[smtp]\nlisten_port = 25", "smtp", "agent_enabled", "yes"),
        "[smtp]\nlisten_port = 25\nagent_enabled = yes\n"
    );
    assert_eq!(ok("", "smtp", "agent_enabled", "no"), "[smtp]\nagent_enabled = no\n");
    assert_eq!(
        ok("[global]\n", "smtp", "agent_enabled", "no"),
        "[global]\n\n[smtp]\nagent_enabled = no\n"
    );
    assert_eq!(
        set("", "smpt", "agent_enabled", "no").unwrap_err(),
        "unknown section [smpt]; did you mean smtp?"
    );
    assert_eq!(
        set("", "global", "agent_enabled", "no").unwrap_err(),
        "agent_enabled has no meaning in section [global]"
    );
    assert!(set("", "global", "exec_script", "a\"b").unwrap_err().contains("cannot be"));
}

fn simple_file() -> impl Strategy<Value = String> {
    let comment = "[#;][ -~]{0,20}".prop_map(|text| text.replace('\r', ""));
    let bare = "[a-z_]{1,8} ?= ?[a-z0-9/.@]{1,12}";
    let quoted = "[a-z_]{1,8} = \"[a-zA-Z0-9;#/=., \\[\\]]{1,20}\"";
    let section = "\\[[|@a-z0-9.]{1,12}\\]";
    let line = prop_oneof![comment, bare, quoted, section, Just(String::new())];
    proptest::collection::vec(line, 0..20)
        .prop_map(|lines| format!("[first]\n{}\n", lines.join("\n")))
}

/// Section, key, value of every pair, as the lexer reads them; the last of two wins.
fn by_lexer(file: &str) -> Vec<(String, String, String)> {
    let mut section = String::new();
    let mut found = std::collections::BTreeMap::new();
    for line in lines(file.as_bytes()) {
        match line.content {
            Content::Section(name) => section = name.to_owned(),
            Content::Pair(pair) => {
                found.insert((section.clone(), pair.key.to_owned()), pair.value.to_owned());
            }
            _ => {}
        }
    }
    found.into_iter().map(|((section, key), value)| (section, key, value)).collect()
}

/// The same by rust-ini, which keeps every value of a key in order.
fn by_oracle(file: &str) -> Vec<(String, String, String)> {
    let options = ParseOption { enabled_escape: false, ..ParseOption::default() };
    let Ok(parsed) = Ini::load_from_str_opt(file, options) else { return Vec::new() };
    let mut found = std::collections::BTreeMap::new();
    for (section, properties) in &parsed {
        for (key, value) in properties {
            let section = section.unwrap_or_default().to_owned();
            found.insert((section, key.to_owned()), value.to_owned());
        }
    }
    found.into_iter().map(|((section, key), value)| (section, key, value)).collect()
}

proptest! {
    #[test]
    fn the_lexer_agrees_with_an_older_reader(file in simple_file()) {
        prop_assert_eq!(by_lexer(&file), by_oracle(&file));
    }

    #[test]
    fn no_byte_is_lost_and_no_byte_panics(file in proptest::collection::vec(any::<u8>(), 0..300)) {
        let whole: Vec<u8> = lines(&file).flat_map(|line| line.raw.to_vec()).collect();
        prop_assert_eq!(&whole, &file);
        let _ = Config::parse("a", &file);
        let _ = Config::parse_users("a", &file);
    }

    #[test]
    fn near_misses_of_files_never_panic(
        file in "([\\[\\]=;#\"\u{201D}a-c |@.\r\n\t\u{FEFF}]|action_av){0,80}"
    ) {
        for line in lines(file.as_bytes()) {
            if let Content::Pair(pair) = line.content {
                let span = file.get(pair.span.clone());
                prop_assert!(span.is_some_and(|span| span.contains(pair.value)));
                prop_assert!(pair.quotes != Quotes::None || span == Some(pair.value));
            }
        }
        let _ = Config::parse("a", file.as_bytes());
    }

    #[test]
    fn what_is_set_is_read_and_the_rest_stays(file in simple_file(), value in "[ -!#-~]{0,20}") {
        let set = |file: &str| {
            edit::set(file.as_bytes(), FileKind::Main, "smtp", "user_config", &value).unwrap()
        };
        let edited = String::from_utf8(set(&file)).unwrap();
        prop_assert!(edited.starts_with(&file));
        let pair = ("smtp".to_owned(), "user_config".to_owned(), value.clone());
        prop_assert!(by_lexer(&edited).contains(&pair));
        prop_assert_eq!(set(&edited), edited.into_bytes());
    }
}
