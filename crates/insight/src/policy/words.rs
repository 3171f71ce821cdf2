//! Chinese sentences for notes.

use super::award::{Award, Total};
use duijie_core::domain::gb;

/// `1500000` as `1,500,000`.
pub(super) fn yuan(amount: i64) -> String {
    let digits = amount.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3 + 1);
    for (index, digit) in digits.chars().enumerate() {
        if 0 < index && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Basis points as a percentage: `1000` as `10%`, `125` as `1.25%`.
pub(super) fn percent(basis_points: i64) -> String {
    let (whole, part) = (basis_points / 100, basis_points % 100);
    match (part, part % 10) {
        (0, _) => format!("{whole}%"),
        (_, 0) => format!("{whole}.{}%", part / 10),
        _ => format!("{whole}.{part:02}%"),
    }
}

/// Names of regions, with the code if the name is less precise.
pub(super) fn regions(codes: &[String]) -> String {
    let name = |code: &String| {
        // a county's label is that of its city or province, so the code is more precise
        let label = gb::region_label(code);
        let shown = gb::region_by_name(&label).as_deref() == Some(code.as_str());
        if shown { label } else { format!("{label}（{code}）") }
    };
    codes.iter().map(name).collect::<Vec<_>>().join("、")
}

/// Price range; `None` means open-ended.
pub(super) fn price_range(from_yuan: i64, below_yuan: Option<i64>) -> String {
    match below_yuan {
        Some(below) if below == from_yuan + 1 => format!("交易额正好 {} 元", yuan(from_yuan)),
        Some(below) => format!("交易额在 {} 元以上、不足 {} 元", yuan(from_yuan), yuan(below)),
        None => format!("交易额在 {} 元以上", yuan(from_yuan)),
    }
}

/// Calculation as a sentence.
pub(super) fn basis(total: &Total, price_yuan: i64) -> String {
    let awards: Vec<String> = total.awards.iter().map(award).collect();
    let sum: i64 = total.awards.iter().map(|award| award.yuan).sum();
    let capped = if total.yuan < sum { format!("，合计以 {} 元封顶", yuan(total.yuan)) } else { String::new() };
    format!("交易额 {} 元：{}{capped}。", yuan(price_yuan), awards.join("；"))
}

fn award(award: &Award) -> String {
    let steps: Vec<String> = award
        .steps
        .iter()
        .map(|step| format!("{} 元 × {}", yuan(step.part_yuan), percent(step.rate_basis_points)))
        .collect();
    let capped =
        if award.yuan < award.sum_yuan { format!("，封顶 {} 元", yuan(award.yuan)) } else { String::new() };
    format!("按“{}”，{} = {} 元{capped}", award.title, steps.join(" + "), yuan(award.sum_yuan))
}
