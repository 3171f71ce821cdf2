//! Who calls, and the places that all callers share: none can hold all of them.

use std::{
    collections::{HashMap, hash_map::Entry},
    fmt,
    net::{IpAddr, Ipv6Addr},
    sync::Arc,
    time::Duration,
};

use parking_lot::Mutex;
use tokio::{sync::Notify, time::timeout};
use tonic::Extensions;

use super::connection::Connection;
use crate::{
    error::Error,
    identity::{Identity, Unknown},
};

/// Who calls: the holder of a key, or else an address. All callers without a key behind one gateway are one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Caller {
    /// Nothing is known.
    Unknown,
    /// Somebody at an address.
    At(IpAddr),
    /// The holder of the key with this id.
    Key(u64),
}

/// Places of one sort, or bytes of memory, shared by all callers; clones share them.
///
/// A caller may take more than its share while a quarter of all places is free, so the share only counts when places are
/// scarce.
#[derive(Debug, Clone)]
pub struct Shares(Arc<Places>);

/// Places that a caller holds until this is dropped.
#[derive(Debug)]
pub struct Place {
    places: Arc<Places>,
    caller: Caller,
    size: usize,
}

#[derive(Debug)]
struct Places {
    total: usize,
    share: usize,
    held: Mutex<Held>,
    freed: Notify,
}

#[derive(Debug, Default)]
struct Held {
    all: usize,
    by: HashMap<Caller, usize>,
}

/// The caller of a request. The only place that says who it is.
pub fn caller(extensions: &Extensions) -> Caller {
    let identity = extensions.get::<Arc<Identity>>();
    let key = identity.and_then(|identity| u64::from_str_radix(identity.key.as_deref()?, 16).ok());
    let address = || extensions.get::<Arc<Connection>>().map_or(Caller::Unknown, |connection| connection.caller());
    key.map_or_else(address, Caller::Key)
}

/// What the caller of a request may do. Somebody whom nobody has looked at may do nothing.
pub fn identity(extensions: &Extensions) -> Result<Arc<Identity>, Error> {
    extensions.get::<Arc<Identity>>().cloned().ok_or_else(|| Unknown::Missing.into())
}

// === impl Caller ===

impl Caller {
    /// The caller at an address. Of an IPv6 address the first half counts: the other half is the caller's own choice.
    pub fn at(address: IpAddr) -> Self {
        let own_choice = |address: Ipv6Addr| IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)));
        Self::At(match address.to_canonical() {
            IpAddr::V6(address) => own_choice(address),
            address => address,
        })
    }

    /// A number for this caller alone; 0 for callers without an address.
    pub fn key(self) -> u128 {
        // the last half of an IPv6 address is 0 here, and that of an IPv4 address has 48 bits at most
        const KEYS: u128 = 1 << 63;
        match self {
            Self::Unknown => 0,
            Self::At(IpAddr::V4(address)) => address.to_ipv6_mapped().to_bits(),
            Self::At(IpAddr::V6(address)) => address.to_bits(),
            Self::Key(id) => KEYS | u128::from(id),
        }
    }
}

impl fmt::Display for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("unknown"),
            Self::At(address) => address.fmt(f),
            Self::Key(id) => write!(f, "key/{id:012x}"),
        }
    }
}

// === impl Shares ===

impl Shares {
    /// So many places, of which one caller may hold `percent` when they are scarce, and one at least.
    pub fn new(total: usize, percent: usize) -> Self {
        let share = (total / 100 * percent + total % 100 * percent / 100).max(1);
        Self(Arc::new(Places { total, share, held: Mutex::default(), freed: Notify::new() }))
    }

    /// Takes `size` places, if there are so many for this caller.
    pub fn take(&self, caller: Caller, size: usize) -> Option<Place> {
        let mut place = Place { places: Arc::clone(&self.0), caller, size: 0 };
        place.resize(size).then_some(place)
    }

    /// All places.
    pub fn total(&self) -> usize {
        self.0.total
    }
}

// === impl Place ===

