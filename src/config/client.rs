//! The command line as a client, as the configuration says it.

use std::{fmt, path::PathBuf};

use super::reader::Reader;

/// The command line as a client.
#[derive(Debug, Clone, Default)]
pub struct Client {
    /// API key.
    pub api_key: Option<ApiKey>,
    /// Whether the API key may be sent to another machine in plaintext.
    pub insecure: bool,
}

/// Where the API key is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApiKey {
    /// In the configuration.
    Given(Secret),
    /// In a file.
    File(PathBuf),
}

/// A text that is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

// === impl Client ===

impl Client {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let given = reader.optional("client.api_key").map(|text| ApiKey::Given(Secret(text)));
        let file = reader.optional("client.api_key_file").map(|path| ApiKey::File(path.into()));
        if given.is_some() && file.is_some() {
            reader.mistake("client.api_key 与 client.api_key_file 只能设一个".into());
        }
        Self { api_key: given.or(file), insecure: reader.flag("client.insecure") }
    }
}

// === impl Secret ===

impl Secret {
    /// The text itself.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn a_key_of_the_command_line_is_never_shown() {
        let toml = "[client]\napi_key = \"djk_geheim\"";
        let client = Config::read(toml, []).unwrap().client;
        assert!(!format!("{client:?}").contains("geheim"));
        assert!(matches!(client.api_key, Some(ApiKey::Given(secret)) if secret.reveal() == "djk_geheim"));
        assert_eq!(Config::effective(toml, []).unwrap()["client.api_key"], "（已设置）");
        assert!(Config::read(&format!("{toml}\napi_key_file = \"x\""), []).is_err());
    }
}
