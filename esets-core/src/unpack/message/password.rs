//! Passwords that a message tells its reader: the words behind "password" and its like.

use std::collections::VecDeque;

/// The words of `text` that may be a password, the likeliest first: what stands behind a word that
/// announces one, within the same word too (`pw=x`).
pub(super) fn candidates(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut near = 0u32;
    let mut before = VecDeque::new();
    for word in text.split(is_gap).filter(|word| !word.is_empty()) {
        if found.len() >= MOST {
            break;
        }
        if let Some(at) = announces(word) {
            near = BEHIND;
            let behind = word.get(at..).unwrap_or_default();
            let inner = behind.split_once(['=', ':', '_', '-']);
            found.extend(inner.map(|(_, word)| word.to_string()));
            found.extend(before.drain(..).map(str::to_string));
        } else if near > 0 {
            near = near.saturating_sub(1);
            found.push(word.to_string());
        } else {
            before.push_back(word);
            if before.len() > BEFORE {
                before.pop_front();
            }
        }
    }
    variants(&found)
}

/// Each word without the punctuation around it, then as it is, each once.
fn variants(words: &[String]) -> Vec<String> {
    let mut variants: Vec<String> = Vec::new();
    for word in words {
        let bare = word.trim_matches(|c: char| c.is_ascii_punctuation());
        let bare_end = word.trim_end_matches(['.', ',', ';', ':']);
        for variant in [bare, bare_end, word] {
            let is_word = (3..=64).contains(&variant.len());
            if is_word && !variants.iter().any(|known| known == variant) {
                variants.push(variant.to_string());
            }
        }
    }
    variants
}

/// Where in `word` something is said that announces a password.
fn announces(word: &str) -> Option<usize> {
    let lower = word.to_lowercase();
    let bare = lower.trim_matches(|c: char| !c.is_alphanumeric());
    if SHORT.contains(&bare) {
        return Some(0);
    }
    let part = SHORT.iter().find_map(|short| {
        let at = lower.find(short)?;
        let behind = lower.get(at.checked_add(short.len())?..)?;
        behind.starts_with(['=', ':', '_', '-']).then_some(at)
    });
    part.or_else(|| STEMS.iter().find_map(|stem| lower.find(stem)))
}

fn is_gap(c: char) -> bool {
    c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '：' | '«' | '»' | '“' | '”' | '„' | '|')
}

/// HTML as its reader sees it, more or less.
pub(super) fn without_tags(html: &str) -> String {
    let mut text = String::new();
    let mut is_tag = false;
    for c in html.chars() {
        match c {
            '<' => is_tag = true,
            '>' => {
                is_tag = false;
                text.push(' ');
            }
            c if !is_tag => text.push(c),
            _ => {}
        }
    }
    text.replace("&nbsp;", " ").replace("&amp;", "&")
}

/// How many words of one text are taken at most.
const MOST: usize = 64;

/// How many words behind the announcing one are taken, and how many before it.
const BEHIND: u32 = 5;
const BEFORE: usize = 1;

/// Words that announce a password when they stand alone.
const SHORT: &[&str] = &["code", "pin", "pw", "pwd"];

/// Beginnings and ends of words that do so in any form.
const STEMS: &[&str] = &[
    "contrase",
    "geslo",
    "hasło",
    "heslo",
    "jelszó",
    "kennwort",
    "lozinka",
    "parol",
    "pass",
    "pwd",
    "senha",
    "şifre",
    "wachtwoord",
    "парол",
    "암호",
    "비밀번호",
    "パスワード",
    "密码",
    "密碼",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_behind_the_announcement_is_among_the_first() {
        for text in [
            "The password is: Secret123",
            "Das Passwort lautet Secret123.",
            "Archive password\nSecret123\n\nRegards",
            "doc_pw_Secret123",
            "pw=Secret123",
            "Пароль к архиву: Secret123",
            "la contraseña es \"Secret123\"",
            "密码：Secret123",
            "mot de passe (Secret123)",
        ] {
            let found = candidates(text);
            let at = found.iter().position(|word| word == "Secret123");
            assert!(at.is_some_and(|at| at < 10), "{text}: {found:?}");
        }
        let html = without_tags("<p>Password:&nbsp;<b>Secret123</b></p>");
        assert!(candidates(&html).contains(&"Secret123".to_string()), "{html}");
    }

    #[test]
    fn an_ordinary_text_announces_nothing() {
        assert!(candidates("Please find the minutes of our meeting attached.").is_empty());
    }
}
