//! Reasons for and against one match, from the scorer's own numbers and this record's own words.
//!
//! Only what one side excludes is told in words of both, each said to be whose. No other sentence quotes the query: it
//! could attribute one record's words to the other.

use jiff::Timestamp;

use super::{IndicatorAnswer, Quote, exclusions::Conflict};
use crate::indicators::AnswerOutcome;
use duijie_core::domain::{
    Code, Detail, Record,
    codes::Status,
    hit::{MatchHit, MatchedTerm, SourceScore, TextField, Works},
};

/// Maximum words named in a sentence; the rest are counted.
const MAX_NAMED: usize = 3;
/// Maximum quotes of a reason; a match has at most as many terms.
const MAX_QUOTES: usize = 20;
/// Highest technology readiness level of the laboratory stage (GB/T 22900: 4 is a test in the laboratory, 5 in a
/// relevant environment).
const LABORATORY_TRL: u8 = 4;

/// One reason for or against a match.
#[derive(Debug, Clone, PartialEq)]
pub struct Reason {
    /// Kind of reason.
    pub kind: ReasonKind,
    /// Chinese sentence without full stop.
    pub text: String,
    /// Contribution to the score, 0 to 1; 0 if not part of the score.
    pub contribution: f64,
    /// Quotes from the matched record; for a term, its first position.
    pub quotes: Vec<Quote>,
}

/// A kind of reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReasonKind {
    /// Semantic similarity adds to the score.
    Meaning,
    /// Query terms in the record add to the score.
    Terms,
    /// One of the expert's achievements adds to the score.
    Works,
    /// Against: semantic similarity adds nothing.
    MeaningFar,
    /// Against: the record contains no query term.
    NoTerms,
    /// Against: the title contains no query term.
    TitleWithoutTerms,
    /// Indicators that satisfy the other side's.
    IndicatorsSatisfied,
    /// Against: indicators that violate the other side's.
    IndicatorsViolated,
    /// Against: the record has what the query excludes, or excludes what the query has.
    Excluded,
    /// Against: an achievement still at laboratory stage.
    EarlyStage,
    /// Against: a record whose status is not ACTIVE.
    NotActive,
    /// Against: a demand whose deadline has passed.
    DeadlinePassed,
}

/// All reasons for a match: score parts, largest first, then the rest.
pub(super) fn reasons(
    found: &MatchHit,
    answers: &[IndicatorAnswer],
    conflicts: Vec<Conflict>,
    now: Timestamp,
) -> Vec<Reason> {
    let mut reasons = vec![meaning(&found.dense), terms(found)];
    reasons.extend(found.works.as_ref().map(works));
    reasons.sort_by(|one, other| other.contribution.total_cmp(&one.contribution));
    reasons.extend(title(found));
    let record = &found.record;
    reasons.extend(indicators(record, answers, AnswerOutcome::Satisfied));
    reasons.extend(indicators(record, answers, AnswerOutcome::Violated));
    reasons.extend(conflicts.into_iter().map(excluded));
    reasons.extend(facts(record, now));
    reasons
}

fn excluded(conflict: Conflict) -> Reason {
    let Conflict { own, other, record_excludes } = conflict;
    let text = if record_excludes {
        format!("所求写明“{other}”，而这一项写明“{}”，两者相反", own.text)
    } else {
        format!("所求写明“{other}”，而这一项写有“{}”，两者相反", own.text)
    };
    Reason { quotes: vec![own], ..Reason::new(ReasonKind::Excluded, text) }
}

fn meaning(dense: &SourceScore) -> Reason {
    let contribution = dense.contribution;
    match dense.score {
        Some(cosine) if 0.0 < contribution => {
            let place = match dense.rank {
                0 => "未进语义候选".to_string(),
                rank => format!("在语义候选中列第 {rank}"),
            };
            let text = format!("语义相似度（余弦）{cosine:.2}，{place}，占得分 {contribution:.3}");
            Reason { contribution, ..Reason::new(ReasonKind::Meaning, text) }
        }
        Some(cosine) => Reason::new(ReasonKind::MeaningFar, format!("语义相似度（余弦）{cosine:.2}，过低，不占得分")),
        None => Reason::new(ReasonKind::MeaningFar, "语义不相近，不在候选之内，不占得分".to_string()),
    }
}

/// Names the achievement by its id, which is in the expert's record; its words belong to another record.
fn works(works: &Works) -> Reason {
    let SourceScore { score, rank, contribution } = works.score;
    let score = score.unwrap_or_default();
    let text = format!(
        "参与完成的成果 {} 与所求相符（得分 {score:.2}，列成果第 {rank}），占得分 {contribution:.3}",
        works.best
    );
    Reason { contribution, ..Reason::new(ReasonKind::Works, text) }
}

