//! The file of ranking features for each graded pair: the training data for calibration.

use std::fmt::Write as _;

use crate::rank::Graded;

/// Columns, in order, separated by tabs.
pub(crate) const COLUMNS: [&str; 11] = [
    "demand_id",
    "achievement_id",
    "level",
    "score",
    "base",
    "cosine",
    "cosine_feedback",
    "bm25",
    "context",
    "best",
    "rank",
];

/// One graded pair.
#[derive(Debug, Clone, PartialEq)]
pub struct Features {
    /// The demand.
    pub demand: String,
    /// The achievement.
    pub achievement: String,
    /// Human grade, 1 to 4.
    pub level: u8,
    /// Final score, 0 to 1.
    pub score: f64,
    /// First-pass score, 0 to 1.
    pub base: f64,
    /// First-pass cosine, -1 to 1.
    pub cosine: f64,
    /// Cosine after feedback, -1 to 1.
    pub cosine_feedback: f64,
    /// BM25 score; 0 if no term matches.
    pub bm25: f64,
    /// Mean score of the feedback records; one value per demand.
    pub context: f64,
    /// Best first-pass score; one value per demand.
    pub best: f64,
    /// Rank in the whole order, from 1.
    pub rank: usize,
}

// === impl Features ===

impl Features {
    /// Returns the inputs of the level fit, and the human grade.
    pub fn graded(&self) -> Graded {
        Graded { score: self.score, context: self.context, level: self.level }
    }
}

/// Writes the file.
pub fn write(rows: &[Features]) -> String {
    let mut text = COLUMNS.join("\t") + "\n";
    for row in rows {
        let Features { demand, achievement, level, score, base, cosine, cosine_feedback, bm25, context, best, rank } =
            row;
        // writing to a string cannot fail
        let _ = writeln!(
            text,
            "{demand}\t{achievement}\t{level}\t{score:.9}\t{base:.9}\t{cosine:.9}\t{cosine_feedback:.9}\t{bm25:.9}\t\
             {context:.9}\t{best:.9}\t{rank}"
        );
    }
    text
}

/// Reads the file.
///
/// # Errors
/// A sentence naming the unreadable line.
pub fn read(text: &str) -> Result<Vec<Features>, String> {
    let mut lines = text.lines().zip(1..);
    let heading = lines.next().map(|(line, _)| line).unwrap_or_default();
    if heading.split('\t').ne(COLUMNS) {
        return Err("第 1 行不是特征文件的表头，请用 duijie eval --features 生成".to_string());
    }
    let rows = lines.filter(|(line, _)| !line.trim().is_empty());
    let rows = rows.map(|(line, number)| row(line).ok_or_else(|| format!("第 {number} 行有误，请重新生成特征文件")));
    let rows: Vec<Features> = rows.collect::<Result<_, _>>()?;
    if rows.is_empty() { Err("特征文件中没有判分".to_string()) } else { Ok(rows) }
}

fn row(line: &str) -> Option<Features> {
    let cells: Vec<&str> = line.split('\t').collect();
    let &[demand, achievement, level, score, base, cosine, cosine_feedback, bm25, context, best, rank] =
        cells.as_slice()
    else {
        return None;
    };
    let number = |cell: &str| cell.parse::<f64>().ok().filter(|number| number.is_finite());
    Some(Features {
        demand: demand.to_string(),
        achievement: achievement.to_string(),
        level: level.parse().ok().filter(|level| (1..=4).contains(level))?,
        score: number(score)?,
        base: number(base)?,
        cosine: number(cosine)?,
        cosine_feedback: number(cosine_feedback)?,
        bm25: number(bm25)?,
        context: number(context)?,
        best: number(best)?,
        rank: rank.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_as_it_was_written_and_mistakes_are_told() {
        let row = Features {
            demand: "d1".into(),
            achievement: "a1".into(),
            level: 3,
            score: 0.5,
            base: 0.25,
            cosine: -0.125,
            cosine_feedback: 0.75,
            bm25: 33.5,
            context: 0.375,
            best: 0.625,
            rank: 7,
        };
        let text = write(&[row.clone(), row.clone()]);
        assert_eq!(read(&text).unwrap(), [row.clone(), row]);
        for (from, to, want) in [
            ("demand_id", "id", "第 1 行"),
            ("\t3\t", "\t5\t", "第 2 行"),
            ("0.500000000", "NaN", "第 2 行"),
            ("\t7", "", "第 2 行"),
        ] {
            assert!(read(&text.replacen(from, to, 1)).unwrap_err().contains(want), "{from} → {to}");
        }
        assert!(read(&write(&[])).unwrap_err().contains("没有判分"));
    }
}
