//! Contacts, and what is shown of them before both sides agree.

use serde::{Deserialize, Serialize};

/// Most characters of a contact's field.
pub const MAX_CONTACT_CHARS: usize = 100;
/// What stands for hidden characters of a name.
const HIDDEN: &str = "**";

/// Whom to call.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Contact {
    /// Person; empty where not known.
    pub person: String,
    /// Telephone; empty where not known.
    pub phone: String,
    /// E-mail; empty where not known.
    pub email: String,
}

// === impl Contact ===

impl Contact {
    /// The same with everything hidden that would lead to the person: 张**, 138****0000, a***@x.cn.
    #[must_use]
    pub fn masked(&self) -> Self {
        Self { person: masked_name(&self.person), phone: masked_phone(&self.phone), email: masked_email(&self.email) }
    }

    /// The contact itself where both sides agree, else what may be shown.
    #[must_use]
    pub fn shown(&self, agreed: bool) -> Self {
        if agreed { self.clone() } else { self.masked() }
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.person.is_empty() && self.phone.is_empty() && self.email.is_empty()
    }
}

/// The first character of a name.
fn masked_name(name: &str) -> String {
    name.chars().next().map(|first| format!("{first}{HIDDEN}")).unwrap_or_default()
}

/// The first three and last four digits of a mobile number; of shorter numbers the last two, of the shortest nothing.
fn masked_phone(phone: &str) -> String {
    let digits: Vec<char> = phone.chars().filter(char::is_ascii_digit).collect();
    let part = |from: usize, to: usize| digits.get(from..to).unwrap_or_default().iter().collect::<String>();
    match digits.len() {
        0 if phone.is_empty() => String::new(),
        0..=4 => "****".to_string(),
        len @ 5..=10 => format!("****{}", part(len - 2, len)),
        len => format!("{}****{}", part(0, 3), part(len - 4, len)),
    }
}

/// The first letter and the domain.
fn masked_email(email: &str) -> String {
    match email.rsplit_once('@') {
        Some((local, domain)) => {
            let first = local.chars().next().map(String::from).unwrap_or_default();
            // a local part of one letter would stand there whole
            if local.chars().count() < 2 { format!("***@{domain}") } else { format!("{first}***@{domain}") }
        }
        None if email.is_empty() => String::new(),
        None => "***".to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_before_both_agree() {
        let check = |given: [&str; 3], want: [&str; 3]| {
            let [person, phone, email] = given.map(String::from);
            let masked = Contact { person, phone, email }.masked();
            assert_eq!([masked.person.as_str(), masked.phone.as_str(), masked.email.as_str()], want);
        };
        check(["张三", "13800000000", "ab@x.cn"], ["张**", "138****0000", "a***@x.cn"]);
        check(["欧阳明月", "0311-8765 4321", "a@x.cn"], ["欧**", "031****4321", "***@x.cn"]);
        check(["", "", ""], ["", "", ""]);
        check(["李", "8765", "无"], ["李**", "****", "***"]);
        check(["A", "87654321", "@x"], ["A**", "****21", "***@x"]);
        check(["王五", "微信同号", "w\"@\"@b.cn"], ["王**", "****", "w***@b.cn"]);
    }
}
