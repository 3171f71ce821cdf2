//! Who may call what, by the key that the call carries.

use std::{net::TcpListener, path::Path};

use duijie::{
    config::Config,
    identity::{KeySpec, Role, Scope},
};
use duijie_core::domain::Kind;
use duijie_proto as pb;
use duijie_proto::{
    access_service_client::AccessServiceClient, catalog_service_client::CatalogServiceClient,
    maintenance_service_client::MaintenanceServiceClient, match_service_client::MatchServiceClient,
};
use tempfile::TempDir;
use tonic::{Code, Request, Status, metadata::MetadataValue, transport::Channel};

use crate::{
    command_line::{call, check as check_run, duijie},
    harness::{Service, by_name, config_with, record, record_with, refusal},
};

/// A request with a key.
fn with<T>(key: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("authorization", format!("Bearer {key}").parse().unwrap());
    request
}

fn key(owner: &str, role: pb::Role, sources: &[&str]) -> pb::ApiKey {
    let scope =
        pb::KeyScope { source_systems: sources.iter().map(ToString::to_string).collect(), organizations: vec![] };
    pb::ApiKey { owner: owner.into(), role: role as i32, scope: Some(scope), ..Default::default() }
}

/// A service that asks for keys, and the key of its administrator.
struct Guarded {
    service: Service,
    admin: String,
}

impl Guarded {
    async fn start(folder: &TempDir) -> Self {
        let config: Config = config_with(folder.path(), "[access]\nanonymous = \"none\"");
        let service = Service::start_configured(folder.path(), config, |_| ()).await;
        let spec =
            KeySpec { owner: "管理员".into(), role: Role::Administrator, scope: Scope::default(), expires: None };
        let made = service.parts.access.keys().create(spec, jiff::Timestamp::now()).await.unwrap();
        Self { admin: made.secret.text(), service }
    }

    async fn access(&self) -> AccessServiceClient<Channel> {
        AccessServiceClient::new(self.service.channel().await)
    }

    async fn make(&self, owner: &str, role: pb::Role, sources: &[&str]) -> (String, String) {
        let request = pb::CreateApiKeyRequest { key: Some(key(owner, role, sources)) };
        let made = self.access().await.create_api_key(with(&self.admin, request)).await.unwrap().into_inner();
        (made.key.unwrap().id, made.secret)
    }
}

