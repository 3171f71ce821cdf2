//! Completeness of a demand; [`Completeness::chinese`] gives the rule in Chinese.

use super::answer::{Aspect, AspectState, Completeness, Finding};

/// Completeness of a demand from its findings.
pub(super) fn level(findings: &[Finding]) -> Completeness {
    let present =
        |aspect| findings.iter().any(|finding| finding.aspect == aspect && finding.state == AspectState::Present);
    if Aspect::ALL.into_iter().all(present) {
        Completeness::Complete
    } else if present(Aspect::Object) && (present(Aspect::Problem) || present(Aspect::Indicators)) {
        Completeness::Partial
    } else {
        Completeness::Vague
    }
}
