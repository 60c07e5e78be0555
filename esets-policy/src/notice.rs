//! What is written into messages that pass.

use crate::disposition::Edits;
use crate::profile::Layers;
use crate::template::expand;

/// What a message's reader may learn.
#[derive(Clone, Debug, Default)]
pub(crate) struct Notice {
    /// Whether it was scanned at all.
    pub(crate) scanned: bool,
    /// The first threat that is still in it.
    pub(crate) threat: Option<String>,
    /// The first threat that was taken out.
    pub(crate) deleted: Option<String>,
    /// The first reason why part of it was not scanned.
    pub(crate) reason: Option<String>,
    /// Whether it is spam, if a search was made.
    pub(crate) spam: Option<bool>,
    pub(crate) score: Option<u8>,
}

impl Notice {
    /// The words of the log's `avstatus`.
    fn status(&self) -> &'static str {
        match (&self.threat, &self.deleted, &self.reason) {
            (Some(_), _, _) => "infected",
            (None, Some(_), None) => "clean (deleted)",
            (None, _, Some(_)) => "not scanned",
            (None, None, None) if self.scanned => "clean",
            (None, None, None) => "not scanned",
        }
    }

    fn result(&self) -> String {
        let detail = self.threat.as_ref().or(self.deleted.as_ref()).or(self.reason.as_ref());
        match detail {
            Some(detail) => format!("{}, {detail}", self.status()),
            None => self.status().to_owned(),
        }
    }

    fn variable(&self, name: &str) -> Option<String> {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        Some(match name {
            "AVSTATUS" => self.status().to_owned(),
            "REASON" => text(&self.reason),
            "RESULT" => self.result(),
            "SPAMRESULT" => match self.spam {
                Some(true) => "SPAM".to_owned(),
                Some(false) => "OK".to_owned(),
                None => "not searched".to_owned(),
            },
            "SPAMSCORE" => self.score.map(|score| score.to_string()).unwrap_or_default(),
            "VIRUSNAME" => text(if self.threat.is_some() { &self.threat } else { &self.deleted }),
            _ => return None,
        })
    }
}

/// The headers, subject and footnote that policy asks for; nothing is taken out.
pub(crate) fn edits(layers: &Layers<'_>, notice: &Notice) -> Edits {
    let filled = |key| expand(layers.text(key), |name| notice.variable(name));
    let not_clean = notice.status() != "clean" && notice.scanned;
    let mut headers = Vec::new();
    if notice.scanned && layers.is_on("av_eml_header_modification") {
        headers.push(filled("av_eml_scanner_template"));
        headers.push(filled("av_eml_header_template"));
    }
    if notice.spam.is_some() && layers.is_on("as_eml_header_modification") {
        headers.push(filled("as_eml_header_template"));
    }
    headers.retain(|header| !header.is_empty());
    let mut subject_prefix = String::new();
    if notice.spam == Some(true) {
        subject_prefix.push_str(&filled("as_eml_subject_prefix"));
    }
    if not_clean {
        subject_prefix.push_str(&filled("av_eml_subject_prefix"));
    }
    let footnote = match layers.word("av_eml_footnote_modification") {
        "yes" if notice.scanned => filled("av_eml_footnote_template"),
        "notclean" if not_clean => filled("av_eml_footnote_template"),
        _ => String::new(),
    };
    Edits { headers, subject_prefix, footnote, ..Edits::default() }
}