fn terms(found: &MatchHit) -> Reason {
    let contribution = found.sparse.contribution;
    let outermost = outermost(&found.terms);
    let first = |term: &&MatchedTerm| Quote::read(&found.record, *term.spans.first()?);
    let quotes: Vec<Quote> = outermost.iter().filter_map(first).collect();
    let text = if !quotes.is_empty() {
        let fields = fields(&found.terms);
        format!("有相同的词{}（{fields}），占得分 {contribution:.3}", named(&quotes, "个"))
    } else if 0.0 < contribution {
        format!("有相同的词，位置无法一一指出，占得分 {contribution:.3}")
    } else {
        return Reason::new(ReasonKind::NoTerms, "关键词未直接命中，仅凭语义".to_string());
    };
    Reason { contribution, quotes, ..Reason::new(ReasonKind::Terms, text) }
}

/// Terms that are not part of another term: 激光焊接 covers 激光 and 焊接.
fn outermost(terms: &[MatchedTerm]) -> Vec<&MatchedTerm> {
    let within = |one: &MatchedTerm, other: &MatchedTerm| {
        one.term.len() < other.term.len() && other.term.contains(one.term.as_str())
    };
    terms.iter().filter(|one| !terms.iter().any(|other| within(one, other))).collect()
}

/// Names of the fields that contain the terms.
fn fields(terms: &[MatchedTerm]) -> String {
    let (mut title, mut keywords, mut body) = (None, None, None);
    for span in terms.iter().flat_map(|term| &term.spans) {
        match span.field {
            TextField::Title => title = Some("题目"),
            TextField::Keyword(_) => keywords = Some("关键词"),
            TextField::Body => body = Some("正文"),
        }
    }
    [title, keywords, body].into_iter().flatten().collect::<Vec<_>>().join("、")
}

fn title(found: &MatchHit) -> Option<Reason> {
    let has_title = !matches!(found.record.detail, Detail::Expert(_));
    let in_title = |term: &MatchedTerm| term.spans.iter().any(|span| span.field == TextField::Title);
    let applies = has_title && !found.terms.is_empty() && !found.terms.iter().any(in_title);
    applies.then(|| Reason::new(ReasonKind::TitleWithoutTerms, "题目中没有相同的词".to_string()))
}

fn indicators(record: &Record, answers: &[IndicatorAnswer], outcome: AnswerOutcome) -> Option<Reason> {
    let asks = matches!(record.detail, Detail::Demand(_));
    let own = |answer: &IndicatorAnswer| if asks { Some(answer.asked.clone()) } else { answer.stated.clone() };
    let mut quotes: Vec<Quote> = Vec::new();
    for quote in answers.iter().filter(|answer| answer.outcome == outcome).filter_map(own) {
        // one achievement value can answer two indicators
        if !quotes.contains(&quote) && quotes.len() < MAX_QUOTES {
            quotes.push(quote);
        }
    }
    let words = named(&quotes, "项");
    let (kind, text) = match (outcome, asks) {
        (AnswerOutcome::Satisfied, false) => (ReasonKind::IndicatorsSatisfied, format!("所写{words}符合需求的指标")),
        (AnswerOutcome::Satisfied, true) => (ReasonKind::IndicatorsSatisfied, format!("所要求的{words}，成果符合")),
        (AnswerOutcome::Violated, false) => (ReasonKind::IndicatorsViolated, format!("所写{words}达不到需求的指标")),
        (AnswerOutcome::Violated, true) => (ReasonKind::IndicatorsViolated, format!("所要求的{words}，成果达不到")),
        (AnswerOutcome::NotStated, _) => return None,
    };
    (!quotes.is_empty()).then(|| Reason { quotes, ..Reason::new(kind, text) })
}

/// Reasons against from the record's fields.
fn facts(record: &Record, now: Timestamp) -> Vec<Reason> {
    let mut reasons = Vec::new();
    if let Detail::Achievement(achievement) = &record.detail
        && let Some(trl) = achievement.trl.filter(|trl| *trl <= LABORATORY_TRL)
    {
        let text = format!("技术成熟度为 {trl} 级（共 9 级），尚在实验室阶段");
        reasons.push(Reason::new(ReasonKind::EarlyStage, text));
    }
    if record.status != Status::Active {
        reasons.push(Reason::new(ReasonKind::NotActive, format!("状态为{}", record.status.label())));
    }
    if let Detail::Demand(demand) = &record.detail
        && let Some(deadline) = demand.deadline.filter(|deadline| *deadline < now)
    {
        let day = deadline.to_zoned(super::deal::beijing()).date();
        reasons.push(Reason::new(ReasonKind::DeadlinePassed, format!("截止日期 {day} 已过")));
    }
    reasons
}

/// The first words in quotation marks, with the total count if there are more.
fn named(quotes: &[Quote], unit: &str) -> String {
    let words: String = quotes.iter().take(MAX_NAMED).map(|quote| format!("“{}”", quote.text)).collect();
    if quotes.len() <= MAX_NAMED { words } else { format!("{words}等 {} {unit}", quotes.len()) }
}

// === impl Reason ===

impl Reason {
    fn new(kind: ReasonKind, text: String) -> Self {
        Self { kind, text, contribution: 0.0, quotes: Vec::new() }
    }
}

// === impl ReasonKind ===

