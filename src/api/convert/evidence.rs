//! Conversion of evidence to wire types.

use super::span_out;
use duijie_insight::{
    diagnosis::{self, Aspect, AspectState, Completeness, Diagnosis},
    evidence::{IndicatorAnswer, MatchEvidence, Options, Quote, Reason, ReasonKind},
    indicators,
    policy::{Case, Note, SubsidyOutcome, Unknown},
};
use duijie_proto as pb;

/// Reads the evidence options. Levels are not among them: matching computes them with the scores.
pub fn options_in(options: Option<pb::EvidenceOptions>) -> Options {
    let pb::EvidenceOptions { levels: _, reasons, indicators, policy, diagnosis } = options.unwrap_or_default();
    Options { reasons, indicators, policy, diagnosis }
}

/// Adds the evidence to its match.
pub fn add(found: &mut pb::Match, evidence: MatchEvidence) {
    found.reasons = evidence.reasons.into_iter().map(reason_out).collect();
    found.indicators = evidence.indicators.into_iter().map(indicator_out).collect();
    found.policy_notes = evidence.notes.into_iter().map(note_out).collect();
}

/// Writes a diagnosis.
pub fn diagnosis_out(diagnosis: Diagnosis) -> pb::Diagnosis {
    let level = match diagnosis.level {
        Completeness::Complete => pb::DiagnosisLevel::Complete,
        Completeness::Partial => pb::DiagnosisLevel::Partial,
        Completeness::Vague => pb::DiagnosisLevel::Vague,
    };
    pb::Diagnosis {
        level: level as i32,
        localized_description: diagnosis.level.chinese().to_string(),
        findings: diagnosis.findings.into_iter().map(finding_out).collect(),
    }
}

fn quote_out(quote: Quote) -> pb::Quote {
    pb::Quote { text: quote.text, span: Some(span_out(quote.span)) }
}

fn reason_out(reason: Reason) -> pb::MatchReason {
    let kind = match reason.kind {
        ReasonKind::Meaning => pb::MatchReasonKind::Meaning,
        ReasonKind::Terms => pb::MatchReasonKind::Terms,
        ReasonKind::Works => pb::MatchReasonKind::Achievement,
        ReasonKind::MeaningFar => pb::MatchReasonKind::MeaningFar,
        ReasonKind::NoTerms => pb::MatchReasonKind::NoTerms,
        ReasonKind::TitleWithoutTerms => pb::MatchReasonKind::TitleWithoutTerms,
        ReasonKind::IndicatorsSatisfied => pb::MatchReasonKind::IndicatorsSatisfied,
        ReasonKind::IndicatorsViolated => pb::MatchReasonKind::IndicatorsViolated,
        ReasonKind::Excluded => pb::MatchReasonKind::Excluded,
        ReasonKind::EarlyStage => pb::MatchReasonKind::EarlyStage,
        ReasonKind::NotActive => pb::MatchReasonKind::NotActive,
        ReasonKind::DeadlinePassed => pb::MatchReasonKind::DeadlinePassed,
    };
    pb::MatchReason {
        kind: kind as i32,
        against: reason.kind.is_against(),
        text: reason.text,
        contribution: reason.contribution,
        quotes: reason.quotes.into_iter().map(quote_out).collect(),
    }
}

