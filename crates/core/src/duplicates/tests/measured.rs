//! Measurements behind the thresholds, on the samples and on copies of them.

use super::{content::RecordTexts, shingle::jaccard, *};

fn contents() -> Vec<RecordTexts> {
    samples().iter().map(|(title, body)| RecordTexts::new(&achievement("a", title, body))).collect()
}

#[test]
fn samples_are_far_from_each_other() {
    let contents = contents();
    let mut highest: (f64, f64) = (0.0, 0.0);
    for (index, one) in contents.iter().enumerate() {
        for other in &contents[..index] {
            highest.0 = highest.0.max(jaccard(&one.shingles, &other.shingles));
            highest.1 = highest.1.max(jaccard(&one.title.pairs, &other.title.pairs));
        }
    }
    println!("texts {:.3}, titles {:.3}", highest.0, highest.1);
    assert!(highest.0 < 0.2 && highest.1 < limits::TITLE_NEAR, "{highest:?}");
    let records: Vec<Record> = samples()
        .iter()
        .enumerate()
        .map(|(id, (title, body))| owned(&format!("{id:03}"), "甲公司", title, body))
        .collect();
    assert_eq!(ids(&search(&records)), Vec::<Vec<&str>>::new());
}

/// A copy with one character in `every` replaced.
fn edited(text: &str, every: usize, dice: &mut Dice) -> String {
    let replace = |character: char, dice: &mut Dice| {
        // digits stay: another rule covers them
        let keeps = character.is_ascii() || dice.below(every) != 0;
        if keeps { character } else { char::from_u32(0x4E00 + dice.below(8_000) as u32).unwrap() }
    };
    text.chars().map(|character| replace(character, dice)).collect()
}

/// Minimum, mean and maximum Jaccard of sample bodies with their edited copies, and how many are found.
fn copies(every: usize) -> (f64, f64, f64, usize) {
    let mut dice = Dice(every as u64);
    let mut measures = Vec::new();
    let mut records = Vec::new();
    for (id, (title, body)) in samples().iter().enumerate() {
        let one = achievement(&format!("{id:03}"), title, body);
        let copy = achievement(&format!("{id:03}-copy"), title, &edited(body, every, &mut dice));
        measures.push(jaccard(&RecordTexts::new(&one).shingles, &RecordTexts::new(&copy).shingles));
        records.extend([one, copy]);
    }
    let report = search(&records);
    assert!(report.groups.iter().all(|group| group.members.len() == 2), "copies of other records are not joined");
    measures.sort_by(f64::total_cmp);
    let mean = measures.iter().sum::<f64>() / measures.len() as f64;
    (measures[0], mean, measures[measures.len() - 1], report.groups.len())
}

#[test]
fn edited_copies_are_found() {
    for (every, min_found) in [(200, 320), (100, 315), (50, 0), (30, 0), (15, 0)] {
        let (min, mean, highest, found) = copies(every);
        println!("one in {every}: {min:.2} {mean:.2} {highest:.2}, {found} of 320 found");
        assert!(min_found <= found, "one in {every}: {found}");
    }
}

#[test]
fn reordered_copies_are_found() {
    let mut records = Vec::new();
    for (id, (title, body)) in samples().iter().enumerate() {
        let mut sentences: Vec<&str> = content::split(body).collect();
        sentences.reverse();
        records.push(achievement(&format!("{id:03}"), title, body));
        records.push(achievement(&format!("{id:03}-copy"), title, &sentences.join("。")));
    }
    assert_eq!(search(&records).groups.len(), 320);
}

#[test]
fn estimates_are_near_the_truth() {
    let mut dice = Dice(7);
    let mut errors = Vec::new();
    for (title, body) in samples() {
        let one = achievement("a", &title, &body);
        let copy = achievement("b", &title, &edited(&body, 40, &mut dice));
        let (left, right) = (Signed::new(&one), Signed::new(&copy));
        let truth = jaccard(&RecordTexts::new(&one).shingles, &RecordTexts::new(&copy).shingles);
        errors.push(sketch::estimate(&left.text, &right.text) - truth);
    }
    let count = errors.len() as f64;
    let bias = errors.iter().sum::<f64>() / count;
    let deviation = (errors.iter().map(|error| error * error).sum::<f64>() / count).sqrt();
    println!("bias {bias:.4}, deviation {deviation:.4}");
    assert!(bias.abs() < 0.01 && deviation < 0.05, "{bias} {deviation}");
}
