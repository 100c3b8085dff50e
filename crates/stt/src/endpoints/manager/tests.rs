use std::{
    pin::pin,
    task::{Context, Poll, Waker},
};

use proptest::prelude::*;

use super::*;

fn limits(endpoints: usize, messages: usize, bytes: usize) -> EndpointLimits {
    EndpointLimits {
        endpoints,
        messages,
        bytes,
    }
}

/// One poll without a runtime.
fn poll<F: Future>(future: core::pin::Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

fn now<T>(future: impl Future<Output = T>) -> T {
    futures_util::FutureExt::now_or_never(future).expect("it doesn't wait")
}

#[test]
fn queues_are_apart_and_in_order() {
    let endpoints = EndpointManager::new();
    for (id, data) in [("b", "1"), ("a", "2"), ("b", "3")] {
        now(endpoints.route_to_endpoint(id, data)).unwrap();
    }
    assert_eq!(endpoints.list_endpoints(), ["a", "b"]);
    assert_eq!(endpoints.pending("b"), 2);
    assert_eq!(now(endpoints.receive_from_endpoint("b")).unwrap(), "1");
    assert_eq!(now(endpoints.receive_from_endpoint("a")).unwrap(), "2");
    assert_eq!(now(endpoints.receive_from_endpoint("b")).unwrap(), "3");
    assert_eq!(endpoints.try_receive_from_endpoint("b"), Ok(None));
    assert_eq!(endpoints.list_endpoints(), ["a", "b"]);
}

#[test]
fn ids_and_their_number_are_limited() {
    let endpoints = EndpointManager::with_limits(limits(2, 1, 1));
    for id in ["", &"x".repeat(256)] {
        let error = now(endpoints.route_to_endpoint(id, "")).unwrap_err();
        assert_eq!(error, EndpointError::Id { len: id.len() });
    }
    now(endpoints.route_to_endpoint(&"x".repeat(255), "")).unwrap();
    endpoints.open_endpoint("y").unwrap();
    let error = endpoints.open_endpoint("z").unwrap_err();
    let text = "endpoint \"z\" would be one more than 2: close one that isn't needed";
    assert_eq!(error.to_string(), text);
    endpoints.close_endpoint("y");
    endpoints.open_endpoint("z").unwrap();
}

#[test]
fn a_full_queue_makes_its_writers_wait_and_no_others() {
    for full in [limits(9, 2, 100), limits(9, 100, 10)] {
        let endpoints = EndpointManager::with_limits(full);
        for data in ["first", "other"] {
            now(endpoints.route_to_endpoint("a", data)).unwrap();
        }
        let mut waiting = pin!(endpoints.route_to_endpoint("a", "third"));
        assert!(poll(waiting.as_mut()).is_pending());
        now(endpoints.route_to_endpoint("b", "free")).unwrap();
        assert_eq!(endpoints.pending("a"), 2);
        assert_eq!(now(endpoints.receive_from_endpoint("a")).unwrap(), "first");
        assert_eq!(poll(waiting.as_mut()), Poll::Ready(Ok(())));
        assert_eq!(endpoints.pending("a"), 2);
    }
}

#[test]
fn a_message_over_the_limit_has_an_empty_queue_to_itself() {
    let endpoints = EndpointManager::with_limits(limits(1, 9, 3));
    now(endpoints.route_to_endpoint("a", "longer")).unwrap();
    assert!(poll(pin!(endpoints.route_to_endpoint("a", ""))).is_pending());
    assert_eq!(now(endpoints.receive_from_endpoint("a")).unwrap(), "longer");
    now(endpoints.route_to_endpoint("a", "")).unwrap();
    assert!(poll(pin!(endpoints.route_to_endpoint("a", "longer"))).is_pending());
}

#[test]
fn cancelling_loses_no_message_and_no_turn() {
    let endpoints = EndpointManager::with_limits(limits(1, 1, 9));
    {
        let mut first = pin!(endpoints.receive_from_endpoint("a"));
        let mut second = Box::pin(endpoints.receive_from_endpoint("a"));
        assert!(poll(second.as_mut()).is_pending());
        assert!(poll(first.as_mut()).is_pending());
        now(endpoints.route_to_endpoint("a", "x")).unwrap();
        // The one that was woken goes away: the other takes its turn.
        drop(second);
        assert_eq!(poll(first.as_mut()), Poll::Ready(Ok("x".into())));
    }
    now(endpoints.route_to_endpoint("a", "1")).unwrap();
    {
        let mut given_up = Box::pin(endpoints.route_to_endpoint("a", "2"));
        let mut third = pin!(endpoints.route_to_endpoint("a", "3"));
        assert!(poll(given_up.as_mut()).is_pending());
        assert!(poll(third.as_mut()).is_pending());
        assert_eq!(now(endpoints.receive_from_endpoint("a")).unwrap(), "1");
        drop(given_up);
        assert_eq!(poll(third.as_mut()), Poll::Ready(Ok(())));
    }
    assert_eq!(now(endpoints.receive_from_endpoint("a")).unwrap(), "3");
    assert_eq!(endpoints.pending("a"), 0);
}

#[test]
fn closing_gives_what_is_left_and_then_says_so() {
    let endpoints = EndpointManager::with_limits(limits(9, 1, 9));
    let closed = || EndpointError::Closed { id: "a".into() };
    now(endpoints.route_to_endpoint("a", "left")).unwrap();
    let mut routing = pin!(endpoints.route_to_endpoint("a", "late"));
    assert!(poll(routing.as_mut()).is_pending());
    endpoints.close_endpoint("a");
    assert_eq!(poll(routing.as_mut()), Poll::Ready(Err(closed())));
    assert_eq!(endpoints.open_endpoint("a"), Err(closed()));
    assert_eq!(endpoints.list_endpoints(), ["a"]);
    assert_eq!(now(endpoints.receive_from_endpoint("a")).unwrap(), "left");
    assert_eq!(now(endpoints.receive_from_endpoint("a")), Err(closed()));
    assert_eq!(now(endpoints.route_to_endpoint("a", "")), Err(closed()));
    assert!(endpoints.list_endpoints().is_empty());
    endpoints.open_endpoint("a").unwrap();

    let mut receiving = pin!(endpoints.receive_from_endpoint("a"));
    assert!(poll(receiving.as_mut()).is_pending());
    endpoints.close_endpoint("a");
    assert_eq!(poll(receiving.as_mut()), Poll::Ready(Err(closed())));
    endpoints.close_endpoint("never there");
    let error = now(endpoints.receive_from_endpoint("never there")).unwrap_err();
    assert_eq!(error.to_string(), "endpoint \"never there\" is closed");
}

#[test]
fn a_closed_manager_makes_no_endpoints() {
    let endpoints = EndpointManager::new();
    now(endpoints.route_to_endpoint("a", "left")).unwrap();
    let mut receiving = pin!(endpoints.receive_from_endpoint("b"));
    assert!(poll(receiving.as_mut()).is_pending());
    endpoints.close();
    let error = EndpointError::ManagerClosed;
    assert_eq!(poll(receiving.as_mut()), Poll::Ready(Err(error.clone())));
    assert_eq!(endpoints.open_endpoint("c"), Err(error.clone()));
    assert_eq!(now(endpoints.receive_from_endpoint("a")).unwrap(), "left");
    assert_eq!(now(endpoints.receive_from_endpoint("a")), Err(error));
}

#[test]
fn closed_ids_are_remembered_within_bounds() {
    let endpoints = EndpointManager::new();
    for i in 0..3 * EndpointManager::REMEMBERED {
        let id = i.to_string();
        endpoints.open_endpoint(&id).unwrap();
        endpoints.close_endpoint(&id);
    }
    assert_eq!(endpoints.lock().closed.len(), EndpointManager::REMEMBERED);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_message_arrives_once_between_tasks() {
    const EACH: usize = 2_000;
    let endpoints = Arc::new(EndpointManager::with_limits(limits(4, 3, 64)));
    let mut writers = tokio::task::JoinSet::new();
    let mut readers = tokio::task::JoinSet::new();
    for writer in 0..4_u8 {
        let endpoints = Arc::clone(&endpoints);
        writers.spawn(async move {
            for i in 0..EACH {
                let data = [&[writer][..], &i.to_be_bytes()].concat();
                endpoints.route_to_endpoint("shared", data).await.unwrap();
            }
        });
    }
    for _ in 0..3 {
        let endpoints = Arc::clone(&endpoints);
        readers.spawn(async move {
            let mut got = Vec::new();
            while let Ok(message) = endpoints.receive_from_endpoint("shared").await {
                got.push(message);
            }
            got
        });
    }
    while let Some(done) = writers.join_next().await {
        done.unwrap();
    }
    endpoints.close_endpoint("shared");
    let mut all: Vec<Bytes> = readers.join_all().await.into_iter().flatten().collect();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 4 * EACH);
}

proptest! {
    /// One queue against a model of it.
    #[test]
    fn a_queue_is_a_bounded_queue(
        steps in prop::collection::vec(prop::option::of(0_usize..12), 0..200),
        messages in 1_usize..6,
        bytes in 0_usize..30,
    ) {
        let endpoints = EndpointManager::with_limits(limits(1, messages, bytes));
        let mut model: VecDeque<usize> = VecDeque::new();
        for step in steps {
            if let Some(len) = step {
                let fits = model.len() < messages && model.iter().sum::<usize>() + len <= bytes;
                let routed = poll(pin!(endpoints.route_to_endpoint("a", vec![0; len])));
                prop_assert_eq!(routed.is_ready(), fits || model.is_empty());
                if routed.is_ready() {
                    model.push_back(len);
                }
            } else {
                let got = endpoints.try_receive_from_endpoint("a").unwrap();
                prop_assert_eq!(got.map(|data| data.len()), model.pop_front());
            }
            prop_assert_eq!(endpoints.pending("a"), model.len());
        }
    }
}
