//! Invalid files: each is refused with line and reason.

use proptest::prelude::*;

use super::*;

/// Replaces `from` by `to` in the shipped file; the first mistake must be in the line of `to` and contain `want`.
fn check(from: &str, to: &str, want: &str) {
    let text = changed(from, to);
    let mistakes = Policy::parse("x.toml", &text).unwrap_err();
    let mistake = &mistakes[0];
    assert!(mistake.reason.contains(want), "{to}: {mistake}");
    let first = to.lines().find(|line| !line.trim().is_empty()).unwrap();
    let line = text.lines().position(|line| line.contains(first)).unwrap() + 1;
    assert_eq!(mistake.line, line, "{to}: {mistake}");
}

#[test]
fn fields() {
    check("issuer = ", "issuers = ", "不认识字段 issuers，这里可以写：format、id、version");
    check("cap_yuan = 1_000_000", "cap_yuan = \"100万\"", "应为整数");
    check("cap_yuan = 1_000_000", "cap_yuan = 1e6", "应为整数");
    check("cap_yuan = 1_000_000", "cap_yuan = 100万", "不是有效的 TOML");
    check("title = \"河北", "title = \"\" #", "title 不能为空");
    check("format = 1", "format = 2", "format 只能是 1");
    check("id = \"hebei-2021-9\"", "id = \"河北\"", "id 只能用");
    check("combine = \"highest\"", "combine = \"max\"", "combine 只能是");
    check("combine = \"highest\"", "combine = \"sum\"", "必须写 total_cap_yuan");
    check("combine = \"highest\"", "total_cap_yuan = 5\ncombine = \"highest\"", "不能写 total_cap_yuan");
    check("plan_years = [2021, 2025]", "plan_years = [2025, 2021]", "plan_years 应写成");
    check("plan_years = [2021, 2025]", "from = 2021-07-01T08:00:00", "不带时间");
    check("plan_years = [2021, 2025]", "from = 2021-02-30", "不是有效的 TOML");
    check("plan_years = [2021, 2025]", "to = 2020-01-01\nfrom = 2021-01-01", "早于首日");
}

#[test]
fn a_missing_field_is_named() {
    let mistakes = Policy::parse("x.toml", &changed("version = ", "# version = ")).unwrap_err();
    assert_eq!(mistakes[0].reason, "缺少字段 version");
    let mistakes = Policy::parse("x.toml", "").unwrap_err();
    assert_eq!(mistakes[0].to_string(), "x.toml 第 1 行：缺少字段 format");
}

#[test]
fn codes_and_names() {
    check("regions = [\"130000\"]", "regions = [\"990000\"]", "990000 不是 GB/T 2260 的地区代码");
    check("regions = [\"130000\"]", "regions = [\"河北\"]", "河北 不是");
    check("regions = [\"130000\"]", "regions = [\"13\", \"130000\"]", "重复");
    check("regions = [\"130000\"]", "regions = []", "买方地区不能为空");
    check("kinds = [\"企业\"]", "kinds = [\"公司\"]", "可以写：大专院校、独立科研机构、企业、其他");
    check("code = \"FIRST_MILLION\"", "code = \"first\"", "问题代码只能用大写字母");
    check("code = \"FIRST_MILLION\"", "code = \"PRICE\"", "由程序自己使用");
    check("code = \"EXACTLY_ONE_MILLION\"", "code = \"FIRST_MILLION\" # again", "重复");
    check("schemes = [\"general\"]", "schemes = [\"all\"]", "没有编号为 all 的方案");
    check("\notherwise = \"without_lower_bands\"", "\notherwise = \"no\"", "otherwise 只能是");
    check("id = \"jing-jin\"", "id = \"general\" # again", "方案编号 general 重复");
}

