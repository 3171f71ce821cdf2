//! `FindDuplicates`: streams progress and results of the search, no faster than the caller reads.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::{
    convert::owner_out,
    stream::{Answers, Gone, Outgoing, stream},
};
use crate::{
    error::Error,
    maintenance::duplicates::{DuplicatesProgress, search},
};
use duijie_core::{
    domain::{Filter, Kind, RecordName},
    duplicates::{DuplicateGroup, DuplicateReason, DuplicateReport, Link},
};
use duijie_cpu::carried;
use duijie_proto as pb;
use duijie_proto::find_duplicates_response::Event;
use duijie_store::{FieldSelection, Index, records::whole};

/// Maximum members and maximum links per message: at most 0.2 MB, far below the default client limit (4 MiB).
const PART: usize = 100;
/// Maximum registration numbers in a summary.
const MAX_NUMBERS: usize = 100;
/// Messages queued for sending; bounds memory.
const WAITING: usize = 4;
/// When a caller that has to wait for another's search shall come back, in milliseconds.
const RETRY_MS: u64 = 10_000;

/// Starts a search, unless another one is under way.
///
/// # Errors
/// [`Error::Busy`] if another search is running.
pub fn find(
    index: Arc<dyn Index>,
    kind: Kind,
    filter: Filter,
    turn: &Arc<Semaphore>,
) -> Result<Answers<pb::FindDuplicatesResponse>, Error> {
    let turn = Arc::clone(turn).try_acquire_owned().map_err(|_| Error::Busy { retry_ms: RETRY_MS })?;
    let (outgoing, answers) = stream(WAITING);
    tokio::spawn(carried(run(index, kind, filter, turn, outgoing)));
    Ok(answers)
}

async fn run(
    index: Arc<dyn Index>,
    kind: Kind,
    filter: Filter,
    turn: OwnedSemaphorePermit,
    outgoing: Outgoing<pb::FindDuplicatesResponse>,
) {
    let _turn = turn;
    let (progress, heard) = watch::channel(DuplicatesProgress::default());
    let searched = search(Arc::clone(&index), kind, &filter, progress);
    // both to their end: the finder's thread may go on for a moment when the caller has gone, and it is still its turn
    let (report, ()) = tokio::join!(searched, forward(heard, &outgoing));
    match report {
        Ok(Some(report)) => {
            if send_report(&*index, report, &outgoing).await.is_ok() {
                outgoing.finish();
            }
        }
        Ok(None) => {}
        Err(error) => outgoing.fail(error).await,
    }
}

/// Sends the progress on until the search has ended or the caller has gone; then nobody listens to the search any more.
async fn forward(mut heard: watch::Receiver<DuplicatesProgress>, outgoing: &Outgoing<pb::FindDuplicatesResponse>) {
    loop {
        tokio::select! {
            () = outgoing.closed() => return,
            changed = heard.changed() => if changed.is_err() { return },
        }
        let DuplicatesProgress { done, total } = *heard.borrow_and_update();
        let progress = pb::DuplicatesProgress { done_count: int64(done), total_count: int64(total) };
        if send(Event::Progress(progress), outgoing).await.is_err() {
            return;
        }
    }
}

async fn send_report(
    index: &dyn Index,
    report: DuplicateReport,
    outgoing: &Outgoing<pb::FindDuplicatesResponse>,
) -> Result<(), Gone> {
    let summary = pb::DuplicatesSummary {
        record_count: int64(report.records as u64),
        pair_count: int64(report.pairs as u64),
        group_count: i32::try_from(report.groups.len()).unwrap_or(i32::MAX),
        truncated: report.is_cut,
        ignored_numbers: report.ignored_numbers.into_iter().take(MAX_NUMBERS).collect(),
    };
    for (place, group) in (0..).zip(report.groups) {
        if let Err(error) = send_group(index, place, group, outgoing).await? {
            outgoing.clone().fail(error).await;
            return Err(Gone);
        }
    }
    send(Event::Summary(summary), outgoing).await
}

/// Sends a group in parts, with the current titles and owners.
async fn send_group(
    index: &dyn Index,
    place: i32,
    group: DuplicateGroup,
    outgoing: &Outgoing<pb::FindDuplicatesResponse>,
) -> Result<Result<(), Error>, Gone> {
    let mut links = group.links.into_iter().map(link_out);
    let mut members = group.members.into_iter();
    loop {
        let names: Vec<RecordName> = members.by_ref().take(PART).collect();
        let links: Vec<pb::DuplicateLink> = links.by_ref().take(PART).collect();
        if names.is_empty() && links.is_empty() {
            return Ok(Ok(()));
        }
        let members = match read_members(index, &names).await {
            Ok(members) => members,
            Err(error) => return Ok(Err(error)),
        };
        let part = pb::DuplicateGroup { index: place, members, links, weak_links_removed: group.is_cut_down };
        send(Event::Group(part), outgoing).await?;
    }
}

async fn read_members(index: &dyn Index, names: &[RecordName]) -> Result<Vec<pb::DuplicateMember>, Error> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let found = whole(index, names, FieldSelection::Payload).await?;
    let member = |(name, point): (&RecordName, Option<duijie_store::Point>)| {
        let (title, owner) = point.map(|point| (point.record.title, point.record.owner)).unwrap_or_default();
        pb::DuplicateMember { name: name.to_string(), title, owner: owner.map(owner_out) }
    };
    Ok(names.iter().zip(found).map(member).collect())
}

fn link_out(link: Link) -> pb::DuplicateLink {
    let localized_description = link.reason.chinese();
    let (reason, number, title, text) = match link.reason {
        DuplicateReason::Number(number) => (pb::DuplicateReason::RegistrationNumber, number, None, None),
        DuplicateReason::OwnerTitle { title, text } => {
            (pb::DuplicateReason::OwnerAndTitle, String::new(), Some(title), Some(text))
        }
        DuplicateReason::Text { jaccard } => (pb::DuplicateReason::Text, String::new(), None, Some(jaccard)),
    };
    pb::DuplicateLink {
        left: link.left.to_string(),
        right: link.right.to_string(),
        reason: reason as i32,
        registration_number: number,
        title_similarity: title,
        text_similarity: text,
        localized_description,
    }
}

async fn send(event: Event, outgoing: &Outgoing<pb::FindDuplicatesResponse>) -> Result<(), Gone> {
    let message = pb::FindDuplicatesResponse { event: Some(event) };
    outgoing.send(message).await
}

fn int64(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
