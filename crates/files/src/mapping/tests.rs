//! Tests of mapping files.

use serde_json::json;

use super::*;

fn mistakes(text: &str) -> Vec<String> {
    match text.parse::<Mapping>() {
        Err(MappingError::Mistakes(mistakes)) => mistakes,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_mapping_is_read() {
    let mapping: Mapping = r#"
        kind = "demands"
        source = "tangshan"
        [columns]
        "我们的题目" = "title"
        "经费" = "budget_yuan(万元)"
        "说明" = "content"
        "备注" = "ignore"
        [values.status]
        "上架" = "active"
        [values.cooperation_modes]
        "共建" = "合作开发"
    "#
    .parse()
    .unwrap();
    assert_eq!((mapping.kind, mapping.source.as_deref()), (Some(Kind::Demand), Some("tangshan")));
    let field = |heading: &str| mapping.find(heading).map(|target| target.map(|target| target.field));
    assert_eq!(field(" 我们的题目 "), Some(Some(Field::Title)));
    assert_eq!(field("说明"), Some(Some(Field::Body)));
    assert_eq!(field("备注"), Some(None));
    assert_eq!(field("其他"), None);
    assert_eq!(mapping.find("经费").flatten().map(|target| target.unit_power), Some(4));
    let replaced = |field: Field, cell: Cell| mapping.replaced(field, &cell);
    assert_eq!(replaced(Field::Status, Cell::Text(" 上架 ".into())), Cell::Text("active".into()));
    assert_eq!(replaced(Field::Status, Cell::Text("下架".into())), Cell::Text("下架".into()));
    assert_eq!(
        replaced(Field::CooperationModes, Cell::Text("共建、技术服务".into())),
        Cell::Text("合作开发；技术服务".into())
    );
    let list = Cell::Json(json!(["共建", 1]));
    assert_eq!(replaced(Field::CooperationModes, list), Cell::Json(json!(["合作开发", 1])));
    assert_eq!("".parse::<Mapping>().unwrap(), Mapping::default());
}

#[test]
fn all_mistakes_at_once() {
    let found = mistakes(
        r#"
        kind = "需要"
        source = "Tang Shan"
        colums = 1
        [columns]
        "题目" = "titel"
        "题 目" = "title"
        "题目 " = "body"
        "数" = 5
        [values.status]
        "上架" = "actve"
        "下架" = 1
        [values.title]
        "a" = "b"
    "#,
    );
    let parts = ["kind", "source", "colums", "titel", "两次", "\"数\"", "actve", "\"下架\"", "values.title"];
    for part in parts {
        assert!(found.iter().any(|mistake| mistake.contains(part)), "{part}: {found:?}");
    }
    assert_eq!(found.len(), parts.len(), "{found:?}");
}

#[test]
fn other_mistakes() {
    let check = |text: &str, part: &str| {
        let found = mistakes(text);
        assert!(found.iter().any(|mistake| mistake.contains(part)), "{found:?}");
    };
    check("kind = \"demands\"\nx = = 1", "第 2 行");
    check("kind = 1", "一段文字");
    check("columns = 1", "[columns]");
    check("[values]\nstatus = 1", "[values.status]");
    check("kind = \"experts\"\n[columns]\n\"钱\" = \"price_yuan\"", "专家没有字段 price_yuan");
    check("[columns]\n\"a\" = \"名称\"", "没有这个字段");
    check(&format!("[columns]\n{}", (0..201).map(|i| format!("c{i} = \"ignore\"\n")).collect::<String>()), "最多 200");
}

#[test]
fn files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("映射.toml");
    assert!(matches!(Mapping::read(&path), Err(MappingError::Unreadable { .. })));
    assert!(matches!(Mapping::read(folder.path()), Err(MappingError::Unreadable { .. })));
    std::fs::write(&path, "\u{FEFF}kind = \"成果\"").unwrap();
    assert_eq!(Mapping::read(&path).unwrap().kind, Some(Kind::Achievement));
    std::fs::write(&path, b"kind = \"\xFF\"").unwrap();
    assert!(Mapping::read(&path).unwrap_err().to_string().contains("UTF-8"));
    std::fs::write(&path, vec![b' '; 1024 * 1024 + 1]).unwrap();
    assert!(matches!(Mapping::read(&path), Err(MappingError::TooLarge { .. })));
}

#[test]
fn every_key_is_a_field() {
    for key in keys() {
        assert_eq!(target(key).map(|target| target.field.key()), Some(key));
    }
}