fn check(answer: Result<impl std::fmt::Debug, Status>, code: Code, reason: &str) {
    let status = answer.expect_err(reason);
    let (got, said, _) = refusal(&status);
    assert_eq!((got, said.as_str()), (code, reason), "{status:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_do_what_the_role_of_their_key_may() {
    let folder = TempDir::new().unwrap();
    let guarded = Guarded::start(&folder).await;
    let channel = guarded.service.channel().await;
    let mut catalog = CatalogServiceClient::new(channel.clone());
    let get = || pb::GetRecordRequest { name: "demands/tangshan/d-1".into() };
    let (_, reader) = guarded.make("省平台", pb::Role::Reader, &[]).await;
    let (_, contributor) = guarded.make("唐山市", pb::Role::Contributor, &["tangshan"]).await;

    check(catalog.get_record(get()).await, Code::Unauthenticated, "KEY_MISSING");
    check(catalog.get_record(with("nonsense", get())).await, Code::Unauthenticated, "KEY_WRONG");
    let other = format!("{}A", &reader[..reader.len() - 1]);
    check(catalog.get_record(with(&other, get())).await, Code::Unauthenticated, "KEY_WRONG");
    check(catalog.get_record(with(&reader, get())).await, Code::NotFound, "RECORD_NOT_FOUND");

    let own = record_with(Kind::Demand, "d-1", "焊接变形", |record| record.source = "tangshan".into());
    let store = |records: Vec<pb::Record>| pb::BatchUpsertRecordsRequest { records };
    check(
        catalog.batch_upsert_records(with(&reader, store(vec![own.clone()]))).await,
        Code::PermissionDenied,
        "ROLE_MAY_NOT",
    );
    let foreign = record(Kind::Demand, "d-2", "焊接变形", "");
    let results =
        catalog.batch_upsert_records(with(&contributor, store(vec![own, foreign]))).await.unwrap().into_inner();
    let outcomes: Vec<_> = results.results.iter().map(pb::UpsertResult::outcome).collect();
    assert_eq!(outcomes, [pb::UpsertOutcome::Created, pb::UpsertOutcome::Refused]);
    assert_eq!(results.results[1].violations[0].reason, "OUT_OF_SCOPE");

    // all that a reader may
    catalog.get_record(with(&reader, get())).await.unwrap();
    let mut matching = MatchServiceClient::new(channel.clone());
    let request = || by_name("demands/tangshan/d-1", pb::RecordKind::Achievement);
    check(matching.r#match(request()).await, Code::Unauthenticated, "KEY_MISSING");
    matching.r#match(with(&reader, request())).await.unwrap();
    let mut maintenance = MaintenanceServiceClient::new(channel.clone());
    let snapshot = maintenance.create_snapshot(with(&reader, pb::CreateSnapshotRequest {})).await;
    check(snapshot.map(drop), Code::PermissionDenied, "ROLE_MAY_NOT");

    // what is deleted has to be one's own
    let stored = store(vec![record(Kind::Demand, "d-3", "轴承", "")]);
    catalog.batch_upsert_records(with(&guarded.admin, stored)).await.unwrap();
    let delete = |name: &str| pb::DeleteRecordRequest { name: name.into() };
    check(
        catalog.delete_record(with(&contributor, delete("demands/d-3"))).await,
        Code::PermissionDenied,
        "OUT_OF_SCOPE",
    );
    catalog.delete_record(with(&contributor, delete("demands/tangshan/d-1"))).await.unwrap();
    catalog.delete_record(with(&guarded.admin, delete("demands/d-3"))).await.unwrap();
    drop((catalog, matching, maintenance, channel));
    guarded.service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_stays_within_the_scope_of_its_key() {
    let folder = TempDir::new().unwrap();
    let guarded = Guarded::start(&folder).await;
    let (_, contributor) = guarded.make("唐山市", pb::Role::Contributor, &["tangshan"]).await;
    let of =
        |source: &str, id: &str| record_with(Kind::Achievement, id, "焊接", |record| record.source = source.into());
    let parts = [vec![of("tangshan", "a-1"), of("baoding", "a-2")], vec![of("tangshan", "a-3")]];
    let parts = parts.map(|records| pb::ImportRecordsRequest { records });
    let mut catalog = CatalogServiceClient::new(guarded.service.channel().await);
    let summary = catalog.import_records(with(&contributor, tokio_stream::iter(parts))).await.unwrap().into_inner();
    assert_eq!((summary.created_count, summary.refused_count), (2, 1));
    assert_eq!(summary.error_samples[0].index, 1);
    drop(catalog);
    guarded.service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_managed_and_callers_told_who_they_are() {
    let folder = TempDir::new().unwrap();
    let guarded = Guarded::start(&folder).await;
    let mut access = guarded.access().await;
    let (id, secret) = guarded.make("市局", pb::Role::EventStaff, &[]).await;
    let who = access.get_caller(with(&secret, pb::GetCallerRequest {})).await.unwrap().into_inner();
    assert_eq!((who.caller, who.owner.as_str(), who.role), (format!("key/{id}"), "市局", pb::Role::EventStaff as i32));
    for bad in [None, Some(key("", pb::Role::Unspecified, &[])), Some(key("甲", pb::Role::Contributor, &[]))] {
        let refused = access.create_api_key(with(&guarded.admin, pb::CreateApiKeyRequest { key: bad })).await;
        check(refused, Code::InvalidArgument, "INVALID_ARGUMENT");
    }
    let create = pb::CreateApiKeyRequest { key: Some(key("自己", pb::Role::Administrator, &[])) };
    check(access.create_api_key(with(&secret, create)).await, Code::PermissionDenied, "ROLE_MAY_NOT");

    let rotate = pb::RotateApiKeyRequest { id: id.clone(), overlap: None };
    let rotated = access.rotate_api_key(with(&guarded.admin, rotate)).await.unwrap().into_inner();
    assert!(rotated.key.unwrap().earlier_secret_expire_time.is_some());
    for secret in [&secret, &rotated.secret] {
        access.get_caller(with(secret, pb::GetCallerRequest {})).await.unwrap();
    }
    let long = pb::RotateApiKeyRequest {
        id: id.clone(),
        overlap: Some(prost_types::Duration { seconds: 31 * 86_400, nanos: 0 }),
    };
    check(access.rotate_api_key(with(&guarded.admin, long)).await, Code::InvalidArgument, "INVALID_ARGUMENT");
    access.revoke_api_key(with(&guarded.admin, pb::RevokeApiKeyRequest { id: id.clone() })).await.unwrap();
    check(access.get_caller(with(&secret, pb::GetCallerRequest {})).await, Code::Unauthenticated, "KEY_REVOKED");
    let nobody = pb::RevokeApiKeyRequest { id: "x".repeat(100) };
    check(access.revoke_api_key(with(&guarded.admin, nobody)).await, Code::NotFound, "KEY_NOT_FOUND");

    let mut listed = Vec::new();
    let mut token = String::new();
    loop {
        let request = pb::ListApiKeysRequest { page_size: 1, page_token: token };
        let page = access.list_api_keys(with(&guarded.admin, request)).await.unwrap().into_inner();
        listed.extend(page.keys);
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(listed.len(), 2);
    assert!(listed.iter().any(|key| key.id == id && key.revoke_time.is_some()));
    drop(access);
    guarded.service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_outlive_the_service_and_health_needs_none() {
    let folder = TempDir::new().unwrap();
    let guarded = Guarded::start(&folder).await;
    let (_, reader) = guarded.make("省平台", pb::Role::Reader, &[]).await;
    let mut health = tonic_health::pb::health_client::HealthClient::new(guarded.service.channel().await);
    health.check(tonic_health::pb::HealthCheckRequest { service: String::new() }).await.unwrap();
    drop(health);
    guarded.service.stop().await;
    let guarded = Guarded::start(&folder).await;
    let who = guarded.access().await.get_caller(with(&reader, pb::GetCallerRequest {})).await.unwrap().into_inner();
    assert_eq!(who.owner, "省平台");
    guarded.service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_without_a_key_have_the_role_that_is_configured() {
    let service = Service::start().await;
    assert_eq!(service.parts.access.anonymous(), Some(Role::Administrator), "only this machine reaches it");
    let who = AccessServiceClient::new(service.channel().await);
    let who = { who }.get_caller(pb::GetCallerRequest {}).await.unwrap().into_inner();
    assert_eq!((who.caller.as_str(), who.role), ("anonymous", pb::Role::Administrator as i32));
    // a wrong key is refused all the same
    let mut catalog = service.catalog().await;
    let mut request = Request::new(pb::GetRecordRequest { name: "demands/d-1".into() });
    request.metadata_mut().insert("authorization", MetadataValue::from_static("Bearer djk_x"));
    check(catalog.get_record(request).await, Code::Unauthenticated, "KEY_WRONG");
    drop(catalog);
    service.stop().await;

    let beyond = Config::read("[server]\nlisten = \"0.0.0.0:50051\"", []).unwrap();
    assert_eq!(beyond.access.anonymous, None);
    let reader = Config::read("[access]\nanonymous = \"reader\"", []).unwrap();
    assert_eq!(reader.access.anonymous, Some(Role::Reader));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_manages_keys_of_a_service_and_of_a_store() {
    let folder = TempDir::new().unwrap();
    let service = Service::start_in(folder.path(), |_| ()).await;
    let url = service.url.clone();
    let key = |arguments: &[&str]| {
        let arguments: Vec<_> =
            ["key"].iter().chain(arguments).chain(&["--server", &url]).map(ToString::to_string).collect();
        async move { call(&arguments.iter().map(String::as_str).collect::<Vec<_>>()).await }
    };
    check_run(key(&["list"]).await, 0, &["还没有密钥"]);
    let create = ["create", "--owner", "唐山市平台", "--role", "contributor"];
    check_run(key(&create).await, 1, &["key.scope.source_systems", "必填"]);
    check_run(key(&["create", "--owner", "甲", "--role", "root"]).await, 64, &["reader", "administrator"]);
    let (code, made) = key(&[&create[..], &["--source", "tangshan", "--expires", "2029-12-31"]].concat()).await;
    let secret = made.lines().find(|line| line.starts_with("djk_")).unwrap_or_else(|| panic!("{made}"));
    assert!(code == 0 && made.contains("只显示这一次"), "{made}");
    let id = secret.split('_').nth(1).unwrap();
    check_run(key(&["list"]).await, 0, &[id, "报送", "来源 tangshan", "有效，至 2030-01-01 00:00"]);
    check_run(key(&["rotate", id, "--overlap-hours", "0"]).await, 0, &["djk_", "旧值已失效"]);
    check_run(key(&["whoami"]).await, 0, &["未使用密钥", "管理"]);
    check_run(key(&["revoke", "000000000000"]).await, 1, &["没有编号为 000000000000 的密钥"]);
    service.stop().await;

    // nothing listens there
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let store = folder.path().join("store");
    let directly = async |arguments: &'static [&'static str], more: String| {
        let (store, free) = (store.clone(), free.clone());
        let run = move || {
            let arguments: Vec<&str> = arguments.iter().copied().chain((!more.is_empty()).then_some(&*more)).collect();
            duijie(&arguments, &[("DUIJIE_STORE_FOLDER", &store), ("DUIJIE_SERVER_LISTEN", Path::new(&free))])
        };
        tokio::task::spawn_blocking(run).await.unwrap()
    };
    check_run(directly(&["key", "revoke"], id.to_string()).await, 0, &["已吊销密钥", "唐山市平台"]);
    check_run(directly(&["key", "list"], String::new()).await, 0, &[id, "吊销"]);
    check_run(directly(&["key", "rotate"], id.to_string()).await, 1, &["已吊销，请新建密钥"]);
    check_run(directly(&["key", "create", "--role", "administrator", "--owner"], "管理员".into()).await, 0, &["djk_"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_sends_its_key_and_to_this_machine_only() {
    let folder = TempDir::new().unwrap();
    let guarded = Guarded::start(&folder).await;
    let file = folder.path().join("key");
    std::fs::write(&file, format!("{}\n", guarded.admin)).unwrap();
    let (url, admin) = (guarded.service.url.clone(), guarded.admin.clone());
    let run = async |arguments: &[&str], variable: &'static str, value: &str| {
        let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        let value = value.to_string();
        let run = move || {
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            duijie(&arguments, &[(variable, Path::new(&value))])
        };
        tokio::task::spawn_blocking(run).await.unwrap()
    };
    let count = ["count", "demands", "--server", &url];
    check_run(call(&count).await, 1, &["调用未携带密钥"]);
    check_run(run(&count, "DUIJIE_CLIENT_API_KEY", &admin).await, 0, &["0"]);
    check_run(run(&count, "DUIJIE_CLIENT_API_KEY_FILE", &file.to_string_lossy()).await, 0, &["0"]);
    check_run(run(&count, "DUIJIE_CLIENT_API_KEY_FILE", "/nowhere").await, 1, &["/nowhere"]);
    check_run(run(&count, "DUIJIE_CLIENT_API_KEY", "两个 词").await, 1, &["没有密钥"]);
    // an address for documents, where nobody is
    for far in ["http://192.0.2.1:50051", "192.0.2.1:50051", "http://127.0.0.1@192.0.2.1:50051"] {
        let refused = run(&["count", "demands", "--server", far], "DUIJIE_CLIENT_API_KEY", &admin).await;
        assert!(!refused.1.contains(&admin), "{}", refused.1);
        check_run(refused, 1, &["密钥会以明文经过网络", "client.insecure"]);
    }
    let shown = run(&["config"], "DUIJIE_CLIENT_API_KEY", &admin).await;
    assert!(!shown.1.contains(&admin) && shown.1.contains("（已设置）"), "{}", shown.1);
    guarded.service.stop().await;
}
