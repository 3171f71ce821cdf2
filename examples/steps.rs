//! throwaway
#![allow(clippy::unwrap_used, missing_docs)]
use duijie::{app::Parts, config::Config, domain::*, index::*, matcher::*, rank::Fusion, text::*};
use std::{sync::Arc, time::Instant};
#[tokio::main]
async fn main() {
    let p = Arc::new(TextPipeline::new(None).unwrap());
    let config = Config::read("", []).unwrap();
    let e = duijie::app::embedder(&config).unwrap();
    let v = StoreVersions { format: STORE_FORMAT, text: p.version().to_string(), model: "bench".into() };
    let folder = format!("target/bench-store-{}-{}", std::env::args().nth(1).unwrap(), p.version());
    let t = Instant::now();
    let idx = Arc::new(EdgeIndex::open(EdgeOptions::new(folder.into(), 384, v.clone())).unwrap());
    println!("open {:?}", t.elapsed());
    let s = Settings { candidates: 200, fusion: Fusion { dense_weight: 0.85, cosine_floor: 0.0, bm25_half: 40.0 } };
    let parts = Parts::new(p, e, idx.clone(), (v, s));
    let (mut a, mut b, mut c) = (0, 0, 0);
    let n = 400;
    let (mut g, mut f, mut h) = (0u128, 0u128, 0u128);
    let t = Instant::now();
    for i in 0..n {
        let name: RecordName = format!("demands/b-{}", i % 256).parse().unwrap();
        let page = parts
            .matcher
            .find(Request {
                query: Query::Stored(name.clone()),
                target: Kind::Achievement,
                filter: Filter::default(),
                offset: 0,
                limit: 20,
            })
            .await
            .unwrap();
        a += page.timing.query_us;
        b += page.timing.search_us;
        c += page.timing.rank_us;
        let ids: Vec<_> = page.found.iter().map(|f| PointId::of(&f.record.name())).collect();
        let t = Instant::now();
        let x = idx.get(&[name], With::Everything).await.unwrap();
        g += t.elapsed().as_micros();
        let t = Instant::now();
        let pts = idx.fetch(Kind::Achievement, &ids, With::Sparse).await.unwrap();
        f += t.elapsed().as_micros();
        let q = x[0].as_ref().unwrap().query.clone();
        let t = Instant::now();
        let l = Locator::new(&q);
        for p in pts.iter().flatten() {
            std::hint::black_box(l.locate(&p.sparse, &p.record, 20));
        }
        h += t.elapsed().as_micros();
    }
    println!("total {:?}", t.elapsed() / n as u32);
    println!("query {} search {} rank {} | get {} fetch {} locate {}", a / n as u64, b / n as u64, c / n as u64, g / n as u128, f / n as u128, h / n as u128);
    for with in [With::Payload, With::Sparse] {
        let (mut s, mut f1, mut f2, mut noop, mut d, mut sp, mut un) = (0u128, 0u128, 0u128, 0u128, 0u128, 0u128, 0usize);
        for i in 0..n {
            let name: RecordName = format!("demands/b-{}", (i * 7) % 5000).parse().unwrap();
            let x = idx.get(&[name], With::Everything).await.unwrap().remove(0).unwrap();
            let q = |de: bool, sparse: bool| Search { dense: de.then(|| x.dense.clone()), sparse: sparse.then(|| x.query.sparse()), filter: Filter { statuses: vec![codes::Status::Active], ..Filter::default() }, depth: 200, exclude: None };
            let t = Instant::now(); let c = idx.search(Kind::Achievement, q(true, true)).await.unwrap(); s += t.elapsed().as_micros();
            let t = Instant::now(); idx.search(Kind::Achievement, q(true, false)).await.unwrap(); d += t.elapsed().as_micros();
            let t = Instant::now(); idx.search(Kind::Achievement, q(false, true)).await.unwrap(); sp += t.elapsed().as_micros();
            un += c.sparse.len();
            let ids: Vec<_> = c.dense.iter().take(20).map(|h| h.id).collect();
            let t = Instant::now(); idx.fetch(Kind::Achievement, &ids, with).await.unwrap(); f1 += t.elapsed().as_micros();
            let t = Instant::now(); idx.fetch(Kind::Achievement, &ids, with).await.unwrap(); f2 += t.elapsed().as_micros();
            let t = Instant::now(); tokio::task::spawn_blocking(|| ()).await.unwrap(); noop += t.elapsed().as_micros();
        }
        let n = n as u128;
        println!("{with:?}: search {} dense {} sparse {} fetch cold {} warm {} hop {} sparse list {}", s / n, d / n, sp / n, f1 / n, f2 / n, noop / n, un as u128 / n);
    }
}
