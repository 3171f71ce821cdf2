//! `duijie key`: API keys, through the running service, or in the store itself where none runs.

use std::time::Duration;

use anyhow::Context;
use clap::{Args as ClapArgs, Subcommand};
use jiff::{Timestamp, civil::Date, tz::TimeZone};

use super::{
    Done,
    client::{Server, explain},
    end_point::{EndPoint, StoreAddress},
    out, table,
};
use crate::{
    api::convert::access::{key_out, role_in, spec_out},
    config::Config,
    identity::{KeySpec, Keys, Role, Scope},
};
use duijie_proto as pb;

/// Keys of a page.
const PAGE: i32 = 200;
/// Times are told as in China, which has had no summer time since 1991.
const ZONE: TimeZone = TimeZone::fixed(jiff::tz::offset(8));

/// `duijie key`.
#[derive(Debug, ClapArgs)]
pub struct Key {
    /// 做什么
    #[command(subcommand)]
    pub action: KeyAction,
}

/// What to do with keys.
#[derive(Debug, Subcommand)]
pub enum KeyAction {
    /// 新建密钥；密钥只显示这一次，请妥善保管
    Create(Create),
    /// 列出全部密钥（不含密钥本身），包括已吊销、已过期的
    List,
    /// 为密钥更换新值；旧值在一段时间内仍可使用
    Rotate(Rotate),
    /// 吊销密钥，不可恢复
    Revoke(Revoke),
    /// 查看服务把本机的调用当作谁、可以做什么
    Whoami,
}

/// `duijie key create`.
#[derive(Debug, ClapArgs)]
pub struct Create {
    /// 由谁持有，如系统或人的名称
    #[arg(long, value_name = "名称")]
    pub owner: String,
    /// 角色：reader（查询）、contributor（报送）、event-staff（活动）、operator（运维）、administrator（管理）
    #[arg(long, value_name = "角色", value_parser = role)]
    pub role: Role,
    /// 只能写入此来源系统的记录，可多次给出；报送角色必须给出
    #[arg(long = "source", value_name = "系统")]
    pub sources: Vec<String>,
    /// 只能写入此单位的记录：统一社会信用代码或名称，可多次给出
    #[arg(long = "organization", value_name = "单位")]
    pub organizations: Vec<String>,
    /// 有效期至（含当日，北京时间），如 2027-12-31；缺省不过期
    #[arg(long = "expires", value_name = "日期")]
    pub expires: Option<Date>,
}

/// `duijie key rotate`.
#[derive(Debug, ClapArgs)]
pub struct Rotate {
    /// 密钥编号
    #[arg(value_name = "编号")]
    pub id: String,
    /// 旧值还可使用多少小时；泄露时设为 0
    #[arg(long, default_value_t = 24, value_name = "小时", value_parser = clap::value_parser!(u32).range(0..=720))]
    pub overlap_hours: u32,
}

/// `duijie key revoke`.
#[derive(Debug, ClapArgs)]
pub struct Revoke {
    /// 密钥编号
    #[arg(value_name = "编号")]
    pub id: String,
}

fn role(name: &str) -> Result<Role, String> {
    Role::of(name).ok_or_else(|| format!("应为 {} 之一", Role::ALL.map(Role::name).join("、")))
}

/// Manages keys.
pub async fn run(server: &Server, config: &Config, args: Key) -> anyhow::Result<Done> {
    match args.action {
        KeyAction::Create(it) => create(server, config, it).await,
        KeyAction::List => list(server, config).await,
        KeyAction::Rotate(it) => rotate(server, config, it).await,
        KeyAction::Revoke(it) => revoke(server, config, it).await,
        KeyAction::Whoami => whoami(server).await,
    }
}

