//! Deletes old jobs with their results and unused statistics.

use std::collections::HashSet;

use super::{
    blocks, jobs,
    model::{Job, JobId},
    statistics_store as statistics,
};
use crate::error::Result;
use duijie_core::domain::Kind;
use duijie_store::Index;

/// Number of jobs kept, besides the jobs they are based on.
pub(super) const KEPT: usize = 50;
/// Number of jobs examined.
const LOOKED_AT: usize = 1_000;

/// Deletes old jobs.
pub(super) async fn jobs(index: &dyn Index) -> Result<()> {
    let jobs = jobs::list(index, None, LOOKED_AT).await?.jobs;
    let Split { kept, old } = split(jobs, KEPT);
    let mut used: HashSet<(Kind, String)> = kept.iter().flat_map(versions).collect();
    for kind in Kind::ALL {
        used.extend(statistics::latest(index, kind).await?.map(|latest| (kind, latest.version)));
    }
    for job in old {
        // the job is deleted last, so after an interruption the next run continues
        blocks::remove(index, job.id).await?;
        for (kind, version) in versions(&job).filter(|version| !used.contains(version)) {
            statistics::remove(index, kind, &version).await?;
        }
        jobs::remove(index, &job).await?;
    }
    Ok(())
}

/// Which jobs are kept.
struct Split {
    kept: Vec<Job>,
    /// To be deleted.
    old: Vec<Job>,
}

/// Decides which jobs are kept; the latest job comes first.
fn split(jobs: Vec<Job>, max: usize) -> Split {
    let kept = |(place, job): &(usize, &Job)| *place < max || !job.state.ended();
    let needed = |job: &Job| {
        let base = job.request.base.filter(|_| !job.state.ended());
        [Some(job.id), Some(JobId::new(job.progress.root)), base]
    };
    let needed: HashSet<JobId> =
        jobs.iter().enumerate().filter(kept).flat_map(|(_, job)| needed(job)).flatten().collect();
    let (kept, old) = jobs.into_iter().partition(|job| needed.contains(&job.id));
    Split { kept, old }
}

fn versions(job: &Job) -> impl Iterator<Item = (Kind, String)> {
    let targets = job.inputs.as_ref().map(|inputs| inputs.targets.clone()).unwrap_or_default();
    targets.into_iter().map(|target| (target.kind, target.statistics))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::rematch::job::model::{JobRequest, State};

    #[test]
    fn what_a_kept_job_builds_on_is_kept() {
        let job = |id: u64, root: u64, state: State| {
            let mut job = Job::new(JobId::new(id), JobRequest::default(), Timestamp::UNIX_EPOCH);
            (job.state, job.progress.root) = (state, root);
            job
        };
        let mut waiting = job(2, 0, State::Queued);
        waiting.request.base = Some(JobId::new(1));
        let jobs = vec![
            job(9, 4, State::Done),
            job(8, 8, State::Failed),
            job(7, 7, State::Done),
            job(5, 4, State::Done),
            job(4, 4, State::Done),
            job(3, 3, State::Cancelled),
            waiting,
            job(1, 1, State::Done),
        ];
        let Split { kept, old } = split(jobs, 2);
        let ids = |jobs: &[Job]| jobs.iter().map(|job| job.id.number()).collect::<Vec<_>>();
        assert_eq!((ids(&kept), ids(&old)), (vec![9, 8, 4, 2, 1], vec![7, 5, 3]));
    }
}
