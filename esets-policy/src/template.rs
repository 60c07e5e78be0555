//! Texts with `%VARIABLES%`, and values that cannot break out of them.

use esets_core::Printable;

/// Puts values in the place of `%NAME%`; `%%` is a percent sign, and a name that has no value
/// stays as it stands.
///
/// Values are escaped as by [`escape`]; the template is the administrator's and is not.
///
/// ```
/// use esets_policy::template::expand;
///
/// let name = |name: &str| (name == "VIRUSNAME").then(|| "a\nb".to_owned());
/// assert_eq!(expand("100%%: %VIRUSNAME% %OTHER%", name), "100%: a\\u{a}b %OTHER%");
/// ```
pub fn expand(template: &str, value: impl Fn(&str) -> Option<String>) -> String {
    let mut text = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('%') {
        text.push_str(before);
        rest = after;
        let Some((name, behind)) = after.split_once('%').filter(|(name, _)| is_name(name)) else {
            text.push('%');
            continue;
        };
        rest = behind;
        match value(name) {
            Some(value) => text.push_str(&escape(value.as_bytes())),
            None if name.is_empty() => text.push('%'),
            None => text.extend(["%", name, "%"]),
        }
    }
    text.push_str(rest);
    text
}

/// Raw bytes as text of one line without quotes: control characters, what turns the direction of
/// writing, and `"` become `\u{…}`, bytes that are no text `\x..`.
pub fn escape(raw: &[u8]) -> String {
    Printable(raw).to_string().replace('"', "\\u{22}")
}

fn is_name(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
}
