//! Exports show contacts only if both sides of the meeting consent, and never show notes or presenters.

use std::io::{Cursor, Read};

use super::fixture::Fixture;
use crate::events::{
    export::{Format, export},
    model::Consent,
};
use duijie_core::domain::Code;

/// Returns all text of an export; archives are opened.
fn text(fixture: &Fixture, format: Format) -> String {
    let bytes = export(&fixture.report(), format, None).unwrap();
    if !matches!(format, Format::Xlsx | Format::IcsZip) {
        return String::from_utf8(bytes).unwrap().replace("\r\n ", "");
    }
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut all = String::new();
    for at in 0..archive.len() {
        archive.by_index(at).unwrap().read_to_string(&mut all).unwrap();
    }
    all.replace("\r\n ", "")
}

fn all() -> impl Iterator<Item = Format> {
    Format::TABLE.iter().map(|(format, _)| *format)
}

#[test]
fn nothing_leaks_before_both_agree() {
    let consents = [(false, false), (true, false), (false, true)];
    for (demand, counterpart) in consents {
        let mut fixture = Fixture::new(4, 3);
        for at in 0..fixture.plan.meetings.len() {
            fixture.outcome(at, Consent { demand, counterpart }, None);
        }
        for format in all() {
            let text = text(&fixture, format);
            let phones = fixture.participants.iter().map(|it| it.contact.phone.as_str());
            for secret in phones.chain(["真名", "secret", "隐名", "内部备注"]) {
                assert!(!text.contains(secret), "{secret} in {format:?}");
            }
        }
    }
}

#[test]
fn who_agreed_is_shown_and_nobody_else() {
    let mut fixture = Fixture::new(4, 3);
    fixture.outcome(0, Consent { demand: true, counterpart: true }, None);
    let pair = fixture.plan.meetings[0].pair.clone();
    let contact = |record: &duijie_core::domain::RecordName| {
        fixture.participants.iter().find(|it| it.record == *record).map(|it| it.contact.email.clone()).unwrap()
    };
    let shown = [contact(&pair.demand), contact(&pair.counterpart)];
    for format in all() {
        let text = text(&fixture, format);
        for email in &shown {
            assert!(text.contains(email.as_str()), "{email} is not in {format:?}");
        }
        for participant in fixture.participants.iter().filter(|it| !shown.contains(&it.contact.email)) {
            let hidden = &participant.contact;
            assert!(!text.contains(&hidden.email) && !text.contains(&hidden.phone), "{format:?}");
        }
        assert!(!text.contains("隐名") && !text.contains("内部备注"), "{format:?}");
    }
}

#[test]
fn one_who_agreed_with_one_stays_masked_for_the_others() {
    let mut fixture = Fixture::new(4, 3);
    let first = fixture.plan.meetings[0].pair.demand.clone();
    fixture.outcome(0, Consent { demand: true, counterpart: true }, None);
    let csv = text(&fixture, Format::Csv);
    let rows = csv.lines().filter(|row| row.contains(&first.to_string()));
    let shown: Vec<bool> = rows.map(|row| row.contains("secret")).collect();
    assert_eq!((shown.len(), shown.iter().filter(|shown| **shown).count()), (3, 1));
}

#[test]
fn masked_contacts_are_there() {
    let text = text(&Fixture::new(2, 2), Format::Html);
    for masked in ["赵**", "138****4567", "s***@example.cn"] {
        assert!(text.contains(masked), "{masked}");
    }
}

#[test]
fn the_same_report_gives_the_same_bytes() {
    let fixture = Fixture::eventful();
    for format in all() {
        let once = export(&fixture.report(), format, None).unwrap();
        assert!(once == export(&fixture.report(), format, None).unwrap(), "{format:?}");
    }
}
