//! The part of JSON Schema (draft 2020-12) that our schema uses.

use serde_json::Value;

/// Whether a document is what the schema says; if not, where it first is not.
pub(crate) fn check(schema: &Value, document: &Value) -> Result<(), String> {
    at(schema, schema, document, "$")
}

fn at(root: &Value, schema: &Value, value: &Value, place: &str) -> Result<(), String> {
    if let Some(reference) = schema["$ref"].as_str() {
        let target = root.pointer(reference.strip_prefix('#').unwrap()).expect(reference);
        return at(root, target, value, place);
    }
    for keyword in schema.as_object().expect(place).keys() {
        assert!(KNOWN.contains(&keyword.as_str()), "{keyword} is not checked");
    }
    if let Some(types) = schema.get("type") {
        let types: Vec<&Value> =
            types.as_array().map_or(vec![types], |types| types.iter().collect());
        require(types.iter().any(|name| is(name.as_str().unwrap(), value)), place, "type")?;
    }
    if let Some(values) = schema["enum"].as_array() {
        require(values.contains(value), place, "enum")?;
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        let fits = choices.iter().filter(|choice| at(root, choice, value, place).is_ok()).count();
        require(fits == 1, place, "oneOf")?;
    }
    for (number, item) in value.as_array().into_iter().flatten().enumerate() {
        if let Some(items) = schema.get("items") {
            at(root, items, item, &format!("{place}[{number}]"))?;
        }
    }
    let Some(object) = value.as_object() else { return Ok(()) };
    for name in schema["required"].as_array().into_iter().flatten() {
        require(object.contains_key(name.as_str().unwrap()), place, &format!("required {name}"))?;
    }
    for (name, member) in object {
        match schema["properties"].get(name) {
            Some(property) => at(root, property, member, &format!("{place}.{name}"))?,
            None => {
                let closed = schema.get("additionalProperties") == Some(&Value::Bool(false));
                require(!closed, place, &format!("additional {name}"))?;
            }
        }
    }
    Ok(())
}

fn is(name: &str, value: &Value) -> bool {
    match name {
        "array" => value.is_array(),
        "integer" => value.is_u64(),
        "null" => value.is_null(),
        "number" => value.is_number(),
        "object" => value.is_object(),
        "string" => value.is_string(),
        _ => panic!("type {name}"),
    }
}

fn require(holds: bool, place: &str, what: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(format!("{place}: {what}")) }
}

const KNOWN: &[&str] = &[
    "$defs",
    "$id",
    "$schema",
    "additionalProperties",
    "description",
    "enum",
    "items",
    "oneOf",
    "properties",
    "required",
    "title",
    "type",
];
