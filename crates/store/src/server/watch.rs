//! Health checks, once a second. They find the store when the engine first answers, open the circuit when the engine
//! fails or the store is under maintenance, and close it again. Beside them every node of a cluster is probed.
//!
//! On an empty engine each instance creates what is missing: whoever comes second finds it there, or waits for it.

use std::{sync::Arc, time::Duration};

use super::{
    collections,
    core::{ServerCore, StoreFile, WantedStore},
    duty, state,
    wire::{CircuitState, WireFailure},
};
use crate::{IndexError, MAINTENANCE, Result};

/// Key of the document that names the store in use.
pub(super) const STORE: &str = "store";

/// Longest time in which the collections of an empty cluster are created.
const CREATION: Duration = Duration::from_secs(60);

/// Checks until the program proves unfit for the store.
pub(super) async fn run(core: Arc<ServerCore>) {
    loop {
        let check = async {
            let circuit_state = look(&core).await;
            let refused = matches!(circuit_state, CircuitState::Refused(_));
            core.wire.set_circuit_state(circuit_state);
            refused
        };
        if tokio::join!(check, core.wire.probe()).0 {
            return;
        }
        tokio::time::sleep(core.pace.look_every).await;
    }
}

/// One health check.
async fn look(core: &ServerCore) -> CircuitState {
    // a hanging check must not keep the last result valid; before the first one there is none
    let patience = if core.store().is_ok() { core.pace.stale_after.max(Duration::from_secs(1)) } else { CREATION };
    let looked = tokio::time::timeout(patience, find(core));
    match looked.await {
        Ok(Ok(circuit_state)) => circuit_state,
        Ok(Err(error @ (IndexError::Unfit { .. } | IndexError::OtherVersions { .. } | IndexError::Refused(_)))) => {
            CircuitState::Refused(error.to_string())
        }
        Ok(Err(
            IndexError::Unreachable { reason, .. }
            | IndexError::NodesAway { reason, .. }
            | IndexError::Server { reason },
        )) => CircuitState::Down(reason),
        Ok(Err(error)) => CircuitState::Down(error.to_string()),
        Err(_) => CircuitState::Down("查看状态超时".to_string()),
    }
}

async fn find(core: &ServerCore) -> Result<CircuitState> {
    let error = |failure| core.wire.error(failure);
    let maintenance = duty::key(MAINTENANCE);
    let documents = [STORE, &maintenance];
    let documents = match state::read(core, &documents).await {
        Err(WireFailure::Refused(status)) if status.code() == tonic::Code::NotFound => {
            if matches!(core.wanted, WantedStore::Any) {
                return Err(no_store(core));
            }
            collections::ensure_state(core).await?;
            // the node that was asked may only have lagged behind
            state::read(core, &documents).await.map_err(error)?
        }
        documents => documents.map_err(error)?,
    };
    let mut documents = documents.into_iter();
    let (store, maintenance) = (documents.next().flatten(), documents.next().flatten());
    let store = match store {
        Some(document) => read_store(core, &document.value)?,
        None => begin(core).await?,
    };
    let store = wanted(core, store)?;
    if core.store().is_err() {
        tokio::try_join!(collections::ensure_records(core, &store), collections::ensure_documents(core))?;
        core.set_store(store.clone());
    }
    core.set_status(collections::look(core, &store).await?);
    let holder = maintenance.and_then(|document| duty::held(core, MAINTENANCE, &document));
    Ok(if holder.is_none_or(|holder| holder == core.holder) { CircuitState::Ready } else { CircuitState::Maintenance })
}

/// Creates the first store.
async fn begin(core: &ServerCore) -> Result<StoreFile> {
    let error = |failure| core.wire.error(failure);
    let WantedStore::This(shape) = &core.wanted else { return Err(no_store(core)) };
    let file = StoreFile { shape: shape.clone(), generation: 1 };
    collections::ensure_records(core, &file).await?;
    let text = serde_json::to_string(&file).map_err(|error| IndexError::Server { reason: error.to_string() })?;
    match state::put(core, STORE, text, None).await.map_err(error)? {
        Some(_) => Ok(file),
        // another instance was faster
        None => match state::read(core, &[STORE]).await.map_err(error)?.into_iter().next().flatten() {
            Some(document) => read_store(core, &document.value),
            None => Err(IndexError::Server { reason: "另一个实例正在建立存储".to_string() }),
        },
    }
}

/// The store that this process works on, given the one in use.
fn wanted(core: &ServerCore, found: StoreFile) -> Result<StoreFile> {
    if let Ok(opened) = core.store()
        && !matches!(core.wanted, WantedStore::Growing(_))
        && *opened != found
    {
        return Err(IndexError::Refused("存储已被重建，请以新的配置重启服务".to_string()));
    }
    match &core.wanted {
        WantedStore::Any => Ok(found),
        WantedStore::Growing(file) => Ok(file.clone()),
        WantedStore::This(shape) => {
            let difference = found.shape.misfit(shape);
            match difference.is_empty() {
                true => Ok(found),
                false => Err(IndexError::OtherVersions { store: core.place(), difference }),
            }
        }
    }
}

/// Reads the document of the store.
pub(super) fn read_store(core: &ServerCore, text: &str) -> Result<StoreFile> {
    serde_json::from_str(text).map_err(|error| IndexError::Unfit {
        collection: core.state_name(),
        difference: format!("存储说明无法读取：{error}"),
    })
}

fn no_store(core: &ServerCore) -> IndexError {
    IndexError::Refused(format!("{} 上没有存储，请检查 qdrant.url 和 qdrant.prefix", core.place()))
}