impl Place {
    /// Holds `size` places from now on; if there are not so many for this caller, nothing changes.
    pub fn resize(&mut self, size: usize) -> bool {
        let places = &self.places;
        let mut held = places.held.lock();
        let mine = held.by.get(&self.caller).copied().unwrap_or(0) - self.size + size;
        let all = held.all - self.size + size;
        let scarce = places.total - places.total / 4 < all;
        if self.size < size && (places.total < all || (scarce && places.share < mine)) {
            return false;
        }
        held.all = all;
        match held.by.entry(self.caller) {
            Entry::Occupied(entry) if mine == 0 => drop(entry.remove()),
            Entry::Vacant(_) if mine == 0 => {}
            entry => drop(entry.insert_entry(mine)),
        }
        drop(held);
        if size < self.size {
            places.freed.notify_waiters();
        }
        self.size = size;
        true
    }

    /// As [`Place::resize`], but waits until there are so many places, at most `patience`.
    pub async fn resize_within(&mut self, size: usize, patience: Duration) -> bool {
        if self.resize(size) {
            return true;
        }
        let places = Arc::clone(&self.places);
        let waiting = async {
            loop {
                let freed = places.freed.notified();
                tokio::pin!(freed);
                // from here on nothing that is freed is missed
                freed.as_mut().enable();
                if self.resize(size) {
                    return;
                }
                freed.await;
            }
        };
        timeout(patience, waiting).await.is_ok()
    }

    /// Places held.
    pub fn size(&self) -> usize {
        self.size
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.resize(0);
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    fn callers() -> [Caller; 3] {
        [1, 2, 3].map(|last| Caller::at(IpAddr::from([10, 0, 0, last])))
    }

    fn count(shares: &Shares, caller: Caller, held: &mut Vec<Place>) -> usize {
        let before = held.len();
        held.extend(std::iter::from_fn(|| shares.take(caller, 1)));
        held.len() - before
    }

    #[test]
    fn no_caller_holds_all_places() {
        let [greedy, other, third] = callers();
        let shares = Shares::new(100, 50);
        let mut held = Vec::new();
        assert_eq!(count(&shares, greedy, &mut held), 75);
        let mut others = Vec::new();
        assert_eq!(count(&shares, other, &mut others), 25);
        assert_eq!(count(&shares, third, &mut others), 0);
        // a caller beyond its share does not come back before there is plenty again
        held.truncate(60);
        assert_eq!(count(&shares, greedy, &mut held), 0);
        assert_eq!(count(&shares, third, &mut others), 15);
        drop((held, others));
        assert!(shares.0.held.lock().by.is_empty());
        assert_eq!(count(&shares, greedy, &mut Vec::new()), 75);
    }

    #[test]
    fn a_whole_share_is_no_bound() {
        let shares = Shares::new(7, 100);
        assert_eq!(count(&shares, Caller::Unknown, &mut Vec::new()), 7);
        // one place is enough for somebody
        assert_eq!(count(&Shares::new(1, 1), Caller::Unknown, &mut Vec::new()), 1);
        assert!(Shares::new(usize::MAX, 50).take(Caller::Unknown, 1 << 40).is_some());
    }

    #[tokio::test]
    async fn places_grow_and_shrink_and_can_be_waited_for() {
        let [one, other, _] = callers();
        let shares = Shares::new(100, 100);
        let mut place = shares.take(one, 10).unwrap();
        assert!(place.resize(60));
        let mut second = shares.take(other, 1).unwrap();
        assert!(!second.resize(41) && second.size() == 1);
        {
            let minute = Duration::from_secs(60);
            let waiting = second.resize_within(41, minute);
            tokio::pin!(waiting);
            assert!(waiting.as_mut().now_or_never().is_none());
            assert!(place.resize(59));
            assert!(waiting.await);
        }
        assert!(!second.resize_within(42, Duration::ZERO).await);
        drop((place, second));
        assert_eq!(shares.0.held.lock().all, 0);
    }

    #[test]
    fn addresses_of_one_caller_are_one() {
        let at = |text: &str| Caller::at(text.parse().unwrap());
        assert_eq!(at("::ffff:10.0.0.1"), at("10.0.0.1"));
        assert_eq!(at("2001:db8:1:2::1"), at("2001:db8:1:2:ffff::9"));
        assert_ne!(at("2001:db8:1:2::1"), at("2001:db8:1:3::1"));
        assert_eq!(at("10.0.0.1").to_string(), "10.0.0.1");
        let key = Caller::Key(0x3f9c_2b7d_8a10);
        assert_eq!(key.to_string(), "key/3f9c2b7d8a10");
        let all = [Caller::Unknown, at("10.0.0.1"), at("2001:db8::1"), key].map(Caller::key);
        assert!((1..all.len()).all(|one| !all[..one].contains(&all[one])));
    }
}
