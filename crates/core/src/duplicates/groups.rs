//! Turns links into groups: connected components, with every link and its reason.

use std::collections::BTreeMap;

use super::{
    limits::{FIRM, MAX_LOOSE_MEMBERS},
    signed::Signed,
};
use crate::domain::RecordName;

/// A group of duplicates.
#[derive(Debug, Clone, PartialEq)]
pub struct DuplicateGroup {
    /// Names in order, at least two.
    pub members: Vec<RecordName>,
    /// All links between the members, by name. Two members may be connected only through others.
    pub links: Vec<Link>,
    /// Whether a larger group was reduced to its firm links.
    pub is_cut_down: bool,
}

/// A reason to call two records duplicates.
#[derive(Debug, Clone, PartialEq)]
pub struct Link {
    /// The record with the lower name.
    pub left: RecordName,
    /// The other record.
    pub right: RecordName,
    /// The reason.
    pub reason: DuplicateReason,
}

/// Reason why two records are duplicates.
#[derive(Debug, Clone, PartialEq)]
pub enum DuplicateReason {
    /// Both have this registration number.
    Number(String),
    /// Both have the same owner and near-equal titles.
    OwnerTitle {
        /// Jaccard similarity of the titles' character pairs, without generic words.
        title: f64,
        /// Jaccard similarity of the texts, for information.
        text: f64,
    },
    /// Title and body together are near-equal.
    Text {
        /// Jaccard similarity of the character trigram sets.
        jaccard: f64,
    },
}

/// A link between two signed records, by index.
#[derive(Debug, Clone)]
pub(super) struct SignedLink {
    pub left: u32,
    pub right: u32,
    pub reason: DuplicateReason,
}

/// Disjoint sets of indices.
struct Union {
    parents: BTreeMap<u32, u32>,
}

/// Groups of linked records, ordered by the name of the first member. `signed` must be sorted by name.
pub(super) fn group(signed: &[Signed], links: Vec<SignedLink>) -> Vec<DuplicateGroup> {
    let mut groups = Vec::new();
    for links in components(links) {
        if members(&links).len() <= MAX_LOOSE_MEMBERS {
            groups.push((links, false));
            continue;
        }
        let firm = links.into_iter().filter(|link| link.reason.is_firm()).collect();
        groups.extend(components(firm).into_iter().map(|links| (links, true)));
    }
    let mut groups: Vec<DuplicateGroup> =
        groups.into_iter().map(|(links, is_cut_down)| named(signed, links, is_cut_down)).collect();
    groups.sort_by(|one, other| one.members.cmp(&other.members));
    groups
}

/// Splits links into connected components.
fn components(links: Vec<SignedLink>) -> Vec<Vec<SignedLink>> {
    let mut union = Union { parents: BTreeMap::new() };
    // a record is not its own duplicate
    let links: Vec<SignedLink> = links.into_iter().filter(|link| link.left != link.right).collect();
    links.iter().for_each(|link| union.join(link.left, link.right));
    let mut found: BTreeMap<u32, Vec<SignedLink>> = BTreeMap::new();
    for link in links {
        found.entry(union.root(link.left)).or_default().push(link);
    }
    found.into_values().collect()
}

fn members(links: &[SignedLink]) -> Vec<u32> {
    let mut members: Vec<u32> = links.iter().flat_map(|link| [link.left, link.right]).collect();
    members.sort_unstable();
    members.dedup();
    members
}

fn named(signed: &[Signed], mut links: Vec<SignedLink>, is_cut_down: bool) -> DuplicateGroup {
    let name = |place: u32| signed.get(place as usize).map(|signed| signed.name.clone());
    let members = members(&links).into_iter().filter_map(name).collect();
    links.sort_by_key(|link| (link.left, link.right, link.reason.order()));
    let link = |link: SignedLink| Some(Link { left: name(link.left)?, right: name(link.right)?, reason: link.reason });
    DuplicateGroup { members, links: links.into_iter().filter_map(link).collect(), is_cut_down }
}

// === impl DuplicateReason ===

impl DuplicateReason {
    /// Stable code in UPPER_SNAKE.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Number(_) => "REGISTRATION_NUMBER",
            Self::OwnerTitle { .. } => "OWNER_AND_TITLE",
            Self::Text { .. } => "TEXT",
        }
    }

    /// Chinese sentence with the similarity.
    pub fn chinese(&self) -> String {
        match self {
            Self::Number(number) => format!("登记号同为 {number}。"),
            Self::OwnerTitle { title, text } => {
                format!("单位相同，名称相近（相似度 {title:.2}，全文相似度 {text:.2}）。")
            }
            Self::Text { jaccard } => format!("名称和正文相近（相似度 {jaccard:.2}）。"),
        }
    }

    /// Returns whether this link alone is convincing.
    pub(super) fn is_firm(&self) -> bool {
        match self {
            Self::Number(_) => true,
            // an owner may use one title for a hundred demands
            Self::OwnerTitle { title, text } => FIRM <= *title && FIRM <= *text,
            Self::Text { jaccard } => FIRM <= *jaccard,
        }
    }

    fn order(&self) -> u8 {
        match self {
            Self::Number(_) => 0,
            Self::OwnerTitle { .. } => 1,
            Self::Text { .. } => 2,
        }
    }
}

// === impl Union ===

impl Union {
    fn root(&mut self, place: u32) -> u32 {
        let mut root = place;
        while let Some(parent) = self.parents.get(&root).copied().filter(|parent| *parent != root) {
            root = parent;
        }
        // path compression keeps long chains cheap
        let mut next = place;
        while let Some(parent) = self.parents.insert(next, root).filter(|parent| *parent != next && *parent != root) {
            next = parent;
        }
        root
    }

    /// Merges two sets under the lower root.
    fn join(&mut self, left: u32, right: u32) {
        let (left, right) = (self.root(left), self.root(right));
        self.parents.insert(left.max(right), left.min(right));
    }
}
