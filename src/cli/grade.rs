//! Grades as users type and read them.

use anyhow::anyhow;

use duijie_core::domain::hit::Level;

/// Parses a grade's label.
pub fn grade(label: &str) -> anyhow::Result<i32> {
    let found = Level::ALL.into_iter().find(|level| level.label() == label);
    found.map(|level| level.number().into()).ok_or_else(|| anyhow!("不认识的级别“{label}”，应为强、较强、弱或无"))
}

/// Label of a grade; empty if not known.
pub fn grade_label(grade: i32) -> &'static str {
    Level::from_number(grade).map_or("", Level::label)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::convert::{grade_in, grade_out};
    use duijie_core::domain::Violations;
    use duijie_proto as pb;

    #[test]
    fn a_grade_has_one_number_everywhere() {
        let wire = [pb::Grade::None, pb::Grade::Weak, pb::Grade::Fair, pb::Grade::Strong];
        for ((number, label), (level, wire)) in
            (1..).zip(["无", "弱", "较强", "强"]).zip(Level::ALL.into_iter().zip(wire))
        {
            let mut found = Violations::default();
            assert_eq!((i32::from(level.number()), level.label()), (number, label));
            assert_eq!((wire as i32, grade_out(Some(level))), (number, number));
            assert_eq!((grade_in(number, "", &mut found), Level::from_number(number)), (Some(level), Some(level)));
            assert_eq!((grade(label).unwrap(), grade_label(number)), (number, label));
        }
        assert_eq!((grade_out(None), grade_label(0), grade_label(5)), (0, "", ""));
        assert!(grade("很强").is_err());
    }
}
