use std::{sync::Arc, time::Duration};

use super::{key::Chance, *};
use crate::tests::Counting;
use duijie_store::{Documents, Index, MemoryIndex};

fn spec(role: Role) -> KeySpec {
    let sources = if role == Role::Contributor { vec!["tangshan".to_string()] } else { Vec::new() };
    KeySpec {
        owner: "唐山市科技局".into(), role, scope: Scope { sources, organizations: Vec::new() }, expires: None
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn chance(byte: u8) -> Chance {
    Chance { id: [byte; 6], secret: [byte; 32], salt: [byte; 16] }
}

fn reason(error: Error) -> &'static str {
    match error {
        Error::Refused(refusal) => refusal.reason,
        other => panic!("{other}"),
    }
}

#[test]
fn what_is_presented_is_read_back_and_its_secret_is_not_printed() {
    let (_, presented) = ApiKey::new(spec(Role::Reader), &chance(0xab), at(0));
    let text = presented.text();
    assert!(text.starts_with("djk_abababababab_"), "{text}");
    assert_eq!(Presented::parse(&text), Some(presented.clone()));
    assert!(!format!("{presented:?}").contains("q6ur"), "{presented:?}");
    let short = &text[..text.len() - 1];
    for bad in
        ["", "djk_", "djk_abababababab", "djk_abababababab_", short, &text.replace("djk", "dk"), &format!("{text}A")]
    {
        assert_eq!(Presented::parse(bad), None, "{bad}");
    }
    assert_eq!(Presented::parse(&text.replace("abab", "ABAB")), None);
}

#[test]
fn a_key_is_taken_until_it_expires_or_is_revoked() {
    let expires = Some(at(100));
    let (mut key, presented) = ApiKey::new(KeySpec { expires, ..spec(Role::Reader) }, &chance(1), at(0));
    assert_eq!(key.check(&presented, at(99)), Ok(()));
    assert_eq!(key.check(&presented, at(100)), Err(Unknown::Expired));
    key.revoked = Some(at(50));
    assert_eq!(key.check(&presented, at(99)), Err(Unknown::Revoked));
    // who does not know the secret learns nothing
    let (_, other) = ApiKey::new(spec(Role::Reader), &Chance { secret: [2; 32], ..chance(1) }, at(0));
    assert_eq!(key.check(&other, at(99)), Err(Unknown::Wrong));
}

#[test]
fn after_a_rotation_both_secrets_are_taken_for_a_while() {
    let (mut key, first) = ApiKey::new(spec(Role::Reader), &chance(1), at(0));
    let second = key.rotate(&chance(2), Duration::from_secs(10), at(100));
    assert_eq!(second.id, first.id);
    assert_eq!((key.check(&first, at(109)), key.check(&second, at(109))), (Ok(()), Ok(())));
    assert_eq!((key.check(&first, at(110)), key.check(&second, at(110))), (Err(Unknown::Wrong), Ok(())));
    assert_eq!((key.earlier_until(at(109)), key.earlier_until(at(110))), (Some(at(110)), None));
    // one that leaked ends at once
    let third = key.rotate(&chance(3), Duration::ZERO, at(105));
    assert_eq!((key.check(&second, at(105)), key.check(&third, at(105))), (Err(Unknown::Wrong), Ok(())));
}

#[test]
fn a_new_key_breaks_no_rule() {
    let check = |spec: KeySpec, want: &[&str]| {
        let found = spec.checked(at(1_000)).err().unwrap_or_default();
        assert_eq!(found.iter().map(|it| it.field.as_str()).collect::<Vec<_>>(), want);
    };
    for role in Role::ALL {
        check(spec(role), &[]);
    }
    check(KeySpec { owner: " ".into(), ..spec(Role::Reader) }, &["key.owner"]);
    check(KeySpec { scope: Scope::default(), ..spec(Role::Contributor) }, &["key.scope.source_systems"]);
    let scope = Scope { sources: vec!["Tangshan".into()], organizations: vec!["甲".into(), String::new()] };
    check(KeySpec { scope, ..spec(Role::Reader) }, &["key.scope.source_systems[0]", "key.scope.organizations[1]"]);
    let scope = Scope { sources: vec!["a".into(); 51], ..Scope::default() };
    check(KeySpec { scope, ..spec(Role::Reader) }, &["key.scope.source_systems"]);
    for (expires, want) in
        [(1_000, &["key.expire_time"][..]), (1_001, &[]), (1_000 + 6 * 366 * 86_400, &["key.expire_time"])]
    {
        check(KeySpec { expires: Some(at(expires)), ..spec(Role::Reader) }, want);
    }
}

#[test]
fn roles_by_their_names() {
    assert!(Role::ALL.iter().all(|role| Role::of(role.name()) == Some(*role)));
    let unique: std::collections::BTreeSet<_> = Role::ALL.iter().map(|role| role.chinese()).collect();
    assert_eq!(unique.len(), Role::ALL.len());
    assert_eq!(Role::of("root"), None);
    let refusal = Role::Reader.refusal("DeleteRecord", &[Role::Contributor]);
    assert_eq!(refusal.chinese, "角色“查询”不能调用 DeleteRecord，请使用角色为“报送”或“管理”的密钥");
}

#[tokio::test]
async fn keys_are_made_rotated_and_revoked_on_all_instances() {
    let index: Arc<dyn Index> = Arc::new(MemoryIndex::new(4));
    let (one, other) = (Keys::new(Arc::clone(&index)), Keys::new(Arc::clone(&index)));
    let now = Timestamp::now();
    let made = one.create(spec(Role::Contributor), now).await.unwrap();
    // another instance has not read it yet, and looks before it refuses
    let identity = other.identify(&made.secret).await.unwrap();
    assert_eq!((identity.role, identity.key.as_deref()), (Role::Contributor, Some(made.key.id.as_str())));
    assert_eq!(identity.scope.sources, ["tangshan"]);
    let rotated = one.rotate(&made.key.id, Duration::ZERO, now).await.unwrap();
    assert_eq!(reason(one.identify(&made.secret).await.unwrap_err()), "KEY_WRONG");
    one.identify(&rotated.secret).await.unwrap();
    one.revoke(&made.key.id, now).await.unwrap();
    assert_eq!(reason(one.identify(&rotated.secret).await.unwrap_err()), "KEY_REVOKED");
    // the other instance knows within the time for which keys are held
    let mut refused = false;
    for _ in 0..600 {
        refused = other.identify(&rotated.secret).await.is_err();
        if refused {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(refused, "the other instance never read the keys again");
    let again = one.revoke(&made.key.id, now + Duration::from_secs(9)).await.unwrap();
    assert_eq!(again.revoked, Some(now), "it was revoked before");
    assert_eq!(reason(one.rotate(&made.key.id, Duration::ZERO, now).await.unwrap_err()), "KEY_REVOKED");
    assert_eq!(reason(one.revoke("nobody", now).await.unwrap_err()), "KEY_NOT_FOUND");
    assert_eq!(one.all().await.unwrap().len(), 1);
}

#[tokio::test]
async fn nothing_of_a_secret_is_stored() {
    let index: Arc<dyn Index> = Arc::new(MemoryIndex::new(4));
    let made = Keys::new(Arc::clone(&index)).create(spec(Role::Reader), Timestamp::now()).await.unwrap();
    let text = made.secret.text();
    let secret = text.rsplit_once('_').unwrap().1;
    let stored = index.list_documents(duijie_store::DocumentQuery::default(), None, 100).await.unwrap();
    assert_eq!(stored.documents.len(), 1);
    assert!(stored.documents.iter().all(|document| !document.text.contains(secret)));
}

#[tokio::test]
async fn a_damaged_key_and_a_full_list_let_nobody_in() {
    let index = Arc::new(MemoryIndex::new(4));
    let keys = Keys::new(index.clone());
    let made = keys.create(spec(Role::Reader), Timestamp::now()).await.unwrap();
    let all: Vec<_> = (1..MAX_KEYS)
        .map(|number| {
            let name = format!("x{number}");
            duijie_store::DocumentWrite::new(
                "access/keys",
                name.as_str(),
                "nothing".to_string(),
                duijie_store::Expect::Any,
            )
        })
        .collect();
    for part in all.chunks(100) {
        index.write_documents(part.to_vec()).await.unwrap();
    }
    assert!(matches!(keys.create(spec(Role::Reader), Timestamp::now()).await, Err(Error::Invalid(_))));
    assert_eq!(keys.all().await.unwrap().len(), 1);
    keys.identify(&made.secret).await.unwrap();
}

#[tokio::test]
async fn where_the_keys_cannot_be_read_those_of_before_are_taken_for_a_while() {
    let index = Counting::new(MemoryIndex::new(4));
    let keys = Keys::new(Arc::new(index.clone()));
    let made = keys.create(spec(Role::Reader), Timestamp::now()).await.unwrap();
    index.hide_documents(true);
    assert!(matches!(keys.identify(&made.secret).await, Err(Error::Unavailable(_))), "nothing was read yet");
    index.hide_documents(false);
    keys.identify(&made.secret).await.unwrap();
    index.hide_documents(true);
    tokio::time::sleep(Duration::from_millis(2_100)).await;
    keys.identify(&made.secret).await.unwrap();
}