async fn create(server: &Server, config: &Config, args: Create) -> anyhow::Result<Done> {
    let expires = args.expires.map(end_of).transpose()?;
    let scope = Scope { sources: args.sources, organizations: args.organizations };
    let spec = KeySpec { owner: args.owner, role: args.role, scope, expires };
    let answer = match server.access().await? {
        Some(mut client) => {
            let request = pb::CreateApiKeyRequest { key: Some(spec_out(&spec)) };
            client.create_api_key(request).await.map_err(|status| explain(&status))?.into_inner()
        }
        None => {
            let now = Timestamp::now();
            let made = directly(config, async |keys| Ok(keys.create(spec, now).await?)).await?;
            pb::CreateApiKeyResponse { key: Some(key_out(&made.key, now)), secret: made.secret.text() }
        }
    };
    if !out::as_json([&answer])? {
        say_secret(&answer.key.unwrap_or_default(), &answer.secret);
    }
    Ok(Done::All)
}

async fn list(server: &Server, config: &Config) -> anyhow::Result<Done> {
    let mut all = Vec::new();
    match server.access().await? {
        Some(mut client) => {
            let mut page_token = String::new();
            loop {
                let request = pb::ListApiKeysRequest { page_size: PAGE, page_token };
                let page = client.list_api_keys(request).await.map_err(|status| explain(&status))?.into_inner();
                all.extend(page.keys);
                page_token = page.next_page_token;
                if page_token.is_empty() {
                    break;
                }
            }
        }
        None => {
            let now = Timestamp::now();
            let keys = directly(config, async |keys| Ok(keys.all().await?)).await?;
            all.extend(keys.iter().map(|key| key_out(key, now)));
        }
    }
    if out::as_json(&all)? {
        return Ok(Done::All);
    }
    if all.is_empty() {
        println!("还没有密钥，用 duijie key create 新建");
        return Ok(Done::All);
    }
    let headings = ["编号", "持有者", "角色", "范围", "状态", "新建于"];
    print!("{}", table::rows(&headings, all.iter().map(row)));
    Ok(Done::All)
}

async fn rotate(server: &Server, config: &Config, args: Rotate) -> anyhow::Result<Done> {
    let hours = args.overlap_hours;
    let overlap = Duration::from_secs(u64::from(hours) * 3_600);
    let answer = match server.access().await? {
        Some(mut client) => {
            let overlap = prost_types::Duration { seconds: i64::from(hours) * 3_600, nanos: 0 };
            let request = pb::RotateApiKeyRequest { id: args.id, overlap: Some(overlap) };
            client.rotate_api_key(request).await.map_err(|status| explain(&status))?.into_inner()
        }
        None => {
            let now = Timestamp::now();
            let made = directly(config, async |keys| Ok(keys.rotate(&args.id, overlap, now).await?)).await?;
            pb::RotateApiKeyResponse { key: Some(key_out(&made.key, now)), secret: made.secret.text() }
        }
    };
    if out::as_json([&answer])? {
        return Ok(Done::All);
    }
    say_secret(&answer.key.unwrap_or_default(), &answer.secret);
    match hours {
        0 => println!("旧值已失效"),
        hours => println!("旧值还可使用 {hours} 小时"),
    }
    Ok(Done::All)
}

async fn revoke(server: &Server, config: &Config, args: Revoke) -> anyhow::Result<Done> {
    let key = match server.access().await? {
        Some(mut client) => {
            let request = pb::RevokeApiKeyRequest { id: args.id };
            client.revoke_api_key(request).await.map_err(|status| explain(&status))?.into_inner().key
        }
        None => {
            let now = Timestamp::now();
            let key = directly(config, async |keys| Ok(keys.revoke(&args.id, now).await?)).await?;
            Some(key_out(&key, now))
        }
    };
    let key = key.unwrap_or_default();
    if !out::as_json([&key])? {
        println!("已吊销密钥 {}（{}），几秒内在各实例生效", key.id, key.owner);
    }
    Ok(Done::All)
}

async fn whoami(server: &Server) -> anyhow::Result<Done> {
    let mut client = server.access_of_running().await?;
    let answer = client.get_caller(pb::GetCallerRequest {}).await.map_err(|status| explain(&status))?.into_inner();
    if out::as_json([&answer])? {
        return Ok(Done::All);
    }
    let caller = if answer.caller == "anonymous" { "未使用密钥".to_string() } else { answer.caller };
    let rows = [
        ("调用方", caller),
        ("持有者", answer.owner),
        ("角色", role_in(answer.role).map_or_else(String::new, |role| role.chinese().to_string())),
        ("范围", scope(answer.scope.as_ref())),
        ("有效期至", time(answer.expire_time)),
    ];
    print!("{}", table::pairs(&rows));
    Ok(Done::All)
}

