//! Contacts and their masking until both sides consent.

use serde::{Deserialize, Serialize};

/// Maximum characters of a contact's field.
pub(crate) const MAX_CONTACT_CHARS: usize = 100;
/// Mask for hidden characters of a name.
const HIDDEN: &str = "**";

/// Contact person of a participant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Contact {
    /// Name of the person; empty if unknown.
    pub person: String,
    /// Telephone number; empty if unknown.
    pub phone: String,
    /// E-mail address; empty if unknown.
    pub email: String,
}

// === impl Contact ===

impl Contact {
    /// Returns the contact masked so that it does not identify the person: 张**, 138****0000, a***@x.cn.
    #[must_use]
    pub fn masked(&self) -> Self {
        Self { person: masked_name(&self.person), phone: masked_phone(&self.phone), email: masked_email(&self.email) }
    }

    /// Returns the contact in full if both sides consent, otherwise masked.
    #[must_use]
    pub fn shown(&self, agreed: bool) -> Self {
        if agreed { self.clone() } else { self.masked() }
    }

    /// Returns whether every field is empty.
    pub fn is_empty(&self) -> bool {
        self.person.is_empty() && self.phone.is_empty() && self.email.is_empty()
    }
}

/// Keeps the first character of a name.
fn masked_name(name: &str) -> String {
    name.chars().next().map(|first| format!("{first}{HIDDEN}")).unwrap_or_default()
}

/// Keeps the first three and last four digits of a mobile number, the last two of shorter numbers, none of the
/// shortest.
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

/// Keeps the first letter and the domain.
fn masked_email(email: &str) -> String {
    match email.rsplit_once('@') {
        Some((local, domain)) => {
            let first = local.chars().next().map(String::from).unwrap_or_default();
            // a local part of one letter would be shown in full
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
