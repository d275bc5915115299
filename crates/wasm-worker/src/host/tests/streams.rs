//! The streams by themselves.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;

use super::guest::Kept;
use crate::host::streams::{Input, Output, OutputError};

#[test]
fn input_is_asked_for_once_until_some_has_come() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let (input, feed) = Input::new(move || {
        count.fetch_add(1, Ordering::Relaxed);
    });
    let mut context = Context::from_waker(Waker::noop());
    assert!(input.poll_take(&mut context, 5).is_pending());
    assert!(input.poll_ready(&mut context).is_pending());
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    feed.push("abcdef".into());
    assert_eq!(input.available(), 6);
    assert_eq!(
        input.poll_take(&mut context, 5),
        Poll::Ready("abcde".into())
    );
    assert_eq!(input.poll_take(&mut context, 5), Poll::Ready("f".into()));
    assert!(input.poll_take(&mut context, 5).is_pending());
    assert_eq!(asked.load(Ordering::Relaxed), 2);
    feed.end();
    feed.push("too late".into());
    assert_eq!(input.poll_take(&mut context, 5), Poll::Ready(Bytes::new()));
}

#[test]
fn input_may_come_while_it_is_asked_for() {
    let place: Arc<std::sync::Mutex<Option<crate::host::streams::Feed>>> = Arc::default();
    let feed = Arc::clone(&place);
    let (input, other_end) = Input::new(move || {
        feed.lock().unwrap().take().unwrap().push("now".into());
    });
    *place.lock().unwrap() = Some(other_end);
    let mut context = Context::from_waker(Waker::noop());
    assert!(input.poll_take(&mut context, 5).is_pending());
    assert_eq!(input.poll_take(&mut context, 5), Poll::Ready("now".into()));
}

#[test]
fn both_outputs_share_one_limit() {
    let sink = Kept::with_room(usize::MAX);
    let (output, error) = Output::pair(Box::new(sink.clone()), 5);
    let mut context = Context::from_waker(Waker::noop());
    assert_eq!(output.poll_write(&mut context, b"abc"), Poll::Ready(Ok(3)));
    assert_eq!(error.poll_write(&mut context, b"defg"), Poll::Ready(Ok(2)));
    assert_eq!(output.poll_write(&mut context, b""), Poll::Ready(Ok(0)));
    assert!(!output.is_over());
    let over = output.poll_write(&mut context, b"h");
    assert_eq!(over, Poll::Ready(Err(OutputError::Limit)));
    assert!(error.is_over());
    let written = sink.0.lock().unwrap();
    assert_eq!(
        (written.output.as_slice(), written.error.as_slice()),
        (&b"abc"[..], &b"de"[..])
    );
}
