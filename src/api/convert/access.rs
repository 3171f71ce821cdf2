//! Roles, API keys and callers on the wire.

use jiff::Timestamp;

use super::{time_in, time_out};
use crate::identity::{ApiKey, Identity, KeySpec, Role, Scope};
use duijie_core::domain::{Problem, Violations};
use duijie_proto as pb;

/// Reads a role; `None` for an unknown one.
pub fn role_in(role: i32) -> Option<Role> {
    match pb::Role::try_from(role).ok()? {
        pb::Role::Unspecified => None,
        pb::Role::Reader => Some(Role::Reader),
        pb::Role::Contributor => Some(Role::Contributor),
        pb::Role::EventStaff => Some(Role::EventStaff),
        pb::Role::Operator => Some(Role::Operator),
        pb::Role::Administrator => Some(Role::Administrator),
    }
}

/// Writes a role.
pub fn role_out(role: Role) -> pb::Role {
    match role {
        Role::Reader => pb::Role::Reader,
        Role::Contributor => pb::Role::Contributor,
        Role::EventStaff => pb::Role::EventStaff,
        Role::Operator => pb::Role::Operator,
        Role::Administrator => pb::Role::Administrator,
    }
}

/// Reads what a new key shall be. [`KeySpec::checked`] checks the rules later.
///
/// # Errors
/// All violations.
pub fn key_in(key: Option<pb::ApiKey>) -> Result<KeySpec, Violations> {
    let mut found = Violations::default();
    let key = key.unwrap_or_default();
    let role = found.take("key.role", role_in(key.role).ok_or(Problem::Required));
    let expires = key.expire_time.and_then(|time| time_in(time, "key.expire_time", &mut found));
    let scope = key.scope.unwrap_or_default();
    let scope = Scope { sources: scope.source_systems, organizations: scope.organizations };
    found.passed(KeySpec { owner: key.owner, role: role.unwrap_or(Role::Reader), scope, expires })
}

/// Writes what a new key shall be.
pub fn spec_out(spec: &KeySpec) -> pb::ApiKey {
    pb::ApiKey {
        owner: spec.owner.clone(),
        role: role_out(spec.role) as i32,
        scope: Some(scope_out(&spec.scope)),
        expire_time: spec.expires.map(time_out),
        ..pb::ApiKey::default()
    }
}

/// Writes a key.
pub fn key_out(key: &ApiKey, now: Timestamp) -> pb::ApiKey {
    pb::ApiKey {
        id: key.id.clone(),
        create_time: Some(time_out(key.created)),
        revoke_time: key.revoked.map(time_out),
        rotate_time: key.rotated.map(time_out),
        earlier_secret_expire_time: key.earlier_until(now).map(time_out),
        ..spec_out(&key.spec)
    }
}

/// Writes a caller.
pub fn caller_out(identity: &Identity) -> pb::GetCallerResponse {
    pb::GetCallerResponse {
        caller: identity.name(),
        owner: identity.owner.clone(),
        role: role_out(identity.role) as i32,
        scope: Some(scope_out(&identity.scope)),
        expire_time: identity.expires.map(time_out),
    }
}

fn scope_out(scope: &Scope) -> pb::KeyScope {
    pb::KeyScope { source_systems: scope.sources.clone(), organizations: scope.organizations.clone() }
}
