//! `AccessService`: check → convert → call → convert.

use std::time::Duration;

use jiff::Timestamp;
use tonic::{Request, Response, Status};

use super::{
    caller::identity,
    convert::access::{caller_out, key_in, key_out},
    page::{Paging, Sizes, fit},
};
use crate::{
    app::Parts,
    error::Error,
    identity::{KeyError, MAX_OVERLAP},
};
use duijie_core::domain::{Problem, Violation};
use duijie_proto as pb;
use duijie_proto::access_service_server::AccessService;

/// Pages of keys.
const SIZES: Sizes = Sizes { default: 50, max: 200 };
/// How long the secret before a rotation is taken where nothing is said.
const OVERLAP: Duration = Duration::from_secs(24 * 3_600);

/// The service.
pub struct AccessRpcs(pub Parts);

#[tonic::async_trait]
impl AccessService for AccessRpcs {
    async fn create_api_key(
        &self,
        request: Request<pb::CreateApiKeyRequest>,
    ) -> Result<Response<pb::CreateApiKeyResponse>, Status> {
        let spec = key_in(request.into_inner().key).map_err(Error::from)?;
        let now = Timestamp::now();
        let made = self.0.access.keys().create(spec, now).await?;
        let (key, secret) = (Some(key_out(&made.key, now)), made.secret.text());
        Ok(Response::new(pb::CreateApiKeyResponse { key, secret }))
    }

    async fn list_api_keys(
        &self,
        request: Request<pb::ListApiKeysRequest>,
    ) -> Result<Response<pb::ListApiKeysResponse>, Status> {
        let paging = Paging::of(&mut request.into_inner(), SIZES, self.0.signing.key().await?)?;
        let (after, now): (Option<String>, _) = (paging.start()?, Timestamp::now());
        let mut keys = self.0.access.keys().all().await?;
        keys.retain(|key| after.as_ref().is_none_or(|after| after < &key.id));
        let has_more = paging.size < keys.len();
        keys.truncate(paging.size);
        let next = keys.last().filter(|_| has_more).map(|key| key.id.clone());
        let (keys, next) = fit(keys.iter().map(|key| (key.id.clone(), key_out(key, now))), next);
        Ok(Response::new(pb::ListApiKeysResponse { keys, next_page_token: paging.token(next) }))
    }

    async fn rotate_api_key(
        &self,
        request: Request<pb::RotateApiKeyRequest>,
    ) -> Result<Response<pb::RotateApiKeyResponse>, Status> {
        let pb::RotateApiKeyRequest { id, overlap } = request.into_inner();
        let overlap = match overlap {
            None => OVERLAP,
            Some(overlap) => {
                let overlap = Duration::try_from(overlap).ok().filter(|overlap| *overlap <= MAX_OVERLAP);
                let max = i64::try_from(MAX_OVERLAP.as_secs()).unwrap_or(i64::MAX);
                let problem = Problem::OutOfRange { min: 0, max };
                overlap.ok_or_else(|| Error::from(Violation::new("overlap", problem)))?
            }
        };
        let id = checked(id)?;
        let now = Timestamp::now();
        let made = self.0.access.keys().rotate(&id, overlap, now).await?;
        let (key, secret) = (Some(key_out(&made.key, now)), made.secret.text());
        Ok(Response::new(pb::RotateApiKeyResponse { key, secret }))
    }

    async fn revoke_api_key(
        &self,
        request: Request<pb::RevokeApiKeyRequest>,
    ) -> Result<Response<pb::RevokeApiKeyResponse>, Status> {
        let id = checked(request.into_inner().id)?;
        let now = Timestamp::now();
        let key = self.0.access.keys().revoke(&id, now).await?;
        Ok(Response::new(pb::RevokeApiKeyResponse { key: Some(key_out(&key, now)) }))
    }

    async fn get_caller(
        &self,
        request: Request<pb::GetCallerRequest>,
    ) -> Result<Response<pb::GetCallerResponse>, Status> {
        Ok(Response::new(caller_out(&*identity(request.extensions())?)))
    }
}

/// An id that a key can have; the store is not asked for others.
fn checked(id: String) -> Result<String, Error> {
    match id.is_empty() {
        true => Err(Violation::new("id", Problem::Required).into()),
        false if 64 < id.len() => Err(KeyError::NotFound(id.chars().take(64).collect()).into()),
        false => Ok(id),
    }
}
