//! What no application can bring about.

use super::*;

#[tokio::test]
async fn client_of_an_answer_whose_taking_panics_gets_an_error() {
    let kept = Arc::new(Kept::new(&Budget::new(0, 1)));
    let ending = Ending(Arc::clone(&kept));
    let taking = tokio::spawn(async move {
        let _ending = ending;
        tokio::task::yield_now().await;
        panic!("as it must never be");
    });
    let mut backlog = Backlog {
        kept,
        reading: None,
        taking,
    };
    let piece = std::future::poll_fn(|cx| backlog.poll_piece(cx)).await;
    assert!(matches!(piece, Some(Err(BodyError::Panicked))));
}

#[tokio::test]
async fn file_that_is_being_written_stays_though_all_before_was_read() {
    let budget = Budget::new(20, 2);
    let kept = Kept::new(&budget);
    let mut state = kept.state();
    let mut room = budget.of_answer().unwrap();
    assert!(room.bytes().take(3));
    state.file = Some(Spool::begin(&std::env::temp_dir(), room, b"abc").unwrap());
    let cx = Context::from_waker(Waker::noop());
    assert!(matches!(state.poll_next(&cx), Poll::Ready(Next::File(_))));
    let file = state.file.as_mut().unwrap();
    let Ok((_, 3)) = file.place(5, 8) else {
        unreachable!("its place is behind the others");
    };
    assert!(state.poll_next(&cx).is_pending());
    let file = state.file.as_mut().unwrap();
    file.wrote(5, true);
    let Poll::Ready(Next::File(range)) = state.poll_next(&cx) else {
        unreachable!("there is more to be read");
    };
    assert_eq!(range.left(), 5);
    assert!(state.poll_next(&cx).is_pending());
    assert!(state.file.is_none());
}
