//! Completeness level of a demand; [`Level::rule`] gives the rule in Chinese.

use super::answer::{Aspect, Finding, Level, State};

/// Level of a demand from its findings.
pub(super) fn level(findings: &[Finding]) -> Level {
    let present = |aspect| findings.iter().any(|finding| finding.aspect == aspect && finding.state == State::Present);
    if Aspect::ALL.into_iter().all(present) {
        Level::Complete
    } else if present(Aspect::Object) && (present(Aspect::Problem) || present(Aspect::Indicators)) {
        Level::Partial
    } else {
        Level::Vague
    }
}
