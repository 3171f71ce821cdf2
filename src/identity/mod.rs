//! Who calls, and what he may do: roles, the records that a caller may write, and the API keys of a store.
//!
//! What a role may call stands in `proto/`, method by method; `crate::api` reads it there.

mod access;
mod key;
mod keys;

#[cfg(test)]
mod tests;

use std::{fmt, sync::Arc};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Refusal, RefusalKind};
pub use access::Access;
use duijie_core::domain::{Problem, Record, RecordName, Violation, Violations, name::check_source};
pub use key::{ApiKey, KeySpec, MAX_OVERLAP, Presented};
pub use keys::{KeyError, Keys, MAX_KEYS, NewSecret};

/// What a caller may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// 查询: looks up, filters, matches, subscribes.
    Reader,
    /// 报送: stores and deletes its own records too.
    Contributor,
    /// 活动: works on matchmaking events too.
    EventStaff,
    /// 运维: runs jobs and backups too.
    Operator,
    /// 管理: everything.
    Administrator,
}

/// For which records a caller may write. A list that is empty bounds nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Scope {
    /// Source systems.
    pub sources: Vec<String>,
    /// Owners, by credit code or name.
    pub organizations: Vec<String>,
}

/// A caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Id of the key, such as `3f9c2b7d8a10`; `None` for an anonymous caller.
    pub key: Option<Arc<str>>,
    /// Who holds the key; empty for an anonymous caller.
    pub owner: String,
    /// What the caller may do.
    pub role: Role,
    /// For which records.
    pub scope: Scope,
    /// When the key expires.
    pub expires: Option<Timestamp>,
}

/// Why a caller is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unknown {
    /// The call carries no key, and anonymous callers are not served.
    Missing,
    /// What it carries is no key of this store.
    Wrong,
    /// The key has expired.
    Expired,
    /// The key was revoked.
    Revoked,
}

/// Largest number of entries of a list of a scope.
const MAX_SCOPE: usize = 50;

// === impl Role ===

impl Role {
    /// All roles.
    pub const ALL: [Self; 5] = [Self::Reader, Self::Contributor, Self::EventStaff, Self::Operator, Self::Administrator];

