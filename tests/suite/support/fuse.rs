//! Cuts a run off at a chosen step: a store and a transport that share a fuse. When it blows, the step never returns, and
//! the run is dropped there, as in a crash. The step may have happened by then, or not.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use async_trait::async_trait;
use bytes::Bytes;
use contactsync::domain::id::Marker;
use contactsync::domain::time::Timestamp;
use contactsync::remotes::http::{Transport, TransportError};
use contactsync::store::{Commit, Committed, Store, StoreError};

use super::gated::Gate;

/// On which side of the step the run is cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    Before,
    After,
    /// The store refuses the step, and the run goes on; only commits can be refused.
    Refused,
}

/// Blows at one step.
#[derive(Debug)]
pub struct Fuse {
    left: AtomicI64,
    cut: Cut,
}

impl Fuse {
    /// Blows at the step of this number, counted from 0.
    pub fn at(step: i64, cut: Cut) -> Arc<Self> {
        Arc::new(Fuse { left: AtomicI64::new(step), cut })
    }

    /// Never blows, but counts.
    pub fn counting() -> Arc<Self> {
        Self::at(i64::MAX, Cut::Before)
    }

    /// How many steps were taken.
    pub fn steps(&self) -> i64 {
        i64::MAX - self.left.load(Ordering::SeqCst)
    }

    async fn step<T>(&self, step: impl Future<Output = T>) -> T {
        if self.cut == Cut::Refused {
            return step.await;
        }
        let blows = self.left.fetch_sub(1, Ordering::SeqCst) == 0;
        if blows && self.cut == Cut::Before {
            return std::future::pending().await;
        }
        let done = step.await;
        if blows {
            return std::future::pending().await;
        }
        done
    }
}

#[async_trait]
impl Gate for Fuse {
    async fn commit(&self, store: &dyn Store, commit: Commit) -> Result<Committed, StoreError> {
        if self.cut == Cut::Refused && self.left.fetch_sub(1, Ordering::SeqCst) == 0 {
            return Err(StoreError::Unavailable { doing: "committing", cause: "the disk is full".into() });
        }
        match self.cut {
            Cut::Refused => store.commit(commit).await,
            Cut::Before | Cut::After => self.step(store.commit(commit)).await,
        }
    }

    async fn mint(&self, store: &dyn Store, count: u64, now: Timestamp) -> Result<Marker, StoreError> {
        self.step(store.mint_markers(count, now)).await
    }

    async fn send(
        &self,
        transport: &dyn Transport,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, TransportError> {
        self.step(transport.send(request)).await
    }
}

/// Carries a run on until it is through, or waits for something that never comes: nothing here waits for anything outside,
/// so a run that nobody wakes has met the fuse.
pub fn until_stuck<T>(run: impl Future<Output = T>) -> Option<T> {
    struct Bell(AtomicBool);
    impl Wake for Bell {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::SeqCst);
        }
    }
    let bell = Arc::new(Bell(AtomicBool::new(true)));
    let waker = Waker::from(Arc::clone(&bell));
    let mut run = pin!(run);
    while bell.0.swap(false, Ordering::SeqCst) {
        if let Poll::Ready(done) = run.as_mut().poll(&mut Context::from_waker(&waker)) {
            return Some(done);
        }
    }
    None
}
