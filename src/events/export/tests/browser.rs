//! The printed pages in a real browser: number of pages, and no overflow.
//!
//! Chromium is found through `CHROME_BIN` or on the path. Without it only the structure of the pages is checked. With
//! `REQUIRE_BROWSER=1`, as in CI, a missing browser is a failure.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use super::fixture::Fixture;
use crate::events::export::{Format, export};

/// Appended for the test only: reports the height of each page and elements wider than their place.
const MEASURE: &str = "<script>
const wide = [...document.querySelectorAll('section *')].filter(e => getComputedStyle(e).display != 'inline')
  .filter(e => e.clientWidth > 0 && e.scrollWidth > e.clientWidth + 1);
const outside = [...document.querySelectorAll('section')].flatMap(s => [...s.querySelectorAll('*')]
  .filter(e => e.getBoundingClientRect().right > s.getBoundingClientRect().right + 1));
const heights = [...document.querySelectorAll('section')].map(s => {
  s.style.minHeight = '0'; return Math.round(s.getBoundingClientRect().height); });
const fonts = getComputedStyle(document.body).fontFamily;
document.title = JSON.stringify({wide: wide.map(e => e.outerHTML), outside: outside.length, heights, fonts});
</script>";
/// Height of A4 in CSS pixels.
const A4_HEIGHT: u64 = 1123;

fn html(fixture: &Fixture) -> String {
    String::from_utf8(export(&fixture.report(), Format::Html, None).unwrap()).unwrap()
}

fn organisations(fixture: &Fixture) -> usize {
    let with_meeting =
        fixture.participants.iter().filter(|it| fixture.plan.meetings.iter().any(|one| one.pair.has(&it.record)));
    let mut names: Vec<&str> = with_meeting.map(|it| it.organisation_name()).collect();
    names.sort_unstable();
    names.dedup();
    names.len()
}

/// Returns the browser; prints a line if there is none.
fn browser() -> Option<PathBuf> {
    let named = std::env::var_os("CHROME_BIN").map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let names = ["chromium", "chromium-browser", "google-chrome", "chrome"];
    let on_path = std::env::split_paths(&path).flat_map(|folder| names.map(|name| folder.join(name)));
    let found = named.into_iter().chain(on_path).find(|candidate| candidate.is_file());
    if found.is_none() {
        let is_required = std::env::var_os("REQUIRE_BROWSER").is_some_and(|value| value == "1");
        assert!(!is_required, "REQUIRE_BROWSER=1, but there is no Chromium");
        eprintln!("未找到 Chromium（CHROME_BIN 或 PATH）：打印页未在浏览器中检查");
    }
    found
}

/// Runs the browser until it has done its work.
fn run(browser: &Path, folder: &Path, arguments: &[String]) -> Vec<u8> {
    let profile = tempfile::tempdir_in(folder).unwrap();
    let output = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .args(["--disable-dev-shm-usage", "--host-resolver-rules=MAP * ~NOTFOUND", "--window-size=900,1300"])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .args(arguments)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}: {}", browser.display(), output.status);
    output.stdout
}

/// Pages of a PDF: its page objects.
fn pages(pdf: &[u8]) -> usize {
    let text = String::from_utf8_lossy(pdf);
    let after = text.split("/Type /Page").skip(1);
    after.filter(|rest| !rest.starts_with('s')).count()
}

fn print(browser: &Path, html: &str) -> usize {
    let folder = tempfile::tempdir().unwrap();
    let (page, pdf) = (folder.path().join("page.html"), folder.path().join("page.pdf"));
    std::fs::write(&page, html).unwrap();
    let to = format!("--print-to-pdf={}", pdf.display());
    let url = format!("file://{}", page.display());
    run(browser, folder.path(), &["--no-pdf-header-footer".to_string(), to, url]);
    pages(&std::fs::read(pdf).unwrap())
}

fn measure(browser: &Path, html: &str) -> serde_json::Value {
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("page.html");
    std::fs::write(&page, html.replace("</body>", &format!("{MEASURE}</body>"))).unwrap();
    let dom = run(browser, folder.path(), &["--dump-dom".to_string(), format!("file://{}", page.display())]);
    let dom = String::from_utf8(dom).unwrap();
    let title = dom.split("<title>").nth(1).and_then(|rest| rest.split("</title>").next()).unwrap();
    let title = title.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    serde_json::from_str(&title).unwrap()
}

#[test]
fn one_page_for_each_organisation() {
    let fixture = Fixture::new(9, 5);
    let html = html(&fixture);
    assert_eq!(html.matches("<section").count(), organisations(&fixture));
    let Some(browser) = browser() else { return };
    assert_eq!(print(&browser, &html), organisations(&fixture));
    let measured = measure(&browser, &html);
    assert_eq!(measured["wide"], serde_json::json!([]));
    assert_eq!(measured["outside"], 0);
    let heights = measured["heights"].as_array().unwrap();
    assert_eq!(heights.len(), organisations(&fixture));
    assert!(heights.iter().all(|height| height.as_u64().unwrap() <= A4_HEIGHT), "{heights:?}");
}

#[test]
fn sixteen_meetings_fit_on_a_page() {
    let fixture = Fixture::new(1, 16);
    let Some(browser) = browser() else { return };
    let html = html(&fixture);
    assert_eq!(print(&browser, &html), organisations(&fixture));
    assert_eq!(measure(&browser, &html)["wide"], serde_json::json!([]));
}

#[test]
fn more_than_fit_go_on_on_the_next_page() {
    // One organisation presents all: 60 meetings, its page goes over; the others have one page each.
    let mut fixture = Fixture::new(5, 12);
    for participant in fixture.participants.iter_mut().filter(|it| it.asks()) {
        participant.organisation.iter_mut().for_each(|it| it.name = "一家很忙的单位".to_string());
    }
    let Some(browser) = browser() else { return };
    let html = html(&fixture);
    let pages = print(&browser, &html);
    assert!((organisations(&fixture) + 1..organisations(&fixture) * 3).contains(&pages), "{pages} pages");
    assert_eq!(measure(&browser, &html)["outside"], 0);
}

#[test]
fn nothing_is_fetched_and_nothing_runs() {
    let mut fixture = Fixture::new(3, 2);
    fixture.event.title = "</style><script>alert(1)</script>&\u{7}".to_string();
    let html = html(&fixture);
    for part in ["<script", "http:", "https:", "src=", "href=", "@import", "url(", "\u{7}"] {
        assert!(!html.contains(part), "{part}");
    }
    assert!(html.contains("&lt;script&gt;") && html.contains("lang=\"zh-CN\"") && html.contains("@page"));
    assert!(html.contains("&lt;b&gt;吨水电耗&lt;/b&gt;"));
}
