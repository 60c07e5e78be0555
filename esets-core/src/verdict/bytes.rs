//! Serde for names: a string where they are UTF-8, else the bytes, so that nothing is lost.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[derive(Deserialize)]
#[serde(untagged)]
enum Name {
    Text(String),
    Bytes(Vec<u8>),
}

pub(super) fn serialize<S: Serializer>(name: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    match std::str::from_utf8(name) {
        Ok(text) => serializer.serialize_str(text),
        Err(_) => name.serialize(serializer),
    }
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    Ok(match Name::deserialize(deserializer)? {
        Name::Text(text) => text.into_bytes(),
        Name::Bytes(bytes) => bytes,
    })
}