impl ReasonKind {
    /// Returns whether this reason speaks against the match.
    pub fn is_against(self) -> bool {
        !matches!(self, Self::Meaning | Self::Terms | Self::Works | Self::IndicatorsSatisfied)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use duijie_core::domain::{Kind, hit::Span};

    fn found(dense: SourceScore, sparse: f64, terms: Vec<MatchedTerm>) -> MatchHit {
        let mut record = Record::new("", "a", "激光焊接工艺", Detail::empty(Kind::Achievement));
        record.body = "用于铝合金薄板，无气孔。".to_string();
        record.keywords = vec!["焊接".to_string()];
        let sparse = SourceScore { score: Some(1.0), rank: 1, contribution: sparse };
        MatchHit {
            record,
            rank: 1,
            score: dense.contribution + sparse.contribution,
            dense,
            sparse,
            works: None,
            terms,
            relevance: None,
        }
    }

    fn term(term: &str, field: TextField, start: usize) -> MatchedTerm {
        let end = start + term.chars().count();
        MatchedTerm { term: term.to_string(), weight: 1.0, spans: vec![Span { field, start, end }] }
    }

    fn near(contribution: f64) -> SourceScore {
        SourceScore { score: Some(0.875), rank: 2, contribution }
    }

    #[test]
    fn sentences_are_made_of_the_scores_and_the_records_words() {
        let check = |found: MatchHit, want: &[&str]| {
            let got = reasons(&found, &[], Vec::new(), Timestamp::UNIX_EPOCH);
            let texts: Vec<&str> = got.iter().map(|reason| reason.text.as_str()).collect();
            assert_eq!(texts, want);
            let sum: f64 = got.iter().map(|reason| reason.contribution).sum();
            assert!((sum - found.score).abs() < 1e-12);
        };
        let body = TextField::Body;
        check(
            found(near(0.5), 0.0, vec![]),
            &["语义相似度（余弦）0.88，在语义候选中列第 2，占得分 0.500", "关键词未直接命中，仅凭语义"],
        );
        check(
            found(near(0.1), 0.2, vec![term("激光焊接", TextField::Title, 0), term("焊接", TextField::Keyword(0), 0)]),
            &[
                "有相同的词“激光焊接”（题目、关键词），占得分 0.200",
                "语义相似度（余弦）0.88，在语义候选中列第 2，占得分 0.100",
            ],
        );
        let four = [("用于", 0), ("铝合金", 2), ("薄板", 5), ("气孔", 9)].map(|(word, start)| term(word, body, start));
        check(
            found(SourceScore::default(), 0.2, four.to_vec()),
            &[
                "有相同的词“用于”“铝合金”“薄板”等 4 个（正文），占得分 0.200",
                "语义不相近，不在候选之内，不占得分",
                "题目中没有相同的词",
            ],
        );
        check(
            found(SourceScore { rank: 0, ..near(0.0) }, 0.2, vec![]),
            &["有相同的词，位置无法一一指出，占得分 0.200", "语义相似度（余弦）0.88，过低，不占得分"],
        );
        check(
            found(SourceScore { rank: 0, ..near(0.3) }, 0.0, vec![]),
            &["语义相似度（余弦）0.88，未进语义候选，占得分 0.300", "关键词未直接命中，仅凭语义"],
        );
    }

    #[test]
    fn a_place_that_is_not_there_is_not_quoted() {
        let MatchHit { record, .. } = found(near(0.1), 0.0, vec![]);
        let read = |field, start, end| Quote::read(&record, Span { field, start, end }).map(|quote| quote.text);
        assert_eq!(read(TextField::Title, 4, 6), Some("工艺".to_string()));
        assert_eq!(read(TextField::Title, 4, 7), None);
        assert_eq!(read(TextField::Title, 5, 4), None);
        assert_eq!(read(TextField::Title, 6, 6), None);
        assert_eq!(read(TextField::Keyword(1), 0, 1), None);
    }

    #[test]
    fn facts_speak_against() {
        let check = |change: fn(&mut Record), want: &[&str]| {
            let MatchHit { mut record, .. } = found(near(0.1), 0.0, vec![]);
            change(&mut record);
            let got: Vec<String> =
                facts(&record, "2026-03-01T00:00:00Z".parse().unwrap()).into_iter().map(|reason| reason.text).collect();
            assert_eq!(got, want);
        };
        fn trl(record: &mut Record, trl: u8) {
            if let Detail::Achievement(achievement) = &mut record.detail {
                achievement.trl = Some(trl);
            }
        }
        fn deadline(record: &mut Record, deadline: &str) {
            let deadline = Some(deadline.parse().unwrap());
            record.detail = Detail::Demand(duijie_core::domain::record::Demand { deadline, ..Default::default() });
        }
        check(|_| (), &[]);
        check(|record| trl(record, 5), &[]);
        check(|record| trl(record, 4), &["技术成熟度为 4 级（共 9 级），尚在实验室阶段"]);
        check(|record| record.status = Status::Withdrawn, &["状态为已撤回"]);
        // the day is in Beijing time
        check(|record| deadline(record, "2026-02-27T16:00:00Z"), &["截止日期 2026-02-28 已过"]);
        check(|record| deadline(record, "2026-03-01T00:00:01Z"), &[]);
    }
}