fn indicator_out(answer: IndicatorAnswer) -> pb::IndicatorAnswer {
    let outcome = match answer.outcome {
        indicators::AnswerOutcome::Satisfied => pb::IndicatorOutcome::Satisfied,
        indicators::AnswerOutcome::Violated => pb::IndicatorOutcome::Violated,
        indicators::AnswerOutcome::NotStated => pb::IndicatorOutcome::NotStated,
    };
    let reason = match answer.reason {
        indicators::AnswerReason::Within => pb::IndicatorReason::Within,
        indicators::AnswerReason::Covers => pb::IndicatorReason::Covers,
        indicators::AnswerReason::Disjoint => pb::IndicatorReason::Disjoint,
        indicators::AnswerReason::NoCounterpart => pb::IndicatorReason::NoCounterpart,
        indicators::AnswerReason::NoSubject => pb::IndicatorReason::NoSubject,
        indicators::AnswerReason::NoStatedSubject => pb::IndicatorReason::NoStatedSubject,
        indicators::AnswerReason::Weaker => pb::IndicatorReason::Weaker,
        indicators::AnswerReason::NoDirection => pb::IndicatorReason::NoDirection,
        indicators::AnswerReason::PerhapsOther => pb::IndicatorReason::PerhapsOther,
        indicators::AnswerReason::Contradictory => pb::IndicatorReason::Contradictory,
        indicators::AnswerReason::NotCovered => pb::IndicatorReason::NotCovered,
        indicators::AnswerReason::UnitNotKnown => pb::IndicatorReason::UnitNotKnown,
        indicators::AnswerReason::UnitsDiffer => pb::IndicatorReason::UnitsDiffer,
        indicators::AnswerReason::Unclear => pb::IndicatorReason::Unclear,
    };
    pb::IndicatorAnswer {
        quantity: answer.quantity.id.to_string(),
        quantity_label: answer.quantity.name.to_string(),
        outcome: outcome as i32,
        reason: reason as i32,
        text: answer.chinese(),
        subject: answer.subject,
        asked: Some(quote_out(answer.asked)),
        stated: answer.stated.map(quote_out),
    }
}

fn note_out(note: Note) -> pb::PolicyNote {
    let (lowest_yuan, highest_yuan, cases, refusal) = match note.outcome {
        SubsidyOutcome::Possible { min_yuan, max_yuan, cases } => (min_yuan, max_yuan, cases, None),
        SubsidyOutcome::Nothing(refusal) => {
            (0, 0, Vec::new(), Some(pb::PolicySentence { code: refusal.code().to_string(), text: refusal.chinese() }))
        }
    };
    let sentence = |unknown: Unknown| pb::PolicySentence { code: unknown.code, text: unknown.text };
    pb::PolicyNote {
        rule_id: note.rule_id,
        rule_version: note.rule_version,
        title: note.title,
        source: note.source,
        clause: note.clause,
        quote: note.quote,
        highest_yuan,
        lowest_yuan,
        cases: cases.into_iter().map(case_out).collect(),
        refusal,
        unknown: note.unknown.into_iter().map(sentence).collect(),
    }
}

fn case_out(case: Case) -> pb::PolicyCase {
    pb::PolicyCase {
        conditions: case.conditions,
        lowest_price_yuan: case.price_yuan.0,
        highest_price_yuan: case.price_yuan.1,
        lowest_yuan: case.min_yuan,
        highest_yuan: case.max_yuan,
        basis: case.basis,
        otherwise_yuan: case.otherwise_yuan,
    }
}

fn finding_out(finding: diagnosis::Finding) -> pb::DiagnosisFinding {
    let aspect = match finding.aspect {
        Aspect::Problem => pb::DemandAspect::Problem,
        Aspect::Object => pb::DemandAspect::Object,
        Aspect::Indicators => pb::DemandAspect::Indicators,
        Aspect::Budget => pb::DemandAspect::Budget,
        Aspect::Deadline => pb::DemandAspect::Deadline,
        Aspect::Cooperation => pb::DemandAspect::Cooperation,
    };
    let state = match finding.state {
        AspectState::Present => pb::AspectState::Present,
        AspectState::Vague => pb::AspectState::Vague,
        AspectState::Missing => pb::AspectState::Missing,
    };
    let mut evidence = Vec::new();
    let mut evidence_field = String::new();
    for found in finding.evidence {
        match found {
            diagnosis::StatementSource::Text { span, text, .. } => {
                evidence.push(pb::Quote { text, span: Some(span_out(span)) });
            }
            diagnosis::StatementSource::Field(name) => evidence_field = name.to_string(),
        }
    }
    pb::DiagnosisFinding {
        aspect: aspect as i32,
        state: state as i32,
        evidence,
        evidence_field,
        question: finding.question.unwrap_or_default(),
    }
}
