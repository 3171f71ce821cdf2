//! The running service: the API and the background work.

use std::future::Future;

use tokio::{net::TcpListener, sync::watch};

use crate::{
    api::{self, Incoming, Limits, ServeError},
    app::{Background, Parts},
};

/// Serves on `listener` until `stop` resolves. Calls in flight then finish within the drain time; a running job is left
/// to the next instance.
///
/// # Errors
/// When the transport fails.
pub async fn serve(
    parts: Parts,
    limits: Limits,
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send,
) -> Result<(), ServeError> {
    let (stopping, stopped) = watch::channel(false);
    let background = Background::start(&parts, &stopped);
    let told = async {
        stop.await;
        let _ = stopping.send(true);
        // calls in flight finish; `api::serve` returns by itself
        std::future::pending().await
    };
    let served = tokio::select! {
        served = api::serve(parts, limits, Incoming::new(listener), stopped) => served,
        never = told => never,
    };
    // after a transport failure nobody has told the tasks to stop
    let _ = stopping.send(true);
    background.join().await;
    served
}
