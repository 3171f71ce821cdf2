//! A real small disk that others fill up: the process lives on, reads go on, and nothing acknowledged is lost.

use std::{
    env,
    fs::{File, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
};

use duijie_core::domain::Kind;
use duijie_proto as pb;
use duijie_proto::catalog_service_client::CatalogServiceClient;
use tonic::{Status, transport::Channel};

use super::server::Server;
use crate::harness::record;

const DISK: &str = "CHAOS_DISK";
/// Records of one call.
const BATCH: usize = 50;
static CHUNK: [u8; 1 << 20] = [7; 1 << 20];

/// Somebody else's file on the same disk.
struct Filler(PathBuf);

impl Filler {
    /// Takes what is left.
    fn fill(&self) {
        let mut file = OpenOptions::new().create(true).append(true).open(&self.0).unwrap();
        while file.write_all(&CHUNK).is_ok() {}
    }

    /// Gives back some MiB.
    fn shrink(&self, mib: u64) {
        let file = File::options().write(true).open(&self.0).unwrap();
        file.set_len(file.metadata().unwrap().len().saturating_sub(mib << 20)).unwrap();
    }
}

async fn store(client: &mut CatalogServiceClient<Channel>, from: usize) -> Result<(), Status> {
    let make = |number| record(Kind::Demand, &format!("d-{number}"), &format!("第 {number} 项需求"), "");
    let records = (from..from + BATCH).map(make).collect();
    client.batch_upsert_records(pb::BatchUpsertRecordsRequest { records }).await.map(drop)
}

async fn check(client: &mut CatalogServiceClient<Channel>, acknowledged: usize) {
    for number in (0..acknowledged).step_by(7) {
        client.get_record(pb::GetRecordRequest { name: format!("demands/d-{number}") }).await.unwrap();
    }
    let request = pb::CountRecordsRequest { kind: pb::RecordKind::Demand as i32, filter: None };
    let stored = client.count_records(request).await.unwrap().into_inner().record_count;
    assert!(acknowledged as i64 <= stored, "{acknowledged} were acknowledged, {stored} are stored");
}

async fn client(server: &Server) -> CatalogServiceClient<Channel> {
    CatalogServiceClient::connect(server.url.clone()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs CHAOS_DISK, an empty folder on a disk of 1 to 4 GB: `make chaos` makes one"]
async fn a_disk_that_others_fill_up_stops_writes_only() {
    let disk = env::var(DISK).unwrap();
    let filler = Filler(Path::new(&disk).join("filler"));
    let folder = Path::new(&disk).join("duijie");
    let (mut acknowledged, mut refused, mut kills) = (0, 0, 0);
    for round in 0..super::rounds(4) {
        let server = Server::start(&folder);
        let mut client = client(&server).await;
        check(&mut client, acknowledged).await;
        for _ in 0..3 {
            store(&mut client, acknowledged).await.unwrap();
            acknowledged += BATCH;
        }
        // the disk fills up while writes go on
        let mut writer = client.clone();
        let writing = tokio::spawn(async move {
            let mut stored = acknowledged;
            loop {
                match store(&mut writer, stored).await {
                    Ok(()) => stored += BATCH,
                    Err(status) => return (stored, status),
                }
            }
        });
        let filler_path = filler.0.clone();
        tokio::task::spawn_blocking(move || Filler(filler_path).fill()).await.unwrap();
        let (stored, status) = writing.await.unwrap();
        assert!(status.message().starts_with("the disk has"), "{status}");
        acknowledged = stored;
        refused += 1;
        // full to the last byte, the process lives and reads
        filler.fill();
        check(&mut client, acknowledged).await;
        if round % 2 == 0 {
            server.kill();
            kills += 1;
        } else {
            assert!(server.terminate().success());
        }
        // a start on the full disk, for reading
        let server = Server::start(&folder);
        let mut again = self::client(&server).await;
        check(&mut again, acknowledged).await;
        store(&mut again, acknowledged).await.unwrap_err();
        assert!(server.terminate().success());
        // with room again everything goes on, and the start has room in reserve once more
        filler.shrink(u64::MAX >> 20);
    }
    println!(
        "{refused} times full to the last byte, {kills} kills on it, {acknowledged} records acknowledged, none lost"
    );
}
