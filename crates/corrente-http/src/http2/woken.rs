//! Which streams have something new: h2 wakes them, the connection looks at them in that order.
//!
//! Without it each event would cost a look at every stream. The locks are there because h2 may want to be sent to
//! another thread; nobody ever waits for them.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Wake, Waker};

use super::StreamId;

/// Streams to look at.
#[derive(Debug, Clone, Default)]
pub(super) struct Woken(Arc<Mutex<VecDeque<StreamId>>>);

impl Woken {
    fn queue(&self) -> MutexGuard<'_, VecDeque<StreamId>> {
        // Numbers are whole even where a panic came between them.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The bell of a stream, which is rung once.
    pub(super) fn bell(&self, stream: StreamId) -> Arc<Bell> {
        let bell = Arc::new(Bell {
            stream,
            woken: self.clone(),
            has_rung: AtomicBool::new(false),
        });
        bell.wake_by_ref();
        bell
    }

    pub(super) fn first(&self) -> Option<StreamId> {
        self.queue().front().copied()
    }

    /// The first one has nothing more.
    pub(super) fn drop_first(&self) {
        self.queue().pop_front();
    }

    pub(super) fn clear(&self) {
        self.queue().clear();
    }
}

/// Puts its stream among those to look at.
#[derive(Debug)]
pub(super) struct Bell {
    stream: StreamId,
    woken: Woken,
    has_rung: AtomicBool,
}

impl Bell {
    pub(super) fn waker(self: &Arc<Self>) -> Waker {
        Waker::from(Arc::clone(self))
    }

    /// It may ring again.
    pub(super) fn heard(&self) {
        self.has_rung.store(false, Ordering::Relaxed);
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.has_rung.swap(true, Ordering::Relaxed) {
            self.woken.queue().push_back(self.stream);
        }
    }
}
