//! Progress: a moving bar on a terminal, otherwise a line at intervals.

use std::{
    io::IsTerminal,
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};

use duijie_store::transfer::{self, TransferStep};

/// Interval between lines without a terminal.
const LINE_PERIOD: Duration = Duration::from_secs(5);

/// Progress of a transfer, with one bar per step.
#[derive(Default)]
pub struct Steps {
    current: Option<(TransferStep, Progress)>,
}

/// Progress of a long piece of work.
pub struct Progress {
    bar: ProgressBar,
    what: &'static str,
    started: Instant,
    printed: Instant,
}

/// A spinner for work of unknown length, on a terminal only.
pub fn spinner(what: &'static str) -> ProgressBar {
    let bar = if std::io::stderr().is_terminal() { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
    bar.set_message(what);
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

// === impl Steps ===

impl Steps {
    /// Shows the progress of the transfer; `writing` is the label of its main step.
    pub fn set(&mut self, at: transfer::TransferProgress, writing: &'static str) {
        let same = self.current.as_ref().is_some_and(|(step, _)| *step == at.step && at.done != 0);
        if !same {
            let what = match at.step {
                TransferStep::Compare => "比对",
                TransferStep::Write => writing,
                TransferStep::Verify => "校验",
            };
            self.finish();
            self.current = Some((at.step, Progress::new(what, at.total, "条")));
        }
        if let Some((_, bar)) = &mut self.current {
            bar.set(at.done);
        }
    }

    /// Ends the bar.
    pub fn finish(&mut self) {
        if let Some((_, bar)) = self.current.take() {
            bar.finish();
        }
    }
}

// === impl Progress ===

impl Progress {
    /// A bar for `total` units named `unit`; `what` describes the work.
    pub fn new(what: &'static str, total: u64, unit: &str) -> Self {
        let bar = if std::io::stderr().is_terminal() { ProgressBar::new(total) } else { ProgressBar::hidden() };
        bar.set_length(total);
        let template = format!("{{msg}} [{{bar:32}}] {{percent}}% {{pos}}/{{len}} {unit} {{per_sec}} 剩余 {{eta}}");
        if let Ok(style) = ProgressStyle::with_template(&template) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_message(what);
        bar.enable_steady_tick(Duration::from_millis(200));
        let now = Instant::now();
        Self { bar, what, started: now, printed: now }
    }

    /// Shows the progress.
    pub fn set(&mut self, done: u64) {
        self.bar.set_position(done);
        if self.bar.is_hidden() && LINE_PERIOD < self.printed.elapsed() {
            self.printed = Instant::now();
            let total = self.bar.length().unwrap_or(done).max(1);
            let percent = done.saturating_mul(100) / total;
            let left = self.bar.eta().as_secs();
            eprintln!("{} {percent}% {done}/{total} 剩余约 {left} 秒", self.what);
        }
    }

    /// Ends the bar; returns the time taken.
    pub fn finish(self) -> Duration {
        self.bar.finish_and_clear();
        self.started.elapsed()
    }
}
