use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use super::*;

fn run<T>(future: impl Future<Output = T>) -> T {
    futures_util::FutureExt::now_or_never(future).expect("nothing here waits")
}

#[test]
fn types_below_0x80_are_refused_everywhere() {
    let dispatcher = FrameDispatcher::new();
    for frame_type in 0..0x80 {
        let refused = dispatcher.register_handler(frame_type, |_| async { Ok(()) });
        assert!(matches!(refused, Err(DispatchError::Reserved { .. })));
        let refused = run(dispatcher.dispatch(frame_type, ""));
        assert!(matches!(refused, Err(DispatchError::Reserved { .. })));
    }
    for frame_type in 0x80..=0xff {
        dispatcher
            .register_handler(frame_type, |_| async { Ok(()) })
            .unwrap();
        run(dispatcher.dispatch(frame_type, "")).unwrap();
    }
    assert_eq!(dispatcher.frame_types().len(), 128);
}

#[test]
fn the_handler_of_the_type_gets_the_payload() {
    let dispatcher = FrameDispatcher::new();
    let seen = Arc::new(AtomicUsize::new(0));
    for (frame_type, weight) in [(0x80, 1), (0x81, 1_000)] {
        let seen = Arc::clone(&seen);
        let register = dispatcher.register_handler(frame_type, move |payload: Bytes| {
            seen.fetch_add(weight * payload.len(), Ordering::Relaxed);
            async { Ok(()) }
        });
        assert!(!register.unwrap());
    }
    run(dispatcher.dispatch(0x80, "four")).unwrap();
    run(dispatcher.dispatch(0x81, vec![0; 7])).unwrap();
    assert_eq!(seen.load(Ordering::Relaxed), 7_004);

    assert!(
        dispatcher
            .register_handler(0x81, |_| async { Ok(()) })
            .unwrap()
    );
    run(dispatcher.dispatch(0x81, "replaced")).unwrap();
    assert_eq!(seen.load(Ordering::Relaxed), 7_004);
    assert!(dispatcher.unregister_handler(0x81) && !dispatcher.unregister_handler(0x81));
    let error = run(dispatcher.dispatch(0x81, "")).unwrap_err();
    assert_eq!(error.to_string(), "no handler for frame type 0x81");
}

#[test]
fn failures_and_panics_are_the_callers_to_hear_of() {
    let dispatcher = FrameDispatcher::new();
    dispatcher
        .register_handler(0xfe, |_| async { Err("no disk".into()) })
        .unwrap();
    dispatcher
        .register_handler(0xff, |_| async { panic!("at {}", 1) })
        .unwrap();
    let error = run(dispatcher.dispatch(0xfe, "")).unwrap_err();
    assert_eq!(error.to_string(), "handler of frame type 0xfe: no disk");
    for _ in 0..2 {
        let error = run(dispatcher.dispatch(0xff, "")).unwrap_err();
        let text = "handler of frame type 0xff: the handler panicked: at 1";
        assert_eq!(error.to_string(), text);
    }
}
