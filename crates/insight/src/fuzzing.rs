//! Properties of texts and policy files from outside, for `fuzz/` and for tests.

use crate::{indicators, policy::Policies};

/// Indicators stand where they say, with finite values; each one that a demand states is answered.
pub fn indicators(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (demand, achievement) = text.split_once('\n').unwrap_or((&text, ""));
    let read = [demand, achievement].map(|text| {
        let found = indicators::parse(text);
        for indicator in &found {
            assert!(text.get(indicator.span.bytes.clone()).is_some(), "{indicator:?} of {text:?}");
        }
        found
    });
    let claimed = read[0].iter().filter(|it| it.standing == indicators::Standing::Claimed).count();
    assert_eq!(indicators::compare(&read[0], &read[1]).len(), claimed, "{text:?}");
}

/// A policy file is read or refused with a sentence.
pub fn policies(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Err(error) = Policies::parse([("any.toml", text.as_ref())]) {
        assert!(!error.to_string().is_empty());
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn any_text_has_indicators_or_none() {
        duijie_hostile::check("indicators", super::indicators);
    }

    #[test]
    fn any_policy_file_is_read_or_refused() {
        duijie_hostile::check("policies", super::policies);
    }
}
