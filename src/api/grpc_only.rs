//! Answers requests that are no gRPC calls of this service: HTTP/1.1, and compressions that it does not take. Without
//! these answers a browser sees a broken connection, and a client is not told what to use instead.

use std::{
    future::{Ready, ready},
    task::{Context, Poll},
};

use futures::future::Either;
use http::{Request, Response, StatusCode, Version, header};
use tonic::body::Body;
use tower::{Layer, Service};

use super::status;

/// Compressions of requests that every service takes.
const ENCODINGS: [&str; 3] = ["gzip", "zstd", "identity"];
/// What a client without HTTP/2 is told.
const SENTENCE: &str = "此端口提供 gRPC（HTTP/2）接口，不是网页；请用 gRPC 客户端或 duijie 命令访问。\n\
                        This port speaks gRPC over HTTP/2. Use a gRPC client or the duijie command.\n";

/// Layer that lets only gRPC calls pass.
#[derive(Debug, Clone, Copy)]
pub struct GrpcOnlyLayer;

/// Service behind [`GrpcOnlyLayer`].
#[derive(Debug, Clone)]
pub struct GrpcOnly<S>(S);

// === impl GrpcOnlyLayer ===

impl<S> Layer<S> for GrpcOnlyLayer {
    type Service = GrpcOnly<S>;

    fn layer(&self, inner: S) -> GrpcOnly<S> {
        GrpcOnly(inner)
    }
}

// === impl GrpcOnly ===

impl<S> Service<Request<Body>> for GrpcOnly<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Either<Ready<Result<Self::Response, S::Error>>, S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        if request.version() != Version::HTTP_2 {
            return Either::Left(ready(Ok(upgrade_required())));
        }
        let encoding = request.headers().get("grpc-encoding");
        if encoding.is_some_and(|encoding| ENCODINGS.iter().all(|known| encoding != known)) {
            return Either::Left(ready(Ok(status::unknown_encoding(&ENCODINGS).into_http())));
        }
        Either::Right(self.0.call(request))
    }
}

/// 426 with a sentence; the connection ends with it.
fn upgrade_required() -> Response<Body> {
    let mut answer = Response::new(Body::new(SENTENCE.to_string()));
    *answer.status_mut() = StatusCode::UPGRADE_REQUIRED;
    let headers = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
        (header::UPGRADE, "h2c"),
        (header::CONNECTION, "upgrade, close"),
    ];
    for (name, value) in headers {
        answer.headers_mut().insert(name, header::HeaderValue::from_static(value));
    }
    answer
}
