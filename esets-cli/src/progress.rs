//! A progress bar for long scans, on a terminal only.

use std::io::{self, IsTerminal};
use std::path::Path;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::print::quoted;

/// The bar; it stays hidden as long as the scan is short.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    visible_from: Instant,
}

impl Progress {
    pub(crate) fn new(wanted: bool) -> Self {
        let shown = wanted && io::stderr().is_terminal();
        let bar = shown.then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
            let style = ProgressStyle::with_template(TEMPLATE);
            style.map_or_else(|_| bar.clone(), |style| bar.clone().with_style(style))
        });
        Self { bar, visible_from: Instant::now().checked_add(SHORT).unwrap_or_else(Instant::now) }
    }

    /// One more file is done.
    pub(crate) fn advance(&self, path: &Path) {
        let Some(bar) = &self.bar else { return };
        if bar.is_hidden() && Instant::now() >= self.visible_from {
            bar.set_draw_target(ProgressDrawTarget::stderr());
            bar.enable_steady_tick(TICK);
        }
        bar.set_message(quoted(path.as_os_str().as_encoded_bytes()));
        bar.inc(1);
    }

    /// Writes to the terminal around the bar.
    pub(crate) fn around<T>(&self, write: impl FnOnce() -> T) -> T {
        match &self.bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

const TEMPLATE: &str = "{spinner} {pos} files, {per_sec} {wide_msg}";
const SHORT: Duration = Duration::from_secs(2);
const TICK: Duration = Duration::from_millis(125);