    /// Its name in the configuration and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Reader => "reader",
            Self::Contributor => "contributor",
            Self::EventStaff => "event-staff",
            Self::Operator => "operator",
            Self::Administrator => "administrator",
        }
    }

    /// What people call it.
    pub fn chinese(self) -> &'static str {
        match self {
            Self::Reader => "查询",
            Self::Contributor => "报送",
            Self::EventStaff => "活动",
            Self::Operator => "运维",
            Self::Administrator => "管理",
        }
    }

    /// The role of a name.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    /// Why this role may not call a method that these roles may.
    pub fn refusal(self, method: &str, allowed: &[Self]) -> Refusal {
        let join = |say: fn(Self) -> &'static str, between| {
            // an administrator may call every method
            let all = allowed.iter().copied().filter(|role| *role != Self::Administrator).chain([Self::Administrator]);
            all.map(say).collect::<Vec<_>>().join(between)
        };
        let chinese = join(Self::chinese, "”或“");
        Refusal {
            kind: RefusalKind::PermissionDenied,
            reason: "ROLE_MAY_NOT",
            english: format!("the role {self} may not call {method}"),
            chinese: format!("角色“{}”不能调用 {method}，请使用角色为“{chinese}”的密钥", self.chinese()),
            metadata: vec![
                ("role", self.to_string()),
                ("method", method.to_string()),
                ("roles", join(Self::name, ",")),
            ],
        }
    }

    /// Whether this role may do what is allowed to these roles. Every role does what a reader may.
    pub fn is_among(self, allowed: &[Self]) -> bool {
        self == Self::Administrator || allowed.contains(&self) || allowed.contains(&Self::Reader)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

// === impl Unknown ===

impl From<Unknown> for Error {
    fn from(unknown: Unknown) -> Self {
        let (reason, english, chinese) = match unknown {
            Unknown::Missing => (
                "KEY_MISSING",
                "the call carries no API key: send `authorization: Bearer <key>`",
                "调用未携带密钥；请向管理员申请密钥，并以 authorization: Bearer <密钥> 发送",
            ),
            Unknown::Wrong => (
                "KEY_WRONG",
                "this is no valid API key of this service",
                "密钥无效，请检查是否完整、是否属于本服务，或向管理员重新申请",
            ),
            Unknown::Expired => ("KEY_EXPIRED", "the API key has expired", "密钥已过期，请向管理员申请新的密钥"),
            Unknown::Revoked => ("KEY_REVOKED", "the API key was revoked", "密钥已吊销，请向管理员申请新的密钥"),
        };
        let (english, chinese) = (english.to_string(), chinese.to_string());
        Refusal { kind: RefusalKind::Unauthenticated, reason, english, chinese, metadata: Vec::new() }.into()
    }
}

// === impl Scope ===

impl Scope {
    /// The violation of a record that is out of this scope, if it is.
    pub fn refusal(&self, record: &Record) -> Option<Violation> {
        if !self.has_source(&record.source) {
            return Some(Violation::new("common.source_system", Problem::OutOfScope));
        }
        let own = record.owner.iter().flat_map(|owner| [&owner.credit_code, &owner.name]);
        let mut own = own.filter(|own| !own.is_empty());
        let is_owned = self.organizations.is_empty() || own.any(|own| self.organizations.contains(own));
        (!is_owned).then(|| Violation::new("common.owner", Problem::OutOfScope))
    }

    /// Why a caller with this scope may not delete a record.
    pub fn denial(&self, name: &RecordName) -> Refusal {
        Refusal {
            kind: RefusalKind::PermissionDenied,
            reason: "OUT_OF_SCOPE",
            english: format!("{name} is not in the scope of this key"),
            chinese: format!("{name} 不在此密钥的范围内：只能删除本来源系统、本单位的记录"),
            metadata: vec![("name", name.to_string())],
        }
    }

    /// Whether records of a source system are in this scope.
    pub fn has_source(&self, source: &str) -> bool {
        self.sources.is_empty() || self.sources.iter().any(|own| own == source)
    }

    /// The rules of a scope that it breaks.
    fn check(&self, role: Role, found: &mut Violations) {
        if role == Role::Contributor && self.sources.is_empty() {
            found.say("key.scope.source_systems", Problem::Required);
        }
        for (name, len) in [("source_systems", self.sources.len()), ("organizations", self.organizations.len())] {
            if MAX_SCOPE < len {
                found.say(format_args!("key.scope.{name}"), Problem::TooMany { max: MAX_SCOPE });
            }
        }
        for (index, source) in self.sources.iter().enumerate() {
            found.take(format_args!("key.scope.source_systems[{index}]"), check_source(source));
        }
        for (index, organization) in self.organizations.iter().enumerate() {
            found.take(format_args!("key.scope.organizations[{index}]"), key::check_label(organization));
        }
    }
}

// === impl Identity ===

impl Identity {
    /// A caller without a key.
    pub fn anonymous(role: Role) -> Self {
        Self { key: None, owner: String::new(), role, scope: Scope::default(), expires: None }
    }

    /// Name in logs, such as `key/3f9c2b7d8a10`.
    pub fn name(&self) -> String {
        self.key.as_ref().map_or_else(|| "anonymous".to_string(), |id| format!("key/{id}"))
    }

    /// Checks that the caller may call a method that these roles may.
    ///
    /// # Errors
    /// PERMISSION_DENIED with the role and the roles that may.
    pub fn may_call(&self, method: &str, allowed: &[Role]) -> Result<(), Error> {
        if self.role.is_among(allowed) { Ok(()) } else { Err(self.role.refusal(method, allowed).into()) }
    }
}
