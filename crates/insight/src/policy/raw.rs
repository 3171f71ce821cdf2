//! The TOML file as written, each value with its position. The field names are the authors' file format.

use serde::Deserialize;
use toml::{Spanned, value::Datetime};

/// A whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPolicy {
    pub format: Spanned<i64>,
    pub id: Spanned<String>,
    pub version: Spanned<String>,
    pub title: Spanned<String>,
    pub issuer: Spanned<String>,
    pub source: Spanned<String>,
    pub clause: Spanned<String>,
    pub quote: Spanned<String>,
    pub combine: Spanned<String>,
    pub total_cap_yuan: Option<Spanned<i64>>,
    #[serde(default)]
    pub validity: RawValidity,
    pub buyer: RawBuyer,
    pub scheme: Vec<Spanned<RawScheme>>,
    #[serde(default)]
    pub question: Vec<Spanned<RawQuestion>>,
}

/// `[validity]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawValidity {
    pub from: Option<Spanned<Datetime>>,
    pub to: Option<Spanned<Datetime>>,
    pub plan_years: Option<Spanned<Vec<i64>>>,
}

/// `[buyer]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawBuyer {
    pub regions: Spanned<Vec<Spanned<String>>>,
    #[serde(default)]
    pub kinds: Vec<Spanned<String>>,
}

/// `[[scheme]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawScheme {
    pub id: Spanned<String>,
    pub title: Spanned<String>,
    pub seller_regions: Spanned<Vec<Spanned<String>>>,
    pub cap_yuan: Spanned<i64>,
    pub band: Vec<Spanned<RawBand>>,
}

/// `[[scheme.band]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawBand {
    pub from_yuan: Spanned<i64>,
    pub below_yuan: Option<Spanned<i64>>,
    pub rate_basis_points: Spanned<i64>,
    pub base: Spanned<String>,
    pub lower_bands: Option<Spanned<String>>,
}

/// `[[question]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawQuestion {
    pub code: Spanned<String>,
    pub text: Spanned<String>,
    #[serde(default)]
    pub schemes: Vec<Spanned<String>>,
    pub from_yuan: Option<Spanned<i64>>,
    pub below_yuan: Option<Spanned<i64>>,
    pub otherwise: Option<Spanned<String>>,
}
