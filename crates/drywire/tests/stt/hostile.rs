//! What a receiver does with a sender that keeps to the wire and to nothing else (§4.2–4.6).

use std::fs;

use aws_lc_rs::digest::{SHA3_256, digest};
use serde_json::{Value, json};
use stt::{Node, RecvStream, SendStream, Session};

use super::support::{Folder, Listening};

/// A sender made by hand.
struct Sender {
    session: Session,
    node: Node,
}

impl Sender {
    async fn new(folder: &Folder, to: &Listening) -> Self {
        let text = fs::read_to_string(folder.path("seed")).unwrap();
        let digits = text.trim().strip_prefix("stt-seed:").unwrap();
        let seed: Vec<_> = (0..digits.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap())
            .collect();
        let node = Node::builder([7; 32], &seed).build().unwrap();
        node.start().await.unwrap();
        let (host, port) = to.address.rsplit_once(':').unwrap();
        let session = node.connect_udp(host, port.parse().unwrap()).await.unwrap();
        Self { session, node }
    }

    /// Offers something; the streams, and the answer if there is one.
    async fn offer(&self, offer: &Value) -> (SendStream, RecvStream, Option<Value>) {
        let (mut send, mut receive) = self.session.open_bi().await.unwrap();
        let message = stt_core::value::to_vec(offer).unwrap();
        let len = u32::try_from(message.len()).unwrap();
        send.write_all_bytes(&len.to_be_bytes()).await.unwrap();
        send.write_all_bytes(&message).await.unwrap();
        let answer = answer(&mut receive).await;
        (send, receive, answer)
    }

    async fn end(self) {
        self.session.close(0, "");
        self.node.stop().await;
    }
}

async fn answer(receive: &mut RecvStream) -> Option<Value> {
    let mut bytes = Vec::new();
    while bytes.len() < 4 || bytes.len() < 4 + length(&bytes) {
        bytes.extend(receive.read_chunk(1 << 16).await.ok()??);
    }
    Some(stt_core::value::from_slice(&bytes[4..]).unwrap())
}

fn length(bytes: &[u8]) -> usize {
    u32::from_be_bytes(*bytes.first_chunk().unwrap()) as usize
}

fn offer(path: &[&str], size: u64) -> Value {
    json!({ "v": 1, "path": path, "size": size, "stamp": [1, 0] })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sender_that_lies_reaches_nothing_but_the_folder() {
    let folder = Folder::new();
    folder.write("outside", b"mine");
    folder.write("inbox/taken", b"mine");
    let receiver = folder.listening(&["recv", "inbox", "--listen", "127.0.0.1:0"]);
    let sender = Sender::new(&folder, &receiver).await;

    let absolute = folder.path("outside");
    let long = "n".repeat(256);
    for path in [
        &["..", "outside"][..],
        &["../outside"],
        &[absolute.to_str().unwrap()],
        &["/", "outside"],
        &["a", "..", "..", "outside"],
        &["a\\b"],
        &["\u{1b}]0;steered\u{7}"],
        &["taken"],
        &["taken", "below"],
        &["a.part"],
        &["a.part.stt"],
        &[&long],
        &[],
    ] {
        let (.., answer) = sender.offer(&offer(path, 4)).await;
        let answer = answer.unwrap();
        assert!(answer["refused"].is_string(), "{path:?}: {answer}");
    }
    // What is no offer is answered by nothing.
    for wrong in [
        json!([]),
        json!({ "v": 1, "path": ["x"], "size": -1, "stamp": [] }),
        json!({ "v": 1, "path": ["x"], "size": 1, "stamp": [], "more": 1 }),
        json!({ "v": 1, "path": [["x"]], "size": 1, "stamp": [] }),
    ] {
        assert_eq!(sender.offer(&wrong).await.2, None, "{wrong}");
    }
    let (.., answer) = sender
        .offer(&json!({ "v": 2, "path": ["x"], "size": 1, "stamp": [] }))
        .await;
    assert!(answer.unwrap()["refused"].is_string());

    // Sizes that aren't true: no file of the name comes of them.
    let (mut send, mut receive, answer) = sender.offer(&offer(&["less"], 1 << 60)).await;
    assert_eq!(answer, Some(json!({ "offset": 0 })));
    send.write_all_bytes(b"less").await.unwrap();
    send.finish().unwrap();
    assert_eq!(self::answer(&mut receive).await, None);
    let (mut send, mut receive, _) = sender.offer(&offer(&["more"], 4)).await;
    let hash = digest(&SHA3_256, b"more and more");
    send.write_all_bytes(&[b"more and more", hash.as_ref()].concat())
        .await
        .unwrap();
    assert_eq!(
        self::answer(&mut receive).await,
        Some(json!({ "done": false }))
    );

    // The same name twice at once: the first has it.
    let (mut send, mut receive, _) = sender.offer(&offer(&["one"], 4)).await;
    let (.., answer) = sender.offer(&offer(&["one"], 4)).await;
    assert!(answer.unwrap()["refused"].is_string());
    send.write_all_bytes(&[b"once", digest(&SHA3_256, b"once").as_ref()].concat())
        .await
        .unwrap();
    assert_eq!(
        self::answer(&mut receive).await,
        Some(json!({ "done": true }))
    );

    sender.end().await;
    let said = receiver.end();
    assert_eq!(said.code, Some(3), "{}", said.err);
    assert!(said.err.contains(r"\u{1b}]0;steered\u{7}"), "{}", said.err);
    assert!(!said.err.contains('\u{1b}'), "{}", said.err);
    assert_eq!(said.out, "{\"file\":\"one\",\"bytes\":4,\"moved\":4}\n");
    let mut names: Vec<_> = fs::read_dir(folder.path("inbox"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["less.part", "less.part.stt", "one", "taken"]);
    assert_eq!(fs::read(folder.path("outside")).unwrap(), b"mine");
    assert_eq!(fs::read(folder.path("inbox/taken")).unwrap(), b"mine");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_its_sender_gives_up_is_named_and_its_part_kept() {
    for resets in [true, false] {
        let folder = Folder::new();
        let receiver = folder.listening(&["recv", "inbox", "--listen", "127.0.0.1:0"]);
        let sender = Sender::new(&folder, &receiver).await;
        let (mut send, mut receive, _) = sender.offer(&offer(&["half"], 8)).await;
        send.write_all_bytes(b"half").await.unwrap();
        if resets {
            sender.session.flushed().await.unwrap();
            send.reset(1).unwrap();
            assert_eq!(answer(&mut receive).await, None);
        }
        sender.end().await;
        let said = receiver.end();
        assert_eq!(said.code, Some(2), "{}", said.err);
        let told = "error: half: the sender gave it up; what has come is kept\n";
        assert!(said.err.contains(told), "{}", said.err);
        assert!(folder.path("inbox/half.part").exists());
    }
}