/// Works on the keys in the configured store, where no service runs.
async fn directly<T>(config: &Config, work: impl AsyncFnOnce(&Keys) -> anyhow::Result<T>) -> anyhow::Result<T> {
    let opened = StoreAddress::configured(config).open(None, config).await;
    let source: EndPoint = opened.context("服务未运行，改为直接读写存储；新装的服务请先启动一次以建立存储")?;
    let keys = Keys::new(source.index.clone());
    let done = work(&keys).await;
    drop(keys);
    source.close().await;
    done
}

fn say_secret(key: &pb::ApiKey, secret: &str) {
    println!("密钥 {}（{}）如下，只显示这一次，请妥善保管：", key.id, key.owner);
    println!("{secret}");
    println!("调用时以元数据 authorization: Bearer <密钥> 发送");
}

fn row(key: &pb::ApiKey) -> Vec<String> {
    let role = role_in(key.role).map_or_else(String::new, |role| role.chinese().to_string());
    let is_over = |time: &prost_types::Timestamp| time.seconds <= Timestamp::now().as_second();
    let state = match (key.revoke_time, key.expire_time) {
        (Some(_), _) => format!("{} 吊销", time(key.revoke_time)),
        (None, Some(expires)) if is_over(&expires) => format!("{} 已过期", time(key.expire_time)),
        (None, Some(_)) => format!("有效，至 {}", time(key.expire_time)),
        (None, None) => "有效".to_string(),
    };
    vec![key.id.clone(), key.owner.clone(), role, scope(key.scope.as_ref()), state, time(key.create_time)]
}

fn scope(scope: Option<&pb::KeyScope>) -> String {
    let lists = scope.map(|scope| [("来源", &scope.source_systems), ("单位", &scope.organizations)]);
    let lists = lists.into_iter().flatten().filter(|(_, list)| !list.is_empty());
    lists.map(|(what, list)| format!("{what} {}", list.join("、"))).collect::<Vec<_>>().join("；")
}

fn time(time: Option<prost_types::Timestamp>) -> String {
    let read = time.and_then(|time| Timestamp::from_second(time.seconds).ok());
    read.map(|time| time.to_zoned(ZONE).strftime("%Y-%m-%d %H:%M").to_string()).unwrap_or_default()
}

/// The moment after a day.
fn end_of(day: Date) -> anyhow::Result<Timestamp> {
    Ok(day.tomorrow().context("日期过大")?.to_zoned(ZONE)?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::convert::time_out;

    #[test]
    fn a_key_is_valid_to_the_end_of_its_last_day() {
        let end = end_of("2027-12-31".parse().unwrap()).unwrap();
        assert_eq!(time(Some(time_out(end))), "2028-01-01 00:00");
        assert!(end_of(Date::MAX).is_err());
    }

    #[test]
    fn keys_in_a_table() {
        let scope =
            pb::KeyScope { source_systems: vec!["tangshan".into()], organizations: vec!["甲".into(), "乙".into()] };
        let key = pb::ApiKey {
            id: "3f9c2b7d8a10".into(),
            owner: "唐山市".into(),
            role: pb::Role::Contributor as i32,
            scope: Some(scope),
            create_time: Some(prost_types::Timestamp { seconds: 1_800_000_000, nanos: 0 }),
            ..Default::default()
        };
        let created = "2027-01-15 16:00";
        let want = ["3f9c2b7d8a10", "唐山市", "报送", "来源 tangshan；单位 甲、乙", "有效", created];
        assert_eq!(row(&key), want);
        let expired = pb::ApiKey { expire_time: Some(prost_types::Timestamp { seconds: 0, nanos: 0 }), ..key.clone() };
        assert_eq!(row(&expired)[4], "1970-01-01 08:00 已过期");
        let revoked = pb::ApiKey { revoke_time: key.create_time, ..expired };
        assert_eq!(row(&revoked)[4], format!("{created} 吊销"));
        assert!(role("root").is_err() && role("event-staff") == Ok(Role::EventStaff));
    }
}
