use proptest::prelude::*;

use super::*;
use crate::transport::ws::{OriginPolicy, WsError};

const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

fn good() -> String {
    request("example.org:80", "/", KEY, "stt", None).unwrap()
}

fn check(head: &str) -> Result<String, Refusal> {
    check_request(head.as_bytes(), "/", "stt", &OriginPolicy::NoPages)
}

/// The example of RFC 6455 §1.3.
#[test]
fn the_example_of_the_rfc() {
    let accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
    assert_eq!(accept_of(KEY), accept);
    assert_eq!(check(&good()).unwrap(), accept);
    check_response(switching(accept, "stt").as_bytes(), accept, "stt").unwrap();
    // As browsers write them.
    let head = good()
        .replace("Connection: Upgrade", "connection: keep-alive, UPGRADE")
        .replace("Protocol: stt", "Protocol: chat, stt");
    assert_eq!(check(&head).unwrap(), accept);
}

#[test]
fn requests_that_are_refused() {
    for (from, to, status) in [
        ("GET", "POST", 405),
        ("GET / HTTP/1.1", "GET /x HTTP/1.1", 404),
        ("HTTP/1.1", "HTTP/1.0", 505),
        ("HTTP/1.1", "HTTP/7", 400),
        ("Host: example.org:80\r\n", "", 400),
        ("Host: ", "Host: a\r\nHost: ", 400),
        ("Upgrade: websocket", "Upgrade: h2c", 426),
        ("Connection: Upgrade", "Connection: close", 426),
        ("Version: 13", "Version: 8", 426),
        (
            "Version: 13",
            "Version: 13\r\nSec-WebSocket-Version: 8",
            426,
        ),
        (KEY, "c2hvcnQ=", 400),
        (KEY, "!", 400),
        ("Protocol: stt", "Protocol: stt-frames", 400),
        ("Protocol: stt", "Protocol: sttx", 400),
        ("Host: ", "Origin: https://example.org\r\nHost: ", 403),
        ("Host: ", "bad name: x\r\nHost: ", 400),
    ] {
        let head = good().replacen(from, to, 1);
        assert_ne!(head, good(), "{from}");
        let refused = check(&head).unwrap_err();
        assert_eq!(refused.status, status, "{from} -> {to}: {refused:?}");
        let told = check_response(refusal(refused).as_bytes(), "", "stt").unwrap_err();
        assert!(matches!(told, WsError::Refused { status: told, .. } if told == status));
    }
    let many = good().replacen("Host", &format!("{}Host", "A: b\r\n".repeat(MAX_FIELDS)), 1);
    assert_eq!(check(&many).unwrap_err().status, 400);
}

#[test]
fn origins_are_let_in_by_policy() {
    let origin = "https://example.org";
    let head = request("h", "/", KEY, "stt", Some(origin)).unwrap();
    let listed = |listed: &str| OriginPolicy::Listed(vec![listed.to_owned()]);
    for (policy, allowed) in [
        (OriginPolicy::NoPages, false),
        (OriginPolicy::AnyPage, true),
        (listed(origin), true),
        (listed("https://example.org.evil.example"), false),
        (listed("http://example.org"), false),
    ] {
        let checked = check_request(head.as_bytes(), "/", "stt", &policy);
        assert_eq!(checked.is_ok(), allowed, "{policy:?}");
    }
    // No program can say two things.
    let both = head.replacen("Origin", "Origin: https://other.example\r\nOrigin", 1);
    assert!(check_request(both.as_bytes(), "/", "stt", &listed(origin)).is_err());
}

#[test]
fn responses_that_are_refused() {
    let accept = accept_of(KEY);
    let good = switching(&accept, "stt");
    for (from, to) in [
        ("HTTP/1.1 101", "HTTP/1.1 1e1"),
        ("HTTP/1.1 101", "HTTP/1.1 200"),
        ("Upgrade: websocket", "Upgrade: h2c"),
        ("Connection: Upgrade", "Connection: close"),
        (accept.as_str(), "AAAAAAAAAAAAAAAAAAAAAAAAAAA="),
        ("Protocol: stt", "Protocol: chat"),
        (
            "Upgrade: ",
            "Sec-WebSocket-Extensions: permessage-deflate\r\nUpgrade: ",
        ),
    ] {
        let head = good.replacen(from, to, 1);
        assert_ne!(head, good, "{from}");
        assert!(
            check_response(head.as_bytes(), &accept, "stt").is_err(),
            "{to}"
        );
    }
}

#[test]
fn what_cannot_be_asked_for() {
    for (host, path) in [
        ("a b", "/"),
        ("", "/"),
        ("a\r\nX: y", "/"),
        ("a", "no-slash"),
        ("a", "/x y"),
        ("a", "/\r\n"),
        ("é", "/"),
    ] {
        let refused = request(host, path, KEY, "stt", None);
        assert!(
            matches!(refused, Err(WsError::Field { .. })),
            "{host:?} {path:?}"
        );
    }
    assert!(request("a", "/", KEY, "stt", Some("x\r\ny")).is_err());
}

#[tokio::test]
async fn a_head_ends_where_it_ends() {
    for cut in [1, 3, 5, 100] {
        let (mut ours, theirs) = tokio::io::duplex(cut);
        let sending = async move {
            let mut theirs = theirs;
            let bytes = b"HEAD\r\nx: y\r\n\r\nrest";
            tokio::io::AsyncWriteExt::write_all(&mut theirs, bytes)
                .await
                .unwrap();
        };
        let reading = async {
            let (head, mut rest) = read_head(&mut ours).await.unwrap();
            assert_eq!(head, b"HEAD\r\nx: y\r\n\r\n");
            tokio::io::AsyncReadExt::read_to_end(&mut ours, &mut rest)
                .await
                .unwrap();
            assert_eq!(rest, b"rest");
        };
        tokio::join!(sending, reading);
    }
    let endless = vec![b'x'; MAX_HEAD + 1];
    let error = read_head(&mut &endless[..]).await.unwrap_err();
    assert!(matches!(error, WsError::HeadTooLong { .. }));
    let error = read_head(&mut &b"GET / HT"[..]).await.unwrap_err();
    assert!(matches!(error, WsError::Cut));
}

proptest! {
    #[test]
    fn heads_of_any_bytes_are_judged(bytes in prop::collection::vec(any::<u8>(), 0..300), at in 0_usize..200) {
        let _ = check_request(&bytes, "/", "stt", &OriginPolicy::AnyPage);
        let _ = check_response(&bytes, "x", "stt");
        // Good ones, changed.
        let mut head = good().into_bytes();
        for (i, byte) in bytes.iter().take(3).enumerate() {
            if let Some(place) = head.get_mut(at + i) {
                *place = *byte;
            }
        }
        let _ = check_request(&head, "/", "stt", &OriginPolicy::NoPages);
    }
}
