//! The walk-through of one message with three recipients: `docs/walk-through.md` is made here, so it
//! cannot say what the code does not do. `UPDATE=1` writes it.

#![expect(clippy::unwrap_used, reason = "a test ends where it fails")]

use std::fs;
use std::path::{Path, PathBuf};

use esets_policy::core::{Database, Object, Scanner};
use esets_policy::{Action, Context, Filter, Pipeline, Policy};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn text(name: &str) -> String {
    fs::read_to_string(root().join("examples").join(name)).unwrap()
}

#[test]
fn the_page_says_what_happens() {
    let mail = text("mails/three-recipients.eml");
    let read = |name: &str| fs::read(root().join("examples/policy").join(name));
    let policy = Policy::load("esets.cfg", text("policy/esets.cfg").as_bytes(), read).unwrap();
    let recipients = ["alice@example.org", "bob@example.org", "carol@example.org"];
    let context = Context::new("smtp").sender("mallory@example.net").recipients(&recipients);
    let context = context.modifiable();
    let pipeline = Pipeline::new(Scanner::new(Database::embedded()), policy);
    let outcome = pipeline.handle(&Object::new(mail.as_bytes()).named("mail.eml"), &context);
    let verdict = outcome.verdict.as_ref().unwrap();
    let explanation = pipeline.policy().explain(&context, verdict, None);
    let mut page = INTRODUCTION
        .replace("MAIL\n", &mail)
        .replace("CONFIGURATION\n", &text("policy/esets.cfg"))
        .replace("USERS\n", &text("policy/users.cfg"))
        .replace("VERDICT", verdict.to_string().trim_end())
        .replace("EXPLANATION", &explanation.to_string());
    let actions: Vec<_> = outcome.dispositions.iter().map(|fate| fate.action).collect();
    assert_eq!(actions, [Action::Reject, Action::Accept, Action::Accept]);
    for fate in outcome.dispositions.iter().filter(|fate| fate.action == Action::Accept) {
        let to: Vec<_> =
            fate.recipients.iter().map(|at| recipients.get(*at).copied().unwrap()).collect();
        let kept = if fate.quarantine { ", and a copy goes to the quarantine" } else { "" };
        let passed = fate.edits.apply(mail.as_bytes(), Some(verdict)).unwrap();
        let passed = String::from_utf8(passed).unwrap();
        page.push_str(&format!("\nTo {}{kept}:\n\n```text\n{passed}```\n", to.join(", ")));
    }
    page.push_str(END);
    let path = root().join("docs/walk-through.md");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &page).unwrap();
    }
    assert_eq!(fs::read_to_string(path).unwrap(), page);
}

#[test]
fn an_agent_that_cannot_tell_recipients_apart_does_the_strictest() {
    let mail = text("mails/three-recipients.eml");
    let read = |name: &str| fs::read(root().join("examples/policy").join(name));
    let policy = Policy::load("esets.cfg", text("policy/esets.cfg").as_bytes(), read).unwrap();
    let pipeline = Pipeline::new(Scanner::new(Database::embedded()), policy);
    let recipients = ["bob@example.org", "alice@example.org"];
    let context = Context::new("smtp").recipients(&recipients).modifiable();
    let outcome = pipeline.handle(&Object::new(mail.as_bytes()), &context);
    assert_eq!(outcome.decision().action, Action::Reject);
    assert_eq!(outcome.dispositions.len(), 2);
}

const INTRODUCTION: &str = "\
# One message, three recipients

Made by a test of `esets-policy` from [examples/policy](../examples/policy) and
[examples/mails](../examples/mails). `esets policy explain --config=examples/policy/esets.cfg
--recipient=alice@example.org --recipient=bob@example.org --recipient=carol@example.org
examples/mails/three-recipients.eml` prints the same reasoning, and `esets policy rewrite` with one of
the recipients the message as it passes.

A message arrives for Alice, Bob and Carol; its attachment hides a program behind the name of a
document.

```text
MAIL
```

The configuration of all, and that of users:

```ini
CONFIGURATION
```

```ini
USERS
```

It is scanned once, for all recipients together:

```text
VERDICT
```

Then the policy is asked for each group of recipients for which the same sections hold. The nearest
section that sets a key answers: the recipient's (address, domain, domains above), the user's, the
client's, the server's, the sender's, the agent's, `[global]`, the default.

```text
EXPLANATION
```

Alice's copy is refused. An agent that can answer for each recipient, or can send copies on its own,
treats the others as they want it; one that cannot does the strictest, here: refuses the message for
all (`Outcome::decision`). Before anything is delivered without a part, the message without it is
scanned again; if the threat were still in it, the policy would decide as if there were no cleaning.
What passes, byte for byte:
";

const END: &str = "
All bytes that no edit concerns are those of the original, so a signature (DKIM) over header fields
that were not touched holds. The body of Bob's and Carol's copies changed only where it is shown
above; a part that is signed or encrypted is never changed inside, and where something in it is
infected, the whole signed part gives way to the notice.
";