#[test]
fn bands() {
    check("below_yuan = 1_000_000", "below_yuan = 500_000", "below_yuan 必须大于 from_yuan");
    check(
        "from_yuan = 1_000_000 ",
        "from_yuan = 999_999 ",
        "区间重叠：前一个区间到 1000000 元为止，这里从 999999 元开始",
    );
    check("from_yuan = 1_000_000 ", "from_yuan = 1_000_001 ", "区间之间有空档");
    check("from_yuan = 500_000", "from_yuan = -1", "from_yuan 应为 0 到");
    check("rate_basis_points = 500 ", "rate_basis_points = 10_001 ", "0 到 10000");
    check("rate_basis_points = 500 ", "rate_basis_points = -1 ", "0 到 10000");
    check("rate_basis_points = 500 ", "rate_basis_points = 0.05 ", "应为整数");
    check("lower_bands = \"kept\"", "lower_bands = \"yes\"", "lower_bands 只能是");
    check("base = \"whole\"", "base = \"all\"", "base 只能是");
    check("base = \"whole\"", "base = \"excess\" #", "必须写 lower_bands");
    check("base = \"whole\"", "lower_bands = \"kept\" # x\nbase = \"whole\"", "不能写 lower_bands");
    check("cap_yuan = 1_000_000", "cap_yuan = 0", "cap_yuan 应为 1 到");
    let open_ended = changed("below_yuan = 1_000_000\n", "");
    let mistakes = Policy::parse("x.toml", &open_ended).unwrap_err();
    assert!(mistakes[0].reason.contains("没有上限"), "{}", mistakes[0]);
}

#[test]
fn the_edges_of_rates_are_allowed() {
    for rate in [0, 10_000] {
        let text = changed("rate_basis_points = 500 ", &format!("rate_basis_points = {rate} "));
        assert!(Policy::parse("x.toml", &text).is_ok(), "{rate}");
    }
}

#[test]
fn all_mistakes_at_once() {
    let text = HEBEI.replace("1_000_000", "0").replace("[\"130000\"]", "[\"xx\"]");
    let mistakes = Policy::parse("x.toml", &text).unwrap_err();
    assert!(4 <= mistakes.len(), "{mistakes:?}");
    assert!(mistakes.iter().all(|mistake| mistake.file == "x.toml" && 0 < mistake.line));
}

#[test]
fn numbers_of_parts_are_limited() {
    let band = "[[scheme.band]]\nfrom_yuan = 0\nbelow_yuan = 1\nrate_basis_points = 1\nbase = \"whole\"\n";
    let text = format!("{HEBEI}\n");
    let many_schemes = (0..9).fold(text.clone(), |text, index| {
        format!("{text}[[scheme]]\nid = \"s{index}\"\ntitle = \"t\"\nseller_regions = []\ncap_yuan = 1\n{band}")
    });
    let refused = |text: &str, want: &str| {
        let mistakes = Policy::parse("x.toml", text).unwrap_err();
        assert!(mistakes.iter().any(|mistake| mistake.reason.contains(want)), "{mistakes:?}");
    };
    refused(&many_schemes, "至多 8 个");
    let many_questions =
        (0..33).fold(text.clone(), |text, index| format!("{text}[[question]]\ncode = \"Q{index}\"\ntext = \"t\"\n"));
    refused(&many_questions, "至多 32 个");
    refused(&changed("seller_regions = []", &format!("seller_regions = [{}]", "\"11\",".repeat(41))), "地区至多 40 个");
}

proptest! {
    #[test]
    fn no_text_panics(text in ".{0,400}") {
        let _ = Policy::parse("x.toml", &text);
    }

    #[test]
    fn no_damaged_file_panics(place in 0..HEBEI.len(), length in 0..40_usize, with in "[0-9a-z\"\\[\\]= \n.-]{0,6}") {
        let start = (0..=place).rev().find(|byte| HEBEI.is_char_boundary(*byte)).unwrap();
        let end = ((start + length).min(HEBEI.len())..=HEBEI.len()).find(|byte| HEBEI.is_char_boundary(*byte)).unwrap();
        let text = format!("{}{with}{}", &HEBEI[..start], &HEBEI[end..]);
        if let Ok(policy) = Policy::parse("x.toml", &text) {
            let _ = policy.note(&Deal::default());
        }
    }
}
