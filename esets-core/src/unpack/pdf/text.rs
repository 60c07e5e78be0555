//! What the values of a document say: scripts, names of files, addresses.

use super::lock::Lock;
use super::value::Value;
use crate::decode::{utf16_be, utf16_le};

/// An object that values belong to, and how its strings are read.
pub(super) struct Strings<'l> {
    pub(super) number: u32,
    pub(super) generation: u16,
    /// `None` if the strings lie in the clear.
    pub(super) lock: Option<&'l Lock>,
}

/// What was found in one object.
#[derive(Default)]
pub(super) struct Found {
    pub(super) scripts: Vec<Vec<u8>>,
    /// Files to open and addresses to visit, one a line.
    pub(super) targets: Vec<u8>,
    /// What other objects are to be called.
    pub(super) names: Vec<(u32, Vec<u8>)>,
}

impl Strings<'_> {
    /// Looks through an object.
    pub(super) fn search(&self, value: &Value) -> Found {
        let mut found = Found::default();
        if let Some(text) = value.text() {
            // A string on its own is a script that an action refers to, or nothing of interest.
            found.scripts.push(self.clear(text));
        }
        value.each_dict(&mut |dict| {
            self.scripts(dict, &mut found);
            self.files(dict, &mut found);
            let is_file = dict.get("EF").is_some();
            for key in ["URI", "F", "P"].iter().filter(|_| !is_file) {
                if let Some(text) = dict.get(key).and_then(Value::text) {
                    found.targets.extend(self.clear(text));
                    found.targets.push(b'\n');
                }
            }
        });
        found
    }

    fn scripts(&self, dict: &Value, found: &mut Found) {
        match dict.get("JS") {
            Some(Value::Text(text)) => found.scripts.push(self.clear(text)),
            Some(Value::Reference(number)) => {
                found.names.push((*number, format!("javascript {number}").into_bytes()));
            }
            _ => {}
        }
        let mut part = &b""[..];
        let form = dict.get("XFA");
        for value in form.map(Value::elements).unwrap_or_default() {
            match value {
                Value::Text(text) => part = text,
                Value::Reference(number) => {
                    found.names.push((*number, [b"xfa/", self.clear(part).as_slice()].concat()));
                }
                _ => {}
            }
        }
    }

    fn files(&self, dict: &Value, found: &mut Found) {
        let name = dict.get("UF").or_else(|| dict.get("F")).and_then(Value::text);
        let (Some(files), Some(name)) = (dict.get("EF"), name) else { return };
        let name = self.clear(name);
        for (_, file) in files.pairs() {
            if let Some(number) = file.reference() {
                found.names.push((number, name.clone()));
            }
        }
    }

    /// A string decrypted, and as UTF-8 if it says that it is Unicode.
    fn clear(&self, text: &[u8]) -> Vec<u8> {
        let text = match self.lock {
            Some(lock) => lock.string(self.number, self.generation, text),
            None => text.to_vec(),
        };
        match text.as_slice() {
            [0xFE, 0xFF, units @ ..] => utf16_be(units).into_bytes(),
            [0xFF, 0xFE, units @ ..] => utf16_le(units).into_bytes(),
            [0xEF, 0xBB, 0xBF, text @ ..] => text.to_vec(),
            _ => text,
        }
    }
}
