//! Opening the shards of a store, all of them or those that can be opened.

use std::{collections::BTreeMap, sync::Arc, thread};

use super::{
    EdgeIndex, EdgeOptions, Handle,
    census::{CensusDifference, CensusRule},
    store::StoreFolder,
};
use crate::{CollectionKind, IndexError, Result};

/// A store of which some shards could not be opened.
pub struct PartlyOpened {
    /// The others.
    pub index: EdgeIndex,
    /// Why each of these could not be opened.
    pub failed: Vec<(CollectionKind, IndexError)>,
}

// === impl EdgeIndex ===

impl EdgeIndex {
    /// Opens the shards that can be opened, to look what is damaged. What asks for another shard fails.
    ///
    /// # Errors
    /// Those of the folder as a whole: [`IndexError::InUse`], [`IndexError::OtherVersions`], [`IndexError::Foreign`],
    /// [`IndexError::Folder`].
    pub fn open_partly(options: EdgeOptions) -> Result<PartlyOpened> {
        let store = Arc::new(StoreFolder::open(&options)?);
        let (mut shards, mut failed) = (Vec::new(), Vec::new());
        for (collection, shard) in open_shards(&store, &options, CensusRule::Report) {
            match shard {
                Ok(shard) => shards.push(shard),
                Err(error) => failed.push((collection, error)),
            }
        }
        Ok(PartlyOpened { index: Self::start(store, shards, &options)?, failed })
    }

    /// Shards whose points are not those of the last checkpoint; only after [`EdgeIndex::open_partly`].
    pub fn census_differences(&self) -> BTreeMap<CollectionKind, CensusDifference> {
        let shards = self.shards.iter().map(|handle| &handle.charge.shard);
        shards.filter_map(|shard| Some((shard.place.collection, shard.census_difference()?))).collect()
    }

    /// Takes the points that there are for right, so that the next start does not refuse them.
    ///
    /// # Errors
    /// [`IndexError::Folder`].
    pub fn accept_census(&self) -> Result<()> {
        self.shards.iter().try_for_each(|handle| handle.charge.shard.accept_census())
    }
}

/// Opens all shards in parallel: a restart waits for the largest one, not for the sum.
pub(super) fn open_shards(
    store: &Arc<StoreFolder>,
    options: &EdgeOptions,
    rule: CensusRule,
) -> [(CollectionKind, Result<Handle>); 4] {
    thread::scope(|scope| {
        let open = |collection| Handle::open(store, collection, options.tuning.clone(), rule);
        let opening = CollectionKind::ALL.map(|collection| (collection, scope.spawn(move || open(collection))));
        opening.map(|(collection, shard)| (collection, shard.join().unwrap_or(Err(IndexError::Closed))))
    })
}
