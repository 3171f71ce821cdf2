//! `WatchService`: check → convert → call → convert.

use std::{pin::Pin, time::Duration};

use futures::{Stream, StreamExt, future, stream};
use jiff::Timestamp;
use prost::Message;
use tokio::sync::{mpsc, oneshot, watch};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use super::{
    caller::{Shares, caller},
    convert::{
        rematch::span_in,
        time_out,
        watch::{new_match_out, saved_out, subscription_in, subscription_out},
    },
    page::{Paging, Sizes, fit},
    page_token,
};
use crate::{
    app::Parts,
    error::Error,
    signing::SigningKey,
    watch::{Cursor, End, Event, MAX_STREAMS, Subscription},
};
use duijie_core::domain::{Problem, Violation, Violations, name::check_id};
use duijie_cpu::carried;
use duijie_proto as pb;
use duijie_proto::{watch_request::Wanted, watch_response::Event as WireEvent, watch_service_server::WatchService};

/// Pages of subscriptions.
const SIZES: Sizes = Sizes { default: 50, max: 200 };
/// Events queued for a subscriber.
const WAITING: usize = 64;
/// Maximum time between two checkpoints, in seconds.
const MAX_HEARTBEAT: u64 = 300;
/// Default time between two checkpoints.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Retry delay for a subscriber that was too slow or that the service dropped, in milliseconds.
const RETRY_MS: u64 = 1_000;
/// When a caller that finds all places taken shall come back, in milliseconds.
const FULL_RETRY_MS: u64 = 10_000;

/// The service. Its streams end when `stopped` is set.
#[derive(Clone)]
pub struct Watching {
    parts: Parts,
    /// The watcher's places: one caller cannot hold them all.
    places: Shares,
    stopped: watch::Receiver<bool>,
}

/// A checked request.
struct Asked {
    subscription: Subscription,
    cursor: Cursor,
    heartbeat: Duration,
    tokens: Tokens,
}

/// Makes the tokens of a stream.
struct Tokens {
    key: SigningKey,
    /// The encoded subscription that they are bound to.
    shape: Vec<u8>,
}

type Messages = Pin<Box<dyn Stream<Item = Result<pb::WatchResponse, Status>> + Send>>;

#[tonic::async_trait]
impl WatchService for Watching {
    type WatchStream = Messages;

    async fn watch(&self, request: Request<pb::WatchRequest>) -> Result<Response<Messages>, Status> {
        let caller = caller(request.extensions());
        let Asked { subscription, cursor, heartbeat, tokens } = self.asked(request.into_inner()).await?;
        let watcher = self.parts.watcher.clone();
        let share = self.places.take(caller, 1).ok_or(Error::Busy { retry_ms: FULL_RETRY_MS })?;
        let place = watcher.place()?;
        watcher.check(&subscription).await?;
        let (sender, events) = mpsc::channel(WAITING);
        let (ending, ended) = oneshot::channel();
        let stopped = self.stopped.clone();
        tokio::spawn(carried(async move {
            let _places = (share, place);
            let end = watcher.run(subscription, cursor, heartbeat, sender, stopped).await;
            // a failed send means that the subscriber has gone
            let _ = ending.send(end);
        }));
        let messages = ReceiverStream::new(events).map(move |event| Ok(event_out(event, &tokens)));
        Ok(Response::new(Box::pin(messages.chain(last(ended)))))
    }

    async fn save_subscription(
        &self,
        request: Request<pb::SaveSubscriptionRequest>,
    ) -> Result<Response<pb::SaveSubscriptionResponse>, Status> {
        let request = request.into_inner();
        let mut found = Violations::default();
        found.take("id", check_id(&request.id));
        let subscription = subscription_in(request.subscription).map_err(|violations| found.join(violations)).ok();
        let Some(subscription) = subscription.filter(|_| found.is_empty()) else {
            return Err(Error::Invalid(found).into());
        };
        let saved = self.parts.watcher.save(request.id, subscription, Timestamp::now()).await?;
        Ok(Response::new(pb::SaveSubscriptionResponse { subscription: Some(saved_out(saved)) }))
    }

    async fn list_subscriptions(
        &self,
        request: Request<pb::ListSubscriptionsRequest>,
    ) -> Result<Response<pb::ListSubscriptionsResponse>, Status> {
        let paging = Paging::of(&mut request.into_inner(), SIZES, self.parts.signing.key().await?)?;
        let after: Option<String> = paging.start()?;
        let page = self.parts.watcher.page_of_saved(after.as_deref(), paging.size).await?;
        let rows = page.saved.into_iter().map(|saved| (saved.id.clone(), saved_out(saved)));
        let (subscriptions, next) = fit(rows, page.next);
        Ok(Response::new(pb::ListSubscriptionsResponse { subscriptions, next_page_token: paging.token(next) }))
    }

