//! What a header and the Rust code behind it declare, both in the words of C.

use std::collections::BTreeSet;

/// Every declaration of the header.
pub(crate) fn of_header(header: &str) -> BTreeSet<String> {
    let text = without_comments(header);
    let defines = text.lines().filter_map(|line| line.strip_prefix("#define "));
    let defines = defines.filter_map(|line| line.split_once(' '));
    let mut found: BTreeSet<_> = defines.map(|(name, value)| format!("{name} = {value}")).collect();
    let code: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
    let code = code.join(" ").replace("extern \"C\" {", "");
    let mut statements = Vec::new();
    for statement in code.split(';').map(squeeze).filter(|statement| !statement.is_empty()) {
        match statement.strip_prefix("enum {") {
            Some(list) => statements.extend(list.trim_end_matches(" }").split(',').map(squeeze)),
            None => statements.push(statement.trim_matches(['}', ' ']).to_string()),
        }
    }
    found.extend(statements.into_iter().filter(|statement| !statement.is_empty()));
    found
}

/// Every public declaration of the code.
pub(crate) fn of_code(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for start in ["pub unsafe extern \"C\" fn ", "pub extern \"C\" fn "] {
        for rest in code.split(start).skip(1) {
            let signature = rest.split('{').next().unwrap();
            let (name, rest) = signature.split_once('(').unwrap();
            found.insert(function(name, rest));
        }
    }
    for rest in code.split("\npub const ").skip(1) {
        let (name, rest) = rest.split_once(':').unwrap();
        let value = rest.split_once('=').unwrap().1.split_once(';').unwrap().0;
        found.insert(format!("{name} = {}", value.trim().replace("u64::MAX", "UINT64_MAX")));
    }
    for rest in code.split("\npub struct ").skip(1) {
        let name = rest.split([' ', '(']).next().unwrap();
        found.insert(format!("typedef struct {name} {name}"));
    }
    for rest in code.split("\npub type ").skip(1) {
        let (name, meaning) = rest.split_once(';').unwrap().0.split_once('=').unwrap();
        found.insert(alias(name.trim(), &squeeze(meaning)));
    }
    found
}

fn alias(name: &str, meaning: &str) -> String {
    match meaning.strip_prefix("Option<unsafe extern \"C\" fn(") {
        Some(rest) => {
            let pointer = format!("(*{name})");
            format!("typedef {}", function(&pointer, rest.trim_end_matches('>')))
        }
        None => format!("typedef {}", declare(meaning, name)),
    }
}

/// A function, from its name and `a: A, b: B) -> C`.
fn function(name: &str, rest: &str) -> String {
    let (parameters, result) = rest.rsplit_once(')').unwrap();
    let parameters = parameters.split(',').map(squeeze).filter(|one| !one.is_empty());
    let parameters: Vec<_> = parameters
        .map(|one| one.split_once(": ").map(|(name, kind)| declare(kind, name)).unwrap())
        .collect();
    let parameters = if parameters.is_empty() { "void".into() } else { parameters.join(", ") };
    let result = result.trim().strip_prefix("->").unwrap_or("()").trim();
    format!("{}({parameters})", declare(result, name))
}

/// `const char **name` from `*mut *const c_char`.
fn declare(kind: &str, name: &str) -> String {
    match kind.strip_prefix("*const ").or(kind.strip_prefix("*mut ")) {
        Some(pointee) => {
            let name = declare(pointee, &format!("*{name}"));
            if kind.starts_with("*const ") { format!("const {name}") } else { name }
        }
        None => {
            let kind = C_TYPES.iter().find(|(rust, _)| *rust == kind).map_or(kind, |(_, c)| c);
            format!("{kind} {name}")
        }
    }
}

fn without_comments(text: &str) -> String {
    let mut pieces = text.split("/*");
    let first = pieces.next().unwrap_or_default().to_string();
    pieces.fold(first, |kept, piece| kept + piece.split_once("*/").unwrap().1)
}

fn squeeze(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

const C_TYPES: &[(&str, &str)] = &[
    ("()", "void"),
    ("c_char", "char"),
    ("c_int", "int"),
    ("c_void", "void"),
    ("i32", "int32_t"),
    ("isize", "ssize_t"),
    ("u64", "uint64_t"),
    ("usize", "size_t"),
];
