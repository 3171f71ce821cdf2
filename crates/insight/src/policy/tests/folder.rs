//! Tests of the folder: files read, files refused, limits.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{load::*, *};

/// A separate folder, removed on drop.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str, files: &[(&str, &[u8])]) -> Self {
        let path = std::env::temp_dir().join(format!("duijie-policies-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        for (file, content) in files {
            fs::write(path.join(file), content).unwrap();
        }
        Self(path)
    }

    fn load(&self) -> Result<Policies, PolicyError> {
        Policies::load(&self.0)
    }

    fn refusal(&self) -> String {
        self.load().unwrap_err().to_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn named(id: &str) -> String {
    changed("hebei-2021-9", id)
}

#[test]
fn the_shipped_folder_is_right() {
    let policies = Policies::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies")).unwrap();
    assert!(policies.all().contains(&hebei()));
}

#[test]
fn every_toml_file_is_read_in_the_order_of_ids() {
    let (one, other) = (named("b"), named("a"));
    let files: [(&str, &[u8]); 4] =
        [("1.toml", one.as_bytes()), ("2.toml", other.as_bytes()), ("x.txt", b"?"), (".y.toml", b"?")];
    let policies = Folder::new("order", &files).load().unwrap();
    let ids: Vec<&str> = policies.all().iter().map(|policy| policy.id.as_str()).collect();
    assert_eq!(ids, ["a", "b"]);
    assert_eq!(policies.notes(&known(600_000)).len(), 2);
    assert_eq!(Folder::new("empty", &[]).load().unwrap(), Policies::default());
}

#[test]
fn one_wrong_file_refuses_all() {
    let right = named("a");
    let wrong = changed("combine = \"highest\"", "combine = \"?\"");
    let files: [(&str, &[u8]); 4] =
        [("1.toml", right.as_bytes()), ("2.toml", wrong.as_bytes()), ("3.toml", b"\xFF"), ("4.toml", b"x")];
    let refusal = Folder::new("wrong", &files).refusal();
    let lines: Vec<&str> = refusal.lines().collect();
    assert_eq!(lines.len(), 3, "{refusal}");
    let line = wrong.lines().position(|line| line.starts_with("combine")).unwrap() + 1;
    assert!(lines[0].starts_with(&format!("2.toml 第 {line} 行：combine 只能是")), "{refusal}");
    assert_eq!(lines[1], "3.toml：不是 UTF-8 编码，请另存为 UTF-8");
    assert!(lines[2].starts_with("4.toml 第 1 行：不是有效的 TOML"), "{refusal}");
}

#[test]
fn ids_are_unique() {
    let files: [(&str, &[u8]); 2] = [("1.toml", HEBEI.as_bytes()), ("2.toml", HEBEI.as_bytes())];
    assert_eq!(Folder::new("twice", &files).refusal(), "2.toml：规则编号 hebei-2021-9 与文件 1.toml 相同，请换一个");
}

#[test]
fn sizes_are_limited() {
    let padded = |bytes: usize| format!("{HEBEI}{}", "#".repeat(bytes - HEBEI.len()));
    let fits = padded(MAX_FILE_BYTES);
    assert!(Folder::new("fits", &[("1.toml", fits.as_bytes())]).load().is_ok());
    let big = padded(MAX_FILE_BYTES + 1);
    assert_eq!(Folder::new("big", &[("1.toml", big.as_bytes())]).refusal(), "1.toml：文件超过 64 KB");
    let names: Vec<String> = (0..=MAX_FILES).map(|index| format!("{index}.toml")).collect();
    let files: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), b"".as_slice())).collect();
    assert!(Folder::new("many", &files).refusal().ends_with("规则文件有 129 个，至多 128 个"));
    let missing = Policies::load(Path::new("/no/such/folder")).unwrap_err().to_string();
    assert!(missing.starts_with("/no/such/folder：读不了规则文件夹"), "{missing}");
    let folder = Folder::new("folder", &[]);
    fs::create_dir_all(folder.0.join("x.toml")).unwrap();
    assert_eq!(folder.refusal(), "x.toml：不是普通文件");
}
