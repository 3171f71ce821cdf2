//! Reads all pages of a list, one after the other.
//!
//! ```ignore
//! let mut pages = Pages::new(|after| index.scroll(kind, &filter, PageRequest { after, limit, with }));
//! while let Some(page) = pages.next_page().await? {
//!     // ...
//! }
//! ```

use std::future::Future;

use crate::{DocumentPage, PointId, PointPage, VectorPage};

/// A page that says where the next one begins.
pub trait Paged {
    /// What to read after to get the next page; `None` on the last one.
    fn next(&self) -> Option<PointId>;
}

/// Pages in the order of ids. A page is read only when it is asked for.
#[derive(Debug)]
pub struct Pages<R> {
    read: R,
    /// What the next page comes after; the outer `None` behind the last page.
    after: Option<Option<PointId>>,
}

// === impl Paged ===

impl Paged for PointPage {
    fn next(&self) -> Option<PointId> {
        self.next
    }
}

impl Paged for VectorPage {
    fn next(&self) -> Option<PointId> {
        self.next
    }
}

impl Paged for DocumentPage {
    fn next(&self) -> Option<PointId> {
        self.next
    }
}

// === impl Pages ===

impl<R, F, P, E> Pages<R>
where
    R: FnMut(Option<PointId>) -> F,
    F: Future<Output = Result<P, E>>,
    P: Paged,
{
    /// All pages. `read` reads the page after an id; after `None` the first one.
    pub fn new(read: R) -> Self {
        Self::after(None, read)
    }

    /// The pages after an id.
    pub fn after(id: Option<PointId>, read: R) -> Self {
        Self { read, after: Some(id) }
    }

    /// Reads the next page; `None` behind the last one.
    ///
    /// # Errors
    /// Those of `read`. The same page is read again by the next call.
    pub async fn next_page(&mut self) -> Result<Option<P>, E> {
        let Some(after) = self.after else { return Ok(None) };
        let page = (self.read)(after).await?;
        self.after = page.next().map(Some);
        Ok(Some(page))
    }
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};

    use uuid::Uuid;

    use super::*;

    /// A page that holds its number.
    #[derive(Debug, PartialEq)]
    struct Numbered {
        number: u128,
        next: Option<PointId>,
    }

    impl Paged for Numbered {
        fn next(&self) -> Option<PointId> {
            self.next
        }
    }

    fn id(number: u128) -> PointId {
        PointId::from(Uuid::from_u128(number))
    }

    #[tokio::test]
    async fn every_page_is_read_once_and_in_order() {
        let asked = RefCell::new(Vec::new());
        let read = async |after: Option<PointId>| {
            asked.borrow_mut().push(after);
            let number = after.map_or(1, |after| after.uuid().as_u128() + 1);
            Ok::<_, ()>(Numbered { number, next: (number < 3).then(|| id(number)) })
        };
        let mut pages = Pages::new(&read);
        let mut seen = Vec::new();
        while let Some(Numbered { number, .. }) = pages.next_page().await.unwrap() {
            seen.push(number);
        }
        assert_eq!(seen, [1, 2, 3]);
        assert_eq!(pages.next_page().await, Ok(None), "nothing is read behind the last page");
        assert_eq!(asked.take(), [None, Some(id(1)), Some(id(2))]);
        let second = Numbered { number: 2, next: Some(id(2)) };
        assert_eq!(Pages::after(Some(id(1)), &read).next_page().await, Ok(Some(second)));
    }

    #[tokio::test]
    async fn a_page_that_could_not_be_read_is_read_again() {
        let fails = Cell::new(true);
        let page = || Numbered { number: 1, next: None };
        let mut pages = Pages::new(async |_| if fails.replace(false) { Err("busy") } else { Ok(page()) });
        assert_eq!(pages.next_page().await, Err("busy"));
        assert_eq!(pages.next_page().await, Ok(Some(page())));
        assert_eq!(pages.next_page().await, Ok(None));
    }
}
