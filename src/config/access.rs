//! Who may call, as the configuration says it.

use super::{Server, reader::Reader};
use crate::identity::Role;

/// Who may call.
#[derive(Debug, Clone)]
pub struct Access {
    /// Role of callers without a key; `None` if they are refused.
    pub anonymous: Option<Role>,
}

/// What the configuration says of callers without a key.
#[derive(Clone, Copy)]
enum Anonymous {
    /// They administrate a service that only this machine reaches, and are refused by any other.
    Auto,
    /// They are refused.
    Refused,
    /// They have this role.
    As(Role),
}

/// The words of the configuration; the roles have their own names.
const CHOICES: [(&str, Anonymous); 7] = [
    ("auto", Anonymous::Auto),
    ("none", Anonymous::Refused),
    ("reader", Anonymous::As(Role::Reader)),
    ("contributor", Anonymous::As(Role::Contributor)),
    ("event-staff", Anonymous::As(Role::EventStaff)),
    ("operator", Anonymous::As(Role::Operator)),
    ("administrator", Anonymous::As(Role::Administrator)),
];

// === impl Access ===

impl Access {
    pub(super) fn read(reader: &mut Reader, server: &Server) -> Self {
        let anonymous = match reader.choice("access.anonymous", &CHOICES) {
            Anonymous::Auto => server.listen.ip().is_loopback().then_some(Role::Administrator),
            Anonymous::Refused => None,
            Anonymous::As(role) => Some(role),
        };
        Self { anonymous }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn callers_without_a_key_are_refused_where_others_reach_the_service() {
        let check = |listen: &str, anonymous: &str, want: Option<Role>| {
            let toml = format!("[server]\nlisten = {listen:?}\n[access]\nanonymous = {anonymous:?}");
            assert_eq!(Config::read(&toml, []).unwrap().access.anonymous, want, "{toml}");
        };
        check("127.0.0.1:1", "auto", Some(Role::Administrator));
        check("[::1]:1", "auto", Some(Role::Administrator));
        check("0.0.0.0:1", "auto", None);
        check("10.0.0.1:1", "auto", None);
        check("127.0.0.1:1", "none", None);
        for role in Role::ALL {
            check("0.0.0.0:1", role.name(), Some(role));
        }
        assert!(Config::read("[access]\nanonymous = \"root\"", []).is_err());
    }
}