    async fn delete_subscription(
        &self,
        request: Request<pb::DeleteSubscriptionRequest>,
    ) -> Result<Response<pb::DeleteSubscriptionResponse>, Status> {
        let id = request.into_inner().id;
        check_id(&id).map_err(|problem| Error::from(Violation::new("id", problem)))?;
        match self.parts.watcher.forget(&id).await? {
            true => Ok(Response::new(pb::DeleteSubscriptionResponse {})),
            false => Err(Error::NoSuchSubscription(id).into()),
        }
    }
}

// === impl Watching ===

impl Watching {
    /// Creates the service from its parts. One caller may hold `share` percent of the places when they are scarce.
    pub fn new(parts: Parts, share: usize, stopped: watch::Receiver<bool>) -> Self {
        Self { parts, places: Shares::new(MAX_STREAMS, share), stopped }
    }

    async fn now(&self) -> Result<Timestamp, Error> {
        let (index, clock) = (&*self.parts.index, self.parts.index.clock());
        match clock.now(index).await {
            Ok(now) => Ok(now),
            // where nothing can be written, nothing changes either
            Err(_) => Ok(clock.settled(index).await?),
        }
    }

    async fn asked(&self, request: pb::WatchRequest) -> Result<Asked, Error> {
        let mut found = Violations::default();
        let heartbeat = span_in(request.heartbeat, "heartbeat", 1..=MAX_HEARTBEAT);
        let heartbeat = heartbeat.map_err(|violation| found.note(violation)).ok().flatten().unwrap_or(HEARTBEAT);
        let subscription = match request.wanted {
            Some(Wanted::SubscriptionId(id)) => match check_id(&id) {
                Ok(()) => {
                    let saved = self.parts.watcher.saved(&id).await?;
                    Some(saved.ok_or(Error::NoSuchSubscription(id))?.subscription)
                }
                Err(problem) => found.take("subscription_id", Err(problem)),
            },
            Some(Wanted::Subscription(it)) => {
                subscription_in(Some(it)).map_err(|violations| found.join(violations)).ok()
            }
            None => found.take("wanted", Err(Problem::Required)),
        };
        let Some(subscription) = subscription else { return Err(Error::Invalid(found)) };
        let tokens = Tokens {
            key: self.parts.signing.key().await?,
            shape: subscription_out(subscription.clone()).encode_to_vec(),
        };
        let cursor = match page_token::read(&tokens.key, &request.resume_token, &tokens.shape) {
            Ok(None) if request.include_existing => Some(Cursor::starting_at(0)),
            Ok(None) => Some(Cursor::starting_at(self.now().await?.as_second())),
            Ok(Some(bytes)) => Cursor::read(&bytes),
            Err(_) => None,
        };
        if cursor.is_none() {
            found.say("resume_token", Problem::PageToken);
        }
        match cursor.filter(|_| found.is_empty()) {
            Some(cursor) => Ok(Asked { subscription, cursor, heartbeat, tokens }),
            None => Err(Error::Invalid(found)),
        }
    }
}

fn event_out(event: Event, tokens: &Tokens) -> pb::WatchResponse {
    let event = match event {
        Event::Match(it) => WireEvent::NewMatch(new_match_out(*it)),
        Event::Checkpoint { cursor, time, cut } => WireEvent::Checkpoint(pb::Checkpoint {
            resume_token: page_token::write(&tokens.key, &cursor.bytes(), &tokens.shape),
            time: Some(time_out(time)),
            truncated: cut,
        }),
    };
    pb::WatchResponse { event: Some(event) }
}

/// Returns the status that ends a stream after all queued events.
fn last(ended: oneshot::Receiver<End>) -> impl Stream<Item = Result<pb::WatchResponse, Status>> + Send {
    let end = async move {
        match ended.await {
            Ok(End::Slow) => Some(Error::Busy { retry_ms: RETRY_MS }.into()),
            Ok(End::Stopped) => Some(Error::Stopping.into()),
            Ok(End::Failed(error)) => Some(error.into()),
            Ok(End::Gone) | Err(_) => None,
        }
    };
    stream::once(end).filter_map(|status| future::ready(status.map(Err)))
}
