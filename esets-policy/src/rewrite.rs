//! A message as it passes: with what policy adds, and without what it takes out.

use esets_core::{Printable, Verdict};
use esets_mime::{Limits, Message, Rewriter};

use crate::disposition::Edits;
use crate::template::expand;

impl Edits {
    /// The message with these changes, in its own line ends, character sets and transfer
    /// encodings. Every byte that no change concerns stays as it is, and nothing is changed inside
    /// what is signed or encrypted: of a signed container the whole gives way to a notice.
    ///
    /// `verdict` is what a scan of these very bytes said; it tells where the parts are that go.
    /// `None` if one of them cannot be taken out; such a message must not pass by this
    /// disposition, see [`remove`](Self::remove).
    ///
    /// ```
    /// use esets_policy::{Context, Filter, Pipeline, Policy};
    /// use esets_policy::core::{Database, Object, Scanner};
    ///
    /// let mail = b"Subject: hello\r\n\r\ntext\r\n";
    /// let pipeline = Pipeline::new(Scanner::new(Database::embedded()), Policy::default());
    /// let outcome = pipeline.handle(&Object::new(mail), &Context::new("smtp").modifiable());
    /// let edits = &outcome.dispositions[0].edits;
    /// let passed = edits.apply(mail, outcome.verdict.as_ref()).unwrap();
    /// let expected = "X-Virus-Scanner: This message was checked by ESETS\r\n\
    ///     X-Esets-Result: clean\r\nSubject: hello\r\n\r\ntext\r\n";
    /// assert_eq!(String::from_utf8(passed).unwrap(), expected);
    /// ```
    #[must_use]
    pub fn apply(&self, message: &[u8], verdict: Option<&Verdict>) -> Option<Vec<u8>> {
        let parsed = Message::parse(message, &Limits::default());
        let mut rewriter = parsed.rewrite();
        for record in &self.remove {
            self.take_out(*record, verdict?, &parsed, &mut rewriter)?;
        }
        for header in &self.headers {
            if let Some((name, value)) = header.split_once(':') {
                rewriter.prepend_header(name.trim(), value.trim());
            }
        }
        if !self.subject_prefix.is_empty() {
            rewriter.prefix_subject(self.subject_prefix.trim_end());
        }
        if !self.footnote.is_empty() {
            rewriter.footnote(&self.footnote, &html(&self.footnote));
        }
        Some(rewriter.finish())
    }

    fn take_out(
        &self,
        record: usize,
        verdict: &Verdict,
        parsed: &Message<'_>,
        rewriter: &mut Rewriter<'_, '_>,
    ) -> Option<()> {
        let index = usize::try_from(verdict.records().get(record)?.index?).ok()?;
        let part = parsed.parts().nth(index)?;
        if part.is_container() {
            return None;
        }
        rewriter.replace(index, &self.notice(record, verdict));
        Some(())
    }

    /// What stands in the place of a part.
    fn notice(&self, record: usize, verdict: &Verdict) -> String {
        let within = |at: usize| lies_in(verdict, at, record);
        let threat = verdict.threats().find(|(at, _)| within(*at));
        let part = verdict.records().get(record);
        expand(&self.part_notice, |name| match name {
            "FILENAME" => part.map(|part| Printable(&part.name).to_string()),
            "VIRUSNAME" => Some(threat.map(|(_, found)| found.name.clone()).unwrap_or_default()),
            _ => None,
        })
    }
}

/// Whether the record at `at` is the one at `container` or lies in it.
pub(crate) fn lies_in(verdict: &Verdict, at: usize, container: usize) -> bool {
    let parent = |at: &usize| {
        let parent = verdict.records().get(*at)?.parent?.index();
        (parent < *at).then_some(parent)
    };
    std::iter::successors(Some(at), parent).any(|at| at == container)
}

/// A text as a paragraph of HTML.
fn html(text: &str) -> String {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    format!("<p>{}</p>", escaped.lines().collect::<Vec<_>>().join("<br>\n"))
}
