use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

fn run<T>(future: impl Future<Output = T>) -> T {
    futures_util::FutureExt::now_or_never(future).expect("nothing here waits")
}

/// Handlers that write down that they were called.
fn log(emitter: &EventEmitter<u8>, log: &Arc<Mutex<Vec<(char, u8)>>>, name: char) -> HandlerKey {
    let log = Arc::clone(log);
    emitter.on("e", move |data| {
        let log = Arc::clone(&log);
        async move {
            log.lock().unwrap().push((name, *data));
            Ok(())
        }
    })
}

#[test]
fn handlers_are_called_in_order_and_can_be_taken_away() {
    let emitter = EventEmitter::new();
    let calls = Arc::default();
    let a = log(&emitter, &calls, 'a');
    log(&emitter, &calls, 'b');
    assert_eq!(run(emitter.emit("e", 1)).called, 2);
    assert_eq!(run(emitter.emit("another", 2)).called, 0);
    assert!(!emitter.off("another", a));
    assert!(emitter.off("e", a) && !emitter.off("e", a));
    assert_eq!(run(emitter.emit("e", 3)).called, 1);
    assert_eq!(*calls.lock().unwrap(), [('a', 1), ('b', 1), ('b', 3)]);
}

#[test]
fn forty_handlers_start_in_order() {
    let emitter = EventEmitter::new();
    let calls: Arc<Mutex<Vec<(char, u8)>>> = Arc::default();
    let names: Vec<char> = (0..40).map(|i| char::from(b'0' + i)).collect();
    for &name in &names {
        log(&emitter, &calls, name);
    }
    run(emitter.emit("e", 0));
    let called: Vec<char> = calls
        .lock()
        .unwrap()
        .iter()
        .map(|(name, _)| *name)
        .collect();
    assert_eq!(called, names);
}

#[test]
fn a_failing_or_panicking_handler_stops_no_other_and_is_reported() {
    let emitter = EventEmitter::<()>::new();
    let reached = Arc::new(AtomicUsize::new(0));
    let failing = emitter.on("e", |_| async { Err("no disk".into()) });
    let panicking = emitter.on("e", |_| async { panic!("at {}", 1) });
    let calling = emitter.on_sync("e", |_| panic!("in the call"));
    let counter = Arc::clone(&reached);
    emitter.on_sync("e", move |_| {
        counter.fetch_add(1, Ordering::Relaxed);
        Ok(())
    });
    let emitted = run(emitter.emit("e", ()));
    assert_eq!((emitted.called, reached.load(Ordering::Relaxed)), (4, 1));
    let reports: Vec<_> = emitted
        .failures
        .iter()
        .map(|failure| (failure.key, failure.error.to_string()))
        .collect();
    assert_eq!(
        reports,
        [
            (failing, "no disk".to_owned()),
            (panicking, "the handler panicked: at 1".to_owned()),
            (calling, "the handler panicked: in the call".to_owned()),
        ]
    );
}

#[tokio::test]
async fn handlers_that_wait_do_so_side_by_side() {
    let emitter = EventEmitter::<()>::new();
    // Each waits for the other: one after the other they would never end.
    let barrier = Arc::new(tokio::sync::Barrier::new(2));
    for _ in 0..2 {
        let barrier = Arc::clone(&barrier);
        emitter.on("e", move |_| {
            let barrier = Arc::clone(&barrier);
            async move {
                barrier.wait().await;
                Ok(())
            }
        });
    }
    assert!(emitter.emit("e", ()).await.failures.is_empty());
}

#[test]
fn handlers_may_add_remove_and_emit() {
    let emitter = Arc::new(EventEmitter::<u8>::new());
    let inner = Arc::clone(&emitter);
    let key = Arc::new(Mutex::new(None));
    let own = Arc::clone(&key);
    *key.lock().unwrap() = Some(emitter.on("e", move |data| {
        let (emitter, own) = (Arc::clone(&inner), own.lock().unwrap().take());
        async move {
            if let Some(own) = own {
                assert!(emitter.off("e", own));
            }
            emitter.on_sync("e", |_| Ok(()));
            assert_eq!(emitter.emit("e", *data + 1).await.called, 1);
            Ok(())
        }
    }));
    let emitted = run(emitter.emit("e", 0));
    assert_eq!((emitted.called, emitted.failures.len()), (1, 0));
    assert_eq!(emitter.handlers("e"), 1);
}
