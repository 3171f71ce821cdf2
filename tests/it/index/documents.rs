//! The contract of `Documents`, tested through the trait on every engine.

use duijie_core::domain::{Filter, Kind};
use duijie_store::{
    Document, DocumentQuery, DocumentWrite, DocumentWritten, Expect, Index, IndexError, Key,
    documents::{MAX_DOCUMENT_BYTES, all_documents, document_id, remove_folder},
};
use futures::future::join_all;

use super::engines::on_every_engine;

fn write(folder: &str, key: impl Into<Key>, text: &str, expect: Expect) -> DocumentWrite {
    DocumentWrite::new(folder, key, text.to_string(), expect)
}

async fn put(index: &dyn Index, write: DocumentWrite) -> DocumentWritten {
    index.write_documents(vec![write]).await.unwrap()[0]
}

async fn texts(index: &dyn Index, query: DocumentQuery) -> Vec<String> {
    all_documents(index, query).await.unwrap().into_iter().map(|document| document.text).collect()
}

fn stored(version: u64) -> DocumentWritten {
    DocumentWritten::Stored { version }
}

fn conflict(stored: u64) -> DocumentWritten {
    DocumentWritten::Conflict { stored }
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_are_written_by_who_saw_them_last() {
    on_every_engine(async |index, _| {
        let check = async |text: &str, expect: Expect, want: DocumentWritten| {
            assert_eq!(put(index, write("jobs", "a", text, expect)).await, want, "{text} {expect:?}");
        };
        check("none", Expect::Version(1), conflict(0)).await;
        check("one", Expect::Absent, stored(1)).await;
        check("again", Expect::Absent, conflict(1)).await;
        check("two", Expect::Version(1), stored(2)).await;
        check("late", Expect::Version(1), conflict(2)).await;
        check("three", Expect::Any, stored(3)).await;
        let want =
            Document { folder: "jobs".into(), key: "a".into(), version: 3, tags: Vec::new(), text: "three".into() };
        let read = index.read_documents("jobs", &["b".into(), "a".into(), "a".into()]).await.unwrap();
        assert_eq!(read, [None, Some(want.clone()), Some(want)]);
        assert_eq!(index.read_documents("other", &["a".into()]).await.unwrap(), [None]);
        assert_eq!(index.read_documents("jobs", &[]).await.unwrap(), []);
        index.remove_documents("jobs", &["a".into(), "b".into()]).await.unwrap();
        assert_eq!(index.read_documents("jobs", &["a".into()]).await.unwrap(), [None]);
        check("anew", Expect::Absent, stored(1)).await;
        // several in one call, with one repeated
        let several = vec![
            write("jobs", "a", "1", Expect::Version(1)),
            write("jobs", 7, "7", Expect::Any),
            write("jobs", "a", "2", Expect::Version(2)),
            write("jobs", "a", "3", Expect::Version(2)),
        ];
        assert_eq!(index.write_documents(several).await.unwrap(), [stored(2), stored(1), stored(3), conflict(3)]);
        assert_eq!(index.write_documents(Vec::new()).await.unwrap(), []);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_saw_the_same_one_wins() {
    on_every_engine(async |index, _| {
        let claim = |number: u64| async move {
            let it = write("duties", "one", &number.to_string(), Expect::Absent);
            (number, index.write_documents(vec![it]).await.unwrap()[0])
        };
        let outcomes = join_all((0..40).map(claim)).await;
        let won: Vec<u64> = outcomes.iter().filter(|(_, it)| *it == stored(1)).map(|(number, _)| *number).collect();
        assert_eq!(won.len(), 1, "{outcomes:?}");
        assert!(outcomes.iter().all(|(_, it)| matches!(it, DocumentWritten::Stored { version: 1 })
            || matches!(it, DocumentWritten::Conflict { stored: 1 })));
        assert_eq!(texts(index, DocumentQuery::folder("duties")).await, [won[0].to_string()]);
        // each of these is stored, one after the other
        let add = |number: u64| async move { put(index, write("log", "one", &number.to_string(), Expect::Any)).await };
        let mut versions: Vec<u64> = join_all((0..20).map(add))
            .await
            .into_iter()
            .map(|it| match it {
                DocumentWritten::Stored { version } => version,
                DocumentWritten::Conflict { .. } => 0,
            })
            .collect();
        versions.sort_unstable();
        assert_eq!(versions, (1..=20).collect::<Vec<_>>());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn folders_are_listed_in_order_by_page_and_by_tag() {
    on_every_engine(async |index, _| {
        let numbered = |folder: &str, number: u64| {
            let tag = if number.is_multiple_of(2) { "even" } else { "odd" };
            let it = write(folder, number, &number.to_string(), Expect::Absent).tagged(tag);
            if number < 10 { it.tagged("small") } else { it }
        };
        let writes = (0..1_200).rev().flat_map(|number| [numbered("results/a", number), numbered("results/b", number)]);
        assert!(index.write_documents(writes.collect()).await.unwrap().iter().all(|it| *it == stored(1)));
        let a = || DocumentQuery::folder("results/a");
        let all: Vec<String> = (0..1_200).map(|number| number.to_string()).collect();
        assert_eq!(texts(index, a()).await, all);
        assert_eq!(texts(index, a().tagged("small").tagged("even")).await, ["0", "2", "4", "6", "8"]);
        let after = document_id("results/a", &Key::Number(1_196));
        let page = index.list_documents(a(), Some(after), 2).await.unwrap();
        assert_eq!(page.documents.iter().map(|it| it.text.as_str()).collect::<Vec<_>>(), ["1197", "1198"]);
        let page = index.list_documents(a(), page.next, 2).await.unwrap();
        assert_eq!((page.documents.len(), page.next), (1, None));
        assert_eq!(page.documents[0].tags, ["odd"]);
        let count = async |query| index.count_documents(query).await.unwrap();
        assert_eq!(count(DocumentQuery::default()).await, 2_400);
        assert_eq!(count(a()).await, 1_200);
        assert_eq!(count(DocumentQuery::default().tagged("small")).await, 20);
        remove_folder(index, "results/a").await.unwrap();
        assert_eq!((count(a()).await, count(DocumentQuery::default()).await), (0, 1_200));
        let last = duijie_store::PointId::from(uuid::Uuid::max());
        assert_eq!(index.list_documents(a(), Some(last), 5).await.unwrap().documents, []);
        // documents do not count as records
        assert_eq!(index.count(Kind::Demand, &Filter::default()).await.unwrap(), 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn large_documents_come_back_whole_and_what_is_too_large_is_refused() {
    on_every_engine(async |index, _| {
        let text = "成果".repeat(MAX_DOCUMENT_BYTES / 6);
        let writes = (0..20).map(|number| write("large", number, &text, Expect::Any));
        index.write_documents(writes.collect()).await.unwrap();
        assert!(texts(index, DocumentQuery::folder("large")).await.iter().all(|it| *it == text));
        let both =
            vec![write("large", 99, "small", Expect::Any), write("large", 98, &"x".repeat(1 << 21), Expect::Any)];
        let said = index.write_documents(both).await.unwrap_err();
        assert!(matches!(said, IndexError::BadDocument { .. }), "{said}");
        assert_eq!(index.read_documents("large", &[Key::Number(99)]).await.unwrap(), [None]);
    })
    .await;
}
